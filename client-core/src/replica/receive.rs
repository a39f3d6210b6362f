//! Taking what the server gives: one reply becomes one batch, with the cursor that it leads to. What
//! can't be applied is kept aside and named; it never spoils the rest.

use std::collections::{BTreeMap, BTreeSet};

use super::comparison::is_comparing;
use super::load::wanted_list;
use super::outbox::Flow;
use super::page::OutboxPage;
use super::twin::put_by_document_key;
use super::{DocumentRecord, Replica, document_key, put_meta};
use crate::documents::{DocumentFault, DocumentKey};
use crate::error::Error;
use crate::ids::{ChangeHash, DocumentId};
use crate::protocol::access::Grants;
use crate::protocol::bundle::{DocumentChanges, read_bundle};
use crate::protocol::change::VerifiedChange;
use crate::protocol::messages::{Comparing, Fetch, RefusalReason, SyncReply, read_message};
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

/// What one reply leads to. All of it is kept at once.
pub(super) struct Taking<'a> {
    page: &'a OutboxPage,
    pub(super) reply: &'a SyncReply,
    /// What of the page was refused, by its place.
    refused: Vec<(usize, RefusalReason)>,
    /// What came of documents.
    documents: Vec<DocumentChanges>,
    /// What the device may do from now on.
    grants: Grants,
    pub(super) batch: Batch,
    /// Documents that are to come whole, and how far each has come.
    pub(super) wanted: BTreeMap<Vec<u8>, u64>,
    pub(super) flow: Flow,
    /// Documents that are forgotten, since they are to come as others have them.
    pub(super) dropped: BTreeSet<DocumentKey>,
    /// The records that documents lead to; none for those that are forgotten.
    records: Vec<(DocumentId, Option<DocumentRecord>)>,
    /// Records that were replaced before all of it is kept.
    before: Vec<(DocumentId, Option<DocumentRecord>)>,
    /// What is said again, and lies in the outbox already.
    pub(super) again: BTreeSet<ChangeHash>,
    received: Received,
}

impl Taking<'_> {
    fn set_aside(&mut self, key: &DocumentKey, reason: impl ToString) {
        self.received.set_aside.push(SetAside { key: key.clone(), reason: reason.to_string() });
    }

    /// The record that a document leads to by what came of it.
    fn record_of(&self, id: DocumentId) -> Option<&DocumentRecord> {
        self.records.iter().rev().find(|(of, _)| *of == id).and_then(|(_, record)| record.as_ref())
    }
}

impl Replica {
    /// The documents that this phone wants whole, for the next request.
    pub fn fetches(&self) -> Result<Vec<Fetch>, Error> {
        let wanted = self.wanted()?.into_iter().take(FETCH_MAX);
        Ok(wanted.map(|(key, through)| Fetch { key, through }).collect())
    }

    /// Takes the reply to the request that carried `page` and `fetches`.
    pub fn receive(&mut self, page: &OutboxPage, fetches: &[Fetch], reply: &SyncReply) -> Result<Received, Error> {
        let mut taking = self.begin_to_take(page, reply)?;
        match self.take_reply(&mut taking, fetches) {
            Ok(()) => Ok(self.go_on_from(taking)),
            Err(error) => {
                // What could not be kept must not be seen either: it is read from the store again.
                self.loaded.clear();
                for (id, record) in taking.before.into_iter().rev() {
                    self.keep_record(id, record.clone());
                    if record.is_none() {
                        self.records.remove(&id);
                    }
                }
                Err(error)
            }
        }
    }

    fn begin_to_take<'a>(&self, page: &'a OutboxPage, reply: &'a SyncReply) -> Result<Taking<'a>, Error> {
        let documents = match reply.bundle.as_slice() {
            [] => Vec::new(),
            bundle => read_bundle(bundle).map_err(|fault| Error::BadReply(fault.to_string()))?,
        };
        let refused =
            reply.refused.iter().filter_map(|refusal| Some((usize::try_from(refusal.document).ok()?, refusal.reason)));
        Ok(Taking {
            page,
            reply,
            refused: refused.collect(),
            documents,
            grants: reply.grants.clone().unwrap_or_else(|| self.grants.clone()),
            batch: Batch::default(),
            wanted: self.wanted()?,
            flow: Flow::default(),
            dropped: BTreeSet::new(),
            records: Vec::new(),
            before: Vec::new(),
            again: BTreeSet::new(),
            received: Received::default(),
        })
    }

    /// Does in `taking` all that the reply leads to, and keeps it.
    fn take_reply(&mut self, taking: &mut Taking<'_>, fetches: &[Fetch]) -> Result<(), Error> {
        self.take_refusals(taking)?;
        self.take_documents(taking)?;
        self.take_fetched(taking, fetches)?;
        self.compare(taking)?;
        if taking.reply.compares != Comparing::No && !is_comparing(&taking.reply.cursor) {
            self.end_comparison(taking)?;
        }
        self.take_grants(taking)?;
        put_meta(&mut taking.batch, "wanted", &wanted_list(taking.wanted.clone()));
        put_meta(&mut taking.batch, "cursor", &taking.reply.cursor);
        Ok(self.commit(&taking.batch)?)
    }

    /// Settles what was sent. What was refused gets another name, or is not the document's any more.
    fn take_refusals(&mut self, taking: &mut Taking<'_>) -> Result<(), Error> {
        taking.flow.left = self.settle_outbox(&mut taking.batch, taking.page, &taking.refused)?;
        for (index, reason) in taking.refused.clone() {
            let Some((key, numbers)) = taking.page.documents.get(index) else { continue };
            match reason {
                RefusalReason::SequenceReused => {
                    self.note_refused(&mut taking.batch, key, numbers)?;
                    self.put_by(&mut taking.batch, key, taking.reply.compares, &mut taking.wanted)?;
                    self.drop_document(taking, key);
                    continue;
                }
                // Nobody else will ever have what was refused: the document comes again as others have it. What
                // waits for its ground goes too, though a damage has taken the rest.
                RefusalReason::MayNotWrite => {
                    self.forget(&mut taking.batch, key)?;
                    self.put_back_what_waits(&mut taking.batch, key, &mut taking.flow)?;
                    taking.wanted.insert(key.to_bytes(), 0);
                    self.drop_document(taking, key);
                }
                RefusalReason::ForeignActor | RefusalReason::TooManyWaiting => {}
            }
            taking.set_aside(key, reason);
        }
        Ok(())
    }

    /// Takes what came of documents.
    fn take_documents(&mut self, taking: &mut Taking<'_>) -> Result<(), Error> {
        let mut documents = std::mem::take(&mut taking.documents);
        self.add_what_was_forgotten(&mut documents, taking.page, &taking.refused)?;
        for document in documents {
            let key = document.key.clone();
            // What was dropped comes whole: beside its rows, which this batch removes, nothing of it is kept.
            if !taking.grants.may_read(&key) || taking.dropped.contains(&key) {
                continue;
            }
            match self.take(&mut taking.batch, document)? {
                Ok(Some(record)) => {
                    taking.records.push((key.id(self.cooperative), Some(record)));
                    taking.received.changed.insert(key);
                }
                Ok(None) => {}
                Err(DocumentFault::NumberUsed) => {
                    // This phone has what the server lost, and another copy of its author's phone has used its
                    // number since. What the server has is what everyone will have.
                    self.put_by(&mut taking.batch, &key, taking.reply.compares, &mut taking.wanted)?;
                    self.drop_document(taking, &key);
                }
                Err(fault) => taking.set_aside(&key, fault),
            }
        }
        Ok(())
    }

    /// Goes on with documents that are here whole now: what was put by of them is said again.
    fn take_fetched(&mut self, taking: &mut Taking<'_>, fetches: &[Fetch]) -> Result<(), Error> {
        let mut may_follow = taking.received.changed.clone();
        for (fetch, fetched) in fetches.iter().zip(&taking.reply.fetched) {
            let key = DocumentKey::from_bytes(&fetch.key).ok();
            if key.as_ref().is_some_and(|key| taking.dropped.contains(key)) {
                continue;
            }
            if !fetched.complete {
                if let Some(through) = taking.wanted.get_mut(&fetch.key) {
                    *through = fetched.through;
                }
                continue;
            }
            taking.wanted.remove(&fetch.key);
            let Some(key) = key else { continue };
            let id = key.id(self.cooperative);
            if !self.is_put_by(&key)? {
                taking.batch.remove(put_by_document_key(id));
            } else if taking.record_of(id).is_some() && !self.loaded.contains_key(&id) {
                // It was damaged, and what came is read with the rest once it is kept.
                taking.wanted.insert(fetch.key.clone(), fetched.through);
            } else {
                may_follow.remove(&key);
                self.take_what_was_put_by(taking, &key)?;
            }
        }
        for key in may_follow.difference(&taking.dropped) {
            self.follow_lost_ground(&mut taking.batch, key, &mut taking.wanted)?;
        }
        Ok(())
    }

    /// Says again what was put by of a document.
    fn take_what_was_put_by(&mut self, taking: &mut Taking<'_>, key: &DocumentKey) -> Result<(), Error> {
        let id = key.id(self.cooperative);
        taking.before.push((id, self.records.get(&id).cloned()));
        // The document may have come with this very reply.
        self.note_record(id, taking.record_of(id).cloned());
        let (waited, said) = self.say_again(&mut taking.batch, key)?;
        let changes = self.enqueue_said(&mut taking.batch, key, said, &mut taking.flow);
        taking.again.extend(changes.iter().map(VerifiedChange::hash));
        // What waited was pending already, under the names it had.
        taking.flow.left = taking.flow.left.saturating_add(waited);
        if !taking.grants.may_read(key) {
            // The server refuses what may no longer be written, and it is kept aside.
            self.unload(id);
            return Ok(());
        }
        match self.take(&mut taking.batch, DocumentChanges { key: key.clone(), changes })? {
            Ok(Some(record)) => taking.records.push((id, Some(record))),
            Ok(None) => {}
            Err(fault) => taking.set_aside(key, fault),
        }
        taking.received.changed.insert(key.clone());
        Ok(())
    }

    /// Forgets what may not be read any longer.
    fn take_grants(&mut self, taking: &mut Taking<'_>) -> Result<(), Error> {
        if taking.reply.grants.is_none() {
            return Ok(());
        }
        put_meta(&mut taking.batch, "grants", &taking.grants);
        for (key, _) in self.documents().into_iter().filter(|(key, _)| !taking.grants.may_read(key)) {
            self.forget(&mut taking.batch, &key)?;
            self.forget_lost_ground(&mut taking.batch, &key)?;
            taking.records.push((key.id(self.cooperative), None));
            taking.received.forgotten.insert(key);
        }
        Ok(())
    }

    /// Goes on from what is kept now.
    fn go_on_from(&mut self, taking: Taking<'_>) -> Received {
        let Taking { page, reply, refused, grants, wanted, flow, records, mut received, .. } = taking;
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
        received.more = reply.more || !wanted.is_empty() || self.has_more_to_send();
        received
    }

    /// Takes out of memory what the batch under way forgets of a document.
    fn drop_document(&mut self, taking: &mut Taking<'_>, key: &DocumentKey) {
        let id = key.id(self.cooperative);
        self.unload(id);
        taking.before.push((id, self.records.remove(&id)));
        taking.dropped.insert(key.clone());
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
