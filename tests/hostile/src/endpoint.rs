//! The sync endpoint: a server's engine, and an attacker who holds the key of an enrolled device. The input is sent as
//! the content of a signed request, as the bundle of a valid request without and with attestations, and as the bundle
//! of an outbox file.
//!
//! The server was restored: it lacks the documents of another device that it once gave to the attacker's, and for which
//! the attacker holds its attestations.

use std::cell::RefCell;
use std::path::Path;
use std::sync::{Arc, Mutex};

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::attestation::{Attestation, CODE_BYTES, Code, Shown, tips};
use granary_client_core::protocol::bundle::{read_bundle, write_bundle};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, UnsignedRequest};
use granary_client_core::protocol::messages::{SyncReply, SyncRequest, write_message};
use granary_client_core::protocol::outbox_file::{OutboxFile, write_page};
use granary_client_core::protocol::signing::{Binding, Purpose};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::Role;
use granary_client_core::store::MemoryStore;
use granary_server::log::CooperativeNumber;
use granary_server::{Environment, Granary};
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::corpus::documents;
use crate::mutate::Mutator;

const NOW: Instant = Instant(1_790_000_000_000);
/// The seeds of the devices' keys.
const DEVICE_SEED: [u8; 32] = [9; 32];
const AUTHOR_SEED: [u8; 32] = [8; 32];
/// Inputs of one server; a new one replaces it, so that the state that inputs leave behind slows nothing down.
const INPUTS_MAX: u32 = 2_000;

/// The server and the attacker. Everything in it follows from constants, so an attestation in the corpus stays valid.
struct Scene {
    granary: Granary,
    coop: CooperativeNumber,
    pair: Ed25519KeyPair,
    /// Attestations of the author's documents.
    attestations: Vec<(DocumentKey, Attestation)>,
    inputs: u32,
    _keys: tempfile::TempDir,
}

thread_local! {
    static SCENE: RefCell<Option<Scene>> = const { RefCell::new(None) };
}

fn device_of(seed: &[u8; 32]) -> DeviceId {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
    DeviceId::of_public_key(&pair.public_key().as_ref().try_into().unwrap())
}

/// The attacker's device, which wrote the corpus.
pub(crate) fn device() -> DeviceId {
    device_of(&DEVICE_SEED)
}

/// Another device of the household.
pub(crate) fn author() -> DeviceId {
    device_of(&AUTHOR_SEED)
}

pub(crate) fn household() -> HouseholdId {
    HouseholdId::from_bytes([1; 16])
}

fn open(store: &MemoryStore, keys: &Path) -> Granary {
    let mutator = Mutex::new(Mutator::new(0));
    let rng = Arc::new(move |bytes: &mut [u8]| {
        let mut mutator = mutator.lock().unwrap();
        bytes.iter_mut().for_each(|byte| *byte = mutator.next().to_be_bytes()[0]);
        Ok(())
    });
    let environment = Environment { rng, ..Environment::default() };
    // No input may make the store fail.
    let on_fault = |_| std::process::abort();
    Granary::open_with(Arc::new(store.clone()), keys, None, environment, on_fault).unwrap()
}

fn enrol(granary: &Granary, coop: CooperativeNumber, seed: &[u8; 32]) -> Ed25519KeyPair {
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).unwrap();
    let public_key = pair.public_key().as_ref().try_into().unwrap();
    let code = granary.invite(coop, Role::Household(household()), 1, NOW).unwrap().code;
    granary.enrol(&EnrolRequest { code, public_key, name: "phone".into() }, NOW).unwrap();
    pair
}

/// Sends content as a device's signed request; gives the reply to a valid one.
fn send(granary: &Granary, coop: CooperativeNumber, pair: &Ed25519KeyPair, content: &[u8]) -> Option<SyncReply> {
    let device = DeviceId::of_public_key(&pair.public_key().as_ref().try_into().unwrap());
    let audience = granary.audience(&granary.cooperative(coop).unwrap());
    let binding = Binding { purpose: Purpose::Sync, audience, channel: None };
    let sign = |bytes: &[u8]| pair.sign(bytes).as_ref().try_into().unwrap();
    let body = UnsignedRequest::new(device, content).sign(&binding, sign);
    let reply = SignedRequest::parse(body).ok().and_then(|request| granary.sync(&request, NOW).ok());
    granary.settle(&granary.cooperative(coop).unwrap());
    reply
}

/// A valid request with this bundle.
fn request(bundle: &[u8], attestations: Vec<Shown>) -> Vec<u8> {
    let bundle = bundle.to_vec();
    write_message(&SyncRequest { page_kilobytes: 64, bundle, attestations, ..SyncRequest::default() })
}

fn attestations_of(reply: &SyncReply) -> Vec<(DocumentKey, Attestation)> {
    let documents = read_bundle(&reply.bundle).unwrap();
    let codes = reply.attestations.chunks_exact(CODE_BYTES).map(|code| Code(code.try_into().unwrap()));
    let attested = documents.into_iter().zip(codes);
    attested.map(|(document, code)| (document.key, Attestation { tips: tips(&document.changes), code })).collect()
}

impl Scene {
    fn new() -> Self {
        let keys = tempfile::tempdir().unwrap();
        std::fs::write(keys.path().join("identity.key"), [7; 32]).unwrap();
        let store = MemoryStore::default();
        let granary = open(&store, keys.path());
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        let (pair, author_pair) = (enrol(&granary, coop, &DEVICE_SEED), enrol(&granary, coop, &AUTHOR_SEED));
        let backup = store.copy();
        let bundle = write_bundle(&documents(author()));
        send(&granary, coop, &author_pair, &request(&bundle, Vec::new())).unwrap();
        let reply = send(&granary, coop, &pair, &request(&[], Vec::new())).unwrap();
        let attestations = attestations_of(&reply);
        drop(granary);
        Self { granary: open(&backup, keys.path()), coop, pair, attestations, inputs: 0, _keys: keys }
    }

    fn send(&self, content: &[u8]) -> Option<SyncReply> {
        send(&self.granary, self.coop, &self.pair, content)
    }

    /// The attestations of the bundle's documents; of a bundle that can't be read, one for its first document.
    fn shown(&self, bundle: &[u8]) -> Vec<Shown> {
        let places: Vec<(usize, &Attestation)> = match read_bundle(bundle) {
            Err(_) => self.attestations.iter().take(1).map(|(_, attestation)| (0, attestation)).collect(),
            Ok(documents) => {
                let attested = |key| self.attestations.iter().find(|(of, _)| of == key).map(|(_, it)| it);
                let places = documents.iter().enumerate();
                places.filter_map(|(place, document)| Some((place, attested(&document.key)?))).collect()
            }
        };
        let shown = places.into_iter().map(|(place, attestation)| Shown {
            document: u32::try_from(place).unwrap(),
            attestation: attestation.clone(),
        });
        shown.collect()
    }

    fn import_as_outbox_file(&self, bundle: &[u8]) {
        let sign = |bytes: &[u8]| self.pair.sign(bytes).as_ref().try_into().unwrap();
        let rng = |bytes: &mut [u8]| {
            bytes.fill(7);
            true
        };
        let page = write_page(device(), bundle, self.granary.outbox_file_key(), &rng, sign).unwrap();
        let file = OutboxFile { certificate: bundle.to_vec(), pages: vec![page] };
        let _ = self.granary.import_outbox_file(&file, |_| Ok(()), NOW);
        let _ = self.granary.reinstate(bundle, NOW);
        self.granary.settle(&self.granary.cooperative(self.coop).unwrap());
    }
}

/// A request that gives the author's documents back, with the server's attestations.
pub(crate) fn attested_request() -> Vec<u8> {
    let bundle = write_bundle(&documents(author()));
    let shown = Scene::new().shown(&bundle);
    request(&bundle, shown)
}

/// See the module.
pub fn endpoint(bytes: &[u8]) {
    SCENE.with_borrow_mut(|scene| {
        let current = scene.take().filter(|scene| scene.inputs < INPUTS_MAX);
        let mut current = current.unwrap_or_else(Scene::new);
        current.inputs = current.inputs.saturating_add(1);
        current.send(bytes);
        current.send(&request(bytes, Vec::new()));
        current.send(&request(bytes, current.shown(bytes)));
        current.import_as_outbox_file(bytes);
        *scene = Some(current);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attested_documents_of_another_device_are_accepted() {
        let scene = Scene::new();
        let bundle = write_bundle(&documents(author()));
        let bare = scene.send(&request(&bundle, Vec::new())).unwrap();
        assert!(!bare.refused.is_empty(), "another device's changes are refused without an attestation");
        let shown = scene.shown(&bundle);
        assert_eq!(shown.len(), 2);
        assert_eq!(scene.send(&request(&bundle, shown)).unwrap().refused, []);
    }

    #[test]
    fn kept_attestation_is_valid() {
        let kept = crate::kept("endpoint");
        let reply = Scene::new().send(kept.get(3).unwrap()).expect("write the corpus anew: --make-corpus");
        assert_eq!(reply.refused, []);
    }
}
