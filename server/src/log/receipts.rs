//! The receipt chain. Each entry keeps the receipt that its request presented, so a replica's own entries are exactly
//! the chain behind its receipt. Copies of a phone have separate chains after the copy: each gets the other's entries,
//! and the server need not know which replica is a copy.

use std::collections::{BTreeSet, HashSet};

use granary_client_core::ids::{ChangeHash, DeviceId};
use granary_client_core::planted;
use granary_client_core::protocol::messages::{Cursor, Receipt};
use granary_client_core::store::{Store, StoreFault};

use super::Cooperative;
use super::keys::{CooperativeNumber, Entry, entry_key, short};
use super::rows::{parse, read_record};
use super::writer::GroupCommit;

/// The entries of one replica, from its receipt backwards, read on demand.
pub(super) struct OwnEntries<'a> {
    store: &'a dyn Store,
    cooperative: CooperativeNumber,
    device: DeviceId,
    /// The next unread entry of the chain; 0 at its end.
    next: u64,
    read: HashSet<u64>,
}

impl<'a> OwnEntries<'a> {
    pub(super) fn behind(
        receipt: Receipt,
        store: &'a dyn Store,
        cooperative: CooperativeNumber,
        device: DeviceId,
    ) -> Self {
        Self { store, cooperative, device, next: receipt.own(), read: HashSet::new() }
    }

    /// True when this entry is one of the replica's own.
    pub(super) fn has(&mut self, entry: u64) -> Result<bool, StoreFault> {
        if planted!("feed_leaves_out_a_copys_entries") {
            return Ok(true);
        }
        while self.next >= entry && self.next > 0 {
            let key = entry_key(self.cooperative, self.next);
            let record: Entry = parse(&key, self.store.get(&key)?.as_deref())?;
            if record.device != self.device || record.previous >= self.next {
                self.next = 0;
                break;
            }
            self.read.insert(self.next);
            self.next = record.previous;
        }
        Ok(self.read.contains(&entry))
    }
}

/// A replica's chain after adoption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Adopted {
    /// The end of the replica's chain.
    pub(super) tip: u64,
    /// The running checksum at `tip`, when an entry was adopted.
    pub(super) tag: Option<u32>,
    /// True when every repeated entry is in the chain.
    pub(super) is_all: bool,
}

/// Adopts the entries that a request repeats. A replica whose reply was lost presents its old receipt and sends all
/// changes again of the entry that has this receipt as `previous`.
pub(super) fn adopt(
    group: &GroupCommit<'_>,
    cooperative: CooperativeNumber,
    (device, tip): (DeviceId, u64),
    repeated: &BTreeSet<u64>,
    sent: &HashSet<ChangeHash>,
) -> Result<Adopted, StoreFault> {
    let mut adopted = Adopted { tip, tag: None, is_all: true };
    let mut own = OwnEntries::behind(Receipt::Own(tip), group.store(), cooperative, device);
    for number in repeated {
        if own.has(*number)? {
            continue;
        }
        let key = entry_key(cooperative, *number);
        // An entry of this same flush is not adopted.
        let Some(bytes) = group.get(&key)? else {
            adopted.is_all = false;
            continue;
        };
        let entry: Entry = parse(&key, Some(&bytes))?;
        let follows = entry.device == device && entry.previous == adopted.tip;
        let is_own = follows
            && (planted!("entry_is_adopted_unsaid") || {
                let documents = entry.documents().map_err(|_| StoreFault::Damaged(key))?;
                documents.iter().flat_map(|document| &document.changes).all(|change| sent.contains(&change.hash()))
            });
        match is_own {
            true => (adopted.tip, adopted.tag) = (*number, Some(short(entry.tag))),
            false => adopted.is_all = false,
        }
    }
    Ok(adopted)
}

impl Cooperative {
    /// True when this log gave the cursor: its running checksums match at position and receipt.
    pub(crate) fn fits(&self, store: &dyn Store, cursor: &Cursor) -> Result<bool, StoreFault> {
        let (visible, receipt) = (self.state().heads.visible(), cursor.receipt.entry());
        if planted!("every_cursor_fits") {
            return Ok(cursor.position <= visible.position);
        }
        if cursor.position > visible.position || receipt > visible.entry {
            return Ok(false);
        }
        let position_tag = match cursor.position {
            0 => 0,
            position => read_record(store, self.number(), position)?.tag,
        };
        let receipt_tag = match receipt {
            0 => 0,
            entry => {
                let key = entry_key(self.number(), entry);
                parse::<Entry>(&key, store.get(&key)?.as_deref())?.tag
            }
        };
        Ok(short(position_tag) == cursor.tags.position && short(receipt_tag) == cursor.tags.receipt)
    }

    /// Notes a device's new entry. True when the device has an entry after `previous` already, which this replica does
    /// not know: the phone was copied, set back to an older state, or its key was stolen.
    pub(super) fn forks(&self, device: DeviceId, previous: u64, entry: u64) -> bool {
        // The beginning of a chain tells nothing, and an outbox file that somebody brought is in none.
        if previous == 0 {
            return false;
        }
        let last = self.state().devices.replace_last_entry(device, entry);
        last.is_some_and(|last| last > previous)
    }
}
