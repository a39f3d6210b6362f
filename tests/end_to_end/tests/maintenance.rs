//! Maintenance: restoring a lost server from its backup, repairing a store with a bad byte, copied phones, export and
//! import. Phones backfill what a backup lacks.

use std::path::Path;
use std::process::Command;

use crate::world::{
    PROGRAM, World, converge, copy_folder, household, household_role, lots, record, season, sync_until_lots,
};
use granary_client_core::phone::Phone;

fn run(words: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM).args(words).output().unwrap();
    let printed = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
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
    // An incremental backup holds only new entries.
    assert!(world.order(&["backup", "--to", text(&backup)]).contains("what is new"));
    // These lots are in no backup; one phone has them from another.
    record(&li, 5_000);
    record(&son, 6_000);
    converge(&[&li, &son, &coordinator]);
    assert_eq!(lots(&coordinator).len(), 6);

    world.kill();
    std::fs::remove_dir_all(world.data()).unwrap();
    let (done, printed) = run(&["restore", "--from", text(&backup), "--folder", text(&world.data())]);
    assert!(done && printed.contains("nothing is missing"), "{printed}");
    world.start();
    converge(&[&li, &son, &coordinator]);
    assert_eq!(lots(&li).len(), 6);
    // A newly enrolled phone gets everything.
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
    let (healthy, printed) = run(&["check", "--folder", text(&world.data())]);
    assert!(healthy, "{printed}");
    // One bad byte in the middle of each of the store's data files, one file after the other.
    let mut tried = 0;
    for slab in std::fs::read_dir(store.join("slabs")).unwrap() {
        let path = slab.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let Some(place) = bytes.iter().rposition(|byte| *byte != 0) else { continue };
        bytes[place / 2] ^= 0x10;
        std::fs::write(&path, bytes).unwrap();
        tried += 1;
        let (_, printed) = run(&["check", "--folder", text(&world.data())]);
        let (done, repaired) = run(&["repair", "--folder", text(&world.data()), "--backup", text(&backup)]);
        // A store that can't be opened must be restored; check and repair name that.
        if !done {
            assert!(repaired.contains("granary restore"), "{printed}\n{repaired}");
            std::fs::remove_dir_all(&store).unwrap();
            let (restored, printed) = run(&["restore", "--from", text(&backup), "--folder", text(&world.data())]);
            assert!(restored, "{printed}");
        }
        let (clean, printed) = run(&["check", "--folder", text(&world.data())]);
        assert!(clean, "{printed}");
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
    // Unsent when the phone is copied: both copies send it, and it must exist once.
    record(&old, 2_000);
    drop(old);
    let copied = world.phone_folder();
    copy_folder(&folder, &copied);
    let (one, two) = (Phone::open(&folder).unwrap(), Phone::open(&copied).unwrap());
    record(&one, 3_000);
    let own = record(&two, 4_000);
    two.correct(&own, &[granary_client_core::schema::harvest::LotEdit::Note("mine".into())]).unwrap();
    converge(&[&one, &coordinator]);
    converge(&[&one, &two, &coordinator]);
    for phone in [&one, &two, &coordinator] {
        assert_eq!(weights(phone), [1_000, 2_000, 3_000, 4_000]);
        assert!(lots(phone).iter().any(|lot| lot.note == "mine"));
        assert_eq!(phone.status().unsent, 0);
    }
    // Each copy gets what the other records from now on.
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
    // The phone is replaced by its older copy.
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
    let printed = world.order(&["import", "--from", text(&folder), "The same again"]);
    assert!(printed.contains("co-operative 2"), "{printed}");
    let new = world.phone(2, &household_role());
    sync_until_lots(&new, 2);
    assert_eq!(weights(&new), [1_000, 2_000]);
    // Equal heads mean identical changes.
    let book = granary_client_core::schema::DocumentKey::HarvestBook(granary_client_core::schema::Book::first(
        household(),
        season(),
    ));
    assert_eq!(new.heads().unwrap()[&book], li.heads().unwrap()[&book]);
    // A damaged file imports nothing.
    let file = folder.join("0001.automerge");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let data = world.data();
    let words = ["import", "--from", text(&folder), "--folder", text(&data), "Nothing"];
    assert!(!run(&words).0);
    assert!(!run(&["devices", "--folder", text(&data), "--coop", "3"]).0);
}
