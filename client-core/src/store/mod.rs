//! Storage: ordered keys and values, changed by atomic batches, durable on request. The phone stores everything behind
//! this trait (SQLite; memory in tests), and so does the server (sled).

mod batch;
#[cfg(feature = "sqlite")]
mod cipher;
pub mod conformance;
mod fault;
mod memory;
mod mirror;
mod seal;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use batch::{Batch, Write};
#[cfg(feature = "sqlite")]
pub use cipher::StoreKey;
pub use fault::StoreFault;
pub use memory::MemoryStore;
pub use mirror::{MirrorStore, Writes};
pub use seal::{seal, unseal};
#[cfg(feature = "sqlite")]
pub(crate) use sqlite::SCRUB;
#[cfg(feature = "sqlite")]
pub use sqlite::{OpenReport, SetAside, SqliteStore};

/// The first bytes of keys whose rows no server can give back: who this phone is, which documents it has, and what it has not
/// delivered. A store on a medium keeps each of them twice, apart from each other, so that no lost page takes both.
pub const KEPT_TWICE: [u8; 4] = *b"ikox";

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Vec<u8>,
    /// The value; none when it fails its checksum.
    pub value: Option<Vec<u8>>,
}

/// Ordered keys and values. [`conformance`] checks this contract for every implementation.
///
/// Reads see every batch that was applied before. A missing key is no fault. A damaged value is reported where it is read,
/// and never returned as good.
pub trait Store: Send + Sync {
    /// The value of a key; none for a missing key. Fails with [`StoreFault::Damaged`] for a value that fails its checksum.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault>;

    /// Up to `limit` rows whose keys begin with `prefix`, in the byte order of their keys; only keys greater than `after`,
    /// where that is given. An empty prefix means all rows. A damaged value is a row without a value, not a failure.
    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault>;

    /// Applies a batch whole, or nothing of it on failure. The writes apply in order, so a later write of a key wins.
    /// Removing a missing key is no fault. Durable only after [`Self::flush`].
    fn apply(&self, batch: &Batch) -> Result<(), StoreFault>;

    /// Makes all applied batches durable: they survive a power cut once this returns.
    fn flush(&self) -> Result<(), StoreFault>;

    /// Leaves nothing behind of what was removed or replaced, where the store writes over such places only later.
    fn scrub(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    /// All rows whose keys begin with `prefix`, in order.
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
