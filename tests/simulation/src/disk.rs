//! A simulated disk. A crash loses unflushed writes, and any write can fail.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use granary_client_core::store::{Batch, Row, Store, StoreFault, Write};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Default)]
struct Platter {
    /// Rows that survive a power cut.
    durable: Rows,
    /// Batches since the last flush.
    unflushed: Vec<Batch>,
    /// Rows that reads see.
    seen: Rows,
    /// Writes until the machine stops; none for never.
    stops_after: Option<u32>,
    stopped: bool,
    /// Number of next writes that fail because the disk is full.
    full_for: u32,
    /// True once a write failed because of that.
    was_full: bool,
}

/// See the module. A clone is another handle on the same disk.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    platter: Arc<Mutex<Platter>>,
    /// True when each batch is flushed by itself, as the phone's SQLite does.
    flushes_itself: bool,
}

fn put(rows: &mut Rows, batch: &Batch) {
    for write in batch.writes() {
        match write {
            Write::Put(key, value) => drop(rows.insert(key.clone(), value.clone())),
            Write::Remove(key) => drop(rows.remove(key)),
        }
    }
}

impl Disk {
    /// A phone's disk.
    pub(crate) fn of_phone() -> Self {
        Self { flushes_itself: true, ..Self::default() }
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.platter.lock().unwrap()
    }

    /// The machine will stop at its `writes`-th write or flush from now.
    pub(crate) fn stop_after(&self, writes: u32) {
        self.platter().stops_after = Some(writes);
    }

    /// Cancels [`Self::stop_after`].
    pub(crate) fn keep_going(&self) {
        self.platter().stops_after = None;
    }

    /// The disk is full for this many writes; the machine goes on.
    pub(crate) fn fill_for(&self, writes: u32) {
        self.platter().full_for = writes;
    }

    /// Ends [`Self::fill_for`]. True if a write failed because the disk was full.
    pub(crate) fn make_room(&self) -> bool {
        let mut platter = self.platter();
        platter.full_for = 0;
        std::mem::take(&mut platter.was_full)
    }

    /// True once a write failed because the disk was full.
    pub(crate) fn was_full(&self) -> bool {
        self.platter().was_full
    }

    /// Loses one of the durable rows that `is_of` selects, as a store does that finds a wrong checksum. Gives the row.
    pub(crate) fn lose_row(&self, which: u64, is_of: impl Fn(&[u8]) -> bool) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut platter = self.platter();
        let keys: Vec<Vec<u8>> = platter.durable.keys().filter(|key| is_of(key)).cloned().collect();
        let place = which.checked_rem(keys.len() as u64)?;
        let key = keys.into_iter().nth(usize::try_from(place).unwrap())?;
        platter.durable.remove(&key);
        let value = platter.seen.remove(&key)?;
        Some((key, value))
    }

    /// The number of durable rows that `is_of` selects.
    pub(crate) fn count_of(&self, is_of: impl Fn(&[u8]) -> bool) -> usize {
        self.platter().durable.keys().filter(|key| is_of(key)).count()
    }

    /// The number of rows whose keys begin with one of these bytes.
    pub(crate) fn count(&self, kinds: &[u8]) -> u64 {
        let platter = self.platter();
        platter.seen.keys().filter(|key| key.first().is_some_and(|kind| kinds.contains(kind))).count() as u64
    }

    /// True once the machine has stopped.
    pub(crate) fn has_stopped(&self) -> bool {
        self.platter().stopped
    }

    /// Restarts the machine. The first `kept` of the unflushed batches survive.
    pub(crate) fn restart(&self, kept: usize) {
        let mut platter = self.platter();
        let unflushed = std::mem::take(&mut platter.unflushed);
        for batch in unflushed.iter().take(kept) {
            put(&mut platter.durable, batch);
        }
        platter.seen = platter.durable.clone();
        platter.stopped = false;
        platter.stops_after = None;
        (platter.full_for, platter.was_full) = (0, false);
    }

    /// How many batches would be lost now.
    pub(crate) fn unflushed(&self) -> usize {
        self.platter().unflushed.len()
    }

    /// A new disk with the durable rows of this one.
    pub(crate) fn backup(&self) -> Self {
        let durable = self.platter().durable.clone();
        let platter = Platter { seen: durable.clone(), durable, ..Platter::default() };
        Self { platter: Arc::new(Mutex::new(platter)), flushes_itself: self.flushes_itself }
    }

    /// Fails when there is no room.
    fn room(platter: &mut Platter) -> Result<(), StoreFault> {
        let Some(left) = platter.full_for.checked_sub(1) else { return Ok(()) };
        (platter.full_for, platter.was_full) = (left, true);
        Err(StoreFault::Failed("the disk is full".into()))
    }

    /// Counts a write; fails when the machine stops at it.
    fn tick(platter: &mut Platter) -> Result<(), StoreFault> {
        if let Some(left) = platter.stops_after {
            platter.stops_after = Some(left.saturating_sub(1));
            platter.stopped |= left <= 1;
        }
        if platter.stopped { Err(StoreFault::Failed("the machine has stopped".into())) } else { Ok(()) }
    }
}

impl Store for Disk {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.platter().seen.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault> {
        use std::ops::Bound;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let platter = self.platter();
        let rows = platter.seen.range::<[u8], _>((start, Bound::Unbounded));
        let found = rows.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        Ok(found.map(|(key, value)| Row { key: key.clone(), value: Some(value.clone()) }).collect())
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreFault> {
        let mut platter = self.platter();
        Self::room(&mut platter)?;
        // A stop may come before this write, or while it is under way; a restart may then keep or lose it.
        let result = Self::tick(&mut platter);
        platter.unflushed.push(batch.clone());
        result?;
        put(&mut platter.seen, batch);
        if self.flushes_itself {
            put(&mut platter.durable, batch);
            platter.unflushed.clear();
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreFault> {
        if self.flushes_itself {
            return Ok(());
        }
        let mut platter = self.platter();
        Self::room(&mut platter)?;
        Self::tick(&mut platter)?;
        for batch in std::mem::take(&mut platter.unflushed) {
            put(&mut platter.durable, &batch);
        }
        Ok(())
    }
}
