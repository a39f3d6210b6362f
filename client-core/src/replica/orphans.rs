//! Applies incoming changes that are new and causally ready. A change whose dependencies are missing is an orphan, and is
//! kept until they arrive.

use std::collections::BTreeSet;

use super::rows::{ORPHAN, document_key, orphan_key};
use super::transaction::Transaction;
use crate::crdt::DocumentFault;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::{ChangeHash, DocumentId};
use crate::planted;
use crate::protocol::aside::AsideReason;
use crate::protocol::attestation::tips;
use crate::protocol::bundle::DocumentChanges;
use crate::schema::Document;
use crate::store::Row;

impl Transaction<'_> {
    /// Applies the changes of one document, with its orphans. Returns whether the document changed, or the fault for which
    /// its changes were quarantined.
    pub(super) fn take(&mut self, incoming: DocumentChanges) -> Result<Result<bool, DocumentFault>, Error> {
        let DocumentChanges { key, changes: mut candidates } = incoming;
        let id = self.id_of(&key);
        let (orphans, came) = (self.orphans(id)?, tips(&candidates));
        let device = self.replica.device;
        let own_orphans: BTreeSet<ChangeHash> =
            orphans.iter().filter(|change| device.owns(&change.record().actor)).map(VerifiedChange::hash).collect();
        candidates.extend(orphans);
        let first = Document::first_change(&key)?;
        let mut empty = Document::empty(key.clone());
        let (document, was_damaged) = match self.record(id).map(|record| record.is_damaged()) {
            Some(was_damaged) => (self.document(&key)?, was_damaged),
            None => {
                // The first change is the same everywhere, so its dependents are no orphans without it.
                if candidates.iter().any(|change| change.record().dependencies.contains(&first.hash())) {
                    candidates.push(first);
                }
                (Some(&mut empty), false)
            }
        };
        let document = document.ok_or(DocumentFault::Damaged("document"))?;
        let (ready, orphans) = split_by_dependencies(document, candidates);
        let tried = if ready.is_empty() { None } else { Some(document.trial(&ready)) };
        for change in orphans.iter().filter(|_| !planted!("orphans_are_forgotten")) {
            self.put(orphan_key(id, change.hash()), change.chunk().to_vec());
        }
        for change in &ready {
            self.remove(orphan_key(id, change.hash()));
        }
        match tried {
            None => Ok(Ok(false)),
            Some(Ok(mut document)) => {
                let heads = document.heads();
                self.set_document(&key, document);
                self.append(&key, &ready);
                for change in &ready {
                    self.end_quarantine(&key, change)?;
                }
                if was_damaged {
                    // Rows that were left out may be causally ready now, so the document is loaded again.
                    self.release(id);
                    self.backfill_what_was_cut_off(&key, &heads)?;
                } else if ready.iter().any(|change| own_orphans.contains(&change.hash()))
                    && !planted!("own_orphans_are_not_given_back")
                {
                    // The server may have lost them while they were in no document here.
                    self.backfill_what_was_cut_off(&key, &came)?;
                }
                Ok(Ok(true))
            }
            Some(Err(fault)) => {
                for change in &ready {
                    self.quarantine(&key, change, AsideReason::from(&fault), false)?;
                }
                Ok(Err(fault))
            }
        }
    }

    /// The orphans of a document. One that can't be read is reported and stays in its row.
    fn orphans(&self, id: DocumentId) -> Result<Vec<VerifiedChange>, Error> {
        let read = |row: Row| {
            let change = row.value.and_then(|chunk| VerifiedChange::from_chunk(&chunk).ok());
            if change.is_none() {
                tracing::error!(document = %id, "an orphan can't be read; it stays in its row");
            }
            change
        };
        Ok(self.scan(&document_key(ORPHAN, id))?.into_iter().filter_map(read).collect())
    }
}

/// Splits the changes that `document` lacks into those that are causally ready, each after its dependencies, and orphans.
pub(super) fn split_by_dependencies(
    document: &mut Document,
    candidates: Vec<VerifiedChange>,
) -> (Vec<VerifiedChange>, Vec<VerifiedChange>) {
    let mut here: BTreeSet<ChangeHash> = BTreeSet::new();
    let mut ready = Vec::new();
    let mut open: Vec<VerifiedChange> = candidates.into_iter().filter(|change| !document.has(change.hash())).collect();
    loop {
        let before = open.len();
        let mut orphans = Vec::new();
        for change in open {
            if here.contains(&change.hash()) {
                continue;
            }
            if change.record().dependencies.iter().all(|hash| here.contains(hash) || document.has(*hash)) {
                here.insert(change.hash());
                ready.push(change);
            } else {
                orphans.push(change);
            }
        }
        open = orphans;
        if open.is_empty() || open.len() == before {
            return (ready, open);
        }
    }
}
