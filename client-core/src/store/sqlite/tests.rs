use super::*;

#[test]
fn store_without_key_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    crate::store::conformance::check(|| Box::new(SqliteStore::open(&path, None).unwrap().0));
}

fn key(byte: u8) -> StoreKey {
    StoreKey::from_bytes(&[byte; 32]).unwrap()
}

#[test]
fn store_with_key_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    crate::store::conformance::check(|| Box::new(SqliteStore::open(&path, Some(&key(1))).unwrap().0));
}

fn put_words(store: &SqliteStore) {
    let mut batch = Batch::default();
    batch.put(b"k", "the first harvest of 张桂英".as_bytes());
    store.apply(&batch).unwrap();
}

#[test]
fn plain_store_is_encrypted_by_first_opening_with_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    put_words(&SqliteStore::open(&path, None).unwrap().0);
    let (store, report) = SqliteStore::open(&path, Some(&key(1))).unwrap();
    assert_eq!(report, OpenReport::default());
    assert_eq!(store.get(b"k").unwrap().unwrap(), "the first harvest of 张桂英".as_bytes());
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(13).any(|window| window == b"first harvest"));
    }
}

#[test]
fn wrong_key_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    put_words(&SqliteStore::open(&path, Some(&key(1))).unwrap().0);
    assert_eq!(SqliteStore::open(&path, Some(&key(2))).unwrap_err(), StoreFault::Locked);
    assert_eq!(SqliteStore::open(&path, None).unwrap_err(), StoreFault::Locked);
    let (store, report) = SqliteStore::open(&path, Some(&key(1))).unwrap();
    assert_eq!(report, OpenReport::default());
    assert!(store.get(b"k").unwrap().is_some());
}

fn filled(path: &Path) {
    let (store, _) = SqliteStore::open(path, None).unwrap();
    for number in 0..400u32 {
        let mut batch = Batch::default();
        batch.put(number.to_be_bytes(), vec![7; 100]);
        store.apply(&batch).unwrap();
    }
    store.connection().pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
    store.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

#[test]
fn damaged_value_is_quarantined_and_the_rest_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    filled(&path);
    let raw = Connection::open(&path).unwrap();
    raw.execute("UPDATE entries SET value = x'0102030405060708090a' WHERE key = x'00000005'", []).unwrap();
    drop(raw);
    let (store, report) = SqliteStore::open(&path, None).unwrap();
    assert_eq!(report.damaged_keys, [5u32.to_be_bytes().to_vec()]);
    assert_eq!(store.scan_all(b"").unwrap().len(), 399);
    assert_eq!(SqliteStore::open(&path, None).unwrap().1, OpenReport::default(), "it is reported once");
}

#[test]
fn file_with_ruined_page_is_quarantined_and_its_readable_rows_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    filled(&path);
    let mut bytes = std::fs::read(&path).unwrap();
    let page = bytes.len() / 4096 / 2;
    bytes[page * 4096..(page + 1) * 4096].fill(0xee);
    std::fs::write(&path, bytes).unwrap();
    let (store, report) = SqliteStore::open(&path, None).unwrap();
    assert!(report.quarantined_file.is_some());
    let kept = store.scan_all(b"").unwrap().len();
    assert!((300..400).contains(&kept), "{kept} rows of 400");
}

/// Writes `count` batches of two rows each, and gives the file and its journal as they lay on the medium.
fn written(path: &Path, count: u32) -> [Vec<u8>; 2] {
    let (store, _) = SqliteStore::open(path, None).unwrap();
    for number in 0..count {
        let mut batch = Batch::default();
        batch.put([b"a".as_slice(), &number.to_be_bytes()].concat(), vec![7; 300]);
        batch.put([b"b".as_slice(), &number.to_be_bytes()].concat(), vec![8; 300]);
        store.apply(&batch).unwrap();
    }
    let journal = path.with_extension("db-wal");
    [std::fs::read(path).unwrap(), std::fs::read(journal).unwrap()]
}

#[test]
fn torn_last_write_is_whole_or_absent() {
    let folder = tempfile::tempdir().unwrap();
    let [file, journal] = written(&folder.path().join("phone.db"), 12);
    let mut most = 0;
    for cut in (0..=journal.len()).step_by(509).chain([journal.len()]) {
        let torn = tempfile::tempdir().unwrap();
        let path = torn.path().join("phone.db");
        std::fs::write(&path, &file).unwrap();
        std::fs::write(path.with_extension("db-wal"), &journal[..cut]).unwrap();
        let (store, report) = SqliteStore::open(&path, None).unwrap();
        assert_eq!(report, OpenReport::default(), "cut at {cut}");
        let (first, second) = (store.scan_all(b"a").unwrap().len(), store.scan_all(b"b").unwrap().len());
        assert_eq!(first, second, "cut at {cut}");
        assert!(first >= most, "what was flushed before stays");
        most = first;
    }
    assert_eq!(most, 12);
}

#[test]
fn damaged_byte_is_never_read_as_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    filled(&path);
    let file = std::fs::read(&path).unwrap();
    // Every region: header, schema, inner pages, leaves.
    for place in (0..100).step_by(7).chain((100..file.len()).step_by(1_021)) {
        let bad = tempfile::tempdir().unwrap();
        let path = bad.path().join("phone.db");
        let mut bytes = file.clone();
        bytes[place] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        let (store, _) = SqliteStore::open(&path, None).unwrap();
        for row in store.scan_all(b"").unwrap() {
            assert_eq!(row.value.as_deref(), Some([7; 100].as_slice()), "a bad byte at {place}");
        }
    }
}

#[test]
fn file_that_is_no_database_is_quarantined() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    std::fs::write(&path, vec![1; 9000]).unwrap();
    let (_, report) = SqliteStore::open(&path, None).unwrap();
    assert!(report.quarantined_file.is_some());
}

/// The files of a folder with their bytes, but for the shared memory of SQLite.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file() && !path.to_string_lossy().ends_with("-shm"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn lock_of_another_program_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    filled(&path);
    let other = Connection::open(&path).unwrap();
    other.pragma_update(None, "locking_mode", "EXCLUSIVE").unwrap();
    other.execute_batch("BEGIN EXCLUSIVE; DELETE FROM entries WHERE key = x'ff'").unwrap();
    let before = files(folder.path());
    for _ in 0..3 {
        assert_eq!(SqliteStore::open(&path, None).unwrap_err(), StoreFault::Busy);
    }
    assert_eq!(files(folder.path()), before);
    drop(other);
    let (store, report) = SqliteStore::open(&path, None).unwrap();
    assert_eq!((store.scan_all(b"").unwrap().len(), report), (400, OpenReport::default()));
}

#[test]
fn path_that_is_no_file_is_no_damage() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    std::fs::create_dir(&path).unwrap();
    for _ in 0..3 {
        assert!(matches!(SqliteStore::open(&path, None), Err(StoreFault::NoAccess(_))));
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was set aside or made");
}

#[test]
fn latest_opening_alone_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let put = |store: &SqliteStore, value: &str| {
        let mut batch = Batch::default();
        batch.put("k", value);
        store.apply(&batch)
    };
    let (first, _) = SqliteStore::open(&path, None).unwrap();
    put(&first, "first").unwrap();
    let (second, _) = SqliteStore::open(&path, None).unwrap();
    assert_eq!(put(&first, "late"), Err(StoreFault::InUse));
    put(&second, "second").unwrap();
    assert_eq!(first.get(b"k").unwrap().unwrap(), b"second");
}

#[test]
fn any_damaged_byte_of_the_header_still_opens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    filled(&path);
    let file = std::fs::read(&path).unwrap();
    for place in 0..100 {
        let bad = tempfile::tempdir().unwrap();
        let path = bad.path().join("phone.db");
        let mut bytes = file.clone();
        bytes[place] ^= 0x55;
        std::fs::write(&path, bytes).unwrap();
        let opened = SqliteStore::open(&path, None);
        assert!(opened.is_ok(), "a bad byte at {place}: {opened:?}");
        // Also those that SQLite can read nothing of are kept.
        let kept = opened.unwrap().0.scan_all(b"").unwrap().len();
        assert!(kept == 400 || bad.path().join("phone.db.damaged-1").exists(), "a bad byte at {place}");
    }
}

#[test]
fn table_with_a_damaged_name_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    filled(&path);
    let bytes = std::fs::read(&path).unwrap();
    let place = bytes.windows(7).position(|window| window == b"entries").unwrap();
    for offset in 0..bytes.len().min(4096) - place {
        let bad = tempfile::tempdir().unwrap();
        let path = bad.path().join("phone.db");
        let mut bytes = bytes.clone();
        bytes[place + offset] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let (store, _) = SqliteStore::open(&path, None).unwrap();
        let kept = store.scan_all(b"").unwrap().len();
        assert!(kept == 400 || bad.path().join("phone.db.damaged-1").exists(), "a bad byte at {offset}");
        if offset > 1_000 {
            break;
        }
    }
}

/// A power cut between any two steps of setting a file aside.
#[test]
fn setting_aside_goes_on_after_a_power_cut() {
    let whole = tempfile::tempdir().unwrap();
    let path = whole.path().join("phone.db");
    filled(&path);
    let mended = std::fs::read(&path).unwrap();
    for moved in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        std::fs::write(folder.path().join("phone.db.mended"), &mended).unwrap();
        std::fs::write(folder.path().join("phone.db.mending"), b"half").unwrap();
        let damaged = if moved { folder.path().join("phone.db.damaged-1") } else { path.clone() };
        std::fs::write(damaged, vec![1; 9000]).unwrap();
        let (store, _) = SqliteStore::open(&path, None).unwrap();
        assert_eq!(store.scan_all(b"").unwrap().len(), 400, "moved: {moved}");
        assert_eq!(std::fs::read(folder.path().join("phone.db.damaged-1")).unwrap(), vec![1; 9000]);
    }
}

#[test]
fn what_was_set_aside_can_be_read() {
    for key in [None, Some(key(1))] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        put_words(&SqliteStore::open(&path, key.as_ref()).unwrap().0);
        std::fs::rename(&path, folder.path().join("phone.db.damaged-1")).unwrap();
        SqliteStore::open(&path, key.as_ref()).unwrap();
        let aside = SetAside::beside(&path).unwrap();
        assert_eq!(aside.len(), 1);
        let store = aside[0].read(key.as_ref()).unwrap();
        assert_eq!(store.get(b"k").unwrap().unwrap(), "the first harvest of 张桂英".as_bytes());
        if key.is_some() {
            assert_eq!(aside[0].read(None).err(), Some(StoreFault::Locked));
        }
        let taken = aside.into_iter().next().unwrap().mark_taken().unwrap();
        assert!(taken.ends_with("phone.db.recovered-1") && taken.exists());
        assert_eq!(SetAside::beside(&path).unwrap(), []);
    }
}

// A damage of the first page alone took the phone's identity and all that it had not sent.
#[test]
fn rows_behind_a_lost_first_page_are_copied() {
    for lost in [16, 100, 4096] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        put_words(&SqliteStore::open(&path, None).unwrap().0);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[..lost].fill(0);
        std::fs::write(&path, bytes).unwrap();
        let (store, report) = SqliteStore::open(&path, None).unwrap();
        assert!(report.quarantined_file.is_some(), "{lost} bytes");
        let found = store.get(b"k").unwrap();
        assert_eq!(found.as_deref(), Some("the first harvest of 张桂英".as_bytes()), "{lost} bytes");
        let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert!(left.into_iter().all(|name| !name.to_string_lossy().contains("reading")), "{lost} bytes");
    }
}
