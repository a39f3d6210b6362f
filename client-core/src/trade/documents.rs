//! Facts from the documents themselves, as whoever checks what was derived from rows needs them.

use std::collections::BTreeMap;

use super::facts::{Facts, ReceivedLot};
use super::orders::OrderGoods;
use crate::ids::DeviceId;
use crate::schema::harvest::Lot;
use crate::schema::receipt::{Outcome, Receipt};
use crate::schema::sku::Sku;
use crate::schema::{Document, DocumentKey, LotId, OrderName, harvest, order, receipt, stock_book};

/// What documents say of goods, added one by one in any order.
#[derive(Debug)]
pub struct FactsOfDocuments {
    server: DeviceId,
    facts: Facts,
    lots: BTreeMap<LotId, Lot>,
    receipts: Vec<Receipt>,
    orders: BTreeMap<OrderName, OrderGoods>,
}

impl FactsOfDocuments {
    /// Nothing yet. What only the server decides counts where this device wrote it.
    pub fn new(server: DeviceId) -> Self {
        Self { server, facts: Facts::default(), lots: BTreeMap::new(), receipts: Vec::new(), orders: BTreeMap::new() }
    }

    /// Adds what a document says; most kinds say nothing of goods.
    pub fn add(&mut self, document: &Document) {
        match document.key() {
            DocumentKey::HarvestBook(_) => {
                for lot in harvest::lots(document) {
                    if let Some(id) = LotId::in_book(document.key(), lot.key.clone()) {
                        self.lots.insert(id, lot);
                    }
                }
            }
            DocumentKey::ReceiptBook(_) => self.receipts.extend(receipt::receipts(document)),
            DocumentKey::StockBook(month) => self.facts.add_book(month, stock_book::read(document, self.server)),
            DocumentKey::Order(name) => {
                if let Some(goods) = OrderGoods::of(&order::read(document, self.server)) {
                    self.orders.insert(name.clone(), goods);
                }
            }
            _ => {}
        }
    }

    /// All that they say. What is in a pack, the catalogue says.
    pub fn facts(self, skus: &BTreeMap<String, Sku>) -> Facts {
        let Self { mut facts, lots, receipts, orders, .. } = self;
        for receipt in receipts {
            let Some(Outcome::Received { weighed, grade }) = receipt.outcome else { continue };
            let lot = lots.get(&receipt.lot);
            let recorded = lot.and_then(|lot| lot.grade.clone()).unwrap_or_default();
            let merged = lot.and_then(|lot| lot.merged_into.clone());
            let received = ReceivedLot {
                product: lot.and_then(|lot| lot.product.clone()).unwrap_or_default(),
                grade: if grade.is_empty() { recorded } else { grade },
                grams: weighed.get(),
                day: receipt.day,
                merged_into: merged.and_then(|into| LotId::in_book(&receipt.lot.book(), into)),
            };
            facts.lots.insert(receipt.lot, received);
        }
        for (name, goods) in &orders {
            facts.add_order(name.clone(), goods, skus);
        }
        facts
    }
}
