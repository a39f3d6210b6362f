//! The phone's replica: its documents, the outbox of changes that the server has not acknowledged,
//! and the cursor. Every edit is durable when it returns; every page of a sync is kept in one batch
//! with the cursor that it leads to, so a line that breaks costs at most the page under way.
//!
//! ```text
//! m <name>                      single values: cursor, grants, counters
//! d <document>                  DocumentRecord
//! s <document>                  the document as saved, through `saved_through`
//! c <document> <index>          a change chunk that came after
//! o <number>                    outbox: document, chunk
//! r <document> <number>         a change that is put by, since a twin has used its number
//! p <document> <hash>           the first form of a change that has another name now
//! g <document> <hash>           the rest of a document that is put by, when the server may have lost it
//! f <document> <hash>           another's change that own ones build on, and that the document has no more
//! y <document>                  its key while something of it is put by
//! t <document>                  the number of the outbox before which its changes are sent one by one
//! n <document> <actor> <seq>    a number of it under which the server has something else
//! w <document> <hash>           a change that waits for what it depends on
//! h <document>                  document compared in the walk under way
//! x <number>                    set aside: document, reason, chunk
//! ```

mod comparison;
mod load;
mod names;
mod outbox;
mod page;
mod receive;
mod take;
mod twin;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

pub use page::OutboxPage;
pub use receive::{Received, SetAside};

use crate::documents::harvest::{LotId, touched};
use crate::documents::{Document, DocumentFault, DocumentKey};
use crate::error::Error;
use crate::ids::{ActorId, ChangeHash, CooperativeId, DeviceId, DocumentId};
use crate::protocol::access::Grants;
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::{Cursor, read_message, write_message};
use crate::quantities::Instant;
use crate::store::{Batch, Store, StoreFault};
use automerge::AutoCommit;

/// Loaded documents that are kept in memory at most.
const LOADED_MAX: usize = 64;
/// Changes beside a saved form before the document is saved anew.
const CHANGES_BEFORE_SAVE: u32 = 256;

/// What the store says of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct DocumentRecord {
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
    /// Changes below this index are in the saved form.
    pub(crate) saved_through: u32,
    /// The index of the next change.
    pub(crate) next: u32,
    /// Rises with every change; tells the read model what it has not seen.
    pub(crate) revision: u64,
    /// Changes after the saved form that a damaged store has lost.
    pub(crate) holes: u32,
    /// True when a damaged store has lost the saved form.
    pub(crate) saved_lost: bool,
}

/// What an edit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited<R> {
    /// What the edit gave.
    pub value: R,
    /// The document's revision before it; none for a document that it began.
    pub before: Option<u64>,
    /// The names of lots that it may have touched.
    pub touched: BTreeSet<LotId>,
}

struct Loaded {
    document: Document,
    record: DocumentRecord,
    used: u64,
    /// False from a change until it is durable.
    is_kept: bool,
}

/// What a stored record could not be read for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The document, in Automerge's URL form, where it is known.
    pub document: Option<String>,
    /// What happened and what will be done, for a person.
    pub sentence: String,
}

/// See the module.
pub struct Replica {
    store: Arc<dyn Store>,
    cooperative: CooperativeId,
    device: DeviceId,
    actor: ActorId,
    cursor: Cursor,
    grants: Grants,
    records: HashMap<DocumentId, DocumentRecord>,
    loaded: HashMap<DocumentId, Loaded>,
    uses: u64,
    outbox_next: u64,
    pending: u64,
    /// Documents of which the server takes no more before what waits there has its ground.
    held_back: BTreeSet<DocumentKey>,
}

pub(crate) fn meta_key(name: &str) -> Vec<u8> {
    [b"m", name.as_bytes()].concat()
}

fn document_key(kind: u8, id: DocumentId) -> Vec<u8> {
    [&[kind], id.as_bytes().as_slice()].concat()
}

fn change_key(id: DocumentId, index: u32) -> Vec<u8> {
    [b"c", id.as_bytes().as_slice(), &index.to_be_bytes()].concat()
}

fn waiting_key(id: DocumentId, hash: ChangeHash) -> Vec<u8> {
    [b"w", id.as_bytes().as_slice(), hash.as_bytes()].concat()
}

/// The document id in a key that begins with a kind byte.
fn document_of(key: &[u8]) -> Option<DocumentId> {
    key.get(1..17)?.try_into().ok().map(DocumentId::from_bytes)
}

/// Reads a single value; a damaged or unreadable one counts as missing.
pub(crate) fn read_meta<M: DeserializeOwned>(store: &dyn Store, name: &str) -> Result<Option<M>, StoreFault> {
    match store.get(&meta_key(name)) {
        Ok(bytes) => Ok(bytes.and_then(|bytes| read_message(&bytes).ok())),
        Err(StoreFault::Damaged(_)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

pub(crate) fn put_meta<M: Serialize>(batch: &mut Batch, name: &str, value: &M) {
    batch.put(meta_key(name), write_message(value));
}

impl Replica {
    /// Opens the replica of this device. A missing cursor means that all is read again, which is
    /// harmless.
    pub fn open(
        store: Arc<dyn Store>,
        cooperative: CooperativeId,
        device: DeviceId,
        grants: &Grants,
    ) -> Result<(Self, Vec<Damage>), Error> {
        let cursor = read_meta(store.as_ref(), "cursor")?.unwrap_or_default();
        let grants = read_meta(store.as_ref(), "grants")?.unwrap_or_else(|| grants.clone());
        let generation: u8 = read_meta(store.as_ref(), "generation")?.unwrap_or(0);
        let (records, mut damage) = load::read_records(store.as_ref(), cooperative)?;
        let mut replica = Self {
            store,
            cooperative,
            device,
            actor: device.actor(generation),
            cursor,
            grants,
            records,
            loaded: HashMap::new(),
            uses: 0,
            outbox_next: 0,
            pending: 0,
            held_back: BTreeSet::new(),
        };
        replica.count_outbox()?;
        damage.extend(replica.check_chains()?);
        Ok((replica, damage))
    }

    /// The co-operative.
    pub fn cooperative(&self) -> CooperativeId {
        self.cooperative
    }

    /// The device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The actor of this device's edits.
    pub fn actor(&self) -> &ActorId {
        &self.actor
    }

    /// What the device may do, as it was last told.
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// How far the server's log was read.
    pub fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// Changes that the server has not acknowledged.
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// The documents that are here, with the revision that rises with every change of each.
    pub fn documents(&self) -> Vec<(DocumentKey, u64)> {
        let mut documents: Vec<_> = self
            .records
            .values()
            .filter_map(|record| Some((DocumentKey::from_bytes(&record.key).ok()?, record.revision)))
            .collect();
        documents.sort();
        documents
    }

    /// The revision of a document that is here.
    pub fn revision(&self, key: &DocumentKey) -> Option<u64> {
        self.records.get(&key.id(self.cooperative)).map(|record| record.revision)
    }

    /// Makes one edit and keeps it durably before it returns. A document that is not here yet is
    /// begun; whoever else begins it begins the same one.
    pub fn edit<R>(
        &mut self,
        key: &DocumentKey,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>,
    ) -> Result<Edited<R>, Error> {
        self.edit_saying(None, key, now, edit)
    }

    /// As [`Self::edit`], with a message in the change.
    pub fn edit_saying<R>(
        &mut self,
        message: Option<&str>,
        key: &DocumentKey,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>,
    ) -> Result<Edited<R>, Error> {
        if !self.grants.may_write(key) {
            return Err(Error::NotAllowed);
        }
        let id = key.id(self.cooperative);
        let mut first = None;
        if !self.records.contains_key(&id) {
            first = Some(Document::first_change(key)?);
            self.begin(key, Document::new(key.clone())?);
        } else {
            self.ensure_loaded(key)?;
        }
        let actor = self.actor.clone();
        let result = match self.loaded.get_mut(&id) {
            Some(loaded) => loaded.document.edit_saying(message, &actor, now, edit),
            None => Err(DocumentFault::Damaged("document")),
        };
        let (value, change) = match result {
            Ok(done) => done,
            Err(fault) => {
                if first.is_some() {
                    self.loaded.remove(&id);
                }
                return Err(fault.into());
            }
        };
        let before = self.revision(key);
        let touched = change.as_ref().map(|change| touched(change.record())).unwrap_or_default();
        let changes: Vec<VerifiedChange> = first.into_iter().chain(change).collect();
        let mut batch = Batch::default();
        let added = self.append(&mut batch, id, &changes);
        let is_left_out = crate::planted!("edit_not_in_outbox") && changes.len() == 1 && now.0 % 16 == 0;
        let queued = if is_left_out { 0 } else { self.enqueue(&mut batch, key, &changes) };
        if let Err(fault) = self.commit(&batch) {
            // What could not be kept must not be seen either: it is read from the store again.
            self.loaded.remove(&id);
            return Err(fault.into());
        }
        self.keep_record(id, added);
        self.outbox_next = self.outbox_next.saturating_add(queued);
        self.pending = self.pending.saturating_add(queued);
        Ok(Edited { value, before, touched })
    }

    fn begin(&mut self, key: &DocumentKey, document: Document) {
        let record =
            DocumentRecord { key: key.to_bytes(), saved_through: 0, next: 0, revision: 0, holes: 0, saved_lost: false };
        self.uses = self.uses.saturating_add(1);
        self.loaded.insert(key.id(self.cooperative), Loaded { document, record, used: self.uses, is_kept: false });
    }

    /// Adds the writes that keep these changes in their document; gives the record they lead to.
    fn append(&mut self, batch: &mut Batch, id: DocumentId, changes: &[VerifiedChange]) -> Option<DocumentRecord> {
        let loaded = self.loaded.get_mut(&id)?;
        loaded.is_kept = false;
        let mut record = loaded.record.clone();
        for change in changes {
            batch.put(change_key(id, record.next), change.chunk());
            record.next = record.next.saturating_add(1);
            record.revision = record.revision.saturating_add(1);
        }
        load::save_if_due(batch, id, &mut loaded.document, &mut record);
        batch.put(document_key(b'd', id), write_message(&record));
        Some(record)
    }

    /// Goes on from a record that is durable now.
    fn keep_record(&mut self, id: DocumentId, record: Option<DocumentRecord>) {
        if let (Some(_), Some(loaded)) = (&record, self.loaded.get_mut(&id)) {
            loaded.is_kept = true;
        }
        self.note_record(id, record);
    }

    /// Goes on from a record, durable or not.
    fn note_record(&mut self, id: DocumentId, record: Option<DocumentRecord>) {
        let Some(record) = record else { return };
        if let Some(loaded) = self.loaded.get_mut(&id) {
            loaded.record = record.clone();
        }
        self.records.insert(id, record);
    }

    /// Applies a batch and makes it durable.
    fn commit(&self, batch: &Batch) -> Result<(), StoreFault> {
        self.store.apply(batch)?;
        self.store.flush()
    }
}
