//! The embedded store: sled 1.0 (alpha 124, pinned) behind client-core's store trait. Nothing outside this folder
//! depends on sled. All keys are in one tree, since sled's atomic batch covers one tree; every value carries its own
//! checksum.

pub(crate) mod anew;
pub(crate) mod free_disk;
pub(crate) mod probe;

pub use free_disk::{DiskProbe, DiskRoom};

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use granary_client_core::store::{Batch, Row, Store, StoreFault, Write, seal, unseal};

/// Fixed when the store is made: small leaves cost least memory and disk for our small records.
const LEAF_FANOUT: usize = 32;
/// Sled's cache, in bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;

type Database = sled::Db<LEAF_FANOUT>;

/// A sled store. A handle of sled serves one thread at a time, so idle handles are pooled.
pub struct SledStore {
    handles: Mutex<Vec<Database>>,
}

impl SledStore {
    /// Opens or creates the store in this folder. It does not flush in the background: only [`Store::flush`] does. Fails
    /// with [`StoreFault::InUse`] while another process has it, and with [`StoreFault::Corrupt`] for what sled itself finds
    /// damaged; on any other fault the store is as whole as before.
    pub fn open(folder: &Path) -> Result<Self, StoreFault> {
        anew::finish_cut_off(folder)?;
        let database = sled::Config::new()
            .path(folder)
            .cache_capacity_bytes(CACHE_BYTES)
            .flush_every_ms(None)
            .zstd_compression_level(1)
            .open::<LEAF_FANOUT>()
            .map_err(fault_of)?;
        Ok(Self { handles: Mutex::new(vec![database]) })
    }

    fn with<R>(&self, work: impl FnOnce(&Database) -> Result<R, StoreFault>) -> Result<R, StoreFault> {
        let handle = {
            let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
            // The last handle stays in the pool to be cloned, which is cheap.
            match handles.as_slice() {
                [only] => only.clone(),
                _ => handles.pop().ok_or_else(|| StoreFault::Failed("the store is closed".into()))?,
            }
        };
        let result = work(&handle);
        self.handles.lock().unwrap_or_else(PoisonError::into_inner).push(handle);
        result
    }
}

/// What sled's errors mean. It wraps those of the system, and has kinds of its own for what it can't decode.
fn fault_of(error: io::Error) -> StoreFault {
    let is_of_system = error.raw_os_error().is_some() || error.to_string().contains("(os error ");
    match error.kind() {
        // The lock of the folder.
        io::ErrorKind::WouldBlock => StoreFault::InUse,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreFault::Corrupt(error.to_string()),
        // A file of the store is gone.
        io::ErrorKind::NotFound => StoreFault::Corrupt(error.to_string()),
        io::ErrorKind::Other | io::ErrorKind::InvalidInput if !is_of_system => StoreFault::Corrupt(error.to_string()),
        _ => StoreFault::of_io(&error),
    }
}

impl Store for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        let sealed = self.with(|database| database.get(key).map_err(fault_of))?;
        sealed.map(|sealed| unseal(key, sealed.to_vec()).ok_or_else(|| StoreFault::Damaged(key.to_vec()))).transpose()
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault> {
        use std::ops::Bound;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after.to_vec()),
            _ => Bound::Included(prefix.to_vec()),
        };
        // The range has no upper bound: with one, sled searches all leaves after it for another key within.
        self.with(|database| {
            database
                .range::<Vec<u8>, _>((start, Bound::Unbounded))
                .take_while(|row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)))
                .take(limit)
                .map(|row| {
                    let (key, value) = row.map_err(fault_of)?;
                    let value = unseal(&key, value.to_vec());
                    Ok(Row { key: key.to_vec(), value })
                })
                .collect()
        })
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreFault> {
        let mut writes = sled::Batch::default();
        for write in batch.writes() {
            match write {
                Write::Put(key, value) => writes.insert(key.as_slice(), seal(key, value)),
                Write::Remove(key) => writes.remove(key.as_slice()),
            }
        }
        self.with(|database| database.apply_batch(writes).map_err(fault_of))
    }

    fn flush(&self) -> Result<(), StoreFault> {
        self.with(|database| database.flush().map(drop).map_err(fault_of))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_store_is_in_use_and_not_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(folder.path()).unwrap();
        assert_eq!(SledStore::open(folder.path()).err(), Some(StoreFault::InUse));
        drop(store);
        assert!(SledStore::open(folder.path()).is_ok());
    }

    #[test]
    fn only_what_sled_can_not_decode_is_damage() {
        let wrapped = |number: i32| {
            let error = io::Error::from_raw_os_error(number);
            io::Error::new(error.kind(), format!("heap.rs:1 {error}"))
        };
        assert_eq!(fault_of(wrapped(28)), StoreFault::Full);
        assert_eq!(fault_of(wrapped(24)), StoreFault::TooManyFiles);
        assert_eq!(fault_of(wrapped(11)), StoreFault::InUse);
        assert!(matches!(fault_of(wrapped(13)), StoreFault::NoAccess(_)));
        assert!(matches!(fault_of(wrapped(5)), StoreFault::Io(_)));
        assert!(matches!(fault_of(io::Error::new(io::ErrorKind::InvalidData, "crc")), StoreFault::Corrupt(_)));
        assert!(matches!(fault_of(io::Error::other("Unknown frame descriptor")), StoreFault::Corrupt(_)));
    }

    #[test]
    fn sled_store_conforms() {
        let folder = tempfile::tempdir().unwrap();
        granary_client_core::store::conformance::check(|| Box::new(SledStore::open(folder.path()).unwrap()));
    }
}
