//! What a device is stands in its record. Its name says nothing, and its key belongs to one co-operative.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{NOW, World, household, key};
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::schema::access::Role;
use granary_server::Error;
use granary_server::log::DeviceKind;
use ring::signature::KeyPair;

fn request(world: &World, seed: u8, coop: granary_server::log::CooperativeNumber, name: &str) -> EnrolRequest {
    let code = world.granary.invite(coop, Role::Household(household(1)), 1, NOW).unwrap().code;
    EnrolRequest { code, public_key: key(seed).public_key().as_ref().try_into().unwrap(), name: name.into() }
}

// Phones with these names were hidden from the coordinators' page.
#[test]
fn phone_is_a_phone_whatever_its_name() {
    let world = World::new();
    for (seed, name) in [(1, "server"), (2, "Zhang (console)")] {
        let request = request(&world, seed, world.coop, name);
        world.granary.enrol(&request, NOW).unwrap();
        let device = DeviceId::of_public_key(&request.public_key);
        let record = world.granary.cooperative(world.coop).unwrap().device(device).unwrap();
        assert_eq!((record.kind, record.is_of_the_server()), (DeviceKind::Phone, false), "{name}");
    }
    world.granary.set_coordinator(world.coop, "zhang", "Zhang", "a long password", NOW).unwrap();
    let (token, _) = world.granary.make_token(world.coop, Role::Packer, "scales", NOW).unwrap();
    let devices = world.granary.cooperative(world.coop).unwrap().devices();
    let kinds = |kind| devices.iter().filter(|(_, record, _)| record.kind == kind).count();
    let expected = [(DeviceKind::Phone, 2), (DeviceKind::Console, 1), (DeviceKind::Server, 1), (DeviceKind::Token, 1)];
    expected.into_iter().for_each(|(kind, count)| assert_eq!(kinds(kind), count, "{kind:?}"));
    assert!(devices.iter().any(|(id, ..)| *id == token));
}

#[test]
fn key_belongs_to_one_cooperative() {
    let world = World::new();
    let first = request(&world, 1, world.coop, "phone");
    world.granary.enrol(&first, NOW).unwrap();
    let other = world.granary.create_cooperative("Fangshan", NOW).unwrap();
    let again = request(&world, 1, other, "phone");
    let refused = world.granary.enrol(&again, NOW);
    assert!(matches!(refused, Err(Error::Refused { kind: ProblemKind::BadInvitation, .. })), "{refused:?}");
    // The code was not used up by the refusal.
    let another = EnrolRequest { public_key: key(2).public_key().as_ref().try_into().unwrap(), ..again };
    world.granary.enrol(&another, NOW).unwrap();
}
