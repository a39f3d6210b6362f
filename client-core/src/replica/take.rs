//! Changes go into their document: those that are new and whose ground is here. The others wait.

use std::collections::BTreeSet;

use super::{DocumentRecord, Replica, document_key, waiting_key};
use crate::documents::{Document, DocumentFault};
use crate::error::Error;
use crate::ids::ChangeHash;
use crate::protocol::bundle::DocumentChanges;
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::write_message;
use crate::store::Batch;

impl Replica {
    /// Applies the changes of one document that are new, and keeps those that must wait. Gives the
    /// record that they lead to, or why they were not taken.
    pub(super) fn take(
        &mut self,
        batch: &mut Batch,
        incoming: DocumentChanges,
    ) -> Result<Result<Option<DocumentRecord>, DocumentFault>, Error> {
        let key = incoming.key;
        let id = key.id(self.cooperative);
        let is_here = self.records.contains_key(&id);
        if is_here {
            self.ensure_loaded(&key)?;
        } else {
            self.begin(&key, Document::empty(key.clone()));
        }
        let mut candidates = incoming.changes;
        for row in self.store.scan_all(&document_key(b'w', id))? {
            if let Some(change) = row.value.and_then(|chunk| VerifiedChange::from_chunk(&chunk).ok()) {
                candidates.push(change);
            }
        }
        if !is_here {
            // The beginning of a document is the same for everyone: what builds on it need not wait until it comes.
            let first = Document::first_change(&key)?;
            if candidates.iter().any(|change| change.record().dependencies.contains(&first.hash())) {
                candidates.push(first);
            }
        }
        let Some(loaded) = self.loaded.get_mut(&id) else { return Ok(Ok(None)) };
        let (fresh, waiting) = split_by_dependencies(&mut loaded.document, candidates);
        for change in &waiting {
            batch.put(waiting_key(id, change.hash()), change.chunk());
        }
        if fresh.is_empty() {
            if !self.records.contains_key(&id) {
                self.unload(id);
            }
            return Ok(Ok(None));
        }
        for change in &fresh {
            batch.remove(waiting_key(id, change.hash()));
        }
        match loaded.document.trial(&fresh) {
            Ok(document) => loaded.document = document,
            Err(DocumentFault::NumberUsed) => {
                self.unload(id);
                return Ok(Err(DocumentFault::NumberUsed));
            }
            Err(fault) => {
                let reason = fault.to_string();
                for change in &fresh {
                    let aside = (reason.clone(), serde_bytes::ByteBuf::from(change.chunk().to_vec()));
                    let name = [b"xd", id.as_bytes().as_slice(), change.hash().as_bytes()].concat();
                    batch.put(name, write_message(&aside));
                }
                self.unload(id);
                return Ok(Err(fault));
            }
        }
        let was_damaged = loaded.record.holes > 0 || loaded.record.saved_lost;
        let record = self.append(batch, id, &fresh);
        if was_damaged {
            // Rows that were cut off may have their ground again; the store tells.
            self.unload(id);
        }
        Ok(Ok(record))
    }
}

/// The changes that are new and whose ground is here, each after what it builds on; and the rest of
/// the new ones.
pub(super) fn split_by_dependencies(
    document: &mut Document,
    candidates: Vec<VerifiedChange>,
) -> (Vec<VerifiedChange>, Vec<VerifiedChange>) {
    let mut here: BTreeSet<ChangeHash> = BTreeSet::new();
    let mut fresh = Vec::new();
    let mut waiting: Vec<VerifiedChange> =
        candidates.into_iter().filter(|change| !document.has(change.hash())).collect();
    loop {
        let before = waiting.len();
        let mut unrooted = Vec::new();
        for change in waiting {
            if here.contains(&change.hash()) {
                continue;
            }
            if change.record().dependencies.iter().all(|hash| here.contains(hash) || document.has(*hash)) {
                here.insert(change.hash());
                fresh.push(change);
            } else {
                unrooted.push(change);
            }
        }
        waiting = unrooted;
        if waiting.is_empty() || waiting.len() == before {
            return (fresh, waiting);
        }
    }
}
