//! When another phone goes by this phone's name: both were made from one backup, or this one was set back to
//! an older state. The server then has other changes under numbers that this phone has used. What it has not
//! yet acknowledged of the document is put by; the document is fetched as the server has it; then what was put
//! by is said again under an actor that nobody has. Nothing is lost, and nothing is there twice.
//!
//! Limit: a lot that is said again has another name, so a weighing of it that was recorded on the same phone,
//! before either had been sent, does not find it.

use std::collections::{BTreeMap, BTreeSet};

use super::outbox::{Waiting, number_of, outbox_key};
use super::{Replica, document_key, put_meta};
use crate::documents::{Document, DocumentKey};
use crate::error::Error;
use crate::ids::{ActorId, ChangeHash, DeviceId, DocumentId};
use crate::protocol::change::{Reauthor, VerifiedChange};
use crate::protocol::messages::read_message;
use crate::store::Batch;

fn put_by_key(id: DocumentId, number: u64) -> Vec<u8> {
    [b"r", id.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// The changes of one actor, in the order of their sequence.
fn of_actor(changes: &[VerifiedChange], actor: &ActorId) -> Vec<ChangeHash> {
    let of: BTreeMap<u64, ChangeHash> = changes
        .iter()
        .filter(|change| change.record().actor == *actor)
        .map(|change| (change.record().sequence, change.hash()))
        .collect();
    of.into_values().collect()
}

fn number_in_document(change: &VerifiedChange) -> (ActorId, u64) {
    (change.record().actor.clone(), change.record().sequence)
}

/// Another actor of a device, which follows from a change that made it needed.
fn fresh_actor(device: DeviceId, used: Option<&ActorId>, from: ChangeHash, salt: u8) -> ActorId {
    let used = used.map_or(0, |used| used.as_bytes().last().copied().unwrap_or(0));
    let byte = from.as_bytes().iter().fold(salt, |sum, byte| sum.rotate_left(3) ^ *byte);
    // 0 is what every phone begins with.
    let generation = if byte == 0 || byte == used { used.wrapping_add(101).max(1) } else { byte };
    device.actor(generation)
}

impl Replica {
    /// True while changes of the document are put by.
    pub(super) fn is_put_by(&self, key: &DocumentKey) -> Result<bool, Error> {
        Ok(!self.store.scan(&document_key(b'r', key.id(self.cooperative)), None, 1)?.is_empty())
    }

    /// Puts by what is not acknowledged of a document, and forgets the document, so that it comes whole
    /// from the server. From now on this phone edits under another actor.
    pub(super) fn put_by(
        &mut self,
        batch: &mut Batch,
        key: &DocumentKey,
        wanted: &mut BTreeMap<Vec<u8>, u64>,
    ) -> Result<(), Error> {
        let id = key.id(self.cooperative);
        let mut last = None;
        for row in self.store.scan_all(b"o")? {
            let waiting: Option<Waiting> = row.value.as_deref().and_then(|value| read_message(value).ok());
            let (Some(waiting), Some(number)) = (waiting, number_of(&row.key)) else { continue };
            if waiting.key == key.to_bytes() {
                last = VerifiedChange::from_chunk(&waiting.chunk).ok().map(|change| change.hash()).or(last);
                batch.put(put_by_key(id, number), waiting.chunk);
                batch.remove(outbox_key(number));
            }
        }
        self.forget(batch, key)?;
        wanted.insert(key.to_bytes(), 0);
        if let Some(hash) = last {
            let actor = fresh_actor(self.device, Some(&self.actor), hash, 1);
            put_meta(batch, "generation", &actor.as_bytes().last().copied().unwrap_or(0));
            self.actor = actor;
        }
        Ok(())
    }

    /// Says again what was put by of a document that is here now as the server has it. Gives how much of it
    /// the server had after all, and what is said again.
    pub(super) fn say_again(
        &mut self,
        batch: &mut Batch,
        key: &DocumentKey,
    ) -> Result<(u64, Vec<VerifiedChange>), Error> {
        let id = key.id(self.cooperative);
        let mut changes = Vec::new();
        for row in self.store.scan_all(&document_key(b'r', id))? {
            changes.extend(row.value.and_then(|chunk| VerifiedChange::from_chunk(&chunk).ok()));
            batch.remove(row.key);
        }
        let count = changes.len() as u64;
        let device = self.device;
        if changes.is_empty() {
            return Ok((0, Vec::new()));
        }
        if !self.records.contains_key(&id) {
            self.begin(key, Document::empty(key.clone()));
        }
        self.ensure_loaded(key)?;
        let Some(document) = self.loaded.get_mut(&id).map(|loaded| &mut loaded.document) else {
            return Err(crate::documents::DocumentFault::Damaged("document").into());
        };
        changes.retain(|change| !document.has(change.hash()));
        let there = document.changes_since(&[])?;
        // Others' changes, which this phone was giving back: their authors say them again themselves.
        let taken: BTreeSet<(ActorId, u64)> = there.iter().map(number_in_document).collect();
        changes.retain(|change| device.owns(&change.record().actor) || !taken.contains(&number_in_document(change)));
        let is_own = |change: &&VerifiedChange| {
            device.owns(&change.record().actor) && !Document::is_first_actor(&change.record().actor)
        };
        // Each old actor's first change here, which its new actor follows from.
        let mut firsts: BTreeMap<ActorId, ChangeHash> = BTreeMap::new();
        for change in changes.iter().filter(is_own) {
            firsts.entry(change.record().actor.clone()).or_insert(change.hash());
        }
        for salt in 2..=u8::MAX {
            let names: Vec<(ActorId, ActorId)> =
                firsts.iter().map(|(old, first)| (old.clone(), fresh_actor(device, None, *first, salt))).collect();
            let new: BTreeSet<&ActorId> = names.iter().map(|(_, new)| new).collect();
            if new.len() < names.len() || new.iter().any(|new| firsts.contains_key(*new)) {
                continue;
            }
            // A twin that put by the same has said it in the same words: what of it is there is not said once
            // more. Where the actor has said other things there, another one speaks.
            let mut again = Reauthor::new(names.clone());
            let written: Result<Vec<VerifiedChange>, _> = changes.iter().map(|change| again.write(change)).collect();
            let mut said = written.map_err(crate::documents::DocumentFault::from)?;
            let fits = names.iter().all(|(_, new)| {
                of_actor(&there, new).iter().zip(of_actor(&said, new)).all(|(there, here)| *there == here)
            });
            if fits {
                let known: BTreeSet<ChangeHash> = there.iter().map(VerifiedChange::hash).collect();
                said.retain(|change| !known.contains(&change.hash()));
                return Ok((count.saturating_sub(said.len() as u64), said));
            }
        }
        // Every actor of this device has written in this document.
        Err(crate::documents::DocumentFault::Damaged("document").into())
    }

    /// Changes that are put by, in all documents.
    pub(super) fn count_put_by(&self) -> Result<u64, Error> {
        Ok(self.store.scan_all(b"r")?.len() as u64)
    }
}
