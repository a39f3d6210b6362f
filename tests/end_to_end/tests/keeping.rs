//! The drill: the box is lost and its backup is restored on another; a byte of the store goes bad and the
//! store is repaired. What the backup does not have, phones give back.

use std::path::Path;
use std::process::Command;

use crate::world::{
    PROGRAM, World, converge, copy_folder, household, household_role, lots, record, season, sync_until_lots,
};
use granary_client_core::phone::Phone;

fn run(words: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM).args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The server is lost and restored from its backup on an empty disk. Lots that came after the backup come back
/// from the phones, and the next backup continues the old one.
#[test]
fn restored_server_recovers_rest_from_phones() {
    let mut world = World::new();
    let (li, son) = (world.phone(1, &household_role()), world.phone(1, &household_role()));
    let coordinator = world.phone(1, "coordinator");
    for grams in [1_000, 2_000, 3_000] {
        record(&li, grams);
    }
    sync_until_lots(&li, 3);
    converge(&[&li, &son, &coordinator]);
    let backup = world.folder.path().join("backup");
    world.order(&["backup", "--to", text(&backup)]);
    record(&li, 4_000);
    converge(&[&li, &son, &coordinator]);
    // What came since, and nothing twice.
    assert!(world.order(&["backup", "--to", text(&backup)]).contains("what is new"));
    // These are in no backup, and one phone has them from another.
    record(&li, 5_000);
    record(&son, 6_000);
    converge(&[&li, &son, &coordinator]);
    assert_eq!(lots(&coordinator).len(), 6);

    world.kill();
    std::fs::remove_dir_all(world.data()).unwrap();
    let (done, said) = run(&["restore", "--from", text(&backup), "--folder", text(&world.data())]);
    assert!(done && said.contains("nothing is missing"), "{said}");
    world.start();
    converge(&[&li, &son, &coordinator]);
    assert_eq!(lots(&li).len(), 6);
    // A phone that is enrolled now gets everything.
    let new = world.phone(1, &household_role());
    sync_until_lots(&new, 6);
    assert!(world.order(&["check"]).contains("nothing is wrong"));
    // The restored log is the one that was backed up, so the next backup goes on from there.
    assert!(world.order(&["backup", "--to", text(&backup)]).contains("what is new"));
}

/// One byte is flipped in each data file of the store, one file after the other. `check` names the damage, and
/// `repair` (or `restore`, where the store does not open) recovers everything from the backup and the phones.
#[test]
fn repair_recovers_store_with_bad_byte() {
    let mut world = World::new();
    let (li, coordinator) = (world.phone(1, &household_role()), world.phone(1, "coordinator"));
    for grams in 1..=20 {
        record(&li, grams * 1_000);
        li.sync_now().unwrap();
    }
    converge(&[&li, &coordinator]);
    let backup = world.folder.path().join("backup");
    world.order(&["backup", "--to", text(&backup)]);
    world.kill();
    let store = world.data().join("store");
    let (healthy, said) = run(&["check", "--folder", text(&world.data())]);
    assert!(healthy, "{said}");
    // One bad byte in the middle of each of the store's data files, one file after the other.
    let mut tried = 0;
    for slab in std::fs::read_dir(store.join("slabs")).unwrap() {
        let path = slab.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let Some(place) = bytes.iter().rposition(|byte| *byte != 0) else { continue };
        bytes[place / 2] ^= 0x10;
        std::fs::write(&path, bytes).unwrap();
        tried += 1;
        let (_, said) = run(&["check", "--folder", text(&world.data())]);
        let (done, repaired) = run(&["repair", "--folder", text(&world.data()), "--backup", text(&backup)]);
        // A store that can't even be opened is restored instead; check and repair say so.
        if !done {
            assert!(repaired.contains("granary restore"), "{said}\n{repaired}");
            std::fs::remove_dir_all(&store).unwrap();
            let (restored, said) = run(&["restore", "--from", text(&backup), "--folder", text(&world.data())]);
            assert!(restored, "{said}");
        }
        let (clean, said) = run(&["check", "--folder", text(&world.data())]);
        assert!(clean, "{said}");
    }
    assert!(tried > 0);
    world.start();
    converge(&[&li, &coordinator]);
    assert_eq!(lots(&coordinator).len(), 20);
    record(&li, 77_000);
    sync_until_lots(&li, 21);
    sync_until_lots(&coordinator, 21);
}

fn weights(phone: &Phone) -> Vec<i64> {
    let mut weights: Vec<i64> = lots(phone).iter().filter_map(|lot| lot.grams).collect();
    weights.sort_unstable();
    weights
}

/// A phone with an unsent lot is copied, and both copies record more. Each lot is there once, everywhere, and both
/// copies then see what the other records.
#[test]
fn copied_phones_lose_nothing() {
    let mut world = World::new();
    let folder = world.phone_folder();
    let old = Phone::open(&folder).unwrap();
    old.enrol(&world.invitation(1, &household_role()), "li").unwrap();
    let coordinator = world.phone(1, "coordinator");
    record(&old, 1_000);
    converge(&[&old, &coordinator]);
    // Recorded, and not sent when the phone was copied: both have it, and it must not be there twice.
    record(&old, 2_000);
    drop(old);
    let copied = world.phone_folder();
    copy_folder(&folder, &copied);
    let (one, two) = (Phone::open(&folder).unwrap(), Phone::open(&copied).unwrap());
    record(&one, 3_000);
    let own = record(&two, 4_000);
    two.correct_lot(&own, &granary_client_core::schema::harvest::LotEdit::Note("mine".into())).unwrap();
    converge(&[&one, &coordinator]);
    converge(&[&one, &two, &coordinator]);
    for phone in [&one, &two, &coordinator] {
        assert_eq!(weights(phone), [1_000, 2_000, 3_000, 4_000]);
        assert!(lots(phone).iter().any(|lot| lot.note == "mine"));
        assert_eq!(phone.status().unsent, 0);
    }
    // From here on they are two, and each sees what the other records.
    for round in 0..3 {
        record(&one, 5_000 + round);
        record(&two, 6_000 + round);
        converge(&[&one, &two, &coordinator]);
    }
    assert_eq!(weights(&two).len(), 10);
    assert_eq!(weights(&one), weights(&coordinator));
}

/// A phone is replaced by an older copy of its folder, after it synced two lots that the copy does not have.
/// The copy records on; all lots are there.
#[test]
fn phone_set_back_loses_nothing() {
    let mut world = World::new();
    let folder = world.phone_folder();
    let old = Phone::open(&folder).unwrap();
    old.enrol(&world.invitation(1, &household_role()), "li").unwrap();
    let coordinator = world.phone(1, "coordinator");
    record(&old, 1_000);
    converge(&[&old, &coordinator]);
    drop(old);
    let kept = world.phone_folder();
    copy_folder(&folder, &kept);
    let old = Phone::open(&folder).unwrap();
    record(&old, 2_000);
    record(&old, 3_000);
    converge(&[&old, &coordinator]);
    drop(old);
    // The phone broke, and comes back as it was.
    let back = Phone::open(&kept).unwrap();
    record(&back, 4_000);
    converge(&[&back, &coordinator]);
    assert_eq!(weights(&back), [1_000, 2_000, 3_000, 4_000]);
    assert_eq!(weights(&coordinator), [1_000, 2_000, 3_000, 4_000]);
}

/// An exported co-operative is imported as a new one: the heads are equal, so the changes are the same bytes.
/// A damaged export imports nothing.
#[test]
fn import_keeps_exported_history() {
    let mut world = World::new();
    let (li, coordinator) = (world.phone(1, &household_role()), world.phone(1, "coordinator"));
    for grams in [1_000, 2_000] {
        record(&li, grams);
    }
    converge(&[&li, &coordinator]);
    let folder = world.folder.path().join("export");
    world.order(&["export", "--to", text(&folder)]);
    let lines = std::fs::read_to_string(folder.join("documents.jsonl")).unwrap();
    assert!(
        lines.lines().any(|line| line.contains("\"grams\":2000") && line.contains("\"kind\":\"harvest\"")),
        "{lines}"
    );
    let said = world.order(&["import", "--from", text(&folder), "The same again"]);
    assert!(said.contains("co-operative 2"), "{said}");
    let new = world.phone(2, &household_role());
    sync_until_lots(&new, 2);
    assert_eq!(weights(&new), [1_000, 2_000]);
    // The same changes, to the byte.
    let book = granary_client_core::schema::DocumentKey::HarvestBook(household(), season());
    assert_eq!(new.heads().unwrap()[&book], li.heads().unwrap()[&book]);
    // A damaged file makes nothing.
    let file = folder.join("0001.automerge");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let data = world.data();
    let words = ["import", "--from", text(&folder), "--folder", text(&data), "Nothing"];
    assert!(!run(&words).0);
    assert!(!run(&["devices", "--folder", text(&data), "--coop", "3"]).0);
}
