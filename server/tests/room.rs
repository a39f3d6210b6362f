//! What a device, a household and a document may take of the disk, by every way in; seasons far from today; a disk that is
//! nearly full.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

mod common;

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
fn device_stays_within_its_share_by_every_way_and_goes_on_the_next_day() {
    let mut world = World::bounded(bounds((600, 1_000), (9_000, 9_000)), no_disk());
    let mut phone = world.device(1, Role::Household(household(1)));
    let before = world.store_bytes();
    let mut taken = 0;
    for number in 1..=12 {
        let changes = large(&part(number), &actor(&phone), 1, 90_000);
        if number % 2 == 0 {
            let reply = world.sync(&mut phone, &[(part(number), changes)]);
            assert!(matches!(reason(&reply), None | Some(RefusalReason::DayShareUsed)), "{reply:?}");
            taken += usize::from(reply.refused.is_empty());
        } else {
            match hand_in(&world, &phone, part(number), changes) {
                Ok(()) => taken += 1,
                Err(error) => assert_eq!(kind(&error), ProblemKind::ShareUsed),
            }
        }
    }
    assert_eq!(taken, 6, "six of 90 kB fit into 600 kB");
    assert!(used(&world, &phone).0 <= 600_000 && used(&world, &phone).0 > 500_000, "{:?}", used(&world, &phone));
    // With saved documents, positions and marks.
    assert!(world.store_bytes() - before < 700_000, "{}", world.store_bytes() - before);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0, "what waits is on the phone alone");

    world.now = Instant(NOW.0 + DAY_MILLIS);
    let next = |world: &World, phone: &mut Device, number: u16| {
        let changes = large(&part(number), &actor(phone), 1, 90_000);
        reason(&world.sync(phone, &[(part(number), changes)]))
    };
    assert_eq!(next(&world, &mut phone, 13), None);
    let later: Vec<_> = (14..=24).map(|number| next(&world, &mut phone, number)).collect();
    assert_eq!(later.iter().filter(|reason| reason.is_none()).count(), 4, "{later:?}");
    assert_eq!(later.last(), Some(&Some(RefusalReason::ShareUsed)));
    assert!(used(&world, &phone).1 <= 1_000_000);

    // The counts are in the store, and a larger share is taken at a start.
    let (store, before) = (world.backup(), used(&world, &phone));
    let world = world.on_under(store, Bounds::default());
    assert_eq!(used(&world, &phone), before);
    assert_eq!(next(&world, &mut phone, 25), None);
}

// A device must not get more by asking at the same moment, or with many documents in one request.
#[test]
fn share_holds_within_one_request_and_among_requests_at_once() {
    let world = World::bounded(bounds((500, 9_000), (9_000, 9_000)), no_disk());
    let mut phone = world.device(1, Role::Household(household(1)));
    let documents: Vec<_> =
        (1..=8).map(|number| (part(number), large(&part(number), &actor(&phone), 1, 90_000))).collect();
    let reply = world.sync(&mut phone, &documents);
    assert_eq!(reply.refused.len(), 3, "{:?}", reply.refused);
    assert!(used(&world, &phone).0 <= 500_000);

    let world = World::bounded(bounds((500, 9_000), (9_000, 9_000)), no_disk());
    let phone = world.device(1, Role::Household(household(1)));
    std::thread::scope(|scope| {
        for number in 1..=8 {
            let (world, id) = (&world, phone.id);
            let actor = id.actor(Incarnation::new(u32::from(number)));
            scope.spawn(move || {
                let mut copy = Device { pair: common::key(1), id, cursor: Default::default() };
                world.send(&mut copy, &[(part(number), large(&part(number), &actor, 1, 90_000))]);
            });
        }
    });
    world.settle();
    let (today, _) = used(&world, &phone);
    assert!((400_000..=500_000).contains(&today), "{today}");
}

#[test]
fn household_has_a_share_for_all_its_phones_and_others_write_on() {
    let world = World::bounded(bounds((9_000, 9_000), (500, 9_000)), no_disk());
    let mut packer = world.device(99, Role::Packer);
    let mut other = world.device(98, Role::Household(household(2)));
    let mut taken = 0;
    for seed in 1..=9u8 {
        let mut phone = world.device(seed, Role::Household(household(1)));
        let key = part(u16::from(seed));
        let changes = large(&key, &actor(&phone), 1, 90_000);
        let reply = world.sync(&mut phone, &[(key, changes)]);
        taken += usize::from(reply.refused.is_empty());
    }
    assert_eq!(taken, 5, "phones that enrol anew bring no new share");
    let receipts = DocumentKey::ReceiptBook(Book::first(household(1), Season::new(2026).unwrap()));
    let weighed = large(&receipts, &actor(&packer), 1, 90_000);
    assert_eq!(world.sync(&mut packer, &[(receipts, weighed)]).refused, [], "the warehouse weighs on");
    let lot = one_lot(&book(2), &actor(&other), 1_000);
    assert_eq!(world.sync(&mut other, &[(book(2), lot)]).refused, []);
}

#[test]
fn what_is_given_back_after_a_restoration_is_not_of_today() {
    let world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut coordinator = world.device(2, Role::Coordinator);
    let backup = world.backup();
    let catalogue = DocumentKey::Catalogue(Part::FIRST);
    let words = large(&catalogue, &actor(&coordinator), 4, 60_000);
    world.sync(&mut coordinator, &[(catalogue.clone(), words)]);
    let reply = world.sync(&mut phone, &[]);
    let documents = read_bundle(&reply.bundle).unwrap();
    let place = documents.iter().position(|document| document.key == catalogue).unwrap();
    let code = Code(reply.attestations[place * CODE_BYTES..(place + 1) * CODE_BYTES].try_into().unwrap());
    let changes = documents[place].changes.clone();
    let shown = vec![Shown { document: 0, attestation: Attestation { tips: tips(&changes), code } }];

    let world = world.on_under(backup, bounds((100, 1_000), (1_000, 1_000)));
    let given = world.sync_showing(&mut phone, &[(catalogue.clone(), changes)], shown);
    assert_eq!(given.refused, []);
    assert!(saved(&world, &catalogue) > 200_000);
    assert!(used(&world, &phone).0 < 1_000, "{:?}", used(&world, &phone));
    assert!(used(&world, &coordinator).1 > 240_000, "it counts to who wrote it");
    // What the phone wrote itself still counts, and fits.
    let own = large(&book(1), &actor(&phone), 1, 50_000);
    assert_eq!(world.sync(&mut phone, &[(book(1), own)]).refused, []);
    let more = large(&part(2), &actor(&phone), 1, 80_000);
    assert_eq!(reason(&world.sync(&mut phone, &[(part(2), more)])), Some(RefusalReason::DayShareUsed));
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

/// A disk whose free bytes a test sets.
fn disk(free: &Arc<AtomicU64>) -> DiskProbe {
    let free = Arc::clone(free);
    Arc::new(move || Some(DiskRoom { free_bytes: free.load(Ordering::SeqCst), total_bytes: 1 << 40 }))
}

#[test]
fn below_the_floor_nothing_new_is_taken_and_all_else_goes_on() {
    let free = Arc::new(AtomicU64::new(1 << 30));
    let world = World::bounded(Bounds::default(), disk(&free));
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut coordinator = world.device(2, Role::Coordinator);
    let first = one_lot(&book(1), &actor(&phone), 1_000);
    world.sync(&mut phone, &[(book(1), first.clone())]);

    free.store(Bounds::default().disk_floor_bytes - 1, Ordering::SeqCst);
    assert!(!world.granary.has_room());
    let (rows, more) = (world.store_bytes(), one_lot(&part(2), &actor(&phone), 2_000));
    let reply = world.sync(&mut phone, &[(part(2), more.clone())]);
    assert_eq!(reason(&reply), Some(RefusalReason::NoRoom));
    let refused = hand_in(&world, &phone, part(2), more.clone()).unwrap_err();
    assert_eq!((kind(&refused), refused.problem().status), (ProblemKind::NoRoom, 503));
    assert_eq!(world.store_bytes(), rows, "nothing was written");
    let read = world.sync(&mut coordinator, &[]);
    assert!(received(&read).contains(&book(1)), "reading goes on");
    world.granary.revoke(Principal::Operator, world.coop, coordinator.id, NOW).unwrap();
    assert!(world.try_sync(&mut coordinator, &[]).is_err(), "revoking works");

    free.store(1 << 30, Ordering::SeqCst);
    assert_eq!(world.sync(&mut phone, &[(part(2), more)]).refused, []);
    let documents = world.granary.cooperative(world.coop).unwrap().documents();
    assert!(documents.contains(&part(2)));
}

#[test]
fn what_was_set_aside_goes_when_it_was_refused_and_read_or_after_thirty_days() {
    let mut world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let lot = |grams: i64| one_lot(&book(2), &phone.id.actor(Incarnation::new(u32::try_from(grams).unwrap())), grams);
    let (first, second, third) = (lot(1), lot(2), lot(3));
    for lot in [&first, &second, &third] {
        world.sync(&mut phone, &[(book(2), lot.clone())]);
    }
    let all = world.granary.set_aside(world.coop).unwrap();
    assert_eq!(all[0].until, Some(Instant(NOW.0 + 30 * DAY_MILLIS)), "coordinators see when it goes");
    let (before, used_before) = (world.store_bytes(), used(&world, &phone).1);
    world.granary.refuse_set_aside(Principal::Operator, world.coop, (all[0].device, all[0].entry), NOW).unwrap();
    world.granary.take_in(Principal::Operator, world.coop, (all[2].device, all[2].entry), NOW).unwrap();
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 0, "the phone has not read its notice");
    let notices = world.sync(&mut phone, &[]).notices;
    assert_eq!(notices.len(), 2);
    world.sync_having_read(&mut phone, notices.last().unwrap().number);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 1, "the refused one");
    assert!(used(&world, &phone).1 < used_before + 300, "{:?}", used(&world, &phone));
    assert_eq!(world.granary.set_aside(world.coop).unwrap().len(), 1, "the open one stays");

    world.now = Instant(NOW.0 + 30 * DAY_MILLIS - 1);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 0);
    world.now = Instant(NOW.0 + 30 * DAY_MILLIS);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 2, "the open one, and what was taken in as another");
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 0);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    assert!(world.store_bytes() < before + 2_000, "{} {before}", world.store_bytes());
    let gone = world.granary.take_in(Principal::Operator, world.coop, (all[1].device, all[1].entry), NOW);
    assert!(gone.unwrap_err().to_string().starts_with("the time to decide about this is over"));
    let lines = world.granary.audit_log(world.coop, 100).unwrap();
    assert_eq!(lines.iter().filter(|line| line.action.name() == "dropped").count(), 3);

    // A phone that was set back still hears that these are not delivered.
    let again = world.sync_having_read(&mut phone, 0).notices;
    assert_eq!(again.len(), 2);
    // What comes again is not called durable: it is looked at anew, and set aside anew.
    let reply = world.sync(&mut phone, &[(book(2), second)]);
    assert_eq!(reason(&reply), Some(RefusalReason::MayNotWrite));
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
    // The log is whole without them.
    let store = world.backup();
    let world = world.on_under(store, Bounds::default());
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
}

// Quarantined at admission, after it was acknowledged: a repeat of what was dropped must not be acknowledged as a repeat.
#[test]
fn dropped_changes_that_come_again_are_taken_as_new() {
    let mut world = World::new();
    let mut phone = world.device(1, Role::Household(household(1)));
    let mut document = Document::new(book(1)).unwrap();
    let first = large(&book(1), &actor(&phone), 16, 60_000);
    document.apply(&first).unwrap();
    for change in first {
        world.send(&mut phone, &[(book(1), vec![change])]);
    }
    world.settle();
    // Numbers under short names: their room is only known at admission.
    let edit = |doc: &mut automerge::AutoCommit| {
        for number in 0..6_000 {
            doc.put(ROOT, text(number, 30), number as i64)?;
        }
        Ok(())
    };
    let last = document.edit(&phone.id.actor(Incarnation::new(2)), NOW, edit).unwrap().1.unwrap();
    let reply = world.sync(&mut phone, &[(book(1), vec![last.clone()])]);
    assert_eq!(reply.refused, []);
    let aside = world.granary.set_aside(world.coop).unwrap();
    assert_eq!(aside.len(), 1, "acknowledged, then set aside");
    world.now = Instant(NOW.0 + DAY_MILLIS);
    world.granary.drop_what_is_due(world.now).unwrap();
    world.now = Instant(NOW.0 + 31 * DAY_MILLIS);
    assert_eq!(world.granary.drop_what_is_due(world.now).unwrap(), 1);
    assert_eq!(world.granary.set_aside(world.coop).unwrap().len(), 0);
    world.sync(&mut phone, &[(book(1), vec![last])]);
    assert_eq!(world.granary.set_aside(world.coop).unwrap().len(), 1, "it is looked at anew, not called durable");
}
