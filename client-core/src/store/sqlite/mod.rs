//! The phone's store: one SQLite table in WAL mode with `synchronous = FULL`, so that a batch is durable when `apply`
//! returns. Each value has its own checksum. A file that SQLite can't read is quarantined, and every row of it that can
//! still be read is copied to a new one. With a key, every value is encrypted.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::cipher::{Cipher, StoreKey};
use super::{Batch, Row, Store, StoreFault, Write, prefix_end, seal, unseal};

/// Keys of the table of locks. One sealed value that opens proves that the key is right; there are several, since one may
/// be damaged.
const LOCKS: [&[u8]; 3] = [b"1", b"2", b"3"];

/// What opening a store found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Keys of damaged values, which were moved to the table `damaged`.
    pub damaged_keys: Vec<Vec<u8>>,
    /// Where a file that SQLite could not read was moved.
    pub quarantined_file: Option<PathBuf>,
}

/// See the module.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
    /// None for a store without encryption.
    cipher: Option<Cipher>,
}

impl From<rusqlite::Error> for StoreFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl SqliteStore {
    /// Opens or creates the store at `path`, checks it, and quarantines what is damaged. With a key everything is encrypted,
    /// also what was stored without one before. Fails with [`StoreFault::Locked`] under any but the store's key.
    pub fn open(path: &Path, key: Option<&StoreKey>) -> Result<(Self, OpenReport), StoreFault> {
        let mut report = OpenReport::default();
        let mut store = match open_checked(path) {
            Ok(connection) => Self::with_key(connection, key)?,
            Err(fault) if !path.exists() => return Err(fault),
            Err(_) => Self::salvage(path, key, &mut report)?,
        };
        let damaged = store.quarantine_damaged()?;
        if !damaged.is_empty() && store.has_damaged()? {
            // A row whose key is damaged lies out of order, where no lookup finds it.
            drop(store);
            store = Self::salvage(path, key, &mut report)?;
        }
        report.damaged_keys = damaged;
        report.damaged_keys.extend(store.quarantine_damaged()?);
        report.damaged_keys.dedup();
        Ok((store, report))
    }

    fn with_key(connection: Connection, key: Option<&StoreKey>) -> Result<Self, StoreFault> {
        let cipher = key.map(Cipher::new).transpose()?;
        let store = Self { connection: Mutex::new(connection), cipher };
        store.unlock()?;
        Ok(store)
    }

    /// Quarantines the file at `path`, and copies what can be read of it to a new one.
    fn salvage(path: &Path, key: Option<&StoreKey>, report: &mut OpenReport) -> Result<Self, StoreFault> {
        let old = quarantine(path)?;
        let connection = open_checked(path)?;
        copy_readable_rows(&old, &connection)?;
        report.quarantined_file = Some(old);
        Self::with_key(connection, key)
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
        // Deleted and replaced values are overwritten, so that no plain text stays in the file.
        connection.pragma_update(None, "secure_delete", true)?;
        let transaction = connection.transaction()?;
        {
            let mut statement = transaction.prepare("SELECT key, value FROM entries")?;
            let mut rows = statement.query([])?;
            let mut plain: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
            while let Some(row) = rows.next()? {
                plain.push((row.get(0)?, row.get(1)?));
            }
            let mut put = transaction.prepare("UPDATE entries SET value = ?2 WHERE key = ?1")?;
            for (key, value) in plain {
                // A damaged value stays as it is, and is quarantined with the others.
                if let Some(value) = unseal(&key, value) {
                    put.execute(params![key, self.seal(&key, &value)?])?;
                }
            }
            for lock in LOCKS {
                transaction
                    .execute("INSERT INTO locks VALUES (?1, ?2)", params![lock, self.seal(lock, b"granary")?])?;
            }
            transaction.execute("DELETE FROM damaged", [])?;
        }
        transaction.commit()?;
        Ok(connection.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?)
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

fn open_checked(path: &Path) -> Result<Connection, StoreFault> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS locks (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
         CREATE TABLE IF NOT EXISTS damaged (key BLOB, value BLOB);",
    )?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(connection) } else { Err(StoreFault::Failed(verdict)) }
}

/// Renames a file and its journal to the first free name.
fn quarantine(path: &Path) -> Result<PathBuf, StoreFault> {
    let failed = |error: std::io::Error| StoreFault::Failed(error.to_string());
    let with = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let free = (1u32..1000).map(|number| with(path, &format!(".damaged-{number}"))).find(|free| !free.exists());
    let free = free.ok_or_else(|| StoreFault::Failed("too many damaged files lie beside the store".into()))?;
    std::fs::rename(path, &free).map_err(failed)?;
    for suffix in ["-wal", "-shm"] {
        if with(path, suffix).exists() {
            std::fs::rename(with(path, suffix), with(&free, suffix)).map_err(failed)?;
        }
    }
    Ok(free)
}

/// Copies the rows that can be read: forward to the damage, then backward to it.
fn copy_readable_rows(from: &Path, to: &Connection) -> Result<(), StoreFault> {
    let Ok(old) = Connection::open(from) else { return Ok(()) };
    if let Ok(mut statement) = old.prepare("SELECT key, value FROM locks")
        && let Ok(mut rows) = statement.query([])
    {
        while let Ok(Some(row)) = rows.next() {
            if let (Ok(key), Ok(value)) = (row.get::<_, Vec<u8>>(0), row.get::<_, Vec<u8>>(1)) {
                to.execute("INSERT OR IGNORE INTO locks VALUES (?1, ?2)", params![key, value])?;
            }
        }
    }
    for order in ["ASC", "DESC"] {
        let Ok(mut statement) = old.prepare(&format!("SELECT key, value FROM entries ORDER BY key {order}")) else {
            return Ok(());
        };
        let Ok(mut rows) = statement.query([]) else { continue };
        while let Ok(Some(row)) = rows.next() {
            let (Ok(key), Ok(value)) = (row.get::<_, Vec<u8>>(0), row.get::<_, Vec<u8>>(1)) else { break };
            to.execute("INSERT OR IGNORE INTO entries VALUES (?1, ?2)", params![key, value])?;
        }
    }
    Ok(())
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
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        {
            let mut put = transaction.prepare_cached("INSERT OR REPLACE INTO entries VALUES (?1, ?2)")?;
            let mut remove = transaction.prepare_cached("DELETE FROM entries WHERE key = ?1")?;
            for write in batch.writes() {
                match write {
                    Write::Put(key, value) => put.execute(params![key, self.seal(key, value)?])?,
                    Write::Remove(key) => remove.execute(params![key])?,
                };
            }
        }
        Ok(transaction.commit()?)
    }

    fn flush(&self) -> Result<(), StoreFault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
