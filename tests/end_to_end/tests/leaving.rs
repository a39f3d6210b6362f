//! A phone that was revoked, and one that leaves.

use granary_client_core::error::Error;
use granary_client_core::phone::{ExportForm, Phone, SyncState};
use granary_client_core::protocol::problem::ProblemKind;

use crate::world::{World, household_role, lots, record, sync_until, sync_until_lots};

fn revoke(world: &World, phone: &Phone) -> String {
    let device = phone.device().unwrap().to_string();
    world.order(&["revoke", &device]);
    let refused = phone.sync_now().unwrap_err();
    assert!(matches!(refused, Error::Refused { kind: ProblemKind::DeviceRevoked, .. }), "{refused}");
    device
}

/// It says so, goes on recording, and all that it recorded goes out when it is granted again.
#[test]
fn revoked_phone_goes_on_recording_and_sends_it_when_granted_again() {
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    let coordinator = world.phone(1, "coordinator");
    record(&phone, 1_000);
    phone.sync_now().unwrap();
    record(&phone, 2_000);
    let device = revoke(&world, &phone);
    assert_eq!((phone.status().revoked, phone.status().state), (true, SyncState::Revoked));
    record(&phone, 3_000);
    world.kill();
    assert!(phone.sync_now().is_err());
    assert!(phone.status().revoked, "a broken line does not say that it belongs again");
    world.start();
    let printed = world.order(&["grant", &device, &household_role()]);
    assert!(printed.contains("belongs again"), "{printed}");
    sync_until(&[&phone, &coordinator], || lots(&phone).len() == 3 && lots(&coordinator).len() == 3);
    let status = phone.status();
    assert_eq!((status.revoked, status.unsent, status.undelivered), (false, 0, 0));
}

/// Its file waits for a coordinator, who takes it in; a second one is refused.
#[test]
fn file_of_a_revoked_phone_is_taken_in_or_refused() {
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    let coordinator = world.phone(1, "coordinator");
    phone.sync_now().unwrap();
    record(&phone, 2_000);
    revoke(&world, &phone);
    coordinator.import_outbox_file(&phone.export_outbox().unwrap()).unwrap();
    coordinator.sync_now().unwrap();
    assert_eq!(lots(&coordinator).len(), 0);
    let listed = world.order(&["set-aside", "list"]);
    assert!(listed.contains("2 kg") && listed.contains("millet"), "{listed}");
    let name = listed.split_whitespace().next().unwrap();
    // It is still listed after a restart.
    world.kill();
    world.start();
    assert_eq!(world.order(&["set-aside", "list"]), listed);
    world.order(&["set-aside", "take-in", name]);
    sync_until_lots(&coordinator, 1);
    record(&phone, 4_000);
    coordinator.import_outbox_file(&phone.export_outbox().unwrap()).unwrap();
    let listed = world.order(&["set-aside", "list"]);
    world.order(&["set-aside", "refuse", listed.split_whitespace().next().unwrap()]);
    assert_eq!(world.order(&["set-aside", "list"]).trim(), "nothing is set aside");
    coordinator.sync_now().unwrap();
    assert_eq!(lots(&coordinator).len(), 1);
}

#[test]
fn revoked_phone_is_invited_again_with_all_that_waits() {
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    let coordinator = world.phone(1, "coordinator");
    record(&phone, 1_000);
    phone.sync_now().unwrap();
    assert_eq!(phone.enrol(&world.invitation(1, &household_role()), "again"), Err(Error::AlreadyEnrolled));
    record(&phone, 2_000);
    let device = revoke(&world, &phone);
    phone.enrol(&world.invitation(1, &household_role()), "again").unwrap();
    assert_eq!(phone.device().unwrap().to_string(), device);
    sync_until(&[&phone, &coordinator], || lots(&phone).len() == 2 && lots(&coordinator).len() == 2);
    assert_eq!((phone.status().unsent, phone.status().revoked), (0, false));
}

#[test]
fn phone_leaves_with_its_lots_exported_and_enrols_anew() {
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    record(&phone, 1_000);
    phone.sync_now().unwrap();
    record(&phone, 2_000);
    let table = phone.export_lots(ExportForm::Csv).unwrap();
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("millet,2000"), "{table}");
    let list = phone.export_lots(ExportForm::Json).unwrap();
    assert_eq!(list.matches("\"product\":\"millet\"").count(), 2, "{list}");
    assert_eq!(phone.leave(false), Err(Error::NotDelivered { changes: 1 }));
    assert_eq!(lots(&phone).len(), 2, "nothing is gone yet");
    phone.sync_now().unwrap();
    phone.leave(false).unwrap();
    assert_eq!((lots(&phone).len(), phone.device()), (0, None));
    assert_eq!(phone.status().unsent, 0);
    phone.enrol(&world.invitation(1, &household_role()), "new").unwrap();
    sync_until_lots(&phone, 2);
}

/// A phone whose grant ended before its lot went out shows the lot, marked, until a coordinator takes it in.
#[test]
fn lot_without_a_grant_is_marked_until_it_is_taken_in() {
    let mut world = World::new();
    let phone = world.phone(1, &household_role());
    let coordinator = world.phone(1, "coordinator");
    record(&phone, 1_000);
    phone.sync_now().unwrap();
    let lot = record(&phone, 2_000);
    world.order(&["grant", &phone.device().unwrap().to_string(), "packer"]);
    sync_until(&[&phone], || lots(&phone).len() == 2);
    let held =
        |phone: &Phone| lots(phone).into_iter().filter(|row| row.held.is_some()).map(|row| row.lot).collect::<Vec<_>>();
    let status = phone.status();
    assert_eq!((status.unsent, status.undelivered, status.quarantined.len()), (0, 1, 1), "{:?}", status.quarantined);
    assert_eq!(held(&phone), [lot]);
    let listed = world.order(&["set-aside", "list"]);
    world.order(&["set-aside", "take-in", listed.split_whitespace().next().unwrap()]);
    sync_until(&[&phone, &coordinator], || lots(&coordinator).len() == 2 && held(&phone).is_empty());
    let status = phone.status();
    assert_eq!((status.undelivered, status.quarantined.len(), lots(&phone).len()), (0, 0, 2));
}
