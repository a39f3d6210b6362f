//! A disk that forgets what was not flushed, and that can fail at any write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use granary_client_core::store::{Batch, Row, Store, StoreFault, Write};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

#[derive(Default)]
struct Platter {
    /// What would survive a power cut.
    durable: Rows,
    /// What was applied since the last flush.
    unflushed: Vec<Batch>,
    /// What reads see.
    seen: Rows,
    /// Writes until the machine stops; none for never.
    stops_after: Option<u32>,
    stopped: bool,
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

    /// The machine does not stop after all.
    pub(crate) fn keep_going(&self) {
        self.platter().stops_after = None;
    }

    /// True once the machine has stopped.
    pub(crate) fn has_stopped(&self) -> bool {
        self.platter().stopped
    }

    /// The machine starts again: of what was not flushed, the first `kept` batches happen to be there.
    pub(crate) fn start_again(&self, kept: usize) {
        let mut platter = self.platter();
        let unflushed = std::mem::take(&mut platter.unflushed);
        for batch in unflushed.iter().take(kept) {
            put(&mut platter.durable, batch);
        }
        platter.seen = platter.durable.clone();
        platter.stopped = false;
        platter.stops_after = None;
    }

    /// How many batches would be lost now.
    pub(crate) fn unflushed(&self) -> usize {
        self.platter().unflushed.len()
    }

    /// Another disk with what is durable on this one, as a backup is.
    pub(crate) fn backup(&self) -> Self {
        let durable = self.platter().durable.clone();
        let platter = Platter { seen: durable.clone(), durable, ..Platter::default() };
        Self { platter: Arc::new(Mutex::new(platter)), flushes_itself: self.flushes_itself }
    }

    /// Counts a write; fails when the machine stops at it.
    fn count(platter: &mut Platter) -> Result<(), StoreFault> {
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
        // The machine may stop before this write, or with it on its way and not known to be there.
        let result = Self::count(&mut platter);
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
        Self::count(&mut platter)?;
        for batch in std::mem::take(&mut platter.unflushed) {
            put(&mut platter.durable, &batch);
        }
        Ok(())
    }
}
