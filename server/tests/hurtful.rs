//! Hostile changes that are well formed. Each is refused, quarantined or admitted; the server keeps serving, and a
//! neighbour's harvest still reaches the coordinator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

mod common;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT};
use common::{Device, NOW, World, book, household, one_lot, reason, received};
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ActorId, Incarnation};
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::limits;
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{Book, Document, DocumentKey, Season};

struct Scene {
    world: World,
    attacker: Device,
    neighbour: Device,
    coordinator: Device,
}

fn scene() -> Scene {
    let world = World::new();
    let attacker = world.device(1, Role::Household(household(1)));
    let neighbour = world.device(2, Role::Household(household(2)));
    let coordinator = world.device(3, Role::Coordinator);
    Scene { world, attacker, neighbour, coordinator }
}

impl Scene {
    /// The neighbour sends a lot, and the coordinator gets it.
    fn assert_neighbour_reaches_coordinator(&mut self) {
        let lot = one_lot(&book(2), &self.neighbour.id.actor(Incarnation::new(0)), 1_000);
        let reply = self.world.sync(&mut self.neighbour, &[(book(2), lot)]);
        assert_eq!(reply.refused, []);
        for _ in 0..200 {
            let reply = self.world.sync(&mut self.coordinator, &[]);
            if received(&reply).contains(&book(2)) {
                return;
            }
            assert!(reply.more, "the neighbour's harvest does not come");
        }
        panic!("the neighbour's harvest does not come");
    }
}

/// Changes of a household's own book, each made by `edit`.
fn changes(actor: &ActorId, count: usize, mut edit: impl FnMut(&mut AutoCommit, usize)) -> Vec<VerifiedChange> {
    let mut document = Document::new(book(1)).unwrap();
    let mut all = vec![Document::first_change(&book(1)).unwrap()];
    for number in 0..count {
        let edited = document.edit(actor, NOW, |doc| {
            edit(doc, number);
            Ok(())
        });
        all.extend(edited.unwrap().1);
    }
    all
}

#[test]
fn deeply_nested_maps_are_harmless() {
    let mut scene = scene();
    let mut inner = ROOT;
    let deep = changes(&scene.attacker.id.actor(Incarnation::new(0)), 3, |doc, _| {
        for _ in 0..limits::CHANGE_OPERATIONS_MAX - 1 {
            inner = doc.put_object(&inner, "a", ObjType::Map).unwrap();
        }
    });
    let reply = scene.world.sync(&mut scene.attacker, &[(book(1), deep)]);
    assert_eq!(reply.refused, [], "sixty thousand levels are allowed, and do no harm");
    scene.assert_neighbour_reaches_coordinator();
}

#[test]
fn change_with_too_many_operations_is_refused() {
    let mut document = AutoCommit::new();
    for number in 0..=limits::CHANGE_OPERATIONS_MAX {
        document.put(ROOT, format!("{number}"), 1).unwrap();
    }
    let change = document.get_changes(&[]).remove(0);
    assert!(VerifiedChange::from_chunk(change.raw_bytes()).is_err());
}

// An attacker leaves out the first change of a chain, so each change after it is an orphan.
#[test]
fn orphans_are_limited_per_document() {
    let mut scene = scene();
    let actor = scene.attacker.id.actor(Incarnation::new(0));
    let chain = changes(&actor, 200, |doc, number| doc.put(ROOT, "n", number as i64).unwrap());
    let mut refused = None;
    for change in chain.iter().skip(2) {
        let reply = scene.world.sync(&mut scene.attacker, &[(book(1), vec![change.clone()])]);
        if let Some(reason) = reason(&reply) {
            refused = Some(reason);
            break;
        }
    }
    assert_eq!(refused, Some(RefusalReason::TooManyOrphans));
    let next_year = DocumentKey::HarvestBook(Book::first(household(1), Season::new(2027).unwrap()));
    let lot = one_lot(&next_year, &actor, 1_000);
    let reply = scene.world.sync(&mut scene.attacker, &[(next_year, lot)]);
    assert_eq!(reply.refused, [], "the limit is for each document");
    scene.assert_neighbour_reaches_coordinator();
}

// One page holds a lot that is causally ready and a later change whose dependency never comes. They must not share an
// entry, since an entry is admitted whole.
#[test]
fn ready_change_is_admitted_beside_orphan() {
    let mut scene = scene();
    let mut document = Document::new(book(1)).unwrap();
    let mut writes = |device: &Device, number: i64| {
        let edited = document.edit(&device.id.actor(Incarnation::new(0)), NOW, |doc| Ok(doc.put(ROOT, "n", number)?));
        edited.unwrap().1.unwrap()
    };
    let own = writes(&scene.attacker, 1);
    writes(&scene.coordinator, 2);
    let ahead = writes(&scene.attacker, 3);
    let page = vec![Document::first_change(&book(1)).unwrap(), own, ahead];
    let reply = scene.world.sync(&mut scene.attacker, &[(book(1), page)]);
    assert_eq!(reply.refused, []);
    let reply = scene.world.sync(&mut scene.coordinator, &[]);
    assert!(received(&reply).contains(&book(1)), "the ready change is admitted without the orphan");
}

#[test]
fn actors_are_limited_per_device_and_document() {
    let mut scene = scene();
    let mut all = vec![Document::first_change(&book(1)).unwrap()];
    for generation in 0..4_000 {
        all.extend(
            one_lot(&book(1), &scene.attacker.id.actor(Incarnation::new(generation)), 1_000).into_iter().skip(1),
        );
    }
    assert_eq!(scene.world.sync(&mut scene.attacker, &[(book(1), all)]).refused, []);
    let more: Vec<VerifiedChange> = (4_000..4_200)
        .flat_map(|number| one_lot(&book(1), &scene.attacker.id.actor(Incarnation::new(number)), 1_000))
        .collect();
    let more = more.into_iter().filter(|change| !change.record().actor.is_genesis()).collect();
    assert_eq!(reason(&scene.world.sync(&mut scene.attacker, &[(book(1), more)])), Some(RefusalReason::TooManyActors));
    let foreign = one_lot(&book(1), &ActorId::from_bytes(&[7; 20]).unwrap(), 1_000);
    assert_eq!(
        reason(&scene.world.sync(&mut scene.attacker, &[(book(1), foreign)])),
        Some(RefusalReason::ForeignActor)
    );
    scene.assert_neighbour_reaches_coordinator();
}

#[test]
fn full_document_quarantines_further_changes() {
    let mut scene = scene();
    let text = "a".repeat(60_000);
    let large = changes(&scene.attacker.id.actor(Incarnation::new(0)), 30, |doc, number| {
        doc.put(ROOT, format!("{number}"), &text).unwrap()
    });
    let mut notices = Vec::new();
    for change in large {
        let reply = scene.world.sync(&mut scene.attacker, &[(book(1), vec![change])]);
        notices.extend(reply.notices);
    }
    let full = AsideReason::Refused(RefusalReason::DocumentFull);
    assert!(notices.iter().any(|notice| notice.reason == full), "{}", notices.len());
    scene.assert_neighbour_reaches_coordinator();
}

#[test]
fn many_tiny_changes_are_harmless() {
    let mut scene = scene();
    let actor = scene.attacker.id.actor(Incarnation::new(0));
    let tiny = changes(&actor, 12_000, |doc, number| doc.put(ROOT, "n", number as i64).unwrap());
    for part in tiny.chunks(4_000) {
        assert_eq!(scene.world.sync(&mut scene.attacker, &[(book(1), part.to_vec())]).refused, []);
    }
    scene.assert_neighbour_reaches_coordinator();
}
