//! Rebuilds all rows that derive from a co-operative's entries and log: numbers, running checksums, the index of
//! repeats, document metas, marks of unadmitted entries. From an intact store the result is the same to the byte. When
//! an entry is missing, later ones are renumbered and the log's checksums change; phones notice at their next sync and
//! give back the missing changes.

use std::collections::{BTreeSet, HashMap, HashSet};

use granary_client_core::ids::ChangeHash;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::schema::DocumentKey;
use granary_client_core::store::{Store, StoreFault};

use crate::log::CooperativeNumber;
use crate::log::entry::chain_entry;
use crate::log::format::format_row;
use crate::log::keys::{
    DocumentMeta, DocumentNumber, Entry, Heads, Indexed, LogEvent, LogRecord, chain, entry_key, key, log_key, meta_key,
    rest, rest_u64, sequence_key, unadmitted_key,
};
use crate::log::rows::{Writes, cooperatives, each_row};
use crate::log::set_aside::{SetAside, Standing, place_of};

/// Kinds of derived rows.
const DERIVED: [u8; 6] = *b"hmapso";

/// Counts of a rebuilt store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Rebuilt {
    pub(crate) cooperatives: u64,
    pub(crate) documents: u64,
    pub(crate) entries: u64,
    pub(crate) positions: u64,
    /// Entries and positions that could not be read and are lost.
    pub(crate) dropped: u64,
}

/// Rebuilds all derived rows of a store.
pub(crate) fn rebuild(store: &dyn Store) -> Result<Rebuilt, StoreFault> {
    let mut rebuilt = Rebuilt::default();
    let mut format = Writes::new(store);
    let (key, value) = format_row();
    format.put(key, value)?;
    format.finish()?;
    for number in cooperatives(store)? {
        let mut work = Work::new(store, number);
        work.remove_derived()?;
        work.find_erased()?;
        work.entries()?;
        work.log()?;
        work.quarantined_and_unadmitted()?;
        rebuilt.cooperatives = rebuilt.cooperatives.saturating_add(1);
        rebuilt.documents = rebuilt.documents.saturating_add(work.documents.len() as u64);
        rebuilt.entries = rebuilt.entries.saturating_add(work.heads.entry);
        rebuilt.positions = rebuilt.positions.saturating_add(work.heads.position);
        rebuilt.dropped = rebuilt.dropped.saturating_add(work.dropped);
        work.finish()?;
    }
    Ok(rebuilt)
}

struct Work<'a> {
    store: &'a dyn Store,
    number: CooperativeNumber,
    writes: Writes<'a>,
    heads: Heads,
    documents: Vec<(DocumentKey, DocumentMeta)>,
    numbers: HashMap<DocumentKey, DocumentNumber>,
    /// New numbers of entries by old ones.
    moved: HashMap<u64, u64>,
    unadmitted: BTreeSet<u64>,
    /// Documents that were erased, by their old numbers: an older run of a backup still has their changes.
    erased: HashSet<DocumentNumber>,
    /// Entries of theirs, by their new numbers.
    emptied: HashSet<u64>,
    /// New numbers of documents by old ones.
    renumbered: HashMap<DocumentNumber, DocumentNumber>,
    dropped: u64,
}

impl<'a> Work<'a> {
    fn new(store: &'a dyn Store, number: CooperativeNumber) -> Self {
        Self {
            store,
            number,
            writes: Writes::new(store),
            heads: Heads::default(),
            documents: Vec::new(),
            numbers: HashMap::new(),
            moved: HashMap::new(),
            unadmitted: BTreeSet::new(),
            erased: HashSet::new(),
            emptied: HashSet::new(),
            renumbered: HashMap::new(),
            dropped: 0,
        }
    }

    fn remove_derived(&mut self) -> Result<(), StoreFault> {
        for kind in DERIVED {
            let writes = &mut self.writes;
            each_row(self.store, &key(self.number, kind, &[]), |row| writes.remove(row.key))?;
        }
        self.writes.apply()
    }

    fn find_erased(&mut self) -> Result<(), StoreFault> {
        let erased = &mut self.erased;
        each_row(self.store, &key(self.number, b'l', &[]), |row| {
            let record: Option<LogRecord> = row.value.as_deref().and_then(|value| read_message(value).ok());
            if let Some(LogRecord { event: LogEvent::Erased { document, .. }, .. }) = record {
                erased.insert(document);
            }
            Ok(())
        })
    }

    fn entries(&mut self) -> Result<(), StoreFault> {
        let (store, dropped) = (self.store, self.dropped()?);
        let mut last_old = 0u64;
        each_row(store, &key(self.number, b'e', &[]), |row| {
            let old = rest_u64(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            self.dropped = self.dropped.saturating_add(old.saturating_sub(last_old).saturating_sub(1));
            last_old = old;
            let entry: Option<Entry> = row.value.as_deref().and_then(|value| read_message(value).ok());
            let changes = entry.as_ref().and_then(|entry| entry.documents().ok()).and_then(|mut documents| {
                // An entry holds changes of one document.
                (documents.len() == 1).then(|| documents.pop()).flatten()
            });
            match (entry, changes) {
                (Some(entry), Some(changes)) if self.erased.contains(&entry.document) || dropped.contains(&old) => {
                    if self.erased.contains(&entry.document) {
                        self.emptied.insert(self.heads.entry.saturating_add(1));
                    }
                    let emptied = entry.emptied(&changes.key);
                    self.writes.put(row.key, write_message(&emptied))?;
                    self.keep_entry(old, emptied, &DocumentChanges { changes: Vec::new(), ..changes })
                }
                (Some(entry), Some(changes)) => self.keep_entry(old, entry, &changes),
                _ => {
                    self.dropped = self.dropped.saturating_add(1);
                    self.writes.remove(row.key)
                }
            }
        })
    }

    /// Entries whose content was dropped. An older run of a backup still has it.
    fn dropped(&self) -> Result<HashSet<u64>, StoreFault> {
        let mut dropped = HashSet::new();
        each_row(self.store, &key(self.number, b'x', &[]), |row| {
            let aside: Option<SetAside> = row.value.as_deref().and_then(|value| read_message(value).ok());
            if aside.is_some_and(|aside| matches!(aside.standing, Standing::Dropped | Standing::Gone)) {
                dropped.extend(place_of(&row.key).map(|(_, entry)| entry));
            }
            Ok(())
        })?;
        Ok(dropped)
    }

    fn keep_entry(&mut self, old: u64, entry: Entry, document: &DocumentChanges) -> Result<(), StoreFault> {
        let document_number = self.number_of(&document.key);
        self.renumbered.insert(entry.document, document_number);
        let new = self.heads.entry.saturating_add(1);
        for change in &document.changes {
            let record = change.record();
            let index = sequence_key(self.number, document_number, &record.actor, record.sequence);
            self.writes.put(index, Indexed { hash: change.hash(), entry: new }.to_bytes())?;
        }
        // A chain that leads through a lost entry starts over.
        let previous = self.moved.get(&entry.previous).copied().unwrap_or(0);
        let tag = chain_entry(self.heads.entry_tag, entry.content);
        (self.heads.entry, self.heads.entry_tag) = (new, tag);
        self.moved.insert(old, new);
        self.unadmitted.insert(new);
        if (old, entry.tag, entry.document, entry.previous) != (new, tag, document_number, previous) {
            self.writes.remove(entry_key(self.number, old))?;
            let entry = Entry { document: document_number, previous, tag, ..entry };
            self.writes.put(entry_key(self.number, new), write_message(&entry))?;
        }
        Ok(())
    }

    fn number_of(&mut self, key: &DocumentKey) -> DocumentNumber {
        if let Some(number) = self.numbers.get(key) {
            return *number;
        }
        let number = DocumentNumber(u32::try_from(self.documents.len()).unwrap_or(u32::MAX));
        let meta = DocumentMeta::new(key);
        self.documents.push((key.clone(), meta));
        self.numbers.insert(key.clone(), number);
        number
    }

    fn log(&mut self) -> Result<(), StoreFault> {
        // Renumbered entries must be in the store before the log reads them.
        self.writes.apply()?;
        let store = self.store;
        let mut heads: Vec<HashSet<ChangeHash>> = vec![HashSet::new(); self.documents.len()];
        let mut last_old = 0u64;
        each_row(store, &key(self.number, b'l', &[]), |row| {
            let old = rest_u64(&row.key).ok_or_else(|| StoreFault::Damaged(row.key.clone()))?;
            self.dropped = self.dropped.saturating_add(old.saturating_sub(last_old).saturating_sub(1));
            last_old = old;
            let record: Option<LogRecord> = row.value.as_deref().and_then(|value| read_message(value).ok());
            let event = record.as_ref().and_then(|record| self.moved_event(&record.event, &mut heads).transpose());
            let Some(event) = event.transpose()? else {
                self.dropped = self.dropped.saturating_add(1);
                return self.writes.remove(row.key);
            };
            let new = self.heads.position.saturating_add(1);
            let tag = chain(self.heads.position_tag, &write_message(&event));
            (self.heads.position, self.heads.position_tag) = (new, tag);
            if old != new || record.is_none_or(|record| record.tag != tag) {
                self.writes.remove(row.key)?;
                self.writes.put(log_key(self.number, new), write_message(&LogRecord { tag, event }))?;
            }
            Ok(())
        })?;
        for ((_, meta), heads) in self.documents.iter_mut().zip(heads) {
            meta.heads = heads.into_iter().collect();
            meta.heads.sort_unstable();
        }
        Ok(())
    }

    /// A log event with the new numbers; none when its entry is lost.
    fn moved_event(
        &mut self,
        event: &LogEvent,
        heads: &mut [HashSet<ChangeHash>],
    ) -> Result<Option<LogEvent>, StoreFault> {
        if let LogEvent::Erased { document, .. } = event {
            return Ok(self.moved_erasure(*document, heads));
        }
        let LogEvent::Admitted { entry: old, device, .. } = event else { return Ok(Some(event.clone())) };
        let Some(new) = self.moved.get(old).copied().filter(|new| self.unadmitted.remove(new)) else { return Ok(None) };
        let entry_key = entry_key(self.number, new);
        let damaged = || StoreFault::Damaged(entry_key.clone());
        let bytes = self.store.get(&entry_key)?.ok_or_else(damaged)?;
        let entry: Entry = read_message(&bytes).map_err(|_| damaged())?;
        let place = usize::try_from(entry.document.0).map_err(|_| damaged())?;
        let documents = entry.documents().map_err(|_| damaged())?;
        let (heads, (_, meta)) = heads.get_mut(place).zip(self.documents.get_mut(place)).ok_or_else(damaged)?;
        for change in documents.iter().flat_map(|document| &document.changes) {
            for dependency in &change.record().dependencies {
                heads.remove(dependency);
            }
            heads.insert(change.hash());
        }
        let previous = meta.last;
        meta.last = self.heads.position.saturating_add(1);
        meta.since_saved = meta.since_saved.saturating_add(1);
        let admitted =
            LogEvent::Admitted { entry: new, document: entry.document, previous, device: *device, tag: entry.tag };
        Ok(Some(admitted))
    }

    /// The event that a document was erased; none when no entry of it is left, so that nobody knows which it was.
    fn moved_erasure(&mut self, old: DocumentNumber, heads: &mut [HashSet<ChangeHash>]) -> Option<LogEvent> {
        let document = self.renumbered.get(&old).copied()?;
        let place = usize::try_from(document.0).ok()?;
        let (heads, (_, meta)) = heads.get_mut(place).zip(self.documents.get_mut(place))?;
        heads.clear();
        let previous = meta.last;
        meta.last = self.heads.position.saturating_add(1);
        meta.since_saved = meta.since_saved.saturating_add(1);
        meta.is_erased = true;
        Some(LogEvent::Erased { document, previous })
    }

    fn quarantined_and_unadmitted(&mut self) -> Result<(), StoreFault> {
        let store = self.store;
        each_row(store, &key(self.number, b'x', &[]), |row| {
            let (device, old) = rest(&row.key).split_at_checked(8).unwrap_or_default();
            let old = old.try_into().ok().map(u64::from_be_bytes);
            let aside: Option<SetAside> = row.value.as_deref().and_then(|value| read_message(value).ok());
            let new = old.and_then(|old| self.moved.get(&old).copied());
            let (Some(new), Some(aside)) = (new, aside) else {
                self.dropped = self.dropped.saturating_add(1);
                return self.writes.remove(row.key);
            };
            if self.emptied.contains(&new) {
                return self.writes.remove(row.key);
            }
            // One that a coordinator took in and that is not admitted yet is still to be.
            if aside.standing != Standing::TakenIn {
                self.unadmitted.remove(&new);
            }
            if old != Some(new) {
                self.writes.remove(row.key.clone())?;
                let moved = [device, &new.to_be_bytes()].concat();
                self.writes.put(key(self.number, b'x', &moved), write_message(&aside))?;
            }
            Ok(())
        })?;
        for entry in self.unadmitted.difference(&self.emptied.iter().copied().collect()) {
            self.writes.put(unadmitted_key(self.number, *entry), Vec::new())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<(), StoreFault> {
        self.heads.documents = u32::try_from(self.documents.len()).unwrap_or(u32::MAX);
        for (number, (_, meta)) in (0u32..).map(DocumentNumber).zip(&self.documents) {
            self.writes.put(meta_key(self.number, number), write_message(meta))?;
        }
        self.writes.put(key(self.number, b'h', &[]), write_message(&self.heads))?;
        self.writes.finish()
    }
}
