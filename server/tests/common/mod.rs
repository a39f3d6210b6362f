//! A server's domain without a socket, and devices that send it arbitrary changes.
#![allow(dead_code, reason = "each test program uses a part")]

use std::sync::Arc;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ActorId, DeviceId, HouseholdId};
use granary_client_core::protocol::attestation::Shown;
use granary_client_core::protocol::bundle::{DocumentChanges, read_bundle, write_bundle};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, UnsignedRequest};
use granary_client_core::protocol::messages::{Cursor, RefusalReason, SyncReply, SyncRequest, write_message};
use granary_client_core::protocol::signing::{Binding, Purpose};
use granary_client_core::quantities::{Grams, Instant};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::{LotDraft, record};
use granary_client_core::schema::{Book, Document, DocumentKey, Season};
use granary_client_core::store::{Batch, MemoryStore, Store};
use granary_server::log::{CooperativeNumber, mark_restored};
use granary_server::store::DiskProbe;
use granary_server::{Bounds, Error, Granary};
use ring::signature::{Ed25519KeyPair, KeyPair};

pub(crate) const NOW: Instant = Instant(1_790_000_000_000);

fn open(store: &MemoryStore, keys: &std::path::Path) -> Granary {
    Granary::open(Arc::new(store.clone()), keys, None, |fault| panic!("{fault}")).unwrap()
}

pub(crate) struct World {
    pub(crate) granary: Granary,
    pub(crate) coop: CooperativeNumber,
    pub(crate) store: MemoryStore,
    /// The server's clock.
    pub(crate) now: Instant,
    keys: tempfile::TempDir,
}

pub(crate) struct Device {
    pub(crate) pair: Ed25519KeyPair,
    pub(crate) id: DeviceId,
    pub(crate) cursor: Cursor,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::bounded(Bounds::default(), Arc::new(|| None))
    }

    /// A server under these bounds, which looks at its disk so.
    pub(crate) fn bounded(bounds: Bounds, disk: DiskProbe) -> Self {
        let (store, keys) = (MemoryStore::default(), tempfile::tempdir().unwrap());
        let granary = open(&store, keys.path()).bounded(bounds, disk);
        let coop = granary.create_cooperative("Linxian", NOW).unwrap();
        Self { granary, coop, store, now: NOW, keys }
    }

    /// A copy of the store as it is.
    pub(crate) fn backup(&self) -> MemoryStore {
        let (copy, mut batch) = (MemoryStore::default(), Batch::default());
        self.store.scan_all(&[]).unwrap().into_iter().for_each(|row| batch.put(row.key, row.value.unwrap()));
        copy.apply(&batch).unwrap();
        copy
    }

    /// The same server on another store; `is_known` says whether it knows that it was restored.
    pub(crate) fn on(self, store: MemoryStore, is_known: bool) -> Self {
        if is_known {
            mark_restored(&store, NOW.0).unwrap();
        }
        self.on_under(store, Bounds::default())
    }

    /// The same server on this store, such as an older copy of its own, under these bounds.
    pub(crate) fn on_under(self, store: MemoryStore, bounds: Bounds) -> Self {
        drop(self.granary);
        let granary = open(&store, self.keys.path()).bounded(bounds, Arc::new(|| None));
        Self { granary, store, ..self }
    }

    /// Bytes of all keys and values in the store.
    pub(crate) fn store_bytes(&self) -> u64 {
        let rows = self.store.scan_all(&[]).unwrap();
        rows.iter().map(|row| (row.key.len() + row.value.as_ref().map_or(0, Vec::len)) as u64).sum()
    }

    pub(crate) fn device(&self, seed: u8, role: Role) -> Device {
        let pair = key(seed);
        let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let code = self.granary.invite(self.coop, role, 1, NOW).unwrap().code;
        self.granary.enrol(&EnrolRequest { code, public_key, name: "phone".into() }, NOW).unwrap();
        Device { pair, id: DeviceId::of_public_key(&public_key), cursor: Cursor::default() }
    }

    pub(crate) fn sync(&self, device: &mut Device, changes: &[(DocumentKey, Vec<VerifiedChange>)]) -> SyncReply {
        self.try_sync(device, changes).unwrap()
    }

    /// As [`Self::sync`], for a request that may fail.
    pub(crate) fn try_sync(
        &self,
        device: &mut Device,
        changes: &[(DocumentKey, Vec<VerifiedChange>)],
    ) -> Result<SyncReply, Error> {
        let reply = self.exchange(device, changes, Vec::new(), 0);
        self.settle();
        reply
    }

    /// As [`Self::sync`], without waiting for verdicts.
    pub(crate) fn send(&self, device: &mut Device, changes: &[(DocumentKey, Vec<VerifiedChange>)]) -> SyncReply {
        self.exchange(device, changes, Vec::new(), 0).unwrap()
    }

    /// A sync of a device that has read the notices up to this number.
    pub(crate) fn sync_having_read(&self, device: &mut Device, notices_read: u64) -> SyncReply {
        self.exchange(device, &[], Vec::new(), notices_read).unwrap()
    }

    /// Waits until all that was sent has its verdict.
    pub(crate) fn settle(&self) {
        self.granary.settle(&self.granary.cooperative(self.coop).unwrap());
    }

    /// As [`Self::sync`], with attestations.
    pub(crate) fn sync_showing(
        &self,
        device: &mut Device,
        changes: &[(DocumentKey, Vec<VerifiedChange>)],
        attestations: Vec<Shown>,
    ) -> SyncReply {
        let reply = self.exchange(device, changes, attestations, 0).unwrap();
        self.settle();
        reply
    }

    /// A device's request for this server.
    pub(crate) fn signed(&self, device: &Device, purpose: Purpose, content: &[u8]) -> Vec<u8> {
        let audience = self.granary.audience(&self.granary.cooperative(self.coop).unwrap());
        let binding = Binding { purpose, audience, channel: None };
        let sign = |bytes: &[u8]| device.pair.sign(bytes).as_ref().try_into().unwrap();
        UnsignedRequest::new(device.id, content).sign(&binding, sign)
    }

    fn exchange(
        &self,
        device: &mut Device,
        changes: &[(DocumentKey, Vec<VerifiedChange>)],
        attestations: Vec<Shown>,
        notices_read: u64,
    ) -> Result<SyncReply, Error> {
        let documents: Vec<DocumentChanges> = changes
            .iter()
            .map(|(key, changes)| DocumentChanges { key: key.clone(), changes: changes.clone() })
            .collect();
        let request = SyncRequest {
            cursor: device.cursor,
            page_kilobytes: 1024,
            bundle: if documents.is_empty() { Vec::new() } else { write_bundle(&documents) },
            attestations,
            notices_read,
            ..SyncRequest::default()
        };
        let body = self.signed(device, Purpose::Sync, &write_message(&request));
        let parsed = SignedRequest::parse(body).unwrap();
        let reply = self.granary.sync(&parsed, self.now)?;
        device.cursor = reply.cursor;
        Ok(reply)
    }
}

/// The key of a device of this seed.
pub(crate) fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

pub(crate) fn household(number: u8) -> HouseholdId {
    HouseholdId::from_bytes([number; 16])
}

pub(crate) fn book(number: u8) -> DocumentKey {
    DocumentKey::HarvestBook(Book::first(household(number), Season::new(2026).unwrap()))
}

/// A book's genesis change and one lot in it.
pub(crate) fn one_lot(key: &DocumentKey, actor: &ActorId, grams: i64) -> Vec<VerifiedChange> {
    let mut document = Document::new(key.clone()).unwrap();
    let draft = LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap());
    let (_, change) = document.edit(actor, NOW, |doc| record(doc, &draft)).unwrap();
    vec![Document::first_change(key).unwrap(), change.unwrap()]
}

pub(crate) fn reason(reply: &SyncReply) -> Option<RefusalReason> {
    reply.refused.first().map(|refusal| refusal.reason)
}

/// The keys of a reply's documents.
pub(crate) fn received(reply: &SyncReply) -> Vec<DocumentKey> {
    match reply.bundle.as_slice() {
        [] => Vec::new(),
        bundle => read_bundle(bundle).unwrap().into_iter().map(|document| document.key).collect(),
    }
}
