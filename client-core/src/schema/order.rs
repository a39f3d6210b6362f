//! An order: its lines, its status, which lots it is served from, its shipment.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc};
use serde::{Deserialize, Serialize};

use super::case_book::Contender;
use super::key::Document;
use super::view::{Fields, maps_in_list, part};
use crate::crdt::DocumentFault;
use crate::quantities::{Fen, Grams, Instant, TextField, checked_text};

/// The status of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderStatus {
    /// It came in and is to be packed.
    Placed,
    /// It is packed.
    Packed,
    /// It is on its way.
    Shipped,
    /// The buyer or the co-operative called it off.
    Cancelled,
}

impl OrderStatus {
    /// Its name in documents and rows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Packed => "packed",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Placed, Self::Packed, Self::Shipped, Self::Cancelled].into_iter().find(|status| status.name() == name)
    }
}

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

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// The product's code.
    pub product: String,
    /// How much.
    pub quantity: Grams,
    /// The price of the line.
    pub price: Fen,
}

/// An order as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its lines.
    pub lines: Vec<OrderLine>,
    /// Its status.
    pub status: Option<OrderStatus>,
    /// The carrier's number, once shipped.
    pub shipment: Option<String>,
    /// How its status was settled last, while nobody has moved the order on since.
    pub settled: Option<StatusSettled>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// Fills in a new order.
pub fn place(automerge: &mut AutoCommit, lines: &[OrderLine]) -> Result<(), DocumentFault> {
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

/// Reads the order.
pub fn read(document: &Document) -> Order {
    let automerge = document.automerge();
    let mut fields = Fields::new(automerge, ROOT);
    let status = fields.parsed("status", OrderStatus::from_name);
    let shipment = fields.optional_text("shipment");
    let settled = fields.optional_text("settled").filter(|text| text.len() <= SETTLED_BYTES_MAX);
    let settled = settled.and_then(|text| serde_json::from_str(&text).ok());
    let mut damaged = fields.damaged();
    let entries =
        part(automerge, "lines", ObjType::List).map(|list| maps_in_list(automerge, &list)).unwrap_or_default();
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let mut fields = Fields::new(automerge, entry);
        let line = (
            fields.text("product"),
            fields.integer("grams", |grams| Grams::new(grams).ok()),
            fields.integer("fen", |fen| Fen::new(fen).ok()),
        );
        match line {
            (Some(product), Some(quantity), Some(price)) => lines.push(OrderLine { product, quantity, price }),
            _ => damaged.push("lines"),
        }
    }
    Order { lines, status, shipment, settled, damaged }
}
