//! Taking what the server gives: one reply becomes one batch, with the cursor that it leads to. What
//! can't be applied is kept aside and named; it never spoils the rest.

use std::collections::BTreeSet;

use super::comparison::is_comparing;
use super::load::wanted_list;
use super::outbox::Flow;
use super::page::OutboxPage;
use super::twin::put_by_document_key;
use super::{DocumentRecord, Replica, document_key, put_meta, waiting_key};
use crate::documents::{Document, DocumentFault, DocumentKey};
use crate::error::Error;
use crate::ids::{ChangeHash, DocumentId};
use crate::protocol::bundle::{DocumentChanges, read_bundle};
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::{Comparing, Fetch, RefusalReason, SyncReply, read_message, write_message};
use crate::store::Batch;

/// Documents in one request for whole documents.
const FETCH_MAX: usize = 256;

/// Something that was not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// The document.
    pub key: DocumentKey,
    /// Why, for a person.
    pub reason: String,
}

/// What a reply changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Documents that changed.
    pub changed: BTreeSet<DocumentKey>,
    /// Documents that the device may not read any longer and that were forgotten.
    pub forgotten: BTreeSet<DocumentKey>,
    /// Changes that were not taken, by the server or by this phone.
    pub set_aside: Vec<SetAside>,
    /// True when there is more to read or to send now.
    pub more: bool,
}

impl Replica {
    /// The documents that this phone wants whole, for the next request.
    pub fn fetches(&self) -> Result<Vec<Fetch>, Error> {
        let wanted = self.wanted()?.into_iter().take(FETCH_MAX);
        Ok(wanted.map(|(key, through)| Fetch { key, through }).collect())
    }

    /// Takes the reply to the request that carried `page` and `fetches`.
    pub fn receive(&mut self, page: &OutboxPage, fetches: &[Fetch], reply: &SyncReply) -> Result<Received, Error> {
        let mut before = Vec::new();
        let result = self.receive_noting(&mut before, page, fetches, reply);
        if result.is_err() {
            // What could not be kept must not be seen either: it is read from the store again.
            self.loaded.clear();
            for (id, record) in before.into_iter().rev() {
                self.keep_record(id, record.clone());
                if record.is_none() {
                    self.records.remove(&id);
                }
            }
        }
        result
    }

    /// As [`Self::receive`]; notes in `before` what it replaces before all of it is kept.
    fn receive_noting(
        &mut self,
        before: &mut Vec<(DocumentId, Option<DocumentRecord>)>,
        page: &OutboxPage,
        fetches: &[Fetch],
        reply: &SyncReply,
    ) -> Result<Received, Error> {
        let mut documents = match reply.bundle.as_slice() {
            [] => Vec::new(),
            bundle => read_bundle(bundle).map_err(|fault| Error::BadReply(fault.to_string()))?,
        };
        let mut received = Received::default();
        let mut batch = Batch::default();
        let mut wanted = self.wanted()?;

        let refused: Vec<(usize, RefusalReason)> = reply
            .refused
            .iter()
            .filter_map(|refusal| Some((usize::try_from(refusal.document).ok()?, refusal.reason)))
            .collect();
        let mut flow = Flow { left: self.settle_outbox(&mut batch, page, &refused)?, added: 0 };
        let mut dropped: BTreeSet<DocumentKey> = BTreeSet::new();
        for (index, reason) in &refused {
            let Some((key, numbers)) = page.documents.get(*index) else { continue };
            let is_dropped = match reason {
                RefusalReason::SequenceReused => {
                    self.note_refused(&mut batch, key, numbers)?;
                    self.put_by(&mut batch, key, reply.compares, &mut wanted)?;
                    true
                }
                // Nobody else will ever have what was refused: the document comes again as others have it. What
                // waits for its ground goes too, though a damage has taken the rest.
                RefusalReason::MayNotWrite => {
                    self.forget(&mut batch, key)?;
                    self.put_back_what_waits(&mut batch, key, &mut flow)?;
                    wanted.insert(key.to_bytes(), 0);
                    true
                }
                _ => false,
            };
            if *reason != RefusalReason::SequenceReused {
                received.set_aside.push(SetAside { key: key.clone(), reason: reason.to_string() });
            }
            if is_dropped {
                before.push(self.drop_loaded(key));
                dropped.insert(key.clone());
            }
        }
        let grants = reply.grants.clone().unwrap_or_else(|| self.grants.clone());
        self.add_what_was_forgotten(&mut documents, page, &refused)?;
        let mut records: Vec<(DocumentId, Option<DocumentRecord>)> = Vec::new();
        for document in documents {
            let key = document.key.clone();
            // What was dropped comes whole: beside its rows, which this batch removes, nothing of it is kept.
            if !grants.may_read(&key) || dropped.contains(&key) {
                continue;
            }
            match self.take(&mut batch, document)? {
                Ok(Some(record)) => {
                    records.push((key.id(self.cooperative), Some(record)));
                    received.changed.insert(key);
                }
                Ok(None) => {}
                Err(DocumentFault::NumberUsed) => {
                    // This phone has what the server lost, and another copy of its author's phone has used its
                    // number since. What the server has is what everyone will have.
                    self.put_by(&mut batch, &key, reply.compares, &mut wanted)?;
                    before.push(self.drop_loaded(&key));
                    dropped.insert(key);
                }
                Err(fault) => received.set_aside.push(SetAside { key, reason: fault.to_string() }),
            }
        }
        let mut again: BTreeSet<ChangeHash> = BTreeSet::new();
        let mut may_follow = received.changed.clone();
        for (fetch, fetched) in fetches.iter().zip(&reply.fetched) {
            let key = DocumentKey::from_bytes(&fetch.key).ok();
            if key.as_ref().is_some_and(|key| dropped.contains(key)) {
                continue;
            }
            if fetched.complete {
                wanted.remove(&fetch.key);
                let Some(key) = key else { continue };
                if !self.is_put_by(&key)? {
                    batch.remove(put_by_document_key(key.id(self.cooperative)));
                } else {
                    let id = key.id(self.cooperative);
                    // The document may have come with this very reply.
                    let came = records.iter().rev().find(|(of, _)| *of == id).and_then(|(_, record)| record.clone());
                    if came.is_some() && !self.loaded.contains_key(&id) {
                        // It was damaged, and what came is read with the rest once it is kept.
                        wanted.insert(fetch.key.clone(), fetched.through);
                        continue;
                    }
                    may_follow.remove(&key);
                    before.push((id, self.records.get(&id).cloned()));
                    self.note_record(id, came);
                    let (waited, said) = self.say_again(&mut batch, &key)?;
                    let said = self.enqueue_said(&mut batch, &key, said, &mut flow);
                    again.extend(said.iter().map(VerifiedChange::hash));
                    // What waited was pending already, under the names it had.
                    flow.left = flow.left.saturating_add(waited);
                    if !grants.may_read(&key) {
                        // The server refuses what may no longer be written, and it is kept aside.
                        self.unload(id);
                        continue;
                    }
                    match self.take(&mut batch, DocumentChanges { key: key.clone(), changes: said })? {
                        Ok(Some(record)) => records.push((id, Some(record))),
                        Ok(None) => {}
                        Err(fault) => {
                            received.set_aside.push(SetAside { key: key.clone(), reason: fault.to_string() });
                        }
                    }
                    received.changed.insert(key);
                }
            } else if let Some(through) = wanted.get_mut(&fetch.key) {
                *through = fetched.through;
            }
        }
        for key in may_follow.difference(&dropped) {
            self.follow_lost_ground(&mut batch, key, &mut wanted)?;
        }
        self.compare(&mut batch, reply, (&dropped, &again), &mut wanted, &mut flow)?;
        if reply.compares != Comparing::No && !is_comparing(&reply.cursor) {
            self.end_comparison(&mut batch, reply, (&dropped, &again), &mut flow)?;
        }
        if reply.grants.is_some() {
            put_meta(&mut batch, "grants", &grants);
            for (key, _) in self.documents().into_iter().filter(|(key, _)| !grants.may_read(key)) {
                self.forget(&mut batch, &key)?;
                self.forget_lost_ground(&mut batch, &key)?;
                records.push((key.id(self.cooperative), None));
                received.forgotten.insert(key);
            }
        }
        put_meta(&mut batch, "wanted", &wanted_list(wanted.clone()));
        put_meta(&mut batch, "cursor", &reply.cursor);
        self.commit(&batch)?;
        for (id, record) in records {
            match record {
                Some(record) => self.keep_record(id, Some(record)),
                None => {
                    self.records.remove(&id);
                    self.unload(id);
                }
            }
        }
        self.cursor = reply.cursor;
        self.grants = grants;
        self.outbox_next = self.outbox_next.saturating_add(flow.added);
        self.pending = self.pending.saturating_sub(flow.left).saturating_add(flow.added);
        for notice in &reply.notices {
            if let Ok(key) = DocumentKey::from_bytes(&notice.key) {
                received.set_aside.push(SetAside { key, reason: notice.reason.clone() });
            }
        }
        self.note_held_back(page, &refused);
        received.more = reply.more || !wanted.is_empty() || self.has_more_to_send()?;
        Ok(received)
    }

    /// Takes out of memory what the batch under way forgets of a document; gives its record until then.
    fn drop_loaded(&mut self, key: &DocumentKey) -> (DocumentId, Option<DocumentRecord>) {
        let id = key.id(self.cooperative);
        self.unload(id);
        (id, self.records.remove(&id))
    }

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

    pub(super) fn forget(&self, batch: &mut Batch, key: &DocumentKey) -> Result<(), Error> {
        let id = key.id(self.cooperative);
        for kind in [b'd', b's', b'c', b'w', b'h'] {
            for row in self.store.scan_all(&document_key(kind, id))? {
                batch.remove(row.key);
            }
        }
        Ok(())
    }

    /// Forgets every document of which nothing waits to be sent, for a device that was revoked.
    pub fn forget_all_sent(&mut self) -> Result<(), Error> {
        let mut unsent = BTreeSet::new();
        for row in self.store.scan_all(b"o")? {
            let parsed: Option<(serde_bytes::ByteBuf, serde_bytes::ByteBuf)> =
                row.value.and_then(|value| read_message(&value).ok());
            unsent.extend(parsed.and_then(|(key, _)| DocumentKey::from_bytes(&key).ok()));
        }
        let mut batch = Batch::default();
        let gone: Vec<DocumentKey> =
            self.documents().into_iter().map(|(key, _)| key).filter(|key| !unsent.contains(key)).collect();
        for key in &gone {
            self.forget(&mut batch, key)?;
            self.forget_lost_ground(&mut batch, key)?;
        }
        self.commit(&batch)?;
        for key in gone {
            self.records.remove(&key.id(self.cooperative));
            self.unload(key.id(self.cooperative));
        }
        Ok(())
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
