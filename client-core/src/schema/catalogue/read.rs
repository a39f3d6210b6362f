//! Reads the catalogue from its parts: every field's concurrent values by code, and products and promotions of these.

use std::collections::BTreeMap;

use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, Value};
use serde::{Deserialize, Serialize};

use super::{Catalogue, PriceName, Product, Promotion};
use crate::quantities::{Day, Fen, Permille};
use crate::schema::key::Document;
use crate::schema::sku;
use crate::schema::view::part;

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
