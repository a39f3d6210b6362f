//! When two phones go by one device's name, and when it only looks so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Device, World, book, brought, household, key, one_lot};
use granary_client_core::documents::{DocumentKey, Season};
use granary_client_core::protocol::access::Role;
use granary_client_core::protocol::messages::{Comparing, Cursor, SyncReply};

/// The household's book of the year before.
fn last_years() -> DocumentKey {
    DocumentKey::HarvestBook(household(1), Season::new(2025).unwrap())
}

/// A household's phone that has synced once, and a coordinator's.
fn scene() -> (World, Device) {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    world.sync(&mut li, &[]);
    (world, li)
}

/// True when the server holds heads against the phone's, as for two that go by one name.
fn compares(reply: &SyncReply) -> bool {
    reply.compares != Comparing::No
}

#[test]
fn a_phone_whose_reply_was_lost_is_one_phone() {
    let (world, mut li) = scene();
    let before: Cursor = li.cursor;
    let lot = [(book(1), one_lot(&book(1), &li.id.actor(0), 1_000))];
    world.sync(&mut li, &lot);
    li.cursor = before;
    assert!(!compares(&world.sync(&mut li, &lot)));
    let reply = world.sync(&mut li, &[]);
    assert!(!compares(&reply), "nobody else goes by its name");
    assert_eq!(brought(&reply), [], "it has what it sent");
    assert!(!compares(&world.sync(&mut li, &[])));
}

#[test]
fn an_old_request_that_comes_late_shows_nobody_else() {
    let (world, mut li) = scene();
    let before: Cursor = li.cursor;
    let first = [(book(1), one_lot(&book(1), &li.id.actor(0), 1_000))];
    world.sync(&mut li, &first);
    let second = [(last_years(), one_lot(&last_years(), &li.id.actor(0), 2_000))];
    world.sync(&mut li, &second);
    let after = li.cursor;
    li.cursor = before;
    assert!(!compares(&world.sync(&mut li, &first)), "the line had kept it back");
    li.cursor = after;
    assert!(!compares(&world.sync(&mut li, &[])));
}

#[test]
fn a_copy_that_has_sent_what_the_other_lacks_is_found() {
    let (world, mut li) = scene();
    let mut copy = Device { pair: key(1), id: li.id, cursor: li.cursor };
    world.sync(&mut copy, &[(book(1), one_lot(&book(1), &li.id.actor(0), 1_000))]);
    assert!(compares(&world.sync(&mut li, &[])));
}

#[test]
fn two_copies_whose_replies_were_both_lost_are_found() {
    let (world, mut li) = scene();
    let before = li.cursor;
    let mut copy = Device { pair: key(1), id: li.id, cursor: before };
    world.sync(&mut copy, &[(book(1), one_lot(&book(1), &li.id.actor(0), 1_000))]);
    let own = [(last_years(), one_lot(&last_years(), &li.id.actor(0), 2_000))];
    world.sync(&mut li, &own);
    li.cursor = before;
    let again = world.sync(&mut li, &own);
    assert!(compares(&again) || compares(&world.sync(&mut li, &[])), "the copy's lot is not here");
}
