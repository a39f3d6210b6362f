//! What disagrees: fields that were edited on two phones at once. Automerge keeps every value; until
//! a person settles it, everyone sees the same winner. Settling is an ordinary edit of the field.

use automerge::ReadDoc;

use crate::documents::Document;
use crate::documents::harvest::{self, LotId};
use crate::ids::ActorId;

/// One of the values that stand beside each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contender {
    /// The value, as text.
    pub value: String,
    /// Who wrote it.
    pub actor: Option<ActorId>,
}

/// A field of a lot with more than one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldConflict {
    /// The lot.
    pub lot: LotId,
    /// The field's name.
    pub field: &'static str,
    /// All values; the last is the one that is shown until a person settles it.
    pub values: Vec<Contender>,
}

/// The fields of a harvest book that were edited at once.
pub fn in_harvest_book(document: &Document) -> Vec<FieldConflict> {
    let automerge = document.automerge();
    let mut conflicts = Vec::new();
    for lot in harvest::lots(document).into_iter().filter(|lot| lot.in_conflict) {
        let Ok((_, object)) = harvest::find(automerge, &lot.id) else { continue };
        for field in harvest::FIELDS {
            let Ok(values) = automerge.get_all(&object, field) else { continue };
            if values.len() < 2 {
                continue;
            }
            let values = values
                .into_iter()
                .map(|(value, id)| Contender {
                    value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                    actor: match &id {
                        automerge::ObjId::Id(_, actor, _) => ActorId::from_bytes(actor.to_bytes()),
                        automerge::ObjId::Root => None,
                    },
                })
                .collect();
            conflicts.push(FieldConflict { lot: lot.id.clone(), field, values });
        }
    }
    conflicts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::harvest::{LotDraft, LotEdit, correct, record};
    use crate::documents::{DocumentKey, Season};
    use crate::ids::HouseholdId;
    use crate::quantities::{Grams, Instant};

    #[test]
    fn two_edits_at_once_keep_both_values_until_one_is_chosen() {
        let key = DocumentKey::HarvestBook(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
        let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 9]).unwrap());
        let mut one = Document::new(key).unwrap();
        let draft = LotDraft {
            product: "millet".into(),
            quantity: Grams::new(1000).unwrap(),
            grade: String::new(),
            moisture: None,
            day: "2026-10-01".parse().unwrap(),
            place: String::new(),
            note: String::new(),
            photos: vec![],
        };
        let (lot, _) = one.edit(&actors[0], Instant(0), |doc| record(doc, &draft)).unwrap();
        let mut two = one.clone();
        let grams = |grams| LotEdit::Quantity(Grams::new(grams).unwrap());
        let (_, first) = one.edit(&actors[0], Instant(1), |doc| correct(doc, &lot, &grams(1100))).unwrap();
        let (_, second) = two.edit(&actors[1], Instant(1), |doc| correct(doc, &lot, &grams(1200))).unwrap();
        one.apply(&[second.unwrap()]).unwrap();
        two.apply(&[first.unwrap()]).unwrap();
        assert_eq!(one.heads(), two.heads());
        let conflicts = in_harvest_book(&one);
        assert_eq!(conflicts, in_harvest_book(&two));
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].field, "grams");
        let mut seen: Vec<_> =
            conflicts[0].values.iter().map(|value| (value.value.clone(), value.actor.clone())).collect();
        seen.sort();
        assert_eq!(seen, [("1100".into(), Some(actors[0].clone())), ("1200".into(), Some(actors[1].clone()))]);

        one.edit(&actors[0], Instant(2), |doc| correct(doc, &lot, &grams(1100))).unwrap();
        assert!(in_harvest_book(&one).is_empty());
    }
}
