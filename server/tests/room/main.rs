//! What a device, a household and a document may take of the disk, by every way in; seasons far from today; a disk that is
//! nearly full.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

#[path = "../common/mod.rs"]
mod common;
mod disk;
mod shares;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{Device, NOW, World, book, household, one_lot, reason, received};
use granary_client_core::automerge::{ROOT, transaction::Transactable};
use granary_client_core::crdt::DOCUMENT_BYTES_MAX;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ActorId, Incarnation};
use granary_client_core::protocol::attestation::{Attestation, CODE_BYTES, Code, Shown, tips};
use granary_client_core::protocol::bundle::{DocumentChanges, read_bundle, write_bundle};
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::protocol::outbox_file::{OutboxFile, write_page};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{Book, Document, DocumentKey, Part, Season};
use granary_server::access::Principal;
use granary_server::store::{DiskProbe, DiskRoom};
use granary_server::{Bounds, Error, Share};

const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

fn no_disk() -> DiskProbe {
    Arc::new(|| None)
}

/// Bounds of a device and a household in kilobytes, a day and in all.
fn bounds(device: (u64, u64), household: (u64, u64)) -> Bounds {
    let share = |(day, all): (u64, u64)| Share { day_bytes: day * 1000, bytes: all * 1000 };
    Bounds { device: share(device), household: share(household), ..Bounds::default() }
}

/// A text of so many bytes that no other has.
fn text(seed: usize, bytes: usize) -> String {
    let mut state = seed as u64 ^ 0x9e37_79b9_7f4a_7c15;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + u8::try_from((state >> 33) % 26).unwrap())
    };
    (0..bytes).map(|_| next()).collect()
}

/// A document's first change, and `count` changes with a text of so many bytes each.
fn large(key: &DocumentKey, actor: &ActorId, count: usize, bytes: usize) -> Vec<VerifiedChange> {
    let mut document = Document::new(key.clone()).unwrap();
    let mut all = vec![Document::first_change(key).unwrap()];
    for number in 0..count {
        let text = text(number, bytes);
        all.extend(document.edit(actor, NOW, |doc| Ok(doc.put(ROOT, format!("{number}"), text)?)).unwrap().1);
    }
    all
}

fn actor(device: &Device) -> ActorId {
    device.id.actor(Incarnation::new(1))
}

/// The part of household 1's book of 2026.
fn part(number: u16) -> DocumentKey {
    let book = Book::first(household(1), Season::new(2026).unwrap());
    DocumentKey::HarvestBook(book.at(Part::new(number).unwrap()))
}

fn book_of(year: u16) -> DocumentKey {
    DocumentKey::HarvestBook(Book::first(household(1), Season::new(year).unwrap()))
}

/// An outbox file of a device with these changes, each document on a page of its own.
fn file(world: &World, device: &Device, changes: &[(DocumentKey, Vec<VerifiedChange>)]) -> OutboxFile {
    let fill = |bytes: &mut [u8]| {
        bytes.fill(7);
        true
    };
    let page = |(key, changes): &(DocumentKey, Vec<VerifiedChange>)| {
        let bundle = write_bundle(&[DocumentChanges { key: key.clone(), changes: changes.clone() }]);
        let sign = |bytes: &[u8]| device.pair.sign(bytes).as_ref().try_into().unwrap();
        write_page(device.id, &bundle, world.granary.outbox_file_key(), &fill, sign).unwrap()
    };
    OutboxFile { certificate: Vec::new(), pages: changes.iter().map(page).collect() }
}

fn hand_in(world: &World, device: &Device, key: DocumentKey, changes: Vec<VerifiedChange>) -> Result<(), Error> {
    let file = file(world, device, &[(key, changes)]);
    let taken = world.granary.import_outbox_file(&file, |_| Ok(()), world.now);
    world.granary.settle(&world.granary.cooperative(world.coop).unwrap());
    taken
}

fn kind(error: &Error) -> ProblemKind {
    error.problem().kind
}

/// What a device has used today, and in all.
fn used(world: &World, device: &Device) -> (u64, u64) {
    world.granary.used_by_device(&world.granary.cooperative(world.coop).unwrap(), device.id, world.now)
}

/// The size of a document as saved.
fn saved(world: &World, key: &DocumentKey) -> usize {
    world.granary.document(world.coop, key).unwrap().map_or(0, |mut document| document.save().len())
}

// Once 106 MB came into one book of a household before admission looked at it, and all of it was tried together.
#[test]
fn book_stays_within_its_size_when_much_comes_at_once() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let all = large(&book(1), &actor(&phone), 60, 500_000);
    let mut reasons = Vec::new();
    for change in &all {
        // Nothing waits for admission between them.
        reasons.extend(world.send(&mut phone, &[(book(1), vec![change.clone()])]).refused);
    }
    world.settle();
    assert!(reasons.len() > 50, "{reasons:?}");
    assert!(saved(&world, &book(1)) <= DOCUMENT_BYTES_MAX);
    assert!(saved(&world, &book(1)) > DOCUMENT_BYTES_MAX / 4, "what fits is taken");
    // What was refused for good is kept for a coordinator, 8 MiB of a device at most.
    assert!(world.store_bytes() < 14_000_000, "{}", world.store_bytes());
}

#[test]
fn book_stays_within_its_size_by_sync_and_by_file() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let all = large(&book(1), &actor(&phone), 40, 200_000);
    for (number, change) in all.iter().enumerate() {
        match number % 2 {
            0 => _ = world.sync(&mut phone, &[(book(1), vec![change.clone()])]),
            _ => _ = hand_in(&world, &phone, book(1), vec![change.clone()]),
        }
    }
    assert!((DOCUMENT_BYTES_MAX / 2..=DOCUMENT_BYTES_MAX).contains(&saved(&world, &book(1))));
    let more = large(&book(1), &phone.id.actor(Incarnation::new(2)), 2, 300_000).split_off(1);
    let reply = world.sync(&mut phone, &[(book(1), more)]);
    assert_eq!(reason(&reply), Some(RefusalReason::DocumentFull));
    // A part that has room goes on.
    let next = large(&part(2), &actor(&phone), 1, 10_000);
    assert_eq!(world.sync(&mut phone, &[(part(2), next)]).refused, []);
}

// Values are counted before anything is durable; operations without them are weighed at admission.
#[test]
fn book_stays_within_its_size_with_many_tiny_operations() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut document = Document::new(book(1)).unwrap();
    let mut all = vec![Document::first_change(&book(1)).unwrap()];
    for change in 0..40 {
        let edit = |doc: &mut automerge::AutoCommit| {
            for number in 0..4_000 {
                doc.put(ROOT, format!("{change}-{number}-{}", text(number, 30)), number as i64)?;
            }
            Ok(())
        };
        all.extend(document.edit(&actor(&phone), NOW, edit).unwrap().1);
    }
    for change in all {
        world.send(&mut phone, &[(book(1), vec![change])]);
    }
    world.settle();
    assert!((DOCUMENT_BYTES_MAX / 2..=DOCUMENT_BYTES_MAX).contains(&saved(&world, &book(1))));
}

#[test]
fn season_far_from_today_is_begun_by_no_phone() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut coordinator = world.device(2, Role::Coordinator);
    let begin = |device: &mut Device, year: u16| {
        let lot = one_lot(&book_of(year), &actor(device), 1_000);
        reason(&world.sync(device, &[(book_of(year), lot)]))
    };
    for year in [2024, 2025, 2026, 2027] {
        assert_eq!(begin(&mut phone, year), None, "{year}");
    }
    for year in [2000, 2023, 2028, 2999] {
        assert_eq!(begin(&mut phone, year), Some(RefusalReason::SeasonOutOfReach), "{year}");
    }
    // Coordinators write down what is long past, and what is to come no more than others.
    assert_eq!(begin(&mut coordinator, 2004), None);
    assert_eq!(begin(&mut coordinator, 2028), Some(RefusalReason::SeasonOutOfReach));
    // A book that is here is corrected whatever the day is.
    let mut phone_of_old = world.device(3, Role::Household(household(1)));
    assert_eq!(begin(&mut phone_of_old, 2004), None);
    // Nothing is lost: a coordinator sees it, and takes it in.
    let asides = world.granary.set_aside(world.coop).unwrap();
    let far = asides.iter().find(|aside| aside.document == book_of(2023)).unwrap();
    assert!(far.reason.to_string().contains("season") && far.lots.len() == 1, "{far:?}");
    world.granary.take_in(Principal::Operator, world.coop, (far.device, far.entry), NOW).unwrap();
    assert!(saved(&world, &book_of(2023)) > 0);
}

#[test]
fn server_whose_clock_was_never_set_refuses_no_season() {
    let mut world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    world.now = Instant(0);
    let lot = one_lot(&book_of(2026), &actor(&phone), 1_000);
    assert_eq!(world.sync(&mut phone, &[(book_of(2026), lot)]).refused, []);
}
