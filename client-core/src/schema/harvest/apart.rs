//! Lots as changes make them, without the document that the changes build on. A list can show them where the rest of the book is
//! not here; nothing else reads a lot so.

use super::{Lot, LotKey};
use crate::crdt::change::{Action, BytesKind, ChangeRecord, Key, Object, OperationId, SignedKind, Value};
use crate::quantities::{Grams, Permille};

/// The lots that these changes record, as they leave them; each change after those that it builds on.
pub fn lots_apart<'a>(changes: impl Iterator<Item = &'a ChangeRecord>) -> Vec<Lot> {
    let mut made: Vec<Lot> = Vec::new();
    for change in changes {
        let named = |id: OperationId| Some(LotKey::of_operation(id.counter, change.actor_at(id.actor)?));
        for (counter, operation) in (change.start_operation..).zip(&change.operations) {
            match (&operation.object, &operation.key, operation.action) {
                (_, _, Action::MakeMap) if operation.insert => {
                    made.extend(named(OperationId { counter, actor: 0 }).map(empty));
                }
                (_, Key::Element(id), Action::Delete) => {
                    let gone = named(*id);
                    made.retain(|lot| Some(&lot.key) != gone.as_ref());
                }
                (Object::Made(id), Key::Map(field), Action::Set) => {
                    let of = named(*id);
                    if let Some(lot) = made.iter_mut().find(|lot| Some(&lot.key) == of.as_ref()) {
                        set(lot, field, &operation.value);
                        if field == "grams" {
                            lot.quantity_by = Some(change.actor.clone());
                        }
                    }
                }
                _ => {}
            }
        }
    }
    // What has no product is no lot.
    made.retain(|lot| lot.product.is_some());
    made
}

fn empty(key: LotKey) -> Lot {
    Lot {
        key,
        product: None,
        quantity: None,
        quantity_by: None,
        grade: None,
        moisture: None,
        day: None,
        place: None,
        note: None,
        merged_into: None,
        in_conflict: false,
        damaged: Vec::new(),
    }
}

fn set(lot: &mut Lot, field: &str, value: &Value) {
    match (field, text(value), integer(value)) {
        ("product", text, _) => lot.product = text,
        ("grams", _, number) => lot.quantity = number.and_then(|grams| Grams::new(grams).ok()),
        ("grade", text, _) => lot.grade = text,
        ("moisture", _, number) => lot.moisture = number.and_then(|permille| Permille::new(permille).ok()),
        ("day", text, _) => lot.day = text.and_then(|day| day.parse().ok()),
        ("place", text, _) => lot.place = text,
        ("note", text, _) => lot.note = text,
        _ => {}
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bytes(BytesKind::Text, bytes) => String::from_utf8(bytes.clone()).ok().filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Signed(SignedKind::Integer, number) => Some(*number),
        Value::Unsigned(number) => i64::try_from(*number).ok(),
        _ => None,
    }
}
