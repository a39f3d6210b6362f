//! The co-operative's own document: its name and how it is reached, seasons, villages, collecting places and announcements.
//!
//! A season is a year ([`Season`]); the co-operative says from which day on it is the present one, and what it is called. Both are
//! entries of the root map (`season/2026/from`), so that two coordinators who begin the same season write the same fields.

use std::collections::{BTreeMap, BTreeSet};

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc};

use super::book::Season;
use super::key::Document;
use super::view::{Fields, maps_in_list, part, texts_in_map};
use crate::crdt::DocumentFault;
use crate::quantities::{Day, TextField, checked_text, optional_text};

/// The co-operative as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cooperative {
    /// Its name.
    pub name: Option<String>,
    /// The codes and names of its villages.
    pub villages: Vec<(String, String)>,
    /// The codes and names of its collecting places.
    pub places: Vec<(String, String)>,
    /// The seasons that it has, oldest first.
    pub seasons: Vec<SeasonPlan>,
    /// The telephone that households call.
    pub phone: Option<String>,
    /// Where it is.
    pub address: Option<String>,
    /// What else a household needs to know, such as when the warehouse is open.
    pub about: Option<String>,
    /// Its announcements, oldest first.
    pub announcements: Vec<(Option<Day>, String)>,
}

/// A season as the co-operative has planned it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeasonPlan {
    /// Which one.
    pub season: Season,
    /// The day from which on it is the present one.
    pub from: Day,
    /// What it is called; none where the year says enough.
    pub name: Option<String>,
}

impl Cooperative {
    /// The season of which lots are recorded on this day: the last one that has begun. Where the co-operative has named none by
    /// then, it is the one of the day's year.
    pub fn present_season(&self, today: Day) -> Option<Season> {
        let begun = self.seasons.iter().filter(|plan| plan.from <= today).max_by_key(|plan| (plan.from, plan.season));
        begun.map(|plan| plan.season).or_else(|| Season::of(today))
    }
}

/// How a household reaches the co-operative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// The telephone.
    Phone,
    /// Where it is.
    Address,
    /// What else a household needs to know.
    About,
}

impl Detail {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Address, Self::About];

    /// Its name in the document and in forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Address => "address",
            Self::About => "about",
        }
    }

    /// The bounds of its text.
    pub fn field(self) -> TextField {
        match self {
            Self::Phone => TextField::Telephone,
            Self::Address => TextField::Address,
            Self::About => TextField::Note,
        }
    }
}

/// Sets a detail; an empty text clears it.
pub fn set_detail(automerge: &mut AutoCommit, detail: Detail, text: &str) -> Result<(), DocumentFault> {
    Ok(automerge.put(ROOT, detail.name(), optional_text(detail.field(), text)?)?)
}

/// Adds a season or changes the day from which on it is the present one.
pub fn begin_season(automerge: &mut AutoCommit, season: Season, from: Day) -> Result<(), DocumentFault> {
    Ok(automerge.put(ROOT, format!("season/{}/from", season.year()), from.to_string())?)
}

/// Calls a season something; an empty text takes that back.
pub fn name_season(automerge: &mut AutoCommit, season: Season, name: &str) -> Result<(), DocumentFault> {
    let name = optional_text(TextField::PlaceName, name)?;
    Ok(automerge.put(ROOT, format!("season/{}/name", season.year()), name)?)
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
    let (mut villages, mut places, mut seasons) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    // An empty text in a later part clears what an earlier one says.
    let (mut phone, mut address, mut about) = (None, None, None);
    for part in parts {
        let one = read_raw(part);
        all.name = one.name.or(all.name);
        (phone, address, about) = (one.phone.or(phone), one.address.or(address), one.about.or(about));
        seasons.extend(seasons_of(part));
        villages.extend(one.villages);
        places.extend(one.places);
        all.announcements.extend(one.announcements);
    }
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Cooperative {
        villages: villages.into_iter().collect(),
        places: places.into_iter().collect(),
        seasons: planned(&seasons),
        phone: filled(phone),
        address: filled(address),
        about: filled(about),
        ..all
    }
}

/// The fields of seasons in one part: by year and field.
fn seasons_of(document: &Document) -> Vec<((Season, String), String)> {
    let read = |(key, value): (String, String)| {
        let (year, field) = key.strip_prefix("season/")?.split_once('/')?;
        Some(((Season::new(year.parse().ok()?)?, field.to_owned()), value))
    };
    texts_in_map(document.automerge(), &ROOT).into_iter().filter_map(read).collect()
}

fn planned(fields: &BTreeMap<(Season, String), String>) -> Vec<SeasonPlan> {
    let field = |season: Season, name: &str| fields.get(&(season, name.to_owned())).cloned();
    let seasons: BTreeSet<Season> = fields.keys().map(|(season, _)| *season).collect();
    let plan = |season: Season| {
        let from = field(season, "from")?.parse().ok()?;
        Some(SeasonPlan { season, from, name: field(season, "name").filter(|name| !name.is_empty()) })
    };
    seasons.into_iter().filter_map(plan).collect()
}

/// Reads one part of the co-operative's document.
pub fn read(document: &Document) -> Cooperative {
    read_parts(std::slice::from_ref(document))
}

fn read_raw(document: &Document) -> Cooperative {
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
    let mut fields = Fields::new(automerge, ROOT);
    Cooperative {
        name: fields.optional_text("name"),
        villages: named("villages"),
        places: named("places"),
        phone: fields.optional_text("phone"),
        address: fields.optional_text("address"),
        about: fields.optional_text("about"),
        announcements,
        ..Cooperative::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;
    use crate::quantities::Instant;
    use crate::schema::{DocumentKey, Part};

    #[test]
    fn the_present_season_is_the_last_one_that_has_begun() {
        let mut document = Document::new(DocumentKey::Cooperative(Part::FIRST)).unwrap();
        let actor = ActorId::from_bytes(&[1; 9]).unwrap();
        let day = |text: &str| text.parse::<Day>().unwrap();
        let season = |year| Season::new(year).unwrap();
        let present = |document: &Document, on: &str| read(document).present_season(day(on)).map(Season::year);
        assert_eq!(present(&document, "2027-01-10"), Some(2027), "where none is named it is the year");
        let begin = |doc: &mut AutoCommit| {
            begin_season(doc, season(2026), day("2026-03-01"))?;
            begin_season(doc, season(2027), day("2027-03-15"))?;
            name_season(doc, season(2026), "2026 秋收")
        };
        document.edit(&actor, Instant(0), begin).unwrap();
        let on = ["2026-02-28", "2026-03-01", "2027-01-10", "2027-03-14", "2027-03-15"];
        assert_eq!(on.map(|on| present(&document, on)), [2026, 2026, 2026, 2026, 2027].map(Some));
        assert_eq!(read(&document).seasons[0].name.as_deref(), Some("2026 秋收"));
    }

    #[test]
    fn a_detail_is_set_and_cleared_also_over_an_earlier_part() {
        let actor = ActorId::from_bytes(&[1; 9]).unwrap();
        let mut parts = [1, 2].map(|part| Document::new(DocumentKey::Cooperative(Part::new(part).unwrap())).unwrap());
        let set = |document: &mut Document, text: &str| {
            document.edit(&actor, Instant(0), |doc| set_detail(doc, Detail::Phone, text)).unwrap();
        };
        set(&mut parts[0], "0358 4400000");
        assert_eq!(read_parts(&parts).phone.as_deref(), Some("0358 4400000"));
        set(&mut parts[1], "");
        assert_eq!(read_parts(&parts).phone, None);
    }
}
