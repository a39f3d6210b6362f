//! Edits of the catalogue: each writes fields of one product or one promotion.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType};

use super::{PriceName, SLASH_IN_CODE};
use crate::crdt::DocumentFault;
use crate::quantities::{Day, Fen, Permille, TextField, checked_text};
use crate::schema::view::part;

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
