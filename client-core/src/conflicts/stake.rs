//! What a case is about in money: the difference between what the household would be paid for one value and for the other, at the
//! price of the lot's product and grade on its day.

use crate::plausibility::Facts;
use crate::quantities::{Day, Fen, Grams};
use crate::schema::harvest::LotEdit;
use crate::schema::receipt::{Outcome, Weighing};

/// The price of a kilogram of this product and grade on this day; none where there is none.
pub type PriceOf<'a> = dyn Fn(&str, &str, Day) -> Option<Fen> + 'a;

/// What a lot of these facts is paid; none without a weight, a day or a price.
fn amount(facts: &Facts<'_>, price_of: &PriceOf<'_>) -> Option<i64> {
    price_of(facts.product, facts.grade, facts.day?)?.for_grams(facts.quantity?.get())
}

/// The greatest less the least of them; none of fewer than two.
fn range(values: impl IntoIterator<Item = i64>) -> Option<i64> {
    let values: Vec<i64> = values.into_iter().collect();
    let (most, least) = (values.iter().max()?, values.iter().min()?);
    if values.len() < 2 { None } else { most.checked_sub(*least) }
}

fn with<'a>(facts: &Facts<'a>, edit: &'a LotEdit) -> Facts<'a> {
    let facts = *facts;
    match edit {
        LotEdit::Product(product) => Facts { product, ..facts },
        LotEdit::Quantity(grams) => Facts { quantity: Some(*grams), ..facts },
        LotEdit::Grade(grade) => Facts { grade, ..facts },
        LotEdit::Day(day) => Facts { day: Some(*day), ..facts },
        LotEdit::Place(place) => Facts { place, ..facts },
        LotEdit::Moisture(_) | LotEdit::Note(_) => facts,
    }
}

/// What is at stake, in fen, where a field of a lot has these values: of weights their difference at the lot's price, of grades,
/// products and days the difference of the prices for its weight. None for other fields, and where fewer than two values have a
/// price.
pub fn field_at_stake<'v>(
    facts: &Facts<'_>,
    field: &str,
    values: impl IntoIterator<Item = &'v str>,
    price_of: &PriceOf<'_>,
) -> Option<Fen> {
    let edits: Vec<LotEdit> = values.into_iter().filter_map(|value| LotEdit::parse(field, value).ok()).collect();
    let fen = match field {
        "grams" => {
            let grams = edits.iter().filter_map(|edit| with(facts, edit).quantity).map(Grams::get);
            price_of(facts.product, facts.grade, facts.day?)?.for_grams(range(grams)?)?
        }
        "grade" | "product" | "day" => range(edits.iter().filter_map(|edit| amount(&with(facts, edit), price_of)))?,
        _ => return None,
    };
    Fen::new(fen).ok()
}

/// What is at stake, in fen, where two lots look like one: what the smaller one is paid.
pub fn twice_at_stake(one: &Facts<'_>, other: &Facts<'_>, price_of: &PriceOf<'_>) -> Option<Fen> {
    let (one, other) = (amount(one, price_of), amount(other, price_of));
    Fen::new(one.into_iter().chain(other).min()?).ok()
}

/// What is at stake, in fen, where this much was weighed: the difference to what was recorded.
pub fn weight_at_stake(facts: &Facts<'_>, weighed: Grams, price_of: &PriceOf<'_>) -> Option<Fen> {
    let grams = range([facts.quantity?.get(), weighed.get()])?;
    Fen::new(price_of(facts.product, facts.grade, facts.day?)?.for_grams(grams)?).ok()
}

/// What is at stake, in fen, where a lot has these receipts: the difference of what they are paid, nothing where it was sent back.
/// `facts` are the household's own, whose grade counts where a receipt has none.
pub fn receipt_at_stake<'v>(
    facts: &Facts<'_>,
    values: impl IntoIterator<Item = &'v str>,
    price_of: &PriceOf<'_>,
) -> Option<Fen> {
    let paid = |weighing: Weighing| match weighing.outcome {
        Outcome::Rejected { .. } => Some(0),
        Outcome::Received { weighed, grade } => {
            let grade = if grade.is_empty() { facts.grade } else { &grade };
            amount(&Facts { quantity: Some(weighed), grade, day: weighing.day.or(facts.day), ..*facts }, price_of)
        }
    };
    Fen::new(range(values.into_iter().filter_map(|value| paid(Weighing::parse(value).ok()?)))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(grams: i64, grade: &str) -> Facts<'_> {
        let day = "2026-10-03".parse().ok();
        Facts { product: "millet", quantity: Grams::new(grams).ok(), grade, day, place: "" }
    }

    fn price(product: &str, grade: &str, day: Day) -> Option<Fen> {
        let fen = match (product, grade) {
            ("millet", "A") if day >= "2026-10-10".parse().unwrap() => 800,
            ("millet", "A") => 760,
            ("millet", "B") => 500,
            ("walnut", _) => 2_000,
            _ => return None,
        };
        Fen::new(fen).ok()
    }

    fn fen(stake: Option<Fen>) -> Option<i64> {
        stake.map(Fen::get)
    }

    #[test]
    fn weights_grades_products_and_days_have_a_value_at_stake() {
        let at_stake =
            |field: &str, values: &[&str]| fen(field_at_stake(&facts(10_000, "A"), field, values.to_vec(), &price));
        assert_eq!(at_stake("grams", &["10000", "12000", "11000"]), Some(1_520));
        assert_eq!(at_stake("grade", &["A", "B"]), Some(2_600));
        assert_eq!(at_stake("product", &["millet", "walnut"]), Some(12_400));
        assert_eq!(at_stake("day", &["2026-10-03", "2026-10-10"]), Some(400));
        for (field, values) in
            [("note", ["a", "b"]), ("place", ["a", "b"]), ("moisture", ["120", "130"]), ("grade", ["A", "Z"])]
        {
            assert_eq!(at_stake(field, &values), None, "{field}");
        }
        assert_eq!(fen(field_at_stake(&facts(10_000, "Z"), "grams", ["1", "2"], &price)), None, "no price");
    }

    #[test]
    fn smaller_of_two_lots_and_the_surplus_are_at_stake() {
        assert_eq!(fen(twice_at_stake(&facts(10_000, "A"), &facts(10_100, "A"), &price)), Some(7_600));
        assert_eq!(fen(twice_at_stake(&facts(10_000, "Z"), &facts(10_100, "A"), &price)), Some(7_676));
        assert_eq!(fen(weight_at_stake(&facts(10_000, "A"), Grams::new(10_500).unwrap(), &price)), Some(380));
    }

    #[test]
    fn difference_of_what_two_receipts_are_paid_is_at_stake() {
        let at_stake = |values: &[&str]| fen(receipt_at_stake(&facts(12_000, "A"), values.iter().copied(), &price));
        assert_eq!(at_stake(&["received 2026-10-03 11800 A", "received 2026-10-03 11000 B"]), Some(8_968 - 5_500));
        assert_eq!(at_stake(&["received 2026-10-03 11000 B", "rejected 2026-10-03 wet"]), Some(5_500));
        assert_eq!(at_stake(&["received 2026-10-03 11000", "received 2026-10-03 12000"]), Some(760), "own grade");
        assert_eq!(at_stake(&["received 2026-10-03 11000 Z", "received 2026-10-03 12000 A"]), None, "no price");
    }

    proptest! {
        #[test]
        fn order_of_values_does_not_matter_and_nothing_overflows(
            first in 1i64..=1_000_000_000, second in 1i64..=1_000_000_000, per_kilogram in 0i64..=100_000_000_000,
        ) {
            let price = move |_: &str, _: &str, _: Day| Fen::new(per_kilogram).ok();
            let (one, two) = (first.to_string(), second.to_string());
            let at_stake = field_at_stake(&facts(1, ""), "grams", [one.as_str(), two.as_str()], &price);
            prop_assert_eq!(at_stake, field_at_stake(&facts(9, ""), "grams", [two.as_str(), one.as_str()], &price));
            prop_assert_eq!(at_stake, weight_at_stake(&facts(first, ""), Grams::new(second).unwrap(), &price));
            let (left, right) = (facts(first, ""), facts(second, ""));
            prop_assert_eq!(twice_at_stake(&left, &right, &price), twice_at_stake(&right, &left, &price));
            if first == second {
                prop_assert_eq!(at_stake.map(Fen::get), Some(0));
            }
        }
    }
}
