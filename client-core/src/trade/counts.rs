//! Which counts of a holding apply. Each count says which it knew of. One that nobody followed is an end; of several ends, which
//! did not know of each other, the one of the highest rank applies, and with it those that its author saw applied then: a count is
//! what was found against what was computed from just those.

use std::collections::{BTreeMap, BTreeSet};

use crate::schema::EntryId;
use crate::schema::stock_book::Count;

/// The counts of one holding.
#[derive(Debug, Default)]
pub(super) struct Counts<'a> {
    by_entry: BTreeMap<&'a EntryId, &'a Count>,
}

impl<'a> Counts<'a> {
    pub(super) fn add(&mut self, entry: &'a EntryId, count: &'a Count) {
        self.by_entry.insert(entry, count);
    }

    /// Those that a count knew of and that are here. A count follows only what ranks below it, so nothing follows itself.
    fn known_to(&self, entry: &'a EntryId) -> impl Iterator<Item = &'a EntryId> + '_ {
        let count = self.by_entry.get(entry).copied();
        let known = count.into_iter().flat_map(|count| count.knew.iter());
        known
            .filter_map(move |known| self.by_entry.get_key_value(known).map(|(known, _)| *known))
            .filter(move |known| known.rank() < entry.rank())
    }

    /// The counts that no other followed, the one that applies first.
    pub(super) fn ends(&self) -> Vec<&'a EntryId> {
        let followed: BTreeSet<&EntryId> = self.by_entry.keys().flat_map(|entry| self.known_to(entry)).collect();
        let mut ends: Vec<&EntryId> = self.by_entry.keys().copied().filter(|entry| !followed.contains(entry)).collect();
        ends.sort_by(|one, other| other.rank().cmp(&one.rank()));
        ends
    }

    /// The counts that apply, the last one first.
    pub(super) fn applying(&self) -> Vec<(&'a EntryId, &'a Count)> {
        let mut chain = Vec::new();
        let mut next = self.ends().into_iter().next();
        while let Some((entry, count)) = next.and_then(|entry| self.by_entry.get_key_value(entry)) {
            chain.push((*entry, *count));
            next = self.known_to(entry).max_by(|one, other| one.rank().cmp(&other.rank()));
        }
        chain
    }
}
