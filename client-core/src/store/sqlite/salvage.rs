//! A damaged file: it is set aside beside the store, under the first free name, and what can be read of it is copied. What
//! was set aside can be read again later.
//!
//! ```text
//! phone.db ──copy──▶ phone.db.mending ──whole, durable──▶ phone.db.mended
//! phone.db ──▶ phone.db.damaged-1        phone.db.mended ──▶ phone.db
//! ```
//!
//! A step that fails leaves `phone.db` where it was. Once `phone.db.mended` exists, the next opening goes on from there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, params};

use super::journal::Journal;
use super::pages::Pages;
use super::{LOCKS, folder_of, make_tables, put_locks};
use crate::store::cipher::{Cipher, StoreKey};
use crate::store::{Batch, MemoryStore, Store, StoreFault, unseal};

/// The files of one database.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];
/// Files that are set aside at most; more mean that the medium can't be trusted at all.
const SET_ASIDE_MAX: u32 = 1000;

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn exists(path: &Path) -> Result<bool, StoreFault> {
    path.try_exists().map_err(|error| StoreFault::of_io(&error))
}

/// Renames a database with its journal; files that are not there are left out.
fn rename(from: &Path, to: &Path) -> Result<(), StoreFault> {
    for suffix in SUFFIXES {
        match std::fs::rename(with(from, suffix), with(to, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(StoreFault::of_io(&error)),
            _ => {}
        }
    }
    // The names must be durable in this order.
    File::open(folder_of(to)).and_then(|folder| folder.sync_all()).map_err(|error| StoreFault::of_io(&error))
}

fn remove(path: &Path) -> Result<(), StoreFault> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match std::fs::remove_file(with(path, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(StoreFault::of_io(&error)),
            _ => {}
        }
    }
    Ok(())
}

/// Copies what can be read of a damaged file to a new one, and sets the damaged one aside. Returns its new path. On a fault,
/// also on [`StoreFault::Locked`] where nothing opens under this key, nothing has moved.
pub(super) fn mend(path: &Path, key: Option<&StoreKey>) -> Result<PathBuf, StoreFault> {
    let mending = with(path, ".mending");
    remove(&mending)?;
    copy(path, &mending, key)?;
    rename(&mending, &with(path, ".mended"))?;
    finish(path)?.ok_or_else(|| StoreFault::Failed("the mended file is gone".into()))
}

/// Puts a mended file in its place, where one is ready. Returns the path of the damaged one.
pub(super) fn finish(path: &Path) -> Result<Option<PathBuf>, StoreFault> {
    let mended = with(path, ".mended");
    if !exists(&mended)? {
        return Ok(None);
    }
    let aside = free_name(path)?;
    rename(path, &aside)?;
    rename(&mended, path)?;
    Ok(Some(aside))
}

/// The name of a file that was set aside, and its name once it was taken back.
fn names(path: &Path, number: u32) -> [PathBuf; 2] {
    ["damaged", "recovered"].map(|word| with(path, &format!(".{word}-{number}")))
}

/// The first name that no file has.
fn free_name(path: &Path) -> Result<PathBuf, StoreFault> {
    for number in 1..SET_ASIDE_MAX {
        let [damaged, taken] = names(path, number);
        if !exists(&damaged)? && !exists(&taken)? {
            return Ok(damaged);
        }
    }
    Err(StoreFault::Failed("too many damaged files lie beside the store".into()))
}

/// Where the journal of a file lies.
fn journal_of(path: &Path) -> PathBuf {
    with(path, "-wal")
}

/// Fails with a word of damage for files that SQLite takes for a new or a whole one, though rows are lost of them: a file
/// without content beside its journal, and a journal with a damaged frame before whole ones.
pub(super) fn look(path: &Path) -> Result<(), StoreFault> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |data| data.len());
    let journal = journal_of(path);
    if length(&journal) == 0 {
        return Ok(());
    }
    if length(path) == 0 {
        return Err(StoreFault::Corrupt("it has no content beside its journal".into()));
    }
    match Journal::read(&journal)?.is_damaged {
        true => Err(StoreFault::Corrupt("its journal is damaged".into())),
        false => Ok(()),
    }
}

/// Rows that can be read of a file.
#[derive(Default)]
struct Found {
    /// The sealed values of rows whose seal holds.
    whole: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Those of rows whose seal does not hold.
    damaged: BTreeMap<Vec<u8>, Vec<u8>>,
    has_locks: bool,
}

impl Found {
    /// Reads every page of a file with its journal. Fails with [`StoreFault::Locked`] where nothing opens under this key.
    fn read(from: &Path, key: Option<&StoreKey>) -> Result<Self, StoreFault> {
        let cipher = key.map(Cipher::new).transpose()?;
        let mut found = Self::default();
        let mut opens_lock = false;
        let mut pages = Pages::open(from, &journal_of(from))?;
        pages.each_row(|row, sealed| {
            let is_whole = opened(cipher.as_ref(), &row, &sealed).is_some();
            if LOCKS.contains(&row.as_slice()) {
                found.has_locks = true;
                opens_lock |= is_whole;
            } else if is_whole {
                found.whole.insert(row, sealed);
            } else {
                found.damaged.insert(row, sealed);
            }
            Ok(())
        })?;
        found.damaged.retain(|row, _| !found.whole.contains_key(row));
        let opens_nothing = found.whole.is_empty() && !found.damaged.is_empty();
        if (found.has_locks && !opens_lock) || opens_nothing {
            return Err(StoreFault::Locked);
        }
        Ok(found)
    }
}

/// The value of a row, which may have been written before the store had a key.
fn opened(cipher: Option<&Cipher>, row: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    cipher.and_then(|cipher| cipher.unseal(row, sealed)).or_else(|| unseal(row, sealed.to_vec()))
}

fn copy(from: &Path, to: &Path, key: Option<&StoreKey>) -> Result<(), StoreFault> {
    let found = Found::read(from, key)?;
    let cipher = key.map(Cipher::new).transpose()?;
    let mut new = Connection::open(to)?;
    make_tables(&new)?;
    let transaction = new.transaction()?;
    {
        let mut put = transaction.prepare("INSERT INTO entries VALUES (?1, ?2)")?;
        for (row, sealed) in found.whole.iter().chain(&found.damaged) {
            put.execute(params![row, sealed])?;
        }
        if let (Some(cipher), true) = (&cipher, found.has_locks) {
            put_locks(&transaction, cipher)?;
        }
    }
    transaction.commit()?;
    new.close().map_err(|(_, error)| error.into())
}

/// A file that was set aside beside a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    path: PathBuf,
    taken: PathBuf,
}

impl SetAside {
    /// The files that were set aside beside the store at `path` and not taken back yet, oldest first.
    pub fn beside(path: &Path) -> Result<Vec<Self>, StoreFault> {
        let mut found = Vec::new();
        for [path, taken] in (1..SET_ASIDE_MAX).map(|number| names(path, number)) {
            if exists(&path)? {
                found.push(Self { path, taken });
            }
        }
        Ok(found)
    }

    /// True when a file was set aside beside the store at `path` once, taken back or not.
    pub fn has_any(path: &Path) -> Result<bool, StoreFault> {
        let [damaged, taken] = names(path, 1);
        Ok(exists(&damaged)? || exists(&taken)? || !Self::beside(path)?.is_empty())
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every record that can be read of it, as a store in memory. The file is unchanged. Fails with [`StoreFault::Locked`]
    /// without its key.
    pub fn read(&self, key: Option<&StoreKey>) -> Result<MemoryStore, StoreFault> {
        let cipher = key.map(Cipher::new).transpose()?;
        let mut batch = Batch::default();
        for (row, sealed) in Found::read(&self.path, key)?.whole {
            if let Some(value) = opened(cipher.as_ref(), &row, &sealed) {
                batch.put(row, value);
            }
        }
        let store = MemoryStore::default();
        store.apply(&batch)?;
        Ok(store)
    }

    /// Renames it, once all that can be read of it was taken back: it is kept, and not found by [`Self::beside`] any more.
    pub fn mark_taken(self) -> Result<PathBuf, StoreFault> {
        rename(&self.path, &self.taken)?;
        Ok(self.taken)
    }
}
