//! The devices of a co-operative, their actors, and their last requests.

use std::collections::{BTreeSet, HashMap};

use granary_client_core::ids::{ActorId, DeviceId};
use granary_client_core::quantities::is_hidden;
use granary_client_core::store::{Store, StoreFault};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::keys::{CooperativeNumber, DocumentNumber, key, rest};
use super::records::DeviceRecord;
use super::rows::parse;

/// Actors of their own choice that one device may have.
const CHOSEN_ACTORS_MAX: usize = 20_000;
/// Characters of a program's version that are kept.
const VERSION_CHARS_MAX: usize = 24;

/// A device's last request.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct LastSeen {
    /// Its time, in milliseconds since 1970.
    pub at_millis: i64,
    /// Changes that were unsent on the device after it.
    pub unsent: u32,
    /// The version of its program; empty when unknown.
    pub version: String,
    /// True once two replicas have sent under its name that do not know of each other: the phone was copied or set
    /// back, or its key was stolen.
    pub is_forked: bool,
    /// The number of the last notice that it has read.
    pub notices_read: u64,
}

/// What a device's request says of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Heard<'a> {
    /// When it came, in milliseconds since 1970.
    pub(crate) at_millis: i64,
    /// Changes that are unsent on the device after it.
    pub(crate) unsent: u32,
    /// The number of the last notice that it has read.
    pub(crate) notices_read: u64,
    /// The version of its program, where it says so.
    pub(crate) version: Option<&'a str>,
    /// True when another replica has sent under its name.
    pub(crate) forks: bool,
}

/// A device is never removed; revoking it changes its record. An actor belongs to one device for ever: the one in its
/// id, else the one that first wrote under it. `chosen_counts` counts the actors in `chosen_actors` by device.
#[derive(Default)]
pub(super) struct Devices {
    records: HashMap<DeviceId, DeviceRecord>,
    chosen_actors: HashMap<ActorId, DeviceId>,
    chosen_counts: HashMap<DeviceId, usize>,
    /// Actors of a device in a document, where they were counted since the start.
    actors_in: HashMap<(DocumentNumber, DeviceId), usize>,
    /// The last entry of each device since the start.
    last_entries: HashMap<DeviceId, u64>,
    last_seen: HashMap<DeviceId, LastSeen>,
    /// Devices whose `last_seen` is newer than the store's.
    unsaved_seen: BTreeSet<DeviceId>,
}

impl Devices {
    pub(super) fn load(store: &dyn Store, own: CooperativeNumber) -> Result<Self, StoreFault> {
        let mut devices = Self::default();
        for row in store.scan_all(&key(own, b'd', &[]))? {
            let record: DeviceRecord = parse(&row.key, row.value.as_deref())?;
            let id = <[u8; 8]>::try_from(rest(&row.key)).map_err(|_| StoreFault::Damaged(row.key.clone()))?;
            devices.records.insert(DeviceId::from_bytes(id), record);
        }
        for row in store.scan_all(&key(own, b'y', &[]))? {
            match (<[u8; 8]>::try_from(rest(&row.key)), parse(&row.key, row.value.as_deref())) {
                (Ok(id), Ok(seen)) => _ = devices.last_seen.insert(DeviceId::from_bytes(id), seen),
                // The device's next request writes it again.
                _ => tracing::warn!(cooperative = own.0, key = ?row.key, "a last-seen row can't be read"),
            }
        }
        for row in store.scan_all(&key(own, b'j', &[]))? {
            let damaged = || StoreFault::Damaged(row.key.clone());
            let actor = ActorId::from_bytes(rest(&row.key)).ok_or_else(damaged)?;
            let device = row.value.as_deref().and_then(|value| <[u8; 8]>::try_from(value).ok()).ok_or_else(damaged)?;
            devices.claim(actor, DeviceId::from_bytes(device));
        }
        Ok(devices)
    }

    pub(super) fn get(&self, device: DeviceId) -> Option<&DeviceRecord> {
        self.records.get(&device)
    }

    pub(super) fn set(&mut self, device: DeviceId, record: DeviceRecord) {
        self.records.insert(device, record);
    }

    /// All devices in the order of their enrolment, each with its last request.
    pub(super) fn list(&self) -> Vec<(DeviceId, DeviceRecord, Option<LastSeen>)> {
        let with_seen =
            |(id, record): (&DeviceId, &DeviceRecord)| (*id, record.clone(), self.last_seen.get(id).cloned());
        let mut devices: Vec<_> = self.records.iter().map(with_seen).collect();
        devices.sort_by_key(|(id, record, _)| (record.enrolled_millis, *id));
        devices
    }

    /// The number of the last notice that a device has read; 0 for none.
    pub(super) fn notices_read(&self, device: DeviceId) -> u64 {
        self.last_seen.get(&device).map_or(0, |seen| seen.notices_read)
    }

    pub(super) fn count_active(&self) -> usize {
        self.records.values().filter(|record| record.revoked_millis.is_none()).count()
    }

    /// The device that an actor belongs to.
    pub(super) fn owner(&self, actor: &ActorId) -> Option<DeviceId> {
        actor.device().or_else(|| self.chosen_actors.get(actor).copied())
    }

    pub(super) fn may_claim(&self, device: DeviceId) -> bool {
        self.chosen_counts.get(&device).is_none_or(|count| *count < CHOSEN_ACTORS_MAX)
    }

    /// Gives an actor without an owner to a device.
    pub(super) fn claim(&mut self, actor: ActorId, device: DeviceId) {
        let count = self.chosen_counts.entry(device).or_default();
        *count = count.saturating_add(1);
        self.chosen_actors.insert(actor, device);
    }

    /// Actors of a device in a document, once they were counted.
    pub(super) fn actors_in(&self, document: DocumentNumber, device: DeviceId) -> Option<usize> {
        self.actors_in.get(&(document, device)).copied()
    }

    pub(super) fn set_actors_in(&mut self, document: DocumentNumber, device: DeviceId, count: usize) {
        self.actors_in.insert((document, device), count);
    }

    pub(super) fn last_entry(&self, device: DeviceId) -> Option<u64> {
        self.last_entries.get(&device).copied()
    }

    /// Sets the last entry of a device; gives the one before it.
    pub(super) fn replace_last_entry(&mut self, device: DeviceId, entry: u64) -> Option<u64> {
        self.last_entries.insert(device, entry)
    }

    pub(super) fn saw(&mut self, device: DeviceId, heard: Heard<'_>) {
        let seen = self.last_seen.entry(device).or_default();
        (seen.at_millis, seen.unsent) = (heard.at_millis, heard.unsent);
        seen.is_forked |= heard.forks;
        seen.notices_read = seen.notices_read.max(heard.notices_read);
        if let Some(version) = heard.version {
            seen.version = version.chars().filter(|letter| !is_hidden(*letter)).take(VERSION_CHARS_MAX).collect();
        }
        self.unsaved_seen.insert(device);
    }

    /// The values of `last_seen` that the store does not have yet; the caller writes them.
    pub(super) fn take_unsaved_seen(&mut self) -> Vec<(DeviceId, LastSeen)> {
        let unsaved = std::mem::take(&mut self.unsaved_seen);
        unsaved.into_iter().filter_map(|device| Some((device, self.last_seen.get(&device)?.clone()))).collect()
    }
}
