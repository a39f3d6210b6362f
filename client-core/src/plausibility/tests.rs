use super::*;
use crate::quantities::Fen;

fn catalogue() -> Catalogue {
    let product = |code: &str, zh: &str, en: &str| Product {
        code: code.into(),
        name_zh: Some(zh.into()),
        name_en: Some(en.into()),
        price_by_grade: [
            ("A".parse().unwrap(), Fen::new(760).unwrap()),
            ("B@2026-11-01".parse().unwrap(), Fen::new(600).unwrap()),
        ]
        .into(),
        price_conflicts: Default::default(),
        damaged: Vec::new(),
    };
    Catalogue {
        products: vec![product("ginger", "生姜", "Ginger"), product("millet", "小米", "Millet")],
        promotions: Vec::new(),
    }
}

fn found(product: &str, grams: i64, grade: &str, day: &str, earlier: &[i64]) -> Vec<Unusual> {
    let catalogue = catalogue();
    let usual = Usual {
        catalogue: Some(&catalogue),
        today: Some("2026-11-26".parse().unwrap()),
        season: Season::new(2026),
        weights: UsualWeights::after(earlier.to_vec()).unwrap_or_default(),
    };
    unusual(&Facts { product, quantity: Grams::new(grams).ok(), grade, day: day.parse().ok() }, &usual)
}

#[test]
fn an_unknown_product_is_asked_back_with_what_was_meant() {
    for (given, code) in [
        ("milet", Some("millet")),
        ("mlilet", Some("millet")),
        ("Millet", Some("millet")),
        ("小米", Some("millet")),
        ("gingr", Some("ginger")),
        ("rice", None),
        ("x", None),
    ] {
        let meant = code.map(str::to_owned);
        assert_eq!(found(given, 10_000, "A", "2026-11-20", &[]), [Unusual::Product { product: given.into(), meant }]);
    }
    assert_eq!(
        found("milet", 10_000, "", "2026-11-20", &[])[0].to_string(),
        "the catalogue has no product \"milet\"; did you mean millet?"
    );
    assert!(found("millet", 10_000, "A", "2026-11-20", &[]).is_empty());
}

#[test]
fn unknown_grades_and_days_elsewhere_are_asked_back() {
    let known = vec!["A".to_owned(), "B".to_owned()];
    assert_eq!(found("millet", 10_000, "C", "2026-11-20", &[]), [Unusual::Grade { grade: "C".into(), known }]);
    assert!(found("millet", 10_000, "", "2026-11-26", &[]).is_empty());
    let codes = |day: &str| found("millet", 10_000, "B", day, &[]).iter().map(Unusual::code).collect::<Vec<_>>();
    assert_eq!(codes("2026-11-27"), ["day-in-the-future"]);
    assert_eq!(codes("2027-01-01"), ["day-in-the-future"]);
    assert_eq!(codes("2025-11-20"), ["day-in-another-season"]);
}

#[test]
fn weights_far_from_usual_are_asked_back() {
    let earlier = [20_000, 25_000, 31_000, 18_000, 40_000, 22_000];
    let is_odd = |grams, earlier: &[i64]| !found("millet", grams, "A", "2026-11-20", earlier).is_empty();
    for usual in [1_000, 12_500, 100_000, 150_000] {
        assert!(!is_odd(usual, &earlier), "{usual}");
    }
    // Kilograms typed as tonnes, grams as kilograms; a bare 25 in a field of grams.
    for odd in [25_000_000, 250_000, 25] {
        assert!(is_odd(odd, &earlier), "{odd}");
    }
    // One wrong lot does not make the next one usual.
    assert!(is_odd(25_000_000, &[20_000, 25_000, 31_000, 18_000, 40_000, 22_000, 25_000_000]));
    // Nothing is known yet: only what no household brings at once.
    assert!(!is_odd(1_000_000, &[]) && is_odd(12_500_000, &[]) && is_odd(12, &[]));
}

#[test]
fn few_lots_and_lots_of_other_products_bound_roughly() {
    let is_odd = |grams, earlier: &[i64]| {
        let usual = Usual { weights: UsualWeights::roughly_after(earlier).unwrap_or_default(), ..Usual::default() };
        let facts = Facts { product: "dates", quantity: Grams::new(grams).ok(), grade: "", day: None };
        !unusual(&facts, &usual).is_empty()
    };
    // Kilograms typed as tonnes, of a household whose only lots weigh 20 and 31 kg.
    assert!(is_odd(2_500_000, &[20_000, 31_000]) && is_odd(99, &[20_000]));
    for fine in [500, 25_000, 400_000] {
        assert!(!is_odd(fine, &[20_000, 31_000]), "{fine}");
    }
    // Never wider than where nothing is known.
    assert!(is_odd(6_000_000, &[4_000_000]) && !is_odd(4_900_000, &[4_000_000]) && is_odd(50, &[200]));
}

#[test]
fn unknown_household_is_asked_back_with_what_was_meant() {
    let id = |last: u8| HouseholdId::from_bytes([7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, last]);
    let known = [(id(0x21), "张桂英家".to_owned()), (HouseholdId::from_bytes([9; 16]), String::new())];
    assert_eq!(unknown_household(id(0x21), &known), None);
    assert_eq!(unknown_household(id(0x22), &[]), None, "nothing is known yet");
    let asked = unknown_household(id(0x22), &known).unwrap();
    assert!(asked.to_string().contains(&format!("did you mean {} (张桂英家)?", id(0x21))), "{asked}");
    let far = unknown_household(HouseholdId::from_bytes([0x55; 16]), &known).unwrap();
    assert!(!far.to_string().contains("mean"), "{far}");
}

#[test]
fn without_catalogue_and_clock_nothing_is_unknown() {
    let lot = Facts { product: "milet", quantity: None, grade: "Z", day: "1970-01-01".parse().ok() };
    assert!(unusual(&lot, &Usual::default()).is_empty());
}
