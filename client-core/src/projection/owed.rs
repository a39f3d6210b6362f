//! What a household is owed so far, as far as these rows can tell: the warehouse's weight at the price of the warehouse's
//! grade on the day of receipt, rounded to the fen once for each lot. Deductions and bonuses are settled later.

use std::collections::BTreeMap;

use super::lot_rows::{LotRow, LotState};
use crate::quantities::Fen;
use crate::schema::catalogue::Catalogue;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owed {
    /// What the received lots are worth, in fen.
    pub fen: i64,
    /// What was paid in advance, in fen.
    pub advances_fen: i64,
    /// By product, in the order of their codes.
    pub products: Vec<OwedFor>,
    /// Received lots whose product and grade have no price on that day.
    pub without_price: u64,
    /// Lots that the warehouse has not received or sent back.
    pub not_weighed: u64,
}

/// What one product is worth.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwedFor {
    /// The product's code.
    pub product: String,
    /// Received lots that have a price.
    pub lots: u64,
    /// Their weight, in grams.
    pub grams: i64,
    /// Their worth, in fen.
    pub fen: i64,
}

/// The price of a kilogram that a received lot is paid by: of its grade on the day it was received; none before that, and where
/// there is no price.
pub fn price_of(lot: &LotRow, catalogue: &Catalogue) -> Option<Fen> {
    if lot.state != LotState::Received {
        return None;
    }
    let product = catalogue.products.iter().find(|product| product.code == lot.product)?;
    let grade = if lot.weighed_grade.is_empty() { &lot.grade } else { &lot.weighed_grade };
    product.price_on(grade, lot.weighed_day.or(lot.day)?)
}

/// What a received lot is worth, in fen; none without a price.
pub fn worth(lot: &LotRow, catalogue: &Catalogue) -> Option<i64> {
    let price = price_of(lot, catalogue)?;
    price.for_grams(lot.weighed_grams?)
}

/// What these lots of one household come to, and what was paid in advance.
pub fn owed(lots: &[LotRow], catalogue: &Catalogue, advances: impl Iterator<Item = Fen>) -> Owed {
    let mut owed = Owed {
        advances_fen: advances.map(Fen::get).fold(0, i64::saturating_add),
        not_weighed: count(lots, |lot| lot.state == LotState::Recorded),
        ..Owed::default()
    };
    let mut products: BTreeMap<&str, OwedFor> = BTreeMap::new();
    for lot in lots.iter().filter(|lot| lot.state == LotState::Received) {
        let Some(fen) = worth(lot, catalogue) else {
            owed.without_price = owed.without_price.saturating_add(1);
            continue;
        };
        owed.fen = owed.fen.saturating_add(fen);
        let of = products.entry(&lot.product).or_default();
        of.lots = of.lots.saturating_add(1);
        of.grams = of.grams.saturating_add(lot.weighed_grams.unwrap_or(0));
        of.fen = of.fen.saturating_add(fen);
    }
    owed.products = products.into_iter().map(|(product, of)| OwedFor { product: product.to_owned(), ..of }).collect();
    owed
}

fn count(lots: &[LotRow], is: impl Fn(&LotRow) -> bool) -> u64 {
    u64::try_from(lots.iter().filter(|lot| is(lot)).count()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::HouseholdId;
    use crate::quantities::Day;
    use crate::schema::catalogue::{PriceName, Product};
    use crate::schema::{Book, DocumentKey, LotId, Season};

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn lot(state: LotState, grams: i64, grade: &str, weighed_grade: &str) -> LotRow {
        let household = HouseholdId::from_bytes([7; 16]);
        let book = DocumentKey::HarvestBook(Book::first(household, Season::new(2026).unwrap()));
        LotRow {
            household,
            household_name: String::new(),
            village: String::new(),
            season: 2026,
            lot: LotId::in_book(&book, "1@0707070707070707".parse().unwrap()).unwrap(),
            product: "millet".into(),
            grams: Some(grams),
            grade: grade.into(),
            moisture: None,
            day: Some(day("2026-10-03")),
            place: String::new(),
            note: String::new(),
            state,
            weighed_grams: (state == LotState::Received).then_some(grams),
            weighed_grade: weighed_grade.into(),
            weighed_day: Some(day("2026-11-02")),
            reason: String::new(),
            merged_into: None,
            in_conflict: false,
            receipt_in_conflict: false,
            is_damaged: false,
            held: None,
        }
    }

    fn catalogue() -> Catalogue {
        let price = |grade: &str, from: Option<&str>, fen| {
            (PriceName::new(grade.into(), from.map(day)).unwrap(), Fen::new(fen).unwrap())
        };
        let prices = [price("A", None, 620), price("A", Some("2026-11-01"), 650), price("B", None, 500)];
        let millet = Product {
            code: "millet".into(),
            name_zh: None,
            name_en: None,
            price_by_grade: prices.into(),
            price_conflicts: BTreeMap::new(),
            surplus_tolerated: None,
            price_until: BTreeMap::new(),
            ended: None,
            damaged: Vec::new(),
        };
        Catalogue { products: vec![millet], ..Catalogue::default() }
    }

    #[test]
    fn warehouses_grade_and_day_of_receipt_decide_the_price() {
        let lots = [lot(LotState::Received, 12_345, "A", "B"), lot(LotState::Received, 1_001, "A", "")];
        let owed = owed(&lots, &catalogue(), [Fen::new(1_000).unwrap()].into_iter());
        // 12.345 kg at ¥5.00, and 1.001 kg at ¥6.50, each rounded to the fen.
        assert_eq!((owed.fen, owed.advances_fen), (6_173 + 651, 1_000));
        assert_eq!(owed.products, [OwedFor { product: "millet".into(), lots: 2, grams: 13_346, fen: 6_824 }]);
    }

    #[test]
    fn what_has_no_price_or_weight_is_told_apart() {
        let lots = [
            lot(LotState::Received, 1_000, "C", ""),
            lot(LotState::Recorded, 1_000, "A", ""),
            lot(LotState::Rejected, 1_000, "A", ""),
        ];
        let owed = owed(&lots, &catalogue(), [].into_iter());
        assert_eq!((owed.fen, owed.without_price, owed.not_weighed), (0, 1, 1));
    }
}
