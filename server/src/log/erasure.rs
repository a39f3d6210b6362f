//! Erasing a document for good. Every change of it goes out of its entries; the entries stay without them, so numbers, running
//! checksums and receipt chains are whole. One event at the log's end says so to phones, which then forget the document, and
//! to whoever makes rows anew. Nothing is taken of the document again.
//!
//! ```text
//! begin ──▶ nothing more is taken ──every job before is durable──▶ entries emptied, event, in one batch ──▶ finish
//! ```

use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::{Store, StoreFault};

use super::Cooperative;
use super::entry::{Emptied, empty_entry};
use super::keys::{
    DocumentMeta, DocumentNumber, Entry, GLOBAL, LogEvent, entry_key, key, meta_key, quarantine_key, rest_u64,
    saved_key, unadmitted_key,
};
use super::room::Pays;
use super::rows::{each_row, parse};
use super::set_aside::SetAside;
use super::writer::GroupCommit;

/// The row that says that free places of the store may still hold what was erased.
pub(crate) fn to_scrub() -> Vec<u8> {
    key(GLOBAL, b'Z', &[])
}

impl Cooperative {
    /// Takes nothing more of a document, which gets a number if it has none; for jobs of the writer. None for one that was
    /// erased before.
    pub(crate) fn begin_erasure(&self, group: &mut GroupCommit<'_>, key: &DocumentKey) -> Option<DocumentNumber> {
        let number = self.number_for(group, key);
        let mut state = self.state();
        let is_erased = state.documents.get(number).is_some_and(|(_, meta)| meta.is_erased);
        state.documents.begin_erasure(number);
        (!is_erased).then_some(number)
    }

    /// All entries of these documents. It reads every entry: an entry may be admitted, wait, or be set aside.
    pub(crate) fn entries_of(&self, store: &dyn Store, documents: &[DocumentNumber]) -> Result<Vec<u64>, StoreFault> {
        let mut entries = Vec::new();
        each_row(store, &key(self.number(), b'e', &[]), |row| {
            let entry: Entry = parse(&row.key, row.value.as_deref())?;
            if documents.contains(&entry.document) {
                entries.extend(rest_u64(&row.key));
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Erases documents that take nothing more, with these entries; for jobs of the writer. Gives their new metas.
    pub(crate) fn erase(
        &self,
        group: &mut GroupCommit<'_>,
        documents: &[DocumentNumber],
        entries: &[u64],
        now_millis: i64,
    ) -> Result<Vec<(DocumentNumber, DocumentMeta)>, StoreFault> {
        let own = self.number();
        for entry in entries {
            let row = entry_key(own, *entry);
            let record: Entry = parse(&row, group.get(&row)?.as_deref())?;
            if let Some(Emptied { entry: was, document, was_indexed }) = empty_entry(group, own, *entry)? {
                let aside_row = quarantine_key(own, was.device, *entry);
                let aside =
                    group.get(&aside_row)?.map(|bytes| parse::<SetAside>(&aside_row, Some(&bytes))).transpose()?;
                // What was given back unverified counts to nobody.
                if aside.is_none_or(|aside| !aside.is_given_back) {
                    let pays = if was_indexed { Pays::Author } else { Pays::Sender };
                    self.count_as_gone(group, was.device, &document, was.bundle.len(), pays);
                }
            }
            group.remove(unadmitted_key(own, *entry));
            group.remove_visible(quarantine_key(own, record.device, *entry));
            self.state().queue.remove(*entry, record.document, record.device);
        }
        let mut metas = Vec::with_capacity(documents.len());
        for number in documents {
            if self.last_position(*number) == 0 {
                self.begin_entries(group, *number, now_millis)?;
            }
            let mut state = self.state();
            let meta = state.documents.get(*number).map(|(_, meta)| meta.clone());
            let meta = meta.ok_or_else(|| StoreFault::Damaged(meta_key(own, *number)))?;
            let event = LogEvent::Erased { document: *number, previous: meta.last };
            let last = state.heads.append_event(own, group, event);
            let since_saved = meta.since_saved.saturating_add(1);
            let heads = Vec::new();
            let meta = DocumentMeta { last, heads, saved_through: 0, since_saved, is_erased: true, bytes: 0, ..meta };
            group.remove(saved_key(own, *number));
            group.put(meta_key(own, *number), write_message(&meta));
            metas.push((*number, meta));
        }
        group.put(to_scrub(), Vec::new());
        Ok(metas)
    }

    /// An entry without changes for a document that may have none here: whoever makes rows anew learns its key from it.
    fn begin_entries(
        &self,
        group: &mut GroupCommit<'_>,
        number: DocumentNumber,
        now_millis: i64,
    ) -> Result<(), StoreFault> {
        let key = self.document_key(number).ok_or_else(|| StoreFault::Damaged(meta_key(self.number(), number)))?;
        let documents = [DocumentChanges { key, changes: Vec::new() }];
        let bundle = write_bundle(&documents);
        self.append_kept(group, Self::server_device(self.id()), &documents, bundle, now_millis);
        Ok(())
    }

    /// Shows the new metas of erased documents, once they are durable.
    pub(crate) fn finish_erasure(&self, metas: Vec<(DocumentNumber, DocumentMeta)>) {
        let mut state = self.state();
        metas.into_iter().for_each(|(number, meta)| state.documents.set_meta(number, meta));
    }
}
