//! A recorder's grants follow its villages: which households are in them is read anew whenever its phone speaks.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeSet;

use common::{Device, NOW, World, book, household, key, one_lot, reason, received};
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{DeviceId, HouseholdId, Incarnation};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::write_reply;
use granary_client_core::protocol::messages::{Cursor, RefusalReason, SyncReply, write_message};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, Part, cooperative, household as particulars};
use granary_server::access::{AuditAction, Principal};
use granary_server::{Edits, Erasable, Error, Names};
use ring::digest::{SHA256, digest};
use ring::signature::KeyPair;

const DONGPO: &str = "dongpo";
const XIPO: &str = "xipo";

fn world() -> World {
    let world = World::new();
    let edit = |doc: &mut granary_client_core::automerge::AutoCommit| {
        cooperative::set_village(doc, DONGPO, "东坡")?;
        cooperative::set_village(doc, XIPO, "西坡")
    };
    world.granary.edit(world.coop, &DocumentKey::Cooperative(Part::FIRST), NOW, edit).unwrap();
    world
}

fn put(world: &World, number: u8, name: &'static str, village: &'static str) {
    let key = DocumentKey::Household(household(number));
    world.granary.edit(world.coop, &key, NOW, move |doc| particulars::set_name(doc, name, village)).unwrap();
}

fn pay(world: &World, number: u8, payment: &'static str) {
    let key = DocumentKey::Household(household(number));
    world.granary.edit(world.coop, &key, NOW, move |doc| particulars::set_payment(doc, payment)).unwrap();
}

fn recorder(world: &World, seed: u8, villages: &[&str]) -> Device {
    let villages: Vec<String> = villages.iter().map(|village| (*village).to_owned()).collect();
    let code = world.granary.invite_recorder(Principal::Operator, world.coop, &villages, 1, NOW).unwrap().code;
    let pair = key(seed);
    let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    world.granary.enrol(&EnrolRequest { code, public_key, name: "Zhang".into() }, NOW).unwrap();
    Device { pair, id: DeviceId::of_public_key(&public_key), cursor: Cursor::default() }
}

/// A first lot in a household's book, by the device of this seed.
fn lot(seed: u8, number: u8) -> (DocumentKey, Vec<VerifiedChange>) {
    let public_key: [u8; 32] = key(seed).public_key().as_ref().try_into().unwrap();
    let actor = DeviceId::of_public_key(&public_key).actor(Incarnation::new(1));
    (book(number), one_lot(&book(number), &actor, 30_000))
}

fn listed(reply: &SyncReply) -> Vec<(HouseholdId, &str, &str)> {
    reply.listed.iter().map(|one| (one.household, one.name.as_str(), one.village.as_str())).collect()
}

fn granted(reply: &SyncReply) -> Option<Vec<HouseholdId>> {
    reply.grants.as_ref().map(|grants| grants.recorded_for().collect())
}

#[test]
fn recorder_gets_the_books_and_names_of_its_villages_and_nothing_else() {
    let world = world();
    put(&world, 1, "Li", DONGPO);
    put(&world, 2, "Wang", XIPO);
    pay(&world, 1, "bank 6222");
    let (mut own, mut other) =
        (world.device(1, Role::Household(household(1))), world.device(2, Role::Household(household(2))));
    for (device, number) in [(&mut own, 1), (&mut other, 2)] {
        world.sync(device, &[lot(number, number)]);
    }
    let mut zhang = recorder(&world, 9, &["东坡"]);
    let reply = world.sync(&mut zhang, &[]);
    assert_eq!(granted(&reply), Some(vec![household(1)]));
    assert_eq!(listed(&reply), [(household(1), "Li", DONGPO)]);
    let all: BTreeSet<DocumentKey> = received(&reply).into_iter().collect();
    assert_eq!(all, [DocumentKey::Cooperative(Part::FIRST), book(1)].into());

    assert_eq!(reason(&world.sync(&mut zhang, &[lot(9, 1)])), None);
    assert_eq!(reason(&world.sync(&mut zhang, &[lot(9, 2)])), Some(RefusalReason::MayNotWrite));
    assert_eq!(received(&world.sync(&mut own, &[])), [book(1)], "what was recorded for it reaches the household");
    assert!(received(&world.sync(&mut other, &[])).is_empty());
}

/// The same device, for making changes of its own while it is lent to a sync.
fn device_like(device: &Device) -> Device {
    Device { pair: key(9), id: device.id, cursor: device.cursor }
}

#[test]
fn household_that_moves_comes_and_goes_at_the_next_sync_and_repeats_change_nothing() {
    let world = world();
    put(&world, 1, "Li", DONGPO);
    put(&world, 2, "Wang", XIPO);
    let mut wang = world.device(2, Role::Household(household(2)));
    world.sync(&mut wang, &[lot(2, 2)]);
    let mut zhang = recorder(&world, 9, &[DONGPO]);
    world.sync(&mut zhang, &[]);
    let version =
        |world: &World| world.granary.cooperative(world.coop).unwrap().device(zhang.id).unwrap().grants_now().version;
    let before = version(&world);
    let mut again = device_like(&zhang);
    assert_eq!(granted(&world.sync(&mut again, &[])), None, "nothing has changed");
    assert_eq!(version(&world), before);

    // Wang moves into the village, Li out of it.
    put(&world, 2, "Wang", DONGPO);
    put(&world, 1, "Li", XIPO);
    let old = again.cursor;
    let reply = world.sync(&mut again, &[lot(9, 1)]);
    assert_eq!(reason(&reply), Some(RefusalReason::MayNotWrite), "before anything is taken");
    assert_eq!(granted(&reply), Some(vec![household(2)]));
    assert_eq!(listed(&reply), [(household(2), "Wang", DONGPO)]);
    assert_eq!(received(&reply), [book(2)], "its books come at once");
    assert_eq!(reason(&world.sync(&mut again, &[lot(9, 2)])), None);

    // The reply was lost: the phone asks again, as it was, and is told the same.
    let mut lost = Device { cursor: old, ..device_like(&zhang) };
    let reply = world.sync(&mut lost, &[]);
    assert_eq!(granted(&reply), Some(vec![household(2)]));
    assert_eq!(received(&reply), [book(2)]);

    // A new name reaches it too, without other households.
    put(&world, 2, "Wang Shan", DONGPO);
    let reply = world.sync(&mut again, &[]);
    assert_eq!(listed(&reply), [(household(2), "Wang Shan", DONGPO)]);
    assert!(received(&reply).is_empty());

    // An erased household is gone, and so is its name.
    let what = Erasable::Household { id: household(2), with_books: true };
    world.granary.erase(Principal::Operator, world.coop, &what, NOW).unwrap();
    let reply = world.sync(&mut again, &[]);
    assert_eq!(granted(&reply), Some(Vec::new()));
    assert!(listed(&reply).is_empty());
}

#[test]
fn start_of_the_server_has_nothing_to_catch_up_with() {
    let world = world();
    put(&world, 1, "Li", DONGPO);
    let mut zhang = recorder(&world, 9, &[DONGPO, XIPO]);
    world.sync(&mut zhang, &[]);
    put(&world, 2, "Wang", XIPO);
    let copy = world.backup();
    let world = world.on(copy, false);
    let reply = world.sync(&mut zhang, &[lot(9, 2)]);
    assert_eq!((reason(&reply), granted(&reply)), (None, Some(vec![household(1), household(2)])));
}

#[test]
fn grants_kept_of_a_recorder_are_few_and_a_phone_that_slept_long_gets_everything_again() {
    let world = world();
    let mut zhang = recorder(&world, 9, &[DONGPO]);
    put(&world, 1, "Li", DONGPO);
    world.sync(&mut zhang, &[]);
    world.sync(&mut zhang, &[lot(9, 1)]);
    let asleep = device_like(&zhang);
    for number in 2..20 {
        put(&world, number, "Wang", DONGPO);
        world.sync(&mut zhang, &[]);
    }
    let record = world.granary.cooperative(world.coop).unwrap().device(zhang.id).unwrap();
    assert!(record.grants.len() <= 4, "{}", record.grants.len());
    let reply = world.sync(&mut { asleep }, &[]);
    assert_eq!(granted(&reply).map(|all| all.len()), Some(19));
    assert!(received(&reply).contains(&book(1)));
}

#[test]
fn recorders_are_ended_and_changed_and_the_audit_says_so() {
    let world = world();
    put(&world, 1, "Li", DONGPO);
    let (granary, coop) = (&world.granary, world.coop);
    assert!(matches!(granary.invite(coop, Role::Recorder, 1, NOW), Err(Error::InvalidInput { field: "village", .. })));
    let nowhere = granary.invite_recorder(Principal::Operator, coop, &["nanpo".into()], 1, NOW);
    assert!(matches!(nowhere, Err(Error::InvalidInput { field: "village", .. })));
    let mut zhang = recorder(&world, 9, &[DONGPO]);
    world.sync(&mut zhang, &[]);

    granary.grant_recorder(Principal::Operator, coop, zhang.id, &[XIPO.into()], NOW).unwrap();
    assert_eq!(reason(&world.sync(&mut zhang, &[lot(9, 1)])), Some(RefusalReason::MayNotWrite));
    assert_eq!(granary.cooperative(coop).unwrap().device(zhang.id).unwrap().grants_now().recorded_for().count(), 0);

    granary.revoke_with(Principal::Operator, coop, zhang.id, Names::Kept, NOW).unwrap();
    assert!(world.try_sync(&mut zhang, &[]).is_err());
    // Taken back, it is what it was.
    granary.grant(Principal::Operator, coop, zhang.id, &[Role::Recorder], NOW).unwrap();
    put(&world, 1, "Li", XIPO);
    assert_eq!(granted(&world.sync(&mut zhang, &[])), Some(vec![household(1)]));

    let packer = world.device(3, Role::Packer);
    let without = granary.grant(Principal::Operator, coop, packer.id, &[Role::Recorder], NOW);
    assert!(matches!(without, Err(Error::InvalidInput { field: "village", .. })));
    let lines = granary.audit_log(coop, 100).unwrap();
    let has = |action, detail: &str| lines.iter().any(|line| line.action == action && line.detail == detail);
    assert!(has(AuditAction::Invited, "recorder of dongpo"), "{lines:?}");
    assert!(has(AuditAction::Enrolled, "recorder of dongpo"));
    let is_change = |line: &granary_server::access::AuditRecord| {
        let (from, to) = (format!("{}: recorder of dongpo ", zhang.id), "recorder of xipo");
        line.action == AuditAction::Granted && line.detail.starts_with(&from) && line.detail.ends_with(to)
    };
    assert!(lines.iter().any(is_change), "{lines:?}");
    let derived = format!("{}: recorder for 1 households, 1 more, 0 fewer", zhang.id);
    assert!(has(AuditAction::Granted, &derived));
}

#[test]
fn restored_server_knows_the_villages_that_were_taken_away_since() {
    let world = world();
    put(&world, 1, "Li", DONGPO);
    put(&world, 2, "Wang", XIPO);
    let mut zhang = recorder(&world, 9, &[DONGPO]);
    let before_it_came = {
        let copy = world.backup();
        world.sync(&mut zhang, &[]);
        copy
    };
    world.granary.grant_recorder(Principal::Operator, world.coop, zhang.id, &[XIPO.into()], NOW).unwrap();
    let world = world.on(before_it_came, true);
    let reply = world.sync(&mut zhang, &[]);
    assert_eq!(granted(&reply), Some(vec![household(2)]));
}

// What a village of 120 households costs on the line: the grants and the names, whole at each change of them.
#[test]
fn grants_of_120_households_take_a_few_kilobytes_and_only_when_they_change() {
    let world = world();
    let edits = (0..120u8).map(|number| {
        let random = digest(&SHA256, &[number]).as_ref()[..10].try_into().unwrap();
        let id = HouseholdId::generate(1_790_000_000_000 + u64::from(number) * 977, random);
        let name = format!(
            "{}{}",
            ["李", "王", "樊", "高", "薛"][usize::from(number % 5)],
            ["秀英", "建国", "润生", "爱花"][usize::from(number % 4)]
        );
        Edits::one(DocumentKey::Household(id), move |doc| particulars::set_name(doc, &name, DONGPO))
    });
    let server = granary_server::log::Cooperative::server_device(world.granary.cooperative(world.coop).unwrap().id());
    world.granary.edit_as(world.coop, server, NOW, edits.collect()).unwrap();
    let mut zhang = recorder(&world, 9, &[DONGPO]);
    let reply = world.sync(&mut zhang, &[]);
    assert_eq!((granted(&reply).unwrap().len(), reply.listed.len()), (120, 120));
    let without = SyncReply { grants: None, listed: Vec::new(), ..reply.clone() };
    let on_the_line = |reply: &SyncReply| write_reply(&write_message(reply)).len();
    let (plain, packed) =
        (write_message(&reply).len() - write_message(&without).len(), on_the_line(&reply) - on_the_line(&without));
    println!("grants and names of 120 households: {plain} bytes, {packed} on the line");
    assert!(plain < 7_000 && packed < 4_096, "{plain} {packed}");
    let nothing_new = world.sync(&mut zhang, &[]);
    assert!(nothing_new.grants.is_none() && nothing_new.listed.is_empty());
}
