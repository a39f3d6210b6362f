//! What is set aside for a stream: coordinators write what they want into its document, and the server's device grants what is free.
//! A shop's standing share is a stream without an end. What was granted and counted goes back into the document now and then, for
//! phones and for a server that has to make its ledger anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use granary_client_core::quantities::Instant;
use granary_client_core::schema::stream::{self, MINUTES_MAX, Offer, Served, Stream};
use granary_client_core::schema::{DocumentKey, StreamCode};
use granary_client_core::store::StoreFault;

use super::follow::cover_all;
use super::ledger::{Pool, PoolName, Terms};
use super::rows::{self, Book};
use crate::engine::Granary;
use crate::engine::own_edits::{Edit, Edits};
use crate::engine::trading::TradeContext;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

/// The least time between two writings of a stream's figures while they change.
const SERVE_EVERY_MILLIS: i64 = 30_000;
/// Orders that were placed in a stream may be told so long after its end before its minutes are written down for good.
const MINUTES_AFTER_MILLIS: i64 = 30 * 60 * 1000;

/// Of a stream without minutes that ended so long ago nothing was sold.
const MINUTES_AT_MOST_MILLIS: i64 = 7 * 24 * 60 * 60 * 1000;

/// One pool, for people and for shops. All figures are packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolFigures {
    /// The channel: a stream's code.
    pub channel: String,
    /// The SKU.
    pub sku: String,
    /// Set aside; none where nobody ever set any aside.
    pub granted: Option<u64>,
    /// Sold, with those above what is granted.
    pub accepted: u64,
    /// Sold above what is granted.
    pub over: u64,
    /// Left to ask for.
    pub left: u64,
    /// Left as shops are told: without what is held back.
    pub told_left: u64,
    /// True once it was ended.
    pub is_closed: bool,
}

impl PoolFigures {
    pub(super) fn of(name: &PoolName, pool: &Pool) -> Self {
        Self {
            channel: name.channel.clone(),
            sku: name.sku.clone(),
            granted: pool.granted,
            accepted: pool.accepted,
            over: pool.over,
            left: pool.left(),
            told_left: pool.told_left(),
            is_closed: pool.terms.is_closed,
        }
    }
}

/// Grams that are free of a product and grade: in the warehouse, not promised to any order, and not set aside.
pub(super) type Free = BTreeMap<(String, String), i64>;

/// True once a stream is over at this moment.
pub(super) fn is_over(stream: &Stream, now: Instant) -> bool {
    stream.ended_at.is_some() || stream.ends_at.is_some_and(|ends| ends <= now)
}

fn terms(offer: &Offer, is_closed: bool) -> Terms {
    Terms {
        limit: offer.limit,
        margin_permille: u16::try_from(offer.margin.get()).unwrap_or(0),
        begins: offer.begins_at.map(|at| at.0),
        ends: offer.ends_at.map(|at| at.0),
        is_closed,
    }
}

/// Sets a stream's pools as its document says, with what is free; for jobs of the writer.
fn set_pools(
    book: &mut Book<'_, '_>,
    context: &TradeContext,
    (code, stream): (&StreamCode, &Stream),
    free: &mut Free,
    now: Instant,
) -> Result<(), StoreFault> {
    for (sku, offer) in &stream.offers {
        let name = PoolName::new(code.as_str(), sku);
        book.load(&name, None)?;
        let pool = book.ledger.pool(&name);
        if is_over(stream, now) || offer.ended {
            if !pool.terms.is_closed {
                book.ledger.close(&name);
            }
            book.ledger.set_terms(&name, terms(offer, true));
            continue;
        }
        book.ledger.set_terms(&name, terms(offer, false));
        let Some(of) = context.catalogue.skus.get(sku) else { continue };
        // A restored server knows from the document what it had granted.
        let before = stream.served.get(sku).map_or(0, |served| u64::from(served.granted));
        let granted = pool.granted.unwrap_or(before);
        let wanted = u64::from(offer.wanted);
        let there = free.entry((of.product.clone(), of.grade.clone())).or_default();
        let pack = of.grams.get();
        let fit = u64::try_from((*there).checked_div(pack).unwrap_or(0)).unwrap_or(0);
        let more = wanted.saturating_sub(granted).min(fit);
        let target = if wanted < granted { wanted } else { granted.saturating_add(more) };
        if pool.granted == Some(target) {
            continue;
        }
        let set = book.ledger.grant(&name, target);
        let packs = i64::try_from(set.saturating_sub(granted)).unwrap_or(i64::MAX);
        *there = there.saturating_sub(packs.saturating_mul(pack));
    }
    Ok(())
}

impl Granary {
    /// All pools of a co-operative, as they are durable.
    pub fn pools(&self, number: CooperativeNumber) -> Result<Vec<PoolFigures>, Error> {
        let pools = rows::pools(self.store(), self.cooperative(number)?.number())?;
        Ok(pools.iter().map(|(name, pool)| PoolFigures::of(name, pool)).collect())
    }

    /// Sets the pools of these streams: grants what they want and is free, lowers what they want no more, closes what is over.
    /// Nothing is granted beyond what there was while the rows that tell what is free are behind; false then.
    pub(super) fn grant_packs(
        &self,
        cooperative: &Arc<Cooperative>,
        streams: Vec<StreamCode>,
        now: Instant,
    ) -> Result<bool, Error> {
        if streams.is_empty() {
            return Ok(true);
        }
        let number = cooperative.number();
        let context = self.trade_context(cooperative)?;
        let is_caught_up = self.is_caught_up(cooperative)?;
        let mut free = match is_caught_up {
            true => self.free_stock(cooperative, &context, now)?,
            false => Free::new(),
        };
        let target = Arc::clone(cooperative);
        let (channels, marks) = self.write(move |group| {
            let mut book = Book::open(group, target.number());
            for code in &streams {
                if let Some(stream) = context.streams.get(code) {
                    set_pools(&mut book, &context, (code, stream), &mut free, now)?;
                }
            }
            let mut marks = Vec::new();
            cover_all(&mut book, &mut marks)?;
            let channels: Vec<String> = book.close().into_iter().map(|(name, _)| name.channel).collect();
            Ok((channels, marks))
        })?;
        self.pools_changed(cooperative, channels);
        self.mark(number, Cooperative::server_device(cooperative.id()), marks, now)?;
        Ok(is_caught_up)
    }

    /// Notes that the figures of these channels have changed.
    pub(super) fn pools_changed(&self, cooperative: &Cooperative, channels: impl IntoIterator<Item = String>) {
        self.trading().channels_changed(cooperative.number(), channels);
    }

    /// Writes a stream's figures into its document, unless that was done a moment ago; false where it waits.
    pub(super) fn serve_figures(
        &self,
        cooperative: &Arc<Cooperative>,
        code: &StreamCode,
        now: Instant,
    ) -> Result<bool, Error> {
        let number = cooperative.number();
        let context = self.trade_context(cooperative)?;
        let Some(stream) = context.streams.get(code) else { return Ok(true) };
        let packs = |packs: u64| u32::try_from(packs).unwrap_or(u32::MAX);
        let mut edits: Vec<Edit> = Vec::new();
        let (mut is_urgent, mut last) = (is_over(stream, now), 0i64);
        for (name, pool) in rows::pools_of(self.store(), number, code.as_str())? {
            let served = Served {
                granted: packs(pool.granted.unwrap_or(0)),
                accepted: packs(pool.accepted),
                over: packs(pool.over),
                left: packs(pool.told_left()),
                as_of: now,
            };
            let known = stream.served.get(&name.sku);
            if known.is_some_and(|known| Served { as_of: now, ..*known } == served) {
                continue;
            }
            last = last.max(known.map_or(0, |known| known.as_of.0));
            is_urgent |= known.is_none_or(|known| known.granted != served.granted || served.left == 0);
            edits.push(Box::new(move |automerge| stream::serve(automerge, &name.sku, &served)));
        }
        if edits.is_empty() {
            return Ok(true);
        }
        if !is_urgent && now.0.saturating_sub(last) < SERVE_EVERY_MILLIS {
            return Ok(false);
        }
        // All of it is one change.
        let all = move |automerge: &mut _| edits.into_iter().try_for_each(|edit| edit(automerge));
        self.edit_by_server(cooperative, code, Box::new(all), now)?;
        Ok(true)
    }

    /// Writes the minutes of streams that have been over for a while.
    pub(super) fn keep_minutes(&self, cooperative: &Arc<Cooperative>, now: Instant) -> Result<(), Error> {
        let context = self.trade_context(cooperative)?;
        for (code, stream) in &context.streams {
            let Some(end) = stream.ended_at.or(stream.ends_at) else { continue };
            let since = now.0.saturating_sub(end.0);
            let is_due = (MINUTES_AFTER_MILLIS..MINUTES_AT_MOST_MILLIS).contains(&since);
            let Some(start) = stream.starts_at.filter(|_| is_due && stream.minutes.is_empty()) else { continue };
            let minutes = self.minutes_of(cooperative.number(), code, start, end)?;
            // A stream of which nothing was sold has none to keep.
            if minutes.iter().any(|packs| *packs > 0) {
                let edit = move |automerge: &mut _| stream::keep_minutes(automerge, &minutes).map(drop);
                self.edit_by_server(cooperative, code, Box::new(edit), now)?;
            }
        }
        Ok(())
    }

    /// Packs that were sold in each minute of a stream, from its start to its end.
    fn minutes_of(
        &self,
        number: CooperativeNumber,
        code: &StreamCode,
        start: Instant,
        end: Instant,
    ) -> Result<Vec<u32>, Error> {
        let (first, last) = (start.0.div_euclid(60_000), end.0.div_euclid(60_000));
        let count = usize::try_from(last.saturating_sub(first).saturating_add(1)).unwrap_or(0).min(MINUTES_MAX);
        let mut minutes = vec![0u32; count];
        for (name, _) in rows::pools_of(self.store(), number, code.as_str())? {
            for (minute, sold) in rows::minutes(self.store(), number, &name, first)? {
                let place = usize::try_from(minute.saturating_sub(first)).ok();
                if let Some(packs) = place.and_then(|place| minutes.get_mut(place)) {
                    *packs = packs.saturating_add(u32::try_from(sold.packs).unwrap_or(u32::MAX));
                }
            }
        }
        Ok(minutes)
    }

    fn edit_by_server(
        &self,
        cooperative: &Arc<Cooperative>,
        code: &StreamCode,
        edit: Edit,
        now: Instant,
    ) -> Result<(), Error> {
        let server = Cooperative::server_device(cooperative.id());
        let edits = Edits { key: DocumentKey::Stream(code.clone()), message: None, seen: None, edits: vec![edit] };
        self.edit_as(cooperative.number(), server, now, vec![edits])
    }
}
