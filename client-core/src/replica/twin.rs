//! When another phone goes by this phone's name: both were made from one backup, or this one was set back to
//! an older state. The server then has other changes under numbers that this phone has used. What it has not
//! yet acknowledged of the document is put by; the document is fetched as the server has it; then what was put
//! by is said again, under its own name where that is free, else under an actor that nobody has. Which one that
//! is follows from the change and from what the server has, so that copies of a phone that both have it say it
//! in the same words. For that the first form of each change that got another name is kept: should the new name be
//! taken as well, the next one follows from the first form again, and so does what builds on it. Nothing is lost, and
//! nothing is there twice.
//!
//! Limit: a lot that is said again has another name, so a weighing of it that was recorded on the same phone,
//! before either had been sent, does not find it.

use std::collections::{BTreeMap, BTreeSet};

use super::names::{Beside, Number, PutBy, Said, fresh_actor, may_follow, number_in_document, under_free_names};
use super::outbox::{Flow, Waiting, number_of, outbox_key};
use super::{Replica, document_key, document_of, put_meta, waiting_key};
use crate::documents::{Document, DocumentFault, DocumentKey};
use crate::error::Error;
use crate::ids::{ActorId, ChangeHash, DocumentId};
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::{Comparing, read_message};
use crate::store::{Batch, Row};

fn put_by_key(id: DocumentId, number: u64) -> Vec<u8> {
    [b"r", id.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// Where the key of a document is kept of which something is put by.
pub(super) fn put_by_document_key(id: DocumentId) -> Vec<u8> {
    document_key(b'y', id)
}

/// Has a document fetched of which something is put by.
fn want_put_by(batch: &mut Batch, id: DocumentId, key: &DocumentKey, wanted: &mut BTreeMap<Vec<u8>, u64>) {
    wanted.insert(key.to_bytes(), 0);
    batch.put(put_by_document_key(id), key.to_bytes());
}

/// Where a change is kept that a document had and the server may have lost.
fn ground_key(id: DocumentId, hash: ChangeHash) -> Vec<u8> {
    [b"g", id.as_bytes().as_slice(), hash.as_bytes()].concat()
}

/// Where another's change is kept that own ones build on, once the document has it no more: it may come under
/// another name.
fn lost_ground_key(id: DocumentId, hash: ChangeHash) -> Vec<u8> {
    [b"f", id.as_bytes().as_slice(), hash.as_bytes()].concat()
}

/// Where the first form of a change is kept that got another name.
fn first_form_key(id: DocumentId, named: ChangeHash) -> Vec<u8> {
    [b"p", id.as_bytes().as_slice(), named.as_bytes()].concat()
}

/// Where it is kept which changes of a document are sent one by one: those before this number of the outbox. Only so
/// the server can say which of them it refuses.
pub(super) fn apart_key(id: DocumentId) -> Vec<u8> {
    document_key(b't', id)
}

/// Where it is kept that the server has something else under a number of a document.
fn refused_key(id: DocumentId, (actor, sequence): &Number) -> Vec<u8> {
    [b"n", id.as_bytes().as_slice(), actor.as_bytes(), &sequence.to_be_bytes()].concat()
}

/// Those of these changes that are names, each behind its first form.
fn with_first_forms<'a>(
    names: &BTreeMap<ChangeHash, VerifiedChange>,
    changes: impl Iterator<Item = &'a VerifiedChange>,
) -> Vec<(VerifiedChange, VerifiedChange)> {
    let with_first_form = |change: &VerifiedChange| Some((names.get(&change.hash())?.clone(), change.clone()));
    let mut named: Vec<_> = changes.filter_map(with_first_form).collect();
    named.sort_by_key(|(first_form, _)| first_form.record().start_operation);
    named
}

impl Replica {
    /// True while changes of the document are put by.
    pub(super) fn is_put_by(&self, key: &DocumentKey) -> Result<bool, Error> {
        let id = key.id(self.cooperative);
        let has = |kind| Ok::<bool, Error>(!self.store.scan(&document_key(kind, id), None, 1)?.is_empty());
        Ok(has(b'r')? || has(b'g')?)
    }

    /// Notes that the server has refused these entries of the outbox, since a number is another's. Of several nobody
    /// knows which: they are sent one by one then.
    pub(super) fn note_refused(&self, batch: &mut Batch, key: &DocumentKey, numbers: &[u64]) -> Result<(), Error> {
        let [number] = numbers else { return Ok(()) };
        if let Some((_, change)) = self.store.get(&outbox_key(*number))?.and_then(|row| Waiting::read(&row)) {
            batch.put(refused_key(key.id(self.cooperative), &number_in_document(&change)), []);
        }
        Ok(())
    }

    /// Puts by what is not acknowledged of a document, and forgets the document, so that it comes whole
    /// from the server. What else this phone said in it is put by as well, since a damage may have taken its entry
    /// in the outbox; and when the server is known to have lost something, the rest of the document: this may be the
    /// only place where it is. From now on this phone edits under another actor.
    pub(super) fn put_by(
        &mut self,
        batch: &mut Batch,
        key: &DocumentKey,
        compares: Comparing,
        wanted: &mut BTreeMap<Vec<u8>, u64>,
    ) -> Result<(), Error> {
        let id = key.id(self.cooperative);
        let mut last = None;
        let mut put_by = BTreeSet::new();
        // What this very reply acknowledges is settled; it may build on what now gets another name.
        for row in self.rows_left_by(batch)? {
            let waiting: Option<Waiting> = row.value.as_deref().and_then(|value| read_message(value).ok());
            let (Some(waiting), Some(number)) = (waiting, number_of(&row.key)) else { continue };
            if waiting.key == key.to_bytes() {
                let hash = VerifiedChange::from_chunk(&waiting.chunk).ok().map(|change| change.hash());
                last = hash.or(last);
                put_by.extend(hash);
                batch.put(put_by_key(id, number), waiting.chunk);
                batch.remove(outbox_key(number));
            }
        }
        if self.grants.may_write(key) {
            // What can't be read any more is as good as forgotten.
            let changes = match self.document(key) {
                Ok(Some(document)) => document.changes_since(&[])?,
                _ => Vec::new(),
            };
            for change in changes.iter().filter(|change| !put_by.contains(&change.hash())) {
                let is_given = compares == Comparing::Everyones || self.may_author(change);
                let row = if is_given { ground_key(id, change.hash()) } else { lost_ground_key(id, change.hash()) };
                batch.put(row, change.chunk());
            }
        }
        for change in self.own_that_wait(id)?.iter().filter(|change| !put_by.contains(&change.hash())) {
            batch.put(ground_key(id, change.hash()), change.chunk());
        }
        self.forget(batch, key)?;
        want_put_by(batch, id, key, wanted);
        if let Some(hash) = last {
            let actor = fresh_actor(self.device, hash, 1);
            put_meta(batch, "generation", &actor.as_bytes().last().copied().unwrap_or(0));
            self.actor = actor;
        }
        Ok(())
    }

    /// Says again what was put by of a document that is here now as the server has it. Gives how many changes
    /// waited to be sent, and what is said again.
    pub(super) fn say_again(&mut self, batch: &mut Batch, key: &DocumentKey) -> Result<(u64, Vec<Said>), Error> {
        let id = key.id(self.cooperative);
        batch.remove(put_by_document_key(id));
        let names = self.names_of(id)?;
        let mut changes = Vec::new();
        for row in self.store.scan_all(&document_key(b'r', id))? {
            if let Some(change) = row.value.and_then(|chunk| VerifiedChange::from_chunk(&chunk).ok()) {
                changes.push(match names.get(&change.hash()) {
                    Some(first_form) => PutBy { first_form: first_form.clone(), named: Some(change) },
                    None => PutBy { first_form: change, named: None },
                });
            }
            batch.remove(row.key);
        }
        let waited = changes.len() as u64;
        for row in self.store.scan_all(&document_key(b'g', id))? {
            let change = row.value.and_then(|chunk| VerifiedChange::from_chunk(&chunk).ok());
            changes.extend(change.map(|first_form| PutBy { first_form, named: None }));
            batch.remove(row.key);
        }
        let mut lost_ground = self.lost_ground(id)?;
        // What was given back after a damage lies behind what builds on it.
        changes.sort_by_key(|put_by| put_by.first_form.record().start_operation);
        if changes.is_empty() {
            return Ok((0, Vec::new()));
        }
        if !self.records.contains_key(&id) {
            self.begin(key, Document::empty(key.clone()));
        }
        self.ensure_loaded(key)?;
        let Some(document) = self.loaded.get_mut(&id).map(|loaded| &mut loaded.document) else {
            return Err(DocumentFault::Damaged("document").into());
        };
        let (here, mut changes): (Vec<PutBy>, Vec<PutBy>) =
            changes.into_iter().partition(|put_by| document.has(put_by.first_form.hash()));
        let unnamed: Vec<_> = here.into_iter().filter_map(|put_by| Some((put_by.named?, put_by.first_form))).collect();
        let there = document.changes_since(&[])?;
        for change in lost_ground.extract_if(.., |change| document.has(change.hash())) {
            batch.remove(lost_ground_key(id, change.hash()));
        }
        // Others' changes, which this phone was giving back: their authors say them again themselves.
        let refused = self.numbers_refused(id)?;
        let taken: BTreeSet<Number> = there.iter().map(number_in_document).chain(refused.iter().cloned()).collect();
        let put_by_of_others = changes.iter().map(|put_by| &put_by.first_form);
        let put_by_of_others = put_by_of_others.filter(|change| !self.may_author(change)).cloned();
        let mut others: Vec<VerifiedChange> = lost_ground.into_iter().chain(put_by_of_others).collect();
        others.sort_by_key(|change| change.record().start_operation);
        changes.retain(|PutBy { first_form: change, .. }| {
            self.may_author(change) || !taken.contains(&number_in_document(change))
        });
        let named = with_first_forms(&names, there.iter().chain(changes.iter().map(|put_by| &put_by.first_form)));
        changes.retain(|put_by| !named.iter().any(|(first_form, _)| first_form.hash() == put_by.first_form.hash()));
        let beside = Beside { there: &there, named: &named, unnamed: &unnamed, others: &others, refused: &refused };
        let said = under_free_names(self.device, &changes, &beside)?;
        // What builds on others' changes of which no name is known yet may get one later.
        for change in &others {
            batch.put(lost_ground_key(id, change.hash()), change.chunk());
        }
        Ok((waited, said))
    }

    /// Lets own changes that wait be said again, once what they build on is here under another name.
    pub(super) fn follow_lost_ground(
        &mut self,
        batch: &mut Batch,
        key: &DocumentKey,
        wanted: &mut BTreeMap<Vec<u8>, u64>,
    ) -> Result<(), Error> {
        let id = key.id(self.cooperative);
        let lost_ground = self.lost_ground(id)?;
        // What is put by is said again once the document is here whole.
        if lost_ground.is_empty() || self.is_put_by(key)? {
            return Ok(());
        }
        let mut waiting = self.own_that_wait(id)?;
        let names = self.names_of(id)?;
        let Some(loaded) = self.loaded.get_mut(&id) else { return Ok(()) };
        waiting.retain(|change| !loaded.document.has(change.hash()));
        if waiting.is_empty() {
            return self.forget_lost_ground(batch, key);
        }
        let there = loaded.document.changes_since(&[])?;
        let named = with_first_forms(&names, there.iter());
        if may_follow(self.device, &waiting, &lost_ground, &named, &there)? {
            for change in &waiting {
                batch.remove(waiting_key(id, change.hash()));
                batch.put(ground_key(id, change.hash()), change.chunk());
            }
            want_put_by(batch, id, key, wanted);
        }
        Ok(())
    }

    /// Forgets what others' changes a document has lost.
    pub(super) fn forget_lost_ground(&self, batch: &mut Batch, key: &DocumentKey) -> Result<(), Error> {
        for row in self.store.scan_all(&document_key(b'f', key.id(self.cooperative)))? {
            batch.remove(row.key);
        }
        Ok(())
    }

    /// Own changes of a document that wait for what they depend on.
    fn own_that_wait(&self, id: DocumentId) -> Result<Vec<VerifiedChange>, Error> {
        let mut waiting = self.changes_in(document_key(b'w', id))?;
        waiting.retain(|change| self.device.owns(&change.record().actor));
        Ok(waiting)
    }

    /// Others' changes that a document has lost and that own ones may build on.
    fn lost_ground(&self, id: DocumentId) -> Result<Vec<VerifiedChange>, Error> {
        let mut lost_ground = self.changes_in(document_key(b'f', id))?;
        lost_ground.sort_by_key(|change| change.record().start_operation);
        Ok(lost_ground)
    }

    fn changes_in(&self, rows: Vec<u8>) -> Result<Vec<VerifiedChange>, Error> {
        let change = |row: Row| VerifiedChange::from_chunk(&row.value?).ok();
        Ok(self.store.scan_all(&rows)?.into_iter().filter_map(change).collect())
    }

    /// Adds the writes that put what is said again into the outbox; gives the changes.
    pub(super) fn enqueue_said(
        &self,
        batch: &mut Batch,
        key: &DocumentKey,
        said: Vec<Said>,
        flow: &mut Flow,
    ) -> Vec<VerifiedChange> {
        let id = key.id(self.cooperative);
        for said in &said {
            if let Some(original) = &said.original {
                batch.put(first_form_key(id, said.change.hash()), original.chunk());
            }
        }
        let changes: Vec<VerifiedChange> =
            said.into_iter().filter(|said| !said.is_there).map(|said| said.change).collect();
        self.enqueue_after(batch, key, &changes, flow);
        if !changes.is_empty() {
            batch.put(apart_key(id), self.outbox_next.saturating_add(flow.added).to_be_bytes());
        }
        changes
    }

    /// The numbers of a document under which the server has something else.
    fn numbers_refused(&self, id: DocumentId) -> Result<BTreeSet<Number>, Error> {
        let read = |row: Row| {
            let (actor, sequence) = row.key.get(17..)?.split_last_chunk()?;
            Some((ActorId::from_bytes(actor)?, u64::from_be_bytes(*sequence)))
        };
        Ok(self.store.scan_all(&document_key(b'n', id))?.into_iter().filter_map(read).collect())
    }

    /// The documents whose changes are sent one by one, each with the number of the outbox before which they are.
    pub(super) fn sent_apart(&self) -> Result<BTreeMap<DocumentId, u64>, Error> {
        let read = |row: Row| {
            // Older versions counted refusals here.
            let through = row.value?.try_into().ok().map(u64::from_be_bytes)?;
            Some((document_of(&row.key)?, through))
        };
        Ok(self.store.scan_all(b"t")?.into_iter().filter_map(read).collect())
    }

    /// The names that changes of a document got in earlier rounds, each with the first form.
    fn names_of(&self, id: DocumentId) -> Result<BTreeMap<ChangeHash, VerifiedChange>, Error> {
        let read = |row: Row| {
            let named = ChangeHash::from_bytes(*row.key.last_chunk()?);
            Some((named, VerifiedChange::from_chunk(&row.value?).ok()?))
        };
        Ok(self.store.scan_all(&document_key(b'p', id))?.into_iter().filter_map(read).collect())
    }

    /// The numbers of the changes that are put by, in all documents.
    pub(super) fn numbers_put_by(&self) -> Result<Vec<u64>, Error> {
        let number = |key: Vec<u8>| key.last_chunk::<8>().map(|number| u64::from_be_bytes(*number));
        Ok(self.store.scan_all(b"r")?.into_iter().filter_map(|row| number(row.key)).collect())
    }
}
