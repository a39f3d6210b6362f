//! The embedded store: sled 1.0 (alpha 124, pinned) behind client-core's store trait. Nothing outside this folder
//! depends on sled. All keys are in one tree, since sled's atomic batch covers one tree; every value carries its own
//! checksum. What makes a batch durable is its record in the journal; sled follows at checkpoints.

pub(crate) mod anew;
pub(crate) mod free_disk;
mod journal;
pub(crate) mod probe;

pub use free_disk::{DiskProbe, DiskRoom};

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use granary_client_core::store::{Batch, Row, Store, StoreFault, Write, seal, unseal};

use self::journal::Journal;
use crate::log::erasure::to_scrub;

/// Fixed when the store is made: small leaves cost least memory and disk for our small records.
const LEAF_FANOUT: usize = 32;
/// Bytes of applied batches that are kept in memory at most before they are written to the journal.
const PENDING_BYTES_MAX: usize = 1024 * 1024;
/// Sled's cache, in bytes.
const CACHE_BYTES: usize = 64 * 1024 * 1024;
/// Sled's interval of flushes in the background, in milliseconds: one that never comes. Without any, sled flushes whenever a scan ends,
/// and then has on disk what the journal has not.
const FLUSH_NEVER: usize = usize::MAX;
/// The waits before a folder that another has is tried again.
const OPEN_WAITS: [Duration; 9] = [Duration::from_millis(25); 9];

type Database = sled::Db<LEAF_FANOUT>;

/// A sled store. A handle of sled serves one thread at a time, so idle handles are pooled.
pub struct SledStore {
    handles: Mutex<Vec<Database>>,
    /// Held while a batch is applied, so that both have all batches in one order.
    journal: Mutex<Journal>,
    /// True once something was erased that the journal may still hold.
    is_to_wipe: AtomicBool,
    /// Why sled failed to flush. It is not flushed again: it would wait for the flush that failed, for ever.
    unflushed: OnceLock<StoreFault>,
}

impl SledStore {
    /// Opens or creates the store in this folder, with what its journal has. Sled is flushed at checkpoints alone. Fails with
    /// [`StoreFault::InUse`] while another process has it, and with [`StoreFault::Corrupt`] for what sled itself finds damaged; on any
    /// other fault the store is as whole as before.
    pub fn open(folder: &Path) -> Result<Self, StoreFault> {
        anew::finish_cut_off(folder)?;
        let database = open_sled(folder)?;
        let (journal, batches) = Journal::open(folder).map_err(|error| StoreFault::of_io(&error))?;
        let store = Self {
            handles: Mutex::new(vec![database]),
            journal: Mutex::new(journal),
            is_to_wipe: AtomicBool::new(false),
            unflushed: OnceLock::new(),
        };
        if !batches.is_empty() {
            let apply =
                |batch| store.with(|database| database.apply_batch(sealed(&last_writes(batch))).map_err(fault_of));
            // The journal has them all until then: a store that is opened no further leaves it as it is.
            let applied = batches.iter().try_for_each(apply).and_then(|()| store.checkpoint(&mut store.journal()));
            if let Err(fault) = applied {
                let _first = store.unflushed.set(fault.clone());
                return Err(fault);
            }
        }
        Ok(store)
    }

    /// Flushes sled, and begins the journal again. All that sled has is durable in the journal first: should a cut come between the
    /// two, the next start applies it once more.
    fn checkpoint(&self, journal: &mut Journal) -> Result<(), StoreFault> {
        if let Some(fault) = self.unflushed.get() {
            return Err(fault.clone());
        }
        journal.sync().map_err(|error| StoreFault::of_io(&error))?;
        self.with(|database| database.flush().map_err(fault_of)).inspect_err(|fault| {
            let _first = self.unflushed.set(fault.clone());
        })?;
        journal.begin_again().map_err(|error| StoreFault::of_io(&error))
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Opens sled's part of the store. A thread of one that was closed just now may have it for a moment longer.
fn open_sled(folder: &Path) -> Result<Database, StoreFault> {
    let config = sled::Config::new().path(folder).cache_capacity_bytes(CACHE_BYTES);
    let config = config.flush_every_ms(Some(FLUSH_NEVER)).zstd_compression_level(1);
    for wait in OPEN_WAITS {
        match config.open().map_err(fault_of) {
            Err(StoreFault::InUse) => std::thread::sleep(wait),
            opened => return opened,
        }
    }
    config.open().map_err(fault_of)
}

/// The last write of each key.
fn last_writes(batch: &Batch) -> BTreeMap<&[u8], Option<&[u8]>> {
    let mut last = BTreeMap::new();
    for write in batch.writes() {
        match write {
            Write::Put(key, value) => last.insert(key.as_slice(), Some(value.as_slice())),
            Write::Remove(key) => last.insert(key.as_slice(), None),
        };
    }
    last
}

fn sealed(writes: &BTreeMap<&[u8], Option<&[u8]>>) -> sled::Batch {
    let mut batch = sled::Batch::default();
    for (key, value) in writes {
        match value {
            Some(value) => batch.insert(*key, seal(key, value)),
            None => batch.remove(*key),
        }
    }
    batch
}

impl Drop for SledStore {
    fn drop(&mut self) {
        let mut journal = self.journal();
        let done = if journal.is_empty() { Ok(()) } else { self.checkpoint(&mut journal) };
        drop(journal);
        if let Err(fault) = done {
            tracing::warn!(%fault, "the store was not flushed at its end; the next start reads its journal");
            // The last handle that is dropped flushes sled: it may then have what the journal has not, or end the process.
            std::mem::take(&mut *self.handles.lock().unwrap_or_else(PoisonError::into_inner))
                .into_iter()
                .for_each(std::mem::forget);
        }
    }
}

/// What sled's errors mean. It wraps those of the system, and has kinds of its own for what it can't decode.
fn fault_of(error: io::Error) -> StoreFault {
    let text = error.to_string();
    // The last is a thread that can't start.
    let is_of_system =
        error.raw_os_error().is_some() || text.contains("(os error ") || text.contains("unable to spawn");
    match error.kind() {
        // The lock of the folder.
        io::ErrorKind::WouldBlock => StoreFault::InUse,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => StoreFault::Corrupt(text),
        // A file of the store is gone.
        io::ErrorKind::NotFound => StoreFault::Corrupt(text),
        io::ErrorKind::Other | io::ErrorKind::InvalidInput if !is_of_system => StoreFault::Corrupt(text),
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
        if batch.is_empty() {
            return Ok(());
        }
        let writes = last_writes(batch);
        if writes.contains_key(to_scrub().as_slice()) {
            self.is_to_wipe.store(true, Ordering::SeqCst);
        }
        let mut journal = self.journal();
        let mark = journal.append(writes.iter().map(|(key, value)| (*key, *value)));
        if let Err(fault) = self.with(|database| database.apply_batch(sealed(&writes)).map_err(fault_of)) {
            journal.take_back(&mark);
            return Err(fault);
        }
        if journal.pending() < PENDING_BYTES_MAX {
            return Ok(());
        }
        // Much is written without anybody waiting for it, as when a store is made anew.
        journal.write().map_err(|error| StoreFault::of_io(&error))?;
        if journal.is_due() {
            self.checkpoint(&mut journal)?;
        }
        Ok(())
    }

    fn flush(&self) -> Result<(), StoreFault> {
        let mut journal = self.journal();
        journal.sync().map_err(|error| StoreFault::of_io(&error))?;
        if self.is_to_wipe.swap(false, Ordering::SeqCst) {
            self.checkpoint(&mut journal)?;
            return journal.wipe().map_err(|error| StoreFault::of_io(&error));
        }
        if journal.is_due() {
            self.checkpoint(&mut journal)?;
        }
        Ok(())
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

    fn copied(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
            let to = to.join(entry.file_name());
            match entry.file_type().unwrap().is_dir() {
                true => copied(&entry.path(), &to),
                false => _ = std::fs::copy(entry.path(), &to).unwrap(),
            }
        }
    }

    /// Each step's folder is what a cut right after it leaves, with and without a checkpoint since.
    #[test]
    fn what_was_flushed_is_there_after_a_cut_at_any_moment_and_batches_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = SledStore::open(&folder.path().join("store")).unwrap();
        let keys = [b"a".as_slice(), b"b", b"c"];
        let mut number = 0u32;
        let mut step = |store: &SledStore| {
            number += 1;
            let mut batch = Batch::default();
            keys.iter().for_each(|key| batch.put(*key, number.to_be_bytes()));
            batch.put([b"n".as_slice(), &number.to_be_bytes()].concat(), vec![7; 40]);
            if number.is_multiple_of(3) {
                batch.remove([b"n".as_slice(), &(number - 2).to_be_bytes()].concat());
            }
            store.apply(&batch).unwrap();
            number
        };
        let opened = |cut: &Path| {
            let store = SledStore::open(cut).unwrap();
            let seen: Vec<_> = keys.iter().map(|key| store.get(key).unwrap().unwrap()).collect();
            assert!(seen.windows(2).all(|two| two[0] == two[1]), "a batch is whole");
            let last = u32::from_be_bytes(seen[0].as_slice().try_into().unwrap());
            let rows = store.scan_all(b"n").unwrap().len();
            assert_eq!(rows, usize::try_from(last - last / 3).unwrap(), "all batches before it are there");
            last
        };
        for round in 0..12u32 {
            let flushed = step(&store);
            store.flush().unwrap();
            let place = |name: &str| folder.path().join(format!("{round}-{name}"));
            copied(&folder.path().join("store"), &place("flushed"));
            let applied = step(&store);
            copied(&folder.path().join("store"), &place("applied"));
            if round.is_multiple_of(4) {
                store.checkpoint(&mut store.journal()).unwrap();
                copied(&folder.path().join("store"), &place("checkpoint"));
                assert_eq!(opened(&place("checkpoint")), applied);
            }
            assert_eq!(opened(&place("flushed")), flushed);
            assert!((flushed..=applied).contains(&opened(&place("applied"))));
            // It was opened and closed by now: the journal is empty, and all is in sled.
            assert_eq!(opened(&place("flushed")), flushed);
        }
    }

    /// A batch that replaces one row and adds another.
    fn apply_numbered(store: &SledStore, value: u8) {
        let mut batch = Batch::default();
        batch.put(*b"a", [value]);
        batch.put([b'n', value], [value]);
        store.apply(&batch).unwrap();
    }

    /// Sled has no row on disk that the journal has not, whatever is read.
    #[test]
    fn batch_that_was_read_and_not_flushed_is_whole_or_gone_after_a_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::open(&path).unwrap();
        for value in [1u8, 2, 3] {
            apply_numbered(&store, value);
            assert_eq!(store.scan_all(b"n").unwrap().len(), usize::from(value));
            let cut = folder.path().join(value.to_string());
            copied(&path, &cut);
            let cut = SledStore::open(&cut).unwrap();
            let rows = cut.scan_all(b"n").unwrap().len();
            assert_eq!(cut.get(b"a").unwrap(), (rows > 0).then(|| vec![u8::try_from(rows).unwrap()]));
            if value == 1 {
                store.flush().unwrap();
            }
        }
    }

    /// Sled flushed, and the cut came before the journal began again: all of it is applied once more.
    #[test]
    fn cut_within_a_checkpoint_leaves_the_store_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::open(&path).unwrap();
        for value in [1u8, 2, 3] {
            apply_numbered(&store, value);
        }
        store.journal().sync().unwrap();
        store.with(|database| database.flush().map(drop).map_err(fault_of)).unwrap();
        let cut = folder.path().join("cut");
        copied(&path, &cut);
        let store = SledStore::open(&cut).unwrap();
        assert_eq!(store.get(b"a").unwrap(), Some(vec![3]));
        assert_eq!(store.scan_all(b"n").unwrap().len(), 3);
    }

    /// More than a journal holds, with and without anybody waiting for it.
    #[test]
    fn journal_begins_again_once_much_has_gathered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let store = SledStore::open(&path).unwrap();
        let value: Vec<u8> = (0..100_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8).collect();
        for number in 0..120u8 {
            let mut batch = Batch::default();
            batch.put([b'n', number], value.clone());
            store.apply(&batch).unwrap();
            if number > 60 {
                store.flush().unwrap();
            }
        }
        let size = std::fs::metadata(path.join("journal")).unwrap().len();
        assert!(size <= journal::CHECKPOINT_BYTES + 2 * PENDING_BYTES_MAX as u64, "{size}");
        let cut = folder.path().join("cut");
        copied(&path, &cut);
        assert_eq!(SledStore::open(&cut).unwrap().scan_all(b"n").unwrap().len(), 120);
    }

    #[test]
    fn sled_store_conforms() {
        let folder = tempfile::tempdir().unwrap();
        granary_client_core::store::conformance::check(|| Box::new(SledStore::open(folder.path()).unwrap()));
    }
}
