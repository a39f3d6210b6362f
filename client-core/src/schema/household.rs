//! The household document: names, village, members, how it is paid, and advances.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc};

use super::key::Document;
use super::view::{Fields, maps_in_list, part};
use crate::crdt::DocumentFault;
use crate::quantities::{Day, Fen, TextField, checked_text, optional_text};

/// A household as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Household {
    /// The name it goes by.
    pub name: Option<String>,
    /// The code of its village.
    pub village: Option<String>,
    /// How it is paid, in words; none when not settled.
    pub payment: Option<String>,
    /// Its members' names.
    pub members: Vec<String>,
    /// Its advances.
    pub advances: Vec<(Day, Fen)>,
}

/// Names the household and its village.
pub fn set_name(automerge: &mut AutoCommit, name: &str, village: &str) -> Result<(), DocumentFault> {
    rename(automerge, Some(name), Some(village))
}

/// Gives the household the name or the village that is given.
pub fn rename(automerge: &mut AutoCommit, name: Option<&str>, village: Option<&str>) -> Result<(), DocumentFault> {
    if let Some(name) = name {
        automerge.put(ROOT, "name", checked_text(TextField::HouseholdName, name)?)?;
    }
    if let Some(village) = village {
        automerge.put(ROOT, "village", checked_text(TextField::VillageCode, village)?)?;
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
    let mut fields = Fields::new(automerge, ROOT);
    Household {
        name: fields.optional_text("name"),
        village: fields.optional_text("village"),
        payment: fields.optional_text("payment"),
        members: maps("members").into_iter().filter_map(|id| Fields::new(automerge, id).text("name")).collect(),
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
