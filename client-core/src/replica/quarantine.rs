//! Quarantine: a change that the server or this phone refuses is kept with its reason, apart from its document. Own ones count
//! as not delivered until they come back in their document, because a coordinator has taken them in, or go out again after a
//! grant. Until then lists show their lots, marked.

use std::collections::{BTreeMap, BTreeSet};

use super::orphans::split_by_dependencies;
use super::rows::{QUARANTINED, Quarantined, quarantine_key, quarantine_prefix};
use super::transaction::Transaction;
use super::{QuarantineNotice, Received, Replica, State, Wanted, wanted_list};
use crate::crdt::DocumentFault;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::{ChangeHash, DeviceId};
use crate::planted;
use crate::protocol::aside::AsideReason;
use crate::protocol::bundle::DocumentChanges;
use crate::protocol::messages::{Notice, RefusalReason, read_message, write_message};
use crate::schema::harvest::{Lot, LotKey, touched};
use crate::schema::{Document, DocumentKey, harvest};
use crate::store::{Row, Store, StoreFault};
use crate::words::Phrase;

impl Quarantined {
    /// The document of the change; none when this version does not know its kind.
    pub fn document(&self) -> Option<DocumentKey> {
        DocumentKey::from_bytes(&self.key).ok()
    }
}

/// A document with the own changes that were quarantined, as lists show it.
#[derive(Debug)]
pub struct Undelivered {
    /// The document, with those of the changes that can be applied.
    pub document: Document,
    /// Why lots are not delivered: of each that such a change records or edits.
    pub lots: BTreeMap<LotKey, AsideReason>,
    /// Lots that can't be shown in their document, since what they build on is not here: of a household that this phone belonged
    /// to before.
    pub apart: Vec<Lot>,
}

/// A quarantined change with its document; none for a row that can't be read, which is reported.
fn read(row: &Row) -> Option<(DocumentKey, Quarantined, VerifiedChange)> {
    let read = || {
        let quarantined: Quarantined = read_message(row.value.as_deref()?).ok()?;
        let change = VerifiedChange::from_chunk(&quarantined.chunk).ok()?;
        Some((quarantined.document()?, quarantined, change))
    };
    let read = read();
    if read.is_none() {
        tracing::error!(row = ?row.key, "a quarantined change can't be read; it stays in its row");
    }
    read
}

impl State {
    /// Counts the own changes that are quarantined. One that can't be read counts: nobody knows that it is another's.
    pub(super) fn count_quarantined(&mut self, store: &dyn Store, device: DeviceId) -> Result<(), StoreFault> {
        let rows = store.scan_all(&[QUARANTINED])?;
        let is_own = |row: &&Row| read(row).is_none_or(|(_, _, change)| device.owns(&change.record().actor));
        self.undelivered = rows.iter().filter(is_own).count() as u64;
        Ok(())
    }
}

impl Transaction<'_> {
    fn is_own(&self, change: &VerifiedChange) -> bool {
        self.replica.device.owns(&change.record().actor)
    }

    /// Keeps a change in quarantine; not the first one of a document, which is the same everywhere.
    pub(super) fn quarantine(
        &mut self,
        key: &DocumentKey,
        change: &VerifiedChange,
        reason: AsideReason,
        needs_grant: bool,
    ) -> Result<(), Error> {
        if change.record().actor.is_genesis() {
            return Ok(());
        }
        let row = Quarantined { key: key.to_bytes(), reason, needs_grant, chunk: change.chunk().to_vec() };
        let stored = quarantine_key(self.id_of(key), change.hash());
        if self.is_own(change) && self.get(&stored)?.is_none() {
            self.state.undelivered = self.state.undelivered.saturating_add(1);
        }
        self.put(stored, write_message(&row));
        Ok(())
    }

    /// Ends the quarantine of a change, where it was in one.
    pub(super) fn end_quarantine(&mut self, key: &DocumentKey, change: &VerifiedChange) -> Result<(), Error> {
        let stored = quarantine_key(self.id_of(key), change.hash());
        if self.state.undelivered > 0 && self.get(&stored)?.is_some() {
            self.remove(stored);
            if self.is_own(change) {
                self.state.undelivered = self.state.undelivered.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// Deletes a row of the quarantine, also one that can't be read.
    pub(super) fn remove_quarantined(&mut self, row: &Row) {
        if read(row).is_none_or(|(.., change)| self.is_own(&change)) {
            self.state.undelivered = self.state.undelivered.saturating_sub(1);
        }
        self.remove(row.key.clone());
    }

    /// Moves all unsent changes of a document into quarantine, since later ones depend on the refused ones.
    pub(super) fn quarantine_unsent(&mut self, key: &DocumentKey, reason: RefusalReason) -> Result<(), Error> {
        let most = if planted!("only_the_first_refused_change_is_quarantined") { 1 } else { usize::MAX };
        let needs_grant = reason == RefusalReason::MayNotWrite;
        for (number, change) in self.unsent_of(key)?.into_iter().take(most) {
            self.quarantine(key, &change, AsideReason::Refused(reason), needs_grant)?;
            self.leave_outbox(number)?;
            self.write_under_another_actor(&change);
        }
        Ok(())
    }

    /// Later edits take other numbers than a refused change has, which may still be taken in.
    pub(super) fn write_under_another_actor(&mut self, refused: &VerifiedChange) {
        let replica = &mut self.replica;
        if refused.record().actor == replica.device.actor(replica.incarnation) {
            replica.incarnation = replica.incarnation.after(refused.hash());
        }
    }

    /// Takes the noticed changes, and what builds on them, out of their document. Returns false when the document has none
    /// of them.
    fn quarantine_noticed(&mut self, key: &DocumentKey, notice: &Notice, wanted: &mut Wanted) -> Result<bool, Error> {
        let Some(document) = self.document(key)? else { return Ok(false) };
        let mut gone: BTreeSet<ChangeHash> = BTreeSet::new();
        let (mut changes, mut kept) = (Vec::new(), Vec::new());
        for change in document.changes_since(&[])? {
            let builds_on = change.record().dependencies.iter().any(|hash| gone.contains(hash));
            if !change.record().actor.is_genesis()
                && (builds_on || notice.changes.iter().any(|range| range.has(&change)))
            {
                gone.insert(change.hash());
                changes.push(change);
            } else {
                kept.push(change);
            }
        }
        if changes.is_empty() {
            return Ok(false);
        }
        for change in &changes {
            self.quarantine(key, change, notice.reason, false)?;
            self.write_under_another_actor(change);
        }
        for (number, change) in self.unsent_of(key)? {
            if gone.contains(&change.hash()) {
                self.leave_outbox(number)?;
            }
        }
        let backfill = self.end_backfill(key)?;
        self.forget(key)?;
        // What is left stays in view until the document comes.
        let _ = self.take(DocumentChanges { key: key.clone(), changes: kept })?;
        wanted.insert(key.to_bytes(), 0);
        // The server lacks what it lacked before.
        if let Some(backfill) = backfill {
            self.put_backfill_or_drop(key, backfill, wanted)?;
        }
        Ok(true)
    }
}

impl Replica {
    /// How many own changes were set aside, by the server or here, and are not delivered.
    pub fn undelivered(&self) -> u64 {
        self.state.undelivered
    }

    /// Documents that have quarantined changes of this device.
    pub fn undelivered_documents(&self) -> Result<BTreeSet<DocumentKey>, Error> {
        if self.state.undelivered == 0 {
            return Ok(BTreeSet::new());
        }
        let rows = self.store.scan_all(&[QUARANTINED])?;
        let own = rows.iter().filter_map(read).filter(|(.., change)| self.device.owns(&change.record().actor));
        Ok(own.map(|(key, ..)| key).collect())
    }

    /// The own quarantined changes by document, each after its dependencies.
    pub(super) fn undelivered_changes(&self) -> Result<BTreeMap<DocumentKey, Vec<VerifiedChange>>, Error> {
        let mut all: BTreeMap<DocumentKey, Vec<VerifiedChange>> = BTreeMap::new();
        for (key, _, change) in self.store.scan_all(&[QUARANTINED])?.iter().filter_map(read) {
            if self.device.owns(&change.record().actor) {
                all.entry(key).or_default().push(change);
            }
        }
        Ok(all.into_iter().map(|(key, changes)| (key, in_order(changes))).collect())
    }

    /// A document with its own undelivered changes; none when it has none.
    pub fn undelivered_in(&mut self, key: &DocumentKey) -> Result<Option<Undelivered>, Error> {
        if self.state.undelivered == 0 {
            return Ok(None);
        }
        let rows = self.store.scan_all(&quarantine_prefix(key.id(self.cooperative)))?;
        let device = self.device;
        let own: Vec<_> =
            rows.iter().filter_map(read).filter(|(.., change)| device.owns(&change.record().actor)).collect();
        if own.is_empty() {
            return Ok(None);
        }
        let mut document = match self.document(key)? {
            Some(document) => document.clone(),
            None => Document::new(key.clone())?,
        };
        let mut lots = BTreeMap::new();
        for (_, quarantined, change) in &own {
            lots.extend(touched(change.record()).into_iter().map(|lot| (lot, quarantined.reason)));
        }
        let changes = own.into_iter().map(|(.., change)| change).collect();
        let (ready, unready) = split_by_dependencies(&mut document, changes);
        // Changes that do harm are counted and told, but can't be shown.
        let document = document.trial(&ready).unwrap_or(document);
        // A change may touch other objects than lots.
        let mut apart = harvest::lots_apart(in_order(unready).iter().map(VerifiedChange::record));
        apart.retain(|lot| harvest::lot(&document, &lot.key).is_none());
        lots.retain(|lot, _| harvest::lot(&document, lot).is_some() || apart.iter().any(|apart| apart.key == *lot));
        Ok(Some(Undelivered { document, lots, apart }))
    }

    /// Sets aside what the server set aside after it had acknowledged it, and has the document fetched as others have it.
    pub(super) fn take_notices(&mut self, notices: &[Notice], received: &mut Received) -> Result<(), Error> {
        for notice in notices {
            let Ok(key) = DocumentKey::from_bytes(&notice.key) else {
                tracing::error!(reason = notice.reason.code(), "a notice is about no known document");
                continue;
            };
            let mut wanted = self.wanted()?;
            let knows = !self.store.scan(&quarantine_prefix(key.id(self.cooperative)), None, 1)?.is_empty();
            let mut transaction = Transaction::begin(self);
            let mut is_new = !knows;
            if transaction.quarantine_noticed(&key, notice, &mut wanted)? {
                transaction.put_meta("wanted", &wanted_list(&wanted));
                // What this replica sent must be given back to it: the document does not hold it any more.
                let mut cursor = transaction.state.cursor;
                cursor.receipt = cursor.receipt.without_chain();
                transaction.set_cursor(cursor);
                received.changed.insert(key.clone());
                received.more = true;
                is_new = true;
            }
            transaction.commit()?;
            // What the server kept of a refused document is told with the refusal already.
            if is_new {
                received.quarantined.push(QuarantineNotice { key, reason: notice.reason });
            }
        }
        Ok(())
    }

    /// Puts quarantined changes back into the outbox that only lacked a grant, once the device may write their documents.
    pub(super) fn send_again_what_is_granted(&mut self) -> Result<BTreeSet<DocumentKey>, Error> {
        let mut again: BTreeMap<DocumentKey, Vec<VerifiedChange>> = BTreeMap::new();
        for (key, quarantined, change) in self.store.scan_all(&[QUARANTINED])?.iter().filter_map(read) {
            if quarantined.needs_grant && self.state.grants.may_write(&key) {
                again.entry(key).or_default().push(change);
            }
        }
        let keys = again.keys().cloned().collect();
        for (key, changes) in again {
            let mut transaction = Transaction::begin(self);
            for change in &changes {
                transaction.end_quarantine(&key, change)?;
            }
            let first = Document::first_change(&key)?;
            let mut changes = in_order(changes);
            if changes.iter().any(|change| change.record().dependencies.contains(&first.hash())) {
                changes.insert(0, first);
            }
            transaction.enqueue(&key, &changes);
            if let Err(fault) = transaction.take(DocumentChanges { key, changes })? {
                tracing::error!(%fault, "changes that may be sent again can't be applied here");
            }
            transaction.commit()?;
        }
        Ok(keys)
    }
}

/// Changes of one document, each after those of its dependencies that are among them.
fn in_order(changes: Vec<VerifiedChange>) -> Vec<VerifiedChange> {
    let mut open = changes;
    let mut ordered = Vec::with_capacity(open.len());
    while !open.is_empty() {
        let left: BTreeSet<ChangeHash> = open.iter().map(VerifiedChange::hash).collect();
        let waits = |change: &VerifiedChange| change.record().dependencies.iter().any(|hash| left.contains(hash));
        let (later, now): (Vec<_>, Vec<_>) = open.into_iter().partition(waits);
        if now.is_empty() {
            // A cycle can't be: each change is named by a hash over its dependencies.
            ordered.extend(later);
            break;
        }
        ordered.extend(now);
        open = later;
    }
    ordered
}

/// A fault of a lot that is shown, but in no document.
pub(crate) fn not_taken_in() -> DocumentFault {
    DocumentFault::NotNow(Phrase::new(
        "not-taken-in",
        "the server has not taken this lot in yet; ask a coordinator before it is changed",
        "服务器还没有收下这一批，修改之前请找协调员",
    ))
}
