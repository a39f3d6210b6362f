//! The catalogue: products with names by language, unit and prices by grade, and live-stream
//! promotions with their offers.

use std::collections::BTreeMap;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ReadDoc, Value};

use super::document::{Document, DocumentFault};
use super::view::{Fields, maps_in_map, part};
use crate::quantities::{Day, Fen, checked_text};

/// A product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its code, such as `millet`.
    pub code: String,
    /// Its Chinese name.
    pub name_zh: Option<String>,
    /// Its English name.
    pub name_en: Option<String>,
    /// What the household is paid for a kilogram, by grade.
    pub price_by_grade: BTreeMap<String, Fen>,
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
    /// What a buyer pays for a kilogram, by product code.
    pub offers: BTreeMap<String, Fen>,
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
}

/// The map of this code in `part_name`, made when it is not there.
fn entry(automerge: &mut AutoCommit, part_name: &'static str, code: &str) -> Result<automerge::ObjId, DocumentFault> {
    let code = checked_text("a code", code, 64)?;
    let map = part(automerge, part_name, ObjType::Map).ok_or(DocumentFault::Damaged(part_name))?;
    child(automerge, &map, &code)
}

fn child(automerge: &mut AutoCommit, map: &automerge::ObjId, name: &str) -> Result<automerge::ObjId, DocumentFault> {
    match automerge.get(map, name)? {
        Some((Value::Object(ObjType::Map), id)) => Ok(id),
        _ => Ok(automerge.put_object(map, name, ObjType::Map)?),
    }
}

/// Adds a product or renames it.
pub fn name_product(automerge: &mut AutoCommit, code: &str, zh: &str, en: &str) -> Result<(), DocumentFault> {
    let product = entry(automerge, "products", code)?;
    automerge.put(&product, "zh", checked_text("a product's name", zh, 64)?)?;
    automerge.put(&product, "en", checked_text("a product's name", en, 64)?)?;
    Ok(())
}

/// Sets what a household is paid for a kilogram of a product of this grade.
pub fn set_price(automerge: &mut AutoCommit, code: &str, grade: &str, per_kilogram: Fen) -> Result<(), DocumentFault> {
    let product = entry(automerge, "products", code)?;
    let prices = child(automerge, &product, "prices")?;
    automerge.put(&prices, checked_text("a grade", grade, 64)?, per_kilogram.get())?;
    Ok(())
}

/// Plans a promotion or changes its title and day.
pub fn plan_promotion(automerge: &mut AutoCommit, code: &str, title: &str, day: Day) -> Result<(), DocumentFault> {
    let promotion = entry(automerge, "promotions", code)?;
    automerge.put(&promotion, "title", checked_text("a title", title, 120)?)?;
    automerge.put(&promotion, "day", day.to_string())?;
    Ok(())
}

/// Offers a product in a promotion at this price for a kilogram.
pub fn offer(automerge: &mut AutoCommit, code: &str, product: &str, per_kilogram: Fen) -> Result<(), DocumentFault> {
    let promotion = entry(automerge, "promotions", code)?;
    let offers = child(automerge, &promotion, "offers")?;
    automerge.put(&offers, checked_text("a product's code", product, 64)?, per_kilogram.get())?;
    Ok(())
}

/// Reads the catalogue.
pub fn read(document: &Document) -> Catalogue {
    let automerge = document.automerge();
    let maps = |name| part(automerge, name, ObjType::Map).map(|map| maps_in_map(automerge, &map)).unwrap_or_default();
    let products = maps("products")
        .into_iter()
        .map(|(code, object)| {
            let mut damaged = Vec::new();
            let price_by_grade = money_map(automerge, &object, "prices", &mut damaged);
            let mut fields = Fields::new(automerge, object);
            let (name_zh, name_en) = (fields.text("zh"), fields.text("en"));
            damaged.extend(fields.damaged());
            Product { code, name_zh, name_en, price_by_grade, damaged }
        })
        .collect();
    let promotions = maps("promotions")
        .into_iter()
        .map(|(code, object)| {
            let mut damaged = Vec::new();
            let offers = money_map(automerge, &object, "offers", &mut damaged);
            let mut fields = Fields::new(automerge, object);
            let title = fields.text("title");
            let day = fields.parsed("day", |day| day.parse().ok());
            damaged.extend(fields.damaged());
            Promotion { code, title, day, offers, damaged }
        })
        .collect();
    Catalogue { products, promotions }
}

fn money_map(
    automerge: &AutoCommit,
    object: &automerge::ObjId,
    name: &'static str,
    damaged: &mut Vec<&'static str>,
) -> BTreeMap<String, Fen> {
    let Ok(Some((Value::Object(ObjType::Map), map))) = automerge.get(object, name) else { return BTreeMap::new() };
    let mut prices = BTreeMap::new();
    for key in automerge.keys(&map) {
        let fen = match automerge.get(&map, key.as_str()) {
            Ok(Some((value, _))) => value.as_i64().and_then(|fen| Fen::new(fen).ok()),
            _ => None,
        };
        match fen {
            Some(fen) => drop(prices.insert(key, fen)),
            None => damaged.push(name),
        }
    }
    prices
}
