//! Lines of orders of which nobody knew what they are, once somebody said it: the server goes through all of them, some in each step,
//! whenever the catalogue changed. What a step leaves the next one goes on with, and a start begins anew.

use granary_client_core::projection::{Goods, OrderCursor, OrderFilter};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::{DocumentKey, order};

use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::engine::trading::TradeContext;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

/// Orders that are gone through in one step.
const TOGETHER: u32 = 256;

impl Granary {
    /// Maps lines whose code or name the catalogue knows by now.
    pub(super) fn map_known_lines(&self, now: Instant) -> Result<(), Error> {
        for (number, after) in self.trading().take_mapping() {
            match self.map_some(number, after.clone(), now) {
                Ok(Some(next)) => self.trading().map_later(number, next),
                Ok(None) => {}
                Err(error) => {
                    self.trading().map_later(number, after);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// One step; gives from where the next one goes on, or none where nothing is left.
    fn map_some(
        &self,
        number: CooperativeNumber,
        after: Option<OrderCursor>,
        now: Instant,
    ) -> Result<Option<Option<OrderCursor>>, Error> {
        let cooperative = self.cooperative(number)?;
        // An order that was taken before the catalogue changed, and that no list has yet, would be passed over.
        if after.is_none() && !self.is_caught_up(&cooperative)? {
            return Ok(Some(None));
        }
        let context = self.trade_context(&cooperative)?;
        let filter = OrderFilter { only_unmapped: true, after, limit: TOGETHER, ..OrderFilter::default() };
        let orders = self.read_models(number)?.read(|models| models.order_page(&filter))?;
        let mut edits = Vec::new();
        for order in &orders {
            let known = order.goods.iter().filter_map(|goods| Some((goods.line.clone(), context.sku_of(goods)?)));
            let lines: Vec<(String, String)> = known.collect();
            if !lines.is_empty() {
                edits.push(Edits::one(DocumentKey::Order(order.name.clone()), move |automerge| {
                    lines.iter().try_for_each(|(line, sku)| order::map_line(automerge, line, sku))
                }));
            }
        }
        if !edits.is_empty() {
            self.edit_as(number, Cooperative::server_device(cooperative.id()), now, edits)?;
        }
        let is_full = orders.len() >= usize::try_from(TOGETHER).unwrap_or(usize::MAX);
        Ok(orders.last().filter(|_| is_full).map(|last| Some(OrderCursor::of(last))))
    }
}

impl TradeContext {
    /// The SKU of a line that was not mapped: by its code, or by its name where the shop gave it no code.
    fn sku_of(&self, goods: &Goods) -> Option<String> {
        let found = match (&goods.code, &goods.title) {
            _ if !goods.is_unmapped() => None,
            (Some(code), _) => self.skus.of_code(code),
            (None, Some(title)) => self.skus.of_name(title),
            (None, None) => None,
        };
        found.map(str::to_owned)
    }
}
