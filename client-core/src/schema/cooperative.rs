//! The co-operative's own document: its name, villages, collecting places and announcements.

use std::collections::BTreeMap;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc};

use super::key::Document;
use super::view::{Fields, maps_in_list, part, texts_in_map};
use crate::crdt::DocumentFault;
use crate::quantities::{Day, TextField, checked_text};

/// The co-operative as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cooperative {
    /// Its name.
    pub name: Option<String>,
    /// The codes and names of its villages.
    pub villages: Vec<(String, String)>,
    /// The codes and names of its collecting places.
    pub places: Vec<(String, String)>,
    /// Its announcements, oldest first.
    pub announcements: Vec<(Option<Day>, String)>,
}

/// Names the co-operative.
pub fn set_name(automerge: &mut AutoCommit, name: &str) -> Result<(), DocumentFault> {
    automerge.put(ROOT, "name", checked_text(TextField::CooperativeName, name)?)?;
    Ok(())
}

/// Adds a village or renames it.
pub fn set_village(automerge: &mut AutoCommit, code: &str, name: &str) -> Result<(), DocumentFault> {
    set_named(automerge, "villages", code, name)
}

/// Adds a collecting place or renames it.
pub fn set_place(automerge: &mut AutoCommit, code: &str, name: &str) -> Result<(), DocumentFault> {
    set_named(automerge, "places", code, name)
}

fn set_named(automerge: &mut AutoCommit, part_name: &'static str, code: &str, name: &str) -> Result<(), DocumentFault> {
    let map = part(automerge, part_name, ObjType::Map).ok_or(DocumentFault::Damaged(part_name))?;
    automerge.put(&map, checked_text(TextField::Code, code)?, checked_text(TextField::PlaceName, name)?)?;
    Ok(())
}

/// Adds an announcement.
pub fn announce(automerge: &mut AutoCommit, day: Day, text: &str) -> Result<(), DocumentFault> {
    let list = part(automerge, "announcements", ObjType::List).ok_or(DocumentFault::Damaged("announcements"))?;
    let entry = automerge.insert_object(&list, automerge.length(&list), ObjType::Map)?;
    automerge.put(&entry, "day", day.to_string())?;
    automerge.put(&entry, "text", checked_text(TextField::Announcement, text)?)?;
    Ok(())
}

/// Reads the parts of the co-operative's document, in their order. What a later part says replaces what earlier ones say;
/// announcements are added.
pub fn read_parts(parts: &[Document]) -> Cooperative {
    let mut all = Cooperative::default();
    let (mut villages, mut places) = (BTreeMap::new(), BTreeMap::new());
    for part in parts {
        let one = read(part);
        all.name = one.name.or(all.name);
        villages.extend(one.villages);
        places.extend(one.places);
        all.announcements.extend(one.announcements);
    }
    Cooperative { villages: villages.into_iter().collect(), places: places.into_iter().collect(), ..all }
}

/// Reads one part of the co-operative's document.
pub fn read(document: &Document) -> Cooperative {
    let automerge = document.automerge();
    let named = |name| {
        let Some(map) = part(automerge, name, ObjType::Map) else { return Vec::new() };
        texts_in_map(automerge, &map)
    };
    let announcements = part(automerge, "announcements", ObjType::List)
        .map(|list| maps_in_list(automerge, &list))
        .unwrap_or_default()
        .into_iter()
        .filter_map(|object| {
            let mut fields = Fields::new(automerge, object);
            Some((fields.parsed("day", |day| day.parse().ok()), fields.text("text")?))
        })
        .collect();
    Cooperative {
        name: Fields::new(automerge, ROOT).optional_text("name"),
        villages: named("villages"),
        places: named("places"),
        announcements,
    }
}
