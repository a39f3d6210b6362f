//! Outbox files: anyone may import one; each page must be signed by an active device.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Device, NOW, World, book, household, key, one_lot, received};
use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::frame::SignedRequest;
use granary_client_core::protocol::outbox_file::{OpeningKey, OutboxFile, OutboxFileKey, write_page};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::protocol::signing::Purpose;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{Book, DocumentKey, Season};
use granary_server::Error;
use granary_server::access::Principal;
use ring::signature::Ed25519KeyPair;

/// A page in the name of `device`, signed by `pair`.
fn page(device: DeviceId, pair: &Ed25519KeyPair, server: &OutboxFileKey, changes: DocumentChanges) -> Vec<u8> {
    let sign = |bytes: &[u8]| pair.sign(bytes).as_ref().try_into().unwrap();
    let chance = |bytes: &mut [u8]| ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), bytes).is_ok();
    write_page(device, &write_bundle(&[changes]), server, &chance, sign).unwrap()
}

/// The file of a phone that has recorded a lot in its household's book.
fn file_of(world: &World, device: &Device) -> OutboxFile {
    let changes =
        DocumentChanges { key: book(1), changes: one_lot(&book(1), &device.id.actor(Incarnation::new(0)), 1_000) };
    let page = page(device.id, &device.pair, world.granary.outbox_file_key(), changes);
    OutboxFile { certificate: Vec::new(), pages: vec![page] }
}

fn import(world: &World, file: &OutboxFile) -> Result<(), Error> {
    let done = world.granary.import_outbox_file(file, |_| Ok(()), NOW);
    world.granary.settle(&world.granary.cooperative(world.coop).unwrap());
    done
}

fn kind(result: Result<(), Error>) -> Option<ProblemKind> {
    match result {
        Err(error @ (Error::Refused { .. } | Error::Denied(_))) => Some(error.problem().kind),
        Err(other) => panic!("{other}"),
        Ok(()) => None,
    }
}

#[test]
fn repeated_import_adds_lots_once() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    world.sync(&mut li, &[]);
    let file = file_of(&world, &li);
    for _ in 0..3 {
        assert_eq!(kind(import(&world, &file)), None);
    }
    let mut coordinator = world.device(2, Role::Coordinator);
    assert!(received(&world.sync(&mut coordinator, &[])).contains(&book(1)));

    // The phone's next sync adopts the imported entries; the import does not look like a copied phone.
    let lot = one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 1_000);
    let reply = world.sync(&mut li, &[(book(1), lot)]);
    assert_eq!((reply.refused.len(), reply.reconciles), (0, false));
    let reply = world.sync(&mut li, &[]);
    assert_eq!((received(&reply), reply.reconciles), (Vec::new(), false));
}

#[test]
fn forged_and_altered_files_are_refused() {
    let world = World::new();
    let li = world.device(1, Role::Household(household(1)));
    let neighbour = world.device(2, Role::Household(household(1)));
    let changes =
        DocumentChanges { key: book(1), changes: one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 9_000) };
    let forged = page(li.id, &neighbour.pair, world.granary.outbox_file_key(), changes);
    let forged = OutboxFile { certificate: Vec::new(), pages: vec![forged] };
    assert_eq!(kind(import(&world, &forged)), Some(ProblemKind::BadSignature));

    let mut altered = file_of(&world, &li);
    *altered.pages[0].last_mut().unwrap() ^= 1;
    assert_eq!(kind(import(&world, &altered)), Some(ProblemKind::BadSignature));
    let mut coordinator = world.device(3, Role::Coordinator);
    assert!(!received(&world.sync(&mut coordinator, &[])).contains(&book(1)));
}

#[test]
fn signatures_of_requests_and_pages_are_not_interchangeable() {
    let world = World::new();
    let li = world.device(1, Role::Household(household(1)));
    let content: Vec<u8> = (0..200).collect();
    let request = world.signed(&li, Purpose::Sync, &content);
    // A request's first byte is its version, and so is a page's.
    let as_page = [&[1], &request[1..]].concat();
    let file = OutboxFile { certificate: Vec::new(), pages: vec![as_page] };
    assert_eq!(kind(import(&world, &file)), Some(ProblemKind::BadSignature));

    let page = file_of(&world, &li).pages.remove(0);
    let as_request = SignedRequest::parse(page).unwrap();
    assert_eq!(kind(world.granary.sync(&as_request, NOW).map(drop)), Some(ProblemKind::BadSignature));
}

#[test]
fn files_of_other_servers_are_refused_and_those_of_revoked_phones_reach_nobody() {
    let world = World::new();
    let li = world.device(1, Role::Household(household(1)));
    let changes =
        DocumentChanges { key: book(1), changes: one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 1_000) };
    let elsewhere = page(li.id, &li.pair, OpeningKey::derive(b"another").outbox_file_key(), changes);
    let elsewhere = OutboxFile { certificate: Vec::new(), pages: vec![elsewhere] };
    assert_eq!(kind(import(&world, &elsewhere)), Some(ProblemKind::Malformed));

    let file = file_of(&world, &li);
    world.granary.revoke(Principal::Operator, world.coop, li.id, NOW).unwrap();
    import(&world, &file).unwrap();
    assert!(world.granary.document(world.coop, &book(1)).unwrap().is_none());
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
    assert_eq!(world.granary.findings().unwrap(), Vec::<String>::new(), "what was set aside is no damage");
}

#[test]
fn file_of_unknown_phone_without_certificate_is_refused() {
    let world = World::new();
    let pair = key(7);
    let public: [u8; 32] = ring::signature::KeyPair::public_key(&pair).as_ref().try_into().unwrap();
    let stranger = Device { pair, id: DeviceId::of_public_key(&public), cursor: Default::default() };
    let file = file_of(&world, &stranger);
    assert_eq!(kind(import(&world, &file)), Some(ProblemKind::BadSignature), "the file holds no certificate");
}

// The file's entry is in no receipt chain. It must not look like the entry of a copied phone.
#[test]
fn imported_outbox_file_marks_no_device_as_forked() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let opening = li.id.actor(Incarnation::new(5));
    let last_years = DocumentKey::HarvestBook(Book::first(household(1), Season::new(2025).unwrap()));
    world.sync(&mut li, &[(last_years.clone(), one_lot(&last_years, &opening, 1_000))]);
    import(&world, &file_of(&world, &li)).unwrap();
    let before = DocumentKey::HarvestBook(Book::first(household(1), Season::new(2024).unwrap()));
    let in_file = one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 1_000);
    world.sync(&mut li, &[(book(1), in_file), (before.clone(), one_lot(&before, &opening, 2_000))]);
    let devices = world.granary.cooperative(world.coop).unwrap().devices();
    let seen = devices.into_iter().find(|(device, ..)| *device == li.id).and_then(|(_, _, seen)| seen);
    assert!(seen.is_some_and(|seen| !seen.is_forked));
}
