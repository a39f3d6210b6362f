use super::*;
use crate::quantities::Fen;
use crate::schema::LotId;
use crate::schema::harvest::LotEdit;

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
        surplus_tolerated: None,
        price_until: Default::default(),
        ended: None,
        damaged: Vec::new(),
    };
    Catalogue {
        products: vec![product("ginger", "生姜", "Ginger"), product("millet", "小米", "Millet")],
        ..Catalogue::default()
    }
}

fn found(product: &str, grams: i64, grade: &str, day: &str, earlier: &[i64]) -> Vec<Unusual> {
    let catalogue = catalogue();
    let usual = Usual {
        catalogue: Some(&catalogue),
        today: Some("2026-11-26".parse().unwrap()),
        season: Season::new(2026),
        places: &[],
        earlier: Earlier::of(&lots(product, earlier), product, "", None),
    };
    unusual(&Facts { product, quantity: Grams::new(grams).ok(), grade, day: day.parse().ok(), place: "" }, &usual)
}

/// Lots of a household with these weights.
fn lots(product: &str, grams: &[i64]) -> Vec<EarlierLot> {
    let lot = |grams: &i64| EarlierLot {
        lot: None,
        product: product.to_owned(),
        grams: Some(*grams),
        place: "xihe".to_owned(),
    };
    grams.iter().map(lot).collect()
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
        let earlier = Earlier { has_product: true, ..Earlier::of(&lots("millet", earlier), "dates", "", None) };
        let facts = Facts { product: "dates", quantity: Grams::new(grams).ok(), grade: "", day: None, place: "" };
        !unusual(&facts, &Usual { earlier, ..Usual::default() }).is_empty()
    };
    // Kilograms typed as tonnes, of a household whose only lots weigh 20 and 31 kg.
    assert!(is_odd(2_500_000, &[20_000, 31_000]) && is_odd(99, &[20_000]));
    assert!(is_odd(900_000, &[14_000, 31_000, 60_000]));
    for fine in [500, 25_000, 300_000] {
        assert!(!is_odd(fine, &[20_000, 31_000]), "{fine}");
    }
    // A wrong lot, and nothing but that, makes no right one unusual.
    assert!(!is_odd(12_500, &[25_000_000]) && !is_odd(12_500, &[12]));
    // Many that are all heavy say what is light.
    assert!(is_odd(900, &[200_000, 210_000, 190_000, 180_000, 220_000]));
    // Never wider than where nothing is known.
    assert!(is_odd(2_100_000, &[900_000]) && !is_odd(1_900_000, &[900_000]) && is_odd(50, &[200]));
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
fn without_a_catalogue_a_product_is_asked_about_once() {
    let lot = Facts { product: "milet", quantity: None, grade: "Z", day: "1970-01-01".parse().ok(), place: "" };
    let asked = unusual(&lot, &Usual::default());
    assert_eq!(asked, [Unusual::NoCatalogue { product: "milet".into() }]);
    assert_eq!(asked[0].to_string(), "there is no catalogue here yet; is \"milet\" right?");
    let earlier = Earlier::of(&lots("milet", &[9_000]), "milet", "", None);
    assert!(unusual(&lot, &Usual { earlier, ..Usual::default() }).is_empty(), "it was recorded before");
    // Weights and days hold without one.
    let today = "2026-11-26".parse().ok();
    let heavy = Facts { quantity: Grams::new(900_000).ok(), day: "2026-11-27".parse().ok(), ..lot };
    let codes: Vec<_> =
        unusual(&heavy, &Usual { earlier, today, ..Usual::default() }).iter().map(Unusual::code).collect();
    assert_eq!(codes, ["weight-far-from-usual", "day-in-the-future"]);
}

#[test]
fn a_corrected_lot_is_not_among_those_that_make_it_usual() {
    let book = crate::schema::Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
    let key = format!("9@{}", "01".repeat(12)).parse().unwrap();
    let wrong = LotId::in_book(&crate::schema::DocumentKey::HarvestBook(book), key);
    let heavy = EarlierLot { lot: wrong.clone(), ..lots("millet", &[1_900_000]).remove(0) };
    let all = [heavy, lots("millet", &[20_000]).remove(0)];
    // Heavy still, after its correction.
    let after = Facts { product: "millet", quantity: Grams::new(1_800_000).ok(), grade: "", day: None, place: "" };
    let ask = |lot: Option<&LotId>| {
        let earlier = Earlier::of(&all, "millet", "", lot);
        unusual(&after, &Usual { earlier, ..Usual::default() })
    };
    assert_eq!(ask(wrong.as_ref())[0].code(), "weight-far-from-usual");
    assert!(ask(None).is_empty());
}

#[test]
fn a_correction_is_asked_about_what_it_changes() {
    let before = Facts { product: "milet", quantity: Grams::new(1).ok(), grade: "", day: None, place: "" };
    let codes = |edits: &[LotEdit]| -> Vec<_> {
        let usual = Usual { today: "2026-11-26".parse().ok(), ..Usual::default() };
        Correction::of(before, edits).unusual(Season::new(2026), &usual).iter().map(Unusual::code).collect()
    };
    assert!(codes(&[LotEdit::Quantity(Grams::new(9_000).unwrap())]).is_empty(), "not about its product");
    assert_eq!(codes(&[LotEdit::Quantity(Grams::new(9_000_000).unwrap())]), ["weight-far-from-usual"]);
    assert_eq!(codes(&[LotEdit::Day("2026-12-01".parse().unwrap())]), ["day-in-the-future"]);
    assert_eq!(codes(&[LotEdit::Product("rice".into())]), ["no-catalogue", "weight-far-from-usual"]);
    assert!(codes(&[LotEdit::Note("wet".into())]).is_empty());
}

#[test]
fn a_place_that_the_cooperative_does_not_know_is_asked_back() {
    let places = [("xihe-yard".to_owned(), "西河收货点".to_owned())];
    let ask = |place, earlier: &[EarlierLot]| {
        let earlier = Earlier { has_product: true, ..Earlier::of(earlier, "millet", place, None) };
        let facts = Facts { product: "millet", quantity: None, grade: "", day: None, place };
        unusual(&facts, &Usual { places: &places, earlier, ..Usual::default() })
    };
    assert!(ask("xihe-yard", &[]).is_empty() && ask("西河收货点", &[]).is_empty() && ask("", &[]).is_empty());
    let meant = Some("xihe-yard".to_owned());
    assert_eq!(ask("xihe-yrad", &[]), [Unusual::Place { place: "xihe-yrad".into(), meant }]);
    assert_eq!(ask("东坡", &[])[0].code(), "unknown-place");
    let before = [EarlierLot { place: "东坡".into(), ..lots("millet", &[9_000]).remove(0) }];
    assert!(ask("东坡", &before).is_empty(), "the family's own field, which was confirmed");
}

#[test]
fn receipts_far_from_their_lot_are_asked_back() {
    let catalogue = catalogue();
    let usual = Usual { catalogue: Some(&catalogue), today: "2026-11-26".parse().ok(), ..Usual::default() };
    let codes = |weighed: Option<i64>, day: &str| -> Vec<_> {
        let arrival = Arrival {
            product: "millet",
            weighed: weighed.and_then(|grams| Grams::new(grams).ok()),
            grade: "A",
            day: day.parse().unwrap(),
            recorded: Grams::new(20_000).ok(),
            harvested: "2026-04-03".parse().ok(),
        };
        unusual_arrival(&arrival, &usual).iter().map(Unusual::code).collect()
    };
    assert!(codes(Some(19_500), "2026-04-03").is_empty() && codes(Some(29_500), "2026-04-09").is_empty());
    // Kilograms typed as jin are half, and jin as kilograms twice as much, about.
    for other_unit in [9_800, 10_000, 10_200, 39_000, 40_000] {
        assert_eq!(codes(Some(other_unit), "2026-04-09"), ["weighed-far-from-recorded"]);
    }
    assert_eq!(codes(Some(195_000), "2026-04-09"), ["weighed-far-from-recorded"]);
    assert_eq!(codes(Some(1_950), "2026-04-09"), ["weighed-far-from-recorded"]);
    assert_eq!(codes(None, "2026-04-02"), ["receipt-before-harvest"]);
    assert_eq!(codes(None, "2026-11-20"), ["receipt-long-after-harvest"]);
    assert_eq!(codes(Some(19_500), "2026-11-27"), ["day-in-the-future", "receipt-long-after-harvest"]);
}

#[test]
fn a_price_that_jumps_is_asked_back() {
    let catalogue = catalogue();
    let millet = &catalogue.products[1];
    let ask = |name: &str, fen: i64| unusual_price(millet, &name.parse().unwrap(), Fen::new(fen).unwrap());
    // Of the present 7.60: the one that it replaces, or the one before a later day.
    assert_eq!(ask("A", 2_000), None);
    assert_eq!(ask("A@2026-12-01", 254), None);
    let asked = ask("A@2026-12-01", 7_600).unwrap();
    assert_eq!(asked.to_string(), "¥76.00 for a kilogram of grade A is far from the last price, ¥7.60");
    assert_eq!(ask("A", 76).unwrap().code(), "price-far-from-last");
    assert_eq!(ask("C", 99_999), None, "a new grade has no last price");
    assert_eq!(ask("B@2026-10-01", 60), None, "nor a grade before its first day");
}

#[test]
fn a_lot_of_a_product_that_is_not_taken_any_more_is_asked_about() {
    let mut catalogue = catalogue();
    let ended: Day = "2026-11-20".parse().unwrap();
    catalogue.products[1].ended = Some(ended);
    let usual = Usual { catalogue: Some(&catalogue), ..Usual::default() };
    let on = |day: &str| {
        let facts = Facts { product: "millet", quantity: None, grade: "A", day: day.parse().ok(), place: "" };
        unusual(&facts, &usual)
    };
    assert_eq!(on("2026-11-19"), []);
    assert_eq!(on("2026-11-20"), [Unusual::Ended { product: "millet".into(), ended }]);
}

#[test]
fn whoever_weighs_in_is_not_asked_how_the_product_is_written() {
    let grams = Grams::new(12_000).ok();
    let day: Day = "2026-10-04".parse().unwrap();
    let arrival = Arrival { product: "millet", weighed: grams, grade: "A", day, recorded: grams, harvested: Some(day) };
    assert_eq!(unusual_arrival(&arrival, &Usual::default()), []);
}
