//! What orders are read by: the catalogue's SKUs, and the streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use granary_client_core::schema::order::TakenOrder;
use granary_client_core::schema::stream::{self, Stream};
use granary_client_core::schema::{DocumentKey, Part, StreamCode, catalogue};

use super::told::{Mode, ToldOrder};
use crate::engine::Granary;
use crate::engine::trading::TradeContext;
use crate::error::Error;
use crate::log::Cooperative;

impl Granary {
    /// What orders of this co-operative are read by.
    pub(crate) fn trade_context(&self, cooperative: &Cooperative) -> Result<Arc<TradeContext>, Error> {
        let number = cooperative.number();
        self.trading().context(number, || {
            let parts = self.parts(number, &DocumentKey::Catalogue(Part::FIRST))?;
            let catalogue = catalogue::read_parts(&parts);
            let skus = catalogue.sku_index();
            let server = Cooperative::server_device(cooperative.id());
            let mut streams = BTreeMap::new();
            for code in cooperative.streams() {
                if let Some(document) = self.document(number, &DocumentKey::Stream(code.clone()))? {
                    streams.insert(code, stream::read(&document, server));
                }
            }
            Ok(TradeContext { catalogue, skus, streams })
        })
    }
}

impl TradeContext {
    /// The order with the SKU of each line, and with the stream that it belongs to: the one that it names, else one of the same
    /// shop that was on when it was placed. Fails with field and code where an asked order has a line of no SKU.
    pub(super) fn place(&self, mut told: ToldOrder) -> Result<ToldOrder, (&'static str, &'static str)> {
        for line in &mut told.order.lines {
            let named = line.sku.take();
            let known = |code: &String| self.skus.of_code(code).map(str::to_owned);
            line.sku = named.as_ref().and_then(known).or_else(|| line.code.as_ref().and_then(known)).or_else(|| {
                // By its name only where the shop gave it no code.
                let title = line.title.as_deref().filter(|_| line.code.is_none())?;
                self.skus.of_name(title).map(str::to_owned)
            });
            if line.sku.is_none() {
                if told.mode == Mode::Ask {
                    return Err(("sku", "sku-unknown"));
                }
                // What the shop called it is what it can be mapped by.
                line.code = line.code.take().or(named);
            }
        }
        if told.order.stream.is_none() {
            told.order.stream = match told.order.pool.parse().ok().filter(|code| self.streams.contains_key(code)) {
                Some(named) => Some(named),
                None => self.stream_of(&told.name.platform, &told.name.shop, &told.order),
            };
        }
        if let Some(stream) = &told.order.stream {
            told.order.pool = stream.as_str().to_owned();
        }
        Ok(told)
    }

    /// The stream of this shop that was on when an order was placed and offers one of its SKUs.
    fn stream_of(&self, platform: &str, shop: &str, order: &TakenOrder) -> Option<StreamCode> {
        let offers = |stream: &Stream| {
            order.lines.iter().filter_map(|line| line.sku.as_deref()).any(|sku| stream.offers.contains_key(sku))
        };
        let was_on = |stream: &Stream| {
            let began = stream.starts_at.is_some_and(|starts| starts <= order.placed_at);
            let ended = stream.ended_at.or(stream.ends_at);
            began && ended.is_some_and(|ends| order.placed_at < ends)
        };
        let is_of = |stream: &Stream| stream.platform.as_deref() == Some(platform) && stream.shop == shop;
        let mut found = self.streams.iter().filter(|(_, stream)| is_of(stream) && was_on(stream) && offers(stream));
        // Of two that were on at once nobody can tell which it was.
        let (code, _) = found.next()?;
        found.next().is_none().then(|| code.clone())
    }
}
