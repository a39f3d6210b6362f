//! What stock follows from, of the lists in memory.

use std::collections::BTreeMap;

use super::MemoryLists;
use crate::ids::DeviceId;
use crate::projection::LotState;
use crate::schema::sku::Sku;
use crate::schema::{Document, DocumentKey, HoldingId, LotId, order};
use crate::store::StoreFault;
use crate::trade::{Facts, OrderGoods, ReceivedLot, Stock, derive};

impl MemoryLists {
    pub(super) fn write_order_goods(&mut self, document: &Document) {
        let key = document.key().clone();
        match OrderGoods::of(&order::read(document, self.server.unwrap_or(DeviceId::NOBODY))) {
            Some(goods) => drop(self.order_goods.insert(key, goods)),
            None => drop(self.order_goods.remove(&key)),
        }
    }

    /// As [`crate::projection::ReadModel::stock`].
    pub fn stock(&self, skus: &BTreeMap<String, Sku>) -> Result<Stock, StoreFault> {
        Ok(derive(&self.stock_facts(skus)?))
    }

    /// As [`crate::projection::ReadModel::name_packed`]: all orders are named here.
    pub fn name_packed(&self, _: &mut Facts, _: &HoldingId) -> Result<(), StoreFault> {
        Ok(())
    }

    /// As [`crate::projection::ReadModel::stock_facts`].
    pub fn stock_facts(&self, skus: &BTreeMap<String, Sku>) -> Result<Facts, StoreFault> {
        let mut facts = Facts::default();
        for (lot, weighed) in self.receipts.values().flatten() {
            let (LotState::Received, Some(grams)) = (weighed.state, weighed.grams) else { continue };
            let row = self.lots.get(&lot.book()).and_then(|lots| lots.get(lot.key()));
            let recorded = row.map(|row| row.grade.clone()).unwrap_or_default();
            let received = ReceivedLot {
                product: row.map(|row| row.product.clone()).unwrap_or_default(),
                grade: if weighed.grade.is_empty() { recorded } else { weighed.grade.clone() },
                grams,
                day: weighed.day,
                merged_into: row.and_then(|row| row.merged_into.clone()),
            };
            facts.lots.insert(LotId::clone(lot), received);
        }
        for (key, book) in &self.stock_books {
            if let DocumentKey::StockBook(month) = key {
                facts.add_book(month, book.clone());
            }
        }
        for (key, goods) in &self.order_goods {
            if let DocumentKey::Order(name) = key {
                facts.add_order(name.clone(), goods, skus);
            }
        }
        Ok(facts)
    }
}
