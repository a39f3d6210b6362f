//! Others' changes that come back after a restoration without a proof are kept apart until a coordinator takes them in.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

mod common;

use common::{Device, NOW, World, book, household, one_lot, reason, received};
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::Incarnation;
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::quantities::Grams;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{LotDraft, LotEdit, correct, lots, record};
use granary_client_core::schema::{Document, DocumentKey, Part, cooperative};
use granary_server::access::Principal;

fn actor(device: &Device, opening: u32) -> granary_client_core::ids::ActorId {
    device.id.actor(Incarnation::new(opening))
}

/// The notes in a household's book, as the server has it.
fn notes(world: &World, number: u8) -> Vec<Option<String>> {
    let book = world.granary.document(world.coop, &book(number)).unwrap();
    book.map(|book| lots(&book).into_iter().map(|lot| lot.note).collect()).unwrap_or_default()
}

/// A household's lot, the coordinator's note on it, and an edit of the phone that builds on the note.
fn lot_note_and_more(phone: &Device, coordinator: &Device) -> (Vec<VerifiedChange>, VerifiedChange, VerifiedChange) {
    let mut document = Document::new(book(1)).unwrap();
    let draft = LotDraft::new("millet", Grams::new(12_500).unwrap(), "2026-10-03".parse().unwrap());
    let first = Document::first_change(&book(1)).unwrap();
    let lot = document.edit(&actor(phone, 1), NOW, |doc| record(doc, &draft)).unwrap().1.unwrap();
    let key = lots(&document)[0].key.clone();
    let note = |text: &str| LotEdit::Note(text.to_owned());
    let noted = document.edit(&actor(coordinator, 1), NOW, |doc| correct(doc, &key, &note("weighed twice"))).unwrap().1;
    let draft = LotDraft::new("millet", Grams::new(9_000).unwrap(), "2026-10-04".parse().unwrap());
    let more = document.edit(&actor(phone, 1), NOW, |doc| record(doc, &draft)).unwrap().1.unwrap();
    (vec![first, lot], noted.unwrap(), more)
}

// Such a note was refused, and with it what the phone itself had written.
#[test]
fn lost_note_that_nothing_proves_arrives_once_a_coordinator_takes_it_in() {
    let world = World::new();
    let (mut phone, mut coordinator) =
        (world.device(1, Role::Household(household(1))), world.device(2, Role::Coordinator));
    let backup = world.backup();
    let (lot, note, more) = lot_note_and_more(&phone, &coordinator);
    let world = world.on(backup, true);
    let all = [lot, vec![note, more]].concat();
    let reply = world.sync(&mut phone, &[(book(1), all.clone())]);
    assert_eq!(reply.refused, [], "the phone need not send it again");
    assert_eq!(notes(&world, 1), [None], "its own lot is there, and what builds on the note waits");
    let aside = world.granary.set_aside(world.coop).unwrap();
    assert_eq!((aside.len(), aside[0].device, aside[0].changes), (1, phone.id, 1));
    assert_eq!(aside[0].in_the_name_of, [coordinator.id]);
    assert_eq!(aside[0].reason, AsideReason::Unverified);
    // Again, as when the reply was lost; and once more by a copy.
    world.sync(&mut phone, &[(book(1), all)]);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
    assert_eq!(world.sync(&mut phone, &[]).notices, [], "its document stays as it is until somebody decides");
    world.granary.take_in(Principal::Operator, world.coop, (aside[0].device, aside[0].entry), NOW).unwrap();
    assert_eq!(notes(&world, 1), [Some("weighed twice".to_owned()), None]);
    assert!(received(&world.sync(&mut coordinator, &[])).contains(&book(1)));
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    assert_eq!(world.sync(&mut phone, &[]).notices, []);
}

#[test]
fn forged_lot_in_a_coordinators_name_is_never_shown_unless_taken_in() {
    let world = World::new();
    let (mut phone, mut coordinator) =
        (world.device(1, Role::Household(household(1))), world.device(2, Role::Coordinator));
    let backup = world.backup();
    let world = world.on(backup, true);
    let forged = one_lot(&book(1), &actor(&coordinator, 7), 99_999);
    world.sync(&mut phone, &[(book(1), forged.clone())]);
    assert_eq!(notes(&world, 1), [] as [Option<String>; 0]);
    let of_it = |keys: Vec<DocumentKey>| keys.contains(&book(1));
    let own = one_lot(&book(2), &actor(&coordinator, 1), 1_000);
    world.sync(&mut coordinator, &[(book(2), own)]);
    let reply = world.sync(&mut coordinator, &[]);
    assert!(!of_it(received(&reply)) || reply.bundle.len() < 60, "no more than the empty book");
    let aside = world.granary.set_aside(world.coop).unwrap();
    assert_eq!(aside[0].in_the_name_of, [coordinator.id]);
    world.granary.refuse_set_aside(Principal::Operator, world.coop, (aside[0].device, aside[0].entry), NOW).unwrap();
    let notices = world.sync(&mut phone, &[]).notices;
    assert!(notices[0].changes.iter().any(|range| range.has(&forged[1])), "the phone takes it out of its document");
    // It stays refused, also when another phone brings it.
    let mut other = world.device(3, Role::Household(household(1)));
    for device in [&mut phone, &mut other] {
        assert_eq!(world.sync(device, &[(book(1), forged.clone())]).refused, []);
    }
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    assert_eq!(notes(&world, 1), [] as [Option<String>; 0]);
}

#[test]
fn catalogue_that_only_a_household_still_has_waits_for_a_coordinator() {
    let world = World::new();
    let (mut phone, coordinator) = (world.device(1, Role::Household(household(1))), world.device(2, Role::Coordinator));
    let backup = world.backup();
    let world = world.on(backup, true);
    let key = DocumentKey::Cooperative(Part::new(2).unwrap());
    let mut document = Document::new(key.clone()).unwrap();
    let edit = |doc: &mut _| cooperative::set_village(doc, "east", "东坡村");
    let named = document.edit(&actor(&coordinator, 1), NOW, edit).unwrap().1.unwrap();
    let all = vec![Document::first_change(&key).unwrap(), named];
    assert_eq!(world.sync(&mut phone, &[(key.clone(), all)]).refused, []);
    let aside = world.granary.set_aside(world.coop).unwrap();
    world.granary.take_in(Principal::Operator, world.coop, (aside[0].device, aside[0].entry), NOW).unwrap();
    let read = cooperative::read(&world.granary.document(world.coop, &key).unwrap().unwrap());
    assert_eq!(read.villages, [("east".to_owned(), "东坡村".to_owned())]);
    // What it may not read it may not give back either.
    let foreign = one_lot(&book(2), &actor(&coordinator, 1), 1_000);
    assert_eq!(reason(&world.sync(&mut phone, &[(book(2), foreign)])), Some(RefusalReason::MayNotWrite));
}

// What was refused was kept beside, and the notice of it took the phone's own changes out of its document for good.
#[test]
fn server_that_never_lost_anything_takes_nothing_of_others_and_leaves_the_phone_its_own() {
    let world = World::new();
    let (mut phone, coordinator) = (world.device(1, Role::Household(household(1))), world.device(2, Role::Coordinator));
    let (lot, note, more) = lot_note_and_more(&phone, &coordinator);
    let reply = world.sync(&mut phone, &[(book(1), [lot.clone(), vec![note, more.clone()]].concat())]);
    assert_eq!(reason(&reply), Some(RefusalReason::ForeignActor));
    assert_eq!(reply.notices, [], "nothing of it is set aside");
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    let again = world.sync(&mut phone, &[(book(1), [lot, vec![more]].concat())]);
    assert_eq!((again.refused, again.notices), (vec![], vec![]));
    assert_eq!(notes(&world, 1), [None]);
}

#[test]
fn phones_can_not_fill_the_store_with_what_they_give_back() {
    let world = World::new();
    let coordinator = world.device(2, Role::Coordinator);
    let backup = world.backup();
    let world = world.on(backup, true);
    let (mut kept, mut refused) = (0, 0);
    for seed in 10..20 {
        let mut phone = world.device(seed, Role::Household(household(1)));
        // In one request as in many: books of one household.
        let books = (1..=80).map(|part| book(1).at(Part::new(part).unwrap()).unwrap());
        let own = actor(&coordinator, u32::from(seed));
        let all: Vec<_> = books.map(|book| (book.clone(), one_lot(&book, &own, 1_000))).collect();
        let reply = world.sync(&mut phone, &all);
        assert!(reply.refused.iter().all(|refusal| refusal.reason == RefusalReason::ForeignActor));
        (kept, refused) = (kept + all.len() - reply.refused.len(), refused + reply.refused.len());
    }
    assert_eq!(
        world.granary.set_aside(world.coop).unwrap().iter().filter(|aside| !aside.in_the_name_of.is_empty()).count(),
        kept
    );
    assert_eq!((kept, refused), (512, 288));
}
