//! Head reconciliation: when the cursor fits no log of the server, the server sends the heads of each document, and each
//! side then sends what the other lacks. It is Automerge's sync protocol without Bloom filters, for all documents at once: <https://automerge.org/automerge/automerge/sync/>.
//!
//! What the server lacks is kept as a [`Backfill`] of the document and sent before the outbox, each document whole: an
//! attestation covers the dependencies of its tips, so they must arrive together.

use std::collections::BTreeSet;

use super::rows::{BACKFILL, Backfill, RECONCILED, document_key, document_of};
use super::transaction::Transaction;
use super::{Replica, State, Wanted};
use crate::crdt::DocumentFault;
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::{ChangeHash, DocumentId};
use crate::planted;
use crate::protocol::aside::AsideReason;
use crate::protocol::attestation::covered;
use crate::protocol::messages::{Cursor, DocumentHeads, Receipt, Tags, WalkMode, write_message};
use crate::schema::DocumentKey;
use crate::store::{Store, StoreFault};

/// A cursor that no server issues. It fits no log, so both sides reconcile.
pub(super) const UNKNOWN: Cursor = Cursor {
    position: u64::MAX,
    receipt: Receipt::None,
    tags: Tags { position: 0, receipt: 0 },
    grants_version: 0,
    walk: None,
};

pub(super) fn is_reconciling(cursor: &Cursor) -> bool {
    *cursor == UNKNOWN || cursor.walk.is_some_and(|walk| walk.mode == WalkMode::Reconcile)
}

impl State {
    /// Counts the rows of backfills and their changes. Unreadable rows have no changes; opening removes and reports them.
    pub(super) fn count_backfills(&mut self, store: &dyn Store) -> Result<(), StoreFault> {
        let rows = store.scan_all(&[BACKFILL])?;
        let read = rows.iter().filter_map(|row| Backfill::read(row.value.as_deref()?));
        self.backfill_changes = read.map(|(_, backfill)| backfill.changes).fold(0, u64::saturating_add);
        self.backfills = rows.len() as u64;
        Ok(())
    }
}

impl Replica {
    /// True while this phone and the server reconcile.
    pub fn is_reconciling(&self) -> bool {
        is_reconciling(&self.state.cursor)
    }
}

impl Transaction<'_> {
    /// Compares documents with the server's heads: notes what the server lacks, and has fetched what this phone lacks.
    pub(super) fn reconcile(&mut self, heads: &[DocumentHeads], wanted: &mut Wanted) -> Result<(), Error> {
        for theirs in heads {
            let Ok(key) = DocumentKey::from_bytes(&theirs.key) else {
                // A later version of the server may have kinds of documents that are not known here.
                tracing::warn!(key = ?theirs.key, "the server has a document of no known kind");
                continue;
            };
            self.put(document_key(RECONCILED, self.id_of(&key)), Vec::new());
            let Some(document) = self.document(&key)? else {
                wanted.insert(theirs.key.clone(), 0);
                continue;
            };
            let mut same = theirs.heads.clone();
            same.sort_unstable();
            if document.heads() == same {
                continue;
            }
            let known: Vec<ChangeHash> = theirs.heads.iter().copied().filter(|hash| document.has(*hash)).collect();
            if known.len() < theirs.heads.len() {
                wanted.insert(theirs.key.clone(), 0);
            }
            self.note_backfill(&key, known, wanted)?;
        }
        Ok(())
    }

    /// Ends a reconciliation: the server lacks the documents that it did not name.
    pub(super) fn end_reconciliation(&mut self, wanted: &mut Wanted) -> Result<(), Error> {
        let mut named: BTreeSet<DocumentId> = BTreeSet::new();
        for row in self.scan(&[RECONCILED])? {
            named.extend(document_of(&row.key));
            self.remove(row.key);
        }
        for key in self.keys() {
            if !named.contains(&self.id_of(&key)) && !planted!("unknown_documents_are_not_given_back") {
                self.note_backfill(&key, Vec::new(), wanted)?;
            }
        }
        Ok(())
    }

    fn note_backfill(&mut self, key: &DocumentKey, known: Vec<ChangeHash>, wanted: &mut Wanted) -> Result<(), Error> {
        self.end_backfill(key)?;
        self.put_backfill_or_drop(key, Backfill::of(key, known), wanted)
    }

    /// Notes a backfill; where this device may send nothing of it, its own changes in it are lost.
    pub(super) fn put_backfill_or_drop(
        &mut self,
        key: &DocumentKey,
        backfill: Backfill,
        wanted: &mut Wanted,
    ) -> Result<(), Error> {
        if self.put_backfill(key, &backfill)? {
            return Ok(());
        }
        self.drop_unsendable(key, &backfill, &BTreeSet::new(), wanted)
    }

    /// Notes that the server lacks the changes after these heads; false when this device may send none of them.
    fn put_backfill(&mut self, key: &DocumentKey, backfill: &Backfill) -> Result<bool, Error> {
        let changes = self.sendable(key, &backfill.known, backfill.proven_only)?.len() as u64;
        if changes == 0 {
            return Ok(false);
        }
        let counted = Backfill { changes, ..backfill.clone() };
        self.put(document_key(BACKFILL, self.id_of(key)), write_message(&counted));
        self.state.backfills = self.state.backfills.saturating_add(1);
        self.state.backfill_changes = self.state.backfill_changes.saturating_add(changes);
        Ok(true)
    }

    /// The server refused a backfill with others' changes that it never attested: it goes again without them.
    pub(super) fn give_back_what_is_proven(&mut self, key: &DocumentKey, wanted: &mut Wanted) -> Result<(), Error> {
        let Some(backfill) = self.end_backfill(key)? else { return Ok(()) };
        self.put_backfill_or_drop(key, Backfill { proven_only: true, ..backfill }, wanted)
    }

    /// Notes a backfill of changes that were cut off from a damaged document and are part of it again, since no
    /// reconciliation saw them. `known` are the heads without them.
    pub(super) fn backfill_what_was_cut_off(&mut self, key: &DocumentKey, known: &[ChangeHash]) -> Result<(), Error> {
        if self.get(&document_key(BACKFILL, self.id_of(key)))?.is_none()
            && !planted!("cut_off_changes_are_not_given_back")
        {
            self.put_backfill(key, &Backfill { is_guess: true, ..Backfill::of(key, known.to_vec()) })?;
        }
        Ok(())
    }

    /// Deletes a document's backfill, and gives it; none without one that can be read.
    pub(super) fn end_backfill(&mut self, key: &DocumentKey) -> Result<Option<Backfill>, Error> {
        let row = document_key(BACKFILL, self.id_of(key));
        let Some(value) = self.get(&row)? else { return Ok(None) };
        let backfill = Backfill::read(&value).map(|(_, backfill)| backfill);
        if backfill.is_none() {
            tracing::error!(key = ?row, "a backfill can't be read; it is deleted");
        }
        let changes = backfill.as_ref().map_or(0, |backfill| backfill.changes);
        self.state.backfills = self.state.backfills.saturating_sub(1);
        self.state.backfill_changes = self.state.backfill_changes.saturating_sub(changes);
        self.remove(row);
        Ok(backfill)
    }

    /// Quarantines this device's own changes of a backfill, but for `returned`, when it may not write there any more:
    /// the server lost them and accepts them from nobody. The document is fetched as others have it. Of a document that it
    /// may not read either, such as a former household's, the server tells nothing, so nothing says that it lost any; what
    /// is unsent of it stays in the outbox. Where it is only a guess that the server lost them, it is asked for its heads.
    pub(super) fn drop_unsendable(
        &mut self,
        key: &DocumentKey,
        backfill: &Backfill,
        returned: &BTreeSet<ChangeHash>,
        wanted: &mut Wanted,
    ) -> Result<(), Error> {
        if self.state.grants.may_write(key) || !self.state.grants.may_read(key) {
            return Ok(());
        }
        let device = self.replica.device;
        let Some(document) = self.document(key)? else { return Ok(()) };
        let known: Vec<ChangeHash> = backfill.known.iter().copied().filter(|hash| document.has(*hash)).collect();
        let mut lost = document.changes_since(&known)?;
        lost.retain(|change| device.owns(&change.record().actor) && !returned.contains(&change.hash()));
        if lost.is_empty() {
            return Ok(());
        }
        if backfill.is_guess {
            self.must_reconcile = true;
            return Ok(());
        }
        for change in &lost {
            self.quarantine(key, change, AsideReason::Lost, true)?;
            self.write_under_another_actor(change);
        }
        self.forget(key)?;
        wanted.insert(key.to_bytes(), 0);
        Ok(())
    }

    /// The changes after these heads that this device may send: on a coordinator's phone all, on others those that the
    /// server has attested, the device's own where it may write and, unless `proven_only`, others' changes without a proof,
    /// which the server keeps apart for a coordinator.
    pub(super) fn sendable(
        &mut self,
        key: &DocumentKey,
        known: &[ChangeHash],
        proven_only: bool,
    ) -> Result<Vec<VerifiedChange>, Error> {
        let attestations = self.attestations(key);
        let Some(document) = self.document(key)?.filter(|_| !planted!("nothing_is_given_back")) else {
            return Ok(Vec::new());
        };
        let known: Vec<ChangeHash> = known.iter().copied().filter(|hash| document.has(*hash)).collect();
        let mut missing = document.changes_since(&known)?;
        if self.state.grants.is_coordinator() {
            return Ok(missing);
        }
        let attested = covered(&missing, attestations.into_iter().flat_map(|attestation| attestation.tips));
        let (device, may_write) = (self.replica.device, self.state.grants.may_write(key));
        missing.retain(|change| {
            let actor = &change.record().actor;
            let may_go = if device.owns(actor) { may_write } else { !proven_only };
            attested.contains(&change.hash()) || actor.is_genesis() || may_go
        });
        let is_bare =
            |change: &VerifiedChange| change.record().actor.is_genesis() && !attested.contains(&change.hash());
        if !may_write && missing.iter().all(is_bare) {
            missing.clear();
        }
        Ok(missing)
    }

    /// True when some of these changes are another's, and nothing proves that the server had them.
    pub(super) fn has_unproven(&self, key: &DocumentKey, changes: &[VerifiedChange]) -> bool {
        if self.state.grants.is_coordinator() {
            return false;
        }
        let attestations = self.attestations(key);
        let attested = covered(changes, attestations.into_iter().flat_map(|attestation| attestation.tips));
        let is_of_others = |change: &VerifiedChange| {
            !change.record().actor.is_genesis() && !self.replica.device.owns(&change.record().actor)
        };
        changes.iter().any(|change| is_of_others(change) && !attested.contains(&change.hash()))
    }

    /// The backfills, by document.
    pub(super) fn backfills(&self) -> Result<Vec<(DocumentKey, Backfill)>, Error> {
        let rows = self.scan(&[BACKFILL])?;
        let read = rows.into_iter().map(|row| {
            let backfill = row.value.as_deref().and_then(Backfill::read);
            backfill.ok_or_else(|| DocumentFault::Damaged("backfill").into())
        });
        read.collect()
    }
}
