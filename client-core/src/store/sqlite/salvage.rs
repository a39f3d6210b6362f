//! A damaged file: it is set aside beside the store, under the first free name, and what can be read of it is copied. What
//! was set aside can be read again later.
//!
//! ```text
//! phone.db ──copy──▶ phone.db.mending ──whole, durable──▶ phone.db.mended
//! phone.db ──▶ phone.db.damaged-1        phone.db.mended ──▶ phone.db
//! ```
//!
//! A step that fails leaves `phone.db` where it was. Once `phone.db.mended` exists, the next opening goes on from there.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::{folder_of, make_tables};
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

/// Copies what can be read of a damaged file to a new one, and sets the damaged one aside. Returns its new path. On a fault
/// nothing has moved.
pub(super) fn mend(path: &Path) -> Result<PathBuf, StoreFault> {
    let mending = with(path, ".mending");
    remove(&mending)?;
    copy(path, &mending)?;
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

fn copy(from: &Path, to: &Path) -> Result<(), StoreFault> {
    let mut new = Connection::open(to)?;
    make_tables(&new)?;
    let transaction = new.transaction()?;
    for table in ["locks", "entries"] {
        let mut put = transaction.prepare(&format!("INSERT OR IGNORE INTO {table} VALUES (?1, ?2)"))?;
        read_rows(from, table, |key, value| Ok(put.execute(params![key, value]).map(drop)?))?;
    }
    transaction.commit()?;
    new.close().map_err(|(_, error)| error.into())
}

/// Gives every row of a table that can be read. Where nothing can be, the first page is taken to be lost, and the others are
/// read behind a new one.
fn read_rows(
    from: &Path,
    table: &str,
    mut take: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    let is_empty = std::cell::Cell::new(true);
    let mut take = |key, value| {
        is_empty.set(false);
        take(key, value)
    };
    let read = read_both_ways(from, table, &mut take);
    if !matches!(read, Ok(()) | Err(StoreFault::Corrupt(_))) || !is_empty.get() {
        return read;
    }
    let copy = with(from, ".reading");
    let again = behind_new_page(from, &copy).and_then(|()| read_both_ways(&copy, table, &mut take));
    remove(&copy)?;
    match again {
        Err(StoreFault::Corrupt(_)) => read,
        other => other,
    }
}

/// Bytes of a page, as SQLite makes them.
const PAGE_BYTES: usize = 4096;
/// Where the first page says how many pages there are.
const PAGES_AT: std::ops::Range<usize> = 28..32;

/// Copies a file, with the first page of an empty store: the tables of every store begin at the same pages.
fn behind_new_page(from: &Path, copy: &Path) -> Result<(), StoreFault> {
    let io = |error: std::io::Error| StoreFault::of_io(&error);
    let empty = with(copy, ".empty");
    remove(copy)?;
    remove(&empty)?;
    let new = Connection::open(&empty)?;
    new.pragma_update(None, "journal_mode", "WAL")?;
    make_tables(&new)?;
    new.close().map_err(|(_, error)| StoreFault::from(error))?;
    let mut page = std::fs::read(&empty).map_err(io)?;
    remove(&empty)?;
    page.truncate(PAGE_BYTES);
    for suffix in ["", "-wal"] {
        match std::fs::copy(with(from, suffix), with(copy, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
    }
    let length = std::fs::metadata(copy).map_err(io)?.len();
    let pages = u32::try_from(length / PAGE_BYTES as u64).unwrap_or(u32::MAX);
    if let Some(place) = page.get_mut(PAGES_AT) {
        place.copy_from_slice(&pages.to_be_bytes());
    }
    let mut file = File::options().write(true).open(copy).map_err(io)?;
    file.write_all(&page).map_err(io)
}

/// Gives rows forward to the damage, then backward to it. A fault that is no damage ends it: what a full disk or a lock
/// hides is not lost.
fn read_both_ways(
    from: &Path,
    table: &str,
    mut take: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    // Reading alone changes nothing of the file, and its journal counts.
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let old = Connection::open_with_flags(from, flags)?;
    for order in ["ASC", "DESC"] {
        match read_in_order(&old, table, order, &mut take) {
            Ok(()) => return Ok(()),
            // A table whose definition is damaged is missing, which is another code.
            Err(StoreFault::Corrupt(_)) => {}
            Err(StoreFault::Failed(reason)) => {
                tracing::error!(reason, table, "nothing can be read of a table of a damaged file");
                return Ok(());
            }
            Err(other) => return Err(other.explained(folder_of(from))),
        }
    }
    Ok(())
}

fn read_in_order(
    old: &Connection,
    table: &str,
    order: &str,
    take: &mut impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    let mut statement = old.prepare(&format!("SELECT key, value FROM {table} ORDER BY key {order}"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        // A cell of another type is damaged, alone.
        if let (Ok(key), Ok(value)) = (row.get(0), row.get(1)) {
            take(key, value)?;
        }
    }
    Ok(())
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

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every record that can be read of it, as a store in memory. The file is unchanged. Fails with [`StoreFault::Locked`]
    /// without its key.
    pub fn read(&self, key: Option<&StoreKey>) -> Result<MemoryStore, StoreFault> {
        let cipher = key.map(Cipher::new).transpose()?;
        let opens = |row: &[u8], sealed: Vec<u8>| {
            // It may have been set aside before the store had a key.
            let encrypted = cipher.as_ref().and_then(|cipher| cipher.unseal(row, &sealed));
            encrypted.or_else(|| unseal(row, sealed))
        };
        let (mut locks, mut opened) = (0u32, 0u32);
        read_rows(&self.path, "locks", |row, sealed| {
            locks = locks.saturating_add(1);
            opened = opened.saturating_add(u32::from(opens(&row, sealed).is_some()));
            Ok(())
        })
        .or_else(unreadable_is_empty)?;
        if locks > 0 && opened == 0 {
            return Err(StoreFault::Locked);
        }
        let mut batch = Batch::default();
        read_rows(&self.path, "entries", |row, sealed| {
            if let Some(value) = opens(&row, sealed) {
                batch.put(row, value);
            }
            Ok(())
        })
        .or_else(unreadable_is_empty)?;
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

/// Nothing can be read of a file that is no database.
fn unreadable_is_empty(fault: StoreFault) -> Result<(), StoreFault> {
    if matches!(fault, StoreFault::Corrupt(_)) { Ok(()) } else { Err(fault) }
}
