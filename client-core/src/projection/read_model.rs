//! One SQLite database of rows, written document by document. The rows of a document are kept with the revision that
//! they were derived from.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{
    activity, book_rows, case_writing, catalogue_rows, order_lists, question_lists, register_rows, stock_rows,
    stock_sums,
};
use crate::conflicts::Contender;
use crate::ids::DeviceId;
use crate::replica::Undelivered;
use crate::schema::harvest::LotKey;
use crate::schema::{Document, DocumentKey};
use crate::store::{SCRUB, StoreFault};

/// The version of the tables. A database of another version is emptied and written again.
const VERSION: i64 = 22;
/// Above this many touched lots, the whole book is written again.
const TOUCHED_MAX: usize = 40;

/// See the module.
#[derive(Debug)]
pub struct ReadModel {
    pub(super) connection: Connection,
    /// Whose word counts where only the server decides.
    server: DeviceId,
}

const TABLES: &str = "
    CREATE TABLE documents (document BLOB PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE lots (
        document BLOB NOT NULL, household BLOB NOT NULL, season INTEGER NOT NULL, counter INTEGER NOT NULL,
        lot TEXT NOT NULL, code INTEGER NOT NULL, product TEXT NOT NULL, grams INTEGER, grade TEXT NOT NULL,
        moisture INTEGER, day TEXT, place TEXT NOT NULL, note TEXT NOT NULL, merged TEXT, conflict INTEGER NOT NULL, damaged INTEGER NOT NULL,
        state TEXT NOT NULL, weighed INTEGER, reason TEXT NOT NULL, weighed_grade TEXT NOT NULL,
        weighed_day TEXT,
        held TEXT NOT NULL DEFAULT '', grams_by TEXT NOT NULL DEFAULT '', grams_at INTEGER,
        receipt_conflict INTEGER NOT NULL,
        PRIMARY KEY (document, lot)) WITHOUT ROWID;
    CREATE INDEX lots_by_day ON lots (day DESC, counter DESC, merged);
    CREATE INDEX lots_by_code ON lots (code);
    CREATE INDEX lots_by_household ON lots (household, merged, grams);
    CREATE TABLE receipts (
        document BLOB NOT NULL, household BLOB NOT NULL, season INTEGER NOT NULL, book BLOB NOT NULL, lot TEXT NOT NULL,
        state TEXT NOT NULL, grams INTEGER, grade TEXT NOT NULL, reason TEXT NOT NULL, day TEXT,
        written_by TEXT NOT NULL, written_at INTEGER,
        PRIMARY KEY (book, lot)) WITHOUT ROWID;
    CREATE INDEX receipts_by_document ON receipts (document);
    CREATE TABLE field_conflicts (
        document BLOB NOT NULL, lot TEXT NOT NULL, field TEXT NOT NULL, contenders TEXT NOT NULL, twice INTEGER NOT NULL,
        PRIMARY KEY (document, lot, field)) WITHOUT ROWID;
    CREATE TABLE duplicate_lots (
        document BLOB NOT NULL, first TEXT NOT NULL, second TEXT NOT NULL, first_at INTEGER, second_at INTEGER,
        PRIMARY KEY (document, first, second)) WITHOUT ROWID;
    CREATE TABLE decisions (
        document BLOB NOT NULL, number INTEGER NOT NULL, case_name TEXT NOT NULL, kind TEXT NOT NULL,
        by_name TEXT NOT NULL, at INTEGER NOT NULL, chosen TEXT NOT NULL, note TEXT NOT NULL, restore TEXT NOT NULL,
        contenders TEXT NOT NULL, grp TEXT NOT NULL,
        PRIMARY KEY (document, number)) WITHOUT ROWID;
    CREATE INDEX decisions_by_case ON decisions (document, case_name, number DESC);
    CREATE TABLE cases (
        household BLOB NOT NULL, season INTEGER NOT NULL, part INTEGER NOT NULL, case_name TEXT NOT NULL,
        kind TEXT NOT NULL, lot TEXT NOT NULL,
        state TEXT NOT NULL, worth INTEGER NOT NULL, contenders TEXT NOT NULL, by_name TEXT NOT NULL,
        at INTEGER NOT NULL, chosen TEXT NOT NULL, note TEXT NOT NULL, decision TEXT NOT NULL,
        fen INTEGER, grp TEXT NOT NULL, first_at INTEGER, second_at INTEGER,
        first_by TEXT NOT NULL, second_by TEXT NOT NULL,
        PRIMARY KEY (household, season, case_name)) WITHOUT ROWID;
    CREATE INDEX cases_by_state ON cases (state, worth DESC);
    CREATE TABLE catalogue (
        document BLOB NOT NULL, part INTEGER NOT NULL, product TEXT NOT NULL, fields TEXT NOT NULL,
        PRIMARY KEY (document, product)) WITHOUT ROWID;
    CREATE TABLE questions (
        document BLOB NOT NULL, id TEXT NOT NULL, household BLOB NOT NULL, book BLOB NOT NULL, lot TEXT NOT NULL,
        text TEXT NOT NULL, by_name TEXT NOT NULL, at INTEGER NOT NULL, closed TEXT NOT NULL,
        PRIMARY KEY (document, id)) WITHOUT ROWID;
    CREATE INDEX questions_by_lot ON questions (book, lot);
    CREATE TABLE answers (
        document BLOB NOT NULL, id TEXT NOT NULL, answers TEXT NOT NULL,
        PRIMARY KEY (document, id)) WITHOUT ROWID;
    CREATE TABLE households (
        household BLOB PRIMARY KEY, document BLOB NOT NULL, name TEXT NOT NULL, village TEXT NOT NULL,
        payment TEXT NOT NULL, members TEXT NOT NULL) WITHOUT ROWID;";

/// Tables with a `document` column.
const BY_DOCUMENT: [&str; 18] = [
    "documents",
    "lots",
    "receipts",
    "field_conflicts",
    "duplicate_lots",
    "decisions",
    "questions",
    "answers",
    "catalogue",
    "households",
    "orders",
    "receivers",
    "activity",
    "stock_books",
    "order_goods",
    "packed_goods",
    "planned_goods",
    "sold_lines",
];

/// Reports a row that can't be read. The list leaves it out until its document is written again.
pub(super) fn report_unreadable(table: &str, column: &str, value: &str) {
    tracing::error!(table, column, value, "a row of the read model can't be read; lists leave it out");
}

/// Reads a value, and reports it when it can't be read.
pub(super) fn parse_or_report<T>(
    table: &str,
    column: &str,
    value: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let parsed = read(value);
    if parsed.is_none() {
        report_unreadable(table, column, value);
    }
    parsed
}

/// The values of a field as [`crate::conflicts::Contender`]s write them; none, and a report, where they can't be read.
pub(super) fn read_contenders(table: &str, text: &str) -> Vec<Contender> {
    match text {
        "" => Vec::new(),
        text => parse_or_report(table, "contenders", text, |text| serde_json::from_str(text).ok()).unwrap_or_default(),
    }
}

impl ReadModel {
    /// An empty read model in memory.
    pub fn in_memory() -> Result<Self, StoreFault> {
        Self::prepare(Connection::open_in_memory()?)
    }

    /// Opens the read model at `path`. One that SQLite calls damaged is deleted and begins empty; on any other fault it is
    /// left as it is.
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        let open = || Connection::open(path).map_err(StoreFault::from).and_then(Self::prepare);
        let opened = open().or_else(|fault| match fault {
            StoreFault::Corrupt(reason) => {
                tracing::error!(reason, "a damaged read model is deleted, and written again from the documents");
                Self::remove(path)?;
                open()
            }
            other => Err(other),
        });
        opened.map_err(|fault| fault.explained(path.parent().unwrap_or(Path::new("."))))
    }

    /// Deletes the read model at `path`, where there is one.
    pub fn remove(path: &Path) -> Result<(), StoreFault> {
        for suffix in ["", "-wal", "-shm"] {
            let mut file = path.as_os_str().to_owned();
            file.push(suffix);
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(StoreFault::of_io(&error)),
                _ => {}
            }
        }
        Ok(())
    }

    /// A second connection to the read model at `path`, for reading while the first one writes.
    pub fn reader(path: &Path) -> Result<Self, StoreFault> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "query_only", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection, server: DeviceId::NOBODY })
    }

    fn prepare(connection: Connection) -> Result<Self, StoreFault> {
        // The rows are derived, so they need not be durable.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.set_prepared_statement_cache_capacity(64);
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version != VERSION {
            let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
            let old = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            drop(statement);
            for table in old {
                connection.execute_batch(&format!("DROP TABLE \"{}\"", table.replace('"', "")))?;
            }
            connection.execute_batch(TABLES)?;
            connection.execute_batch(activity::TABLES)?;
            connection.execute_batch(order_lists::TABLES)?;
            connection.execute_batch(stock_rows::TABLES)?;
            connection.execute_batch(stock_sums::TABLES)?;
            connection.pragma_update(None, "user_version", VERSION)?;
        }
        Ok(Self { connection, server: DeviceId::NOBODY })
    }

    /// Makes these the lists of this owner. Those of another one are emptied: its documents have the same names and revisions as
    /// other ones have here, so nothing else would tell that the rows are not of these.
    pub fn belong_to(&mut self, owner: &[u8]) -> Result<(), StoreFault> {
        self.connection.execute_batch("CREATE TABLE IF NOT EXISTS owner (owner BLOB NOT NULL)")?;
        let known: Option<Vec<u8>> =
            self.connection.query_row("SELECT owner FROM owner", [], |row| row.get(0)).optional()?;
        if known.as_deref() == Some(owner) {
            return Ok(());
        }
        let transaction = self.connection.transaction()?;
        for table in BY_DOCUMENT.into_iter().chain(["cases", "owner"]) {
            transaction.execute(&format!("DELETE FROM {table}"), [])?;
        }
        transaction.execute("INSERT INTO owner VALUES (?1)", params![owner])?;
        transaction.commit()?;
        self.scrub()
    }

    /// Makes these the lists of this owner, as they are.
    pub fn hand_over(&mut self, owner: &[u8]) -> Result<(), StoreFault> {
        self.connection.execute("UPDATE owner SET owner = ?1", params![owner])?;
        Ok(())
    }

    /// Says which device is the server's own ([`crate::ids::CooperativeId::server_device`]), before documents are written: what only
    /// the server decides counts where this device wrote it.
    pub fn trust(&mut self, server: DeviceId) {
        self.server = server;
    }

    /// Makes every write fail, as where the disk is full, or lets them succeed again.
    #[cfg(test)]
    pub(crate) fn refuse_writes(&self, refuse: bool) {
        for table in BY_DOCUMENT {
            let sql = match refuse {
                true => {
                    format!("CREATE TRIGGER no_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(FAIL, 'full'); END")
                }
                false => format!("DROP TRIGGER no_{table}"),
            };
            self.connection.execute_batch(&sql).unwrap();
        }
    }

    /// The revision that a document's rows were derived from; none when it has no rows.
    pub fn revision(&self, key: &DocumentKey) -> Result<Option<u64>, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT revision FROM documents WHERE document = ?1")?;
        let revision: Option<i64> = statement.query_row(params![key.to_bytes()], |row| row.get(0)).optional()?;
        Ok(revision.and_then(|revision| u64::try_from(revision).ok()))
    }

    /// The documents that have rows, with the revision that these were derived from.
    pub fn revisions(&self) -> Result<Vec<(DocumentKey, u64)>, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT document, revision FROM documents")?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?)))?
            .collect::<Result<Vec<_>, _>>()?;
        let read = |(key, revision): (Vec<u8>, i64)| match DocumentKey::from_bytes(&key) {
            Ok(key) => Some((key, u64::try_from(revision).unwrap_or(0))),
            Err(fault) => {
                tracing::error!(?key, %fault, "rows of the read model are of no known document; nothing updates them");
                None
            }
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// Deletes a document's rows.
    pub fn forget(&mut self, key: &DocumentKey) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        let document = key.to_bytes();
        for table in BY_DOCUMENT {
            transaction.execute(&format!("DELETE FROM {table} WHERE document = ?1"), params![document])?;
        }
        if let DocumentKey::ReceiptBook(book) = *key {
            book_rows::show_receipts(&transaction, book)?;
        }
        case_writing::refresh(&transaction, key)?;
        Ok(transaction.commit()?)
    }

    /// Leaves nothing of deleted rows in free places of the file.
    pub fn scrub(&self) -> Result<(), StoreFault> {
        Ok(self.connection.execute_batch(SCRUB)?)
    }

    /// Writes all rows of a document again.
    pub fn write(&mut self, document: &mut Document, revision: u64) -> Result<(), StoreFault> {
        self.write_many(std::iter::once((document, revision)))
    }

    /// Writes the rows of several documents in one transaction.
    pub fn write_many<'a>(
        &mut self,
        documents: impl IntoIterator<Item = (&'a mut Document, u64)>,
    ) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        for (document, revision) in documents {
            match document.key().clone() {
                DocumentKey::HarvestBook(book) => {
                    book_rows::write(&transaction, document, book)?;
                    question_lists::write_answers(&transaction, document)?;
                }
                DocumentKey::ReceiptBook(book) => {
                    book_rows::write_receipts(&transaction, document, book)?;
                    question_lists::write_questions(&transaction, document, book)?;
                }
                DocumentKey::CaseBook(..) => case_writing::write_decisions(&transaction, document)?,
                DocumentKey::Household(household) => register_rows::write_household(&transaction, document, household)?,
                DocumentKey::Order(name) => {
                    order_lists::write_order(&transaction, document, &name, self.server)?;
                    stock_rows::write_order(&transaction, document, self.server)?;
                }
                DocumentKey::Receiver(name) => order_lists::write_receiver(&transaction, document, &name)?,
                DocumentKey::Catalogue(part) => {
                    for book in catalogue_rows::write(&transaction, document, part)? {
                        case_writing::refresh(&transaction, &book)?;
                    }
                }
                DocumentKey::StockBook(_) => stock_rows::write_book(&transaction, document, self.server)?,
                DocumentKey::Cooperative(_) | DocumentKey::Stream(_) => {}
            }
            finish(&transaction, document.key(), revision)?;
        }
        Ok(transaction.commit()?)
    }

    /// Writes all rows of a document again, as its own undelivered changes leave it, and marks their lots.
    pub fn write_undelivered(&mut self, shown: Undelivered, revision: u64) -> Result<(), StoreFault> {
        let Undelivered { mut document, lots, apart } = shown;
        self.write(&mut document, revision)?;
        let key = document.key().to_bytes();
        if let DocumentKey::HarvestBook(book) = *document.key() {
            let transaction = self.connection.transaction()?;
            for lot in &apart {
                book_rows::insert(&transaction, &key, book, lot, None)?;
            }
            transaction.commit()?;
        }
        let mut mark = self.connection.prepare_cached("UPDATE lots SET held = ?3 WHERE document = ?1 AND lot = ?2")?;
        for (lot, reason) in lots {
            mark.execute(params![key, lot.as_str(), reason.code()])?;
        }
        Ok(())
    }

    /// Updates a harvest book's rows after edits that touched these lots. Rows of other documents are all written
    /// again.
    pub fn update(
        &mut self,
        document: &mut Document,
        revision: u64,
        touched: &BTreeSet<LotKey>,
    ) -> Result<(), StoreFault> {
        match *document.key() {
            DocumentKey::HarvestBook(book) if touched.len() <= TOUCHED_MAX => {
                let transaction = self.connection.transaction()?;
                book_rows::write_touched(&transaction, document, book, touched)?;
                question_lists::write_answers(&transaction, document)?;
                finish(&transaction, document.key(), revision)?;
                Ok(transaction.commit()?)
            }
            _ => self.write(document, revision),
        }
    }
}

fn finish(transaction: &Transaction<'_>, key: &DocumentKey, revision: u64) -> Result<(), StoreFault> {
    case_writing::refresh(transaction, key)?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO documents VALUES (?1, ?2)")?
        .execute(params![key.to_bytes(), i64::try_from(revision).unwrap_or(i64::MAX)])?;
    Ok(())
}
