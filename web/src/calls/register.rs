//! What the co-operative tells its phones: products, prices, places, announcements, and what a household is owed.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::projection::LotFilter;
use granary_client_core::quantities::Day;
use granary_client_core::schema::CardNumber;
use granary_client_core::schema::access::ListedHousehold;
use granary_client_core::schema::catalogue::Product;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Arguments, household_if_any};
use crate::answer::Failure;
use crate::phone::WebPhone;

/// `catalogue`: the products, those that the household records most first, and what else everybody is told.
pub(super) fn catalogue(phone: &WebPhone) -> Result<Value, Failure> {
    let core = &phone.phone;
    let catalogue = core.catalogue()?.unwrap_or_default();
    let cooperative = core.cooperative()?;
    let mut recorded: BTreeMap<String, i64> = BTreeMap::new();
    if let Some(household) = household_if_any(phone, None)? {
        let own = LotFilter { household: Some(household), ..LotFilter::default() };
        recorded.extend(core.totals(&own)?.into_iter().map(|total| (total.name, total.lots)));
    }
    let mut products: Vec<(i64, &Product)> =
        catalogue.products.iter().map(|product| (recorded.get(&product.code).copied().unwrap_or(0), product)).collect();
    products.sort_by_key(|(lots, _)| std::cmp::Reverse(*lots));
    let named = |pairs: &[(String, String)]| -> Vec<Value> {
        pairs.iter().map(|(code, name)| json!({"code": code, "name": name})).collect()
    };
    let announcements: Vec<Value> = cooperative
        .iter()
        .flat_map(|cooperative| cooperative.announcements.iter().rev())
        .map(|(day, text)| json!({"day": day.map(|day| day.to_string()), "text": text}))
        .collect();
    Ok(json!({
        "products": products.into_iter().map(|(lots, product)| shown(product, lots, core.today())).collect::<Vec<_>>(),
        "places": cooperative.as_ref().map(|cooperative| named(&cooperative.places)).unwrap_or_default(),
        "villages": cooperative.as_ref().map(|cooperative| named(&cooperative.villages)).unwrap_or_default(),
        "announcements": announcements,
        "cooperative": cooperative.map(|cooperative| json!({
            "phone": cooperative.phone,
            "address": cooperative.address,
            "about": cooperative.about,
        })),
    }))
}

fn shown(product: &Product, lots: i64, today: Day) -> Value {
    let grades: BTreeSet<&str> = product.grades_from(today).into_iter().filter(|grade| !grade.is_empty()).collect();
    let price =
        |(name, fen): (&granary_client_core::schema::catalogue::PriceName, &granary_client_core::quantities::Fen)| {
            let until = product.price_until.get(name).map(|day| day.to_string());
            json!({"grade": name.grade, "from": name.from.map(|day| day.to_string()), "until": until, "fen": fen.get()})
        };
    // Prices that were called off before their first day say nothing.
    let prices = product.price_by_grade.iter().filter(|(name, _)| !product.never_holds(name));
    json!({
        "code": product.code,
        "nameZh": product.name_zh,
        "nameEn": product.name_en,
        "grades": grades,
        "prices": prices.map(price).collect::<Vec<_>>(),
        // Old lots keep its name; new ones are not recorded of it.
        "offered": product.is_offered_on(today),
        "usual": lots,
    })
}

#[derive(Deserialize)]
struct Searched {
    #[serde(default)]
    search: String,
}

/// `people`: for whom this phone may record, by village and name; those with a text in their name, or the one whose card says it.
pub(super) fn people(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let Searched { search } = arguments.read()?;
    let shown = |one: ListedHousehold| {
        json!({
            "household": one.household.to_string(),
            "name": one.name,
            "village": one.village,
            "number": CardNumber::of(one.household).to_string(),
        })
    };
    let people: Vec<Value> = phone.phone.people(&search)?.into_iter().map(shown).collect();
    Ok(json!({"people": people, "isCard": search.parse::<CardNumber>().is_ok()}))
}

/// `owed`: what the phone's household is owed so far.
pub(super) fn owed(phone: &WebPhone) -> Result<Value, Failure> {
    let household = phone.phone.household_or(None)?;
    let owed = phone.phone.owed(household)?;
    let products: Vec<Value> = owed
        .products
        .iter()
        .map(|of| json!({"product": of.product, "lots": of.lots, "grams": of.grams, "fen": of.fen}))
        .collect();
    Ok(json!({
        "fen": owed.fen,
        "advancesFen": owed.advances_fen,
        "withoutPrice": owed.without_price,
        "notWeighed": owed.not_weighed,
        "weighedLots": owed.products.iter().map(|of| of.lots).fold(0, u64::saturating_add),
        "byProduct": products,
    }))
}
