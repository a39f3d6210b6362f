//! What stock follows from, as rows: what each stock book and order says. Lots and receipts have rows of their own. Stock itself is
//! derived from these when it is asked for, which loads no document.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use super::read_model::{parse_or_report, report_unreadable};
use super::{ReadModel, stock_sums};
use crate::ids::DeviceId;
use crate::schema::sku::Sku;
use crate::schema::{Document, DocumentKey, HoldingId, LotId, OrderName, StockMonth, order, stock_book};
use crate::store::StoreFault;
use crate::trade::{Facts, Holding, OrderGoods, ReceivedLot, Stock, derive};

pub(super) const TABLES: &str = "
    CREATE TABLE stock_books (document BLOB PRIMARY KEY, said TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE order_goods (document BLOB PRIMARY KEY, said TEXT NOT NULL, is_odd INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX odd_orders ON order_goods (document) WHERE is_odd = 1;
    CREATE TABLE packed_goods (
        document BLOB NOT NULL, holding TEXT NOT NULL, grams INTEGER NOT NULL,
        PRIMARY KEY (document, holding)) WITHOUT ROWID;
    CREATE INDEX packed_by_holding ON packed_goods (holding, grams, document);";

/// Writes what a stock book says.
pub(super) fn write_book(
    transaction: &Transaction<'_>,
    document: &Document,
    server: DeviceId,
) -> Result<(), StoreFault> {
    let said = serde_json::to_string(&stock_book::read(document, server)).unwrap_or_default();
    transaction
        .prepare_cached("INSERT OR REPLACE INTO stock_books VALUES (?1, ?2)")?
        .execute(params![document.key().to_bytes(), said])?;
    Ok(())
}

/// Writes what an order says of goods.
pub(super) fn write_order(
    transaction: &Transaction<'_>,
    document: &Document,
    server: DeviceId,
) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    for table in ["order_goods", "packed_goods"].into_iter().chain(stock_sums::BY_DOCUMENT) {
        transaction.prepare_cached(&format!("DELETE FROM {table} WHERE document = ?1"))?.execute(params![key])?;
    }
    let Some(goods) = OrderGoods::of(&order::read(document, server)) else { return Ok(()) };
    // Of orders that are packed there are more and more: their sums are enough, until somebody asks which they were.
    if let Some(takes) = goods.only_packed() {
        let mut insert = transaction.prepare_cached("INSERT INTO packed_goods VALUES (?1, ?2, ?3)")?;
        for (holding, grams) in takes {
            insert.execute(params![key, holding.to_string(), grams])?;
        }
        return Ok(());
    }
    let said = serde_json::to_string(&goods).unwrap_or_default();
    let is_odd = goods.is_odd();
    transaction.prepare_cached("INSERT INTO order_goods VALUES (?1, ?2, ?3)")?.execute(params![key, said, is_odd])?;
    if is_odd { Ok(()) } else { stock_sums::write_open(transaction, &key, &goods) }
}

/// What an order's row says.
pub(super) fn goods_of(said: &str) -> Option<OrderGoods> {
    parse_or_report("order_goods", "said", said, |said| serde_json::from_str(said).ok())
}

/// Reads orders' rows.
pub(super) fn each_order(
    connection: &Connection,
    select: &str,
    mut each: impl FnMut(OrderName, OrderGoods),
) -> Result<(), StoreFault> {
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (key, said): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
        if let (Ok(DocumentKey::Order(name)), Some(goods)) = (DocumentKey::from_bytes(&key), goods_of(&said)) {
            each(name, goods);
        }
    }
    Ok(())
}

fn month_of(key: &[u8]) -> Option<StockMonth> {
    match DocumentKey::from_bytes(key) {
        Ok(DocumentKey::StockBook(month)) => Some(month),
        _ => None,
    }
}

fn lot_of(book: &[u8], lot: &str) -> Option<LotId> {
    LotId::in_book(&DocumentKey::from_bytes(book).ok()?, lot.parse().ok()?)
}

/// A received lot, and the receipts of lots that no harvest book has any more.
const RECEIVED: &str = "
    SELECT document, lot, product, grade, weighed, weighed_grade, weighed_day, merged FROM lots
    WHERE state = 'received' AND weighed IS NOT NULL
    UNION ALL
    SELECT book, lot, '', '', grams, grade, day, NULL FROM receipts
    WHERE state = 'received' AND grams IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM lots WHERE lots.document = receipts.book AND lots.lot = receipts.lot)";

impl ReadModel {
    /// What stock follows from, as far as rows are here. What is in a pack, the catalogue says.
    pub fn stock_facts(&self, skus: &BTreeMap<String, Sku>) -> Result<Facts, StoreFault> {
        let mut facts = self.facts_of_goods()?;
        each_order(&self.connection, "SELECT document, said FROM order_goods", |name, goods| {
            facts.add_order(name, &goods, skus);
        })?;
        Ok(facts)
    }

    /// What stock follows from beside the orders that wait.
    pub(super) fn facts_of_goods(&self) -> Result<Facts, StoreFault> {
        let mut facts = Facts::default();
        let mut statement = self.connection.prepare_cached(RECEIVED)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (book, lot): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
            let (recorded, weighed_grade): (String, String) = (row.get(3)?, row.get(5)?);
            let (day, merged): (Option<String>, Option<String>) = (row.get(6)?, row.get(7)?);
            let Some(id) = lot_of(&book, &lot) else {
                report_unreadable("lots", "lot", &lot);
                continue;
            };
            let received = ReceivedLot {
                product: row.get(2)?,
                grade: if weighed_grade.is_empty() { recorded } else { weighed_grade },
                grams: row.get(4)?,
                day: day.and_then(|day| parse_or_report("lots", "weighed_day", &day, |day| day.parse().ok())),
                merged_into: merged.and_then(|into| lot_of(&book, &into)),
            };
            facts.lots.insert(id, received);
        }
        let mut statement = self.connection.prepare_cached("SELECT document, said FROM stock_books")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (key, said): (Vec<u8>, String) = (row.get(0)?, row.get(1)?);
            let book = parse_or_report("stock_books", "said", &said, |said| serde_json::from_str(said).ok());
            if let (Some(month), Some(book)) = (month_of(&key), book) {
                facts.add_book(&month, book);
            }
        }
        let mut statement = self.connection.prepare_cached("SELECT holding, grams FROM packed_sums")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let holding: String = row.get(0)?;
            if let Some(id) = parse_or_report("packed_sums", "holding", &holding, |holding| holding.parse().ok()) {
                facts.packed.insert(id, row.get(1)?);
            }
        }
        Ok(facts)
    }

    /// Names the orders that were packed from a holding, of which [`Self::stock_facts`] gives the sum alone.
    pub fn name_packed(&self, facts: &mut Facts, holding: &HoldingId) -> Result<(), StoreFault> {
        if facts.packed.remove(holding).is_none() {
            return Ok(());
        }
        let mut statement =
            self.connection.prepare_cached("SELECT document, grams FROM packed_goods WHERE holding = ?1")?;
        let mut rows = statement.query(params![holding.to_string()])?;
        while let Some(row) = rows.next()? {
            let key: Vec<u8> = row.get(0)?;
            if let Ok(DocumentKey::Order(name)) = DocumentKey::from_bytes(&key) {
                facts.add_packed(name, holding.clone(), row.get(1)?);
            }
        }
        Ok(())
    }

    /// The stock that follows from the rows. Where a holding is below nothing, all that took from it is named.
    pub fn stock(&self, skus: &BTreeMap<String, Sku>) -> Result<Stock, StoreFault> {
        let mut facts = self.stock_facts(skus)?;
        let stock = derive(&facts);
        let below =
            |(id, holding): (&HoldingId, &Holding)| (holding.on_hand() < 0 || !holding.is_known).then(|| id.clone());
        let below: Vec<HoldingId> = stock.holdings.iter().filter_map(below).collect();
        if below.iter().all(|holding| !facts.packed.contains_key(holding)) {
            return Ok(stock);
        }
        below.iter().try_for_each(|holding| self.name_packed(&mut facts, holding))?;
        Ok(derive(&facts))
    }
}

#[cfg(test)]
pub(super) mod tests;
