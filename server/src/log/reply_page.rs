//! A page of a reply: changes of log entries, bundled again, until the page is full.

use std::collections::BTreeMap;

use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::limits;
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::{Store, StoreFault};

use super::keys::{CooperativeNumber, Entry, entry_key};
use super::rows::parse;

/// What a document without changes takes of a page, with its code.
const ERASED_BYTES: usize = 32;

/// Collects changes up to a number of bundle bytes.
pub(super) struct Page<'a> {
    pub(super) store: &'a dyn Store,
    cooperative: CooperativeNumber,
    bytes_left: usize,
    changes_left: usize,
    operations_left: usize,
    chunk_bytes_left: usize,
    documents: BTreeMap<DocumentKey, DocumentChanges>,
    is_empty: bool,
}

impl<'a> Page<'a> {
    pub(super) fn new(store: &'a dyn Store, cooperative: CooperativeNumber, bytes: usize) -> Self {
        Self {
            store,
            cooperative,
            bytes_left: bytes,
            changes_left: limits::BUNDLE_CHANGES_MAX,
            operations_left: limits::BUNDLE_OPERATIONS_MAX,
            chunk_bytes_left: limits::BUNDLE_CHUNK_BYTES_MAX,
            documents: BTreeMap::new(),
            is_empty: true,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes_left == 0
    }

    /// Adds an entry; false when the page is full without it. The first entry always fits.
    pub(super) fn add(&mut self, entry: u64) -> Result<bool, StoreFault> {
        let key = entry_key(self.cooperative, entry);
        let record: Entry = parse(&key, self.store.get(&key)?.as_deref())?;
        let documents = record.documents().map_err(|_| StoreFault::Damaged(key))?;
        let changes = || documents.iter().flat_map(|document| &document.changes);
        let operations: usize = changes().map(|change| change.record().operations.len()).sum();
        let chunk_bytes: usize = changes().map(|change| change.chunk().len()).sum();
        // A change that is bundled with similar ones takes far less than alone.
        let bytes = record.bundle.len().min(chunk_bytes / 4);
        let fits = bytes <= self.bytes_left
            && changes().count() <= self.changes_left
            && operations <= self.operations_left
            && chunk_bytes <= self.chunk_bytes_left;
        if !fits && !self.is_empty {
            self.bytes_left = 0;
            return Ok(false);
        }
        self.is_empty = false;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.changes_left = self.changes_left.saturating_sub(changes().count());
        self.operations_left = self.operations_left.saturating_sub(operations);
        self.chunk_bytes_left = self.chunk_bytes_left.saturating_sub(chunk_bytes);
        // Of an entry whose changes were taken out there is nothing to say.
        for document in documents.into_iter().filter(|document| !document.changes.is_empty()) {
            let DocumentChanges { key, changes } = document;
            let all = self.documents.entry(key.clone()).or_insert_with(|| DocumentChanges { key, changes: Vec::new() });
            all.changes.extend(changes);
        }
        Ok(true)
    }

    /// Says that a document was erased, by naming it without changes; false when the page is full without it.
    pub(super) fn say_erased(&mut self, key: &DocumentKey) -> bool {
        if self.is_full() {
            return false;
        }
        self.is_empty = false;
        self.bytes_left = self.bytes_left.saturating_sub(ERASED_BYTES);
        self.documents.insert(key.clone(), DocumentChanges { key: key.clone(), changes: Vec::new() });
        true
    }

    /// The documents of the page, in the order of its bundle.
    pub(super) fn documents(&self) -> impl Iterator<Item = &DocumentChanges> {
        self.documents.values()
    }

    pub(super) fn into_bundle(self) -> Vec<u8> {
        let documents: Vec<DocumentChanges> = self.documents.into_values().collect();
        if documents.is_empty() { Vec::new() } else { write_bundle(&documents) }
    }
}
