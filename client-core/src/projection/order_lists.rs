//! Writes the rows of orders and receivers, and lists orders.

use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params, params_from_iter};

use super::ReadModel;
use super::order_rows::{Goods, OrderCounts, OrderFilter, OrderRow, UnmappedLine, placed, row_of};
use super::read_model::{parse_or_report, read_contenders};
use crate::ids::DeviceId;
use crate::quantities::Instant;
use crate::schema::order::{OrderState, OrderStatus, ToldStatus};
use crate::schema::{Document, OrderName, receiver};
use crate::store::StoreFault;

pub(super) const TABLES: &str = "
    CREATE TABLE orders (
        document BLOB PRIMARY KEY, platform TEXT NOT NULL, shop TEXT NOT NULL, outside_id TEXT NOT NULL,
        status TEXT NOT NULL, state TEXT NOT NULL, told TEXT NOT NULL, told_at INTEGER, placed INTEGER NOT NULL,
        promised INTEGER, pool TEXT NOT NULL, stream TEXT NOT NULL, shipment TEXT NOT NULL, grams INTEGER NOT NULL,
        fen INTEGER NOT NULL, packs INTEGER NOT NULL, over_packs INTEGER NOT NULL, unmapped INTEGER NOT NULL,
        after_sale INTEGER NOT NULL, trespassed INTEGER NOT NULL, damaged INTEGER NOT NULL, goods TEXT NOT NULL,
        products TEXT NOT NULL, contenders TEXT NOT NULL, settled TEXT NOT NULL, refunds TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX orders_by_time ON orders (placed DESC, platform, shop, outside_id);
    CREATE INDEX orders_by_state ON orders (state, placed DESC, platform, shop, outside_id);
    CREATE INDEX orders_by_status ON orders (status);
    CREATE INDEX orders_over ON orders (placed DESC) WHERE over_packs > 0;
    CREATE INDEX orders_unmapped ON orders (placed DESC) WHERE unmapped > 0;
    CREATE INDEX orders_by_stream ON orders (stream, placed DESC) WHERE stream <> '';
    CREATE TABLE receivers (
        platform TEXT NOT NULL, shop TEXT NOT NULL, outside_id TEXT NOT NULL, document BLOB NOT NULL,
        receiver TEXT NOT NULL,
        PRIMARY KEY (platform, shop, outside_id)) WITHOUT ROWID;";

pub(super) fn write_order(
    transaction: &Transaction<'_>,
    document: &mut Document,
    name: &OrderName,
    server: DeviceId,
) -> Result<(), StoreFault> {
    let row = row_of(document, name, server);
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO orders VALUES
             (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26)",
        )?
        .execute(params![
            document.key().to_bytes(),
            name.platform,
            name.shop,
            name.outside_id,
            row.status.map(OrderStatus::name).unwrap_or_default(),
            row.state.map(OrderState::name).unwrap_or_default(),
            row.told.map(ToldStatus::name).unwrap_or_default(),
            row.told_at.map(|at| at.0),
            placed(row.placed_at),
            row.promised_at.map(|at| at.0),
            row.pool,
            row.stream,
            row.shipment,
            row.grams,
            row.fen,
            number(row.packs),
            number(row.over),
            number(row.unmapped),
            row.is_after_sale_asked,
            row.is_trespassed,
            row.is_damaged,
            serde_json::to_string(&row.goods).unwrap_or_default(),
            row.products,
            serde_json::to_string(&row.contenders).unwrap_or_default(),
            row.settled.map(|settled| serde_json::to_string(&settled).unwrap_or_default()).unwrap_or_default(),
            serde_json::to_string(&row.refunds).unwrap_or_default(),
        ])?;
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

const ORDERS: &str = "SELECT platform, shop, outside_id, coalesce(receiver, ''), status, state, told, told_at, placed,
        promised, pool, stream, shipment, grams, fen, packs, over_packs, unmapped, after_sale, trespassed, damaged, goods,
        products, contenders, settled, refunds
     FROM orders LEFT JOIN receivers USING (platform, shop, outside_id)";

/// The order that a row's first three columns name.
fn name_of(row: &Row<'_>) -> rusqlite::Result<OrderName> {
    Ok(OrderName { platform: row.get(0)?, shop: row.get(1)?, outside_id: row.get(2)? })
}

/// Reads a row of [`ORDERS`].
fn order_row(row: &Row<'_>) -> rusqlite::Result<OrderRow> {
    let text = |column| row.get::<_, String>(column);
    let moment = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Instant));
    let count = |column| Ok::<_, rusqlite::Error>(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0));
    Ok(OrderRow {
        name: name_of(row)?,
        receiver: text(3)?,
        status: OrderStatus::from_name(&text(4)?),
        state: OrderState::from_name(&text(5)?),
        told: ToldStatus::from_name(&text(6)?),
        told_at: moment(7)?,
        placed_at: moment(8)?.filter(|at| at.0 != 0),
        promised_at: moment(9)?,
        pool: text(10)?,
        stream: text(11)?,
        shipment: text(12)?,
        grams: row.get(13)?,
        fen: row.get(14)?,
        packs: count(15)?,
        over: count(16)?,
        unmapped: count(17)?,
        is_after_sale_asked: row.get(18)?,
        is_trespassed: row.get(19)?,
        is_damaged: row.get(20)?,
        goods: goods_of(&text(21)?),
        products: text(22)?,
        contenders: read_contenders("orders", &text(23)?),
        settled: serde_json::from_str(&text(24)?).ok(),
        refunds: super::stream_sums::refunds_of(&text(25)?),
    })
}

fn goods_of(text: &str) -> Vec<Goods> {
    parse_or_report("orders", "goods", text, |text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The conditions of a filter but for its place in the list, and their values.
fn conditions(filter: &OrderFilter) -> (Vec<&'static str>, Vec<Value>) {
    let (mut conditions, mut values) = (vec!["1"], Vec::new());
    let texts = [
        ("platform = ?", filter.platform.as_deref()),
        ("shop = ?", filter.shop.as_deref()),
        ("state = ?", filter.state.map(OrderState::name)),
        ("pool = ?", filter.pool.as_deref()),
        ("stream = ?", filter.stream.as_deref()),
        ("instr(outside_id, ?) > 0", filter.searched()),
    ];
    for (condition, value) in texts {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(Value::Text(value.to_owned()));
        }
    }
    let truths = [
        ("over_packs > 0", filter.only_over),
        ("unmapped > 0", filter.only_unmapped),
        ("after_sale = 1", filter.only_after_sale),
        ("contenders <> '[]'", filter.only_disagreeing),
        ("trespassed = 1", filter.only_trespassed),
    ];
    conditions.extend(truths.into_iter().filter(|(_, holds)| *holds).map(|(condition, _)| condition));
    if let Some(at) = filter.late_at {
        conditions.push("state IN ('to-pack', 'packed') AND promised < ?");
        values.push(Value::Integer(at.0));
    }
    (conditions, values)
}

impl ReadModel {
    /// A page of orders: those that pass the filter, the latest placed first.
    pub fn order_page(&self, filter: &OrderFilter) -> Result<Vec<OrderRow>, StoreFault> {
        let (mut conditions, mut values) = conditions(filter);
        if let Some(after) = &filter.after {
            conditions.push("placed <= ? AND (placed < ? OR (platform, shop, outside_id) > (?, ?, ?))");
            values.extend([Value::Integer(after.placed), Value::Integer(after.placed)]);
            let OrderName { platform, shop, outside_id } = after.name.clone();
            values.extend([platform, shop, outside_id].map(Value::Text));
        }
        values.push(Value::Integer(i64::from(filter.page())));
        let mut statement = self.connection.prepare_cached(&format!(
            "{ORDERS} WHERE {} ORDER BY placed DESC, platform, shop, outside_id LIMIT ?",
            conditions.join(" AND ")
        ))?;
        let rows = statement.query_map(params_from_iter(values), order_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many orders pass the filter, on all pages.
    pub fn count_order_page(&self, filter: &OrderFilter) -> Result<u64, StoreFault> {
        let (conditions, values) = conditions(filter);
        let sql = format!("SELECT count(*) FROM orders WHERE {}", conditions.join(" AND "));
        let count: i64 = self.connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many orders there are of each kind; late are those that were promised before this moment and are still here.
    pub fn order_counts(&self, late_at: Instant) -> Result<OrderCounts, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT state, count(*), sum(over_packs > 0), sum(unmapped > 0), sum(after_sale),
                 sum(coalesce(promised < ?1, 0)), sum(contenders <> '[]'), sum(trespassed)
             FROM orders GROUP BY state",
        )?;
        let mut counts = OrderCounts::default();
        let mut rows = statement.query(params![late_at.0])?;
        while let Some(row) = rows.next()? {
            let count = |column| Ok::<_, StoreFault>(u64::try_from(row.get::<_, i64>(column)?).unwrap_or(0));
            let state = OrderState::from_name(&row.get::<_, String>(0)?);
            counts.all = counts.all.saturating_add(count(1)?);
            counts.over = counts.over.saturating_add(count(2)?);
            counts.unmapped = counts.unmapped.saturating_add(count(3)?);
            counts.after_sale = counts.after_sale.saturating_add(count(4)?);
            if matches!(state, Some(OrderState::ToPack | OrderState::Packed)) {
                counts.late = counts.late.saturating_add(count(5)?);
            }
            counts.disagreeing = counts.disagreeing.saturating_add(count(6)?);
            counts.trespassed = counts.trespassed.saturating_add(count(7)?);
            if let Some(state) = state {
                counts.by_state.insert(state, count(1)?);
            }
        }
        Ok(counts)
    }

    /// The platforms and shops that orders came from.
    pub fn order_shops(&self) -> Result<Vec<(String, String)>, StoreFault> {
        let sql = "SELECT DISTINCT platform, shop FROM orders ORDER BY platform, shop";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Lines that nobody has mapped yet, of the latest orders first; at most those of this many orders.
    pub fn unmapped_lines(&self, orders: u32) -> Result<Vec<UnmappedLine>, StoreFault> {
        let filter = OrderFilter { only_unmapped: true, limit: orders.max(1), ..OrderFilter::default() };
        Ok(self.order_page(&filter)?.iter().flat_map(super::order_rows::unmapped_of).collect())
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
