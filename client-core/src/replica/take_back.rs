//! Takes back what another store of this phone holds, such as one that was set aside as damaged.

use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use super::outbox::read_unsent;
use super::rows::{OUTBOX, QUARANTINED};
use super::transaction::Transaction;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::ChangeHash;
use crate::protocol::bundle::DocumentChanges;
use crate::schema::DocumentKey;

/// What was taken back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Changes that were not here.
    pub changes: u64,
    /// Changes that wait to be sent again.
    pub unsent: u64,
}

impl Replica {
    /// Takes the documents and the outbox of `other`, a replica of the same device. What is here already stays as it is, so
    /// a repeat changes nothing. Own unsent changes go back into the outbox; the server knows those that it has. At the next
    /// sync both sides reconcile.
    pub fn take_back(&mut self, other: &mut Self) -> Result<TakenBack, Error> {
        let mut taken = TakenBack::default();
        let mut unsent: BTreeMap<DocumentKey, Vec<VerifiedChange>> = BTreeMap::new();
        for (_, key, change) in other.store.scan_all(&[OUTBOX])?.iter().filter_map(read_unsent) {
            let actor = &change.record().actor;
            if self.device.owns(actor) || actor.is_genesis() {
                unsent.entry(key).or_default().push(change);
            }
        }
        let mut keys: BTreeSet<DocumentKey> = other.documents().into_iter().map(|(key, _)| key).collect();
        keys.extend(unsent.keys().cloned());
        for key in keys {
            let changes = match other.document(&key) {
                Ok(Some(document)) => document.changes_since(&[])?,
                Ok(None) => Vec::new(),
                Err(Error::Document(fault)) => {
                    tracing::error!(?key, %fault, "a document that was set aside can't be read");
                    Vec::new()
                }
                Err(error) => return Err(error),
            };
            let own = unsent.remove(&key).unwrap_or_default();
            let one = self.take_back_document(&key, changes, &own)?;
            taken.changes = taken.changes.saturating_add(one.changes);
            taken.unsent = taken.unsent.saturating_add(one.unsent);
        }
        let mut transaction = Transaction::begin(self);
        for row in other.store.scan_all(&[QUARANTINED])? {
            if let (Some(value), None) = (row.value, transaction.get(&row.key)?) {
                transaction.put(row.key, value);
            }
        }
        transaction.reconcile_at_next_sync();
        transaction.commit()?;
        let device = self.device;
        self.state.count_quarantined(self.store.as_ref(), device)?;
        Ok(taken)
    }

    /// One document, in one transaction.
    fn take_back_document(
        &mut self,
        key: &DocumentKey,
        mut changes: Vec<VerifiedChange>,
        own: &[VerifiedChange],
    ) -> Result<TakenBack, Error> {
        let mut transaction = Transaction::begin(self);
        let waiting: BTreeSet<ChangeHash> =
            transaction.unsent_of(key)?.into_iter().map(|(_, change)| change.hash()).collect();
        let again: Vec<VerifiedChange> =
            own.iter().filter(|change| !waiting.contains(&change.hash())).cloned().collect();
        transaction.enqueue(key, &again);
        let mut taken = TakenBack { changes: 0, unsent: again.len() as u64 };
        if transaction.state.grants.may_read(key) {
            changes.extend_from_slice(own);
            let mut seen = BTreeSet::new();
            changes.retain(|change| seen.insert(change.hash()));
            if let Some(document) = transaction.document(key)? {
                changes.retain(|change| !document.has(change.hash()));
            }
            taken.changes = changes.len() as u64;
            if let Err(fault) = transaction.take(DocumentChanges { key: key.clone(), changes })? {
                tracing::error!(?key, %fault, "changes that were set aside can't be applied; they are quarantined");
            }
        }
        transaction.commit()?;
        Ok(taken)
    }
}
