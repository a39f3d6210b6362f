//! Bringing documents into memory, saving them whole now and then, and finding at the start what a
//! damaged store has lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::comparison::NOBODYS;
use super::names::number_in_document;
use super::outbox::Waiting;
use super::take::split_by_dependencies;
use super::{
    CHANGES_BEFORE_SAVE, Damage, DocumentRecord, LOADED_MAX, Loaded, Replica, change_key, document_key, document_of,
    put_meta, read_meta,
};
use crate::documents::{Document, DocumentFault, DocumentKey};
use crate::error::Error;
use crate::ids::{CooperativeId, DocumentId};
use crate::protocol::bundle::DocumentChanges;
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::{read_message, write_message};
use crate::store::{Batch, Store};

pub(super) fn read_records(
    store: &dyn Store,
    cooperative: CooperativeId,
) -> Result<(HashMap<DocumentId, DocumentRecord>, Vec<Damage>), Error> {
    let mut records = HashMap::new();
    let mut damage = Vec::new();
    for row in store.scan_all(b"d")? {
        let record = row.value.as_deref().and_then(|value| read_message::<DocumentRecord>(value).ok());
        let key = record.as_ref().and_then(|record| DocumentKey::from_bytes(&record.key).ok());
        match (record, key, document_of(&row.key)) {
            (Some(record), Some(key), Some(id)) if key.id(cooperative) == id => drop(records.insert(id, record)),
            (_, _, id) => damage.push(Damage {
                document: id.map(|id| id.automerge_url()),
                sentence: "A document's entry is damaged; the document will be fetched again.".into(),
            }),
        }
    }
    Ok((records, damage))
}

/// Saves the document whole when many changes lie beside its saved form. The saved form is loaded
/// back and its heads compared before the changes are dropped; when they differ, nothing is dropped.
pub(super) fn save_if_due(batch: &mut Batch, id: DocumentId, document: &mut Document, record: &mut DocumentRecord) {
    if record.next.saturating_sub(record.saved_through) < CHANGES_BEFORE_SAVE {
        return;
    }
    let saved = document.save();
    let same = Document::load(document.key().clone(), &saved).is_ok_and(|mut back| back.heads() == document.heads());
    if !same {
        tracing::error!(document = %id, "the saved form of a document differs; its changes are kept");
        return;
    }
    batch.put(document_key(b's', id), saved);
    for index in record.saved_through..record.next {
        batch.remove(change_key(id, index));
    }
    record.saved_through = record.next;
    record.holes = 0;
    record.saved_lost = false;
}

impl Replica {
    /// The document, loaded; none when it is not here.
    pub fn document(&mut self, key: &DocumentKey) -> Result<Option<&mut Document>, Error> {
        let id = key.id(self.cooperative);
        if !self.records.contains_key(&id) {
            return Ok(None);
        }
        self.ensure_loaded(key)?;
        Ok(self.loaded.get_mut(&id).map(|loaded| &mut loaded.document))
    }

    pub(super) fn ensure_loaded(&mut self, key: &DocumentKey) -> Result<(), Error> {
        let id = key.id(self.cooperative);
        self.uses = self.uses.saturating_add(1);
        let used = self.uses;
        if let Some(loaded) = self.loaded.get_mut(&id) {
            loaded.used = used;
            return Ok(());
        }
        let Some(record) = self.records.get(&id).cloned() else { return Ok(()) };
        let document = self.read_document(key, id)?;
        while self.loaded.len() >= LOADED_MAX {
            // What is not kept yet would be read from the store without its last changes.
            let kept = self.loaded.iter().filter(|(_, loaded)| loaded.is_kept);
            let oldest = kept.min_by_key(|(_, loaded)| loaded.used).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            self.loaded.remove(&oldest);
        }
        self.loaded.insert(id, Loaded { document, record, used, is_kept: true });
        Ok(())
    }

    /// Reads a document from the store: its saved form, then the changes after it. Changes whose
    /// dependencies were lost are left out; they were put among those that wait.
    fn read_document(&self, key: &DocumentKey, id: DocumentId) -> Result<Document, Error> {
        let mut document = self.read_saved(key, id)?;
        let mut changes = Vec::new();
        for row in self.store.scan_all(&document_key(b'c', id))? {
            if let Some(chunk) = row.value {
                changes.push(VerifiedChange::from_chunk(&chunk).map_err(crate::documents::DocumentFault::from)?);
            }
        }
        // In a damaged document a change may lie before what it builds on, or without it.
        let (whole, _cut_off) = split_by_dependencies(&mut document, changes);
        match document.apply(&whole) {
            Err(DocumentFault::NumberUsed) => self.read_without_rivals(key, id, whole),
            applied => applied.map(|()| document).map_err(Error::from),
        }
    }

    /// Reads a document in which a change has come under a number that another one has, which was cut off in a
    /// damage. The first of them stays; the comparison finds out which is the one that others have.
    fn read_without_rivals(
        &self,
        key: &DocumentKey,
        id: DocumentId,
        changes: Vec<VerifiedChange>,
    ) -> Result<Document, Error> {
        let mut document = self.read_saved(key, id)?;
        let mut numbers: BTreeSet<_> = document.changes_since(&[])?.iter().map(number_in_document).collect();
        let alone = changes.into_iter().filter(|change| numbers.insert(number_in_document(change))).collect();
        let (rooted, _) = split_by_dependencies(&mut document, alone);
        document.apply(&rooted)?;
        Ok(document)
    }

    fn read_saved(&self, key: &DocumentKey, id: DocumentId) -> Result<Document, Error> {
        match self.store.get(&document_key(b's', id))? {
            Some(saved) if !saved.is_empty() => Ok(Document::load(key.clone(), &saved)?),
            _ => Ok(Document::empty(key.clone())),
        }
    }

    /// Finds documents with holes in their row of changes, or none of their saved form, and marks
    /// them to be fetched again. What is there of them stays.
    pub(super) fn check_chains(&mut self) -> Result<Vec<Damage>, Error> {
        let mut rows: HashMap<DocumentId, u32> = HashMap::new();
        let mut batch = Batch::default();
        for row in self.store.scan_all(b"c")? {
            let Some(id) = document_of(&row.key) else { continue };
            if !self.records.contains_key(&id) {
                // Its document's entry was lost. Where it begins anew, these would be taken for its own.
                batch.remove(row.key);
            } else if row.value.is_some() {
                let count = rows.entry(id).or_default();
                *count = count.saturating_add(1);
            }
        }
        let mut damaged: Vec<(DocumentId, DocumentKey)> = Vec::new();
        for (id, record) in &mut self.records {
            let span = record.next.saturating_sub(record.saved_through);
            let holes = span.saturating_sub(rows.get(id).copied().unwrap_or(0));
            let saved_lost =
                record.saved_through > 0 && !matches!(self.store.get(&document_key(b's', *id)), Ok(Some(_)));
            if (holes, saved_lost) == (record.holes, record.saved_lost) {
                continue;
            }
            (record.holes, record.saved_lost) = (holes, saved_lost);
            batch.put(document_key(b'd', *id), write_message(record));
            if let Ok(key) = DocumentKey::from_bytes(&record.key) {
                damaged.push((*id, key));
            }
        }
        if damaged.is_empty() {
            if !batch.is_empty() {
                self.commit(&batch)?;
            }
            return Ok(Vec::new());
        }
        let mut wanted = self.wanted()?;
        for (_, key) in &damaged {
            wanted.entry(key.to_bytes()).or_insert(0);
        }
        put_meta(&mut batch, "wanted", &wanted_list(wanted));
        self.commit(&batch)?;
        Ok(damaged
            .into_iter()
            .map(|(id, _)| Damage {
                document: Some(id.automerge_url()),
                sentence: "Part of a document was damaged on this phone; the server will give it back.".into(),
            })
            .collect())
    }

    /// Called when the store has lost records, and nobody can say which. What waits to be sent is put back
    /// into its documents. At the next sync this phone and the server compare the heads of all documents, and
    /// each gives the other what it lacks. From now on this phone edits under another actor, since it can't
    /// know which numbers it has used.
    pub fn mend(&mut self) -> Result<(), Error> {
        let mut batch = Batch::default();
        let mut unsent: BTreeMap<DocumentKey, Vec<VerifiedChange>> = BTreeMap::new();
        for row in self.store.scan_all(b"o")? {
            if let Some((key, change)) = row.value.as_deref().and_then(Waiting::read) {
                unsent.entry(key).or_default().push(change);
            }
        }
        let mut records = Vec::new();
        for (key, changes) in unsent {
            let id = key.id(self.cooperative);
            // What can't be applied stays in the outbox, and the server says what it thinks of it.
            if let Ok(record) = self.take(&mut batch, DocumentChanges { key, changes })? {
                records.push((id, record));
            }
        }
        put_meta(&mut batch, "cursor", &NOBODYS);
        let generation = self.actor.as_bytes().last().copied().unwrap_or(0).wrapping_add(1).max(1);
        put_meta(&mut batch, "generation", &generation);
        self.commit(&batch)?;
        for (id, record) in records {
            self.keep_record(id, record);
        }
        self.cursor = NOBODYS;
        self.actor = self.device.actor(generation);
        Ok(())
    }

    /// Drops the loaded form, so that the next use reads it from the store.
    pub(super) fn unload(&mut self, id: DocumentId) {
        self.loaded.remove(&id);
    }

    /// Documents that this phone wants whole, with how far each came. What is put by is wanted also when a damage
    /// took the list.
    pub(super) fn wanted(&self) -> Result<BTreeMap<Vec<u8>, u64>, Error> {
        let list: Option<Vec<(serde_bytes::ByteBuf, u64)>> = read_meta(self.store.as_ref(), "wanted")?;
        let mut wanted: BTreeMap<Vec<u8>, u64> =
            list.unwrap_or_default().into_iter().map(|(key, through)| (key.into_vec(), through)).collect();
        for key in self.store.scan_all(b"y")?.into_iter().filter_map(|row| row.value) {
            wanted.entry(key).or_insert(0);
        }
        Ok(wanted)
    }
}

/// The form in which [`Replica::wanted`] is kept.
pub(super) fn wanted_list(wanted: BTreeMap<Vec<u8>, u64>) -> Vec<(serde_bytes::ByteBuf, u64)> {
    wanted.into_iter().map(|(key, through)| (serde_bytes::ByteBuf::from(key), through)).collect()
}
