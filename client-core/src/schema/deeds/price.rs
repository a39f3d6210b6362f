//! What a price takes the place of.

use super::Earlier;
use crate::quantities::Fen;
use crate::schema::catalogue::{PriceName, Product};

/// The price that held for the grade on the first day of this one, in fen; empty for none. The path is that of the price's field.
pub(super) fn until_then(path: &str, name: &str, earlier: &Earlier) -> String {
    let Ok(PriceName { grade, from: Some(day) }) = name.parse() else { return String::new() };
    let Some(product) = path.strip_suffix(&format!("price/{name}")) else { return String::new() };
    let mut prices = Product::default();
    for (field, value) in &earlier.fields {
        let Some(field) = field.strip_prefix(product).filter(|_| field != path) else { continue };
        if let Some(Ok(other)) = field.strip_prefix("price/").map(str::parse::<PriceName>) {
            prices.price_by_grade.extend(value.parse().ok().and_then(|fen| Fen::new(fen).ok()).map(|fen| (other, fen)));
        } else if let Some(Ok(other)) = field.strip_prefix("until/").map(str::parse::<PriceName>) {
            prices.price_until.extend(value.parse().ok().map(|day| (other, day)));
        }
    }
    prices.price_on(&grade, day).map(|fen| fen.get().to_string()).unwrap_or_default()
}
