//! Changes that were set aside: entries that did harm when they were admitted, and what a device sent that may not write there.
//! Each is an entry of the log that no other device gets, until a coordinator takes it in or refuses it.
//!
//! ```text
//! refused at ingest ──▶ kept ──┐
//! quarantined at admission ────┴▶ open ──take in──▶ taken in: a new entry, which admission tries with twice the room
//!                                   └──refuse──▶ refused: stays, for the record
//!
//! open, taken in or refused ──its time is over──▶ dropped: its changes are gone from here, its notice stays
//! ```

use std::collections::BTreeSet;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::{ChangeRange, Notice, write_message};
use granary_client_core::store::{Store, StoreFault};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::Cooperative;
use super::entry::{Emptied, empty_entry};
use super::ingest::Submitter;
use super::keys::{Entry, Indexed, entry_key, key, quarantine_key, rest, sequence_key};
use super::room::Pays;
use super::rows::{each_row, parse};
use super::writer::GroupCommit;

/// What one device may have set aside at ingest at once: a revoked phone must not fill the store.
pub(super) const KEPT_MAX: usize = 64;
/// As [`KEPT_MAX`], in bytes of bundles.
pub(super) const KEPT_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What became of changes that were set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Standing {
    /// Nobody has decided.
    #[serde(rename = "o")]
    Open,
    /// A coordinator took them in.
    #[serde(rename = "t")]
    TakenIn,
    /// A coordinator refused them.
    #[serde(rename = "r")]
    Refused,
    /// Their time is over: the server has them no more. Their device still does.
    #[serde(rename = "d")]
    Dropped,
    /// They were taken in as a new entry, and what was set aside is gone.
    #[serde(rename = "g")]
    Gone,
}

/// What the retention of changes that were set aside asks of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    No,
    /// Its time begins now.
    Begins,
    /// Its content is dropped.
    Now,
}

/// A row `x`: an entry that was set aside.
#[derive(Debug, Clone, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct SetAside {
    /// The document's key.
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
    /// Why.
    pub(crate) reason: AsideReason,
    /// Which changes.
    pub(crate) changes: Vec<ChangeRange>,
    /// Bytes of its bundle.
    pub(crate) bytes: u64,
    pub(crate) standing: Standing,
    /// True for others' changes that the device gave back after a restoration, without a proof that they were here.
    pub(crate) is_given_back: bool,
    /// Since when, in milliseconds since 1970; 0 until the time was first looked at.
    pub(crate) since_millis: i64,
}

impl SetAside {
    /// The row of an entry with these changes.
    pub(crate) fn new(key: Vec<u8>, reason: AsideReason, changes: &[VerifiedChange], bytes: usize) -> Self {
        // The first change of a document is the same everywhere and never set aside alone.
        let own = changes.iter().filter(|change| !change.record().actor.is_genesis());
        let changes = ChangeRange::covering(own);
        Self {
            key,
            reason,
            changes,
            bytes: bytes as u64,
            standing: Standing::Open,
            is_given_back: false,
            since_millis: 0,
        }
    }

    /// The notice for its device; none once it was taken in, and none of what it gave back: its document stays as it is there
    /// until a coordinator decides.
    pub(crate) fn notice(self, number: u64) -> Option<Notice> {
        let Self { key, reason, changes, standing, is_given_back, .. } = self;
        let is_told = !matches!(standing, Standing::TakenIn | Standing::Gone) && !is_given_back;
        is_told.then_some(Notice { number, key, reason, changes })
    }

    /// Until when its content is kept, in milliseconds since 1970; none before its time has begun.
    pub(crate) fn until_millis(&self, kept_millis: i64) -> Option<i64> {
        (self.since_millis != 0).then(|| self.since_millis.saturating_add(kept_millis))
    }

    /// What is due at `now`. `is_read` says that its device knows of it, and keeps it as not delivered.
    pub(crate) fn due(&self, is_read: bool, now_millis: i64, kept_millis: i64) -> Due {
        // The mark of a new entry that waits for its admission has no key.
        if self.key.is_empty() || matches!(self.standing, Standing::Dropped | Standing::Gone) {
            return Due::No;
        }
        if self.standing == Standing::Refused && is_read {
            return Due::Now;
        }
        match self.until_millis(kept_millis) {
            None => Due::Begins,
            Some(until) if until <= now_millis => Due::Now,
            Some(_) => Due::No,
        }
    }
}

/// The device and the entry in a row's key.
pub(crate) fn place_of(row_key: &[u8]) -> Option<(DeviceId, u64)> {
    let (device, entry) = rest(row_key).split_first_chunk::<8>()?;
    Some((DeviceId::from_bytes(*device), u64::from_be_bytes(entry.try_into().ok()?)))
}

impl Cooperative {
    /// All entries that were set aside and are not decided, with their devices and numbers; not those that their device has
    /// sent again since, and that were taken.
    pub(crate) fn set_aside(&self, store: &dyn Store) -> Result<Vec<(DeviceId, u64, SetAside)>, StoreFault> {
        let mut all = Vec::new();
        for row in store.scan_all(&key(self.number(), b'x', &[]))? {
            let record: SetAside = parse(&row.key, row.value.as_deref())?;
            let (device, entry) = place_of(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            if record.standing == Standing::Open && !self.came_otherwise(store, entry)? {
                all.push((device, entry, record));
            }
        }
        Ok(all)
    }

    /// True when another entry holds all changes of this one.
    fn came_otherwise(&self, store: &dyn Store, entry: u64) -> Result<bool, StoreFault> {
        let stored = entry_key(self.number(), entry);
        let record: Entry = parse(&stored, store.get(&stored)?.as_deref())?;
        let documents = record.documents().map_err(|_| StoreFault::Damaged(stored))?;
        for change in documents.iter().flat_map(|document| &document.changes) {
            let made = change.record();
            if made.actor.is_genesis() {
                continue;
            }
            let row = sequence_key(self.number(), record.document, &made.actor, made.sequence);
            let indexed = store.get(&row)?.map(|bytes| Indexed::read(&row, &bytes)).transpose()?;
            if indexed.is_none_or(|indexed| indexed.hash != change.hash() || indexed.entry == entry) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The entry that was set aside, with its row; none for one that was not.
    pub(crate) fn set_aside_entry(
        &self,
        store: &dyn Store,
        device: DeviceId,
        entry: u64,
    ) -> Result<Option<(SetAside, Entry, Vec<DocumentChanges>)>, StoreFault> {
        let row = quarantine_key(self.number(), device, entry);
        let Some(bytes) = store.get(&row)? else { return Ok(None) };
        let aside: SetAside = parse(&row, Some(&bytes))?;
        let stored = entry_key(self.number(), entry);
        let record: Entry = parse(&stored, store.get(&stored)?.as_deref())?;
        let documents = record.documents().map_err(|_| StoreFault::Damaged(stored))?;
        Ok(Some((aside, record, documents)))
    }

    /// Keeps what a device sent and was refused, for a coordinator; for jobs of the writer. A repeat adds nothing.
    pub(super) fn keep_refused(
        &self,
        group: &mut GroupCommit<'_>,
        submitter: &Submitter,
        document: DocumentChanges,
        reason: AsideReason,
        now_millis: i64,
    ) -> Result<(), StoreFault> {
        let device = submitter.device;
        let aside = SetAside::new(document.key.to_bytes(), reason, &document.changes, 0);
        if aside.changes.is_empty() {
            return Ok(());
        }
        let (mut rows, mut bytes) = (0usize, 0u64);
        for row in group.scan_all(&key(self.number(), b'x', device.as_bytes()))? {
            let other: SetAside = parse(&row.key, row.value.as_deref())?;
            let is_kept = !matches!(other.standing, Standing::Dropped | Standing::Gone);
            if is_kept && other.key == aside.key && other.changes == aside.changes {
                return Ok(());
            }
            if other.standing == Standing::Open {
                rows = rows.saturating_add(1);
                bytes = bytes.saturating_add(other.bytes);
            }
        }
        let documents = [document];
        let bundle = write_bundle(&documents);
        let aside = SetAside { bytes: bundle.len() as u64, since_millis: now_millis, ..aside };
        let is_too_much = rows >= KEPT_MAX || bytes.saturating_add(aside.bytes) > KEPT_BYTES_MAX;
        if is_too_much || !self.may_keep(submitter, aside.bytes, now_millis) {
            tracing::warn!(%device, reason = reason.code(), "refused changes are not kept: this device has too many already");
            return Ok(());
        }
        for document in &documents {
            self.count_entry(group, device, document, (&BTreeSet::new(), Pays::Sender), bundle.len(), now_millis);
        }
        let entry = self.append_kept(group, device, &documents, bundle, now_millis);
        tracing::warn!(cooperative = self.number().0, %device, entry, reason = reason.code(), "refused changes are kept for a coordinator");
        group.put_visible(quarantine_key(self.number(), device, entry), write_message(&aside));
        Ok(())
    }

    /// What is due at `now` of what was set aside, with devices and entries.
    pub(crate) fn set_aside_due(
        &self,
        store: &dyn Store,
        now_millis: i64,
        kept_millis: i64,
    ) -> Result<Vec<(DeviceId, u64, Due)>, StoreFault> {
        let mut all = Vec::new();
        each_row(store, &key(self.number(), b'x', &[]), |row| {
            let record: SetAside = parse(&row.key, row.value.as_deref())?;
            let (device, entry) = place_of(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            match record.due(self.has_read_notice(device, entry), now_millis, kept_millis) {
                Due::No => {}
                due => all.push((device, entry, due)),
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// Begins the time of what was set aside, or drops its content when that is due; for jobs of the writer. True when it
    /// was dropped. The row stays, so that a phone which was set back still gets the notice.
    pub(crate) fn drop_if_due(
        &self,
        group: &mut GroupCommit<'_>,
        (device, entry): (DeviceId, u64),
        now_millis: i64,
        kept_millis: i64,
    ) -> Result<bool, StoreFault> {
        let row = quarantine_key(self.number(), device, entry);
        let Some(bytes) = group.get(&row)? else { return Ok(false) };
        let aside: SetAside = parse(&row, Some(&bytes))?;
        let aside = match aside.due(self.has_read_notice(device, entry), now_millis, kept_millis) {
            Due::No => return Ok(false),
            Due::Begins => {
                group.put_visible(row, write_message(&SetAside { since_millis: now_millis, ..aside }));
                return Ok(false);
            }
            Due::Now => aside,
        };
        if let Some(Emptied { entry, document, was_indexed }) = empty_entry(group, self.number(), entry)? {
            // What was given back unverified counts to nobody; it has a bound of its own.
            if !aside.is_given_back {
                let pays = if was_indexed { Pays::Author } else { Pays::Sender };
                self.count_as_gone(group, entry.device, &document, entry.bundle.len(), pays);
            }
        }
        let standing = if aside.standing == Standing::TakenIn { Standing::Gone } else { Standing::Dropped };
        tracing::info!(cooperative = self.number().0, %device, entry, "what was set aside is kept no more");
        group.put_visible(row, write_message(&SetAside { standing, ..aside }));
        Ok(true)
    }

    /// What became of an entry that was set aside; none where none of this name was. `get` reads a row.
    pub(crate) fn standing_of(
        &self,
        get: impl FnOnce(&[u8]) -> Result<Option<Vec<u8>>, StoreFault>,
        device: DeviceId,
        entry: u64,
    ) -> Result<Option<Standing>, StoreFault> {
        let row = quarantine_key(self.number(), device, entry);
        let aside = get(&row)?.map(|bytes| parse::<SetAside>(&row, Some(&bytes))).transpose()?;
        Ok(aside.map(|aside| aside.standing))
    }

    /// Notes the decision on an entry that was set aside; for jobs of the writer.
    pub(crate) fn decide_set_aside(
        &self,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        entry: u64,
        standing: Standing,
    ) -> Result<bool, StoreFault> {
        let row = quarantine_key(self.number(), device, entry);
        let Some(bytes) = group.get(&row)? else { return Ok(false) };
        let aside: SetAside = parse(&row, Some(&bytes))?;
        if aside.standing != Standing::Open {
            return Ok(false);
        }
        if aside.is_given_back && standing == Standing::Refused {
            self.tell_of_refusal(group, device, &aside, entry)?;
        }
        group.put_visible(row, write_message(&SetAside { standing, ..aside }));
        Ok(true)
    }
}
