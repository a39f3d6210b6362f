//! The household document: names, village, members, how it is paid, and advances.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc};

use super::key::Document;
use super::view::{Fields, maps_in_list, part};
use crate::crdt::DocumentFault;
use crate::crdt::change::{BytesKind, Key, Object, Value};
use crate::quantities::{Day, Fen, TextField, checked_text, optional_text};
use crate::words::Phrase;

const MEMBER: Phrase = Phrase::new("member", "member", "成员");

/// A household as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Household {
    /// The name it goes by.
    pub name: Option<String>,
    /// The code of its village; none while it has no village.
    pub village: Option<String>,
    /// How it is paid, in words; none when not settled.
    pub payment: Option<String>,
    /// The names of its present members.
    pub members: Vec<String>,
    /// All who are or were its members, in the order in which they were added.
    pub people: Vec<Member>,
    /// Its advances.
    pub advances: Vec<(Day, Fen)>,
}

/// Somebody who is or was a member of a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Names the member within the household's document: the Automerge object's id.
    pub key: String,
    /// The name.
    pub name: String,
    /// The day on which the member was taken out; none for a present one.
    pub left: Option<Day>,
}

/// Names the household and its village, which may be empty.
pub fn set_name(automerge: &mut AutoCommit, name: &str, village: &str) -> Result<(), DocumentFault> {
    rename(automerge, Some(name), Some(village))
}

/// Gives the household the name or the village that is given; an empty village says that it has none yet.
pub fn rename(automerge: &mut AutoCommit, name: Option<&str>, village: Option<&str>) -> Result<(), DocumentFault> {
    if let Some(name) = name {
        automerge.put(ROOT, "name", checked_text(TextField::HouseholdName, name)?)?;
    }
    if let Some(village) = village {
        match optional_text(TextField::VillageCode, village)? {
            empty if empty.is_empty() => automerge.delete(ROOT, "village")?,
            village => automerge.put(ROOT, "village", village)?,
        }
    }
    Ok(())
}

/// Sets how the household is paid; an empty text says that it is not settled.
pub fn set_payment(automerge: &mut AutoCommit, payment: &str) -> Result<(), DocumentFault> {
    match optional_text(TextField::Payment, payment)? {
        empty if empty.is_empty() => automerge.delete(ROOT, "payment")?,
        payment => automerge.put(ROOT, "payment", payment)?,
    }
    Ok(())
}

/// Adds a member.
pub fn add_member(automerge: &mut AutoCommit, name: &str) -> Result<(), DocumentFault> {
    let list = part(automerge, "members", ObjType::List).ok_or(DocumentFault::Damaged("members"))?;
    let member = automerge.insert_object(&list, automerge.length(&list), ObjType::Map)?;
    automerge.put(&member, "name", checked_text(TextField::MemberName, name)?)?;
    Ok(())
}

/// The member's object; an error when the document has none of this key.
fn member_of(automerge: &AutoCommit, key: &str) -> Result<ObjId, DocumentFault> {
    let list = part(automerge, "members", ObjType::List).ok_or(DocumentFault::Damaged("members"))?;
    let found = maps_in_list(automerge, &list).into_iter().find(|id| id.to_string() == key);
    found.ok_or_else(|| DocumentFault::NotFound { what: MEMBER, name: key.chars().take(80).collect() })
}

/// Takes a member out from this day on. The name stays in the document, for what was written under it.
pub fn remove_member(automerge: &mut AutoCommit, key: &str, day: Day) -> Result<(), DocumentFault> {
    let member = member_of(automerge, key)?;
    automerge.put(&member, "left", day.to_string())?;
    Ok(())
}

/// Takes a member in again who was taken out.
pub fn put_back_member(automerge: &mut AutoCommit, key: &str) -> Result<(), DocumentFault> {
    let member = member_of(automerge, key)?;
    automerge.delete(&member, "left")?;
    Ok(())
}

/// Clears how the household is paid. What stood there stays in the document's history; see [`last_payment`].
pub fn clear_payment(automerge: &mut AutoCommit) -> Result<(), DocumentFault> {
    set_payment(automerge, "")
}

/// How the household was paid before that was cleared, to undo it; none when it is not cleared, or never was settled.
pub fn last_payment(document: &mut Document) -> Option<String> {
    if read(document).payment.is_some() {
        return None;
    }
    let changes = document.changes_since(&[]).ok()?;
    changes.iter().rev().flat_map(|change| change.record().operations.iter().rev()).find_map(|operation| {
        match (&operation.object, &operation.key, &operation.value) {
            (Object::Root, Key::Map(field), Value::Bytes(BytesKind::Text, text)) if field == "payment" => {
                String::from_utf8(text.clone()).ok()
            }
            _ => None,
        }
    })
}

/// Adds an advance.
pub fn add_advance(automerge: &mut AutoCommit, day: Day, amount: Fen) -> Result<(), DocumentFault> {
    let list = part(automerge, "advances", ObjType::List).ok_or(DocumentFault::Damaged("advances"))?;
    let advance = automerge.insert_object(&list, automerge.length(&list), ObjType::Map)?;
    automerge.put(&advance, "day", day.to_string())?;
    automerge.put(&advance, "fen", amount.get())?;
    Ok(())
}

/// Reads the household.
pub fn read(document: &Document) -> Household {
    let automerge = document.automerge();
    let maps =
        |name| part(automerge, name, ObjType::List).map(|list| maps_in_list(automerge, &list)).unwrap_or_default();
    let people: Vec<Member> = maps("members").into_iter().filter_map(|id| member(automerge, id)).collect();
    let present = people.iter().filter(|member| member.left.is_none());
    let mut fields = Fields::new(automerge, ROOT);
    Household {
        name: fields.optional_text("name"),
        village: fields.optional_text("village"),
        payment: fields.optional_text("payment"),
        members: present.map(|member| member.name.clone()).collect(),
        people,
        advances: maps("advances")
            .into_iter()
            .filter_map(|id| {
                let mut fields = Fields::new(automerge, id);
                let day = fields.parsed("day", |day| day.parse().ok())?;
                Some((day, fields.integer("fen", |fen| Fen::new(fen).ok())?))
            })
            .collect(),
    }
}

fn member(automerge: &AutoCommit, id: ObjId) -> Option<Member> {
    let key = id.to_string();
    let mut fields = Fields::new(automerge, id);
    let left = fields.optional_text("left").and_then(|day| day.parse().ok());
    Some(Member { key, name: fields.text("name")?, left })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ActorId, HouseholdId};
    use crate::quantities::Instant;
    use crate::schema::DocumentKey;

    fn edit(document: &mut Document, edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault>) {
        let actor = ActorId::from_bytes(&[1; 12]).unwrap();
        document.edit(&actor, Instant(0), edit).unwrap();
    }

    #[test]
    fn member_is_taken_out_and_comes_back() {
        let mut document = Document::new(DocumentKey::Household(HouseholdId::from_bytes([1; 16]))).unwrap();
        edit(&mut document, |doc| add_member(doc, "Fan Xiuying"));
        edit(&mut document, |doc| add_member(doc, "Wang Hu"));
        let key = read(&document).people[0].key.clone();
        let day: Day = "2026-10-01".parse().unwrap();
        edit(&mut document, |doc| remove_member(doc, &key, day));
        let household = read(&document);
        assert_eq!((household.members, household.people[0].left), (vec!["Wang Hu".to_owned()], Some(day)));
        assert_eq!(household.people[0].name, "Fan Xiuying", "the name stays");
        edit(&mut document, |doc| put_back_member(doc, &key));
        assert_eq!(read(&document).members.len(), 2);
        let actor = ActorId::from_bytes(&[1; 12]).unwrap();
        let refused = document.edit(&actor, Instant(0), |doc| remove_member(doc, "nobody", day));
        assert!(matches!(refused, Err(DocumentFault::NotFound { .. })), "{refused:?}");
    }

    #[test]
    fn payment_that_was_cleared_can_be_put_back() {
        let mut document = Document::new(DocumentKey::Household(HouseholdId::from_bytes([1; 16]))).unwrap();
        assert_eq!(last_payment(&mut document), None);
        edit(&mut document, |doc| set_payment(doc, "ICBC 6222 0000 1111"));
        edit(&mut document, |doc| set_payment(doc, "ICBC 6222 0000 2222"));
        assert_eq!(last_payment(&mut document), None, "nothing is cleared");
        edit(&mut document, clear_payment);
        assert_eq!(read(&document).payment, None);
        assert_eq!(last_payment(&mut document).as_deref(), Some("ICBC 6222 0000 2222"));
    }
}
