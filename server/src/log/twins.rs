//! Two phones that go by one device's name: one was copied, or set back to an older state. What the log has of
//! the device is then not what each of them has.

use std::collections::HashSet;

use granary_client_core::ids::{ChangeHash, DeviceId};
use granary_client_core::protocol::bundle::read_bundle;
use granary_client_core::protocol::change::VerifiedChange;
use granary_client_core::protocol::messages::{SyncRequest, write_message};
use granary_client_core::store::{Store, StoreFault};

use super::Cooperative;
use super::cooperative::parse;
use super::intake::Taken;
use super::keys::{Entry, entry_key, key, short};
use super::writer::Gather;

/// Entries after its receipt that one request is held against, at most; a phone that is further behind compares.
const ENTRIES_MAX: u64 = 20_000;

/// What a request shows of its phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// It has everything that its device has sent.
    All,
    /// It has what it sent through this entry, of this checksum, though it was not told that it came; of the
    /// rest nothing can be said yet.
    Through((u64, u32)),
    /// Nothing can be said yet.
    Unclear,
    /// Another phone goes by its name.
    Twin,
}

/// True when those of the changes that no other of them builds on are among what was said: a phone that has
/// them has all.
fn has_heads(said: &HashSet<ChangeHash>, changes: &[VerifiedChange]) -> bool {
    let inner: HashSet<&ChangeHash> = changes.iter().flat_map(|change| &change.record().dependencies).collect();
    let mut heads = changes.iter().map(VerifiedChange::hash).filter(|hash| !inner.contains(hash));
    heads.all(|hash| said.contains(&hash))
}

impl Cooperative {
    /// How often a device showed that two phones go by its name; 0 for all but a few.
    pub(crate) fn twins_of(&self, device: DeviceId) -> u32 {
        self.state().twins.get(&device).copied().unwrap_or(0)
    }

    /// What a request shows of the entries of its device that its phone was not told of. A phone whose reply was
    /// lost sends them again; another phone of the same name does not have them. `said` are the changes that
    /// the request brings; its cursor is one that this server gave when it `is_genuine`.
    pub(crate) fn shows(
        &self,
        store: &dyn Store,
        device: DeviceId,
        request: &SyncRequest,
        (taken, is_genuine): (&Taken, bool),
        said: &[VerifiedChange],
    ) -> Result<Shown, StoreFault> {
        let receipt = request.cursor.receipt;
        let nothing_waits = self.state().pending.range(..=taken.last).next().is_none();
        if is_genuine && (self.twins_of(device) > 0 || (receipt >= taken.last && nothing_waits)) {
            return Ok(Shown::All);
        }
        if !is_genuine || !self.fits(store, &request.cursor)? {
            // It gets everything that is admitted, or both compare; and what still waits comes to it as well.
            return Ok(Shown::Unclear);
        }
        if receipt >= taken.last {
            return Ok(Shown::All);
        }
        if taken.last.saturating_sub(receipt) > ENTRIES_MAX {
            return Ok(Shown::Twin);
        }
        let said: HashSet<ChangeHash> = said.iter().map(VerifiedChange::hash).collect();
        let mut known = None;
        for number in receipt.saturating_add(1)..=taken.last {
            let key = entry_key(self.number(), number);
            let Some(bytes) = store.get(&key)? else { continue };
            let entry: Entry = parse(&key, Some(&bytes))?;
            if entry.device != device {
                continue;
            }
            let documents = read_bundle(&entry.bundle).map_err(|_| StoreFault::Damaged(key))?;
            if documents.iter().all(|document| has_heads(&said, &document.changes)) {
                known = Some((number, short(entry.tag)));
                continue;
            }
            // A request that only repeats may be an old one that comes late, or one page of several.
            let says_all = !request.bundle.is_empty() || request.pending_after == 0;
            let only_repeats = taken.has_repeats && taken.receipt.is_none();
            return Ok(match known {
                _ if says_all && !only_repeats => Shown::Twin,
                Some(entry) => Shown::Through(entry),
                None => Shown::Unclear,
            });
        }
        Ok(Shown::All)
    }

    /// The number of a device's last entry; 0 for none.
    pub(crate) fn last_entry_of(&self, device: DeviceId) -> u64 {
        self.state().last_entries.get(&device).copied().unwrap_or(0)
    }

    /// Two phones go by this device's name: what one of them sends is not what the other has. From now on
    /// each gets the other's, and cursors from before count no more, so both compare once.
    pub(crate) fn twin_seen(&self, gather: &mut Gather<'_>, device: DeviceId) {
        let mut state = self.state();
        let count = state.twins.entry(device).or_default();
        *count = count.saturating_add(1);
        gather.put(key(self.number(), b'k', device.as_bytes()), write_message(count));
    }
}
