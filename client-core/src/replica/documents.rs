//! Documents in memory: loaded from their rows on demand, evicted when least recently used, compacted from time to time.

use std::collections::HashMap;

use super::orphans::split_by_dependencies;
use super::recovery::Damage;
use super::rows::{CHANGE, DocumentRecord, RECORD, SAVED, change_key, document_key, document_of};
use super::transaction::Transaction;
use crate::crdt::DocumentFault;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::{CooperativeId, DocumentId};
use crate::protocol::messages::read_message;
use crate::schema::{Document, DocumentKey};
use crate::store::{Store, StoreFault};

/// Documents that stay loaded at most.
const LOADED_MAX: usize = 64;
/// Changes after a saved form before the document is compacted.
const CHANGES_BEFORE_SAVE: u32 = 256;

struct Loaded {
    document: Document,
    used: u64,
}

/// The records of all documents, and some documents loaded. Holds durable state only: a transaction works on copies.
#[derive(Default)]
pub(super) struct Documents {
    records: HashMap<DocumentId, DocumentRecord>,
    loaded: HashMap<DocumentId, Loaded>,
    uses: u64,
}

impl Documents {
    /// Reads the records of all documents. One that can't be read is reported; its document is fetched again.
    pub(super) fn read(store: &dyn Store, cooperative: CooperativeId) -> Result<(Self, Vec<Damage>), StoreFault> {
        let mut documents = Self::default();
        let mut damage = Vec::new();
        for row in store.scan_all(&[RECORD])? {
            let record = row.value.as_deref().and_then(|value| read_message::<DocumentRecord>(value).ok());
            let key = record.as_ref().and_then(|record| DocumentKey::from_bytes(&record.key).ok());
            match (record, key, document_of(&row.key)) {
                (Some(record), Some(key), Some(id)) if key.id(cooperative) == id => {
                    documents.records.insert(id, record);
                }
                (_, _, id) => damage.push(Damage::of_document(
                    id,
                    "A document's entry is damaged; the document will be fetched again.",
                    "一份文件的条目坏了；会再取回这份文件。",
                )),
            }
        }
        Ok((documents, damage))
    }

    pub(super) fn record(&self, id: DocumentId) -> Option<&DocumentRecord> {
        self.records.get(&id)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = (&DocumentId, &DocumentRecord)> {
        self.records.iter()
    }

    pub(super) fn set_record(&mut self, id: DocumentId, record: Option<DocumentRecord>) {
        match record {
            Some(record) => {
                self.records.insert(id, record);
            }
            None => {
                self.records.remove(&id);
                self.loaded.remove(&id);
            }
        }
    }

    /// Moves a loaded document out, for a transaction.
    pub(super) fn take(&mut self, id: DocumentId) -> Option<Document> {
        self.loaded.remove(&id).map(|loaded| loaded.document)
    }

    /// Keeps a loaded document, and evicts the least recently used beyond [`LOADED_MAX`].
    pub(super) fn keep(&mut self, id: DocumentId, document: Document) {
        while self.loaded.len() >= LOADED_MAX {
            let oldest = self.loaded.iter().min_by_key(|(_, loaded)| loaded.used).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            self.loaded.remove(&oldest);
        }
        self.uses = self.uses.saturating_add(1);
        self.loaded.insert(id, Loaded { document, used: self.uses });
    }

    /// The loaded document, which counts as used now.
    pub(super) fn loaded(&mut self, id: DocumentId) -> Option<&mut Document> {
        self.uses = self.uses.saturating_add(1);
        let loaded = self.loaded.get_mut(&id)?;
        loaded.used = self.uses;
        Some(&mut loaded.document)
    }
}

impl Transaction<'_> {
    /// Loads a document from its rows: its saved form, then the changes after it. In a damaged document, changes whose
    /// dependencies are lost are left out until those are fetched.
    pub(super) fn read_document(&self, key: &DocumentKey, id: DocumentId) -> Result<Document, Error> {
        let mut document = match self.get(&document_key(SAVED, id))? {
            Some(saved) if !saved.is_empty() => Document::load(key.clone(), &saved)?,
            _ => Document::empty(key.clone()),
        };
        let mut changes = Vec::new();
        for row in self.scan(&document_key(CHANGE, id))? {
            // A row that fails its checksum is a hole, which `recovery` has reported.
            if let Some(chunk) = row.value {
                changes.push(VerifiedChange::from_chunk(&chunk).map_err(DocumentFault::from)?);
            }
        }
        // The first change is the same everywhere, so it can be made again where its row is lost.
        let first = Document::first_change(key)?;
        if changes.iter().any(|change| change.record().dependencies.contains(&first.hash())) {
            changes.push(first);
        }
        let (ready, _cut_off) = split_by_dependencies(&mut document, changes);
        document.apply(&ready)?;
        Ok(document)
    }

    /// Compacts a document with many changes after its saved form: saves it whole and deletes their rows. The saved form is
    /// loaded back first; where its heads differ, the rows stay.
    pub(super) fn save_if_due(&mut self, id: DocumentId, record: &mut DocumentRecord) {
        if record.next.saturating_sub(record.saved_through) < CHANGES_BEFORE_SAVE {
            return;
        }
        let Some(document) = self.in_hand(id) else { return };
        let saved = document.save();
        let same =
            Document::load(document.key().clone(), &saved).is_ok_and(|mut back| back.heads() == document.heads());
        if !same {
            tracing::error!(document = %id, "the saved form of a document differs; its changes stay in their rows");
            return;
        }
        record.bytes = saved.len() as u64;
        self.put(document_key(SAVED, id), saved);
        for index in record.saved_through..record.next {
            self.remove(change_key(id, index));
        }
        record.saved_through = record.next;
        record.holes = 0;
        record.saved_lost = false;
    }
}
