//! Outbox files: who may bring them, and who may not be in them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Device, NOW, World, book, brought, household, key, one_lot};
use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::frame::{SignedRequest, write_request};
use granary_client_core::protocol::outbox_file::{OpeningKey, OutboxFile, OutboxFileKey, write_page};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::schema::access::Role;
use granary_server::Error;
use ring::signature::Ed25519KeyPair;

/// A page that says that it is `device`'s, signed by `pair`.
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
        Err(Error::Refused { kind, .. }) => Some(kind),
        Err(other) => panic!("{other}"),
        Ok(()) => None,
    }
}

#[test]
fn a_file_brings_its_phones_lots_once_however_often_it_comes() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    world.sync(&mut li, &[]);
    let file = file_of(&world, &li);
    for _ in 0..3 {
        assert_eq!(kind(import(&world, &file)), None);
    }
    let mut coordinator = world.device(2, Role::Coordinator);
    assert!(brought(&world.sync(&mut coordinator, &[])).contains(&book(1)));

    // Its own phone finds at its next sync that they are there, and is still one phone.
    let lot = one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 1_000);
    let reply = world.sync(&mut li, &[(book(1), lot)]);
    assert_eq!((reply.refused.len(), reply.reconciles), (0, false));
    let reply = world.sync(&mut li, &[]);
    assert_eq!((brought(&reply), reply.reconciles), (Vec::new(), false));
}

#[test]
fn whoever_carries_a_file_can_neither_sign_nor_alter_it() {
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
    assert!(!brought(&world.sync(&mut coordinator, &[])).contains(&book(1)));
}

#[test]
fn what_a_request_is_signed_for_is_no_page_and_the_reverse() {
    let world = World::new();
    let li = world.device(1, Role::Household(household(1)));
    let sign = |bytes: &[u8]| li.pair.sign(bytes).as_ref().try_into().unwrap();
    let content: Vec<u8> = (0..200).collect();
    let request = write_request(li.id, &content, sign);
    // A request's first byte is its version, and so is a page's.
    let as_page = [&[1], &request[1..]].concat();
    let file = OutboxFile { certificate: Vec::new(), pages: vec![as_page] };
    assert_eq!(kind(import(&world, &file)), Some(ProblemKind::BadSignature));

    let page = file_of(&world, &li).pages.remove(0);
    let as_request = SignedRequest::parse(page).unwrap();
    assert_eq!(kind(world.granary.sync(&as_request, NOW).map(drop)), Some(ProblemKind::BadSignature));
}

#[test]
fn a_file_for_another_server_and_one_of_a_revoked_phone_are_refused() {
    let world = World::new();
    let li = world.device(1, Role::Household(household(1)));
    let changes =
        DocumentChanges { key: book(1), changes: one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 1_000) };
    let elsewhere = page(li.id, &li.pair, OpeningKey::derive(b"another").outbox_file_key(), changes);
    let elsewhere = OutboxFile { certificate: Vec::new(), pages: vec![elsewhere] };
    assert_eq!(kind(import(&world, &elsewhere)), Some(ProblemKind::Malformed));

    let file = file_of(&world, &li);
    world.granary.revoke("operator", world.coop, li.id, NOW).unwrap();
    assert_eq!(kind(import(&world, &file)), Some(ProblemKind::DeviceRevoked));
}

#[test]
fn a_phone_that_this_store_never_knew_is_nobody_without_its_certificate() {
    let world = World::new();
    let pair = key(7);
    let public: [u8; 32] = ring::signature::KeyPair::public_key(&pair).as_ref().try_into().unwrap();
    let stranger = Device { pair, id: DeviceId::of_public_key(&public), cursor: Default::default() };
    let file = file_of(&world, &stranger);
    assert_eq!(kind(import(&world, &file)), Some(ProblemKind::BadSignature), "its certificate is none");
}
