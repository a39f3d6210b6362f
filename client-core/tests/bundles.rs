//! Bundles against real Automerge documents: whatever Automerge writes comes back with the same
//! hashes, and no damaged bundle does any harm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use automerge::transaction::{CommitOptions, Transactable};
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc, ScalarValue};
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::protocol::bundle::{DocumentChanges, read_bundle, write_bundle};
use granary_client_core::schema::{DocumentKey, Part};
use proptest::prelude::*;

fn verified(document: &mut AutoCommit) -> Vec<VerifiedChange> {
    document
        .get_changes(&[])
        .iter()
        .map(|change| VerifiedChange::from_chunk(change.raw_bytes()).expect("Automerge's own change is taken"))
        .collect()
}

/// What a random editor does to a random replica.
#[derive(Debug, Clone)]
enum Edit {
    Put(u8, i64),
    Text(u8, String),
    Insert(u8),
    Remove(u8),
    Delete(u8),
    Count(u8),
    Float(u8),
    Splice(String),
    Merge,
    Commit(i64, Option<String>),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<u8>(), any::<i64>()).prop_map(|(key, value)| Edit::Put(key % 4, value)),
        (any::<u8>(), ".{0,8}").prop_map(|(key, text)| Edit::Text(key % 4, text)),
        any::<u8>().prop_map(Edit::Insert),
        any::<u8>().prop_map(Edit::Remove),
        any::<u8>().prop_map(|key| Edit::Delete(key % 4)),
        any::<u8>().prop_map(|key| Edit::Count(key % 2)),
        any::<u8>().prop_map(Edit::Float),
        ".{0,6}".prop_map(Edit::Splice),
        Just(Edit::Merge),
        (0i64..2_000_000_000, proptest::option::of("[a-z]{0,5}"))
            .prop_map(|(time, message)| Edit::Commit(time, message)),
    ]
}

fn play(edits: &[(bool, Edit)]) -> AutoCommit {
    let mut one = AutoCommit::new().with_actor(automerge::ActorId::from([1u8; 9].as_slice()));
    let list = one.put_object(ROOT, "lots", ObjType::List).unwrap();
    let text = one.put_object(ROOT, "text", ObjType::Text).unwrap();
    one.commit();
    let mut two = one.fork().with_actor(automerge::ActorId::from([2u8; 9].as_slice()));
    for (first, edit) in edits {
        let (document, other) = if *first { (&mut one, &mut two) } else { (&mut two, &mut one) };
        let length = document.length(&list);
        match edit {
            Edit::Put(key, value) => document.put(ROOT, format!("k{key}"), *value).unwrap(),
            Edit::Text(key, value) => document.put(ROOT, format!("k{key}"), value.as_str()).unwrap(),
            Edit::Insert(place) => {
                let lot = document.insert_object(&list, usize::from(*place) % (length + 1), ObjType::Map).unwrap();
                document.put(&lot, "grams", u64::from(*place)).unwrap();
                document.put(&lot, "note", "x").unwrap();
            }
            Edit::Remove(place) if length > 0 => document.delete(&list, usize::from(*place) % length).unwrap(),
            Edit::Delete(key) => {
                let _ = document.delete(ROOT, format!("k{key}"));
            }
            Edit::Count(key) => {
                let key = format!("c{key}");
                if document.get(ROOT, &key).unwrap().is_some() {
                    document.increment(ROOT, &key, 3).unwrap();
                } else {
                    document.put(ROOT, &key, ScalarValue::counter(1)).unwrap();
                }
            }
            Edit::Float(value) => document.put(ROOT, "f", f64::from(*value) / 3.0).unwrap(),
            Edit::Splice(value) => document.splice_text(&text, 0, 0, value).unwrap(),
            Edit::Merge => {
                document.merge(other).unwrap();
            }
            Edit::Commit(time, message) => {
                let mut options = CommitOptions::default().with_time(*time);
                if let Some(message) = message {
                    options = options.with_message(message.clone());
                }
                document.commit_with(options);
            }
            Edit::Remove(_) => {}
        }
    }
    one.merge(&mut two).unwrap();
    one
}

fn bundle_of(document: &mut AutoCommit) -> Vec<DocumentChanges> {
    vec![DocumentChanges { key: DocumentKey::Catalogue(Part::FIRST), changes: verified(document) }]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn automerge_changes_round_trip_with_same_hashes(edits in proptest::collection::vec((any::<bool>(), edit()), 0..60)) {
        let mut document = play(&edits);
        let bundle = bundle_of(&mut document);
        let back = read_bundle(&write_bundle(&bundle)).unwrap();
        prop_assert_eq!(&back, &bundle);

        let changes = back[0].changes.iter().map(|change| automerge::Change::try_from(change.chunk()).unwrap());
        let mut again = AutoCommit::new();
        again.apply_changes(changes.collect::<Vec<_>>()).unwrap();
        prop_assert_eq!(again.get_heads(), document.get_heads());
    }

    #[test]
    fn damaged_bundle_is_rejected_or_valid(
        edits in proptest::collection::vec((any::<bool>(), edit()), 1..12),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = write_bundle(&bundle_of(&mut play(&edits)));
        for (place, value) in damage {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Ok(documents) = read_bundle(&bytes) {
            // An accepted change is encoded as Automerge encodes it, so it can be read again.
            for change in documents.iter().flat_map(|document| &document.changes) {
                prop_assert!(VerifiedChange::from_chunk(change.chunk()).is_ok());
            }
        }
    }

    #[test]
    fn any_bytes_are_parsed_or_rejected(mut bytes: Vec<u8>) {
        let _ = read_bundle(&bytes);
        bytes.insert(0, 1);
        let _ = read_bundle(&bytes);
        let _ = VerifiedChange::from_chunk(&bytes);
    }
}

#[test]
fn thousand_alike_changes_cost_little_more_than_values() {
    let mut document = AutoCommit::new();
    let list = document.put_object(ROOT, "lots", ObjType::List).unwrap();
    document.commit();
    for number in 0..1000u64 {
        let lot = document.insert_object(&list, number as usize, ObjType::Map).unwrap();
        document.put(&lot, "grams", 20_000 + number * 37 % 5_000).unwrap();
        document.put(&lot, "product", if number % 3 == 0 { "millet" } else { "chilli" }).unwrap();
        document.commit();
    }
    let bytes = write_bundle(&bundle_of(&mut document));
    assert!(bytes.len() < 7_000, "{} bytes", bytes.len());
}

#[test]
fn run_of_a_billion_rows_is_rejected() {
    // One action column that claims 2^40 operations.
    let mut document = AutoCommit::new();
    document.put(ROOT, "a", 1).unwrap();
    let chunk = document.get_changes(&[])[0].raw_bytes().to_vec();
    for place in 8..chunk.len() {
        for value in [0xff, 0x7f, 0x80, 0x00] {
            let mut body = chunk.clone();
            body[place] = value;
            let _ = VerifiedChange::from_chunk(&resealed(body));
        }
    }
}

/// The chunk with the checksum that fits its bytes.
fn resealed(mut chunk: Vec<u8>) -> Vec<u8> {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(&chunk[8..]);
    chunk[4..8].copy_from_slice(&hash[..4]);
    chunk
}
