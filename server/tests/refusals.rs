//! What an enrolled device may not do, asked of the server's domain without a socket: write under
//! another's actor, use a sequence twice, write what it may not, read what it was not granted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use granary_client_core::documents::harvest::{LotDraft, record};
use granary_client_core::documents::{Document, DocumentKey, Season};
use granary_client_core::ids::{ActorId, DeviceId, HouseholdId};
use granary_client_core::protocol::access::{EnrolRequest, Role};
use granary_client_core::protocol::bundle::{DocumentChanges, read_bundle, write_bundle};
use granary_client_core::protocol::change::VerifiedChange;
use granary_client_core::protocol::frame::{SignedRequest, write_request};
use granary_client_core::protocol::messages::{Cursor, RefusalReason, SyncReply, SyncRequest, write_message};
use granary_client_core::quantities::{Grams, Instant};
use granary_client_core::store::MemoryStore;
use granary_server::Granary;
use granary_server::log::CooperativeNumber;
use ring::signature::{Ed25519KeyPair, KeyPair};

const NOW: Instant = Instant(1_790_000_000_000);

struct World {
    granary: Granary,
    coop: CooperativeNumber,
    _keys: tempfile::TempDir,
}

struct Device {
    pair: Ed25519KeyPair,
    id: DeviceId,
    cursor: Cursor,
}

impl World {
    fn new() -> Self {
        let keys = tempfile::tempdir().unwrap();
        let fail = |fault| panic!("{fault}");
        let granary = Granary::open(Arc::new(MemoryStore::default()), keys.path(), None, fail).unwrap();
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        Self { granary, coop, _keys: keys }
    }

    fn device(&self, seed: u8, role: Role) -> Device {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let code = self.granary.invite(self.coop, role, 1, NOW).unwrap().code;
        self.granary.enrol(&EnrolRequest { code, public_key, name: "phone".into() }, NOW).unwrap();
        Device { pair, id: DeviceId::of_public_key(&public_key), cursor: Cursor::default() }
    }

    fn sync(&self, device: &mut Device, changes: &[(DocumentKey, Vec<VerifiedChange>)]) -> SyncReply {
        let documents: Vec<DocumentChanges> = changes
            .iter()
            .map(|(key, changes)| DocumentChanges { key: key.clone(), changes: changes.clone() })
            .collect();
        let request = SyncRequest {
            cursor: device.cursor,
            page_kilobytes: 1024,
            pending_after: 0,
            notices_read: 0,
            bundle: if documents.is_empty() { Vec::new() } else { write_bundle(&documents) },
            fetch: Vec::new(),
            version: None,
        };
        let sign = |bytes: &[u8]| device.pair.sign(bytes).as_ref().try_into().unwrap();
        let body = write_request(device.id, &write_message(&request), sign);
        let reply = self.granary.sync(&SignedRequest::parse(&body).unwrap(), NOW).unwrap();
        self.granary.settle(&self.granary.cooperative(self.coop).unwrap());
        device.cursor = reply.cursor;
        reply
    }
}

fn household(number: u8) -> HouseholdId {
    HouseholdId::from_bytes([number; 16])
}

fn book(number: u8) -> DocumentKey {
    DocumentKey::HarvestBook(household(number), Season::new(2026).unwrap())
}

/// The beginning of a book and one lot in it.
fn one_lot(key: &DocumentKey, actor: &ActorId, grams: i64) -> Vec<VerifiedChange> {
    let mut document = Document::new(key.clone()).unwrap();
    let draft = LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap());
    let (_, change) = document.edit(actor, NOW, |doc| record(doc, &draft)).unwrap();
    vec![Document::first_change(key).unwrap(), change.unwrap()]
}

fn reason(reply: &SyncReply) -> Option<RefusalReason> {
    reply.refused.first().map(|refusal| refusal.reason)
}

/// The documents that a reply brings.
fn brought(reply: &SyncReply) -> Vec<DocumentKey> {
    match reply.bundle.as_slice() {
        [] => Vec::new(),
        bundle => read_bundle(bundle).unwrap().into_iter().map(|document| document.key).collect(),
    }
}

#[test]
fn a_device_cannot_write_under_another_devices_actor() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let neighbour = world.device(2, Role::Household(household(1)));
    let forged = one_lot(&book(1), &neighbour.id.actor(0), 1_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), forged)])), Some(RefusalReason::ForeignActor));
    let begun_otherwise = one_lot(&book(1), &ActorId::from_bytes(b"genesis").unwrap(), 1_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), begun_otherwise)])), Some(RefusalReason::ForeignActor));
    let mut coordinator = world.device(3, Role::Coordinator);
    assert!(!brought(&world.sync(&mut coordinator, &[])).contains(&book(1)), "nothing of it was kept");
}

#[test]
fn a_sequence_is_used_once_and_a_repeat_adds_nothing() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let lot = one_lot(&book(1), &li.id.actor(0), 1_000);
    let first = world.sync(&mut li, &[(book(1), lot.clone())]);
    assert_eq!(reason(&first), None);
    let again = world.sync(&mut li, &[(book(1), lot)]);
    assert_eq!((reason(&again), again.cursor.receipt), (None, first.cursor.receipt));
    let other = one_lot(&book(1), &li.id.actor(0), 2_000);
    assert_eq!(reason(&world.sync(&mut li, &[(book(1), other)])), Some(RefusalReason::SequenceReused));
}

#[test]
fn a_refused_document_does_not_keep_others_from_being_taken() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let actor = li.id.actor(0);
    let changes = [(book(2), one_lot(&book(2), &actor, 1_000)), (book(1), one_lot(&book(1), &actor, 2_000))];
    let reply = world.sync(&mut li, &changes);
    assert_eq!(reply.refused.len(), 1);
    assert_eq!((reply.refused[0].document, reply.refused[0].reason), (0, RefusalReason::MayNotWrite));
    let mut coordinator = world.device(3, Role::Coordinator);
    let brought = brought(&world.sync(&mut coordinator, &[]));
    assert!(brought.contains(&book(1)) && !brought.contains(&book(2)));
}

#[test]
fn a_grant_brings_documents_whole_and_its_end_is_told() {
    let world = World::new();
    let mut li = world.device(1, Role::Household(household(1)));
    let mut wang = world.device(2, Role::Household(household(2)));
    let lot = one_lot(&book(2), &wang.id.actor(0), 1_000);
    world.sync(&mut wang, &[(book(2), lot)]);
    assert!(!brought(&world.sync(&mut li, &[])).contains(&book(2)));

    let both = [Role::Household(household(1)), Role::Household(household(2))];
    world.granary.grant("operator", world.coop, li.id, &both, NOW).unwrap();
    assert_eq!(brought(&world.sync(&mut li, &[])), [book(2)]);

    world.granary.grant("operator", world.coop, li.id, &both[..1], NOW).unwrap();
    let told = world.sync(&mut li, &[]).grants.unwrap();
    assert!(!told.may_read(&book(2)) && told.may_read(&book(1)));
}
