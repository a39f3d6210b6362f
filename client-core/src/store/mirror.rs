//! A store in memory whose writes the platform makes durable: a browser keeps them in IndexedDB. Reads see a write at once;
//! it is durable once the platform has kept what [`MirrorStore::take_writes`] gives, which it does, all of it or nothing,
//! before it tells anybody of the call that wrote. If that fails, this store is thrown away with the phone over it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, MemoryStore, Row, Store, StoreFault, Write};

/// The keys that were written, each with its last value; none where it was removed.
pub type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// See the module. A clone shares its rows.
#[derive(Debug, Clone, Default)]
pub struct MirrorStore {
    rows: MemoryStore,
    writes: Arc<Mutex<Writes>>,
}

impl MirrorStore {
    /// A store of these rows, all of which are durable.
    pub fn of(rows: MemoryStore) -> Self {
        Self { rows, writes: Arc::default() }
    }

    fn writes(&self) -> MutexGuard<'_, Writes> {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was written since the last call.
    pub fn take_writes(&self) -> Writes {
        std::mem::take(&mut self.writes())
    }
}

impl Store for MirrorStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        self.rows.get(key)
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault> {
        self.rows.scan(prefix, after, limit)
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreFault> {
        self.rows.apply(batch)?;
        let mut writes = self.writes();
        for write in batch.writes() {
            match write {
                Write::Put(key, value) => writes.insert(key.clone(), Some(value.clone())),
                Write::Remove(key) => writes.insert(key.clone(), None),
            };
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mirror_store_conforms() {
        let store = MirrorStore::default();
        crate::store::conformance::check(|| Box::new(store.clone()));
    }

    proptest! {
        /// Whatever is kept of the writes up to any call leads to the store as it was after that call.
        #[test]
        fn writes_lead_to_the_same_rows(batches in proptest::collection::vec(
            proptest::collection::vec((0u8..8, proptest::option::of(any::<u8>())), 0..6), 0..20)) {
            let store = MirrorStore::default();
            let mut kept: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
            for writes in batches {
                let mut batch = Batch::default();
                for (key, value) in writes {
                    match value {
                        Some(value) => batch.put(vec![key], vec![value]),
                        None => batch.remove(vec![key]),
                    }
                }
                store.apply(&batch).unwrap();
                for (key, value) in store.take_writes() {
                    match value {
                        Some(value) => drop(kept.insert(key, value)),
                        None => drop(kept.remove(&key)),
                    }
                }
                let rows: BTreeMap<_, _> = store.scan_all(&[]).unwrap().into_iter()
                    .filter_map(|row| row.value.map(|value| (row.key, value))).collect();
                prop_assert_eq!(&rows, &kept);
            }
        }
    }
}
