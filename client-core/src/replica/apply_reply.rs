//! Applies replies: each is one transaction, with its cursor.

use std::collections::{BTreeMap, BTreeSet};

use super::attested::Codes;
use super::outbox_page::{OutboxPage, PageDocument};
use super::reconcile::is_reconciling;
use super::transaction::Transaction;
use super::{Replica, Wanted, wanted_list};
use crate::error::Error;
use crate::ids::ChangeHash;
use crate::planted;
use crate::protocol::aside::AsideReason;
use crate::protocol::attestation::tips;
use crate::protocol::bundle::{DocumentChanges, read_bundle};
use crate::protocol::messages::{Fetch, RefusalReason, SyncReply};
use crate::schema::DocumentKey;

/// Documents that one request fetches whole at most.
const FETCH_MAX: usize = 256;

/// A refused change of a document, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuarantineNotice {
    /// The document.
    pub key: DocumentKey,
    /// Why.
    pub reason: AsideReason,
}

/// What a reply changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Documents that changed.
    pub changed: BTreeSet<DocumentKey>,
    /// Documents that were forgotten, since the device may not read them any more, or since they were erased.
    pub forgotten: BTreeSet<DocumentKey>,
    /// Of them, those that were erased for good: nobody has them any more.
    pub erased: BTreeSet<DocumentKey>,
    /// Changes that the server or this phone refused.
    pub quarantined: Vec<QuarantineNotice>,
    /// Why the server takes some of what waits only later; none when it does not hold anything back for long.
    pub held_back: Option<RefusalReason>,
    /// True when there is more to read or to send now.
    pub more: bool,
}

/// Changes of one document, with the tips under the server's code; no tips for changes that the server did not send.
type Incoming = (DocumentChanges, Vec<ChangeHash>);

fn with_tips(document: DocumentChanges) -> Incoming {
    let tips = tips(&document.changes);
    (document, tips)
}

/// True for a backfill that goes again without others' changes that nothing proves: the server takes none of them.
fn goes_again_without(document: &PageDocument, reason: RefusalReason) -> bool {
    document.has_unproven && matches!(reason, RefusalReason::ForeignActor | RefusalReason::MayNotWrite)
}

/// A reply that is being applied.
struct Applying<'a> {
    transaction: Transaction<'a>,
    page: &'a OutboxPage,
    reply: &'a SyncReply,
    /// Refused documents of the page, by their place in it.
    refused: &'a BTreeMap<usize, RefusalReason>,
    /// The server's codes that are not matched with a document yet.
    codes: Codes<'a>,
    wanted: Wanted,
    /// Documents that the reply says were erased: they stand in it without changes.
    erased: BTreeSet<DocumentKey>,
    received: Received,
}

impl Replica {
    /// The documents to fetch whole with the next request.
    pub fn fetches(&self) -> Result<Vec<Fetch>, Error> {
        let wanted = self.wanted()?.into_iter().take(FETCH_MAX);
        Ok(wanted.map(|(key, through)| Fetch { key, through }).collect())
    }

    /// Applies the reply to the request with `page` and `fetches`: all of it, or nothing on failure.
    pub fn receive(&mut self, page: &OutboxPage, fetches: &[Fetch], reply: &SyncReply) -> Result<Received, Error> {
        let refused: BTreeMap<usize, RefusalReason> = reply
            .refused
            .iter()
            .filter_map(|refusal| Some((usize::try_from(refusal.document).ok()?, refusal.reason)))
            .collect();
        let mut received = self.apply(page, &refused, fetches, reply)?;
        if !received.forgotten.is_empty() || reply.grants.is_some() {
            self.scrub();
        }
        self.note_blocked(page, &refused);
        self.take_notices(&reply.notices, &mut received)?;
        if reply.grants.is_some() {
            received.changed.extend(self.send_again_what_is_granted()?);
        }
        received.more |= reply.more || self.has_more_to_send();
        Ok(received)
    }

    fn apply(
        &mut self,
        page: &OutboxPage,
        refused: &BTreeMap<usize, RefusalReason>,
        fetches: &[Fetch],
        reply: &SyncReply,
    ) -> Result<Received, Error> {
        let incoming = match reply.bundle.as_slice() {
            [] => Vec::new(),
            bundle => read_bundle(bundle).map_err(|fault| Error::BadReply(fault.to_string()))?,
        };
        // The server's codes cover what it sent, so the tips are computed before anything is added.
        let mut incoming: Vec<Incoming> = incoming.into_iter().map(with_tips).collect();
        let codes = Codes::of(&reply.attestations, incoming.len());
        let is_erased = |(document, _): &&Incoming| document.changes.is_empty();
        let erased = incoming.iter().filter(is_erased).map(|(document, _)| document.key.clone()).collect();
        let wanted = self.wanted()?;
        let mut applying = Applying {
            transaction: Transaction::begin(self),
            page,
            reply,
            refused,
            codes,
            wanted,
            erased,
            received: Received::default(),
        };
        if let Some(grants) = &reply.grants {
            applying.transaction.state.grants = grants.clone();
        }
        applying.settle_page(&mut incoming)?;
        applying.take_documents(incoming)?;
        applying.note_fetched(fetches);
        if reply.reconciles {
            applying.transaction.reconcile(&reply.heads, &mut applying.wanted)?;
            if !is_reconciling(&reply.cursor) {
                applying.transaction.end_reconciliation(&mut applying.wanted)?;
            }
        }
        applying.forget_unreadable()?;
        let Applying { mut transaction, wanted, mut received, .. } = applying;
        transaction.put_meta("wanted", &wanted_list(&wanted));
        let mut cursor = reply.cursor;
        if !transaction.forgotten.is_empty() && !planted!("forgetful_replica_keeps_its_chain") {
            // The server must give back what this replica has sent itself, once it is admitted.
            cursor.receipt = cursor.receipt.without_chain();
        }
        transaction.set_cursor(cursor);
        received.more = !wanted.is_empty() || transaction.must_reconcile;
        transaction.commit()?;
        Ok(received)
    }

    /// Remembers the documents of which the server refuses changes for now.
    fn note_blocked(&mut self, page: &OutboxPage, refused: &BTreeMap<usize, RefusalReason>) {
        for (index, document) in page.documents.iter().enumerate() {
            let is_blocked = refused.get(&index).is_some_and(|reason| {
                reason.may_pass_later() || (document.backfill.is_some() && !goes_again_without(document, *reason))
            });
            match is_blocked {
                true => self.blocked.insert(document.key.clone()),
                false => self.blocked.remove(&document.key),
            };
        }
    }
}

impl Applying<'_> {
    fn notify_quarantined(&mut self, key: &DocumentKey, reason: AsideReason) {
        self.received.quarantined.push(QuarantineNotice { key: key.clone(), reason });
    }

    /// Applies the outcome of each document that was sent.
    fn settle_page(&mut self, incoming: &mut Vec<Incoming>) -> Result<(), Error> {
        for (index, document) in self.page.documents.iter().enumerate() {
            match (self.refused.get(&index).copied(), document.backfill.is_some()) {
                (None, _) => self.acknowledge(document, incoming)?,
                (Some(RefusalReason::Erased), _) => self.erase(&document.key)?,
                (Some(reason), _) if reason.may_pass_later() => {
                    self.received.held_back = self.received.held_back.or(Some(reason).filter(|it| it.keeps_waiting()));
                }
                (Some(reason), true) if goes_again_without(document, reason) => {
                    self.transaction.give_back_what_is_proven(&document.key, &mut self.wanted)?;
                }
                // The grants have changed. With them, the next reconciliation finds what may be sent.
                (Some(RefusalReason::MayNotWrite), true) => {}
                (Some(reason @ RefusalReason::ForeignActor), true) => {
                    self.transaction.end_backfill(&document.key)?;
                    self.notify_quarantined(&document.key, AsideReason::Refused(reason));
                }
                (Some(reason), _) => self.refuse(document, reason)?,
            }
        }
        Ok(())
    }

    fn acknowledge(&mut self, document: &PageDocument, incoming: &mut Vec<Incoming>) -> Result<(), Error> {
        let PageDocument { key, numbers, backfill, .. } = document;
        let is_here = self.transaction.record(self.transaction.id_of(key)).is_some();
        let mut taken = Vec::new();
        for number in numbers {
            if !is_here {
                taken.extend(self.transaction.unsent_at(*number)?);
            }
            self.transaction.leave_outbox(*number)?;
        }
        if let Some(returned) = backfill
            && let Some(backfill) = self.transaction.end_backfill(key)?
        {
            self.transaction.drop_unsendable(key, &backfill, returned, &mut self.wanted)?;
        }
        // The document was forgotten meanwhile, and the feed leaves out a replica's own changes.
        if !taken.is_empty() && !planted!("forgotten_document_lacks_what_is_acknowledged") {
            match incoming.iter_mut().find(|(other, _)| other.key == *key) {
                Some((other, _)) => other.changes.extend(taken),
                None => incoming.push((DocumentChanges { key: key.clone(), changes: taken }, Vec::new())),
            }
        }
        Ok(())
    }

    /// Quarantines the refused changes with all that depend on them, and has the document fetched as others have it.
    fn refuse(&mut self, document: &PageDocument, reason: RefusalReason) -> Result<(), Error> {
        let key = &document.key;
        self.transaction.quarantine_unsent(key, reason)?;
        self.transaction.forget(key)?;
        if !planted!("refused_document_does_not_come_again") {
            self.wanted.insert(key.to_bytes(), 0);
        }
        self.received.changed.insert(key.clone());
        self.notify_quarantined(key, AsideReason::Refused(reason));
        Ok(())
    }

    /// Deletes a document that was erased, and tells the person if something of theirs went with it.
    fn erase(&mut self, key: &DocumentKey) -> Result<(), Error> {
        if self.transaction.erase(key)? {
            self.notify_quarantined(key, AsideReason::Refused(RefusalReason::Erased));
        }
        self.wanted.remove(&key.to_bytes());
        self.received.forgotten.insert(key.clone());
        self.received.erased.insert(key.clone());
        Ok(())
    }

    /// Applies the documents of the reply.
    fn take_documents(&mut self, incoming: Vec<Incoming>) -> Result<(), Error> {
        let skipped = usize::from(planted!("first_document_of_a_reply_is_skipped") && incoming.len() > 2);
        for (document, tips) in incoming.into_iter().skip(skipped) {
            let (key, code) = (document.key.clone(), self.codes.next());
            if self.erased.contains(&key) {
                self.erase(&key)?;
                continue;
            }
            // A document that was forgotten is fetched whole.
            if !self.transaction.state.grants.may_read(&key) || self.was_forgotten(&key) {
                continue;
            }
            match self.transaction.take(document)? {
                Ok(is_changed) => {
                    self.transaction.attest(&key, tips, code)?;
                    if is_changed {
                        self.received.changed.insert(key);
                    }
                }
                Err(fault) => self.notify_quarantined(&key, AsideReason::from(&fault)),
            }
        }
        Ok(())
    }

    /// True for a document that this reply's outcome has forgotten: what the reply holds of it is a part of what is fetched now.
    fn was_forgotten(&self, key: &DocumentKey) -> bool {
        self.transaction.forgotten.contains(key)
    }

    /// Notes how far each fetch has got.
    fn note_fetched(&mut self, fetches: &[Fetch]) {
        for (fetch, fetched) in fetches.iter().zip(&self.reply.fetched) {
            let key = DocumentKey::from_bytes(&fetch.key).ok();
            if key.is_some_and(|key| self.was_forgotten(&key)) {
                continue;
            }
            if fetched.complete {
                self.wanted.remove(&fetch.key);
            } else if let Some(through) = self.wanted.get_mut(&fetch.key) {
                *through = fetched.through;
            }
        }
    }

    /// Forgets the documents that the device may not read any more.
    fn forget_unreadable(&mut self) -> Result<(), Error> {
        if self.reply.grants.is_none() || planted!("ended_grant_leaves_documents") {
            return Ok(());
        }
        let grants = self.transaction.state.grants.clone();
        self.transaction.put_meta("grants", &grants);
        let listed = self.transaction.replica.listed()?;
        if listed != self.reply.listed {
            self.transaction.put_meta("listed", &self.reply.listed);
            // A household's name goes with the right to know it. What only came needs no sweeping.
            let told: BTreeSet<_> = self.reply.listed.iter().collect();
            if listed.iter().any(|one| !told.contains(one)) {
                self.transaction.leave_nothing_of_what_goes();
            }
        }
        for key in self.transaction.keys().into_iter().filter(|key| !grants.may_read(key)) {
            self.transaction.forget(&key)?;
            self.received.forgotten.insert(key);
        }
        Ok(())
    }
}
