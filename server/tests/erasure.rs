//! A household's particulars can be erased for good: nothing of them is left in the log, and nothing breaks that is behind it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Device, NOW, World, book, household, one_lot, reason, received};
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::messages::RefusalReason;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::household::{add_member, set_name};
use granary_client_core::schema::{Document, DocumentKey};
use granary_client_core::store::{MemoryStore, Store};
use granary_server::access::Principal;
use granary_server::{Erasable, Names, Removal};

const NAME: &str = "Wang Xiaoming of Dongpo";

fn particulars(device: &Device, number: u8) -> Vec<VerifiedChange> {
    let key = DocumentKey::Household(household(number));
    let mut document = Document::new(key.clone()).unwrap();
    let mut all = vec![Document::first_change(&key).unwrap()];
    let actor = device.id.actor(Incarnation::new(1));
    all.extend(document.edit(&actor, NOW, |doc| set_name(doc, NAME, "dongpo")).unwrap().1);
    all.extend(document.edit(&actor, NOW, |doc| add_member(doc, NAME)).unwrap().1);
    all
}

/// The rows in which the name stands.
fn rows_with_the_name(store: &MemoryStore) -> usize {
    let has = |value: &[u8]| value.windows(NAME.len()).any(|part| part == NAME.as_bytes());
    store.scan_all(&[]).unwrap().iter().filter(|row| has(row.value.as_deref().unwrap_or_default())).count()
}

fn key() -> DocumentKey {
    DocumentKey::Household(household(1))
}

fn erase(world: &World, with_books: bool) {
    let what = Erasable::Household { id: household(1), with_books };
    world.granary.erase(Principal::Operator, world.coop, &what, NOW).unwrap();
}

#[test]
fn erased_household_is_in_no_row_and_both_phones_go_on() {
    let world = World::new();
    let (mut li, mut zhang) = (world.device(1, Role::Household(household(1))), world.device(2, Role::Coordinator));
    let (all, lot) = (particulars(&li, 1), one_lot(&book(1), &li.id.actor(Incarnation::new(1)), 1_000));
    world.sync(&mut li, &[(key(), all.clone()), (book(1), lot)]);
    assert!(received(&world.sync(&mut zhang, &[])).contains(&key()));
    assert!(rows_with_the_name(&world.store) > 0);
    let plan = world.granary.plan_erasure(world.coop, &Erasable::Household { id: household(1), with_books: false });
    let plan = plan.unwrap();
    assert_eq!((plan.documents, plan.remaining), (vec![(key(), 3)], vec![book(1)]));
    assert_eq!(plan.phones, [(li.id, true)]);
    assert!(rows_with_the_name(&world.store) > 0, "a plan does nothing");

    erase(&world, false);
    assert_eq!(rows_with_the_name(&world.store), 0);
    assert!(world.granary.document(world.coop, &key()).unwrap().is_none());
    assert_eq!(world.granary.findings().unwrap(), [] as [String; 0]);
    // Both are told to forget it: the document stands in the reply without changes. The lot came before.
    for device in [&mut li, &mut zhang] {
        let told = world.sync(device, &[]);
        let told = granary_client_core::protocol::bundle::read_bundle(&told.bundle).unwrap();
        assert!(told.iter().any(|document| document.key == key() && document.changes.is_empty()));
        assert_eq!(received(&world.sync(device, &[])), [], "once");
    }
    // What is sent of it again is refused, and kept nowhere.
    let again = world.sync(&mut li, &[(key(), all)]);
    assert_eq!(reason(&again), Some(RefusalReason::Erased));
    assert_eq!(rows_with_the_name(&world.store), 0);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    // The chains are whole: a new lot goes through, and nobody reconciles.
    let lot = one_lot(&book(1), &li.id.actor(Incarnation::new(2)), 2_000);
    let sent = world.sync(&mut li, &[(book(1), lot)]);
    assert!(sent.refused.is_empty() && !sent.reconciles);
    let read = world.sync(&mut zhang, &[]);
    assert_eq!((received(&read), read.reconciles), (vec![book(1)], false));
    // A new phone gets the book, and nothing of the household.
    let mut new = world.device(3, Role::Coordinator);
    let first = granary_client_core::protocol::bundle::read_bundle(&world.sync(&mut new, &[]).bundle).unwrap();
    assert!(first.iter().filter(|document| document.key == key()).all(|document| document.changes.is_empty()));
    let lines = world.granary.audit_log(world.coop, 100).unwrap();
    assert!(lines.iter().any(|line| line.detail == format!("household:{}", household(1))));
    assert!(lines.iter().all(|line| !format!("{line:?}").contains("Wang")));
}

// A household that nobody had named yet kept its phones' names for good, and its invitations went on working.
#[test]
fn household_without_particulars_is_erased_with_its_phones_names_and_invitations() {
    let world = World::new();
    let li = world.device(1, Role::Household(household(1)));
    let role = Role::Household(household(1));
    let code = world.granary.invite(world.coop, role, 1, NOW).unwrap().code;
    erase(&world, false);
    let name = world.granary.cooperative(world.coop).unwrap().device(li.id).unwrap().name;
    assert!(name.starts_with("erased-"), "{name}");
    let request = EnrolRequest { code, public_key: [9; 32], name: NAME.into() };
    assert!(world.granary.enrol(&request, NOW).is_err(), "its invitation is void");
    assert!(world.granary.invite(world.coop, role, 1, NOW).is_err(), "and there is no other");
    let what = Erasable::Household { id: household(1), with_books: false };
    assert!(world.granary.plan_erasure(world.coop, &what).is_err(), "nothing is left");
    assert_eq!(world.granary.findings().unwrap(), [] as [String; 0]);
}

#[test]
fn waiting_and_set_aside_changes_of_it_go_too() {
    let world = World::new();
    let (mut li, mut packer) = (world.device(1, Role::Household(household(1))), world.device(2, Role::Packer));
    let all = particulars(&li, 1);
    // One waits for what it builds on, and one was set aside.
    world.sync(&mut li, &[(key(), all[2..].to_vec())]);
    let foreign = particulars(&packer, 1);
    world.sync(&mut packer, &[(key(), foreign)]);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 1);
    assert!(rows_with_the_name(&world.store) >= 2);
    erase(&world, false);
    assert_eq!(rows_with_the_name(&world.store), 0);
    assert_eq!(world.granary.count_set_aside(world.coop).unwrap(), 0);
    assert_eq!(world.granary.findings().unwrap(), [] as [String; 0]);
}

#[test]
fn older_store_is_erased_of_the_same_by_the_marks() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let empty = world.backup();
    let all = particulars(&li, 1);
    world.sync(&mut li, &[(key(), all.clone())]);
    let backup = world.backup();
    erase(&world, false);
    // A store from before the erasure, and one from before the document.
    let mut world = world;
    for older in [backup, empty] {
        world = world.on(older, true);
        assert_eq!(rows_with_the_name(&world.store), 0);
        assert!(world.granary.document(world.coop, &key()).unwrap().is_none());
        assert_eq!(world.granary.findings().unwrap(), [] as [String; 0]);
        // A phone that has it gives it back, as after any restoration.
        li.cursor.position = u64::MAX;
        let reply = world.sync(&mut li, &[(key(), all.clone())]);
        assert_eq!(reason(&reply), Some(RefusalReason::Erased));
        assert_eq!(rows_with_the_name(&world.store), 0);
    }
    let name = world.granary.cooperative(world.coop).unwrap().device(li.id).unwrap().name;
    assert!(name.starts_with("erased-"), "{name}");
}

#[test]
fn books_of_a_household_go_when_that_is_asked_for() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let mut other = world.device(4, Role::Household(household(2)));
    let lots = |of: u8, device: &Device| one_lot(&book(of), &device.id.actor(Incarnation::new(1)), 1_000);
    let (theirs, particulars, own) = (lots(2, &other), particulars(&li, 1), lots(1, &li));
    world.sync(&mut other, &[(book(2), theirs)]);
    world.sync(&mut li, &[(key(), particulars), (book(1), own)]);
    erase(&world, true);
    assert!(world.granary.document(world.coop, &book(1)).unwrap().is_none());
    assert!(world.granary.document(world.coop, &book(2)).unwrap().is_some(), "another's stays");
    let again = world.granary.plan_erasure(world.coop, &Erasable::Household { id: household(1), with_books: true });
    assert!(again.is_err(), "{again:?}");
}

// Names of coordinators and packers stood in accounts and devices for good.
#[test]
fn names_of_a_coordinator_and_of_a_packer_can_be_erased() {
    let mut world = World::new();
    let (granary, coop) = (&world.granary, world.coop);
    granary.set_coordinator(coop, "wang.xiaoming", NAME, "correct horse battery", NOW).unwrap();
    let person = granary.coordinator_device(coop, "wang.xiaoming").unwrap();
    let enrol = |role: Role, whose: Option<DeviceId>, seed: u8| {
        let code = granary.invite_as(Principal::Operator, coop, role, whose, 1, NOW).unwrap().code;
        let reply = granary.enrol(&EnrolRequest { code, public_key: [seed; 32], name: NAME.into() }, NOW).unwrap();
        (DeviceId::of_public_key(&[seed; 32]), reply.certificate)
    };
    let (theirs, certificate) = enrol(Role::Coordinator, Some(person), 21);
    let (packer, _) = enrol(Role::Packer, None, 22);
    assert!(!certificate.windows(NAME.len()).any(|part| part == NAME.as_bytes()), "a phone keeps it where others look");
    granary.sign_in_once(coop, "wang.xiaoming", NOW).unwrap();
    let backup = world.backup();
    assert!(rows_with_the_name(&world.store) >= 4);

    let erasing = Removal { names: Names::Erased, even_the_last: false };
    let alone = granary.remove_coordinator(Principal::Operator, coop, "wang.xiaoming", erasing, NOW).unwrap_err();
    assert!(alone.to_string().contains("--force"), "{alone}");
    assert!(granary.coordinator_device(coop, "wang.xiaoming").is_ok(), "nothing was done");
    granary.set_coordinator(coop, "li", "Li", "another horse battery", NOW).unwrap();
    assert!(
        granary.revoke_with(Principal::Operator, coop, person, Names::Erased, NOW).is_err(),
        "an account is removed"
    );
    granary.remove_coordinator(Principal::Operator, coop, "wang.xiaoming", erasing, NOW).unwrap();
    granary.revoke_with(Principal::Operator, coop, packer, Names::Erased, NOW).unwrap();
    let names = |world: &World| {
        assert_eq!(rows_with_the_name(&world.store), 0);
        let rows = world.store.scan_all(&[]).unwrap();
        let login = b"wang.xiaoming".as_slice();
        let has = |bytes: &[u8]| bytes.windows(login.len()).any(|part| part == login);
        assert!(!rows.iter().any(|row| has(&row.key) || has(row.value.as_deref().unwrap_or_default())));
        names_after(world, [person, theirs, packer]);
        let lines = world.granary.audit_log(world.coop, 100).unwrap();
        let who = person.to_string();
        assert!(lines.iter().any(|line| line.detail.contains(&who)), "the audit keeps the id: {lines:?}");
    };
    names(&world);
    let again = granary.set_coordinator(coop, "wang.xiaoming", NAME, "correct horse battery", NOW);
    assert!(again.is_err(), "its id has no name any more");
    // Its certificate does not bring the name back, nor does an older store.
    world = world.on(backup, true);
    names_after(&world, [person, theirs, packer]);
    assert!(world.granary.coordinator_device(world.coop, "wang.xiaoming").is_err());
}

fn names_after(world: &World, devices: [DeviceId; 3]) {
    assert_eq!(rows_with_the_name(&world.store), 0);
    let cooperative = world.granary.cooperative(world.coop).unwrap();
    for device in devices {
        let record = cooperative.device(device).unwrap();
        assert!(record.name.starts_with("erased-") && record.revoked_millis.is_some(), "{record:?}");
    }
}

// A receiver is forgotten as a whole, of the one order alone: the same id of another shop is another order.
#[test]
fn receiver_of_one_shops_order_is_erased_and_the_other_shops_stays() {
    use granary_client_core::schema::OrderName;
    use granary_client_core::schema::receiver::{self, Receiver};

    let world = World::new();
    let plain = OrderName::of("douyin", "6912");
    let names = [plain.clone(), OrderName { shop: "2号店".into(), ..plain }];
    for name in &names {
        let who = Receiver { name: Some(NAME.into()), ..Receiver::default() };
        let key = DocumentKey::Receiver(name.clone());
        world.granary.edit(world.coop, &key, NOW, move |doc| receiver::set(doc, &who).map(drop)).unwrap();
    }
    let [other, gone] = names;
    let rows = rows_with_the_name(&world.store);
    let what = Erasable::Receiver(gone.clone());
    world.granary.erase(Principal::Operator, world.coop, &what, NOW).unwrap();
    assert!(rows_with_the_name(&world.store) < rows);
    assert!(world.granary.document(world.coop, &DocumentKey::Receiver(gone.clone())).unwrap().is_none());
    assert!(world.granary.document(world.coop, &DocumentKey::Receiver(other)).unwrap().is_some());
    let lines = world.granary.audit_log(world.coop, 10).unwrap();
    let line = lines.iter().find_map(|line| line.detail.strip_prefix("buyer:")).unwrap();
    assert_eq!(line.parse(), Ok(gone));
}
