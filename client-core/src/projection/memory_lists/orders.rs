//! The lists of orders in memory.

use super::MemoryLists;
use crate::ids::DeviceId;
use crate::projection::order_rows::{
    OrderCounts, OrderCursor, OrderFilter, OrderRow, UnmappedLine, row_of, unmapped_of,
};
use crate::quantities::Instant;
use crate::schema::order::OrderState;
use crate::schema::{Document, OrderName, receiver};
use crate::store::StoreFault;

impl MemoryLists {
    pub(super) fn write_order(&mut self, document: &mut Document, name: &OrderName) {
        let server = self.server.unwrap_or(DeviceId::NOBODY);
        self.orders.insert(name.clone(), row_of(document, name, server));
    }

    pub(super) fn write_receiver(&mut self, document: &Document, name: &OrderName) {
        self.receivers.insert(name.clone(), receiver::read(document).in_short());
    }

    fn passing_orders<'a>(&'a self, filter: &'a OrderFilter) -> impl Iterator<Item = &'a OrderRow> {
        self.orders.values().filter(|row| filter.passes(row))
    }

    /// A page of orders: those that pass the filter, the latest placed first.
    pub fn order_page(&self, filter: &OrderFilter) -> Result<Vec<OrderRow>, StoreFault> {
        let mut found: Vec<(OrderCursor, &OrderRow)> =
            self.passing_orders(filter).map(|row| (OrderCursor::of(row), row)).collect();
        found.retain(|(place, _)| filter.after.as_ref().is_none_or(|after| place.rank() > after.rank()));
        found.sort_by(|(one, _), (other, _)| one.rank().cmp(&other.rank()));
        found.truncate(usize::try_from(filter.page()).unwrap_or(usize::MAX));
        let shown = |row: &OrderRow| OrderRow {
            receiver: self.receivers.get(&row.name).cloned().unwrap_or_default(),
            ..row.clone()
        };
        Ok(found.into_iter().map(|(_, row)| shown(row)).collect())
    }

    /// How many orders pass the filter, on all pages.
    pub fn count_order_page(&self, filter: &OrderFilter) -> Result<u64, StoreFault> {
        Ok(u64::try_from(self.passing_orders(filter).count()).unwrap_or(u64::MAX))
    }

    /// How many orders there are of each kind; late are those that were promised before this moment and are still here.
    pub fn order_counts(&self, late_at: Instant) -> Result<OrderCounts, StoreFault> {
        let count = |filter: OrderFilter| self.count_order_page(&filter);
        let all = OrderFilter::default;
        let mut counts = OrderCounts {
            all: count(all())?,
            over: count(OrderFilter { only_over: true, ..all() })?,
            unmapped: count(OrderFilter { only_unmapped: true, ..all() })?,
            after_sale: count(OrderFilter { only_after_sale: true, ..all() })?,
            late: count(OrderFilter { late_at: Some(late_at), ..all() })?,
            disagreeing: count(OrderFilter { only_disagreeing: true, ..all() })?,
            trespassed: count(OrderFilter { only_trespassed: true, ..all() })?,
            ..OrderCounts::default()
        };
        for state in OrderState::ALL {
            let number = count(OrderFilter { state: Some(state), ..all() })?;
            if number > 0 {
                counts.by_state.insert(state, number);
            }
        }
        Ok(counts)
    }

    /// The platforms and shops that orders came from.
    pub fn order_shops(&self) -> Result<Vec<(String, String)>, StoreFault> {
        let shops = self.orders.keys().map(|name| (name.platform.clone(), name.shop.clone()));
        Ok(shops.collect::<std::collections::BTreeSet<_>>().into_iter().collect())
    }

    /// Lines that nobody has mapped yet, of the latest orders first; at most those of this many orders.
    pub fn unmapped_lines(&self, orders: u32) -> Result<Vec<UnmappedLine>, StoreFault> {
        let filter = OrderFilter { only_unmapped: true, limit: orders.max(1), ..OrderFilter::default() };
        Ok(self.order_page(&filter)?.iter().flat_map(unmapped_of).collect())
    }
}
