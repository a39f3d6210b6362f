//! Writes a store anew when something was erased: the engine keeps removed values in free places of its files until it needs
//! the room. It is done at a start, on the whole store, into a folder beside it.
//!
//! ```text
//! store ──rows──▶ store.anew ──flushed──▶ store becomes store.erased, store.anew becomes store ──▶ store.erased is deleted
//! ```

use std::path::{Path, PathBuf};

use granary_client_core::store::{Store, StoreFault};

use super::SledStore;
use crate::log::erasure::to_scrub;
use crate::log::rows::{Writes, each_row};

fn beside(store: &Path, end: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Opens the store in this folder, written anew where something was erased. Where that can't be done, as on a full disk, it
/// is opened as it is, and the next start tries again.
pub(crate) fn open(folder: &Path) -> Result<SledStore, StoreFault> {
    let (anew, old) = (beside(folder, ".anew"), beside(folder, ".erased"));
    let io = |error: std::io::Error| StoreFault::of_io(&error);
    finish_cut_off(folder)?;
    for left in [&anew, &old].into_iter().filter(|left| left.exists()) {
        std::fs::remove_dir_all(left).map_err(io)?;
    }
    let store = SledStore::open(folder)?;
    if store.get(&to_scrub())?.is_none() {
        return Ok(store);
    }
    tracing::info!("something was erased: the store is written anew");
    if let Err(fault) = copy(&store, &anew) {
        tracing::warn!(%fault, "the store was not written anew; what was erased may lie in free places of its files");
        return Ok(store);
    }
    drop(store);
    std::fs::rename(folder, &old).map_err(io)?;
    std::fs::rename(&anew, folder).map_err(io)?;
    if let Some(parent) = folder.parent() {
        std::fs::File::open(parent).and_then(|parent| parent.sync_all()).map_err(io)?;
    }
    std::fs::remove_dir_all(&old).map_err(io)?;
    SledStore::open(folder)
}

/// Puts a new store in its place that a power cut kept from it, between the two names: it is whole. Whoever opens a store asks
/// here first, so that no empty one is made in its place.
pub(super) fn finish_cut_off(folder: &Path) -> Result<(), StoreFault> {
    let (anew, old) = (beside(folder, ".anew"), beside(folder, ".erased"));
    if folder.exists() || !old.exists() || !anew.exists() {
        return Ok(());
    }
    std::fs::rename(&anew, folder).map_err(|error| StoreFault::of_io(&error))
}

/// Copies every row but the mark that it is to be done.
fn copy(store: &SledStore, to: &Path) -> Result<(), StoreFault> {
    let new = SledStore::open(to)?;
    let (mut writes, done) = (Writes::new(&new), to_scrub());
    each_row(store, &[], |row| match row.value {
        _ if row.key == done => Ok(()),
        Some(value) => writes.put(row.key, value),
        None => Err(StoreFault::Damaged(row.key)),
    })?;
    writes.finish()
}

#[cfg(test)]
mod tests {
    use granary_client_core::store::Batch;

    use super::*;

    /// Of sled's own files; the journal has always the same length.
    fn bytes(folder: &Path) -> u64 {
        let journal = std::fs::metadata(folder.join("journal")).unwrap().len();
        crate::store::probe::bytes_in(folder).saturating_sub(journal)
    }

    #[test]
    fn store_is_written_anew_once_and_a_cut_between_the_names_loses_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store");
        let put = |store: &SledStore, key: &[u8], value: Vec<u8>| {
            let mut batch = Batch::default();
            batch.put(key.to_vec(), value);
            store.apply(&batch).unwrap();
            // What was replaced stays in free places of sled's files.
            store.checkpoint(&mut store.journal()).unwrap();
        };
        let store = SledStore::open(&path).unwrap();
        for round in 0..50u8 {
            put(&store, b"a", (0..40_000u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 9) as u8 ^ round).collect());
        }
        put(&store, b"a", b"short".to_vec());
        put(&store, &to_scrub(), Vec::new());
        drop(store);
        let before = bytes(&path);
        let store = open(&path).unwrap();
        assert_eq!(store.get(b"a").unwrap(), Some(b"short".to_vec()));
        assert_eq!(store.get(&to_scrub()).unwrap(), None);
        drop(store);
        assert!(bytes(&path) < before / 4, "{} of {before}", bytes(&path));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        // A cut between the two names.
        std::fs::rename(&path, beside(&path, ".anew")).unwrap();
        std::fs::create_dir(beside(&path, ".erased")).unwrap();
        assert_eq!(open(&path).unwrap().get(b"a").unwrap(), Some(b"short".to_vec()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
