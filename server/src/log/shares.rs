//! Each device's and each household's share of the disk: how many bytes it has there, and how many came today. One row for each,
//! written in the batch of what it counts; all are in memory, so a request costs no scan.
//!
//! What is counted is what the store keeps: a change's part of its entry, and its rows. It counts to the device that wrote it,
//! whoever brings it, and to the household whose phone that is. What was given back after a restoration is no bytes of today.

use std::collections::HashMap;

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::messages::write_message;
use granary_client_core::store::{Store, StoreFault};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::keys::{CooperativeNumber, key, rest};
use super::rows::parse;
use super::writer::GroupCommit;

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Whose share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// One device's.
    Device(DeviceId),
    /// One household's, for what all its phones write.
    Household(HouseholdId),
}

impl Holder {
    fn row(self, own: CooperativeNumber) -> Vec<u8> {
        let (kind, id) = match &self {
            Self::Device(device) => (b'd', device.as_bytes().as_slice()),
            Self::Household(household) => (b'h', household.as_bytes().as_slice()),
        };
        key(own, b'b', &[&[kind], id].concat())
    }

    fn of_row(row_key: &[u8]) -> Option<Self> {
        let (kind, id) = rest(row_key).split_first()?;
        match kind {
            b'd' => Some(Self::Device(DeviceId::from_bytes(id.try_into().ok()?))),
            b'h' => Some(Self::Household(HouseholdId::from_bytes(id.try_into().ok()?))),
            _ => None,
        }
    }
}

/// A row `b`: what a holder has used of its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Used {
    /// The day of `day_bytes`, counted from 1970 (UTC).
    day: i64,
    /// Bytes that came on that day.
    day_bytes: u64,
    /// Bytes in all.
    pub bytes: u64,
}

/// The day of an instant, counted from 1970 (UTC).
pub(crate) fn day_of(now_millis: i64) -> i64 {
    now_millis.div_euclid(DAY_MILLIS)
}

impl Used {
    /// Bytes that came on this day.
    pub(crate) fn on(self, day: i64) -> u64 {
        if self.day == day { self.day_bytes } else { 0 }
    }

    /// The same with these bytes more, so many of them of this day.
    pub(super) fn and(self, bytes: u64, today_bytes: u64, day: i64) -> Self {
        Self { day, day_bytes: self.on(day).saturating_add(today_bytes), bytes: self.bytes.saturating_add(bytes) }
    }
}

/// All shares of a co-operative, as its rows `b` have them.
#[derive(Default)]
pub(super) struct Shares {
    used: HashMap<Holder, Used>,
}

impl Shares {
    pub(super) fn load(store: &dyn Store, own: CooperativeNumber) -> Result<Self, StoreFault> {
        let mut shares = Self::default();
        for row in store.scan_all(&key(own, b'b', &[]))? {
            let holder = Holder::of_row(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            match parse(&row.key, row.value.as_deref()) {
                Ok(used) => _ = shares.used.insert(holder, used),
                // It counts from nothing again; no change depends on it.
                Err(_) => tracing::warn!(cooperative = own.0, key = ?row.key, "a share's row can't be read"),
            }
        }
        Ok(shares)
    }

    pub(super) fn of(&self, holder: Holder) -> Used {
        self.used.get(&holder).copied().unwrap_or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Holder, Used)> {
        self.used.iter().map(|(holder, used)| (*holder, *used))
    }

    /// Sets what a holder has used, in the batch of what it counts.
    pub(super) fn set(&mut self, own: CooperativeNumber, group: &mut GroupCommit<'_>, holder: Holder, used: Used) {
        group.put(holder.row(own), write_message(&used));
        self.used.insert(holder, used);
    }

    /// Lowers what a holder has in all, when something of it left the disk. What came today has come today.
    pub(super) fn lower(&mut self, own: CooperativeNumber, group: &mut GroupCommit<'_>, holder: Holder, bytes: u64) {
        let used = self.of(holder);
        if used.bytes > 0 {
            self.set(own, group, holder, Used { bytes: used.bytes.saturating_sub(bytes), ..used });
        }
    }
}
