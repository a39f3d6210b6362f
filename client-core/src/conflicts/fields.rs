//! Field conflicts: concurrent values of a field, with the author and time of each.

use std::collections::BTreeMap;

use automerge::{AutoCommit, ObjId, ObjType, ReadDoc, Value};

use super::settle::SETTLING;
use crate::quantities::Instant;
pub use crate::schema::case_book::Contender;
use crate::schema::harvest::{self, LotKey};
use crate::schema::{Document, LotId, QuestionId, order, question};

/// A field of a lot with concurrent values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The lot.
    pub lot: LotId,
    /// The field's name.
    pub field: &'static str,
    /// All values. The last one is shown until a person settles the conflict.
    pub values: Vec<Contender>,
}

impl FieldConflict {
    /// True when every value was written by a settlement. Nobody has to decide again.
    pub fn is_settled_twice(&self) -> bool {
        self.values.iter().all(|value| value.settles)
    }
}

/// The fields of a harvest book with concurrent values.
pub fn in_harvest_book(document: &mut Document) -> Vec<FieldConflict> {
    let suspects: Vec<LotKey> =
        harvest::lots(document).into_iter().filter(|lot| lot.in_conflict).map(|lot| lot.key).collect();
    let mut conflicts = Vec::new();
    for key in suspects {
        let Ok((_, object)) = harvest::find(document.automerge(), &key) else { continue };
        let Some(lot) = LotId::in_book(document.key(), key) else { continue };
        for field in harvest::FIELDS {
            let values = contenders(document, &object, field);
            if values.len() > 1 {
                conflicts.push(FieldConflict { lot: lot.clone(), field, values });
            }
        }
    }
    conflicts
}

/// The concurrent values of an order's status, or those that stood there before a settlement that was undone; empty when there is
/// one value and nothing to decide.
pub fn in_order(document: &mut Document) -> Vec<Contender> {
    let values = contenders(document, &automerge::ROOT, "status");
    if values.len() > 1 {
        return values;
    }
    order::settled(document.automerge())
        .filter(|settled| settled.undone)
        .map(|settled| settled.values)
        .unwrap_or_default()
}

/// What stands in a field of a lot, the shown value last; empty where nothing does.
pub(super) fn values_of(document: &mut Document, lot: &LotKey, field: &str) -> Vec<Contender> {
    match harvest::find(document.automerge(), lot) {
        Ok((_, object)) => contenders(document, &object, field),
        Err(_) => Vec::new(),
    }
}

/// When a lot was recorded, by the clock of the phone that recorded it.
#[cfg(feature = "sqlite")]
pub(crate) fn recorded_at(document: &mut Document, lot: &LotKey) -> Option<Instant> {
    let (_, object) = harvest::find(document.automerge(), lot).ok()?;
    document.time_and_message_of(&object).map(|(seconds, _)| Instant::from_seconds(seconds))
}

/// When each of these operations was written, by the clock of whoever wrote it.
#[cfg(feature = "sqlite")]
pub(crate) fn times_of<K: Ord>(document: &mut Document, operations: Vec<(K, ObjId)>) -> BTreeMap<K, Instant> {
    let mut at = |operation: &ObjId| document.time_and_message_of(operation).map(|(seconds, _)| seconds);
    operations.into_iter().filter_map(|(of, wrote)| Some((of, Instant::from_seconds(at(&wrote)?)))).collect()
}

/// The answers to questions in a harvest book, by question: more than one where people of a household answered at once.
pub fn answers(document: &mut Document) -> BTreeMap<QuestionId, Vec<Contender>> {
    let answered = question::answered(document.automerge());
    answered.into_iter().map(|(id, field)| (id, contenders(document, &automerge::ROOT, &field))).collect()
}

fn contenders(document: &mut Document, object: &ObjId, field: &str) -> Vec<Contender> {
    let found: Vec<(String, ObjId)> = {
        let automerge = document.automerge();
        let Ok(values) = automerge.get_all(object, field) else { return Vec::new() };
        values.into_iter().map(|(value, id)| (as_text(automerge, &value, &id), id)).collect()
    };
    found.into_iter().map(|(value, id)| document.contender(value, &id)).collect()
}

fn as_text(automerge: &AutoCommit, value: &Value<'_>, id: &ObjId) -> String {
    match value {
        Value::Object(ObjType::Text) => automerge.text(id).unwrap_or_default(),
        Value::Scalar(scalar) if scalar.is_null() => String::new(),
        other => other.as_str().map_or_else(|| other.to_string(), str::to_owned),
    }
}

impl Document {
    pub(super) fn contender(&mut self, value: String, id: &ObjId) -> Contender {
        let actor = match id {
            ObjId::Id(_, actor, _) => actor.to_hex_string(),
            ObjId::Root => String::new(),
        };
        let (seconds, message) = self.time_and_message_of(id).unwrap_or_default();
        Contender { value, actor, at: Instant::from_seconds(seconds), settles: message == SETTLING }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ActorId, HouseholdId};
    use crate::quantities::{Grams, Instant};
    use crate::schema::harvest::{LotDraft, LotEdit, correct, record};
    use crate::schema::{Book, DocumentKey, Season};

    #[test]
    fn concurrent_values_are_kept_until_one_is_chosen() {
        let key = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap()));
        let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 9]).unwrap());
        let mut one = Document::new(key).unwrap();
        let draft = LotDraft::new("millet", Grams::new(1000).unwrap(), "2026-10-01".parse().unwrap());
        let (lot, _) = one.edit(&actors[0], Instant(0), |doc| record(doc, &draft)).unwrap();
        let mut two = one.clone();
        let grams = |grams| LotEdit::Quantity(Grams::new(grams).unwrap());
        let (_, first) = one.edit(&actors[0], Instant(1), |doc| correct(doc, &lot, &grams(1100))).unwrap();
        let (_, second) = two.edit(&actors[1], Instant(1), |doc| correct(doc, &lot, &grams(1200))).unwrap();
        one.apply(&[second.unwrap()]).unwrap();
        two.apply(&[first.unwrap()]).unwrap();
        assert_eq!(one.heads(), two.heads());
        let conflicts = in_harvest_book(&mut one);
        assert_eq!(conflicts, in_harvest_book(&mut two));
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].field, "grams");
        let mut seen: Vec<_> = conflicts[0].values.iter().map(|value| (value.value.clone(), value.author())).collect();
        seen.sort();
        assert_eq!(seen, [("1100".into(), Some(actors[0].clone())), ("1200".into(), Some(actors[1].clone()))]);

        one.edit(&actors[0], Instant(2), |doc| correct(doc, &lot, &grams(1100))).unwrap();
        assert!(in_harvest_book(&mut one).is_empty());
    }
}
