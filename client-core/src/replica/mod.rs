//! The phone's replica: its documents, the outbox of unacknowledged changes, and the cursor. An edit is durable when it
//! returns. Each page of a sync is written in one batch with its cursor, so a broken line costs at most one page.
//!
//! A replica edits under one actor for as long as it is open: an [`Incarnation`] of its device. Copies of its files never
//! share an actor, so an actor and a sequence name one change for ever.
//!
//! Every step is a [`Transaction`](transaction). `rows` draws what the store holds.

mod apply_reply;
mod attested;
mod documents;
mod erasure;
mod orphans;
mod outbox;
mod outbox_page;
mod parts;
mod quarantine;
mod reconcile;
mod recovery;
mod rows;
mod take_back;
mod transaction;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use apply_reply::{QuarantineNotice, Received};
use documents::Documents;
pub use outbox_page::{OutboxPage, PageDocument};
pub use quarantine::Undelivered;
pub(crate) use quarantine::not_taken_in;
pub use recovery::Damage;
pub use rows::Quarantined;
pub(crate) use rows::{put_meta, read_meta};
pub use take_back::TakenBack;
use transaction::Transaction;

use crate::crdt::change::VerifiedChange;
use crate::crdt::{DocumentFault, PART_BYTES};
use crate::error::Error;
use crate::ids::{ActorId, CooperativeId, DeviceId, Incarnation};
use crate::planted;
use crate::protocol::messages::Cursor;
use crate::quantities::Instant;
use crate::schema::access::{Grants, ListedHousehold};
use crate::schema::harvest::{LotKey, touched};
use crate::schema::{Document, DocumentKey};
use crate::store::Store;
use automerge::AutoCommit;

/// Documents to fetch whole, by the bytes of their keys, with the position of the log up to which each has arrived.
type Wanted = BTreeMap<Vec<u8>, u64>;

/// The form in which [`Wanted`] is kept.
fn wanted_list(wanted: &Wanted) -> Vec<(&serde_bytes::Bytes, u64)> {
    wanted.iter().map(|(key, through)| (serde_bytes::Bytes::new(key), *through)).collect()
}

/// The outcome of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited<R> {
    /// The value that the edit returned.
    pub value: R,
    /// The document's revision before the edit; none for a document that it began.
    pub before: Option<u64>,
    /// The lots that the edit may have touched.
    pub touched: BTreeSet<LotKey>,
}

/// An edit of one document, of several that are made together.
pub struct DocumentEdit<'a> {
    /// The document.
    pub key: DocumentKey,
    /// The message of its change.
    pub message: Option<&'a str>,
    /// The edit.
    pub edit: BoxedEdit<'a>,
}

/// What an edit does to its document.
pub type BoxedEdit<'a> = Box<dyn FnOnce(&mut AutoCommit) -> Result<(), DocumentFault> + 'a>;

/// Single values that change with each transaction.
#[derive(Debug, Clone)]
struct State {
    cursor: Cursor,
    grants: Grants,
    /// The number of the next row of the outbox.
    outbox_next: u64,
    /// Rows of the outbox.
    unsent: u64,
    /// Of them, first changes of documents.
    beginnings: u64,
    /// Rows of backfills: documents of which the server lacks changes.
    backfills: u64,
    /// The changes of all backfills.
    backfill_changes: u64,
    /// Own changes that are quarantined.
    undelivered: u64,
}

/// See the module.
pub struct Replica {
    store: Arc<dyn Store>,
    cooperative: CooperativeId,
    device: DeviceId,
    incarnation: Incarnation,
    state: State,
    documents: Documents,
    /// Documents of which the server refuses changes for now, since too many are orphans there.
    blocked: BTreeSet<DocumentKey>,
    /// The size from which a book goes on in its next part.
    part_bytes: u64,
}

impl Replica {
    /// Opens the replica of this device, and returns what was found damaged. `incarnation` is drawn at random for this
    /// opening alone. Without a cursor everything is read again, which is idempotent.
    pub fn open(
        store: Arc<dyn Store>,
        cooperative: CooperativeId,
        device: DeviceId,
        grants: &Grants,
        incarnation: Incarnation,
    ) -> Result<(Self, Vec<Damage>), Error> {
        let mut state = State {
            cursor: read_meta(store.as_ref(), "cursor")?.unwrap_or_default(),
            grants: read_meta(store.as_ref(), "grants")?.unwrap_or_else(|| grants.clone()),
            outbox_next: 0,
            unsent: 0,
            beginnings: 0,
            backfills: 0,
            backfill_changes: 0,
            undelivered: 0,
        };
        state.count_outbox(store.as_ref())?;
        state.count_backfills(store.as_ref())?;
        state.count_quarantined(store.as_ref(), device)?;
        let incarnation = if planted!("phone_reuses_an_actor") { Incarnation::new(1) } else { incarnation };
        let (documents, mut damage) = Documents::read(store.as_ref(), cooperative)?;
        let mut replica = Self {
            store,
            cooperative,
            device,
            incarnation,
            state,
            documents,
            blocked: BTreeSet::new(),
            part_bytes: PART_BYTES,
        };
        damage.extend(replica.find_holes()?);
        damage.extend(replica.drop_unreadable_backfills()?);
        replica.scrub();
        Ok((replica, damage))
    }

    /// The co-operative.
    pub fn cooperative(&self) -> CooperativeId {
        self.cooperative
    }

    /// The device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// The actor of this opening's edits.
    pub fn actor(&self) -> ActorId {
        self.device.actor(self.incarnation)
    }

    /// What the device may do, as the server last said.
    pub fn grants(&self) -> &Grants {
        &self.state.grants
    }

    /// The households that a recorder's or a packer's device is told by name, as the server last listed them.
    pub fn listed(&self) -> Result<Vec<ListedHousehold>, Error> {
        Ok(read_meta(self.store.as_ref(), "listed")?.unwrap_or_default())
    }

    /// The position up to which the server's log was read.
    pub fn cursor(&self) -> Cursor {
        self.state.cursor
    }

    /// What a sync moves on: where one reply leaves all of this as it was, it has brought nothing.
    pub(crate) fn progress(&self) -> Result<impl PartialEq + use<>, Error> {
        let State { cursor, unsent, backfills, backfill_changes, .. } = self.state;
        Ok((cursor, unsent, backfills, backfill_changes, self.blocked.clone(), self.wanted()?))
    }

    /// The documents that are here with their revisions, in the order of their keys.
    pub fn documents(&self) -> Vec<(DocumentKey, u64)> {
        let records = self.documents.records();
        let mut documents: Vec<_> = records
            .filter_map(|(_, record)| Some((DocumentKey::from_bytes(&record.key).ok()?, record.revision)))
            .collect();
        documents.sort();
        documents
    }

    /// The revision of a document, which rises with every change; none when it is not here.
    pub fn revision(&self, key: &DocumentKey) -> Option<u64> {
        self.documents.record(key.id(self.cooperative)).map(|record| record.revision)
    }

    /// The document, loaded; none when it is not here.
    pub fn document(&mut self, key: &DocumentKey) -> Result<Option<&mut Document>, Error> {
        // A dropped transaction leaves documents loaded that it has only read.
        Transaction::begin(self).document(key)?;
        Ok(self.documents.loaded(key.id(self.cooperative)))
    }

    /// Makes one edit, which is durable when this returns. Begins the document when it is not here; its first change is the
    /// same on every replica. Fails with [`Error::NotAllowed`] without a grant to write it.
    pub fn edit<R>(
        &mut self,
        key: &DocumentKey,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>,
    ) -> Result<Edited<R>, Error> {
        self.edit_saying(None, key, now, edit)
    }

    /// As [`Self::edit`], with a message in the change.
    pub fn edit_saying<R>(
        &mut self,
        message: Option<&str>,
        key: &DocumentKey,
        now: Instant,
        edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>,
    ) -> Result<Edited<R>, Error> {
        let mut transaction = Transaction::begin(self);
        let edited = edit_in(&mut transaction, message, key, now, edit)?;
        transaction.commit()?;
        Ok(edited)
    }

    /// Makes one edit of each of several documents: one action, of which all is durable when this returns, or nothing has
    /// happened.
    pub fn edit_together(
        &mut self,
        now: Instant,
        edits: Vec<DocumentEdit<'_>>,
    ) -> Result<Vec<(DocumentKey, Edited<()>)>, Error> {
        let mut transaction = Transaction::begin(self);
        let mut made = Vec::with_capacity(edits.len());
        for DocumentEdit { key, message, edit } in edits {
            let edited = edit_in(&mut transaction, message, &key, now, edit)?;
            made.push((key, edited));
        }
        transaction.commit()?;
        Ok(made)
    }
}

/// Makes one edit within a transaction.
fn edit_in<R>(
    transaction: &mut Transaction<'_>,
    message: Option<&str>,
    key: &DocumentKey,
    now: Instant,
    edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>,
) -> Result<Edited<R>, Error> {
    if !transaction.state.grants.may_write(key) {
        return Err(Error::NotAllowed);
    }
    let actor = transaction.replica.actor();
    let before = transaction.record(transaction.id_of(key)).map(|record| record.revision);
    let mut changes: Vec<VerifiedChange> = Vec::new();
    if before.is_none() {
        transaction.set_document(key, Document::new(key.clone())?);
        changes.push(Document::first_change(key)?);
    }
    let document = transaction.document(key)?.ok_or(DocumentFault::Damaged("document"))?;
    let (value, change) = document.edit_saying(message, &actor, now, edit)?;
    let touched = change.as_ref().map(|change| touched(change.record())).unwrap_or_default();
    changes.extend(change);
    if !changes.is_empty() {
        transaction.mark_changed(transaction.id_of(key));
        transaction.append(key, &changes);
        if !(planted!("edit_not_in_outbox") && changes.len() == 1 && now.0 % 16 == 0) {
            transaction.enqueue(key, &changes);
        }
    }
    Ok(Edited { value, before, touched })
}

#[cfg(test)]
mod tests;
