//! What was taken away stays away when an older store is put in place: grants and revocations are marked beside the store.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::sync::Arc;

use common::{NOW, household, key};
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest};
use granary_client_core::schema::access::{Grants, Role};
use granary_client_core::store::{Batch, MemoryStore, Store};
use granary_server::access::{Denied, Principal};
use granary_server::log::CooperativeNumber;
use granary_server::{Error, Granary, Removal};
use ring::signature::KeyPair;

fn open(store: &MemoryStore, keys: &std::path::Path) -> Granary {
    Granary::open(Arc::new(store.clone()), keys, None, |fault| panic!("{fault}")).unwrap()
}

/// A store with the same rows.
fn copied(store: &MemoryStore) -> MemoryStore {
    let (copy, mut batch) = (MemoryStore::default(), Batch::default());
    store.scan_all(&[]).unwrap().into_iter().for_each(|row| batch.put(row.key, row.value.unwrap()));
    copy.apply(&batch).unwrap();
    copy
}

fn enrol(granary: &Granary, coop: CooperativeNumber, seed: u8, role: Role) -> (DeviceId, EnrolReply) {
    let code = granary.invite(coop, role, 1, NOW).unwrap().code;
    let public_key = key(seed).public_key().as_ref().try_into().unwrap();
    let reply = granary.enrol(&EnrolRequest { code, public_key, name: "phone".into() }, NOW).unwrap();
    (DeviceId::of_public_key(&public_key), reply)
}

fn grants(granary: &Granary, coop: CooperativeNumber, device: DeviceId) -> Grants {
    granary.cooperative(coop).unwrap().device(device).unwrap().grants_now()
}

// A coordinator who had been made a packer was a coordinator again after a restoration.
#[test]
fn older_store_gives_no_authority_back() {
    let (store, keys) = (MemoryStore::default(), tempfile::tempdir().unwrap());
    let granary = open(&store, keys.path());
    let coop = granary.create_cooperative("Linxian", NOW).unwrap();
    let (demoted, _) = enrol(&granary, coop, 1, Role::Coordinator);
    let (revoked, _) = enrol(&granary, coop, 2, Role::Household(household(1)));
    let (promoted, _) = enrol(&granary, coop, 3, Role::Packer);
    let backup = copied(&store);
    let (later, later_reply) = enrol(&granary, coop, 4, Role::Coordinator);
    let (gone, gone_reply) = enrol(&granary, coop, 5, Role::Coordinator);
    let operator = Principal::Operator;
    for device in [demoted, later] {
        granary.grant(operator, coop, device, &[Role::Packer], NOW).unwrap();
    }
    granary.grant(operator, coop, promoted, &[Role::Coordinator], NOW).unwrap();
    granary.revoke(operator, coop, revoked, NOW).unwrap();
    granary.revoke(operator, coop, gone, NOW).unwrap();
    let version = grants(&granary, coop, demoted).version;
    drop(granary);

    let restored = open(&backup, keys.path());
    assert_eq!(grants(&restored, coop, demoted), Grants { version, roles: [Role::Packer].into() });
    assert_eq!(grants(&restored, coop, promoted).roles, [Role::Coordinator].into());
    assert_eq!(grants(&restored, coop, revoked), Grants::default());
    // What the backup does not know comes back by its certificate, as what it was last.
    restored.reinstate(&later_reply.certificate, NOW).unwrap();
    assert_eq!(grants(&restored, coop, later).roles, [Role::Packer].into());
    let refused = restored.reinstate(&gone_reply.certificate, NOW);
    assert!(matches!(refused, Err(Error::Denied(Denied::Revoked))), "{refused:?}");
    assert!(restored.cooperative(coop).unwrap().device(gone).is_none());
    drop(restored);
    // And once more, from the restored store alone.
    assert_eq!(grants(&open(&backup, keys.path()), coop, demoted).roles, [Role::Packer].into());
}

#[test]
fn removed_coordinator_stays_removed_in_an_older_store() {
    let (store, keys) = (MemoryStore::default(), tempfile::tempdir().unwrap());
    let granary = open(&store, keys.path());
    let coop = granary.create_cooperative("Linxian", NOW).unwrap();
    granary.set_coordinator(coop, "zhang", "Zhang", "a long password", NOW).unwrap();
    let device = granary.coordinator_device(coop, "zhang").unwrap();
    let backup = copied(&store);
    granary
        .remove_coordinator(
            Principal::Operator,
            coop,
            "zhang",
            Removal { even_the_last: true, ..Removal::default() },
            NOW,
        )
        .unwrap();
    drop(granary);
    let restored = open(&backup, keys.path());
    assert_eq!(grants(&restored, coop, device), Grants::default());
    let (lines, _) = restored.coordinators(coop).unwrap();
    assert!(lines.iter().all(|line| line.denied.is_some()), "the account is there, and may do nothing");
    assert!(restored.sign_in_once(coop, "zhang", NOW).is_err());
    // Set anew, the person may act again, also after one more restoration.
    restored.set_coordinator(coop, "zhang", "Zhang", "another long one", NOW).unwrap();
    assert!(restored.sign_in_once(coop, "zhang", NOW).is_ok());
    drop(restored);
    assert!(open(&copied(&store), keys.path()).cooperative(coop).is_ok());
}

// A restart revoked a phone again that had been invited again, since its mark was still that of its revocation.
#[test]
fn phone_that_is_invited_again_after_its_revocation_stays_over_a_restart() {
    let (store, keys) = (MemoryStore::default(), tempfile::tempdir().unwrap());
    let granary = open(&store, keys.path());
    let coop = granary.create_cooperative("Linxian", NOW).unwrap();
    let before = copied(&store);
    let (device, _) = enrol(&granary, coop, 1, Role::Packer);
    granary.revoke(Principal::Operator, coop, device, NOW).unwrap();
    enrol(&granary, coop, 1, Role::Household(household(1)));
    drop(granary);
    let restarted = open(&store, keys.path());
    assert_eq!(grants(&restarted, coop, device).roles, [Role::Household(household(1))].into());
    restarted.revoke(Principal::Operator, coop, device, NOW).unwrap();
    drop(restarted);
    // Invited again on a store that never knew it, it belongs again, and after a restart too.
    let restored = open(&before, keys.path());
    enrol(&restored, coop, 1, Role::Packer);
    drop(restored);
    assert_eq!(grants(&open(&before, keys.path()), coop, device).roles, [Role::Packer].into());
}
