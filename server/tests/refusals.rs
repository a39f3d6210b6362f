//! The server refuses an enrolled device to write under another device's actor, to use a sequence twice, and to write
//! or read documents that it was not granted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{NOW, World, book, household, one_lot, reason, received};
use granary_client_core::ids::{ActorId, Incarnation};
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::schema::access::Role;
use granary_server::access::Principal;

#[test]
fn device_cannot_write_under_foreign_actor() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let neighbour = world.device(2, Role::Household(household(1)));
    let forged = one_lot(&book(1), &neighbour.id.actor(Incarnation::new(0)), 1_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), forged)])), Some(RefusalReason::ForeignActor));
    let other_genesis = one_lot(&book(1), &ActorId::from_bytes(b"genesis").unwrap(), 1_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), other_genesis)])), Some(RefusalReason::ForeignActor));
    let mut coordinator = world.device(3, Role::Coordinator);
    assert!(!received(&world.sync(&mut coordinator, &[])).contains(&book(1)), "no change of it was admitted");
}

#[test]
fn reused_sequence_is_refused_and_repeat_adds_nothing() {
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
fn refused_document_does_not_block_others() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let actor = li.id.actor(Incarnation::new(0));
    let changes = [(book(2), one_lot(&book(2), &actor, 1_000)), (book(1), one_lot(&book(1), &actor, 2_000))];
    let reply = world.sync(&mut li, &changes);
    assert_eq!(reply.refused.len(), 1);
    assert_eq!((reply.refused[0].document, reply.refused[0].reason), (0, RefusalReason::MayNotWrite));
    let mut coordinator = world.device(3, Role::Coordinator);
    let documents = received(&world.sync(&mut coordinator, &[]));
    assert!(documents.contains(&book(1)) && !documents.contains(&book(2)));
}

#[test]
fn grant_sends_whole_documents_and_revocation_new_grants() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let mut wang = world.device(2, Role::Household(household(2)));
    let lot = one_lot(&book(2), &wang.id.actor(Incarnation::new(0)), 1_000);
    world.sync(&mut wang, &[(book(2), lot)]);
    assert!(!received(&world.sync(&mut li, &[])).contains(&book(2)));

    let both = [Role::Household(household(1)), Role::Household(household(2))];
    world.granary.grant(Principal::Operator, world.coop, li.id, &both, NOW).unwrap();
    assert_eq!(received(&world.sync(&mut li, &[])), [book(2)]);

    world.granary.grant(Principal::Operator, world.coop, li.id, &both[..1], NOW).unwrap();
    let grants = world.sync(&mut li, &[]).grants.unwrap();
    assert!(!grants.may_read(&book(2)) && grants.may_read(&book(1)));
}
