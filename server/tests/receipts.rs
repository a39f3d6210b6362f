//! Receipts, chains and attestations: which entries a replica gets back, and which changes of others it may backfill.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Device, World, book, household, key, one_lot, reason, received};
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::protocol::attestation::{Attestation, CODE_BYTES, Code, Shown, tips};
use granary_client_core::protocol::bundle::read_bundle;
use granary_client_core::protocol::messages::{Cursor, Receipt, RefusalReason};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::catalogue::name_product;
use granary_client_core::schema::{Book, DocumentKey, Part, Season};

/// The household's book of the year before.
fn last_years() -> DocumentKey {
    DocumentKey::HarvestBook(Book::first(household(1), Season::new(2025).unwrap()))
}

/// A household's phone that has synced once.
fn scene() -> (World, Device) {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    world.sync(&mut li, &[]);
    (world, li)
}

/// A lot that the device records in this opening.
fn lot(device: DeviceId, opening: u32, key: &DocumentKey) -> (DocumentKey, Vec<VerifiedChange>) {
    (key.clone(), one_lot(key, &device.actor(Incarnation::new(opening)), 1_000))
}

#[test]
fn lost_reply_returns_no_own_changes() {
    let (world, mut li) = scene();
    let before: Cursor = li.cursor;
    let first = [lot(li.id, 1, &book(1))];
    let first_cursor = world.sync(&mut li, &first).cursor;
    li.cursor = before;
    let again = world.sync(&mut li, &first);
    assert_eq!(again.cursor.receipt, first_cursor.receipt, "the entry is adopted");
    assert_eq!(received(&world.sync(&mut li, &[])), []);
}

// A request repeats only a part of an earlier one, so no entry can be adopted: the receipt is the log's end.
#[test]
fn partial_repeat_gets_receipt_through_logs_end() {
    let (world, mut li) = scene();
    let before: Cursor = li.cursor;
    let (one, other) = (lot(li.id, 1, &book(1)), lot(li.id, 1, &last_years()));
    world.sync(&mut li, &[one.clone(), other]);
    li.cursor = Cursor { receipt: before.receipt, tags: before.tags, ..li.cursor };
    let reply = world.sync(&mut li, &[(one.0, one.1[..1].to_vec())]);
    assert!(matches!(reply.cursor.receipt, Receipt::Through(entry) if entry > 0), "{:?}", reply.cursor);
    assert!(!world.sync(&mut li, &[]).reconciles);
}

// The line delivers a request after a later one of the same replica.
#[test]
fn late_request_changes_nothing() {
    let (world, mut li) = scene();
    let (before, id) = (li.cursor, li.id);
    let first = [lot(id, 1, &book(1))];
    world.sync(&mut li, &first);
    world.sync(&mut li, &[lot(id, 1, &last_years())]);
    let after = li.cursor;
    li.cursor = before;
    assert!(!world.sync(&mut li, &first).reconciles, "the line delivered it late");
    li.cursor = after;
    assert_eq!(received(&world.sync(&mut li, &[])), []);
}

#[test]
fn copied_replicas_get_each_others_entries_and_are_marked_forked() {
    let (world, Device { id, cursor, .. }) = scene();
    let is_forked = || {
        let devices = world.granary.cooperative(world.coop).unwrap().devices();
        devices.iter().any(|(device, _, seen)| *device == id && seen.as_ref().is_some_and(|seen| seen.is_forked))
    };
    // The phone sends a lot before it is copied.
    let mut li = Device { pair: key(1), id, cursor };
    let before = DocumentKey::HarvestBook(Book::first(household(1), Season::new(2024).unwrap()));
    world.sync(&mut li, &[lot(id, 1, &before)]);
    let mut copy = Device { pair: key(1), id: li.id, cursor: li.cursor };
    world.sync(&mut copy, &[lot(id, 2, &book(1))]);
    assert!(!is_forked());
    let reply = world.sync(&mut li, &[lot(id, 3, &last_years())]);
    assert_eq!(received(&reply), [book(1)]);
    assert_eq!(received(&world.sync(&mut copy, &[])), [last_years()]);
    assert!(is_forked());
    assert_eq!(received(&world.sync(&mut li, &[])), []);
}

#[test]
fn household_backfills_read_only_document_by_attestation() {
    let (world, mut li) = scene();
    let edit = |doc: &mut _| name_product(doc, "millet", "小米", "Millet");
    world.granary.edit(world.coop, &DocumentKey::Catalogue(Part::FIRST), common::NOW, edit).unwrap();
    let reply = world.sync(&mut li, &[]);
    let catalogue = read_bundle(&reply.bundle).unwrap().remove(0);
    assert_eq!(catalogue.key, DocumentKey::Catalogue(Part::FIRST));
    let code = Code(reply.attestations.as_slice().try_into().unwrap());
    let attestation = Attestation { tips: tips(&catalogue.changes), code };
    let changes = [(DocumentKey::Catalogue(Part::FIRST), catalogue.changes)];
    let backfill = |attestation: Option<Attestation>| {
        let mut li = Device { pair: key(1), id: li.id, cursor: li.cursor };
        let shown = attestation.map(|attestation| Shown { document: 0, attestation });
        reason(&world.sync_showing(&mut li, &changes, shown.into_iter().collect()))
    };
    assert_eq!(backfill(None), Some(RefusalReason::MayNotWrite));
    let forged = Attestation { code: Code([0; CODE_BYTES]), ..attestation.clone() };
    assert_eq!(backfill(Some(forged)), Some(RefusalReason::MayNotWrite));
    assert_eq!(backfill(Some(attestation)), None);
}

#[test]
fn attestation_covers_only_its_tips() {
    let (world, mut li) = scene();
    let neighbour = world.device(2, Role::Household(household(1)));
    let mut wang = Device { pair: key(2), id: neighbour.id, cursor: Cursor::default() };
    world.sync(&mut wang, &[lot(neighbour.id, 1, &book(1))]);
    let reply = world.sync(&mut li, &[]);
    let of_book = read_bundle(&reply.bundle).unwrap().remove(0);
    let code = Code(reply.attestations.as_slice().try_into().unwrap());
    let shown = Shown { document: 0, attestation: Attestation { tips: tips(&of_book.changes), code } };
    // A change in the neighbour's name that the server never gave out.
    let forged = lot(wang.id, 9, &book(1)).1;
    let changes = [(book(1), [of_book.changes, forged[1..].to_vec()].concat())];
    assert_eq!(reason(&world.sync_showing(&mut li, &changes, vec![shown])), Some(RefusalReason::ForeignActor));
}
