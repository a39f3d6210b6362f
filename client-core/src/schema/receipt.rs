//! The receipt book: the warehouse's receipts of a household's lots in a season. Payments follow from these, not from the
//! recorded weights.

#[cfg(feature = "sqlite")]
use automerge::ObjId;
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType};

use super::key::{Document, DocumentKey};
use super::lot_id::LotId;
#[cfg(feature = "sqlite")]
use super::view::operation_of;
use super::view::{Fields, author_of, maps_in_map, part};
use crate::crdt::DocumentFault;
use crate::ids::ActorId;
use crate::quantities::{Day, Grams, TextField, checked_text};

/// The outcome of a weighing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The lot was accepted, with this weight and grade.
    Received {
        /// As weighed.
        weighed: Grams,
        /// As judged by the warehouse; empty for none.
        grade: String,
    },
    /// The lot was sent back.
    Rejected {
        /// Why, for the household.
        reason: String,
    },
}

/// The warehouse's receipt of one lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The lot in the household's harvest book.
    pub lot: LotId,
    /// The outcome; none when it can't be read.
    pub outcome: Option<Outcome>,
    /// When the lot came in.
    pub day: Option<Day>,
    /// Who wrote it last.
    pub by: Option<ActorId>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// Writes the receipt of a lot into its receipt book. It replaces an earlier one.
pub fn receive(automerge: &mut AutoCommit, lot: &LotId, outcome: &Outcome, day: Day) -> Result<(), DocumentFault> {
    let book = part(automerge, "receipts", ObjType::Map).ok_or(DocumentFault::Damaged("receipts"))?;
    let receipt = automerge.put_object(&book, lot.season_name(), ObjType::Map)?;
    automerge.put(&receipt, "day", day.to_string())?;
    match outcome {
        Outcome::Received { weighed, grade } => {
            automerge.put(&receipt, "state", "received")?;
            automerge.put(&receipt, "grams", weighed.get())?;
            if !grade.trim().is_empty() {
                automerge.put(&receipt, "grade", checked_text(TextField::Grade, grade)?)?;
            }
        }
        Outcome::Rejected { reason } => {
            automerge.put(&receipt, "state", "rejected")?;
            automerge.put(&receipt, "reason", checked_text(TextField::Reason, reason)?)?;
        }
    }
    Ok(())
}

/// The operation that wrote each receipt's weight last; of one that was sent back, its outcome.
#[cfg(feature = "sqlite")]
pub(crate) fn operations(document: &Document) -> Vec<(LotId, ObjId)> {
    let automerge = document.automerge();
    let Some(book) = part(automerge, "receipts", ObjType::Map) else { return Vec::new() };
    let DocumentKey::ReceiptBook(of) = *document.key() else { return Vec::new() };
    let receipts = maps_in_map(automerge, &book).into_iter();
    receipts
        .filter_map(|(key, object)| {
            let wrote = |field| operation_of(automerge, &object, field);
            let lot = LotId::from_season_name(of.household, of.season, &key)?;
            Some((lot, wrote("grams").or_else(|| wrote("state"))?))
        })
        .collect()
}

/// All receipts of the book.
pub fn receipts(document: &Document) -> Vec<Receipt> {
    let automerge = document.automerge();
    let Some(book) = part(automerge, "receipts", ObjType::Map) else { return Vec::new() };
    let DocumentKey::ReceiptBook(of) = *document.key() else { return Vec::new() };
    maps_in_map(automerge, &book)
        .into_iter()
        .filter_map(|(key, object)| {
            let lot = LotId::from_season_name(of.household, of.season, &key)?;
            let by = author_of(automerge, &object, "grams").or_else(|| author_of(automerge, &object, "state"));
            let mut fields = Fields::new(automerge, object);
            let day = fields.parsed("day", |day| day.parse().ok());
            let outcome = match fields.parsed("state", |state| match state {
                "received" => Some(true),
                "rejected" => Some(false),
                _ => None,
            }) {
                Some(true) => fields.integer("grams", |grams| Grams::new(grams).ok()).map(|weighed| {
                    Outcome::Received { weighed, grade: fields.optional_text("grade").unwrap_or_default() }
                }),
                Some(false) => fields.text("reason").map(|reason| Outcome::Rejected { reason }),
                None => None,
            };
            Some(Receipt { lot, outcome, day, by, damaged: fields.damaged() })
        })
        .collect()
}
