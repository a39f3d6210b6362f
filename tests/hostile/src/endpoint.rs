//! The sync endpoint as a whole: a real server's domain, and a device whose key the attacker has. The bytes are
//! first what is signed, then the bundle in a request that is otherwise right, then that of a file that is handed
//! in.

use std::cell::RefCell;
use std::sync::Arc;

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, write_request};
use granary_client_core::protocol::messages::{SyncRequest, write_message};
use granary_client_core::protocol::outbox_file::{OutboxFile, write_page};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::store::MemoryStore;
use granary_server::Granary;
use granary_server::log::CooperativeNumber;
use ring::signature::{Ed25519KeyPair, KeyPair};

const NOW: Instant = Instant(1_790_000_000_000);
/// The seed of the device's key; the corpus is signed with nothing, so any will do.
const SEED: [u8; 32] = [9; 32];
/// A new server after so many inputs, so that what one left does not slow all that come.
const INPUTS_A_SERVER: u32 = 2_000;

struct Scene {
    granary: Granary,
    coop: CooperativeNumber,
    pair: Ed25519KeyPair,
    inputs: u32,
    _keys: tempfile::TempDir,
}

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

/// The device that the corpus was made for.
pub(crate) fn device() -> DeviceId {
    let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
    DeviceId::of_public_key(&pair.public_key().as_ref().try_into().unwrap())
}

pub(crate) fn household() -> HouseholdId {
    HouseholdId::from_bytes([1; 16])
}

impl Scene {
    fn new() -> Self {
        let keys = tempfile::tempdir().unwrap();
        // A fault of the store is one of ours: nothing from outside may lead to it.
        let on_fault = |_| std::process::abort();
        let granary = Granary::open(Arc::new(MemoryStore::default()), keys.path(), None, on_fault).unwrap();
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&SEED).unwrap();
        let public_key = pair.public_key().as_ref().try_into().unwrap();
        let code = granary.invite(coop, Role::Household(household()), 1, NOW).unwrap().code;
        granary.enrol(&EnrolRequest { code, public_key, name: "phone".into() }, NOW).unwrap();
        Self { granary, coop, pair, inputs: 0, _keys: keys }
    }

    fn takes(&self, content: &[u8]) {
        let sign = |bytes: &[u8]| self.pair.sign(bytes).as_ref().try_into().unwrap();
        let body = write_request(device(), content, sign);
        if let Ok(request) = SignedRequest::parse(body) {
            let _ = self.granary.sync(&request, NOW);
        }
        self.granary.settle(&self.granary.cooperative(self.coop).unwrap());
    }

    fn takes_carried(&self, bundle: &[u8]) {
        let sign = |bytes: &[u8]| self.pair.sign(bytes).as_ref().try_into().unwrap();
        let chance = |bytes: &mut [u8]| {
            bytes.fill(7);
            true
        };
        let page = write_page(device(), bundle, self.granary.outbox_file_key(), &chance, sign).unwrap();
        let file = OutboxFile { certificate: bundle.to_vec(), pages: vec![page] };
        let _ = self.granary.import_outbox_file(&file, |_| Ok(()), NOW);
        let _ = self.granary.reinstate(bundle, NOW);
        self.granary.settle(&self.granary.cooperative(self.coop).unwrap());
    }
}

/// See the module.
pub fn endpoint(bytes: &[u8]) {
    SCENE.with_borrow_mut(|scene| {
        let old = scene.take().filter(|scene| scene.inputs < INPUTS_A_SERVER);
        let mut one = old.unwrap_or_else(Scene::new);
        one.inputs = one.inputs.saturating_add(1);
        one.takes(bytes);
        let request = SyncRequest { page_kilobytes: 16, bundle: bytes.to_vec(), ..SyncRequest::default() };
        one.takes(&write_message(&request));
        one.takes_carried(bytes);
        *scene = Some(one);
    });
}
