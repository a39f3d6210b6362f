//! What was set aside is listed for coordinators with its lots, taken in or refused, and counted in the store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

mod common;

use common::{Device, NOW, World, book, household, one_lot, reason, received};
use granary_client_core::automerge::{ROOT, transaction::Transactable};
use granary_client_core::crdt::DOCUMENT_BYTES_MAX;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::Incarnation;
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::protocol::outbox_file::{OutboxFile, write_page};
use granary_client_core::quantities::Grams;
use granary_client_core::schema::Document;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{LotDraft, lots, record};
use granary_server::Error;
use granary_server::access::{Denied, Principal};

fn lot_of(device: &Device, number: u8, grams: i64) -> Vec<VerifiedChange> {
    one_lot(&book(number), &device.id.actor(Incarnation::new(1)), grams)
}

/// The weights in a household's book, as the server has it.
fn weights(world: &World, number: u8) -> Vec<i64> {
    let book = world.granary.document(world.coop, &book(number)).unwrap();
    book.map(|book| lots(&book).into_iter().filter_map(|lot| Some(lot.quantity?.get())).collect()).unwrap_or_default()
}

/// The changes of a device as an outbox file.
fn file(world: &World, device: &Device, changes: Vec<VerifiedChange>) -> OutboxFile {
    let bundle = write_bundle(&[DocumentChanges { key: book(1), changes }]);
    let sign = |bytes: &[u8]| device.pair.sign(bytes).as_ref().try_into().unwrap();
    let fill = |bytes: &mut [u8]| {
        bytes.fill(7);
        true
    };
    let page = write_page(device.id, &bundle, world.granary.outbox_file_key(), &fill, sign).unwrap();
    OutboxFile { certificate: Vec::new(), pages: vec![page] }
}

#[test]
fn what_a_phone_may_not_write_is_listed_with_its_lots_and_taken_in() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut coordinator = world.device(2, Role::Coordinator);
    let lot = lot_of(&phone, 2, 12_500);
    let reply = world.sync(&mut phone, &[(book(2), lot.clone())]);
    assert_eq!(reason(&reply), Some(RefusalReason::MayNotWrite));
    // The same again, since the reply was lost.
    world.sync(&mut phone, &[(book(2), lot)]);
    let all = world.granary.set_aside(world.coop).unwrap();
    assert_eq!((all.len(), all[0].device, all[0].changes), (1, phone.id, 1));
    assert_eq!(
        all[0].lots.iter().map(|(_, lot)| lot.quantity).collect::<Vec<_>>(),
        [Some(Grams::new(12_500).unwrap())]
    );
    assert_eq!(weights(&world, 2), [0i64; 0], "nobody has it yet");
    world.granary.take_in(Principal::Operator, world.coop, (all[0].device, all[0].entry), NOW).unwrap();
    assert_eq!(weights(&world, 2), [12_500]);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    assert!(received(&world.sync(&mut coordinator, &[])).contains(&book(2)));
    let again = world.granary.take_in(Principal::Operator, world.coop, (all[0].device, all[0].entry), NOW);
    assert_eq!(again.unwrap_err().to_string(), "this is taken in already");
}

#[test]
fn what_a_coordinator_refuses_stays_out() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let lot = lot_of(&phone, 2, 12_500);
    world.sync(&mut phone, &[(book(2), lot.clone())]);
    let all = world.granary.set_aside(world.coop).unwrap();
    world.granary.refuse_set_aside(Principal::Operator, world.coop, (all[0].device, all[0].entry), NOW).unwrap();
    world.sync(&mut phone, &[(book(2), lot)]);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0, "and does not come again");
    assert_eq!(weights(&world, 2), [0i64; 0]);
}

#[test]
fn what_a_full_document_refused_is_taken_in_with_what_builds_on_it() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let actor = phone.id.actor(Incarnation::new(1));
    let mut document = Document::new(book(1)).unwrap();
    let mut large = vec![Document::first_change(&book(1)).unwrap()];
    // What is left is less than a lot takes.
    while document.save().len() < DOCUMENT_BYTES_MAX - 100 {
        let text = "a".repeat((DOCUMENT_BYTES_MAX - 80 - document.save().len()).min(60_000));
        let edit = |doc: &mut automerge::AutoCommit| Ok(doc.put(ROOT, format!("{}", large.len()), text.as_str())?);
        large.extend(document.edit(&actor, NOW, edit).unwrap().1);
    }
    world.sync(&mut phone, &[(book(1), large)]);
    let mut notices = Vec::new();
    for grams in [1_000, 2_000] {
        let draft = LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap());
        // A phone that has not heard that the document is full.
        let lot = document.edit(&actor, NOW, |doc| record(doc, &draft)).unwrap().1.unwrap();
        world.sync(&mut phone, &[(book(1), vec![lot.clone()])]);
        notices.extend(world.sync(&mut phone, &[]).notices);
        if grams == 1_000 {
            assert!(notices[0].changes.iter().any(|range| range.has(&lot)), "the phone learns which");
        }
    }
    assert_eq!(weights(&world, 1), [0i64; 0]);
    let all = world.granary.set_aside(world.coop).unwrap();
    assert_eq!(all.len(), 1, "the second waits for the first");
    world.granary.take_in(Principal::Operator, world.coop, (all[0].device, all[0].entry), NOW).unwrap();
    assert_eq!(weights(&world, 1)[..1], [1_000]);
    for aside in world.granary.set_aside(world.coop).unwrap() {
        world.granary.take_in(Principal::Operator, world.coop, (aside.device, aside.entry), NOW).unwrap();
    }
    assert_eq!(weights(&world, 1), [1_000, 2_000]);
}

#[test]
fn file_of_a_revoked_phone_waits_for_a_coordinator() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let lot = lot_of(&phone, 1, 12_500);
    world.granary.revoke(Principal::Operator, world.coop, phone.id, NOW).unwrap();
    let refused = world.try_sync(&mut phone, &[(book(1), lot.clone())]);
    assert!(matches!(refused, Err(Error::Denied(Denied::Revoked))));
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    world.granary.import_outbox_file(&file(&world, &phone, lot), |_| Ok(()), NOW).unwrap();
    assert_eq!(weights(&world, 1), [0i64; 0]);
    let all = world.granary.set_aside(world.coop).unwrap();
    world.granary.take_in(Principal::Operator, world.coop, (all[0].device, all[0].entry), NOW).unwrap();
    assert_eq!(weights(&world, 1), [12_500]);
}

#[test]
fn revoked_phone_that_is_granted_again_belongs_again() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    world.granary.revoke(Principal::Operator, world.coop, phone.id, NOW).unwrap();
    assert!(world.try_sync(&mut phone, &[]).is_err());
    world.granary.grant(Principal::Operator, world.coop, phone.id, &[Role::Household(household(1))], NOW).unwrap();
    let lot = lot_of(&phone, 1, 12_500);
    assert_eq!(world.sync(&mut phone, &[(book(1), lot)]).refused, []);
    assert_eq!(weights(&world, 1), [12_500]);
}

#[test]
fn what_comes_again_after_a_grant_is_not_set_aside_any_more() {
    let world = World::new();
    let mut phone = world.device(1, Role::Packer);
    let lot = lot_of(&phone, 1, 12_500);
    world.sync(&mut phone, &[(book(1), lot.clone())]);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
    world.granary.grant(Principal::Operator, world.coop, phone.id, &[Role::Household(household(1))], NOW).unwrap();
    world.sync(&mut phone, &[(book(1), lot)]);
    assert_eq!(weights(&world, 1), [12_500]);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
}

#[test]
fn one_phone_cannot_fill_the_store_with_what_is_refused() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    for grams in 1..=100 {
        let lot = one_lot(&book(2), &phone.id.actor(Incarnation::new(grams)), i64::from(grams));
        world.sync(&mut phone, &[(book(2), lot)]);
    }
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 64);
}
