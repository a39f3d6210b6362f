//! What is unusual about a lot, its receipt or a price: asked back before it is written, allowed when it is confirmed; unusual
//! lots are listed for coordinators. Pure: the catalogue, the day and earlier lots come in.

mod correction;
mod earlier;
mod sentences;
mod spelling;

use std::collections::BTreeSet;

pub use correction::Correction;
pub use earlier::{Earlier, EarlierLot, UsualWeights};
pub use sentences::Unusual;
use spelling::{letters_off, meant};

use crate::ids::HouseholdId;
use crate::quantities::{Day, Fen, Grams, GramsDelta};
use crate::schema::Season;
use crate::schema::catalogue::{Catalogue, PriceName, Product};

/// Letters of a household's id that may differ from what was meant.
const ID_LETTERS_OFF_MAX: usize = 4;
/// A weight at the warehouse is far from the recorded one when one is more than three halves of the other. Kilograms that are
/// typed as jin are half of it, give or take what a scale is off.
const WEIGHED_HALVES: i64 = 3;
/// A price is far from the last one when one is more than this many times the other.
const PRICE_TIMES: i64 = 3;
/// A count is far from what should lie there when it is off by more than one of so many parts, and by more than these grams.
const COUNT_PARTS: u64 = 10;
const COUNT_OFF: u64 = 500;
/// Days after the harvest that a lot usually comes in: half a year.
const DAYS_TO_WAREHOUSE: i32 = 183;

/// The fields of a lot that can be unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The product's code.
    pub product: &'a str,
    /// The weight.
    pub quantity: Option<Grams>,
    /// The grade; empty for none.
    pub grade: &'a str,
    /// The day.
    pub day: Option<Day>,
    /// The place; empty for none.
    pub place: &'a str,
}

impl Facts<'_> {
    /// The figures as one text, for a note that somebody looked at just these.
    pub fn figures(&self) -> String {
        let (grams, day) = (self.quantity.map(|grams| grams.to_string()), self.day.map(|day| day.to_string()));
        format!("{} · {} · {} · {}", self.product, grams.unwrap_or_default(), self.grade, day.unwrap_or_default())
    }
}

/// What is usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usual<'a> {
    /// The catalogue; none before it was synced or written.
    pub catalogue: Option<&'a Catalogue>,
    /// The codes and names of the collecting places; empty where none is known, and then none is unknown.
    pub places: &'a [(String, String)],
    /// Today; none where the clock can't be trusted.
    pub today: Option<Day>,
    /// The season in which lots are recorded.
    pub season: Option<Season>,
    /// What the household's other lots say.
    pub earlier: Earlier,
}

/// What is unusual about a household, where `known` are all of the co-operative with their names.
pub fn unknown_household(household: HouseholdId, known: &[(HouseholdId, String)]) -> Option<Unusual> {
    if known.is_empty() || known.iter().any(|(id, _)| *id == household) {
        return None;
    }
    let given = household.to_string();
    let nearest = known.iter().map(|(id, name)| (letters_off(&given, &id.to_string()), id, name)).min()?;
    let meant = (nearest.0 <= ID_LETTERS_OFF_MAX).then(|| match nearest.2.as_str() {
        "" => nearest.1.to_string(),
        name => format!("{} ({name})", nearest.1),
    });
    Some(Unusual::Household { household, meant })
}

/// All that is unusual about a lot, in the order of its fields.
pub fn unusual(lot: &Facts<'_>, usual: &Usual<'_>) -> Vec<Unusual> {
    let mut found = Vec::new();
    match usual.catalogue {
        Some(catalogue) => match catalogue.products.iter().find(|product| product.code == lot.product) {
            None => found.push(unknown_product(lot.product, catalogue)),
            Some(product) => {
                let ended = product.ended.filter(|ended| lot.day.is_some_and(|day| day >= *ended));
                found.extend(ended.map(|ended| Unusual::Ended { product: lot.product.to_owned(), ended }));
                found.extend(unknown_grade(lot.grade, product));
            }
        },
        // Asked once: after that, the lot that was confirmed has the product.
        None if !usual.earlier.has_product => found.push(Unusual::NoCatalogue { product: lot.product.to_owned() }),
        None => {}
    }
    found.extend(lot.quantity.and_then(|grams| usual.earlier.weights.far(grams)));
    if let Some(day) = lot.day {
        match (usual.today, usual.season) {
            (Some(today), _) if day > today => found.push(Unusual::Future { day, today }),
            (_, Some(season)) if Season::of(day) != Some(season) => found.push(Unusual::OtherSeason { day, season }),
            _ => {}
        }
    }
    // A family's own field is no place of the co-operative, and is asked about once.
    found.extend(unknown_place(lot.place, usual.places).filter(|_| !usual.earlier.has_place));
    found
}

/// A lot that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival<'a> {
    /// The product's code.
    pub product: &'a str,
    /// The weight at the warehouse; none for a lot that is sent back.
    pub weighed: Option<Grams>,
    /// The grade by the warehouse; empty for none.
    pub grade: &'a str,
    /// The day on which it comes in.
    pub day: Day,
    /// The recorded weight; none for one that can't be read.
    pub recorded: Option<Grams>,
    /// The day of the harvest; none for one that can't be read.
    pub harvested: Option<Day>,
}

/// All that is unusual about a receipt. Of any season: what was harvested late comes in after the new year.
pub fn unusual_arrival(arrival: &Arrival<'_>, usual: &Usual<'_>) -> Vec<Unusual> {
    let Arrival { product, weighed, grade, day, recorded, harvested } = *arrival;
    // What was recorded says best what is usual.
    let quantity = weighed.filter(|_| recorded.is_none());
    let facts = Facts { product, quantity, grade, day: Some(day), place: "" };
    let mut found = unusual(&facts, &Usual { season: None, ..*usual });
    // The household wrote the product, and was asked then.
    found.retain(|unusual| !matches!(unusual, Unusual::NoCatalogue { .. }));
    if let (Some(weighed), Some(recorded)) = (weighed, recorded)
        && is_far_by_halves(weighed.get(), recorded.get(), WEIGHED_HALVES)
    {
        found.push(Unusual::Weighed { weighed, recorded });
    }
    match harvested {
        Some(harvested) if day < harvested => found.push(Unusual::BeforeHarvest { day, harvested }),
        Some(harvested) if day > harvested.plus_days(DAYS_TO_WAREHOUSE) => {
            found.push(Unusual::LongAfterHarvest { day, harvested });
        }
        _ => {}
    }
    found
}

/// What is unusual about a count of a holding where so many grams should lie: it is off by more than a tenth, and by more than a
/// scale is.
pub fn unusual_count(counted: GramsDelta, computed: i64) -> Option<Unusual> {
    let off = counted.get().abs_diff(computed);
    let is_far = off > COUNT_OFF && off.saturating_mul(COUNT_PARTS) > computed.unsigned_abs();
    is_far.then_some(Unusual::Counted { counted, computed })
}

/// What is unusual about a price that is to be set for a product: it jumps from the one that it replaces, or else from the last
/// one of its grade before it.
pub fn unusual_price(product: &Product, name: &PriceName, price: Fen) -> Option<Unusual> {
    let before = |(other, _): &(&PriceName, &Fen)| other.grade == name.grade && other.from < name.from;
    let earlier = product.price_by_grade.iter().filter(before).max_by_key(|(other, _)| other.from);
    let last = product.price_by_grade.get(name).or(earlier.map(|(_, fen)| fen)).copied()?;
    let grade = name.grade.clone();
    is_far(price.get(), last.get(), PRICE_TIMES).then_some(Unusual::Price { grade, price, last })
}

/// True when one is more than so many times the other.
fn is_far(one: i64, other: i64, times: i64) -> bool {
    one > other.saturating_mul(times) || other > one.saturating_mul(times)
}

/// True when one is more than so many halves of the other.
fn is_far_by_halves(one: i64, other: i64, halves: i64) -> bool {
    one.saturating_mul(2) > other.saturating_mul(halves) || other.saturating_mul(2) > one.saturating_mul(halves)
}

fn unknown_product(product: &str, catalogue: &Catalogue) -> Unusual {
    let all = catalogue.products.iter().map(|product| {
        let names = [Some(&product.code), product.name_zh.as_ref(), product.name_en.as_ref()];
        (product.code.as_str(), names.into_iter().flatten().map(String::as_str).collect())
    });
    Unusual::Product { product: product.to_owned(), meant: meant(product, all).map(str::to_owned) }
}

fn unknown_place(place: &str, known: &[(String, String)]) -> Option<Unusual> {
    let is_known =
        place.is_empty() || known.is_empty() || known.iter().any(|(code, name)| code == place || name == place);
    if is_known {
        return None;
    }
    let all = known.iter().map(|(code, name)| (code.as_str(), vec![code.as_str(), name.as_str()]));
    Some(Unusual::Place { place: place.to_owned(), meant: meant(place, all).map(str::to_owned) })
}

fn unknown_grade(grade: &str, product: &Product) -> Option<Unusual> {
    let known: BTreeSet<&String> = product.price_by_grade.keys().map(|name| &name.grade).collect();
    let is_unknown = !grade.is_empty() && !known.is_empty() && !known.iter().any(|known| *known == grade);
    is_unknown.then(|| Unusual::Grade { grade: grade.to_owned(), known: known.into_iter().cloned().collect() })
}

#[cfg(test)]
mod tests;
