//! Where things are kept: ordered keys and values, changed by atomic batches, durable on request.
//! The phone keeps all it has behind this trait (SQLite; memory in tests), and the server too (sled).

mod batch;
#[cfg(feature = "sqlite")]
mod cipher;
pub mod conformance;
mod memory;
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use batch::{Batch, Write};
#[cfg(feature = "sqlite")]
pub use cipher::StoreKey;
pub use memory::MemoryStore;
pub use seal::{seal, unseal};
#[cfg(feature = "sqlite")]
pub use sqlite::{OpenReport, SqliteStore};

/// Why the store could not do what was asked. Nothing of a failed batch is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// The medium failed or is full.
    #[error("the store failed: {0}")]
    Failed(String),
    /// What is stored was encrypted with another key, or with one where none was given.
    #[error("what is stored here was locked with another key")]
    Locked,
    /// A value's checksum does not fit.
    #[error("a stored record is damaged (key {})", .0.iter().map(|byte| format!("{byte:02x}")).collect::<String>())]
    Damaged(Vec<u8>),
}

/// A key with its value; no value when its checksum does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Vec<u8>,
    /// The value, unless it is damaged.
    pub value: Option<Vec<u8>>,
}

/// Ordered keys and values.
pub trait Store: Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault>;

    /// Up to `limit` rows whose keys begin with `prefix`, in order, from the first key that is greater
    /// than `after` where that is given.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault>;

    /// Applies all of a batch or nothing of it.
    fn apply(&self, batch: &Batch) -> Result<(), StoreFault>;

    /// Returns once all that was applied would survive a power cut.
    fn flush(&self) -> Result<(), StoreFault>;

    /// All rows whose keys begin with `prefix`.
    fn scan_all(&self, prefix: &[u8]) -> Result<Vec<Row>, StoreFault> {
        self.scan(prefix, None, usize::MAX)
    }
}

/// The first key after all keys that begin with `prefix`; none when there is no such key.
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}
