//! Orders in lists, and what a list of them asks for: the same on a phone without SQLite.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::conflicts::{self, Contender};
use crate::ids::DeviceId;
use crate::quantities::{Grams, Instant};
use crate::schema::order::{self, AfterSale, OrderState, OrderStatus, StatusSettled, ToldStatus};
use crate::schema::{Document, OrderName};

/// Orders of a page where nobody says how many.
pub(super) const PAGE: u32 = 60;

/// An order in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    /// Where it came from.
    pub name: OrderName,
    /// Who gets it and where it goes, in short; empty where it was forgotten.
    pub receiver: String,
    /// Our own state of it; none when damaged.
    pub status: Option<OrderStatus>,
    /// Where it stands, of what the platform told and of our own state; none when damaged.
    pub state: Option<OrderState>,
    /// What the platform says of its state; none of an order that no platform told of.
    pub told: Option<ToldStatus>,
    /// When the platform knew that.
    pub told_at: Option<Instant>,
    /// When it was placed.
    pub placed_at: Option<Instant>,
    /// Until when the shop promised to ship.
    pub promised_at: Option<Instant>,
    /// The channel whose packs it takes; empty for none.
    pub pool: String,
    /// The code of the live-stream that it was placed in; empty for none.
    pub stream: String,
    /// The carrier's number; empty before shipping.
    pub shipment: String,
    /// The weight of lines that name one, in grams; that of packs follows from the catalogue.
    pub grams: i64,
    /// What the buyer paid, in fen.
    pub fen: i64,
    /// All packs of its lines.
    pub packs: u64,
    /// The packs above what pools had.
    pub over: u64,
    /// How many of its lines nobody has mapped yet.
    pub unmapped: u64,
    /// True where a buyer asked for something that the shop has to decide.
    pub is_after_sale_asked: bool,
    /// True where somebody wrote what only the server may write; it counts for nothing.
    pub is_trespassed: bool,
    /// True where a field of it can't be read.
    pub is_damaged: bool,
    /// What is in it, line by line.
    pub goods: Vec<Goods>,
    /// The products' codes of lines that name products, with commas between.
    pub products: String,
    /// The concurrent values of its status, the shown one last; empty when there is one value.
    pub contenders: Vec<Contender>,
    /// How its status was settled, where that can be undone or was undone.
    pub settled: Option<StatusSettled>,
    /// What of it was paid back.
    pub refunds: Vec<Refund>,
}

/// Money of a line that went back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refund {
    /// When the platform knew it.
    pub at: Instant,
    /// How much; none of a part of the line, since it is not told how much that was.
    pub fen: Option<i64>,
    /// The packs of the line.
    pub packs: u64,
}

/// A line of an order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    /// The line's id.
    pub line: String,
    /// The SKU; none for a line of a product, or one that nobody has mapped yet.
    pub sku: Option<String>,
    /// The product's code, of a line from before there were SKUs.
    pub product: Option<String>,
    /// The code as the shop wrote it.
    pub code: Option<String>,
    /// The name as the shop wrote it.
    pub title: Option<String>,
    /// How many packs.
    pub packs: Option<u32>,
    /// How many of them are above what the pool had.
    pub over: u32,
}

impl Goods {
    /// True for a line of which nobody knows yet what is in it.
    pub fn is_unmapped(&self) -> bool {
        self.sku.is_none() && self.product.is_none()
    }
}

/// A line that nobody has mapped yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnmappedLine {
    /// The order.
    pub order: OrderName,
    /// The line's id.
    pub line: String,
    /// The code as the shop wrote it; empty for none.
    pub code: String,
    /// The name as the shop wrote it; empty for none.
    pub title: String,
}

/// Which orders, in which part of the list. The latest placed come first; those without a time come last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    /// Only of this platform.
    pub platform: Option<String>,
    /// Only of this shop; empty for the shop without a name.
    pub shop: Option<String>,
    /// Only those that stand here.
    pub state: Option<OrderState>,
    /// Only those that take packs of this channel.
    pub pool: Option<String>,
    /// Only those that were placed in this live-stream.
    pub stream: Option<String>,
    /// Only those with packs above what pools had.
    pub only_over: bool,
    /// Only those with a line that nobody has mapped yet.
    pub only_unmapped: bool,
    /// Only those where a buyer asked for something that the shop has to decide.
    pub only_after_sale: bool,
    /// Only those whose status has concurrent values.
    pub only_disagreeing: bool,
    /// Only those where somebody wrote what only the server may write.
    pub only_trespassed: bool,
    /// Only those that were promised before this moment and are still here, to be packed or packed.
    pub late_at: Option<Instant>,
    /// Only those with this text in the platform's id.
    pub search: Option<String>,
    /// Only those behind this one in the list.
    pub after: Option<OrderCursor>,
    /// How many; 0 for as many as a page has.
    pub limit: u32,
}

impl OrderFilter {
    pub(super) fn passes(&self, row: &OrderRow) -> bool {
        fn fits(wanted: Option<&String>, value: &str) -> bool {
            wanted.is_none_or(|wanted| wanted == value)
        }
        let is_here = matches!(row.state, Some(OrderState::ToPack | OrderState::Packed));
        let is_late = |at: Instant| is_here && row.promised_at.is_some_and(|promised| promised < at);
        fits(self.platform.as_ref(), &row.name.platform)
            && fits(self.shop.as_ref(), &row.name.shop)
            && fits(self.pool.as_ref(), &row.pool)
            && fits(self.stream.as_ref(), &row.stream)
            && self.state.is_none_or(|state| row.state == Some(state))
            && (!self.only_over || row.over > 0)
            && (!self.only_unmapped || row.unmapped > 0)
            && (!self.only_after_sale || row.is_after_sale_asked)
            && (!self.only_disagreeing || !row.contenders.is_empty())
            && (!self.only_trespassed || row.is_trespassed)
            && self.late_at.is_none_or(is_late)
            && self.searched().is_none_or(|text| row.name.outside_id.contains(text))
    }

    pub(super) fn searched(&self) -> Option<&str> {
        self.search.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }

    pub(super) fn page(&self) -> u32 {
        if self.limit == 0 { PAGE } else { self.limit }
    }
}

/// Where a page of orders ends: the next one goes on behind it, whatever came or went meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCursor {
    /// When the last order was placed, in milliseconds; 0 for one without a time.
    pub(super) placed: i64,
    /// Its name.
    pub(super) name: OrderName,
}

impl OrderCursor {
    /// The place of this order in the list.
    pub fn of(row: &OrderRow) -> Self {
        Self { placed: placed(row.placed_at), name: row.name.clone() }
    }

    /// What the list is sorted by.
    pub(super) fn rank(&self) -> (std::cmp::Reverse<i64>, &str, &str, &str) {
        let OrderName { platform, shop, outside_id } = &self.name;
        (std::cmp::Reverse(self.placed), platform, shop, outside_id)
    }
}

/// For an address: `1790000000000/douyin/6912`.
impl fmt::Display for OrderCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.placed, self.name)
    }
}

/// A text names no place in a list of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such place in the list of orders")]
pub struct OrderCursorFault;

impl FromStr for OrderCursor {
    type Err = OrderCursorFault;

    fn from_str(text: &str) -> Result<Self, OrderCursorFault> {
        let (placed, name) = text.split_once('/').ok_or(OrderCursorFault)?;
        let cursor = Self {
            placed: placed.parse().map_err(|_| OrderCursorFault)?,
            name: name.parse().map_err(|_| OrderCursorFault)?,
        };
        Some(cursor).filter(|cursor| cursor.to_string() == text).ok_or(OrderCursorFault)
    }
}

/// How many orders there are of each kind that a list can show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderCounts {
    /// By where they stand.
    pub by_state: BTreeMap<OrderState, u64>,
    /// All of them, also those of which it can't be read where they stand.
    pub all: u64,
    /// With packs above what pools had.
    pub over: u64,
    /// With a line that nobody has mapped yet.
    pub unmapped: u64,
    /// Where a buyer asked for something that the shop has to decide.
    pub after_sale: u64,
    /// Promised before the given moment and still here.
    pub late: u64,
    /// Whose status has concurrent values.
    pub disagreeing: u64,
    /// Where somebody wrote what only the server may write.
    pub trespassed: u64,
}

/// A time as lists are sorted by it.
pub(super) fn placed(at: Option<Instant>) -> i64 {
    at.map_or(0, |at| at.0)
}

/// An order's row, without its receiver.
pub(super) fn row_of(document: &mut Document, name: &OrderName, server: DeviceId) -> OrderRow {
    let order = order::read(document, server);
    let products: Vec<&str> = order.lines.iter().filter_map(|line| line.product.as_deref()).collect();
    let goods = order.lines.iter().map(|line| Goods {
        line: line.line_id.clone(),
        sku: line.sku.clone(),
        product: line.product.clone(),
        code: line.code.clone(),
        title: line.title.clone(),
        packs: line.packs,
        over: line.over,
    });
    OrderRow {
        name: name.clone(),
        receiver: String::new(),
        status: order.status,
        state: order.state(),
        told: order.told,
        told_at: order.told_at,
        placed_at: order.placed_at,
        promised_at: order.promised_at,
        pool: order.pool.clone().unwrap_or_default(),
        stream: order.stream.as_ref().map(ToString::to_string).unwrap_or_default(),
        grams: order.lines.iter().filter_map(|line| line.grams).map(Grams::get).fold(0, i64::saturating_add),
        fen: order.fen(),
        packs: order.packs(),
        over: order.over(),
        unmapped: order.unmapped(),
        is_after_sale_asked: order.is_after_sale_asked(),
        is_trespassed: !order.trespasses.is_empty(),
        is_damaged: !order.damaged.is_empty(),
        goods: goods.collect(),
        products: products.join(", "),
        contenders: conflicts::in_order(document),
        refunds: refunds(&order),
        shipment: order.shipment.unwrap_or_default(),
        settled: order.settled,
    }
}

/// What was paid back of an order's lines.
fn refunds(order: &order::Order) -> Vec<Refund> {
    let refund = |line: &order::OrderLine| {
        let fen = match line.after_sale {
            AfterSale::Refunded => Some(line.fen.get()),
            AfterSale::PartRefunded => None,
            AfterSale::None | AfterSale::Asked => return None,
        };
        let at = line.after_sale_at.or(order.told_at).or(order.placed_at).unwrap_or(Instant(0));
        Some(Refund { at, fen, packs: line.packs.map_or(0, u64::from) })
    };
    order.lines.iter().filter_map(refund).collect()
}

/// The lines of a row that nobody has mapped yet.
pub(super) fn unmapped_of(row: &OrderRow) -> Vec<UnmappedLine> {
    let line = |goods: &Goods| UnmappedLine {
        order: row.name.clone(),
        line: goods.line.clone(),
        code: goods.code.clone().unwrap_or_default(),
        title: goods.title.clone().unwrap_or_default(),
    };
    row.goods.iter().filter(|goods| goods.is_unmapped()).map(line).collect()
}
