//! What lies in the warehouse, as packers' phones count, move and show it without a line.

use std::path::Path;

use granary_client_core::error::Error;
use granary_client_core::phone::Phone;
use granary_client_core::quantities::{Grams, GramsDelta};
use granary_client_core::schema::receipt::Outcome;
use granary_client_core::schema::stock_book::GoodsIn;
use granary_client_core::schema::{HoldingId, StreamCode};
use granary_client_core::trade::StockCase;

use crate::terminal::{done, refused};
use crate::world::{World, converge, household_role, record, sync_until};

fn grams(grams: i64) -> Grams {
    Grams::new(grams).unwrap()
}

fn delta(grams: i64) -> GramsDelta {
    GramsDelta::new(grams).unwrap()
}

fn present(phone: &Phone, holding: &HoldingId) -> i64 {
    phone.stock().unwrap().stock.holdings.get(holding).map_or(0, |holding| holding.present())
}

/// Two packers' phones that know of one received lot of 12 kg.
fn two_packers(world: &mut World) -> (std::sync::Arc<Phone>, std::sync::Arc<Phone>, HoldingId) {
    let li = world.phone(1, &household_role());
    let (one, other) = (world.phone(1, "packer"), world.phone(1, "packer"));
    let lot = record(&li, 12_500);
    sync_until(&[&li, &one, &other], || one.find_lot(&lot.to_string()).is_ok());
    one.receive(&lot, &Outcome::Received { weighed: grams(12_000), grade: "A".into() }, one.today()).unwrap();
    let holding = HoldingId::Lot(lot);
    sync_until(&[&one, &other], || present(&other, &holding) == 12_000);
    (one, other, holding)
}

#[test]
fn two_phones_count_one_holding_without_a_line_and_one_count_applies() {
    let mut world = World::new();
    let (one, other, holding) = two_packers(&mut world);
    // Both find the goods by the number on the sack.
    assert_eq!(one.find_holding(&holding.code().to_string().to_lowercase()).unwrap(), holding);
    let far = one.unusual_count(&holding, delta(1_000)).unwrap();
    assert_eq!(
        far.iter().map(|unusual| (unusual.code(), unusual.field())).collect::<Vec<_>>(),
        [("count-far-from-computed", "grams")]
    );
    assert_eq!(one.unusual_count(&holding, delta(11_800)).unwrap(), []);
    assert!(matches!(one.count(&holding, delta(-1)), Err(Error::Document(_))), "nobody counts less than nothing");
    one.count(&holding, delta(11_000)).unwrap();
    other.count(&holding, delta(11_400)).unwrap();
    assert_eq!((present(&one, &holding), present(&other, &holding)), (11_000, 11_400), "each as it knows");
    converge(&[&one, &other]);
    let (seen, same) = (one.stock().unwrap(), other.stock().unwrap());
    assert_eq!(seen.stock, same.stock);
    assert!(seen.as_of.is_some() && same.as_of.is_some());
    let found = present(&one, &holding);
    assert!(found == 11_000 || found == 11_400, "one of both differences, not both: {found}");
    let [StockCase::CountedTwice { holding: of, counts }] = seen.stock.cases.as_slice() else {
        panic!("{:?}", seen.stock.cases)
    };
    assert_eq!((of, counts[0].1), (&holding, found));
    assert_eq!(counts.iter().map(|(_, grams)| grams).sum::<i64>(), 22_400, "both are shown");
    // Whoever counts again settles it.
    other.count(&holding, delta(11_200)).unwrap();
    converge(&[&one, &other]);
    let stock = one.stock().unwrap().stock;
    assert_eq!((stock.holdings[&holding].present(), stock.cases.len()), (11_200, 0));
}

#[test]
fn count_and_move_at_once_are_both_kept() {
    let mut world = World::new();
    let (one, other, holding) = two_packers(&mut world);
    one.move_bin(&holding, grams(5_000), "", "A1").unwrap();
    other.count(&holding, delta(11_500)).unwrap();
    converge(&[&one, &other]);
    for phone in [&one, &other] {
        let stock = phone.stock().unwrap().stock;
        let of = &stock.holdings[&holding];
        assert_eq!((of.present(), of.by_bin["A1"], of.by_bin[""], of.unplaced), (11_500, 5_000, 7_000, -500));
        assert_eq!(stock.cases, []);
        let told: Vec<&str> = phone.holding_history(&holding).unwrap().iter().map(|event| event.what).collect();
        assert_eq!(told.len(), 3, "{told:?}");
    }
    let more = one.unusual_taking(&holding, grams(6_000), Some("A1")).unwrap();
    assert_eq!(more[0].code(), "more-than-there");
    assert!(one.move_bin(&holding, grams(1), "A1", " A1 ").is_err(), "it lies there already");
    assert!(one.lose(&holding, grams(1), " ", "").is_err(), "a loss has a reason");
    // A mistake is taken back, and stays to be read.
    let entry = one.lose(&holding, grams(1_000), "mice", "A1").unwrap();
    assert_eq!(present(&one, &holding), 10_500);
    one.withdraw_entry(&entry).unwrap();
    assert_eq!(present(&one, &holding), 11_500);
    assert!(one.holding_history(&holding).unwrap().iter().any(|event| event.what == "loss" && !event.counts));
}

#[test]
fn households_have_nothing_to_do_with_the_warehouse() {
    let mut world = World::new();
    let li = world.phone(1, &household_role());
    let lot = HoldingId::Lot(record(&li, 12_500));
    let goods = GoodsIn {
        product: "noodles".into(),
        grade: String::new(),
        quantity: grams(1),
        day: li.today(),
        expiry: None,
        from: String::new(),
        bin: String::new(),
    };
    for refused in [
        li.stock().map(drop),
        li.goods_in(&goods).map(drop),
        li.count(&lot, delta(1)).map(drop),
        li.move_bin(&lot, grams(1), "", "A1").map(drop),
        li.lose(&lot, grams(1), "mice", "").map(drop),
        li.recall(&lot, "mould").map(drop),
    ] {
        assert_eq!(refused, Err(Error::NotAllowed));
    }
    let code: StreamCode = "eleven".parse().unwrap();
    assert_eq!(li.stream_left(&code), Err(Error::NoSuchStream("eleven".into())));
}

fn number_in(said: &str) -> String {
    said.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn terminal_phone_takes_goods_in_counts_and_moves_them() {
    let mut world = World::new();
    let folder = world.phone_folder();
    done(&folder, &["enrol", "--yes", &world.invitation(1, "packer")]);
    let on = |words: &[&str]| done(&folder, words);
    let no = |words: &[&str]| refused(&folder, words);
    assert!(on(&["stock"]).contains("this phone has not synced yet"));
    on(&["sync"]);
    let said = on(&["stock"]);
    assert!(said.contains("as of the last sync, 20") && said.contains("nothing lies in the warehouse"), "{said}");
    let said = on(&["goods-in", "noodles", "25斤", "--from", "Shi", "--bin", "A1", "--day", "2026-11-03", "--yes"]);
    assert!(said.contains("noodles") && said.contains("12.5 kg") && said.contains("A1 12.5 kg"), "{said}");
    let number = number_in(&said);
    assert!(no(&["count", &number, "1kg"]).contains("1 kg were counted, and 12.5 kg should lie there"));
    assert!(
        no(&["count", "7KQ2-M9XT-4B0F", "1kg"]).contains("there are no goods")
            || no(&["count", "7KQ2-M9XT-4B0F", "1kg"]).contains("is wrong")
    );
    assert!(no(&["count", &number, "-1"]).contains("not a number") || !no(&["count", &number, "-1"]).is_empty());
    assert!(on(&["count", &number, "24", "斤"]).contains("12 kg"));
    assert!(no(&["move-bin", &number, "20kg", "--from", "A1", "--to", "B2"]).contains("only 12 kg lie there"));
    let said = on(&["move-bin", &number, "2kg", "--from", "A1", "--to", "B2"]);
    assert!(said.contains("A1 10.5 kg, B2 2 kg, of no known bin -0.5 kg"), "{said}");
    assert!(on(&["loss", &number, "500g", "--reason", "mice", "--bin", "B2"]).contains("11.5 kg"));
    let said = on(&["recall", &number, "--reason", "mould"]);
    assert!(said.contains("NOT SOLD ANY MORE"), "{said}");
    let said = on(&["stock", "--goods", &number]);
    for told in [
        "came in  +12.5 kg  Shi",
        "counted  -0.5 kg",
        "moved  A1 → B2",
        "lost  -0.5 kg  mice",
        "not sold any more  mould",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    let entry = said.lines().find(|line| line.contains("mould")).unwrap().split_whitespace().last().unwrap().to_owned();
    assert!(on(&["take-back", &entry]).contains("does not count any more"));
    let said = on(&["stock"]);
    assert!(said.contains("11.5 kg there, 0 kg planned, 11.5 kg to sell"), "{said}");
    assert!(on(&["stock", "noodles"]).contains(&number));
    assert!(on(&["count", &number, "0", "--yes"]).contains("  0 kg"));
    assert!(on(&["skus"]).contains("no packs"));
    assert!(no(&["stream-left", "eleven"]).contains("no live-stream eleven"));
    // All of it reaches another packer's phone.
    on(&["sync"]);
    let other = world.phone(1, "packer");
    let holding = |phone: &Phone| phone.find_holding(&number).ok();
    sync_until(&[&other], || holding(&other).is_some());
    assert_eq!(present(&other, &holding(&other).unwrap()), 0);
    in_chinese(&folder, &number);
}

fn in_chinese(folder: &Path, number: &str) {
    let said = done(folder, &["stock", "--goods", number, "--lang", "zh"]);
    for told in ["截至上次同步", "入库", "盘点", "移库", "损耗", "（不计入）"] {
        assert!(said.contains(told), "{told}: {said}");
    }
}
