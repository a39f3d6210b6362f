//! One atomic step of the replica: an overlay over its store, its records and its loaded documents. Reads within it see its
//! writes. [`Transaction::commit`] writes one batch and then installs the new state. A transaction that is dropped has no
//! effect: documents that it changed in memory are loaded from the store again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::rows::{DocumentRecord, Kept, NAME, RECORD, change_key, document_key, meta_key};
use super::{Replica, State};
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::DocumentId;
use crate::planted;
use crate::protocol::messages::{Cursor, write_message};
use crate::schema::{Document, DocumentKey};
use crate::store::{Batch, Row, StoreFault};

/// A document that the transaction has loaded.
struct Open {
    document: Document,
    is_changed: bool,
}

/// See the module.
pub(super) struct Transaction<'a> {
    pub(super) replica: &'a mut Replica,
    /// Counters, cursor and grants after this transaction.
    pub(super) state: State,
    writes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Changed records; none for documents that are forgotten.
    records: HashMap<DocumentId, Option<DocumentRecord>>,
    open: HashMap<DocumentId, Open>,
    /// Documents that were forgotten: not all that this replica has sent is here any more.
    pub(super) forgotten: BTreeSet<DocumentKey>,
    /// True once only the server's heads tell what it lacks: they are asked for with the next sync, whatever cursor was set.
    pub(super) must_reconcile: bool,
}

impl<'a> Transaction<'a> {
    pub(super) fn begin(replica: &'a mut Replica) -> Self {
        let state = replica.state.clone();
        Self {
            replica,
            state,
            writes: BTreeMap::new(),
            records: HashMap::new(),
            open: HashMap::new(),
            forgotten: BTreeSet::new(),
            must_reconcile: false,
        }
    }

    /// The value of a key after this transaction.
    pub(super) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.replica.store.get(key),
        }
    }

    /// All rows after this transaction whose keys begin with `prefix`, in order.
    pub(super) fn scan(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreFault> {
        let mut rows = self.replica.store.scan_all(prefix)?;
        let mut written =
            self.writes.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix)).peekable();
        if written.peek().is_none() {
            return Ok(rows);
        }
        rows.retain(|row| !self.writes.contains_key(&row.key));
        rows.extend(written.filter_map(|(key, value)| Some(Row { key: key.clone(), value: Some(value.clone()?) })));
        rows.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(rows)
    }

    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, Some(value));
    }

    pub(super) fn put_meta<M: Serialize>(&mut self, name: &str, value: &M) {
        self.put(meta_key(name), write_message(value));
    }

    pub(super) fn set_cursor(&mut self, cursor: Cursor) {
        self.put_meta("cursor", &cursor);
        self.state.cursor = cursor;
    }

    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.writes.insert(key, None);
    }

    pub(super) fn id_of(&self, key: &DocumentKey) -> DocumentId {
        key.id(self.replica.cooperative)
    }

    /// The record of a document; none when it is not here.
    pub(super) fn record(&self, id: DocumentId) -> Option<&DocumentRecord> {
        match self.records.get(&id) {
            Some(changed) => changed.as_ref(),
            None => self.replica.documents.record(id),
        }
    }

    /// The keys of all documents that are here, in order. Records with unreadable keys were reported at opening.
    pub(super) fn keys(&self) -> Vec<DocumentKey> {
        let unchanged = self.replica.documents.records().filter(|(id, _)| !self.records.contains_key(*id));
        let changed = self.records.iter().filter_map(|(id, record)| Some((id, record.as_ref()?)));
        let mut keys: Vec<DocumentKey> =
            unchanged.chain(changed).filter_map(|(_, record)| DocumentKey::from_bytes(&record.key).ok()).collect();
        keys.sort();
        keys
    }

    /// The document, loaded; none when it is not here.
    pub(super) fn document(&mut self, key: &DocumentKey) -> Result<Option<&mut Document>, Error> {
        let id = self.id_of(key);
        if self.record(id).is_none() {
            return Ok(None);
        }
        if !self.open.contains_key(&id) {
            let document = match self.replica.documents.take(id) {
                Some(document) => document,
                None => self.read_document(key, id)?,
            };
            // A document that was loaded from rows of this transaction differs from the store's.
            let is_changed = self.records.contains_key(&id) && !planted!("unwritten_document_is_kept");
            self.open.insert(id, Open { document, is_changed });
        }
        Ok(self.open.get_mut(&id).map(|open| &mut open.document))
    }

    /// Replaces the loaded state of a document, or begins it. The caller appends its changes.
    pub(super) fn set_document(&mut self, key: &DocumentKey, document: Document) {
        let id = self.id_of(key);
        if self.record(id).is_none() {
            self.set_record(id, DocumentRecord::new(key));
        }
        self.open.insert(id, Open { document, is_changed: true });
    }

    /// Marks a document that was changed in place. The caller appends its changes.
    pub(super) fn mark_changed(&mut self, id: DocumentId) {
        if let Some(open) = self.open.get_mut(&id) {
            open.is_changed = true;
        }
    }

    /// Unloads a document, so that its next use loads it from its rows.
    pub(super) fn release(&mut self, id: DocumentId) {
        self.open.remove(&id);
        self.replica.documents.take(id);
    }

    pub(super) fn set_record(&mut self, id: DocumentId, record: DocumentRecord) {
        if self.record(id).is_none_or(|before| before.attestations != record.attestations) {
            self.put(document_key(NAME, id), Kept::write(&record));
        }
        self.put(document_key(RECORD, id), write_message(&record));
        self.records.insert(id, Some(record));
    }

    /// Writes the rows of changes that the loaded document has already.
    pub(super) fn append(&mut self, key: &DocumentKey, changes: &[VerifiedChange]) {
        let id = self.id_of(key);
        let Some(mut record) = self.record(id).cloned() else { return };
        for change in changes {
            self.put(change_key(id, record.next), change.chunk().to_vec());
            record.next = record.next.saturating_add(1);
            record.revision = record.revision.saturating_add(1);
            record.bytes = record.bytes.saturating_add(change.chunk().len() as u64);
        }
        self.save_if_due(id, &mut record);
        self.set_record(id, record);
    }

    /// The document, when this transaction has loaded it.
    pub(super) fn in_hand(&mut self, id: DocumentId) -> Option<&mut Document> {
        self.open.get_mut(&id).map(|open| &mut open.document)
    }

    /// Deletes a document's record and unloads it. The caller deletes its rows.
    pub(super) fn drop_document(&mut self, id: DocumentId) {
        self.release(id);
        self.records.insert(id, None);
    }

    /// Writes one batch, makes it durable, and installs the new state. On failure the replica is as before.
    pub(super) fn commit(mut self) -> Result<(), StoreFault> {
        if self.must_reconcile {
            self.reconcile_at_next_sync();
        }
        let mut batch = Batch::default();
        for (key, value) in std::mem::take(&mut self.writes) {
            match value {
                Some(value) => batch.put(key, value),
                None => batch.remove(key),
            }
        }
        if !batch.is_empty() {
            self.replica.store.apply(&batch)?;
            self.replica.store.flush()?;
        }
        for (id, record) in std::mem::take(&mut self.records) {
            self.replica.documents.set_record(id, record);
        }
        for (id, open) in std::mem::take(&mut self.open) {
            self.replica.documents.keep(id, open.document);
        }
        self.replica.state = self.state.clone();
        Ok(())
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        // Documents that were only read stay loaded.
        let keeps_all = planted!("failed_edit_stays_in_memory");
        for (id, open) in self.open.drain().filter(|(_, open)| !open.is_changed || keeps_all) {
            self.replica.documents.keep(id, open.document);
        }
    }
}
