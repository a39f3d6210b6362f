//! Settlements: one edit of the book that a case is about, and a decision in the case book with its author and its undo. When two people
//! settle concurrently, one value wins on every replica. Both changes have the message [`SETTLING`], so the case stays
//! closed and the other person is told.

use automerge::AutoCommit;

use super::fields::values_of;
use super::{CaseId, receipts};
use crate::crdt::DocumentFault;
use crate::quantities::{Grams, Instant};
use crate::schema::case_book::{Contender, Decision, DecisionKind, Restore};
use crate::schema::harvest::{self, LotEdit, LotKey};
use crate::schema::{Document, LotId};
use crate::words::Phrase;

/// The message of a change that settles.
pub const SETTLING: &str = "settle";
/// The message of a change that undoes a settlement.
pub const UNDOING: &str = "undo";
/// The field of a lot that says into which other one it was merged.
const MERGED: &str = "merged";
/// Names a whole receipt among the fields of a lot.
pub(super) const RECEIPT: &str = "receipt";

/// An edit of a document.
pub type Edit = Box<dyn FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + Send>;

/// Who settles, when, and their note.
#[derive(Debug, Clone, Copy)]
pub struct Settler<'a> {
    /// The person's name.
    pub by: &'a str,
    /// When, by their clock.
    pub at: Instant,
    /// Their note; empty for none.
    pub note: &'a str,
}

/// An edit of the case's book ([`CaseId::book`]), to be made with the message [`SETTLING`], and the decision for the case book.
pub struct Settlement {
    /// Edits the case's book.
    pub edit: Edit,
    /// Goes into the case book.
    pub decision: Decision,
}

fn lot_in(book: &Document, lot: &LotKey) -> Result<harvest::Lot, DocumentFault> {
    harvest::lot(book, lot).ok_or_else(|| DocumentFault::NotFound { what: harvest::LOT, name: lot.to_string() })
}

/// The key of a lot that is of this book. One of another book may have the same key.
fn key_in<'a>(book: &Document, lot: &'a LotId) -> Result<&'a LotKey, DocumentFault> {
    let not_here = || DocumentFault::NotFound { what: harvest::LOT, name: lot.to_string() };
    (lot.book() == *book.key()).then(|| lot.key()).ok_or_else(not_here)
}

/// Writes `value` into a field, as the answer to a case.
pub fn settle_field(
    book: &Document,
    case: &CaseId,
    field: &str,
    value: &str,
    settler: Settler<'_>,
) -> Result<Settlement, DocumentFault> {
    let lot = key_in(book, case.lot())?.clone();
    let edit = LotEdit::parse(field, value)?;
    let (name, chosen) = edit.as_text();
    let value = lot_in(book, &lot)?.field(name);
    let restore = vec![Restore { lot: lot.clone(), field: name.into(), value, written: None }];
    Ok(Settlement {
        edit: Box::new(move |doc| harvest::settle(doc, &lot, &edit)),
        decision: decision(case, DecisionKind::Settled, chosen, settler, restore),
    })
}

/// Merges two lots: `keep` stays, with `grams` where given, and `other` no longer counts.
pub fn merge(
    book: &Document,
    case: &CaseId,
    keep: &LotId,
    other: &LotId,
    grams: Option<Grams>,
    settler: Settler<'_>,
) -> Result<Settlement, DocumentFault> {
    if keep == other {
        return Err(DocumentFault::NotNow(Phrase::new(
            "merge-into-itself",
            "a lot can't be merged into itself",
            "一批不能与自己合并",
        )));
    }
    let chosen = keep.season_name();
    let (keep, other) = (key_in(book, keep)?, key_in(book, other)?);
    let kept = lot_in(book, keep)?;
    if kept.merged_into.is_some() {
        return Err(DocumentFault::NotNow(Phrase::new(
            "merged-already",
            "the lot to keep was itself merged into another one",
            "要保留的一批已经并入另一批",
        )));
    }
    lot_in(book, other)?;
    let mut restore = vec![Restore { lot: other.clone(), field: MERGED.into(), value: String::new(), written: None }];
    if let Some(grams) = grams {
        let (value, written) = (kept.field("grams"), Some(grams.get().to_string()));
        restore.push(Restore { lot: keep.clone(), field: "grams".into(), value, written });
    }
    let (keep, other) = (keep.clone(), other.clone());
    Ok(Settlement {
        edit: Box::new(move |doc| {
            harvest::set_merged(doc, &other, Some(&keep))?;
            match grams {
                Some(grams) => harvest::correct(doc, &keep, &LotEdit::Quantity(grams)),
                None => Ok(()),
            }
        }),
        decision: decision(case, DecisionKind::Settled, chosen, settler, restore),
    })
}

/// What undoing a decision does to the book.
pub struct Undoing {
    /// Puts back what stands as it was decided; the edit is to be made with the message [`UNDOING`].
    pub settlement: Settlement,
    /// How many values it puts back.
    pub put_back: usize,
    /// What somebody wrote since, which stays as it is.
    pub left: Vec<WrittenSince>,
}

/// A field that a decision wrote, and that somebody wrote since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenSince {
    /// The lot; none where it is not in the book any more.
    pub lot: Option<LotId>,
    /// The field; `merged` for which lot counts, `receipt` for what the warehouse says.
    pub field: String,
    /// What stands there now, the shown one last; empty for nothing.
    pub values: Vec<Contender>,
}

/// Restores the values before a decision, and opens the case again, with the values that stood in it. What somebody wrote since
/// stays: only what stands as it was decided is put back.
pub fn undo(
    book: &mut Document,
    case: &CaseId,
    undone: &Decision,
    settler: Settler<'_>,
) -> Result<Undoing, DocumentFault> {
    if undone.kind != Some(DecisionKind::Settled) && undone.kind != Some(DecisionKind::Left) {
        return Err(DocumentFault::NotNow(Phrase::new(
            "undone-already",
            "this was undone already",
            "这件事已经撤销过了",
        )));
    }
    let PutBack { edit, put_back, left } = match case {
        CaseId::Receipt(lot) => receipts::put_back(book, lot, undone, settler)?,
        _ => put_back(book, case, undone)?,
    };
    let decision = Decision {
        kind: Some(DecisionKind::Undone),
        by: settler.by.to_owned(),
        at: settler.at,
        note: settler.note.to_owned(),
        restore: vec![],
        group: String::new(),
        ..undone.clone()
    };
    Ok(Undoing { settlement: Settlement { edit, decision }, put_back, left })
}

/// An edit that puts back values, how many, and what it leaves.
pub(super) struct PutBack {
    pub(super) edit: Edit,
    pub(super) put_back: usize,
    pub(super) left: Vec<WrittenSince>,
}

impl PutBack {
    pub(super) fn nothing() -> Self {
        Self { edit: Box::new(|_| Ok(())), put_back: 0, left: Vec::new() }
    }
}

/// What puts back the fields of lots that stand as they were decided.
fn put_back(book: &mut Document, case: &CaseId, undone: &Decision) -> Result<PutBack, DocumentFault> {
    let (mut edits, mut left) = (Vec::new(), Vec::new());
    for restore in &undone.restore {
        let values = values_of(book, &restore.lot, &restore.field);
        let stands = match (written_by(case, undone, restore), values.as_slice()) {
            (Some(written), [_, ..]) => values.iter().all(|value| value.value == written),
            _ => false,
        };
        if !stands {
            let lot = harvest::lot(book, &restore.lot).and_then(|lot| LotId::in_book(book.key(), lot.key));
            left.push(WrittenSince { lot, field: restore.field.clone(), values });
            continue;
        }
        let edit = match restore.field.as_str() {
            MERGED => None,
            field => Some(LotEdit::parse(field, &restore.value)?),
        };
        edits.push((restore.lot.clone(), edit));
    }
    let put_back = edits.len();
    let edit: Edit = Box::new(move |doc| {
        for (lot, edit) in &edits {
            match edit {
                // Also where the old value is the one that was chosen: the history tells of the undoing.
                Some(edit) => harvest::settle(doc, lot, edit)?,
                None => harvest::set_merged(doc, lot, None)?,
            }
        }
        Ok(())
    });
    Ok(PutBack { edit, put_back, left })
}

/// What a decision wrote into a field; none where it does not say so.
fn written_by(case: &CaseId, decision: &Decision, restore: &Restore) -> Option<String> {
    match (case, restore.field.as_str()) {
        (CaseId::Twice(first, second), MERGED) => {
            let kept = [first, second].into_iter().find(|lot| lot.season_name() == decision.chosen)?;
            Some(kept.key().to_string())
        }
        (CaseId::Twice(..), _) => restore.written.clone(),
        _ => Some(decision.chosen.clone()),
    }
}

/// Leaves a case as it is, with a note.
pub fn leave(case: &CaseId, settler: Settler<'_>) -> Decision {
    decision(case, DecisionKind::Left, String::new(), settler, Vec::new())
}

/// The name in the case book under which somebody has looked at an unusual lot. It is no case.
pub fn unusual_name(lot: &LotId) -> String {
    format!("{UNUSUAL}{}", lot.season_name())
}

/// Begins the names of looks at unusual lots.
pub(crate) const UNUSUAL: &str = "unusual/";

/// An unusual lot was looked at and is right, with these figures.
pub fn found_right(lot: &LotId, figures: String, settler: Settler<'_>) -> Decision {
    Decision {
        case: unusual_name(lot),
        kind: Some(DecisionKind::Left),
        by: settler.by.to_owned(),
        at: settler.at,
        chosen: figures,
        note: settler.note.to_owned(),
        restore: Vec::new(),
        group: String::new(),
        values: Vec::new(),
    }
}

pub(super) fn decision(
    case: &CaseId,
    kind: DecisionKind,
    chosen: String,
    settler: Settler<'_>,
    restore: Vec<Restore>,
) -> Decision {
    Decision {
        case: case.season_name(),
        kind: Some(kind),
        by: settler.by.to_owned(),
        at: settler.at,
        chosen,
        note: settler.note.to_owned(),
        restore,
        group: String::new(),
        values: Vec::new(),
    }
}
