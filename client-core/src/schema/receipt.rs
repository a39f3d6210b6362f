//! The receipt book: the warehouse's receipts of a household's lots in a season. Payments follow from these, not from the
//! recorded weights.

use std::fmt;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ReadDoc, Value};

use super::key::{Document, DocumentKey};
use super::lot_id::LotId;
use super::view::{Fields, author_of, maps_in_map, operation_of, part};
use crate::crdt::DocumentFault;
use crate::ids::ActorId;
use crate::quantities::{Day, Grams, TextField, checked_text, optional_text};
use crate::words::Phrase;

/// What a receipt is called where there is none of a lot, or none that can be read.
pub(crate) const RECEIPT: Phrase = Phrase::new("receipt", "receipt", "验收");
/// Holds the receipts, by lot.
const BOOK: &str = "receipts";

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
    /// True when others were written at once, of another outcome, weight or grade.
    pub in_conflict: bool,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// What one receipt says, where it can be read. As text it is `received DAY GRAMS GRADE` or `rejected DAY REASON`, as deeds tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighing {
    /// The outcome.
    pub outcome: Outcome,
    /// When the lot came in; none when it can't be read.
    pub day: Option<Day>,
}

impl Weighing {
    /// True when both say one outcome, weight and grade. Which day, and in which words a lot was sent back, nobody has to decide.
    pub fn agrees_with(&self, other: &Self) -> bool {
        match (&self.outcome, &other.outcome) {
            (Outcome::Rejected { .. }, Outcome::Rejected { .. }) => true,
            (one, other) => one == other,
        }
    }

    /// Reads a weighing as text, which is untrusted.
    pub fn parse(text: &str) -> Result<Self, DocumentFault> {
        let unknown = || DocumentFault::NotFound { what: RECEIPT, name: text.chars().take(40).collect() };
        let mut words = text.splitn(3, ' ');
        let (state, day, rest) = (words.next(), words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let outcome = match state {
            Some("received") => {
                let (grams, grade) = rest.split_once(' ').unwrap_or((rest, ""));
                let weighed = Grams::new(grams.parse().map_err(|_| unknown())?)?;
                Outcome::Received { weighed, grade: optional_text(TextField::Grade, grade)? }
            }
            Some("rejected") => Outcome::Rejected { reason: checked_text(TextField::Reason, rest)? },
            _ => return Err(unknown()),
        };
        Ok(Self { outcome, day: if day.is_empty() { None } else { Some(day.parse()?) } })
    }
}

impl fmt::Display for Weighing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.day.map(|day| day.to_string()).unwrap_or_default();
        match &self.outcome {
            Outcome::Received { weighed, grade } if grade.is_empty() => {
                write!(formatter, "received {day} {}", weighed.get())
            }
            Outcome::Received { weighed, grade } => write!(formatter, "received {day} {} {grade}", weighed.get()),
            Outcome::Rejected { reason } => write!(formatter, "rejected {day} {reason}"),
        }
    }
}

/// Writes the receipt of a lot into its receipt book. It replaces an earlier one.
pub fn receive(automerge: &mut AutoCommit, lot: &LotId, outcome: &Outcome, day: Day) -> Result<(), DocumentFault> {
    let book = part(automerge, BOOK, ObjType::Map).ok_or(DocumentFault::Damaged(BOOK))?;
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
    let receipts = in_book(document).into_iter();
    receipts.filter_map(|(lot, _, object)| Some((lot, written_by(document.automerge(), &object)?))).collect()
}

/// All receipts of the book.
pub fn receipts(document: &Document) -> Vec<Receipt> {
    let automerge = document.automerge();
    let receipts = in_book(document).into_iter().map(|(lot, key, object)| {
        let by = author_of(automerge, &object, "grams").or_else(|| author_of(automerge, &object, "state"));
        let (outcome, day, damaged) = read(automerge, object);
        let in_conflict = !concurrent(automerge, &key).is_empty();
        Receipt { lot, outcome, day, by, in_conflict, damaged }
    });
    receipts.collect()
}

/// Receipts of one lot that can be read, the shown one last, each with the operation that wrote it.
pub(crate) type Weighings = Vec<(Weighing, ObjId)>;

/// The lots whose receipts were written at once and disagree, with all that were.
pub(crate) fn disagreeing(document: &Document) -> Vec<(LotId, Weighings)> {
    let receipts = in_book(document).into_iter();
    let found = receipts.map(|(lot, key, _)| (lot, concurrent(document.automerge(), &key)));
    found.filter(|(_, weighings)| !weighings.is_empty()).collect()
}

/// What stands in the book as the receipt of a lot; several where they were written at once, also where they agree.
pub(crate) fn weighings(document: &Document, lot: &LotId) -> Weighings {
    if *document.key() != lot.receipt_book() {
        return Vec::new();
    }
    let automerge = document.automerge();
    read_each(automerge, objects(automerge, &lot.season_name()))
}

/// The shown receipts with their lots, keys and objects.
fn in_book(document: &Document) -> Vec<(LotId, String, ObjId)> {
    let automerge = document.automerge();
    let Some(book) = part(automerge, BOOK, ObjType::Map) else { return Vec::new() };
    let DocumentKey::ReceiptBook(of) = *document.key() else { return Vec::new() };
    let receipts = maps_in_map(automerge, &book).into_iter();
    receipts
        .filter_map(|(key, object)| Some((LotId::from_season_name(of.household, of.season, &key)?, key, object)))
        .collect()
}

/// The objects under a receipt's key: one, or those that were written at once.
fn objects(automerge: &AutoCommit, key: &str) -> Vec<ObjId> {
    let values = part(automerge, BOOK, ObjType::Map).and_then(|book| automerge.get_all(&book, key).ok());
    let maps = values.into_iter().flatten().filter(|(value, _)| matches!(value, Value::Object(ObjType::Map)));
    maps.map(|(_, object)| object).collect()
}

fn read_each(automerge: &AutoCommit, objects: Vec<ObjId>) -> Weighings {
    let read_one = |object: ObjId| {
        let written_by = written_by(automerge, &object)?;
        let (outcome, day, _) = read(automerge, object);
        Some((Weighing { outcome: outcome?, day }, written_by))
    };
    objects.into_iter().filter_map(read_one).collect()
}

/// The receipts under a key where not all agree; else none. One that stands alone is not read.
fn concurrent(automerge: &AutoCommit, key: &str) -> Weighings {
    let objects = objects(automerge, key);
    if objects.len() < 2 {
        return Vec::new();
    }
    let all = read_each(automerge, objects);
    let first = all.first().map(|(weighing, _)| weighing.clone());
    let agree = first.is_none_or(|first| all.iter().all(|(weighing, _)| weighing.agrees_with(&first)));
    if agree { Vec::new() } else { all }
}

fn written_by(automerge: &AutoCommit, object: &ObjId) -> Option<ObjId> {
    operation_of(automerge, object, "grams").or_else(|| operation_of(automerge, object, "state"))
}

/// The outcome and the day of a receipt, and the fields that can't be read.
fn read(automerge: &AutoCommit, object: ObjId) -> (Option<Outcome>, Option<Day>, Vec<&'static str>) {
    let mut fields = Fields::new(automerge, object);
    let day = fields.parsed("day", |day| day.parse().ok());
    let outcome = match fields.parsed("state", |state| match state {
        "received" => Some(true),
        "rejected" => Some(false),
        _ => None,
    }) {
        Some(true) => fields
            .integer("grams", |grams| Grams::new(grams).ok())
            .map(|weighed| Outcome::Received { weighed, grade: fields.optional_text("grade").unwrap_or_default() }),
        Some(false) => fields.text("reason").map(|reason| Outcome::Rejected { reason }),
        None => None,
    };
    (outcome, day, fields.damaged())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn weighing_round_trips_as_text(grams in 1i64..1_000_000_000, grade in "[A-Z]?( [a-z]{1,3})?", reason in "[a-z 湿]{1,20}", has_day: bool) {
            let day = has_day.then(|| "2026-10-05".parse().unwrap());
            let grade = optional_text(TextField::Grade, &grade).unwrap();
            let received = Outcome::Received { weighed: Grams::new(grams).unwrap(), grade };
            let rejected = checked_text(TextField::Reason, &reason).ok().map(|reason| Outcome::Rejected { reason });
            for outcome in [Some(received), rejected].into_iter().flatten() {
                let weighing = Weighing { outcome, day };
                prop_assert_eq!(Weighing::parse(&weighing.to_string()), Ok(weighing));
            }
        }

        #[test]
        fn weighing_reads_any_text(text in ".{0,60}") {
            let _ = Weighing::parse(&text);
        }
    }
}
