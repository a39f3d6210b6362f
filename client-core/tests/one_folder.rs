//! One phone for each folder, and faults of the folder that are no damage.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use granary_client_core::error::Error;
use granary_client_core::phone::{Opening, Phone};
use granary_client_core::store::{StoreFault, StoreKey};

fn key(byte: u8) -> StoreKey {
    StoreKey::from_bytes(&[byte; 32]).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("-wal") && !name.ends_with("-shm"))
        .collect();
    names.sort();
    names
}

#[test]
fn folder_that_is_open_gives_the_same_phone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone");
    let one = Phone::open(&path).unwrap();
    let around = path.join("..").join("phone");
    assert!(Arc::ptr_eq(&one, &Phone::open(&around).unwrap()), "by any name of the folder");
    assert_eq!(Phone::open_locked(&path, &key(1)).err().map(|error| matches!(error, Error::InUse { .. })), Some(true));
    // Closed by its last holder alone, and free again at once.
    drop(one);
    for _ in 0..20 {
        let phone = Phone::open_locked(&path, &key(1)).unwrap();
        assert!(Arc::ptr_eq(&phone, &Phone::open_locked(&path, &key(1)).unwrap()));
        assert_eq!(Phone::open_locked(&path, &key(2)).err(), Some(Error::Locked));
        assert_eq!(Phone::open(&path).err(), Some(Error::Locked));
    }
}

#[test]
fn threads_that_open_at_once_get_one_phone() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..10 {
        let phones: Vec<Arc<Phone>> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Phone::open(folder.path()).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(phones.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
        std::thread::scope(|scope| phones.into_iter().for_each(|phone| drop(scope.spawn(move || drop(phone)))));
    }
}

/// Another process has the lock: to SQLite, another connection is one.
#[test]
fn folder_of_another_process_is_in_use_and_says_by_whom() {
    let folder = tempfile::tempdir().unwrap();
    let other = rusqlite::Connection::open(folder.path().join("phone.lock")).unwrap();
    other.pragma_update(None, "journal_mode", "MEMORY").unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    std::fs::write(folder.path().join("phone.lock.txt"), "granary phone sync (process 4711)\n").unwrap();
    let opening = Opening { wait: Duration::ZERO, ..Opening::default() };
    let error = Phone::open_as(folder.path(), &opening).err().unwrap();
    assert_eq!(error, Error::InUse { by: "granary phone sync (process 4711)".into() });
    assert!(error.to_string().contains("granary phone sync (process 4711)"));
    assert_eq!(names(folder.path()), ["phone.lock", "phone.lock.txt"], "nothing else was touched");
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| Phone::open(folder.path()).map(drop));
        drop(other);
        waiting.join().unwrap()
    });
    assert_eq!(waiting, Ok(()));
}

#[test]
fn lock_says_who_has_the_folder_while_it_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let opening = Opening { doing: "a test\nof locks", ..Opening::default() };
    let phone = Phone::open_as(folder.path(), &opening).unwrap();
    let text = std::fs::read_to_string(folder.path().join("phone.lock.txt")).unwrap();
    assert_eq!(text, format!("a testof locks (process {})\n", std::process::id()));
    drop(phone);
    assert_eq!(std::fs::read_to_string(folder.path().join("phone.lock.txt")).unwrap(), "");
}

#[test]
fn lock_that_is_no_database_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("phone.lock"), vec![7; 5_000]).unwrap();
    let phone = Phone::open(folder.path()).unwrap();
    let other = rusqlite::Connection::open(folder.path().join("phone.lock")).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    assert!(other.execute_batch("BEGIN EXCLUSIVE").is_err());
    drop(phone);
    assert!(other.execute_batch("BEGIN EXCLUSIVE").is_ok());
}

#[test]
fn files_that_can_not_be_opened_are_left_as_they_are() {
    // The folder is a file; the store is a folder; the lists are a folder.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    for name in ["phone.db", "lists.db"] {
        let phone = folder.path().join(format!("phone of {name}"));
        std::fs::create_dir_all(phone.join(name).join("inner")).unwrap();
        for _ in 0..3 {
            let error = Phone::open(&phone).err().unwrap();
            assert!(matches!(error, Error::Store(StoreFault::NoAccess(_))), "{name}: {error:?}");
        }
        assert!(phone.join(name).join("inner").exists());
        assert!(!names(&phone).iter().any(|name| name.contains("damaged")));
    }
    assert!(matches!(Phone::open(&file), Err(Error::Store(StoreFault::NoAccess(_)))));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "text");
}

#[test]
fn damaged_lists_are_made_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(Phone::open(folder.path()).unwrap());
    std::fs::write(folder.path().join("lists.db"), vec![7; 9_000]).unwrap();
    let phone = Phone::open(folder.path()).unwrap();
    assert_eq!(phone.lots(&Default::default()), Ok(Vec::new()));
    assert_eq!(names(folder.path()), ["lists.db", "phone.db", "phone.lock", "phone.lock.txt"]);
}
