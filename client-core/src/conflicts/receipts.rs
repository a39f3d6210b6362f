//! Receipts of one lot that were written at once. A receipt is written whole, so the whole of it is one value with its author and
//! time: a weight of one person with the grade of another would be nobody's weighing.

use super::fields::Contender;
use super::settle::{PutBack, RECEIPT, Settlement, Settler, WrittenSince, decision};
use super::{CaseId, Edit};
use crate::crdt::DocumentFault;
use crate::quantities::Day;
use crate::schema::case_book::{Decision, DecisionKind, Restore};
use crate::schema::receipt::{self, Weighing, Weighings};
use crate::schema::{Document, LotId};

/// A lot with several receipts that disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptConflict {
    /// The lot.
    pub lot: LotId,
    /// All receipts as [`Weighing`]s write them. The last one is shown until a person settles the conflict.
    pub values: Vec<Contender>,
}

impl ReceiptConflict {
    /// True when every receipt was written by a settlement. Nobody has to decide again.
    pub fn is_settled_twice(&self) -> bool {
        self.values.iter().all(|value| value.settles)
    }
}

/// The receipts of a receipt book that were written at once and disagree.
pub fn in_receipt_book(document: &mut Document) -> Vec<ReceiptConflict> {
    let found = receipt::disagreeing(document).into_iter();
    found.map(|(lot, weighings)| ReceiptConflict { lot, values: contenders(document, weighings) }).collect()
}

fn contenders(document: &mut Document, weighings: Weighings) -> Vec<Contender> {
    weighings.into_iter().map(|(weighing, id)| document.contender(weighing.to_string(), &id)).collect()
}

/// Writes this receipt of a lot into its receipt book, as the answer to the case.
pub fn settle_receipt(
    book: &Document,
    lot: &LotId,
    weighing: &Weighing,
    settler: Settler<'_>,
) -> Result<Settlement, DocumentFault> {
    let present = receipt::weighings(book, lot).pop();
    let not_here = || DocumentFault::NotFound { what: receipt::RECEIPT, name: lot.to_string() };
    let (value, _) = present.ok_or_else(not_here)?;
    let restore = Restore { lot: lot.key().clone(), field: RECEIPT.into(), value: value.to_string(), written: None };
    let case = CaseId::Receipt(lot.clone());
    let chosen = weighing.to_string();
    Ok(Settlement {
        edit: writing(lot, weighing.clone(), settler),
        decision: decision(&case, DecisionKind::Settled, chosen, settler, vec![restore]),
    })
}

fn writing(lot: &LotId, weighing: Weighing, settler: Settler<'_>) -> Edit {
    let (lot, Weighing { outcome, day }) = (lot.clone(), weighing);
    let day = day.unwrap_or_else(|| Day::in_china(settler.at));
    Box::new(move |doc| receipt::receive(doc, &lot, &outcome, day))
}

/// What puts back the receipt that stood there before a decision, where it stands as it was decided.
pub(super) fn put_back(
    book: &mut Document,
    lot: &LotId,
    undone: &Decision,
    settler: Settler<'_>,
) -> Result<PutBack, DocumentFault> {
    let Some(restore) = undone.restore.iter().find(|restore| restore.field == RECEIPT) else {
        return Ok(PutBack::nothing());
    };
    let weighings = receipt::weighings(book, lot);
    let values = contenders(book, weighings);
    if values.is_empty() || values.iter().any(|value| value.value != undone.chosen) {
        let left = WrittenSince { lot: Some(lot.clone()), field: RECEIPT.into(), values };
        return Ok(PutBack { left: vec![left], ..PutBack::nothing() });
    }
    let edit = writing(lot, Weighing::parse(&restore.value)?, settler);
    Ok(PutBack { edit, put_back: 1, left: Vec::new() })
}
