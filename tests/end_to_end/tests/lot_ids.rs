//! A lot's id names its book: two lots that one phone recorded in two books never stand for each other.

use std::process::{Command, Output};

use granary_client_core::error::Error;
use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::{LotDraft, LotEdit};
use granary_client_core::schema::receipt::Outcome;
use granary_client_core::schema::{LotId, LotNameFault, Season};

use crate::world::{PROGRAM, World, converge, household, household_role, lots};

fn draft(product: &str, grams: i64, day: &str) -> LotDraft {
    LotDraft::new(product, Grams::new(grams).unwrap(), day.parse().unwrap())
}

fn weights(phone: &Phone) -> Vec<(String, i64, Option<i64>)> {
    let mut all: Vec<_> =
        lots(phone).into_iter().map(|row| (row.product, row.grams.unwrap(), row.weighed_grams)).collect();
    all.sort();
    all
}

/// A coordinator's phone records one lot for each of two households, and one in the season before.
#[test]
fn lots_of_one_key_in_several_books_stay_apart() {
    let mut world = World::new();
    let (zhang, packer) = (world.phone(1, "coordinator"), world.phone(1, "packer"));
    let (li, wang) = (household(), HouseholdId::from_bytes([8; 16]));
    let record = |household, year: u16, product, grams| -> LotId {
        let season = Season::new(year).unwrap();
        zhang.record(household, season, &draft(product, grams, &format!("{year}-10-03"))).unwrap()
    };
    let dates = record(li, 2026, "dates", 12_000);
    let potatoes = record(wang, 2026, "potatoes", 25_000);
    let millet = record(li, 2025, "millet", 9_000);
    let keys = [&dates, &potatoes, &millet].map(LotId::key);
    assert_eq!((keys[0], keys[0]), (keys[1], keys[2]), "their books count alike");
    let names = [&dates, &potatoes, &millet].map(LotId::to_string);
    assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");

    // The packer weighs Wang's potatoes, by the number that was read out.
    converge(&[&zhang, &packer]);
    let read_out = names[1].to_lowercase().replace('-', " ");
    let lot = packer.find_lot(&read_out).unwrap();
    assert_eq!(lot, potatoes);
    let outcome = Outcome::Received { weighed: Grams::new(25_500).unwrap(), grade: "A".into() };
    packer.receive(&lot, &outcome, "2026-10-05".parse().unwrap()).unwrap();
    zhang.correct(&zhang.find_lot(&names[2]).unwrap(), &[LotEdit::Quantity(Grams::new(9_100).unwrap())]).unwrap();
    converge(&[&packer, &zhang, &packer]);
    for phone in [&packer, &zhang] {
        let expected = [("dates", 12_000, None), ("millet", 9_100, None), ("potatoes", 25_000, Some(25_500))]
            .map(|(product, grams, weighed)| (product.to_owned(), grams, weighed));
        assert_eq!(weights(phone), expected);
    }
    zhang.withdraw(&zhang.find_lot(&names[0]).unwrap()).unwrap();
    let left: Vec<String> = weights(&zhang).into_iter().map(|(product, ..)| product).collect();
    assert_eq!(left, ["millet", "potatoes"]);
    assert_eq!(zhang.find_lot(&names[0]), Err(Error::NoSuchLot(names[0].clone())));

    // A letter that was misheard finds no other lot.
    let other = if names[1].starts_with('7') { "8" } else { "7" };
    let misheard = names[1].replacen(|_: char| true, other, 1);
    assert_eq!(zhang.find_lot(&misheard), Err(Error::LotName(LotNameFault::Misread(misheard))));
    assert!(matches!(zhang.find_lot(dates.key().as_str()), Err(Error::LotName(LotNameFault::Form(_)))));
}

/// The same on the terminal, where a correction of two fields is one change.
#[test]
fn terminal_corrects_the_lot_that_is_named_in_one_change() {
    let world = World::new();
    let invitation = world.invitation(1, &household_role());
    let folder = world.folder.path().join("terminal");
    let run = |arguments: &[&str]| -> Output {
        Command::new(PROGRAM).arg("phone").arg("--folder").arg(&folder).args(arguments).output().unwrap()
    };
    let told = |output: Output| -> String {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    told(run(&["enrol", "--yes", &invitation]));
    let named = |text: String| text.split_whitespace().nth(1).unwrap().to_owned();
    let old = named(told(run(&["record", "millet", "9000", "--day", "2025-10-03", "--yes"])));
    let new = named(told(run(&["record", "dates", "12000", "--day", "2026-10-03", "--yes"])));
    assert_ne!(old, new);
    let unsent = |text: String| {
        let waiting = text.lines().find_map(|line| line.strip_prefix("waiting to be sent: "));
        waiting.unwrap().parse::<u64>().unwrap()
    };
    let before = unsent(told(run(&["status"])));
    told(run(&["correct", &old, "--grams", "9100", "--note", "weighed again"]));
    assert_eq!(unsent(told(run(&["status"]))), before + 1, "one action, one change");
    let listed = told(run(&["list"]));
    assert!(listed.lines().any(|line| line.contains("9.1 kg") && line.contains(&old)), "{listed}");
    assert!(listed.lines().any(|line| line.contains("12 kg") && line.contains(&new)), "{listed}");

    let misread = run(&["correct", "7KQ2-M9XT-4B0F", "--grams", "1"]);
    assert!(!misread.status.success());
    let why = String::from_utf8_lossy(&misread.stderr).into_owned();
    assert!(why.contains("read out again") || why.contains("there is no lot"), "{why}");
}
