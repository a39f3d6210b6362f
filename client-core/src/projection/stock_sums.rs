//! The sums of what orders take, kept as their rows are written: stock for whoever plans and grants all day costs the same however many
//! orders wait. Which orders they are is in [`super::stock_rows`]. Triggers keep the sums, so that whatever writes or deletes an order's
//! rows changes them in the same transaction.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Transaction, params};

use super::ReadModel;
use super::read_model::parse_or_report;
use super::stock_rows::{each_order, goods_of};
use crate::schema::sku::Sku;
use crate::schema::{DocumentKey, HoldingId, OrderName};
use crate::store::StoreFault;
use crate::trade::{Facts, OrderGoods, SoldLine};

/// `product` and `grams` are those of a line by weight, which has no SKU.
pub(super) const TABLES: &str = "
    CREATE TABLE planned_goods (
        document BLOB NOT NULL, holding TEXT NOT NULL, grams INTEGER NOT NULL,
        PRIMARY KEY (document, holding)) WITHOUT ROWID;
    CREATE INDEX planned_by_holding ON planned_goods (holding, document);
    CREATE TABLE sold_lines (
        document BLOB NOT NULL, line INTEGER NOT NULL, sku TEXT NOT NULL, packs INTEGER NOT NULL, product TEXT NOT NULL,
        grams INTEGER NOT NULL, planned INTEGER NOT NULL,
        PRIMARY KEY (document, line)) WITHOUT ROWID;
    CREATE INDEX sold_by_what ON sold_lines (sku, packs, product, grams, planned, document);
    CREATE TABLE planned_sums (holding TEXT PRIMARY KEY, grams INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE packed_sums (holding TEXT PRIMARY KEY, grams INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE sold_sums (
        sku TEXT NOT NULL, packs INTEGER NOT NULL, product TEXT NOT NULL, grams INTEGER NOT NULL, planned INTEGER NOT NULL,
        lines INTEGER NOT NULL,
        PRIMARY KEY (sku, packs, product, grams, planned)) WITHOUT ROWID;
    CREATE TRIGGER planned_more AFTER INSERT ON planned_goods BEGIN
        INSERT INTO planned_sums VALUES (new.holding, new.grams)
            ON CONFLICT (holding) DO UPDATE SET grams = grams + excluded.grams;
    END;
    CREATE TRIGGER planned_less AFTER DELETE ON planned_goods BEGIN
        UPDATE planned_sums SET grams = grams - old.grams WHERE holding = old.holding;
        DELETE FROM planned_sums WHERE holding = old.holding AND grams = 0;
    END;
    CREATE TRIGGER packed_more AFTER INSERT ON packed_goods BEGIN
        INSERT INTO packed_sums VALUES (new.holding, new.grams)
            ON CONFLICT (holding) DO UPDATE SET grams = grams + excluded.grams;
    END;
    CREATE TRIGGER packed_less AFTER DELETE ON packed_goods BEGIN
        UPDATE packed_sums SET grams = grams - old.grams WHERE holding = old.holding;
        DELETE FROM packed_sums WHERE holding = old.holding AND grams = 0;
    END;
    CREATE TRIGGER sold_more AFTER INSERT ON sold_lines BEGIN
        INSERT INTO sold_sums VALUES (new.sku, new.packs, new.product, new.grams, new.planned, 1)
            ON CONFLICT (sku, packs, product, grams, planned) DO UPDATE SET lines = lines + 1;
    END;
    CREATE TRIGGER sold_less AFTER DELETE ON sold_lines BEGIN
        UPDATE sold_sums SET lines = lines - 1 WHERE (sku, packs, product, grams, planned)
            = (old.sku, old.packs, old.product, old.grams, old.planned);
        DELETE FROM sold_sums WHERE (sku, packs, product, grams, planned)
            = (old.sku, old.packs, old.product, old.grams, old.planned) AND lines = 0;
    END;";

/// The tables with rows of documents.
pub(super) const BY_DOCUMENT: [&str; 2] = ["planned_goods", "sold_lines"];

/// Writes what an order that waits takes, whose rows of before are gone.
pub(super) fn write_open(transaction: &Transaction<'_>, key: &[u8], goods: &OrderGoods) -> Result<(), StoreFault> {
    let mut insert = transaction.prepare_cached("INSERT INTO planned_goods VALUES (?1, ?2, ?3)")?;
    for (holding, grams) in goods.planned() {
        insert.execute(params![key, holding.to_string(), grams])?;
    }
    let mut insert = transaction.prepare_cached("INSERT INTO sold_lines VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
    for (place, line) in goods.sold_lines().enumerate() {
        let (product, grams) = line.by_weight.unwrap_or_default();
        let sku = line.sku.unwrap_or_default();
        let place = i64::try_from(place).unwrap_or(i64::MAX);
        insert.execute(params![key, place, sku, line.packs, product, grams, line.planned])?;
    }
    Ok(())
}

fn sold_line(row: &rusqlite::Row<'_>) -> Result<SoldLine, rusqlite::Error> {
    let (sku, product): (String, String) = (row.get("sku")?, row.get("product")?);
    let grams = row.get("grams")?;
    Ok(SoldLine {
        sku: (!sku.is_empty()).then_some(sku),
        packs: row.get("packs")?,
        by_weight: (!product.is_empty()).then_some((product, grams)),
        planned: row.get("planned")?,
    })
}

fn less<K: Ord>(sums: &mut BTreeMap<K, i64>, key: K, grams: i64) {
    if let Some(sum) = sums.get_mut(&key) {
        *sum = sum.saturating_sub(grams);
        if *sum == 0 {
            sums.remove(&key);
        }
    }
}

impl ReadModel {
    /// What stock follows from, with sums in the place of the orders: the same holdings follow from it, and what disagrees names no
    /// orders. What these orders take is left out.
    pub fn stock_sums(&self, skus: &BTreeMap<String, Sku>, without: &BTreeSet<OrderName>) -> Result<Facts, StoreFault> {
        // All of it is of one moment.
        let _moment = self.connection.unchecked_transaction()?;
        let mut facts = self.facts_of_goods()?;
        each_order(&self.connection, "SELECT document, said FROM order_goods WHERE is_odd = 1", |name, goods| {
            facts.add_order(name, &goods, skus);
        })?;
        let mut statement = self.connection.prepare_cached("SELECT holding, grams FROM planned_sums")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let holding: String = row.get(0)?;
            if let Some(id) = parse_or_report("planned_sums", "holding", &holding, |holding| holding.parse().ok()) {
                facts.planned.insert(id, row.get(1)?);
            }
        }
        let mut statement = self.connection.prepare_cached("SELECT * FROM sold_sums")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (line, lines): (_, i64) = (sold_line(row)?, row.get("lines")?);
            if let Some((product, grade, grams)) = line.unplanned(skus) {
                let sum = facts.sold.entry((product, grade)).or_default();
                *sum = sum.saturating_add(grams.saturating_mul(lines));
            }
        }
        for name in without {
            if facts.orders.remove(name).is_some() {
                continue;
            }
            let mut said = self.connection.prepare_cached("SELECT said FROM order_goods WHERE document = ?1")?;
            let key = DocumentKey::Order(name.clone()).to_bytes();
            let said: Option<String> = said.query_row(params![key], |row| row.get(0)).optional()?;
            let Some(goods) = said.and_then(|said| goods_of(&said)) else { continue };
            goods.planned().into_iter().for_each(|(holding, grams)| less(&mut facts.planned, holding, grams));
            for (product, grade, grams) in goods.sold_lines().filter_map(|line| line.unplanned(skus)) {
                less(&mut facts.sold, (product, grade), grams);
            }
        }
        Ok(facts)
    }

    /// The orders that wait and whose plan lacks something, or has a holding that is not right. What stands in `odd` is looked at by
    /// whoever has its facts.
    pub fn orders_to_plan(
        &self,
        skus: &BTreeMap<String, Sku>,
        is_right: impl Fn(&HoldingId) -> bool,
    ) -> Result<BTreeSet<OrderName>, StoreFault> {
        let _moment = self.connection.unchecked_transaction()?;
        let mut found = BTreeSet::new();
        let mut add = |key: Vec<u8>| {
            if let Ok(DocumentKey::Order(name)) = DocumentKey::from_bytes(&key) {
                found.insert(name);
            }
        };
        let mut sums = self.connection.prepare_cached("SELECT * FROM sold_sums")?;
        let mut of_lines = self.connection.prepare_cached(
            "SELECT document FROM sold_lines WHERE (sku, packs, product, grams, planned) = (?1, ?2, ?3, ?4, ?5)",
        )?;
        let mut rows = sums.query([])?;
        while let Some(row) = rows.next()? {
            let line = sold_line(row)?;
            if line.unplanned(skus).is_none() {
                continue;
            }
            let (product, grams) = line.by_weight.unwrap_or_default();
            let what = params![line.sku.unwrap_or_default(), line.packs, product, grams, line.planned];
            for key in of_lines.query_map(what, |row| row.get(0))? {
                add(key?);
            }
        }
        let mut holdings = self.connection.prepare_cached("SELECT holding FROM planned_sums")?;
        let mut of_holding = self.connection.prepare_cached("SELECT document FROM planned_goods WHERE holding = ?1")?;
        for holding in holdings.query_map([], |row| row.get::<_, String>(0))? {
            let holding = holding?;
            if holding.parse().is_ok_and(|id| is_right(&id)) {
                continue;
            }
            for key in of_holding.query_map(params![holding], |row| row.get(0))? {
                add(key?);
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
