//! Recovery after damage: losses are found when the store is opened, and are fetched from the server again. Forgetting
//! documents is here too.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::Replica;
use super::outbox::read_unsent;
use super::reconcile::UNKNOWN;
use super::rows::{BACKFILL, Backfill, CHANGE, DocumentRecord, Kept, NAME, ORPHAN, OUTBOX, RECONCILED, RECORD, SAVED};
use super::rows::{change_index, document_key, document_of};
use super::transaction::Transaction;
use super::{Wanted, wanted_list};
use crate::crdt::change::VerifiedChange;
use crate::error::Error;
use crate::ids::DocumentId;
use crate::planted;
use crate::protocol::bundle::DocumentChanges;
use crate::schema::DocumentKey;
use crate::schema::access::Grants;
use crate::words::Words;

/// A stored record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The document in Automerge's URL form, where it is known.
    pub document: Option<String>,
    /// What happened and what happens next, for a person.
    pub sentence: String,
    /// The same in Chinese.
    pub in_chinese: String,
}

impl Damage {
    pub(super) fn of_document(id: Option<DocumentId>, sentence: &str, in_chinese: &str) -> Self {
        let document = id.map(|id| id.automerge_url());
        Self { document, sentence: sentence.into(), in_chinese: in_chinese.into() }
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl Words for Damage {
    fn chinese(&self) -> String {
        self.in_chinese.clone()
    }
}

impl Replica {
    /// Finds documents that lack changes or their saved form, and marks them to be fetched. What is here of them stays.
    pub(super) fn find_holes(&mut self) -> Result<Vec<Damage>, Error> {
        let mut wanted = self.wanted()?;
        let mut transaction = Transaction::begin(self);
        let mut damaged = transaction.make_lost_records(&mut wanted)?;
        let mut rows: HashMap<DocumentId, u32> = HashMap::new();
        for row in transaction.scan(&[CHANGE])? {
            let Some(id) = document_of(&row.key) else {
                tracing::error!(key = ?row.key, "a row of a change has no document; it is ignored");
                continue;
            };
            if transaction.record(id).is_none() {
                // The record was lost. A document that begins again must not find these rows.
                transaction.remove(row.key);
            } else if row.value.is_some() {
                let count = rows.entry(id).or_default();
                *count = count.saturating_add(1);
            }
        }
        for key in transaction.keys() {
            let id = transaction.id_of(&key);
            let Some(record) = transaction.record(id).cloned() else { continue };
            let span = record.next.saturating_sub(record.saved_through);
            let holes = span.saturating_sub(rows.get(&id).copied().unwrap_or(0));
            let saved_lost =
                record.saved_through > 0 && !matches!(transaction.get(&document_key(SAVED, id)), Ok(Some(_)));
            if (holes, saved_lost) != (record.holes, record.saved_lost) {
                transaction.set_record(id, DocumentRecord { holes, saved_lost, ..record });
                wanted.entry(key.to_bytes()).or_insert(0);
                let sentence =
                    "Part of a document was damaged on this phone; it will be fetched from the server again.";
                let in_chinese = "这部手机上有一份文件坏了一部分，会再从服务器取回。";
                damaged.push(Damage::of_document(Some(id), sentence, in_chinese));
            }
        }
        if !damaged.is_empty() {
            transaction.put_meta("wanted", &wanted_list(&wanted));
        }
        transaction.commit()?;
        Ok(damaged)
    }

    /// Removes backfills that can't be read, and has this phone and the server reconcile again, which finds them anew.
    pub(super) fn drop_unreadable_backfills(&mut self) -> Result<Vec<Damage>, Error> {
        let mut transaction = Transaction::begin(self);
        let mut damaged = Vec::new();
        for row in transaction.scan(&[BACKFILL])? {
            if row.value.as_deref().and_then(Backfill::read).is_none() {
                let sentence =
                    "A note of what the server lacks was damaged; this phone and the server will compare again.";
                let in_chinese = "一条关于服务器缺什么的记录坏了；这部手机会和服务器重新核对。";
                damaged.push(Damage::of_document(document_of(&row.key), sentence, in_chinese));
                transaction.state.backfills = transaction.state.backfills.saturating_sub(1);
                transaction.remove(row.key);
            }
        }
        if !damaged.is_empty() {
            transaction.reconcile_at_next_sync();
        }
        transaction.commit()?;
        Ok(damaged)
    }

    /// Recovers after the store has lost records, when nobody can say which. Unsent changes are applied to their documents
    /// again. At the next sync this phone and the server reconcile, and each sends what the other lacks.
    pub fn recover(&mut self) -> Result<(), Error> {
        let mut transaction = Transaction::begin(self);
        let mut unsent: BTreeMap<DocumentKey, Vec<VerifiedChange>> = BTreeMap::new();
        for (_, key, change) in transaction.scan(&[OUTBOX])?.iter().filter_map(read_unsent) {
            unsent.entry(key).or_default().push(change);
        }
        for (key, changes) in unsent.into_iter().filter(|_| !planted!("unsent_is_not_put_back_after_damage")) {
            // A change that can't be applied stays in the outbox, and the server decides.
            let _ = transaction.take(DocumentChanges { key, changes })?;
        }
        if !planted!("damaged_phone_does_not_reconcile") {
            transaction.reconcile_at_next_sync();
        }
        Ok(transaction.commit()?)
    }

    /// Goes on after a revocation, under these grants: all that the device may read is fetched again, and all that waits goes
    /// out.
    pub fn begin_again(&mut self, grants: &Grants) -> Result<(), Error> {
        let mut transaction = Transaction::begin(self);
        transaction.put_meta("grants", grants);
        transaction.state.grants = grants.clone();
        transaction.reconcile_at_next_sync();
        transaction.commit()?;
        self.send_again_what_is_granted()?;
        Ok(())
    }

    /// Forgets every document of which nothing is unsent, for a device that was revoked. Should it belong again, it fetches
    /// them, and writes under another actor until then.
    pub fn forget_all_sent(&mut self) -> Result<(), Error> {
        let mut transaction = Transaction::begin(self);
        let rows = transaction.scan(&[OUTBOX])?;
        let unsent: BTreeSet<DocumentKey> = rows.iter().filter_map(read_unsent).map(|(_, key, _)| key).collect();
        for key in transaction.keys().into_iter().filter(|key| !unsent.contains(key)) {
            let last = match transaction.document(&key)? {
                Some(document) => document.heads().into_iter().next(),
                None => None,
            };
            if let Some(last) = last {
                // Its numbers there must not be used again.
                let replica = &mut transaction.replica;
                replica.incarnation = replica.incarnation.after(last);
            }
            transaction.forget(&key)?;
            transaction.reconcile_at_next_sync();
        }
        if !transaction.replica.listed()?.is_empty() {
            transaction.remove(super::rows::meta_key("listed"));
            transaction.leave_nothing_of_what_goes();
        }
        transaction.commit()?;
        self.scrub();
        Ok(())
    }

    /// Documents to fetch whole, with how far each has arrived.
    pub(super) fn wanted(&self) -> Result<Wanted, Error> {
        let list: Option<Vec<(serde_bytes::ByteBuf, u64)>> = super::read_meta(self.store.as_ref(), "wanted")?;
        Ok(list.unwrap_or_default().into_iter().map(|(key, through)| (key.into_vec(), through)).collect())
    }
}

/// The revision of a record that was made anew begins here, which no document reaches by its changes: lists read it again.
const MADE_ANEW: u64 = 1 << 32;

impl Transaction<'_> {
    /// Makes the records anew that are lost, of documents whose key is here. What is here of them stays in view, and can be given
    /// back by what the server has attested of it; they are fetched again.
    fn make_lost_records(&mut self, wanted: &mut Wanted) -> Result<Vec<Damage>, Error> {
        let mut damaged = Vec::new();
        let mut unkept: BTreeSet<DocumentId> = self.keys().iter().map(|key| self.id_of(key)).collect();
        for row in self.scan(&[NAME])? {
            let Some((key, kept)) = row.value.as_deref().and_then(Kept::read) else { continue };
            let id = self.id_of(&key);
            unkept.remove(&id);
            if self.record(id).is_some() {
                continue;
            }
            let changes = self.scan(&document_key(CHANGE, id))?;
            let indices: Vec<u32> = changes.iter().filter_map(|row| change_index(&row.key)).collect();
            let saved = self.get(&document_key(SAVED, id))?;
            let next = indices.last().map_or(0, |last| last.saturating_add(1));
            if saved.is_some() || next > 0 {
                let saved_through = saved.as_ref().map_or(0, |_| indices.first().copied().unwrap_or(1).max(1));
                let sizes = changes.iter().filter_map(|row| row.value.as_ref()).chain(&saved).map(Vec::len);
                let record = DocumentRecord {
                    saved_through,
                    next: next.max(saved_through),
                    revision: MADE_ANEW.saturating_add(u64::from(next)),
                    bytes: sizes.fold(0, |all, one| all.saturating_add(one as u64)),
                    ..kept
                };
                self.set_record(id, record);
            } else {
                self.remove(row.key);
            }
            wanted.entry(key.to_bytes()).or_insert(0);
            damaged.push(Damage::of_document(
                Some(id),
                "A document's entry was damaged on this phone; it was made again, and the document will be fetched again.",
                "这部手机上一份文件的条目坏了；条目已重新做好，文件会再取回。",
            ));
        }
        for id in unkept {
            if let Some(record) = self.record(id) {
                let row = Kept::write(record);
                self.put(document_key(NAME, id), row);
            }
        }
        Ok(damaged)
    }

    /// Replaces the cursor by one that fits no log.
    pub(super) fn reconcile_at_next_sync(&mut self) {
        self.set_cursor(UNKNOWN);
    }

    /// Deletes all rows of a document, except for unsent and quarantined changes.
    pub(super) fn forget(&mut self, key: &DocumentKey) -> Result<(), Error> {
        let id = self.id_of(key);
        self.end_backfill(key)?;
        for kind in [RECORD, NAME, SAVED, CHANGE, ORPHAN, RECONCILED] {
            for row in self.scan(&document_key(kind, id))? {
                self.remove(row.key);
            }
        }
        self.drop_document(id);
        self.forgotten.insert(key.clone());
        Ok(())
    }
}
