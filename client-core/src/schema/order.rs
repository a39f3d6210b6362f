//! An order: what a platform told of it, its lines, our own state of it, which lots it is served from, its shipment. It says nothing
//! about a person ([`super::receiver`]).
//!
//! Lines, and what is told of each, stand under names of their own at the root (`item/LINE`, `sku/LINE`, `over/LINE`), so that an
//! order that two replicas take at once is one order with all of its lines.

mod read;
mod states;
mod taken;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc};
use serde::{Deserialize, Serialize};

use super::StreamCode;
use super::case_book::Contender;
use super::server_only::Trespass;
use super::view::part;
use crate::crdt::DocumentFault;
use crate::quantities::{Fen, Grams, Instant, TextField, checked_text};

pub use read::read;
pub(crate) use read::settled;
pub use states::{AfterSale, OrderState, OrderStatus, ToldStatus};
pub use taken::{
    OrderFault, TakenLine, TakenOrder, add_lines, map_line, mark_over, over_change, set_allocation, take, taken_change,
    tell,
};

/// The most lines that an order has.
pub const LINES_MAX: usize = 100;
/// The most packs that a line has.
pub const PACKS_MAX: u32 = 999_999;

/// The longest text of a settlement, in bytes: of a longer one nothing is kept, and it can't be undone.
const SETTLED_BYTES_MAX: usize = 8_000;

/// How concurrent values of a status were settled, with what it takes to undo it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSettled {
    /// Who settled, by name; once it is undone, who undid it.
    pub by: String,
    /// When, by that person's clock.
    pub at: Instant,
    /// The chosen status.
    pub chosen: String,
    /// The status that was shown before.
    pub before: String,
    /// The values that stood there, the shown one last.
    pub values: Vec<Contender>,
    /// True once it was undone: the values can be chosen from again.
    pub undone: bool,
}

/// One line of an order as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// The platform's id for it; of an order from before lines had ids, its place from 0.
    pub line_id: String,
    /// The product's code, of an order from before there were SKUs.
    pub product: Option<String>,
    /// The SKU; none for a line that nobody has mapped yet.
    pub sku: Option<String>,
    /// True where a coordinator said which SKU it is, after the order was taken.
    pub is_mapped_later: bool,
    /// The merchant's code as the shop wrote it.
    pub code: Option<String>,
    /// The goods' name as the shop wrote it.
    pub title: Option<String>,
    /// How many packs; none of an order from before there were SKUs.
    pub packs: Option<u32>,
    /// How much, of an order from before there were SKUs. Else it is packs times the SKU's grams, which the catalogue knows.
    pub grams: Option<Grams>,
    /// What the line costs, all packs together.
    pub fen: Fen,
    /// True for a gift.
    pub is_gift: bool,
    /// What the buyer asked for afterwards.
    pub after_sale: AfterSale,
    /// When the platform knew that; none where nothing was told of it.
    pub after_sale_at: Option<Instant>,
    /// How many of the packs are above what the pool had, as the server says.
    pub over: u32,
}

impl OrderLine {
    /// True for a line of which nobody knows yet what is in it.
    pub fn is_unmapped(&self) -> bool {
        self.sku.is_none() && self.product.is_none()
    }
}

/// Goods that an order is to be served from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allocated {
    /// The holding, as the stock names it: `lot:…`, `in:…`.
    pub holding: String,
    /// How much of it.
    pub grams: Grams,
}

/// Which holdings an order is to be served from, by line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allocation(pub BTreeMap<String, Vec<Allocated>>);

impl Allocation {
    /// As the document has it: by line, each holding with its grams.
    fn to_text(&self) -> String {
        let entries = |of: &Vec<Allocated>| of.iter().map(|one| (one.holding.clone(), one.grams.get())).collect();
        let lines: BTreeMap<&String, Vec<(String, i64)>> =
            self.0.iter().map(|(line, of)| (line, entries(of))).collect();
        serde_json::to_string(&lines).unwrap_or_default()
    }

    /// Reads [`Self::to_text`].
    fn from_text(text: &str) -> Option<Self> {
        let lines: BTreeMap<String, Vec<(String, i64)>> = serde_json::from_str(text).ok()?;
        let one = |(holding, grams)| Some(Allocated { holding, grams: Grams::new(grams).ok()? });
        let line = |(line, of): (String, Vec<_>)| Some((line, of.into_iter().map(one).collect::<Option<_>>()?));
        Some(Self(lines.into_iter().map(line).collect::<Option<_>>()?))
    }
}

/// An order as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Its lines, in the order of their ids.
    pub lines: Vec<OrderLine>,
    /// Our own state of it.
    pub status: Option<OrderStatus>,
    /// What the platform says of its state; none of an order that no platform told of.
    pub told: Option<ToldStatus>,
    /// When the platform knew that.
    pub told_at: Option<Instant>,
    /// When it was placed.
    pub placed_at: Option<Instant>,
    /// When it was paid.
    pub paid_at: Option<Instant>,
    /// Until when the shop promised to ship.
    pub promised_at: Option<Instant>,
    /// What the buyer paid for all of it.
    pub total_fen: Option<Fen>,
    /// What of it is for the way.
    pub freight_fen: Option<Fen>,
    /// The channel whose packs it takes.
    pub pool: Option<String>,
    /// The live-stream that it was placed in.
    pub stream: Option<StreamCode>,
    /// Which holdings it is to be served from, as the server says.
    pub allocation: Allocation,
    /// The carrier's number, once shipped.
    pub shipment: Option<String>,
    /// How its status was settled last, while nobody has moved the order on since.
    pub settled: Option<StatusSettled>,
    /// What only the server may write and somebody else wrote: it counts for nothing.
    pub trespasses: Vec<Trespass>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

impl Order {
    /// Where it stands; none where our own state can't be read and the platform's does not say more. What was called off is called
    /// off; then the one counts that is further.
    pub fn state(&self) -> Option<OrderState> {
        let told = self.told.unwrap_or(ToldStatus::ToShip);
        match (self.status, told) {
            (Some(OrderStatus::Cancelled), _) => Some(OrderState::Cancelled),
            (_, ToldStatus::Closed) => Some(OrderState::Closed),
            (_, ToldStatus::Done) => Some(OrderState::Done),
            (_, ToldStatus::Shipped) | (Some(OrderStatus::Shipped), _) => Some(OrderState::Shipped),
            (Some(OrderStatus::Packed), _) => Some(OrderState::Packed),
            (Some(OrderStatus::Placed), _) => Some(OrderState::ToPack),
            (None, _) => None,
        }
    }

    /// What the buyer paid: the order's own sum, or that of its lines, in fen.
    pub fn fen(&self) -> i64 {
        let lines = || self.lines.iter().map(|line| line.fen.get()).fold(0, i64::saturating_add);
        self.total_fen.map_or_else(lines, Fen::get)
    }

    /// All packs of its lines.
    pub fn packs(&self) -> u64 {
        self.lines.iter().filter_map(|line| line.packs).map(u64::from).fold(0, u64::saturating_add)
    }

    /// The packs above what pools had.
    pub fn over(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.over)).fold(0, u64::saturating_add)
    }

    /// How many of its lines nobody has mapped yet.
    pub fn unmapped(&self) -> u64 {
        self.lines.iter().map(|line| u64::from(line.is_unmapped())).fold(0, u64::saturating_add)
    }

    /// True where a buyer asked for something that the shop has to decide.
    pub fn is_after_sale_asked(&self) -> bool {
        self.lines.iter().any(|line| line.after_sale == AfterSale::Asked)
    }

    /// True where the order says already what is told, and at most the told time is later: state and after-sale of each line, with no
    /// line that it has not.
    pub fn says(&self, told: &TakenOrder) -> bool {
        let has = |one: &TakenLine| {
            let known = self.lines.iter().find(|line| line.line_id == one.line_id);
            known.is_some_and(|line| line.after_sale == one.after_sale)
        };
        self.told == Some(told.told) && told.lines.iter().all(has)
    }
}

/// A line of an order that names a product by weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainLine {
    /// The product's code.
    pub product: String,
    /// How much.
    pub quantity: Grams,
    /// The price of the line.
    pub price: Fen,
}

/// Fills in a new order that no platform told of, by products and weights.
pub fn place(automerge: &mut AutoCommit, lines: &[PlainLine]) -> Result<(), DocumentFault> {
    automerge.put(ROOT, "status", OrderStatus::Placed.name())?;
    let list = part(automerge, "lines", ObjType::List).ok_or(DocumentFault::Damaged("lines"))?;
    for line in lines {
        let entry = automerge.insert_object(&list, automerge.length(&list), ObjType::Map)?;
        automerge.put(&entry, "product", checked_text(TextField::ProductCode, &line.product)?)?;
        automerge.put(&entry, "grams", line.quantity.get())?;
        automerge.put(&entry, "fen", line.price.get())?;
    }
    Ok(())
}

/// Moves an order on.
pub fn set_status(automerge: &mut AutoCommit, status: OrderStatus) -> Result<(), DocumentFault> {
    automerge.put(ROOT, "status", status.name())?;
    // What was settled before is no longer what stands here.
    if automerge.get(ROOT, "settled")?.is_some() {
        automerge.delete(ROOT, "settled")?;
    }
    Ok(())
}

/// Settles concurrent values of an order's status, which can be undone until somebody moves the order on.
pub fn settle_status(
    automerge: &mut AutoCommit,
    status: OrderStatus,
    settled: &StatusSettled,
) -> Result<(), DocumentFault> {
    set_status(automerge, status)?;
    note_settled(automerge, settled)
}

/// Undoes what was settled last: the status is the one before, and its values can be chosen from again.
pub fn undo_status(
    automerge: &mut AutoCommit,
    settled: &StatusSettled,
    by: &str,
    at: Instant,
) -> Result<(), DocumentFault> {
    let before = OrderStatus::from_name(&settled.before).ok_or(DocumentFault::Damaged("settled"))?;
    set_status(automerge, before)?;
    note_settled(automerge, &StatusSettled { by: by.to_owned(), at, undone: true, ..settled.clone() })
}

fn note_settled(automerge: &mut AutoCommit, settled: &StatusSettled) -> Result<(), DocumentFault> {
    let text = serde_json::to_string(settled).unwrap_or_default();
    if text.len() <= SETTLED_BYTES_MAX {
        automerge.put(ROOT, "settled", text)?;
    }
    Ok(())
}

/// Marks an order as shipped under the carrier's number.
pub fn ship(automerge: &mut AutoCommit, number: &str) -> Result<(), DocumentFault> {
    automerge.put(ROOT, "shipment", checked_text(TextField::Shipment, number)?)?;
    set_status(automerge, OrderStatus::Shipped)
}
