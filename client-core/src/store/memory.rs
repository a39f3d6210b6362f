//! A store in memory, for tests and simulations. A clone shares its rows.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, Row, Store, StoreFault, Write};

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// See the module.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    rows: Arc<Mutex<Rows>>,
}

impl MemoryStore {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An independent store with the same rows, like a backup.
    pub fn copy(&self) -> Self {
        Self { rows: Arc::new(Mutex::new(self.rows().clone())) }
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        Ok(self.rows().get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let rows = self.rows();
        let found = rows.range::<[u8], _>((start, Bound::Unbounded)).take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.take(limit).map(|(key, value)| Row { key: key.clone(), value: Some(value.clone()) }).collect())
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreFault> {
        let mut rows = self.rows();
        for write in batch.writes() {
            match write {
                Write::Put(key, value) => drop(rows.insert(key.clone(), value.clone())),
                Write::Remove(key) => drop(rows.remove(key)),
            }
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

    #[test]
    fn memory_store_conforms() {
        let store = MemoryStore::default();
        crate::store::conformance::check(|| Box::new(store.clone()));
    }
}
