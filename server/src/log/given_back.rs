//! Others' changes that a device gives back after a restoration and of which nothing proves that this server once had them.
//! They are kept apart, as what was set aside, until a coordinator takes them in: a phone can't write in another's name.
//!
//! ```text
//! others' changes ──attested──▶ ingested
//!        └──not──▶ the log was restored ──▶ kept apart ──▶ open, for a coordinator; nobody gets them
//!                         └── never ──▶ refused
//! ```

use std::collections::BTreeSet;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{ChangeHash, DeviceId};
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::store::StoreFault;

use super::Cooperative;
use super::ingest::Submitter;
use super::keys::{Entry, Indexed, entry_key, key, quarantine_key, sequence_key};
use super::rows::parse;
use super::set_aside::{KEPT_BYTES_MAX, KEPT_MAX, SetAside, Standing, place_of};
use super::writer::GroupCommit;

/// Entries that all devices together may have given back and undecided: somebody looks at each.
const GIVEN_BACK_MAX: usize = 512;
/// As [`GIVEN_BACK_MAX`], in bytes of bundles.
const GIVEN_BACK_BYTES_MAX: u64 = 64 * 1024 * 1024;

impl Cooperative {
    /// Takes out of a document the changes of others that nothing proves, and keeps them apart; for jobs of the writer. Leaves
    /// the document as it is where that may not be: its changes are then refused.
    pub(super) fn keep_given_back_apart(
        &self,
        group: &mut GroupCommit<'_>,
        submitter: &Submitter,
        attested: &BTreeSet<ChangeHash>,
        document: &mut DocumentChanges,
        now_millis: i64,
    ) -> Result<(), StoreFault> {
        let needs_none = submitter.grants.is_coordinator() || submitter.takes_in.is_some() || submitter.chooses_actors;
        if !self.was_restored() || needs_none || !submitter.grants.may_read(&document.key) {
            return Ok(());
        }
        let is_unproven = |change: &&VerifiedChange| {
            let actor = &change.record().actor;
            !actor.is_genesis()
                && !attested.contains(&change.hash())
                && self.state().devices.owner(actor) != Some(submitter.device)
        };
        if self.is_erased(&document.key) {
            return Ok(());
        }
        let unproven: Vec<VerifiedChange> = document.changes.iter().filter(is_unproven).cloned().collect();
        if unproven.is_empty() {
            return Ok(());
        }
        let out: BTreeSet<ChangeHash> = unproven.iter().map(VerifiedChange::hash).collect();
        let Some(missing) = self.not_here(group, document, unproven)? else { return Ok(()) };
        let part = DocumentChanges { key: document.key.clone(), changes: missing };
        if part.changes.is_empty() || self.keep_given_back(group, submitter.device, part, now_millis)? {
            document.changes.retain(|change| !out.contains(&change.hash()));
        }
        Ok(())
    }

    /// Those of these changes that are not here yet; none when another change has the number of one of them.
    fn not_here(
        &self,
        group: &GroupCommit<'_>,
        document: &DocumentChanges,
        changes: Vec<VerifiedChange>,
    ) -> Result<Option<Vec<VerifiedChange>>, StoreFault> {
        let number = self.state().documents.number(&document.key.id(self.id()));
        let Some(number) = number else { return Ok(Some(changes)) };
        let mut missing = Vec::with_capacity(changes.len());
        for change in changes {
            let row = sequence_key(self.number(), number, &change.record().actor, change.record().sequence);
            match group.get(&row)?.map(|bytes| Indexed::read(&row, &bytes)).transpose()? {
                None => missing.push(change),
                Some(indexed) if indexed.hash == change.hash() => {}
                Some(_) => return Ok(None),
            }
        }
        Ok(Some(missing))
    }

    /// Keeps what a device gave back; false when it, or all together, have too much of it already. What is kept already,
    /// whoever gave it back, or was refused by a coordinator adds nothing.
    fn keep_given_back(
        &self,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        document: DocumentChanges,
        now_millis: i64,
    ) -> Result<bool, StoreFault> {
        let aside = SetAside::new(document.key.to_bytes(), AsideReason::Unverified, &document.changes, 0);
        let documents = [document];
        let bundle = write_bundle(&documents);
        let aside = SetAside { bytes: bundle.len() as u64, is_given_back: true, since_millis: now_millis, ..aside };
        let (mut own, mut all) = (Kept::default(), Kept::default());
        for row in group.scan_all(&key(self.number(), b'x', &[]))? {
            let other: SetAside = parse(&row.key, row.value.as_deref())?;
            let (by, entry) = place_of(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            let is_alike = other.is_given_back && other.key == aside.key && other.changes == aside.changes;
            if is_alike && self.has_bundle(group, entry, &bundle)? {
                return Ok(true);
            }
            if other.standing == Standing::Open {
                if by == device {
                    own.add(other.bytes);
                }
                if other.is_given_back {
                    all.add(other.bytes);
                }
            }
        }
        let has_room = own.has_room(aside.bytes, KEPT_MAX, KEPT_BYTES_MAX)
            && all.has_room(aside.bytes, GIVEN_BACK_MAX, GIVEN_BACK_BYTES_MAX);
        if !has_room {
            tracing::warn!(%device, "what is given back unverified is refused: there is too much of it already");
            return Ok(false);
        }
        let entry = self.append_kept(group, device, &documents, bundle, now_millis);
        tracing::warn!(cooperative = self.number().0, %device, entry, "changes of others are kept apart: unverified");
        group.put_visible(quarantine_key(self.number(), device, entry), write_message(&aside));
        Ok(true)
    }

    fn has_bundle(&self, group: &GroupCommit<'_>, entry: u64, bundle: &[u8]) -> Result<bool, StoreFault> {
        let row = entry_key(self.number(), entry);
        let bytes = group.get(&row)?;
        Ok(bytes.is_some() && parse::<Entry>(&row, bytes.as_deref())?.bundle == bundle)
    }

    /// Has the device that gave it back told that a coordinator refused it; for jobs of the writer.
    pub(super) fn tell_of_refusal(
        &self,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        aside: &SetAside,
        entry: u64,
    ) -> Result<(), StoreFault> {
        let row = entry_key(self.number(), entry);
        let record: Entry = parse(&row, group.get(&row)?.as_deref())?;
        let key = granary_client_core::schema::DocumentKey::from_bytes(&aside.key);
        let documents = [DocumentChanges { key: key.map_err(|_| StoreFault::Damaged(row))?, changes: Vec::new() }];
        let bundle = write_bundle(&documents);
        // A later number than the phone has read.
        let notice = self.append_kept(group, device, &documents, bundle, record.received_millis);
        let told = SetAside {
            reason: AsideReason::GivenBackRefused,
            bytes: 0,
            standing: Standing::Refused,
            is_given_back: false,
            ..aside.clone()
        };
        group.put_visible(quarantine_key(self.number(), device, notice), write_message(&told));
        Ok(())
    }
}

/// What is kept of somebody.
#[derive(Default)]
struct Kept {
    rows: usize,
    bytes: u64,
}

impl Kept {
    fn add(&mut self, bytes: u64) {
        self.rows = self.rows.saturating_add(1);
        self.bytes = self.bytes.saturating_add(bytes);
    }

    fn has_room(&self, bytes: u64, rows_max: usize, bytes_max: u64) -> bool {
        self.rows < rows_max && self.bytes.saturating_add(bytes) <= bytes_max
    }
}
