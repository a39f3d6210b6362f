//! What follows acceptance, in rounds: orders' documents, grants, figures. All of it can be done again, so a round that a stop cut off
//! is done by the next start.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::protocol::messages::write_message;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::stream::{Offer, Stream};
use granary_client_core::schema::{DocumentKey, OrderName, StreamCode};

use super::follow::LastTold;
use super::pools::is_over;
use super::rows;
use crate::engine::Granary;
use crate::engine::events::Event;
use crate::engine::trading::{Admitted, Open};
use crate::error::Error;
use crate::log::restored::restored_at;
use crate::log::{Cooperative, CooperativeNumber};

/// Documents of one round.
const DOCUMENTS: usize = 256;

/// The sleep after a round while writes come fast, in multiples of its time.
const SLEEP_TIMES: u32 = 4;

/// What a round found of one co-operative.
#[derive(Default)]
struct Found {
    orders: Vec<(OrderName, Option<LastTold>)>,
    streams: BTreeSet<StreamCode>,
    /// True where what is there may have changed.
    has_stock: bool,
    through: u64,
}

impl Granary {
    /// Notes what trade has not followed yet, as after a start.
    pub fn resume_trade(&self) -> Result<(), Error> {
        for cooperative in self.cooperatives() {
            let number = cooperative.number();
            self.trading().map_anew(number);
            let mut through = rows::through(self.store(), number)?;
            if through > cooperative.mark().position {
                // The log is another one than the rows were made from.
                self.write(move |group| rows::remove_all(group, number))?;
                through = 0;
            }
            let over: BTreeSet<OrderName> = rows::over(self.store(), number)?.into_iter().collect();
            for (document, key, last) in cooperative.document_positions() {
                let is_over = matches!(&key, DocumentKey::Order(name) if over.contains(name));
                if (last > through || is_over) && !cooperative.is_erased(&key) {
                    self.trading().admitted(&cooperative, document, &key);
                }
            }
            self.trading()
                .channels_changed(number, rows::pools(self.store(), number)?.into_keys().map(|name| name.channel));
        }
        Ok(())
    }

    /// One round beside the server's other work.
    pub(crate) fn trade_round(&self, is_tick: bool, now: Instant) -> Result<(), Error> {
        let (began, before) = (std::time::Instant::now(), self.throttle().count());
        if self.follow_trade(now)? {
            self.trading().wake();
        }
        if is_tick {
            self.tick_trade(now)?;
        }
        self.throttle().pause(began, before, SLEEP_TIMES);
        Ok(())
    }

    /// Follows what was admitted since the last round, in the order of the log. True when more waits.
    pub fn follow_trade(&self, now: Instant) -> Result<bool, Error> {
        let documents = self.trading().take_documents(DOCUMENTS);
        let has_more = documents.len() >= DOCUMENTS;
        if let Err(error) = self.follow_documents(&documents, now) {
            self.trading().put_back(documents);
            return Err(error);
        }
        Ok(has_more)
    }

    fn follow_documents(&self, documents: &[Admitted], now: Instant) -> Result<(), Error> {
        let mut found: BTreeMap<CooperativeNumber, Found> = BTreeMap::new();
        for (number, document, position) in documents {
            let Some(key) = self.cooperative(*number)?.document_key(*document) else { continue };
            let found = found.entry(*number).or_default();
            found.through = found.through.max(*position);
            match key {
                DocumentKey::Order(name) => found.orders.push((name, None)),
                DocumentKey::Stream(code) => _ = found.streams.insert(code),
                _ => found.has_stock = true,
            }
        }
        for (number, found) in found {
            let cooperative = self.cooperative(number)?;
            self.follow_orders(&cooperative, &found.orders, now)?;
            self.trading().decide_later(number, &found.streams, found.has_stock);
            self.write(move |group| {
                group.put_visible(rows::through_row(number), write_message(&found.through));
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Plans from which goods orders are served, and sets pools, where something changed that they follow from.
    fn decide_on_goods(&self, now: Instant) -> Result<(), Error> {
        for (number, open) in self.trading().take_open() {
            let cooperative = self.cooperative(number)?;
            let (orders, has_stock) = match self.is_caught_up(&cooperative)? {
                true if open.orders.is_empty() && !open.has_stock => (BTreeSet::new(), false),
                true => (self.plan_orders(&cooperative, open.orders.clone(), open.has_stock, now)?, false),
                false => (open.orders.clone(), open.has_stock),
            };
            let streams = self.to_grant(&cooperative, &open, now)?;
            let is_granted = self.grant_packs(&cooperative, streams.clone(), now)?;
            let streams = if is_granted { BTreeSet::new() } else { streams.into_iter().collect() };
            self.trading().put_open(number, Open { orders, streams, has_stock });
        }
        Ok(())
    }

    /// The streams whose pools may have to be set anew: those that changed, and those that are on where packs may have come free.
    fn to_grant(&self, cooperative: &Cooperative, open: &Open, now: Instant) -> Result<Vec<StreamCode>, Error> {
        let context = self.trade_context(cooperative)?;
        let wants_more = |code: &StreamCode, stream: &Stream| {
            let lacks = |(sku, offer): (&String, &Offer)| {
                stream.served.get(sku).is_none_or(|served| served.granted < offer.wanted)
            };
            (open.has_stock || !open.orders.is_empty()) && !is_over(stream, now) && stream.offers.iter().any(lacks)
                || open.streams.contains(code)
        };
        let concerned = context.streams.iter().filter(|(code, stream)| wants_more(code, stream));
        Ok(concerned.map(|(code, _)| code.clone()).collect())
    }

    /// What is done once a second: closes what is over by now, maps lines that are known since, tells pages whose figures have changed, writes the figures into
    /// streams, and the minutes of what has been over for a while.
    pub fn tick_trade(&self, now: Instant) -> Result<(), Error> {
        self.close_streams(now)?;
        self.map_known_lines(now)?;
        self.decide_on_goods(now)?;
        for (number, channel) in self.trading().take_channels() {
            self.events().publish(Event::PoolsChanged { cooperative: number });
            self.trading().serve_later(number, channel);
        }
        for (number, channel) in self.trading().take_unserved() {
            let Ok(code) = channel.parse::<StreamCode>() else { continue };
            if !self.serve_figures(&self.cooperative(number)?, &code, now)? {
                self.trading().serve_later(number, channel);
            }
        }
        Ok(())
    }

    fn close_streams(&self, now: Instant) -> Result<(), Error> {
        for cooperative in self.cooperatives() {
            let context = self.trade_context(&cooperative)?;
            if context.streams.is_empty() {
                continue;
            }
            let pools = rows::pools(self.store(), cooperative.number())?;
            let is_open = |code: &StreamCode| {
                pools.iter().any(|(name, pool)| name.channel == code.as_str() && !pool.terms.is_closed)
            };
            let over = context.streams.iter().filter(|(code, stream)| is_over(stream, now) && is_open(code));
            let over: Vec<StreamCode> = over.map(|(code, _)| code.clone()).collect();
            // It closes them at once, whatever is free.
            let _ = self.grant_packs(&cooperative, over, now)?;
            self.keep_minutes(&cooperative, now)?;
        }
        Ok(())
    }

    /// True while a restored server may lack orders that it had: then nobody who asks is promised anything.
    pub(crate) fn lacks_orders(&self, cooperative: &Cooperative) -> Result<bool, Error> {
        let number = cooperative.number();
        let Some(restored) = restored_at(self.store(), number)? else { return Ok(false) };
        Ok(rows::complete_since(self.store(), number)?.is_none_or(|complete| complete < restored))
    }

    /// An operator says that all orders from before a restoration are here again.
    pub fn orders_are_complete(&self, number: CooperativeNumber, now: Instant) -> Result<(), Error> {
        self.cooperative(number)?;
        self.write(move |group| {
            group.put_visible(rows::complete_row(number), write_message(&now.0));
            Ok(())
        })
    }
}
