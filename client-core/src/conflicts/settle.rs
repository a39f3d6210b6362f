//! Settlements: one edit of the harvest book, and a decision in the case book with its author and its undo. When two people
//! settle concurrently, one value wins on every replica. Both changes have the message [`SETTLING`], so the case stays
//! closed and the other person is told.

use automerge::AutoCommit;

use super::CaseId;
use crate::crdt::DocumentFault;
use crate::quantities::{Grams, Instant};
use crate::schema::case_book::{Decision, DecisionKind, Restore};
use crate::schema::harvest::{self, LotEdit, LotKey};
use crate::schema::{Document, LotId};
use crate::words::Phrase;

/// The message of a change that settles.
pub const SETTLING: &str = "settle";
/// The message of a change that undoes a settlement.
pub const UNDOING: &str = "undo";

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

/// An edit of the harvest book, to be made with the message [`SETTLING`], and the decision for the case book.
pub struct Settlement {
    /// Edits the harvest book.
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
    let restore = vec![Restore { lot: lot.clone(), field: name.into(), value: lot_in(book, &lot)?.field(name) }];
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
    let mut restore = vec![Restore { lot: other.clone(), field: "merged".into(), value: String::new() }];
    if grams.is_some() {
        restore.push(Restore { lot: keep.clone(), field: "grams".into(), value: kept.field("grams") });
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

/// True while a settlement stands as it was made: the chosen value is there, or the lots are one. Of a weight that was written when
/// two lots were made one nothing is said.
pub fn stands(book: &Document, case: &CaseId, decision: &Decision) -> bool {
    decision.restore.iter().all(|restore| match (harvest::lot(book, &restore.lot), case, restore.field.as_str()) {
        (None, ..) => false,
        (Some(lot), _, "merged") => lot.merged_into.is_some(),
        (Some(_), CaseId::Twice(..), _) => true,
        (Some(lot), _, field) => lot.field(field) == decision.chosen,
    })
}

/// Restores the values before a decision, and opens the case again, with the values that stood in it. The edit is to be made with
/// the message [`UNDOING`].
pub fn undo(book: &Document, undone: &Decision, settler: Settler<'_>) -> Result<Settlement, DocumentFault> {
    if undone.kind != Some(DecisionKind::Settled) && undone.kind != Some(DecisionKind::Left) {
        return Err(DocumentFault::NotNow(Phrase::new(
            "undone-already",
            "this was undone already",
            "这件事已经撤销过了",
        )));
    }
    let mut edits: Vec<(LotKey, Option<LotEdit>)> = Vec::new();
    for restore in &undone.restore {
        lot_in(book, &restore.lot)?;
        let edit = match restore.field.as_str() {
            "merged" => None,
            field => Some(LotEdit::parse(field, &restore.value)?),
        };
        edits.push((restore.lot.clone(), edit));
    }
    let decision = Decision {
        kind: Some(DecisionKind::Undone),
        by: settler.by.to_owned(),
        at: settler.at,
        note: settler.note.to_owned(),
        restore: vec![],
        group: String::new(),
        ..undone.clone()
    };
    Ok(Settlement {
        edit: Box::new(move |doc| {
            for (lot, edit) in &edits {
                match edit {
                    // Also where the old value is the one that was chosen: the history tells of the undoing.
                    Some(edit) => harvest::settle(doc, lot, edit)?,
                    None => harvest::set_merged(doc, lot, None)?,
                }
            }
            Ok(())
        }),
        decision,
    })
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

fn decision(
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
