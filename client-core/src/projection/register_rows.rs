//! Writes the rows of households and orders, and lists orders.

use rusqlite::{Transaction, params, params_from_iter, types::Value};

use super::ReadModel;
use super::read_model::read_contenders;
use crate::conflicts::{self, Contender};
use crate::ids::{DeviceId, HouseholdId};
use crate::quantities::Grams;
use crate::schema::access::ListedHousehold;
use crate::schema::order::{OrderStatus, StatusSettled};
use crate::schema::{Document, DocumentKey, OrderName, household, order, receiver};
use crate::store::StoreFault;

/// An order in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    /// Where it came from.
    pub name: OrderName,
    /// Who gets it and where it goes, in short; empty where it was forgotten.
    pub receiver: String,
    /// Its status; none when damaged.
    pub status: Option<OrderStatus>,
    /// The carrier's number; empty before shipping.
    pub shipment: String,
    /// Its weight, in grams.
    pub grams: i64,
    /// Its price, in fen.
    pub fen: i64,
    /// The products' codes, with commas between.
    pub products: String,
    /// The concurrent values of its status, the shown one last; empty when there is one value.
    pub contenders: Vec<Contender>,
    /// How its status was settled, where that can be undone or was undone.
    pub settled: Option<StatusSettled>,
}

pub(super) fn write_household(
    transaction: &Transaction<'_>,
    document: &Document,
    id: HouseholdId,
) -> Result<(), StoreFault> {
    let household = household::read(document);
    transaction.prepare_cached("INSERT OR REPLACE INTO households VALUES (?1,?2,?3,?4,?5,?6)")?.execute(params![
        id.as_bytes(),
        document.key().to_bytes(),
        household.name.unwrap_or_default(),
        household.village.unwrap_or_default(),
        household.payment.unwrap_or_default(),
        household.members.join(", "),
    ])?;
    Ok(())
}

pub(super) fn write_order(
    transaction: &Transaction<'_>,
    document: &mut Document,
    name: &OrderName,
    server: DeviceId,
) -> Result<(), StoreFault> {
    let order = order::read(document, server);
    let contenders = serde_json::to_string(&conflicts::in_order(document)).unwrap_or_default();
    let grams = order.lines.iter().filter_map(|line| line.grams).map(Grams::get).fold(0, i64::saturating_add);
    let fen = order.fen();
    let products: Vec<&str> = order.lines.iter().filter_map(|line| line.product.as_deref()).collect();
    transaction.prepare_cached("INSERT OR REPLACE INTO orders VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")?.execute(
        params![
            document.key().to_bytes(),
            name.platform,
            name.shop,
            name.outside_id,
            order.status.map(OrderStatus::name).unwrap_or_default(),
            order.shipment.unwrap_or_default(),
            grams,
            fen,
            products.join(", "),
            contenders,
            order.settled.map(|settled| serde_json::to_string(&settled).unwrap_or_default()).unwrap_or_default(),
        ],
    )?;
    Ok(())
}

pub(super) fn write_receiver(
    transaction: &Transaction<'_>,
    document: &Document,
    name: &OrderName,
) -> Result<(), StoreFault> {
    transaction.prepare_cached("INSERT OR REPLACE INTO receivers VALUES (?1,?2,?3,?4,?5)")?.execute(params![
        name.platform,
        name.shop,
        name.outside_id,
        document.key().to_bytes(),
        receiver::read(document).in_short(),
    ])?;
    Ok(())
}

const ORDERS: &str =
    "SELECT platform, shop, outside_id, coalesce(receiver, ''), status, shipment, grams, fen, products, contenders, settled
     FROM orders LEFT JOIN receivers USING (platform, shop, outside_id)";

/// The order that a row's first three columns name.
fn name_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<OrderName> {
    Ok(OrderName { platform: row.get(0)?, shop: row.get(1)?, outside_id: row.get(2)? })
}

/// Reads a row of [`ORDERS`].
fn order_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<OrderRow> {
    let (status, contenders, settled): (String, String, String) = (row.get(4)?, row.get(9)?, row.get(10)?);
    Ok(OrderRow {
        name: name_of(row)?,
        receiver: row.get(3)?,
        status: OrderStatus::from_name(&status),
        shipment: row.get(5)?,
        grams: row.get(6)?,
        fen: row.get(7)?,
        products: row.get(8)?,
        contenders: read_contenders("orders", &contenders),
        settled: serde_json::from_str(&settled).ok(),
    })
}

impl ReadModel {
    /// Names the households of which no particulars are here: those that a recorder's phone was told of, and no others. Nothing is
    /// left of a name that went.
    pub fn write_listed(&mut self, listed: &[ListedHousehold]) -> Result<(), StoreFault> {
        const LISTED: &str = "document NOT IN (SELECT document FROM documents)";
        let transaction = self.connection.transaction()?;
        let mut known = {
            let mut statement = transaction
                .prepare_cached(&format!("SELECT household, name, village FROM households WHERE {LISTED}"))?;
            let rows = statement.query_map([], |row| {
                let household = HouseholdId::from_bytes(row.get(0)?);
                Ok(ListedHousehold { household, name: row.get(1)?, village: row.get(2)? })
            })?;
            rows.collect::<Result<Vec<_>, _>>()?
        };
        let mut wanted = listed.to_vec();
        known.sort();
        wanted.sort();
        if known == wanted {
            return Ok(());
        }
        transaction.execute(&format!("DELETE FROM households WHERE {LISTED}"), [])?;
        for ListedHousehold { household, name, village } in listed {
            let document = DocumentKey::Household(*household).to_bytes();
            transaction
                .prepare_cached("INSERT OR IGNORE INTO households VALUES (?1,?2,?3,?4,'','')")?
                .execute(params![household.as_bytes(), document, name, village])?;
        }
        transaction.commit()?;
        if known.is_empty() { Ok(()) } else { self.scrub() }
    }

    /// Orders in this state, or only those whose status has concurrent values; the dearest first.
    pub fn orders(
        &self,
        status: Option<OrderStatus>,
        only_conflicts: bool,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<OrderRow>, StoreFault> {
        let mut conditions = vec!["1"];
        let mut values = Vec::new();
        if let Some(status) = status {
            conditions.push("status = ?");
            values.push(Value::Text(status.name().into()));
        }
        if only_conflicts {
            conditions.push("contenders <> '[]'");
        }
        values.extend([Value::Integer(i64::from(limit)), Value::Integer(i64::from(offset))]);
        let mut statement = self.connection.prepare_cached(&format!(
            "{ORDERS} WHERE {} ORDER BY fen DESC, platform, shop, outside_id LIMIT ? OFFSET ?",
            conditions.join(" AND ")
        ))?;
        let rows = statement.query_map(params_from_iter(values), order_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Orders whose status was settled and not moved on since, the latest first.
    pub fn settled_orders(&self, limit: u32) -> Result<Vec<OrderRow>, StoreFault> {
        let mut statement = self.connection.prepare_cached(&format!("{ORDERS} WHERE settled <> ''"))?;
        let mut rows = statement.query_map([], order_row)?.collect::<Result<Vec<_>, _>>()?;
        rows.retain(|row| row.settled.as_ref().is_some_and(|settled| !settled.undone));
        rows.sort_by_key(|row| std::cmp::Reverse(row.settled.as_ref().map(|settled| settled.at)));
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(rows)
    }

    /// Orders with this text in their number, the dearest first.
    pub fn orders_numbered(&self, text: &str, limit: u32) -> Result<Vec<OrderName>, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT platform, shop, outside_id FROM orders WHERE instr(outside_id, ?1) > 0 ORDER BY fen DESC LIMIT ?2",
        )?;
        let rows = statement.query_map(params![text, limit], name_of)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many orders stand in several states at once.
    pub fn count_disagreeing_orders(&self) -> Result<u64, StoreFault> {
        let sql = "SELECT count(*) FROM orders WHERE contenders <> '[]'";
        let count: i64 = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many orders are in this state, or there are.
    pub fn count_orders(&self, status: Option<OrderStatus>) -> Result<u64, StoreFault> {
        let sql = "SELECT count(*) FROM orders WHERE ?1 IS NULL OR status = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let count: i64 = statement.query_row(params![status.map(OrderStatus::name)], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
