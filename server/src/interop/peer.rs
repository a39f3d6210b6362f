//! One connected client: its open documents, and the replies to its messages. It blocks on the store, so it runs on the
//! pool for blocking work.

use std::collections::HashMap;
use std::sync::Arc;

use granary_client_core::crdt::PeerState;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{DeviceId, DocumentId};
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Grants;
use granary_client_core::schema::{Document, DocumentKey};

use super::message;
use super::wire::{self, ClientMessage};
use crate::engine::Granary;
use crate::error::Error;
use crate::http::Kept;
use crate::log::{Cooperative, Submitter};

/// What a sync's state keeps for each change that it has sent: a hash in a tree.
const KEPT_BYTES_A_CHANGE: u64 = 64;
/// What an open document keeps besides.
const KEPT_BYTES_A_DOCUMENT: usize = 512;

/// One connected client.
pub(super) struct Peer {
    granary: Arc<Granary>,
    cooperative: Arc<Cooperative>,
    device: DeviceId,
    token: String,
    name: String,
    open: HashMap<DocumentKey, Open>,
    /// Room for what they keep, from the device's share.
    room: Kept,
}

struct Open {
    /// The document's name in the client's messages.
    name: String,
    state: PeerState,
    /// Memory that it may keep, in bytes.
    kept: usize,
}

/// The reason to end a connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum PeerFault {
    #[error("this token is not known here, or was revoked")]
    Token,
    #[error("{0}")]
    BadMessage(String),
    #[error(transparent)]
    Server(#[from] Error),
}

impl Peer {
    /// The peer that has this token, with the place that its socket takes.
    pub(super) fn new<P>(
        granary: Arc<Granary>,
        token: String,
        places: impl FnOnce(DeviceId) -> Result<(P, Kept), Error>,
    ) -> Result<(Self, P), PeerFault> {
        let (cooperative, device, _) = granary.device_of_token(&token).ok_or(PeerFault::Token)?;
        let (place, room) = places(device)?;
        Ok((Self { granary, cooperative, device, token, name: String::new(), open: HashMap::new(), room }, place))
    }

    pub(super) fn device(&self) -> DeviceId {
        self.device
    }

    pub(super) fn cooperative(&self) -> &Arc<Cooperative> {
        &self.cooperative
    }

    pub(super) fn is_open(&self, key: &DocumentKey) -> bool {
        self.open.contains_key(key)
    }

    /// The last message of a connection.
    pub(super) fn farewell(&self, why: &str) -> Vec<u8> {
        wire::error(&self.name, why)
    }

    fn grants(&self) -> Result<Grants, PeerFault> {
        let (_, _, record) = self.granary.device_of_token(&self.token).ok_or(PeerFault::Token)?;
        Ok(record.grants_now())
    }

    /// The replies to a message.
    pub(super) fn handle(&mut self, bytes: &[u8], now: Instant) -> Result<Vec<Vec<u8>>, PeerFault> {
        match wire::read(bytes).map_err(|why| PeerFault::BadMessage(why.into()))? {
            ClientMessage::Join { peer } => {
                self.name = peer;
                Ok(vec![wire::peer(&self.name)])
            }
            ClientMessage::Sync { peer, document, data } => {
                self.name = peer;
                self.sync(document, &data, now)
            }
            ClientMessage::Other => Ok(Vec::new()),
        }
    }

    fn sync(&mut self, name: String, data: &[u8], now: Instant) -> Result<Vec<Vec<u8>>, PeerFault> {
        let grants = self.grants()?;
        let id = DocumentId::from_automerge_url(&format!("automerge:{name}")).ok();
        let key = id.and_then(|id| self.cooperative.document_of_id(id)).filter(|key| grants.may_read(key));
        let Some(key) = key else { return Ok(vec![wire::unavailable(&self.name, &name)]) };
        let count = self.document(&key)?.change_count();
        let message = message::read(data, count).map_err(|fault| PeerFault::BadMessage(fault.to_string()))?;
        let of_changes = usize::try_from(count.saturating_mul(KEPT_BYTES_A_CHANGE)).unwrap_or(usize::MAX);
        let kept = message.kept_bytes.saturating_add(of_changes).saturating_add(KEPT_BYTES_A_DOCUMENT);
        let others = self.open.iter().filter(|(other, _)| **other != key).map(|(_, open)| open.kept);
        if !self.room.bytes(others.fold(kept, usize::saturating_add)) {
            return Err(PeerFault::BadMessage("this device has too many documents open; close some".into()));
        }
        let may_write = grants.may_write(&key);
        let is_accepted = message.changes.is_empty() || self.ingest(&key, grants, &message.changes, now)?;
        let mut document = self.document(&key)?;
        let open = self.open.entry(key).or_insert_with(|| Open { name, state: PeerState::default(), kept });
        open.kept = kept;
        // Else the client would send the refused changes for ever.
        if !may_write || !is_accepted {
            open.state.take_nothing_more();
        }
        document.receive_sync_message(&mut open.state, &message.without_changes).map_err(Error::from)?;
        let answer = document.generate_sync_message(&mut open.state).map_err(Error::from)?;
        Ok(answer.map(|data| wire::sync(&self.name, &open.name, &data)).into_iter().collect())
    }

    /// Ingests changes; true when each is admitted or an orphan.
    fn ingest(
        &self,
        key: &DocumentKey,
        grants: Grants,
        changes: &[VerifiedChange],
        now: Instant,
    ) -> Result<bool, PeerFault> {
        let submitter = Submitter { chooses_actors: true, ..Submitter::new(self.device, grants) };
        let bundle = vec![DocumentChanges { key: key.clone(), changes: changes.to_vec() }];
        let ingested = self.granary.ingest(&self.cooperative, submitter, bundle, now)?;
        if let Some(refusal) = ingested.refused.first() {
            tracing::info!(device = %self.device, reason = %refusal.reason, "changes of an automerge-repo client were refused");
            return Ok(false);
        }
        self.granary.settle_document(&self.cooperative, key);
        let mut document = self.document(key)?;
        // A change that is missing although its dependencies are present was quarantined.
        let is_quarantined = |change: &VerifiedChange, document: &mut Document| {
            !document.has(change.hash()) && change.record().dependencies.iter().all(|hash| document.has(*hash))
        };
        Ok(!changes.iter().any(|change| is_quarantined(change, &mut document)))
    }

    fn document(&self, key: &DocumentKey) -> Result<Document, PeerFault> {
        let document = self.granary.document(self.cooperative.number(), key)?;
        document.ok_or_else(|| Error::NotFound { what: "document", name: key.kind().name().into() }.into())
    }

    /// The messages about a document that has changed.
    pub(super) fn document_changed(&mut self, key: &DocumentKey) -> Result<Vec<Vec<u8>>, PeerFault> {
        if !self.open.contains_key(key) || !self.grants()?.may_read(key) {
            return Ok(Vec::new());
        }
        let mut document = self.document(key)?;
        let Some(open) = self.open.get_mut(key) else { return Ok(Vec::new()) };
        let data = document.generate_sync_message(&mut open.state).map_err(Error::from)?;
        Ok(data.map(|data| wire::sync(&self.name, &open.name, &data)).into_iter().collect())
    }

    /// Closes the documents that the device may no longer read, after its grants have changed.
    pub(super) fn access_changed(&mut self) -> Result<Vec<Vec<u8>>, PeerFault> {
        let grants = self.grants()?;
        let name = self.name.clone();
        let closed = self.open.extract_if(|key, _| !grants.may_read(key));
        let told = closed.map(|(_, open)| wire::unavailable(&name, &open.name)).collect();
        self.room.bytes(self.open.values().fold(0, |sum, open| sum.saturating_add(open.kept)));
        Ok(told)
    }

    /// The open documents; all are checked after missed events.
    pub(super) fn open_documents(&self) -> Vec<DocumentKey> {
        self.open.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use granary_client_core::automerge::{ROOT, transaction::Transactable};
    use granary_client_core::crdt::DOCUMENT_BYTES_MAX;
    use granary_client_core::ids::{ActorId, HouseholdId};
    use granary_client_core::schema::access::Role;
    use granary_client_core::schema::{Book, Season, harvest};
    use granary_client_core::store::MemoryStore;

    use super::*;
    use crate::config::{Bounds, Limits, Share};
    use crate::http::Gate;

    const NOW: Instant = Instant(1_790_000_000_000);

    /// A client writes twenty texts of 100 kB into a book, with a new connection for each. Gives what its device used on the
    /// day, and the book's size.
    fn writes_two_megabytes(device: Share) -> (u64, usize) {
        let (keys, store) = (tempfile::tempdir().unwrap(), MemoryStore::default());
        let granary = Granary::open(Arc::new(store), keys.path(), None, |fault| panic!("{fault}")).unwrap();
        let granary = Arc::new(granary.bounded(Bounds { device, ..Bounds::default() }, Arc::new(|| None)));
        let number = granary.create_cooperative("Linxian", NOW).unwrap();
        let household = HouseholdId::from_bytes([1; 16]);
        let book = DocumentKey::HarvestBook(Book::first(household, Season::new(2026).unwrap()));
        let lot = harvest::LotDraft::new(
            "millet",
            granary_client_core::quantities::Grams::new(5_000).unwrap(),
            "2026-10-03".parse().unwrap(),
        );
        granary.edit(number, &book, NOW, move |doc| harvest::record(doc, &lot).map(drop)).unwrap();
        let (device, token) = granary.make_token(number, Role::Household(household), "script", NOW).unwrap();
        let cooperative = granary.cooperative(number).unwrap();
        let url = book.id(cooperative.id()).automerge_url();
        let name = url.strip_prefix("automerge:").unwrap();
        let mut client = granary.document(number, &book).unwrap().unwrap();
        let (actor, gate) = (ActorId::from_bytes(&[9; 16]).unwrap(), Gate::new(Limits::default()));
        for round in 0..20u32 {
            let text: String =
                (0..100_000u32).map(|place| char::from(b'a' + ((place * (round + 7)) % 26) as u8)).collect();
            // A client is bound by nothing here.
            let written = client.edit(&actor, NOW, |doc| Ok(doc.put(ROOT, format!("{round}"), text)?));
            if written.is_err() {
                break;
            }
            let places = |device| gate.automerge(device);
            let (mut peer, _place) = Peer::new(Arc::clone(&granary), token.clone(), places).unwrap();
            let mut state = PeerState::default();
            for _ in 0..8 {
                let Some(data) = client.generate_sync_message(&mut state).unwrap() else { break };
                for answer in peer.handle(&wire::sync("client", name, &data), NOW).unwrap() {
                    let ClientMessage::Sync { data, .. } = wire::read(&answer).unwrap() else { continue };
                    let read = message::read(&data, 100).unwrap();
                    client.receive_sync_message(&mut state, &read.without_changes).unwrap();
                }
            }
        }
        let (today, _) = granary.used_by_device(&cooperative, device, NOW);
        (today, granary.document(number, &book).unwrap().unwrap().save().len())
    }

    #[test]
    fn automerge_client_stays_within_share_and_size() {
        let (used, bytes) = writes_two_megabytes(Share { day_bytes: 450_000, bytes: 10_000_000 });
        assert!((400_000..=450_000).contains(&used), "{used}");
        assert!((400_000..=450_000).contains(&bytes), "{bytes}");
        let (_, bytes) = writes_two_megabytes(Share { day_bytes: 10_000_000, bytes: 10_000_000 });
        assert!((900_000..=DOCUMENT_BYTES_MAX).contains(&bytes), "{bytes}");
    }
}
