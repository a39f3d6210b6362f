//! A store that was backed up, rebuilt or restored is byte for byte the store that it was.

use std::sync::Arc;

use granary_client_core::automerge::{self, transaction::Transactable};
use granary_client_core::ids::HouseholdId;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::messages::{RefusalReason, read_message, write_message};
use granary_client_core::quantities::{Grams, Instant};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{self, LotDraft};
use granary_client_core::schema::{Book, DocumentKey, Part, Season, cooperative};
use granary_client_core::store::{Batch, MemoryStore, Row, Store};

use super::backup::back_up;
use super::rebuild::rebuild;
use super::restore::{read_into, restore};
use super::verify::verify;
use crate::access::Principal;
use crate::engine::Granary;
use crate::engine::erasure::Erasable;
use crate::log::documents::Documents;
use crate::log::keys::{DocumentMeta, entry_key, key};
use crate::log::{CooperativeNumber, Submitter};

const COOP: CooperativeNumber = CooperativeNumber(1);

fn record(granary: &Granary, household: u8, lots: i64) {
    let book =
        DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([household; 16]), Season::new(2026).unwrap()));
    for number in 1..=lots {
        let draft = LotDraft::new("millet", Grams::new(number * 1_000).unwrap(), "2026-10-03".parse().unwrap());
        granary.edit(COOP, &book, Instant(number), move |doc| harvest::record(doc, &draft).map(drop)).unwrap();
    }
}

fn filled() -> (tempfile::TempDir, MemoryStore, Granary) {
    let keys = tempfile::tempdir().unwrap();
    let store = MemoryStore::default();
    let granary = Granary::open(Arc::new(store.clone()), keys.path(), None, |fault| panic!("{fault}")).unwrap();
    granary.create_cooperative("Linxian", Instant(0)).unwrap();
    let village = |doc: &mut _| cooperative::set_village(doc, "dongpo", "东坡村");
    granary.edit(COOP, &DocumentKey::Cooperative(Part::FIRST), Instant(0), village).unwrap();
    record(&granary, 1, 4);
    record(&granary, 2, 3);
    for name in ["authority.key", "authority.pem"] {
        std::fs::write(keys.path().join(name), name).unwrap();
    }
    (keys, store, granary)
}

/// The rows of these kinds; a document's size aside, which is measured when it is first touched.
fn rows(store: &MemoryStore, kinds: &[u8]) -> Vec<Row> {
    let unmeasured = |row: Row| {
        let meta: DocumentMeta = read_message(row.value.as_deref().unwrap()).unwrap();
        Row { value: Some(write_message(&DocumentMeta { bytes: 0, ..meta })), ..row }
    };
    let of = |kind: u8| store.scan_all(&key(COOP, kind, &[])).unwrap().into_iter().map(move |row| (kind, row));
    kinds
        .iter()
        .flat_map(|kind| of(*kind))
        .map(|(kind, row)| if kind == b'm' { unmeasured(row) } else { row })
        .collect()
}

fn check(store: &MemoryStore) -> Vec<String> {
    let store = Arc::new(store.copy());
    verify(store.as_ref(), &Documents::new(store.clone())).unwrap().findings
}

#[test]
fn restored_store_equals_original_bytes() {
    let (keys, store, granary) = filled();
    let folder = tempfile::tempdir().unwrap();
    let first = back_up(&store, keys.path(), folder.path(), "then", None).unwrap();
    assert!(first.is_whole);
    record(&granary, 3, 2);
    let second = back_up(&store, keys.path(), folder.path(), "later", None).unwrap();
    assert!(!second.is_whole && second.rows < first.rows, "{first:?} {second:?}");
    let restored = MemoryStore::default();
    read_into(folder.path(), &restored).unwrap();
    let rebuilt = rebuild(&restored).unwrap();
    assert_eq!((rebuilt.dropped, rebuilt.documents), (0, 4));
    assert_eq!(rows(&restored, b"hmapeldu"), rows(&store, b"hmapeldu"));
    assert_eq!(check(&restored), Vec::<String>::new());
}

// An earlier run of the backup still has what was dropped since, and a later one does not.
#[test]
fn store_with_dropped_content_is_whole_after_a_restoration() {
    let (keys, store, granary) = filled();
    let household = |number: u8| HouseholdId::from_bytes([number; 16]);
    let (device, _) = granary.make_token(COOP, Role::Household(household(1)), "script", Instant(0)).unwrap();
    let others = DocumentKey::HarvestBook(Book::first(household(2), Season::new(2026).unwrap()));
    let changes = granary.document(COOP, &others).unwrap().unwrap().changes_since(&[]).unwrap();
    let mut own = granary_client_core::schema::Document::empty(others.clone());
    own.apply(&changes).unwrap();
    let draft = LotDraft::new("millet", Grams::new(77_000).unwrap(), "2026-10-03".parse().unwrap());
    let actor = device.actor(granary_client_core::ids::Incarnation::new(1));
    let lot = own.edit(&actor, Instant(0), |doc| harvest::record(doc, &draft)).unwrap().1.unwrap();
    let cooperative = granary.cooperative(COOP).unwrap();
    let bundle = vec![DocumentChanges { key: others, changes: vec![lot] }];
    let submitter = Submitter::new(device, Default::default());
    assert_eq!(granary.ingest(&cooperative, submitter, bundle, Instant(1)).unwrap().refused.len(), 1);
    record(&granary, 1, 1);

    let folder = tempfile::tempdir().unwrap();
    back_up(&store, keys.path(), folder.path(), "then", None).unwrap();
    let with = rows(&store, b"e").iter().map(|row| row.value.as_ref().unwrap().len()).sum::<usize>();
    assert_eq!(granary.drop_what_is_due(Instant(31 * 24 * 60 * 60 * 1000)).unwrap(), 1);
    let without = rows(&store, b"e").iter().map(|row| row.value.as_ref().unwrap().len()).sum::<usize>();
    assert!(without < with);
    assert_eq!(check(&store), Vec::<String>::new());
    record(&granary, 1, 1);
    back_up(&store, keys.path(), folder.path(), "later", None).unwrap();
    let restored = MemoryStore::default();
    read_into(folder.path(), &restored).unwrap();
    assert_eq!(rebuild(&restored).unwrap().dropped, 0);
    assert_eq!(rows(&restored, b"hmapexlbdu"), rows(&store, b"hmapexlbdu"));
    assert_eq!(check(&restored), Vec::<String>::new());
}

// A document's size was not known after a restart or a restoration, so one request too many became durable.
#[test]
fn documents_size_is_known_after_a_restart_and_measured_after_a_restoration() {
    let (keys, store, granary) = filled();
    let household = HouseholdId::from_bytes([7; 16]);
    let (device, _) = granary.make_token(COOP, Role::Household(household), "script", Instant(0)).unwrap();
    let book = DocumentKey::HarvestBook(Book::first(household, Season::new(2026).unwrap()));
    let mut document = granary_client_core::schema::Document::new(book.clone()).unwrap();
    let mut changes = vec![granary_client_core::schema::Document::first_change(&book).unwrap()];
    let actor = device.actor(granary_client_core::ids::Incarnation::new(1));
    let mut noise = 7u64;
    for number in 0..5 {
        let text: String = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'!' + u8::try_from((noise >> 33) % 90).unwrap())
        })
        .take(250_000)
        .collect();
        let edit = |doc: &mut automerge::AutoCommit| Ok(doc.put(automerge::ROOT, format!("{number}"), text)?);
        changes.extend(document.edit(&actor, Instant(0), edit).unwrap().1);
    }
    let last = changes.split_off(5);
    let send = |granary: &Granary, changes: Vec<_>| {
        let cooperative = granary.cooperative(COOP).unwrap();
        let grants = cooperative.device(device).unwrap().grants_now();
        let bundle = vec![DocumentChanges { key: book.clone(), changes }];
        let ingested = granary.ingest(&cooperative, Submitter::new(device, grants), bundle, Instant(1)).unwrap();
        granary.settle(&cooperative);
        ingested.refused.first().map(|refusal| refusal.reason)
    };
    assert_eq!(send(&granary, changes), None);
    let folder = tempfile::tempdir().unwrap();
    back_up(&store, keys.path(), folder.path(), "then", None).unwrap();
    let restored = MemoryStore::default();
    read_into(folder.path(), &restored).unwrap();
    rebuild(&restored).unwrap();
    drop(granary);
    for store in [store, restored] {
        let entries = rows(&store, b"p").len();
        let granary = Granary::open(Arc::new(store.clone()), keys.path(), None, |fault| panic!("{fault}")).unwrap();
        assert_eq!(send(&granary, last.clone()), Some(RefusalReason::DocumentFull));
        assert_eq!(rows(&store, b"p").len(), entries, "nothing of it waits to be admitted");
    }
}

#[test]
fn backup_starts_over_for_another_log() {
    let (keys, store, _granary) = filled();
    let folder = tempfile::tempdir().unwrap();
    back_up(&store, keys.path(), folder.path(), "then", None).unwrap();
    let (other_keys, other, _other_granary) = filled();
    let second = back_up(&other, other_keys.path(), folder.path(), "later", None).unwrap();
    assert!(second.is_whole);
    let restored = MemoryStore::default();
    read_into(folder.path(), &restored).unwrap();
    rebuild(&restored).unwrap();
    assert_eq!(rows(&restored, b"hel"), rows(&other, b"hel"));
}

// Of the last three runs each can be restored, and no file is there that none of them needs.
#[test]
fn backup_keeps_the_last_runs_and_what_they_need() {
    let (keys, store, granary) = filled();
    let folder = tempfile::tempdir().unwrap();
    let keep = std::num::NonZeroU32::new(3);
    let mut after = Vec::new();
    for run in 0..11u8 {
        record(&granary, 10 + run, 1);
        let done = back_up(&store, keys.path(), folder.path(), "then", keep).unwrap();
        assert_eq!(done.is_whole, run % 3 == 0, "run {run}");
        after.push((done.file, rows(&store, b"el")));
        let on_disk = || {
            let names = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
            names.filter(|name| name.to_string_lossy().starts_with("segment")).count()
        };
        assert!(on_disk() <= 5, "run {run}: {} files", on_disk());
        for (file, expected) in after.iter().rev().take(3) {
            for name in ["authority.key", "authority.pem"] {
                assert!(folder.path().join("keys").join(name).exists());
            }
            let into = tempfile::tempdir().unwrap();
            restore(folder.path(), Some(file), into.path(), None).unwrap();
            let restored = crate::store::SledStore::open(&into.path().join("store")).unwrap();
            let found: Vec<Row> =
                [b'e', b'l'].iter().flat_map(|kind| restored.scan_all(&key(COOP, *kind, &[])).unwrap()).collect();
            assert_eq!(&found, expected, "{file}");
        }
    }
    let into = tempfile::tempdir().unwrap();
    let gone = restore(folder.path(), Some(&after[0].0), into.path(), None);
    assert!(matches!(gone, Err(crate::error::Error::NotFound { .. })), "{gone:?}");
}

#[test]
fn restore_refuses_damaged_backup_before_writing() {
    let (keys, store, _granary) = filled();
    let folder = tempfile::tempdir().unwrap();
    let made = back_up(&store, keys.path(), folder.path(), "then", None).unwrap();
    let path = folder.path().join(made.file);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let restored = MemoryStore::default();
    assert!(read_into(folder.path(), &restored).unwrap_err().to_string().contains("damaged"));
    assert!(restored.scan_all(&[]).unwrap().is_empty());
}

#[test]
fn rebuild_keeps_log_around_missing_entry() {
    let (_keys, store, _granary) = filled();
    let store = store.copy();
    let mut batch = Batch::default();
    batch.remove(entry_key(COOP, 4));
    store.apply(&batch).unwrap();
    assert!(!check(&store).is_empty());
    let rebuilt = rebuild(&store).unwrap();
    // The entry, and the position that admitted it.
    assert_eq!(rebuilt.dropped, 2);
    assert_eq!(rebuilt.entries + 1, rows(&store, b"e").len() as u64 + 1);
    let keys = tempfile::tempdir().unwrap();
    let granary = Granary::open(Arc::new(store.clone()), keys.path(), None, |fault| panic!("{fault}")).unwrap();
    record(&granary, 2, 1);
    let key = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([2; 16]), Season::new(2026).unwrap()));
    assert_eq!(harvest::lots(&granary.document(COOP, &key).unwrap().unwrap()).len(), 4);
}

#[test]
fn newer_format_is_refused_and_left_unchanged() {
    let (_keys, store, granary) = filled();
    drop(granary);
    let newer = store.copy();
    let mut batch = Batch::default();
    let format = granary_client_core::protocol::messages::write_message(&(crate::log::format::FORMAT + 1));
    batch.put(key(crate::log::keys::GLOBAL, b'F', &[]), format);
    newer.apply(&batch).unwrap();
    let before = newer.scan_all(&[]).unwrap();
    let keys = tempfile::tempdir().unwrap();
    let opened = Granary::open(Arc::new(newer.clone()), keys.path(), None, |fault| panic!("{fault}"));
    assert!(opened.err().unwrap().to_string().contains("format 2"));
    assert_eq!(newer.scan_all(&[]).unwrap(), before);
}

// An older run of the backup still has the changes; the event in the log says that they are gone.
#[test]
fn store_with_an_erased_book_is_rebuilt_to_the_same_bytes_also_over_older_rows() {
    let (keys, store, granary) = filled();
    let folder = tempfile::tempdir().unwrap();
    back_up(&store, keys.path(), folder.path(), "then", None).unwrap();
    let before = store.copy();
    let what = Erasable::Household { id: HouseholdId::from_bytes([1; 16]), with_books: true };
    granary.erase(Principal::Operator, COOP, &what, Instant(9)).unwrap();
    record(&granary, 2, 1);
    assert!(
        back_up(&store, keys.path(), folder.path(), "later", None).unwrap().is_whole,
        "files before it have the book"
    );
    assert_eq!(check(&store), Vec::<String>::new());
    let mixed = store.copy();
    let mut batch = Batch::default();
    rows(&before, b"e").into_iter().for_each(|row| batch.put(row.key, row.value.unwrap()));
    mixed.apply(&batch).unwrap();
    let restored = MemoryStore::default();
    read_into(folder.path(), &restored).unwrap();
    for made in [mixed, restored] {
        assert_eq!(rebuild(&made).unwrap().dropped, 0);
        assert_eq!(rows(&made, b"hmapeldu"), rows(&store, b"hmapeldu"));
    }
}
