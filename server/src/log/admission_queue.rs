//! The entries that are durable and not admitted yet.
//!
//! An unadmitted entry is exactly one of three:
//! - undecided: the admission thread has not read it yet;
//! - an orphan: some of its dependencies have not come;
//! - undecidable: its document can't be read until it is repaired.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::write_message;
use granary_client_core::store::{Store, StoreFault};

use super::keys::{CooperativeNumber, DocumentNumber, Entry, entry_key, key, rest_u64, unadmitted_key};
use super::room::growth;
use super::rows::parse;
use super::writer::GroupCommit;

/// Orphans of one device in one document. Each round of admission to that document reads them again, so few may be; the
/// phone sends the rest again once the dependencies have come. The limit is for each document, since the dependencies
/// of one may be lost for good.
const ORPHANS_MAX: Orphans = Orphans { entries: 64, bytes: 1024 * 1024 };
/// Orphans of one device in all its documents.
const ORPHANS_IN_ALL_MAX: Orphans = Orphans { entries: 1024, bytes: 4 * 1024 * 1024 };

/// Entries by which the queue's start advances before row `o` is written again.
const START_STEP: u64 = 256;

/// Every unadmitted entry stands in `unadmitted` and under its document in `by_document`. `orphans` and
/// `undecidable` are disjoint parts of `unadmitted`. No entry before `start` is unadmitted.
#[derive(Default)]
pub(super) struct AdmissionQueue {
    unadmitted: BTreeSet<u64>,
    by_document: BTreeMap<DocumentNumber, Vec<u64>>,
    orphans: HashMap<DeviceId, BTreeMap<u64, Orphan>>,
    /// What each undecided entry surely adds to its document, in bytes, and the sum for each document.
    growth: HashMap<u64, u64>,
    growth_of: HashMap<DocumentNumber, u64>,
    undecidable: BTreeSet<u64>,
    /// As row `o` has it. A start of the server scans from here: a scan over the removed marks of all earlier entries
    /// would take as long as the log.
    start: u64,
}

/// An orphan's document, and the bytes of its change chunks.
struct Orphan {
    document: DocumentNumber,
    bytes: usize,
}

/// A count of orphans, and the bytes of their change chunks.
#[derive(Default, Clone, Copy)]
struct Orphans {
    entries: usize,
    bytes: usize,
}

impl Orphans {
    fn is_full(self, most: Self) -> bool {
        self.entries >= most.entries || self.bytes >= most.bytes
    }
}

impl<'a> FromIterator<&'a Orphan> for Orphans {
    fn from_iter<I: IntoIterator<Item = &'a Orphan>>(orphans: I) -> Self {
        orphans.into_iter().fold(Self::default(), |sum, orphan| Self {
            entries: sum.entries.saturating_add(1),
            bytes: sum.bytes.saturating_add(orphan.bytes),
        })
    }
}

impl AdmissionQueue {
    pub(super) fn load(store: &dyn Store, own: CooperativeNumber) -> Result<Self, StoreFault> {
        let mut queue = Self::default();
        let start_key = key(own, b'o', &[]);
        if let Some(bytes) = store.get(&start_key)? {
            queue.start = parse(&start_key, Some(&bytes))?;
        }
        let before = unadmitted_key(own, queue.start.saturating_sub(1));
        for row in store.scan(&key(own, b'p', &[]), Some(&before), usize::MAX)? {
            let entry = rest_u64(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            let bytes = store.get(&entry_key(own, entry))?;
            let record: Entry = parse(&entry_key(own, entry), bytes.as_deref())?;
            let documents = record.documents().map_err(|_| StoreFault::Damaged(entry_key(own, entry)))?;
            let changes = documents.iter().flat_map(|document| &document.changes);
            queue.push(entry, record.document, changes.map(growth).fold(0, u64::saturating_add));
        }
        Ok(queue)
    }

    /// Adds an entry that surely adds so many bytes to its document.
    pub(super) fn push(&mut self, entry: u64, document: DocumentNumber, growth: u64) {
        self.unadmitted.insert(entry);
        self.growth.insert(entry, growth);
        let sum = self.growth_of.entry(document).or_default();
        *sum = sum.saturating_add(growth);
        self.by_document.entry(document).or_default().push(entry);
    }

    /// Removes an entry that was admitted or quarantined.
    pub(super) fn remove(&mut self, entry: u64, document: DocumentNumber, device: DeviceId) {
        self.unadmitted.remove(&entry);
        self.undecidable.remove(&entry);
        self.grows_no_more(entry, document);
        if let Some(entries) = self.by_document.get_mut(&document) {
            entries.retain(|other| *other != entry);
            if entries.is_empty() {
                self.by_document.remove(&document);
            }
        }
        if let Some(orphans) = self.orphans.get_mut(&device) {
            orphans.remove(&entry);
        }
    }

    fn grows_no_more(&mut self, entry: u64, document: DocumentNumber) {
        let Some(growth) = self.growth.remove(&entry) else { return };
        if let Some(sum) = self.growth_of.get_mut(&document) {
            *sum = sum.saturating_sub(growth);
            if *sum == 0 {
                self.growth_of.remove(&document);
            }
        }
    }

    /// What the undecided entries surely add to a document, in bytes; not the orphans, which have a limit of their own.
    pub(super) fn undecided_growth(&self, document: DocumentNumber) -> u64 {
        self.growth_of.get(&document).copied().unwrap_or(0)
    }

    pub(super) fn len(&self) -> usize {
        self.unadmitted.len()
    }

    /// The documents that have unadmitted entries.
    pub(super) fn documents(&self) -> Vec<DocumentNumber> {
        self.by_document.keys().copied().collect()
    }

    /// The unadmitted entries of a document.
    pub(super) fn entries_of(&self, document: DocumentNumber) -> Vec<u64> {
        self.by_document.get(&document).cloned().unwrap_or_default()
    }

    pub(super) fn mark_orphan(&mut self, entry: u64, document: DocumentNumber, device: DeviceId, bytes: usize) {
        self.undecidable.remove(&entry);
        self.grows_no_more(entry, document);
        self.orphans.entry(device).or_default().insert(entry, Orphan { document, bytes });
    }

    /// Marks all entries of a document that can't be read, so that nothing waits for their verdicts.
    pub(super) fn mark_undecidable(&mut self, document: DocumentNumber) {
        let entries = self.by_document.get(&document).into_iter().flatten().copied();
        let undecided: Vec<u64> = entries.filter(|entry| !self.is_orphan(*entry)).collect();
        self.undecidable.extend(undecided);
    }

    /// True when no more of a device's entries for this document may become orphans.
    pub(super) fn has_too_many_orphans(&self, device: DeviceId, document: Option<DocumentNumber>) -> bool {
        let Some(orphans) = self.orphans.get(&device) else { return false };
        let here = orphans.values().filter(|orphan| Some(orphan.document) == document);
        here.collect::<Orphans>().is_full(ORPHANS_MAX)
            || orphans.values().collect::<Orphans>().is_full(ORPHANS_IN_ALL_MAX)
    }

    /// True while a document has an undecided entry.
    pub(super) fn has_undecided_of(&self, document: DocumentNumber) -> bool {
        let mut entries = self.by_document.get(&document).into_iter().flatten();
        entries.any(|entry| !self.undecidable.contains(entry) && !self.is_orphan(*entry))
    }

    fn is_orphan(&self, entry: u64) -> bool {
        self.orphans.values().any(|orphans| orphans.contains_key(&entry))
    }

    /// True while there is an undecided entry.
    pub(super) fn has_undecided(&self) -> bool {
        let orphans: usize = self.orphans.values().map(BTreeMap::len).sum();
        self.unadmitted.len() > orphans.saturating_add(self.undecidable.len())
    }

    /// Writes the queue's start again when these verdicts move it by [`START_STEP`] or more.
    pub(super) fn advance_start(
        &mut self,
        own: CooperativeNumber,
        group: &mut GroupCommit<'_>,
        decided: &BTreeSet<u64>,
        last_entry: u64,
    ) {
        let first = self.unadmitted.iter().find(|entry| !decided.contains(entry)).copied();
        let start = first.unwrap_or(last_entry.saturating_add(1));
        if start >= self.start.saturating_add(START_STEP) {
            self.start = start;
            group.put(key(own, b'o', &[]), write_message(&start));
        }
    }
}
