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

fn number_in_document(change: &VerifiedChange) -> (ActorId, u64) {
    (change.record().actor.clone(), change.record().sequence)
}

/// Another actor of a device, which follows from a change that made it needed.
fn fresh_actor(device: DeviceId, from: ChangeHash, salt: u8) -> ActorId {
    let generation = from.as_bytes().iter().fold(salt, |sum, byte| sum.rotate_left(3) ^ *byte);
    // 0 is what every phone begins with.
    device.actor(generation.max(1))
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
            let actor = fresh_actor(self.device, hash, 1);
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
        // What was given back after a damage lies behind what builds on it.
        changes.sort_by_key(|change| change.record().start_operation);
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
        let known: BTreeSet<ChangeHash> = there.iter().map(VerifiedChange::hash).collect();
        let mut used: BTreeMap<(ActorId, u64), ChangeHash> =
            there.iter().map(|change| (number_in_document(change), change.hash())).collect();
        let mut again = Reauthor::default();
        // For each old actor the new one, with its last sequence.
        let mut speaks: BTreeMap<ActorId, (ActorId, u64)> = BTreeMap::new();
        let mut said = Vec::new();
        for change in &changes {
            if !is_own(&change) {
                said.push(change.clone());
                continue;
            }
            let old = &change.record().actor;
            // A twin that put by the same says it in the same words: the new actor follows from the change, and
            // what of it is there is not said once more. Where the twin went on to say other things, another
            // actor goes on here.
            let goes_on = speaks.get(old).map(|(actor, last)| (actor.clone(), last.saturating_add(1)));
            let afresh = (2..=u8::MAX).map(|salt| (fresh_actor(device, change.hash(), salt), 1));
            let mut written = None;
            for (actor, sequence) in goes_on.into_iter().chain(afresh) {
                let is_pending = changes.iter().any(|other| other.record().actor == actor);
                let is_others = sequence == 1 && speaks.values().any(|(other, _)| *other == actor);
                if is_pending || is_others {
                    continue;
                }
                let tried = again.write(change, &actor, sequence).map_err(crate::documents::DocumentFault::from)?;
                if used.get(&(actor.clone(), sequence)).is_none_or(|hash| *hash == tried.hash()) {
                    speaks.insert(old.clone(), (actor, sequence));
                    written = Some(tried);
                    break;
                }
            }
            // Every actor of this device has written in this document.
            let written = written.ok_or(crate::documents::DocumentFault::Damaged("document"))?;
            used.insert(number_in_document(&written), written.hash());
            again.keep(change, &written);
            said.push(written);
        }
        said.retain(|change| !known.contains(&change.hash()));
        Ok((count.saturating_sub(said.len() as u64), said))
    }

    /// The numbers of the changes that are put by, in all documents.
    pub(super) fn numbers_put_by(&self) -> Result<Vec<u64>, Error> {
        let number = |key: Vec<u8>| key.last_chunk::<8>().map(|number| u64::from_be_bytes(*number));
        Ok(self.store.scan_all(b"r")?.into_iter().filter_map(|row| number(row.key)).collect())
    }
}
