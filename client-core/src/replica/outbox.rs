//! The outbox: changes of this phone that the server has not acknowledged, in the order in which they
//! were made.

use std::collections::BTreeSet;

use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::names::may_author;
use super::page::OutboxPage;
use super::twin::apart_key;
use super::{Replica, waiting_key};
use crate::documents::{Document, DocumentKey};
use crate::error::Error;
use crate::protocol::bundle::DocumentChanges;
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::{RefusalReason, read_message, write_message};
use crate::store::{Batch, Row};

/// A change that waits to be sent.
#[derive(Serialize_tuple, Deserialize_tuple)]
pub(super) struct Waiting {
    #[serde(with = "serde_bytes")]
    pub(super) key: Vec<u8>,
    #[serde(with = "serde_bytes")]
    pub(super) chunk: Vec<u8>,
}

/// What a batch takes out of the outbox, and what it adds at its end.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) left: u64,
    pub(super) added: u64,
}

impl Waiting {
    /// The document and the change in a row of the outbox; none when the row can't be read.
    pub(super) fn read(row: &[u8]) -> Option<(DocumentKey, VerifiedChange)> {
        let Self { key, chunk } = read_message(row).ok()?;
        Some((DocumentKey::from_bytes(&key).ok()?, VerifiedChange::from_chunk(&chunk).ok()?))
    }
}

pub(super) fn outbox_key(number: u64) -> Vec<u8> {
    [b"o".as_slice(), &number.to_be_bytes()].concat()
}

pub(super) fn number_of(key: &[u8]) -> Option<u64> {
    key.get(1..)?.try_into().ok().map(u64::from_be_bytes)
}

impl Replica {
    pub(super) fn count_outbox(&mut self) -> Result<(), Error> {
        let rows = self.store.scan_all(b"o")?;
        let put_by = self.numbers_put_by()?;
        self.pending = (rows.len() as u64).saturating_add(put_by.len() as u64);
        // What is put by keeps its number, which must not be given once more.
        let numbers = rows.iter().filter_map(|row| number_of(&row.key)).chain(put_by);
        self.outbox_next = numbers.max().map_or(0, |number| number.saturating_add(1));
        Ok(())
    }

    /// The rows of the outbox that the batch under way leaves in it.
    pub(super) fn rows_left_by(&self, batch: &Batch) -> Result<Vec<Row>, Error> {
        let settled: BTreeSet<&[u8]> = batch.removed().collect();
        Ok(self.store.scan_all(b"o")?.into_iter().filter(|row| !settled.contains(row.key.as_slice())).collect())
    }

    /// The changes of a document that the batch under way leaves in the outbox, with their numbers.
    pub(super) fn unsent_of(&self, batch: &Batch, key: &DocumentKey) -> Result<Vec<(u64, VerifiedChange)>, Error> {
        let of_key = |row: Row| {
            let (of, change) = Waiting::read(&row.value?)?;
            (of == *key).then_some((number_of(&row.key)?, change))
        };
        Ok(self.rows_left_by(batch)?.into_iter().filter_map(of_key).collect())
    }

    /// Puts changes of a document back into the outbox, before those that wait there and may build on them.
    pub(super) fn put_back(
        &self,
        batch: &mut Batch,
        key: &DocumentKey,
        mut changes: Vec<VerifiedChange>,
        flow: &mut Flow,
    ) -> Result<(), Error> {
        let mut unsent = self.unsent_of(batch, key)?;
        changes.retain(|change| !unsent.iter().any(|(_, other)| other.hash() == change.hash()));
        let begins = |change: &VerifiedChange| change.record().start_operation;
        let Some(first) = changes.iter().map(begins).min() else { return Ok(()) };
        unsent.retain(|(_, change)| begins(change) > first);
        for (number, change) in unsent {
            batch.remove(outbox_key(number));
            flow.left = flow.left.saturating_add(1);
            changes.push(change);
        }
        changes.sort_by_key(begins);
        self.enqueue_after(batch, key, &changes, flow);
        Ok(())
    }

    /// Adds what the server has now taken of documents that were forgotten meanwhile: it gives nobody back what they
    /// said themselves.
    pub(super) fn add_what_was_forgotten(
        &self,
        documents: &mut Vec<DocumentChanges>,
        page: &OutboxPage,
        refused: &[(usize, RefusalReason)],
    ) -> Result<(), Error> {
        for (index, (key, numbers)) in page.documents.iter().enumerate() {
            let is_refused = refused.iter().any(|(document, _)| *document == index);
            if is_refused || self.records.contains_key(&key.id(self.cooperative)) {
                continue;
            }
            let mut taken = Vec::new();
            for number in numbers {
                let waiting = self.store.get(&outbox_key(*number))?.and_then(|row| Waiting::read(&row));
                taken.extend(waiting.map(|(_, change)| change));
            }
            match documents.iter_mut().find(|document| document.key == *key) {
                Some(document) => document.changes.extend(taken),
                None => documents.push(DocumentChanges { key: key.clone(), changes: taken }),
            }
        }
        Ok(())
    }

    /// Lets what is still to be sent of a forgotten document come back into it with its ground: it may be taken yet,
    /// and then the server needs the beginning too, which may be what was refused.
    pub(super) fn put_back_what_waits(
        &self,
        batch: &mut Batch,
        key: &DocumentKey,
        flow: &mut Flow,
    ) -> Result<(), Error> {
        let unsent = self.unsent_of(batch, key)?;
        for (_, change) in &unsent {
            batch.put(waiting_key(key.id(self.cooperative), change.hash()), change.chunk());
        }
        if !unsent.is_empty() && unsent.iter().all(|(_, change)| !Document::is_first_actor(&change.record().actor)) {
            self.enqueue_after(batch, key, &[Document::first_change(key)?], flow);
        }
        Ok(())
    }

    /// Adds the writes that put changes into the outbox; gives how many.
    pub(super) fn enqueue(&self, batch: &mut Batch, key: &DocumentKey, changes: &[VerifiedChange]) -> u64 {
        let mut flow = Flow::default();
        self.enqueue_after(batch, key, changes, &mut flow);
        flow.added
    }

    /// As [`Self::enqueue`], behind what the batch has added already.
    pub(super) fn enqueue_after(
        &self,
        batch: &mut Batch,
        key: &DocumentKey,
        changes: &[VerifiedChange],
        flow: &mut Flow,
    ) {
        let first = self.outbox_next.saturating_add(flow.added);
        for (number, change) in (first..).zip(changes) {
            let waiting = Waiting { key: key.to_bytes(), chunk: change.chunk().to_vec() };
            batch.put(outbox_key(number), write_message(&waiting));
        }
        flow.added = flow.added.saturating_add(changes.len() as u64);
    }

    /// Adds the writes that take out of the outbox what the server has dealt with. Refused changes
    /// that can't pass later are kept aside, with the reason. Gives how many left the outbox.
    pub(super) fn settle_outbox(
        &self,
        batch: &mut Batch,
        page: &OutboxPage,
        refused: &[(usize, RefusalReason)],
    ) -> Result<u64, Error> {
        let mut left = 0u64;
        let apart = self.sent_apart()?;
        for (index, (key, numbers)) in page.documents.iter().enumerate() {
            let refusal = refused.iter().find(|(document, _)| *document == index).map(|(_, reason)| *reason);
            // Those of a number that a twin has used are put by whole, see [`super::twin`].
            if refusal.is_some_and(|reason| reason.may_pass_later() || reason == RefusalReason::SequenceReused) {
                continue;
            }
            let others = match refusal {
                Some(RefusalReason::ForeignActor) => self.others_of(numbers)?,
                _ => Vec::new(),
            };
            let id = key.id(self.cooperative);
            let is_last = |through: &u64| numbers.iter().any(|number| number.saturating_add(1) >= *through);
            if apart.get(&id).is_some_and(is_last) {
                batch.remove(apart_key(id));
            }
            // What this phone gave back of others is theirs to give; its own goes without it.
            let dealt_with = if others.is_empty() { numbers } else { &others };
            for number in dealt_with {
                if let (Some(reason), Some(value)) = (refusal, self.store.get(&outbox_key(*number))?) {
                    let aside = (reason.to_string(), serde_bytes::ByteBuf::from(value));
                    batch.put([b"xo".as_slice(), &number.to_be_bytes()].concat(), write_message(&aside));
                }
                batch.remove(outbox_key(*number));
                left = left.saturating_add(1);
            }
        }
        Ok(left)
    }

    /// See [`may_author`].
    pub(super) fn may_author(&self, change: &VerifiedChange) -> bool {
        may_author(self.device, change)
    }

    /// Those of these changes that were made on other devices.
    fn others_of(&self, numbers: &[u64]) -> Result<Vec<u64>, Error> {
        let mut others = Vec::new();
        for number in numbers {
            let waiting = self.store.get(&outbox_key(*number))?.and_then(|value| Waiting::read(&value));
            if waiting.is_some_and(|(_, change)| !self.may_author(&change)) {
                others.push(*number);
            }
        }
        Ok(others)
    }
}
