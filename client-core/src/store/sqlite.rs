//! The phone's store: one SQLite table, in WAL mode with `synchronous = FULL`, so that a batch is on
//! the medium when `apply` returns. Each value carries its own checksum. A file that SQLite can't
//! read any more is set aside whole, and what can still be read of it is carried over.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};

use super::{Batch, Row, Store, StoreFault, Write, prefix_end, seal, unseal};

/// What was found when the store was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Keys whose values were damaged; they were taken out and kept in the `damaged` table.
    pub damaged_keys: Vec<Vec<u8>>,
    /// Where the old file went when SQLite could not read it any more.
    pub file_set_aside: Option<PathBuf>,
}

/// See the module.
#[derive(Debug)]
pub struct SqliteStore {
    connection: Mutex<Connection>,
}

impl From<rusqlite::Error> for StoreFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl SqliteStore {
    /// Opens or makes the store at `path`, checks it, and puts aside what is damaged.
    pub fn open(path: &Path) -> Result<(Self, OpenReport), StoreFault> {
        let mut report = OpenReport::default();
        let connection = match open_checked(path) {
            Ok(connection) => connection,
            Err(fault) => {
                if !path.exists() {
                    return Err(fault);
                }
                let aside = set_aside(path)?;
                let connection = open_checked(path)?;
                carry_over(&aside, &connection)?;
                report.file_set_aside = Some(aside);
                connection
            }
        };
        let store = Self { connection: Mutex::new(connection) };
        report.damaged_keys = store.take_out_damaged()?;
        Ok((store, report))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves rows whose checksum does not fit into the table of damaged rows.
    fn take_out_damaged(&self) -> Result<Vec<Vec<u8>>, StoreFault> {
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
         CREATE TABLE IF NOT EXISTS damaged (key BLOB, value BLOB);",
    )?;
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" { Ok(connection) } else { Err(StoreFault::Failed(verdict)) }
}

/// Renames the file (and its journal) to the first free name.
fn set_aside(path: &Path) -> Result<PathBuf, StoreFault> {
    let failed = |error: std::io::Error| StoreFault::Failed(error.to_string());
    let with = |path: &Path, suffix: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    };
    let aside = (1u32..1000).map(|number| with(path, &format!(".damaged-{number}"))).find(|aside| !aside.exists());
    let aside = aside.ok_or_else(|| StoreFault::Failed("too many damaged files lie beside the store".into()))?;
    std::fs::rename(path, &aside).map_err(failed)?;
    for suffix in ["-wal", "-shm"] {
        if with(path, suffix).exists() {
            std::fs::rename(with(path, suffix), with(&aside, suffix)).map_err(failed)?;
        }
    }
    Ok(aside)
}

/// Copies every row that can still be read: forward until the damage, then backward to it.
fn carry_over(from: &Path, to: &Connection) -> Result<(), StoreFault> {
    let Ok(old) = Connection::open(from) else { return Ok(()) };
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
        sealed.map(|sealed| unseal(key, sealed).ok_or_else(|| StoreFault::Damaged(key.to_vec()))).transpose()
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
            let value = unseal(&key, row.get(1)?);
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
                    Write::Put(key, value) => put.execute(params![key, seal(key, value)])?,
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
mod tests {
    use super::*;

    #[test]
    fn it_conforms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        crate::store::conformance::check(|| Box::new(SqliteStore::open(&path).unwrap().0));
    }

    fn filled(path: &Path) {
        let (store, _) = SqliteStore::open(path).unwrap();
        for number in 0..400u32 {
            let mut batch = Batch::default();
            batch.put(number.to_be_bytes(), vec![7; 100]);
            store.apply(&batch).unwrap();
        }
        store.connection().pragma_update(None, "wal_checkpoint", "TRUNCATE").ok();
        store.connection().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    }

    #[test]
    fn one_damaged_value_is_set_aside_and_the_rest_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        filled(&path);
        let raw = Connection::open(&path).unwrap();
        raw.execute("UPDATE entries SET value = x'0102030405060708090a' WHERE key = x'00000005'", []).unwrap();
        drop(raw);
        let (store, report) = SqliteStore::open(&path).unwrap();
        assert_eq!(report.damaged_keys, [5u32.to_be_bytes().to_vec()]);
        assert_eq!(store.scan_all(b"").unwrap().len(), 399);
        assert_eq!(SqliteStore::open(&path).unwrap().1, OpenReport::default(), "it is reported once");
    }

    #[test]
    fn a_file_with_a_ruined_page_is_set_aside_and_what_can_be_read_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        filled(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        let page = bytes.len() / 4096 / 2;
        bytes[page * 4096..(page + 1) * 4096].fill(0xee);
        std::fs::write(&path, bytes).unwrap();
        let (store, report) = SqliteStore::open(&path).unwrap();
        assert!(report.file_set_aside.is_some());
        let kept = store.scan_all(b"").unwrap().len();
        assert!((300..400).contains(&kept), "{kept} rows of 400");
    }

    #[test]
    fn a_file_that_is_no_database_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        std::fs::write(&path, vec![1; 9000]).unwrap();
        let (_, report) = SqliteStore::open(&path).unwrap();
        assert!(report.file_set_aside.is_some());
    }
}
