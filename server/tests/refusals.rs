//! What an enrolled device may not do, asked of the server's domain without a socket: write under
//! another's actor, use a sequence twice, write what it may not, read what it was not granted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{NOW, World, book, brought, household, one_lot, reason};
use granary_client_core::ids::{ActorId, Incarnation};
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::schema::access::Role;

#[test]
fn a_device_cannot_write_under_another_devices_actor() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let neighbour = world.device(2, Role::Household(household(1)));
    let forged = one_lot(&book(1), &neighbour.id.actor(Incarnation::new(0)), 1_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), forged)])), Some(RefusalReason::ForeignActor));
    let begun_otherwise = one_lot(&book(1), &ActorId::from_bytes(b"genesis").unwrap(), 1_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), begun_otherwise)])), Some(RefusalReason::ForeignActor));
    let mut coordinator = world.device(3, Role::Coordinator);
    assert!(!brought(&world.sync(&mut coordinator, &[])).contains(&book(1)), "nothing of it was kept");
}

#[test]
fn a_sequence_is_used_once_and_a_repeat_adds_nothing() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let lot = one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 1_000);
    let first = world.sync(&mut li, &[(book(1), lot.clone())]);
    assert_eq!(reason(&first), None);
    let again = world.sync(&mut li, &[(book(1), lot)]);
    assert_eq!((reason(&again), again.cursor.receipt), (None, first.cursor.receipt));
    let other = one_lot(&book(1), &li.id.actor(Incarnation::new(0)), 2_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), other)])), Some(RefusalReason::SequenceReused));
    let devices = world.granary.cooperative(world.coop).unwrap().devices();
    let seen = devices.into_iter().find(|(device, ..)| *device == li.id).and_then(|(_, _, seen)| seen);
    assert!(seen.is_some_and(|seen| seen.is_forked), "the coordinator is told");
}

#[test]
fn a_refused_document_does_not_keep_others_from_being_taken() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let actor = li.id.actor(Incarnation::new(0));
    let changes = [(book(2), one_lot(&book(2), &actor, 1_000)), (book(1), one_lot(&book(1), &actor, 2_000))];
    let reply = world.sync(&mut li, &changes);
    assert_eq!(reply.refused.len(), 1);
    assert_eq!((reply.refused[0].document, reply.refused[0].reason), (0, RefusalReason::MayNotWrite));
    let mut coordinator = world.device(3, Role::Coordinator);
    let brought = brought(&world.sync(&mut coordinator, &[]));
    assert!(brought.contains(&book(1)) && !brought.contains(&book(2)));
}

#[test]
fn a_grant_brings_documents_whole_and_its_end_is_told() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let mut wang = world.device(2, Role::Household(household(2)));
    let lot = one_lot(&book(2), &wang.id.actor(Incarnation::new(0)), 1_000);
    world.sync(&mut wang, &[(book(2), lot)]);
    assert!(!brought(&world.sync(&mut li, &[])).contains(&book(2)));

    let both = [Role::Household(household(1)), Role::Household(household(2))];
    world.granary.grant("operator", world.coop, li.id, &both, NOW).unwrap();
    assert_eq!(brought(&world.sync(&mut li, &[])), [book(2)]);

    world.granary.grant("operator", world.coop, li.id, &both[..1], NOW).unwrap();
    let told = world.sync(&mut li, &[]).grants.unwrap();
    assert!(!told.may_read(&book(2)) && told.may_read(&book(1)));
}
