//! The phone's store: one SQLite table in WAL mode with `synchronous = FULL`, so that a batch is durable when `apply`
//! returns. Each value has its own checksum. A file that SQLite calls damaged is set aside, and every row of it that can
//! still be read is copied to a new one; on any other fault nothing is touched. Rows under [`KEPT_TWICE`] are kept in two
//! tables, so that no lost page takes both. With a key, every value is encrypted.
//!
//! The latest opening alone writes. Each opening numbers itself in the file, and a batch of an earlier one fails with
//! [`StoreFault::InUse`]. So two openers never write over each other, whatever the locks of a file system are worth.

mod faults;
mod journal;
mod pages;
mod salvage;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

pub use salvage::SetAside;

use super::cipher::{Cipher, StoreKey};
use super::{Batch, KEPT_TWICE, Row, Store, StoreFault, Write, prefix_end, seal, unseal};

/// Keys of the table of locks. One sealed value that opens proves that the key is right; there are several, since one may
/// be damaged.
const LOCKS: [&[u8]; 3] = [b"1", b"2", b"3"];

/// How long a lock of another program is waited for.
const BUSY_WAIT: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 5_000 });

/// What opening a store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Keys of damaged values, which were moved to the table `damaged`.
    pub damaged_keys: Vec<Vec<u8>>,
    /// Where a file that SQLite called damaged was moved.
    pub quarantined_file: Option<PathBuf>,
}

/// The number of an opening.
#[derive(Debug, Clone, Copy)]
enum Opening {
    /// It is written.
    Numbered(i64),
    /// There was no space to write it, so the first write does, unless another opening has come after this one.
    After(i64),
}

/// See the module.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
    /// None for a store without encryption.
    cipher: Option<Cipher>,
    /// The number of this opening.
    opening: Mutex<Opening>,
    /// Where the file lies.
    folder: PathBuf,
}

impl SqliteStore {
    /// Opens or creates the store at `path` and checks it. Damaged values are moved to the table `damaged`. A file that
    /// SQLite calls damaged is set aside, and what can be read of it is copied. With a key everything is encrypted, also
    /// what was stored without one before. Fails with [`StoreFault::Locked`] under any but the store's key, and with another
    /// fault for a file that can't be used now; then it is unchanged.
    pub fn open(path: &Path, key: Option<&StoreKey>) -> Result<(Self, OpenReport), StoreFault> {
        let mut report = OpenReport::default();
        let store = salvage::finish(path)
            .and_then(|_| salvage::look(path))
            .and_then(|()| Self::open_whole(path, key, &mut report))
            .or_else(|fault| match faults::seen_in_header(path, fault.explained(folder_of(path))) {
                StoreFault::Corrupt(reason) => {
                    tracing::error!(path = %path.display(), reason, "a damaged file is set aside; what can be read is copied");
                    report.quarantined_file = Some(salvage::mend(path, key)?);
                    Self::open_whole(path, key, &mut report)
                }
                other => Err(other),
            });
        Ok((store.map_err(|fault: StoreFault| fault.explained(folder_of(path)))?, report))
    }

    fn open_whole(path: &Path, key: Option<&StoreKey>, report: &mut OpenReport) -> Result<Self, StoreFault> {
        let connection = open_checked(path, false).or_else(|fault| match fault.explained(folder_of(path)) {
            StoreFault::Full => open_checked(path, true),
            other => Err(other),
        })?;
        let cipher = key.map(Cipher::new).transpose()?;
        let store = Self {
            connection: Mutex::new(connection),
            cipher,
            opening: Mutex::new(Opening::After(0)),
            folder: folder_of(path).to_owned(),
        };
        store.unlock()?;
        store.number_opening()?;
        store.restore_copies()?;
        let damaged = store.quarantine_damaged()?;
        if !damaged.is_empty() && store.has_damaged()? {
            // A row whose key is damaged lies out of order, where no lookup finds it.
            return Err(StoreFault::Corrupt("its rows are out of order".into()));
        }
        report.damaged_keys.extend(damaged);
        report.damaged_keys.dedup();
        Ok(store)
    }

    /// Numbers this opening. A full disk keeps nobody from reading.
    fn number_opening(&self) -> Result<(), StoreFault> {
        let connection = self.connection();
        let numbered = connection.query_row(NUMBER_OPENING, [], |row| row.get(0)).map_err(StoreFault::from);
        let opening = match numbered.map_err(|fault| fault.explained(&self.folder)) {
            Ok(number) => Opening::Numbered(number),
            Err(StoreFault::Full) => {
                let last = connection.query_row("SELECT number FROM opening", [], |row| row.get(0)).optional()?;
                tracing::warn!("the disk is full; this phone can be read, and nothing can be written");
                Opening::After(last.unwrap_or(0))
            }
            Err(other) => return Err(other),
        };
        *self.opening.lock().unwrap_or_else(PoisonError::into_inner) = opening;
        Ok(())
    }

    /// Puts rows that are kept twice back in the table where they are lost or damaged.
    fn restore_copies(&self) -> Result<(), StoreFault> {
        let mut connection = self.connection();
        let rows = |table: &str| -> Result<BTreeMap<Vec<u8>, Vec<u8>>, StoreFault> {
            let sql = format!("SELECT key, value FROM {table} WHERE key >= ?1 AND key < ?2");
            let mut statement = connection.prepare(&sql)?;
            let mut all = BTreeMap::new();
            for kind in KEPT_TWICE {
                let rows = statement
                    .query_map(params![[kind], [kind.saturating_add(1)]], |row| Ok((row.get(0)?, row.get(1)?)))?;
                all.extend(rows.collect::<Result<Vec<(Vec<u8>, Vec<u8>)>, _>>()?);
            }
            Ok(all)
        };
        let (entries, copies) = (rows("entries")?, rows("copies")?);
        let good = |rows: &BTreeMap<Vec<u8>, Vec<u8>>, key: &Vec<u8>| {
            rows.get(key).filter(|sealed| self.unseal(key, (*sealed).clone()).is_some()).cloned()
        };
        let mut lost: Vec<(&str, Vec<u8>, Vec<u8>)> = Vec::new();
        for key in entries.keys().chain(copies.keys()) {
            match (good(&entries, key), good(&copies, key)) {
                (Some(sealed), None) => lost.push(("copies", key.clone(), sealed)),
                (None, Some(sealed)) => lost.push(("entries", key.clone(), sealed)),
                _ => {}
            }
        }
        if lost.is_empty() {
            return Ok(());
        }
        tracing::warn!(rows = lost.len(), "rows that are kept twice were damaged once; they are written again");
        let transaction = connection.transaction()?;
        for (table, key, sealed) in lost {
            transaction.execute(&format!("INSERT OR REPLACE INTO {table} VALUES (?1, ?2)"), params![key, sealed])?;
        }
        Ok(transaction.commit()?)
    }

    fn has_damaged(&self) -> Result<bool, StoreFault> {
        Ok(self.scan_all(b"")?.iter().any(|row| row.value.is_none()))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seal(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreFault> {
        match &self.cipher {
            Some(cipher) => cipher.seal(key, value),
            None => Ok(seal(key, value)),
        }
    }

    fn unseal(&self, key: &[u8], sealed: Vec<u8>) -> Option<Vec<u8>> {
        match &self.cipher {
            Some(cipher) => cipher.unseal(key, &sealed),
            None => unseal(key, sealed),
        }
    }

    /// Fails when the store is locked with another key. A damaged value must not be taken for that.
    fn unlock(&self) -> Result<(), StoreFault> {
        let locks: Vec<(Vec<u8>, Vec<u8>)> = {
            let connection = self.connection();
            let mut statement = connection.prepare("SELECT key, value FROM locks")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<Result<_, _>>()?
        };
        match (&self.cipher, locks.is_empty()) {
            (None, true) => Ok(()),
            (None, false) => Err(StoreFault::Locked),
            (Some(_), true) => self.lock(),
            (Some(cipher), false) if locks.iter().any(|(key, lock)| cipher.unseal(key, lock).is_some()) => Ok(()),
            (Some(_), false) => Err(StoreFault::Locked),
        }
    }

    /// Encrypts a store that had no key.
    fn lock(&self) -> Result<(), StoreFault> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        {
            for table in ["entries", "copies"] {
                let mut statement = transaction.prepare(&format!("SELECT key, value FROM {table}"))?;
                let mut rows = statement.query([])?;
                let mut plain: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
                while let Some(row) = rows.next()? {
                    plain.push((row.get(0)?, row.get(1)?));
                }
                let mut put = transaction.prepare(&format!("UPDATE {table} SET value = ?2 WHERE key = ?1"))?;
                for (key, value) in plain {
                    // A damaged value stays as it is, and is quarantined with the others.
                    if let Some(value) = unseal(&key, value) {
                        put.execute(params![key, self.seal(&key, &value)?])?;
                    }
                }
            }
            if let Some(cipher) = &self.cipher {
                put_locks(&transaction, cipher)?;
            }
            transaction.execute("DELETE FROM damaged", [])?;
        }
        transaction.commit()?;
        Ok(connection.execute_batch(SCRUB)?)
    }

    /// Moves rows that fail their checksum to the table `damaged`.
    fn quarantine_damaged(&self) -> Result<Vec<Vec<u8>>, StoreFault> {
        let damaged: Vec<Vec<u8>> =
            self.scan_all(b"")?.into_iter().filter(|row| row.value.is_none()).map(|row| row.key).collect();
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for key in &damaged {
            transaction.execute("INSERT INTO damaged SELECT key, value FROM entries WHERE key = ?1", params![key])?;
            transaction.execute("DELETE FROM entries WHERE key = ?1", params![key])?;
        }
        transaction.commit()?;
        Ok(damaged)
    }
}

/// The folder of a file.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes the locks of a store with a key.
fn put_locks(connection: &Connection, cipher: &Cipher) -> Result<(), StoreFault> {
    for lock in LOCKS {
        connection.execute("INSERT INTO locks VALUES (?1, ?2)", params![lock, cipher.seal(lock, b"granary")?])?;
    }
    Ok(())
}

const NUMBER_OPENING: &str =
    "INSERT INTO opening VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET number = number + 1 RETURNING number";

/// Writes the whole file anew, and empties the log beside it: nothing of what was deleted stays in free places.
pub(crate) const SCRUB: &str = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE);";

const ENTRIES: &str = "CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
const OTHERS: &str = "
    CREATE TABLE IF NOT EXISTS copies (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS locks (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS damaged (key BLOB, value BLOB);
    CREATE TABLE IF NOT EXISTS opening (id INTEGER PRIMARY KEY, number INTEGER NOT NULL);";

/// Creates the tables of a new file. A file that has tables but not ours is damaged: its rows must not count as absent.
fn make_tables(connection: &Connection) -> Result<(), StoreFault> {
    let made: Vec<(String, String)> = {
        let mut statement = connection.prepare("SELECT name, sql FROM sqlite_master WHERE type = 'table'")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    if made.is_empty() {
        connection.execute_batch(&format!("BEGIN IMMEDIATE; {ENTRIES}; {OTHERS} COMMIT;"))?;
    } else if !made.iter().any(|(name, sql)| name == "entries" && sql == ENTRIES) {
        return Err(StoreFault::Corrupt("its tables are not those of a store".into()));
    } else {
        connection.execute_batch(OTHERS)?;
    }
    Ok(())
}

/// Opens a file and checks it. `alone` needs no space for memory that is shared with others, and keeps them out.
fn open_checked(path: &Path, alone: bool) -> Result<Connection, StoreFault> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_WAIT)?;
    if alone {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    // What is deleted is overwritten: no plain text stays once there is a key, and what is read out of a damaged file page
    // by page is not what was deleted long ago.
    connection.pragma_update(None, "secure_delete", true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    make_tables(&connection)?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(connection) } else { Err(faults::of_verdict(&verdict)) }
}

impl Store for SqliteStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT value FROM entries WHERE key = ?1")?;
        let sealed: Option<Vec<u8>> = statement.query_row(params![key], |row| row.get(0)).optional()?;
        sealed.map(|sealed| self.unseal(key, sealed).ok_or_else(|| StoreFault::Damaged(key.to_vec()))).transpose()
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault> {
        let connection = self.connection();
        let end = prefix_end(prefix);
        let mut statement = connection.prepare_cached(
            "SELECT key, value FROM entries
             WHERE key >= ?1 AND (?2 IS NULL OR key > ?2) AND (?3 IS NULL OR key < ?3) ORDER BY key LIMIT ?4",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![prefix, after, end, limit], |row| {
            let key: Vec<u8> = row.get(0)?;
            let value = self.unseal(&key, row.get(1)?);
            Ok(Row { key, value })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn apply(&self, batch: &Batch) -> Result<(), StoreFault> {
        self.write(batch).map_err(|fault| fault.explained(&self.folder))
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    fn scrub(&self) -> Result<(), StoreFault> {
        Ok(self.connection().execute_batch(SCRUB)?)
    }
}

impl SqliteStore {
    fn write(&self, batch: &Batch) -> Result<(), StoreFault> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        let latest =
            transaction.prepare_cached("SELECT number FROM opening")?.query_row([], |row| row.get(0)).optional()?;
        let numbered = match *opening {
            Opening::Numbered(number) if latest == Some(number) => number,
            Opening::After(number) if latest.unwrap_or(0) == number => {
                transaction.query_row(NUMBER_OPENING, [], |row| row.get(0))?
            }
            _ => return Err(StoreFault::InUse),
        };
        {
            let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO entries VALUES (?1, ?2)")?;
            let mut remove = transaction.prepare_cached("DELETE FROM entries WHERE key = ?1")?;
            let mut put_copy = transaction.prepare_cached("INSERT OR REPLACE INTO copies VALUES (?1, ?2)")?;
            let mut remove_copy = transaction.prepare_cached("DELETE FROM copies WHERE key = ?1")?;
            for write in batch.writes() {
                let is_kept_twice = write.key().first().is_some_and(|kind| KEPT_TWICE.contains(kind));
                match write {
                    Write::Put(key, value) => {
                        let sealed = self.seal(key, value)?;
                        put.execute(params![key, sealed])?;
                        if is_kept_twice {
                            put_copy.execute(params![key, sealed])?;
                        }
                    }
                    Write::Remove(key) => {
                        remove.execute(params![key])?;
                        if is_kept_twice {
                            remove_copy.execute(params![key])?;
                        }
                    }
                }
            }
        }
        transaction.commit()?;
        *opening = Opening::Numbered(numbered);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
