//! One connected client: the documents that it has open, and what each of its words leads to. It reads
//! the store and waits for it, so it is called where that holds up nobody else.

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
use crate::log::{Cooperative, Submitter};

/// Documents that one connection may have open.
const OPEN_MAX: usize = 20_000;

/// See the module.
pub(super) struct Peer {
    granary: Arc<Granary>,
    cooperative: Arc<Cooperative>,
    device: DeviceId,
    token: String,
    name: String,
    open: HashMap<DocumentKey, Open>,
}

struct Open {
    /// As the client names it.
    name: String,
    state: PeerState,
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum PeerFault {
    #[error("this token is not known here, or was revoked")]
    Token,
    #[error("{0}")]
    Said(String),
    #[error(transparent)]
    Server(#[from] Error),
}

impl Peer {
    pub(super) fn new(granary: Arc<Granary>, token: String) -> Result<Self, PeerFault> {
        let (cooperative, device, _) = granary.device_of_token(&token).ok_or(PeerFault::Token)?;
        Ok(Self { granary, cooperative, device, token, name: String::new(), open: HashMap::new() })
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

    /// The last word of a connection.
    pub(super) fn farewell(&self, why: &str) -> Vec<u8> {
        wire::error(&self.name, why)
    }

    fn grants(&self) -> Result<Grants, PeerFault> {
        let (_, _, record) = self.granary.device_of_token(&self.token).ok_or(PeerFault::Token)?;
        Ok(record.grants_now())
    }

    /// What is answered to a message.
    pub(super) fn hear(&mut self, bytes: &[u8], now: Instant) -> Result<Vec<Vec<u8>>, PeerFault> {
        match wire::read(bytes).map_err(|why| PeerFault::Said(why.into()))? {
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
        let message = message::read(data).map_err(|fault| PeerFault::Said(fault.to_string()))?;
        if !self.open.contains_key(&key) && self.open.len() >= OPEN_MAX {
            return Err(PeerFault::Said(format!("a connection may have {OPEN_MAX} documents open")));
        }
        let may_write = grants.may_write(&key);
        let taken = message.changes.is_empty() || self.take(&key, grants, &message.changes, now)?;
        let mut document = self.document(&key)?;
        let open = self.open.entry(key).or_insert_with(|| Open { name, state: PeerState::default() });
        // Asking again for what was refused would go on for ever.
        if !may_write || !taken {
            open.state.take_nothing_more();
        }
        document.receive_sync_message(&mut open.state, &message.without_changes).map_err(Error::from)?;
        let answer = document.generate_sync_message(&mut open.state).map_err(Error::from)?;
        Ok(answer.map(|data| wire::sync(&self.name, &open.name, &data)).into_iter().collect())
    }

    /// True when the changes are in the log, or wait there for what they depend on.
    fn take(
        &self,
        key: &DocumentKey,
        grants: Grants,
        changes: &[VerifiedChange],
        now: Instant,
    ) -> Result<bool, PeerFault> {
        let submitter = Submitter { chooses_actors: true, ..Submitter::new(self.device, grants) };
        let bundle = vec![DocumentChanges { key: key.clone(), changes: changes.to_vec() }];
        let taken = self.granary.ingest(&self.cooperative, submitter, bundle, now)?;
        if let Some(refusal) = taken.refused.first() {
            tracing::info!(device = %self.device, reason = %refusal.reason, "changes of an automerge-repo client were refused");
            return Ok(false);
        }
        self.granary.settle_document(&self.cooperative, key);
        let mut document = self.document(key)?;
        // One whose dependencies are there, but which is not itself, was set aside.
        let was_set_aside = |change: &VerifiedChange, document: &mut Document| {
            !document.has(change.hash()) && change.record().dependencies.iter().all(|hash| document.has(*hash))
        };
        Ok(!changes.iter().any(|change| was_set_aside(change, &mut document)))
    }

    fn document(&self, key: &DocumentKey) -> Result<Document, PeerFault> {
        let document = self.granary.document(self.cooperative.number(), key)?;
        document.ok_or_else(|| Error::NotFound { what: "document", name: key.kind().name().into() }.into())
    }

    /// What is said of a document that has something new.
    pub(super) fn news(&mut self, key: &DocumentKey) -> Result<Vec<Vec<u8>>, PeerFault> {
        if !self.open.contains_key(key) || !self.grants()?.may_read(key) {
            return Ok(Vec::new());
        }
        let mut document = self.document(key)?;
        let Some(open) = self.open.get_mut(key) else { return Ok(Vec::new()) };
        let data = document.generate_sync_message(&mut open.state).map_err(Error::from)?;
        Ok(data.map(|data| wire::sync(&self.name, &open.name, &data)).into_iter().collect())
    }

    /// What the device may do has changed: documents that it may not read any more are closed.
    pub(super) fn access_changed(&mut self) -> Result<Vec<Vec<u8>>, PeerFault> {
        let grants = self.grants()?;
        let name = self.name.clone();
        let closed = self.open.extract_if(|key, _| !grants.may_read(key));
        Ok(closed.map(|(_, open)| wire::unavailable(&name, &open.name)).collect())
    }

    /// What is said after news were missed: everything open is looked at.
    pub(super) fn open_documents(&self) -> Vec<DocumentKey> {
        self.open.keys().cloned().collect()
    }
}
