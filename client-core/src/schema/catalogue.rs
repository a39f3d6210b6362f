//! The catalogue: products with names by language and prices by grade and day, and live-stream
//! promotions with their offers.
//!
//! Each field is an entry of one flat map (`millet/zh`, `millet/price/A@2026-11-01`), so that two coordinators who add the
//! same product concurrently write into one map and both are kept. Nothing is deleted: what is taken away has a day on which it
//! ended, and an empty text takes that back, also over an earlier part.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, Value};
use serde::{Deserialize, Serialize};

use super::key::Document;
use super::sku::{self, Sku};
use super::view::part;
use crate::crdt::DocumentFault;
use crate::quantities::{Day, Fen, Permille, QuantityFault, TextField, checked_text};
use crate::words::Phrase;

/// Names a price: of a grade, from a day on or from the beginning. As text `A` or `A@2026-11-01`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PriceName {
    /// The grade.
    pub grade: String,
    /// The first day on which it is valid; none for the price before all others.
    pub from: Option<Day>,
}

impl PriceName {
    /// The name of a price; none for a grade that is no valid one.
    pub fn new(grade: String, from: Option<Day>) -> Option<Self> {
        let grade = checked_text(TextField::PriceGrade, &grade).ok().filter(|grade| !grade.contains('@'))?;
        Some(Self { grade, from })
    }
}

impl fmt::Display for PriceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Some(day) => write!(formatter, "{}@{day}", self.grade),
            None => formatter.write_str(&self.grade),
        }
    }
}

impl FromStr for PriceName {
    type Err = QuantityFault;

    fn from_str(text: &str) -> Result<Self, QuantityFault> {
        let (grade, from) = match text.split_once('@') {
            Some((grade, day)) => (grade, Some(day.parse()?)),
            None => (text, None),
        };
        Self::new(grade.to_owned(), from).ok_or(QuantityFault::TextUnreadable(TextField::PriceGrade))
    }
}

impl Product {
    /// The price of a kilogram of this grade on this day.
    pub fn price_on(&self, grade: &str, day: Day) -> Option<Fen> {
        self.price_name_on(grade, day).and_then(|name| self.price_by_grade.get(name)).copied()
    }

    /// The price that holds for this grade on this day.
    pub fn price_name_on(&self, grade: &str, day: Day) -> Option<&PriceName> {
        let begun = |name: &&PriceName| {
            name.grade == grade && name.from.is_none_or(|from| from <= day) && !self.never_holds(name)
        };
        let latest = self.price_by_grade.keys().filter(begun).max_by_key(|name| name.from)?;
        self.price_until.get(latest).is_none_or(|until| day <= *until).then_some(latest)
    }

    /// True for a price that was ended before its first day.
    pub fn never_holds(&self, name: &PriceName) -> bool {
        self.price_until.get(name).is_some_and(|until| name.from.is_some_and(|from| *until < from))
    }

    /// True for a price that holds on this day or later.
    pub fn holds_from(&self, name: &PriceName, day: Day) -> bool {
        !self.never_holds(name)
            && (name.from.is_some_and(|from| from > day) || self.price_name_on(&name.grade, day) == Some(name))
    }

    /// The grades that have a price on this day or later, in their order.
    pub fn grades_from(&self, day: Day) -> BTreeSet<&str> {
        let held = self.price_by_grade.keys().filter(|name| self.holds_from(name, day));
        held.map(|name| name.grade.as_str()).collect()
    }

    /// True while new lots of it are recorded.
    pub fn is_offered_on(&self, day: Day) -> bool {
        self.ended.is_none_or(|ended| day < ended)
    }
}

impl Promotion {
    /// True while it stands: it was not ended by this day.
    pub fn stands_on(&self, day: Day) -> bool {
        self.ended.is_none_or(|ended| day < ended)
    }
}

/// A product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// Its code, such as `millet`.
    pub code: String,
    /// Its Chinese name.
    pub name_zh: Option<String>,
    /// Its English name.
    pub name_en: Option<String>,
    /// The price that a household is paid for a kilogram, by grade and first day.
    pub price_by_grade: BTreeMap<PriceName, Fen>,
    /// Prices with concurrent values: all of them, the shown one last.
    pub price_conflicts: BTreeMap<PriceName, Vec<Fen>>,
    /// How much more may be weighed than was recorded before it counts as a disagreement, of what was recorded; none for the
    /// usual share.
    pub surplus_tolerated: Option<Permille>,
    /// The last day of each price that was ended.
    pub price_until: BTreeMap<PriceName, Day>,
    /// The day from which on no new lots of it are recorded; none while they are.
    pub ended: Option<Day>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// A live-stream promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its code, such as `double-eleven`.
    pub code: String,
    /// Its title.
    pub title: Option<String>,
    /// When it is streamed.
    pub day: Option<Day>,
    /// The price that a buyer pays for a kilogram, by product code.
    pub offers: BTreeMap<String, Fen>,
    /// The day from which on an offer is taken back, by product code.
    pub offers_ended: BTreeMap<String, Day>,
    /// The day from which on it is called off; none while it stands.
    pub ended: Option<Day>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// The catalogue as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// By code.
    pub products: Vec<Product>,
    /// By code.
    pub promotions: Vec<Promotion>,
    /// What shops sell, by code.
    pub skus: BTreeMap<String, Sku>,
    /// The codes of SKUs of which something can't be read: they sell nothing until somebody writes them again.
    pub skus_damaged: Vec<String>,
}

/// A code that is part of a field's name can't hold what separates it.
pub(super) const SLASH_IN_CODE: Phrase =
    Phrase::new("slash-in-code", "a code can't have a slash in it", "代码里不能有斜线");

/// Writes a field of a product or promotion.
fn put(
    automerge: &mut AutoCommit,
    part_name: &'static str,
    code: &str,
    field: &str,
    value: impl Into<automerge::ScalarValue>,
) -> Result<(), DocumentFault> {
    let code = checked_text(TextField::Code, code)?;
    if code.contains('/') {
        return Err(DocumentFault::NotNow(SLASH_IN_CODE));
    }
    let map = part(automerge, part_name, ObjType::Map).ok_or(DocumentFault::Damaged(part_name))?;
    automerge.put(&map, format!("{code}/{field}"), value)?;
    Ok(())
}

/// Adds a product or renames it.
pub fn name_product(automerge: &mut AutoCommit, code: &str, zh: &str, en: &str) -> Result<(), DocumentFault> {
    rename_product(automerge, code, Some(zh), Some(en))
}

/// Adds a product, or gives it the names that are given.
pub fn rename_product(
    automerge: &mut AutoCommit,
    code: &str,
    zh: Option<&str>,
    en: Option<&str>,
) -> Result<(), DocumentFault> {
    for (field, name) in [("zh", zh), ("en", en)] {
        if let Some(name) = name {
            put(automerge, "products", code, field, checked_text(TextField::ProductName, name)?)?;
        }
    }
    Ok(())
}

/// Sets the price that a household is paid for a kilogram of a product, by grade and first day.
pub fn set_price(
    automerge: &mut AutoCommit,
    code: &str,
    name: &PriceName,
    per_kilogram: Fen,
) -> Result<(), DocumentFault> {
    put(automerge, "products", code, &format!("price/{name}"), per_kilogram.get())
}

/// Sets how much more of a product may be weighed than was recorded before it counts as a disagreement.
pub fn tolerate_surplus(automerge: &mut AutoCommit, code: &str, share: Permille) -> Result<(), DocumentFault> {
    put(automerge, "products", code, "tolerance", share.get())
}

/// Takes a product's own tolerance back, so that the usual share holds.
pub fn tolerate_usual_surplus(automerge: &mut AutoCommit, code: &str) -> Result<(), DocumentFault> {
    put(automerge, "products", code, "tolerance", "")
}

/// Ends a product: from this day on no new lots of it are recorded. Without a day it is taken up again.
pub fn end_product(automerge: &mut AutoCommit, code: &str, from: Option<Day>) -> Result<(), DocumentFault> {
    put(automerge, "products", code, "ended", day_or_empty(from))
}

/// Ends a price after this day, which is its last one; a day before its first one calls it off. Without a day it holds again.
pub fn end_price(
    automerge: &mut AutoCommit,
    code: &str,
    name: &PriceName,
    until: Option<Day>,
) -> Result<(), DocumentFault> {
    put(automerge, "products", code, &format!("until/{name}"), day_or_empty(until))
}

/// Calls a promotion off from this day on; without a day it stands again.
pub fn end_promotion(automerge: &mut AutoCommit, code: &str, from: Option<Day>) -> Result<(), DocumentFault> {
    put(automerge, "promotions", code, "ended", day_or_empty(from))
}

/// Takes an offer of a promotion back from this day on; without a day it is made again.
pub fn end_offer(
    automerge: &mut AutoCommit,
    code: &str,
    product: &str,
    from: Option<Day>,
) -> Result<(), DocumentFault> {
    let product = checked_text(TextField::ProductCode, product)?;
    put(automerge, "promotions", code, &format!("offer-ended/{product}"), day_or_empty(from))
}

fn day_or_empty(day: Option<Day>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

/// Plans a promotion or changes its title and day.
pub fn plan_promotion(automerge: &mut AutoCommit, code: &str, title: &str, day: Day) -> Result<(), DocumentFault> {
    replan_promotion(automerge, code, Some(title), Some(day))
}

/// Adds a promotion, or gives it the title and day that are given.
pub fn replan_promotion(
    automerge: &mut AutoCommit,
    code: &str,
    title: Option<&str>,
    day: Option<Day>,
) -> Result<(), DocumentFault> {
    if let Some(title) = title {
        put(automerge, "promotions", code, "title", checked_text(TextField::PromotionTitle, title)?)?;
    }
    if let Some(day) = day {
        put(automerge, "promotions", code, "day", day.to_string())?;
    }
    Ok(())
}

/// Offers a product in a promotion at this price for a kilogram.
pub fn offer(automerge: &mut AutoCommit, code: &str, product: &str, per_kilogram: Fen) -> Result<(), DocumentFault> {
    let product = checked_text(TextField::ProductCode, product)?;
    put(automerge, "promotions", code, &format!("offer/{product}"), per_kilogram.get())
}

/// Reads one part of the catalogue.
pub fn read(document: &Document) -> Catalogue {
    read_parts(std::slice::from_ref(document))
}

/// Reads the parts of the catalogue, in their order. What a later part says of a field replaces what earlier ones say.
pub fn read_parts(parts: &[Document]) -> Catalogue {
    let all = |of: &dyn Fn(&AutoCommit) -> BTreeMap<String, FieldValues>| {
        let mut codes: BTreeMap<String, FieldValues> = BTreeMap::new();
        for part in parts {
            for (code, fields) in of(part.automerge()) {
                codes.entry(code).or_default().extend(fields);
            }
        }
        codes
    };
    let products =
        all(&|doc| codes_of(doc, "products")).into_iter().map(|(code, fields)| product(code, &fields)).collect();
    let promotions =
        all(&|doc| codes_of(doc, "promotions")).into_iter().map(|(code, fields)| promotion(code, &fields)).collect();
    let (skus, skus_damaged) = sku::skus(all(&|doc| fields_of(doc, &ROOT, sku::PREFIX)));
    Catalogue { products, promotions, skus, skus_damaged }
}

/// All concurrent values of each field of each code, the shown one last.
pub(crate) type FieldValues = BTreeMap<String, Vec<ScalarOrText>>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ScalarOrText {
    Text(String),
    Integer(i64),
    Truth(bool),
    Other,
}

/// What one part of the catalogue says of each product.
#[cfg(feature = "sqlite")]
pub(crate) fn product_fields(document: &Document) -> BTreeMap<String, FieldValues> {
    codes_of(document.automerge(), "products")
}

/// The product of which the parts of the catalogue say this, in their order.
#[cfg(feature = "sqlite")]
pub(crate) fn product_of(code: &str, parts: impl IntoIterator<Item = FieldValues>) -> Product {
    product(code.to_owned(), &parts.into_iter().flatten().collect())
}

fn codes_of(automerge: &AutoCommit, part_name: &str) -> BTreeMap<String, FieldValues> {
    part(automerge, part_name, ObjType::Map).map(|map| fields_of(automerge, &map, "")).unwrap_or_default()
}

/// The fields that a map has by code, under names that begin with this.
fn fields_of(automerge: &AutoCommit, map: &ObjId, prefix: &str) -> BTreeMap<String, FieldValues> {
    let mut codes: BTreeMap<String, FieldValues> = BTreeMap::new();
    for key in automerge.keys(map) {
        let Some((code, field)) = key.strip_prefix(prefix).and_then(|key| key.split_once('/')) else { continue };
        let values = automerge.get_all(map, key.as_str()).unwrap_or_default();
        let values = values.into_iter().map(|(value, id)| match &value {
            Value::Object(ObjType::Text) => automerge.text(&id).map_or(ScalarOrText::Other, ScalarOrText::Text),
            value => match (value.as_str(), value.as_i64(), value.as_bool()) {
                (Some(text), ..) => ScalarOrText::Text(text.to_owned()),
                (None, Some(number), _) => ScalarOrText::Integer(number),
                (None, None, Some(truth)) => ScalarOrText::Truth(truth),
                (None, None, None) => ScalarOrText::Other,
            },
        });
        codes.entry(code.to_owned()).or_default().insert(field.to_owned(), values.collect());
    }
    codes
}

fn text(fields: &FieldValues, field: &'static str, damaged: &mut Vec<&'static str>) -> Option<String> {
    match fields.get(field).and_then(|values| values.last()) {
        Some(ScalarOrText::Text(text)) => Some(text.clone()),
        _ => {
            damaged.push(field);
            None
        }
    }
}

/// An optional day; an empty text is none.
fn optional_day(fields: &FieldValues, field: &str) -> Option<Day> {
    match fields.get(field).and_then(|values| values.last()) {
        Some(ScalarOrText::Text(text)) => text.parse().ok(),
        _ => None,
    }
}

/// The amounts of money of a field's values that can be read.
fn amounts(values: &[ScalarOrText]) -> Vec<Fen> {
    let amount = |value: &ScalarOrText| match value {
        ScalarOrText::Integer(fen) => Fen::new(*fen).ok(),
        _ => None,
    };
    values.iter().filter_map(amount).collect()
}

fn product(code: String, fields: &FieldValues) -> Product {
    let mut damaged = Vec::new();
    let (name_zh, name_en) = (text(fields, "zh", &mut damaged), text(fields, "en", &mut damaged));
    let (mut price_by_grade, mut price_conflicts) = (BTreeMap::new(), BTreeMap::new());
    for (field, values) in fields {
        let Some(name) = field.strip_prefix("price/") else { continue };
        let amounts = amounts(values);
        match (name.parse::<PriceName>(), amounts.last()) {
            (Ok(name), Some(shown)) => {
                price_by_grade.insert(name.clone(), *shown);
                if amounts.len() > 1 {
                    price_conflicts.insert(name, amounts);
                }
            }
            _ => damaged.push("price"),
        }
    }
    let surplus_tolerated = match fields.get("tolerance").and_then(|values| values.last()) {
        Some(ScalarOrText::Integer(permille)) => Permille::new(*permille).ok(),
        _ => None,
    };
    let is_usual = |value: &ScalarOrText| matches!(value, ScalarOrText::Text(text) if text.is_empty());
    let says_usual = fields.get("tolerance").and_then(|values| values.last()).is_none_or(is_usual);
    if surplus_tolerated.is_none() && !says_usual {
        damaged.push("tolerance");
    }
    let until = |field: &String| {
        let name = field.strip_prefix("until/")?.parse::<PriceName>().ok()?;
        Some((name, optional_day(fields, field)?))
    };
    let price_until = fields.keys().filter_map(until).collect();
    let ended = optional_day(fields, "ended");
    Product { code, name_zh, name_en, price_by_grade, price_conflicts, surplus_tolerated, price_until, ended, damaged }
}

fn promotion(code: String, fields: &FieldValues) -> Promotion {
    let mut damaged = Vec::new();
    let title = text(fields, "title", &mut damaged);
    let day = text(fields, "day", &mut damaged).and_then(|day| day.parse().ok());
    let mut offers = BTreeMap::new();
    for (field, values) in fields {
        let Some(product) = field.strip_prefix("offer/") else { continue };
        match amounts(values).last() {
            Some(fen) => drop(offers.insert(product.to_owned(), *fen)),
            None => damaged.push("offer"),
        }
    }
    let offer_ended =
        |field: &String| Some((field.strip_prefix("offer-ended/")?.to_owned(), optional_day(fields, field)?));
    let offers_ended = fields.keys().filter_map(offer_ended).collect();
    let ended = optional_day(fields, "ended");
    Promotion { code, title, day, offers, offers_ended, ended, damaged }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;
    use crate::quantities::Instant;
    use crate::schema::{DocumentKey, Part};

    #[test]
    fn product_added_concurrently_keeps_both_edits() {
        let mut one = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let mut two = one.clone();
        let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 9]).unwrap());
        let grade = |grade: &str| PriceName::new(grade.into(), None).unwrap();
        let fen = |fen| Fen::new(fen).unwrap();
        let ((), first) =
            one.edit(&actors[0], Instant(0), |doc| set_price(doc, "millet", &grade("A"), fen(760))).unwrap();
        let ((), second) =
            two.edit(&actors[1], Instant(0), |doc| name_product(doc, "millet", "小米", "Millet")).unwrap();
        one.apply(&[second.unwrap()]).unwrap();
        two.apply(&[first.unwrap()]).unwrap();
        assert_eq!(read(&one), read(&two));
        let product = &read(&one).products[0];
        assert_eq!((product.name_en.as_deref(), product.price_by_grade[&grade("A")]), (Some("Millet"), fen(760)));
        assert!(product.damaged.is_empty());
    }

    #[test]
    fn latest_valid_price_counts() {
        let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let actor = ActorId::from_bytes(&[1; 9]).unwrap();
        for (name, fen) in [("A", 700), ("A@2026-10-10", 760), ("A@2026-11-01", 800), ("B", 500)] {
            let (name, fen) = (name.parse().unwrap(), Fen::new(fen).unwrap());
            document.edit(&actor, Instant(0), |doc| set_price(doc, "millet", &name, fen)).unwrap();
        }
        let product = &read(&document).products[0];
        let on = |day: &str| product.price_on("A", day.parse().unwrap()).map(Fen::get);
        assert_eq!([on("2026-09-30"), on("2026-10-10"), on("2026-12-01")], [Some(700), Some(760), Some(800)]);
        assert_eq!(product.price_on("C", "2026-10-01".parse().unwrap()), None);
    }

    #[test]
    fn what_is_ended_holds_until_its_day_and_can_be_taken_up_again() {
        let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        let actor = ActorId::from_bytes(&[1; 9]).unwrap();
        let day = |text: &str| text.parse::<Day>().unwrap();
        let (first, second): (PriceName, PriceName) = ("A".parse().unwrap(), "A@2026-11-01".parse().unwrap());
        let edit = |document: &mut Document, edit: &dyn Fn(&mut AutoCommit) -> Result<(), DocumentFault>| {
            document.edit(&actor, Instant(0), |doc| edit(doc)).unwrap();
        };
        edit(&mut document, &|doc| {
            name_product(doc, "millet", "小米", "Millet")?;
            set_price(doc, "millet", &first, Fen::new(620)?)?;
            set_price(doc, "millet", &second, Fen::new(650)?)?;
            plan_promotion(doc, "eleven", "Double Eleven", day("2026-11-11"))?;
            offer(doc, "eleven", "millet", Fen::new(900)?)
        });
        let millet = |document: &Document| read(document).products.remove(0);
        let price = |document: &Document, on| millet(document).price_on("A", day(on)).map(Fen::get);

        edit(&mut document, &|doc| end_price(doc, "millet", &second, Some(day("2026-11-20"))));
        assert_eq!([price(&document, "2026-11-20"), price(&document, "2026-11-21")], [Some(650), None]);
        assert!(millet(&document).grades_from(day("2026-11-21")).is_empty());
        edit(&mut document, &|doc| end_price(doc, "millet", &second, Some(day("2026-10-31"))));
        assert_eq!(price(&document, "2026-11-21"), Some(620), "one that was called off leaves the one before it");
        edit(&mut document, &|doc| end_price(doc, "millet", &second, None));
        assert_eq!(price(&document, "2026-11-21"), Some(650), "taken up again");

        edit(&mut document, &|doc| {
            end_product(doc, "millet", Some(day("2026-12-01")))?;
            end_offer(doc, "eleven", "millet", Some(day("2026-11-02")))?;
            end_promotion(doc, "eleven", Some(day("2026-11-03")))
        });
        let ended = millet(&document);
        assert_eq!([day("2026-11-30"), day("2026-12-01")].map(|day| ended.is_offered_on(day)), [true, false]);
        assert_eq!(ended.name_zh.as_deref(), Some("小米"), "old lots keep its name");
        let promotion = read(&document).promotions.remove(0);
        assert_eq!((promotion.offers_ended["millet"], promotion.ended), (day("2026-11-02"), Some(day("2026-11-03"))));
        edit(&mut document, &|doc| end_product(doc, "millet", None));
        assert_eq!(millet(&document).ended, None);
    }
}
