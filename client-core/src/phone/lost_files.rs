//! Tests of files that are damaged, gone, empty or replaced: what was told is there, or it is said that it is lost.

use std::path::{Path, PathBuf};

use super::identity::Identity;
use super::{Phone, new_incarnation};
use crate::error::Error;
use crate::ids::{DeviceId, HouseholdId};
use crate::projection::LotFilter;
use crate::quantities::Grams;
use crate::replica::Replica;
use crate::schema::access::{Grants, Role};
use crate::schema::harvest::LotDraft;
use crate::store::{SqliteStore, StoreKey};

const PAGE: usize = 4096;

fn household() -> HouseholdId {
    HouseholdId::from_bytes([7; 16])
}

fn draft(grams: i64) -> LotDraft {
    LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap())
}

/// Makes the files of an enrolled phone.
fn enrolled(folder: &Path, key: Option<&StoreKey>) -> DeviceId {
    let (store, _) = SqliteStore::open(&folder.join("phone.db"), key).unwrap();
    let link = format!("granary://localhost:8443/7KQ2-M9XT-4B0F#{}", "0".repeat(64));
    let mut identity = Identity::prepare(&store, link.parse().unwrap()).unwrap();
    identity.grants = Grants { version: 1, roles: [Role::Household(household())].into() };
    identity.keep(&store).unwrap();
    identity.device()
}

fn opened(folder: &Path, key: Option<&StoreKey>) -> std::sync::Arc<Phone> {
    match key {
        None => Phone::open(folder).unwrap(),
        Some(key) => Phone::open_locked(folder, key).unwrap(),
    }
}

fn with_lots(folder: &Path, key: Option<&StoreKey>, count: i64) -> DeviceId {
    let device = enrolled(folder, key);
    let phone = opened(folder, key);
    for number in 1..=count {
        phone.record_of_day(household(), &draft(number)).unwrap();
    }
    device
}

fn weights(phone: &Phone) -> Vec<i64> {
    let filter = LotFilter { limit: u32::MAX, ..LotFilter::default() };
    let mut weights: Vec<i64> = phone.lots(&filter).unwrap().into_iter().filter_map(|row| row.grams).collect();
    weights.sort_unstable();
    weights
}

fn copied(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

fn garbage(seed: usize) -> Vec<u8> {
    let mut state = seed as u64 + 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..PAGE).map(next).collect()
}

// Page 2 is the root of the table of rows: without it SQLite finds none of them, and the phone began anew.
#[test]
fn any_lost_page_keeps_identity_and_lots() {
    for key in [None, StoreKey::from_bytes(&[1; 32])] {
        let key = key.as_ref();
        let folder = tempfile::tempdir().unwrap();
        let device = with_lots(folder.path(), key, 300);
        let file = std::fs::read(folder.path().join("phone.db")).unwrap();
        let pages = file.len() / PAGE;
        assert!(pages > 30, "{pages}");
        // The first pages, where the tables begin, both ways; with a key, some of the pages.
        for page in (0..pages).filter(|page| key.is_none() || page % 7 < 2) {
            for lost in [vec![0; PAGE], garbage(page)]
                .into_iter()
                .skip(if page < 8 { 0 } else { page % 2 })
                .take(if page < 8 { 2 } else { 1 })
            {
                let bad = copied(folder.path());
                let mut bytes = file.clone();
                bytes[page * PAGE..(page + 1) * PAGE].copy_from_slice(&lost);
                std::fs::write(bad.path().join("phone.db"), bytes).unwrap();
                let phone = opened(bad.path(), key);
                assert_eq!(phone.device(), Some(device), "page {}", page + 1);
                assert_eq!(weights(&phone), (1..=300).collect::<Vec<_>>(), "page {}", page + 1);
                assert_eq!(phone.status().unsent, 300, "page {}", page + 1);
            }
        }
    }
}

// SQLite ends a journal at its first frame that does not fit, and what came after was gone without a word.
#[test]
fn any_lost_frame_of_the_journal_keeps_identity_and_lots() {
    let folder = tempfile::tempdir().unwrap();
    let device = enrolled(folder.path(), None);
    let phone = Phone::open(folder.path()).unwrap();
    for number in 1..=40 {
        phone.record_of_day(household(), &draft(number)).unwrap();
    }
    // As a phone that was killed leaves it.
    let killed = copied(folder.path());
    drop(phone);
    std::fs::remove_file(killed.path().join("phone.db-shm")).unwrap();
    let journal = std::fs::read(killed.path().join("phone.db-wal")).unwrap();
    let frames = (journal.len() - 32) / (PAGE + 24);
    assert!(frames > 80, "{frames}");
    let whole = Phone::open(copied(killed.path()).path()).map(|phone| weights(&phone).len());
    assert_eq!(whole, Ok(40));
    for frame in 0..frames {
        for whole_frame in [false, true] {
            let bad = copied(killed.path());
            let mut bytes = journal.clone();
            let begin = 32 + frame * (PAGE + 24) + if whole_frame { 0 } else { 24 };
            bytes[begin..32 + (frame + 1) * (PAGE + 24)].fill(0x5a);
            std::fs::write(bad.path().join("phone.db-wal"), bytes).unwrap();
            let phone = Phone::open(bad.path()).unwrap();
            assert_eq!(phone.device(), Some(device), "frame {frame}");
            let there = weights(&phone);
            // The end of the last write can't be told from a torn one, which nobody was told of.
            let is_told = !phone.damage().is_empty();
            assert!(
                there.len() == 40 || is_told || (there.len() == 39 && frame + 6 > frames),
                "frame {frame}: {there:?}"
            );
            assert!(there.len() >= 36, "frame {frame}: {there:?}");
        }
    }
}

/// A name, and what it does to a file.
type Loss<'a> = (&'static str, Box<dyn Fn() + 'a>);

/// What may happen to the file of a phone.
fn losses(file: &Path) -> Vec<Loss<'_>> {
    let remove_journal = move || {
        for end in ["db-wal", "db-shm"] {
            let _ = std::fs::remove_file(file.with_extension(end));
        }
    };
    vec![
        ("gone", Box::new(move || std::fs::remove_file(file).unwrap())),
        ("empty", Box::new(move || std::fs::write(file, "").unwrap())),
        ("zeros", Box::new(move || std::fs::write(file, vec![0; 9_000]).unwrap())),
        ("other content", Box::new(move || std::fs::write(file, "this is a letter".repeat(500)).unwrap())),
        (
            "another database",
            Box::new(move || {
                remove_journal();
                std::fs::remove_file(file).unwrap();
                let other = rusqlite::Connection::open(file).unwrap();
                other.execute_batch("CREATE TABLE birds (name TEXT)").unwrap();
            }),
        ),
    ]
}

#[test]
fn phone_whose_file_is_lost_never_begins_anew_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    with_lots(folder.path(), None, 3);
    for number in 0..losses(&PathBuf::new()).len() {
        // Also where nothing but the lock's text says that a phone was here.
        for has_lists in [true, false] {
            let bad = copied(folder.path());
            let file = bad.path().join("phone.db");
            let (name, lose) = losses(&file).swap_remove(number);
            lose();
            if !has_lists {
                std::fs::remove_file(bad.path().join("lists.db")).unwrap();
            }
            for _ in 0..3 {
                let phone = Phone::open(bad.path()).unwrap();
                assert!(phone.is_lost(), "{name}, lists: {has_lists}");
                assert_eq!(phone.record_of_day(household(), &draft(1)), Err(Error::Lost), "{name}");
                assert_eq!(phone.lots(&LotFilter::default()), Err(Error::Lost), "{name}");
                assert_eq!(phone.enrol("granary://localhost/7KQ2", "new"), Err(Error::Lost), "{name}");
                assert_eq!(phone.sync_now().err(), Some(Error::Lost), "{name}");
                let recovered = phone.recover().unwrap();
                assert!(recovered.files.is_empty(), "{name}");
                assert_eq!(recovered.unreadable, phone.set_aside().unwrap(), "{name}");
            }
            Phone::open(bad.path()).unwrap().start_anew().unwrap();
            let phone = Phone::open(bad.path()).unwrap();
            assert!(!phone.is_lost(), "{name}");
            assert_eq!(phone.record_of_day(household(), &draft(1)), Err(Error::NotEnrolled), "{name}");
        }
    }
}

#[test]
fn new_folder_is_a_new_phone_and_lost_one_is_recovered() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        assert!(!Phone::open(folder.path()).unwrap().is_lost());
    }
    let lost = tempfile::tempdir().unwrap();
    let device = with_lots(lost.path(), None, 3);
    // Somebody moved it aside by hand, and something has made an empty one.
    std::fs::rename(lost.path().join("phone.db"), lost.path().join("phone.db.damaged-1")).unwrap();
    std::fs::write(lost.path().join("phone.db"), "").unwrap();
    let phone = Phone::open(lost.path()).unwrap();
    assert!(phone.is_lost());
    let recovered = phone.recover().unwrap();
    assert_eq!((recovered.files.len(), recovered.unsent), (1, 4));
    assert_eq!((phone.is_lost(), phone.device(), weights(&phone).len()), (false, Some(device), 3));
    drop(phone);
    assert!(!Phone::open(lost.path()).unwrap().is_lost());
}

#[test]
fn file_without_content_is_read_from_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let device = enrolled(folder.path(), None);
    let phone = Phone::open(folder.path()).unwrap();
    phone.record_of_day(household(), &draft(5)).unwrap();
    let killed = copied(folder.path());
    drop(phone);
    for name in ["phone.db", "phone.db-shm"] {
        std::fs::remove_file(killed.path().join(name)).unwrap();
    }
    for is_empty in [true, false] {
        let bad = copied(killed.path());
        if is_empty {
            std::fs::write(bad.path().join("phone.db"), "").unwrap();
        }
        let phone = Phone::open(bad.path()).unwrap();
        // The journal has every page that was written since the phone was made.
        assert_eq!((phone.is_lost(), phone.damage().is_empty()), (false, false));
        assert_eq!((phone.device(), weights(&phone)), (Some(device), vec![5]));
    }
}

#[test]
fn wrong_key_of_a_damaged_file_moves_nothing() {
    let (right, wrong) = (StoreKey::from_bytes(&[1; 32]).unwrap(), StoreKey::from_bytes(&[2; 32]).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let device = with_lots(folder.path(), Some(&right), 3);
    let file = folder.path().join("phone.db");
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[PAGE..2 * PAGE].fill(0);
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(Phone::open_locked(folder.path(), &wrong).err(), Some(Error::Locked));
    assert_eq!(Phone::open(folder.path()).err(), Some(Error::Locked));
    assert!(!folder.path().join("phone.db.damaged-1").exists());
    assert_eq!(Phone::open_locked(folder.path(), &right).unwrap().device(), Some(device));
}

#[test]
fn replica_of_a_new_store_has_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let device = enrolled(folder.path(), None);
    let (store, _) = SqliteStore::open(&folder.path().join("phone.db"), None).unwrap();
    let identity = Identity::read(&store).unwrap().unwrap();
    let opened = Replica::open(
        std::sync::Arc::new(store),
        identity.cooperative,
        device,
        &identity.grants,
        new_incarnation().unwrap(),
    );
    assert_eq!(opened.unwrap().1, []);
}

// The rows of both phones are of documents of the same names, at the same revisions.
#[test]
fn lists_beside_another_phones_file_are_made_anew() {
    let [here, elsewhere] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    with_lots(here.path(), None, 2);
    let other = enrolled(elsewhere.path(), None);
    let phone = Phone::open(elsewhere.path()).unwrap();
    for grams in [70, 80] {
        phone.record_of_day(household(), &draft(grams)).unwrap();
    }
    drop(phone);
    std::fs::copy(elsewhere.path().join("phone.db"), here.path().join("phone.db")).unwrap();
    for _ in 0..2 {
        let phone = Phone::open(here.path()).unwrap();
        assert_eq!(phone.device(), Some(other));
        assert_eq!(weights(&phone), [70, 80]);
        let totals = phone.totals(&LotFilter::default()).unwrap();
        assert_eq!(totals.iter().map(|total| (total.lots, total.recorded_grams)).collect::<Vec<_>>(), [(2, 150)]);
    }
    // Beside a phone that belongs to nobody, nobody's lots are listed.
    let nobody = tempfile::tempdir().unwrap();
    drop(Phone::open(nobody.path()).unwrap());
    std::fs::copy(nobody.path().join("phone.db"), here.path().join("phone.db")).unwrap();
    let phone = Phone::open(here.path()).unwrap();
    assert_eq!((phone.device(), phone.is_lost()), (None, false));
    assert_eq!(weights(&phone), [0i64; 0]);
}

// Both copies' rows are of one device's documents, at the same revisions.
#[test]
fn lists_beside_the_file_of_a_copy_that_went_on_by_itself_are_made_anew() {
    let [here, copy] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    with_lots(here.path(), None, 1);
    std::fs::copy(here.path().join("phone.db"), copy.path().join("phone.db")).unwrap();
    for (folder, grams) in [(here.path(), 70), (copy.path(), 90)] {
        Phone::open(folder).unwrap().record_of_day(household(), &draft(grams)).unwrap();
    }
    std::fs::copy(copy.path().join("phone.db"), here.path().join("phone.db")).unwrap();
    let listed = |folder: &Path| {
        let mut listed = weights(&Phone::open(folder).unwrap());
        listed.sort_unstable();
        listed
    };
    for _ in 0..2 {
        assert_eq!(listed(here.path()), listed(copy.path()), "what the file holds, and nothing else");
        assert!(listed(here.path()).contains(&90) && !listed(here.path()).contains(&70));
    }
}

// Made anew each time, they would take seconds on a phone with many lots.
#[test]
fn lists_that_fit_are_kept_from_opening_to_opening() {
    let folder = tempfile::tempdir().unwrap();
    with_lots(folder.path(), None, 2);
    let lists = || rusqlite::Connection::open(folder.path().join("lists.db")).unwrap();
    drop(Phone::open(folder.path()).unwrap());
    lists().execute("UPDATE lots SET note = 'kept'", []).unwrap();
    for _ in 0..2 {
        let phone = Phone::open(folder.path()).unwrap();
        assert!(phone.lots(&LotFilter::default()).unwrap().iter().all(|lot| lot.note == "kept"));
    }
}
