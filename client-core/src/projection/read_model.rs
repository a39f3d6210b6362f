//! The read model: one SQLite database of rows, written from documents, one document at a time. Each
//! document's rows carry the revision they were made from.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params, params_from_iter, types::Value};

use crate::documents::harvest::LotId;
use crate::documents::receipt::Outcome;
use crate::documents::{Document, DocumentKey, harvest, receipt};
use crate::ids::HouseholdId;
use crate::quantities::Day;
use crate::store::StoreFault;

/// Rises when the tables change; another number means that all rows are made again.
const VERSION: i64 = 2;

/// Where a lot stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LotState {
    /// Recorded by the household; the warehouse has said nothing.
    Recorded,
    /// Taken in by the warehouse.
    Received,
    /// Sent back by the warehouse.
    Rejected,
}

impl LotState {
    fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Received => "received",
            Self::Rejected => "rejected",
        }
    }
}

/// Which lots to list; what is none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LotFilter {
    /// Of this household.
    pub household: Option<HouseholdId>,
    /// Only the lot of this name.
    pub lot: Option<LotId>,
    /// Of this product.
    pub product: Option<String>,
    /// Harvested on this day or later.
    pub from: Option<Day>,
    /// Harvested on this day or earlier.
    pub to: Option<Day>,
    /// In this state.
    pub state: Option<LotState>,
    /// Only lots with a field that was edited at once.
    pub only_conflicts: bool,
    /// At most this many; 0 for 200.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

/// A lot in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotRow {
    /// The household.
    pub household: HouseholdId,
    /// The season's year.
    pub season: u16,
    /// The lot's name.
    pub lot: LotId,
    /// The product's code; empty when damaged.
    pub product: String,
    /// The recorded weight in grams; none when damaged.
    pub grams: Option<i64>,
    /// The grade; empty for none.
    pub grade: String,
    /// The day; none when damaged.
    pub day: Option<Day>,
    /// The place; empty for none.
    pub place: String,
    /// The note; empty for none.
    pub note: String,
    /// Where it stands.
    pub state: LotState,
    /// As weighed by the warehouse, in grams.
    pub weighed_grams: Option<i64>,
    /// Why it was sent back; empty when it was not.
    pub reason: String,
    /// True when a field was edited at once.
    pub in_conflict: bool,
    /// True when a field can't be read.
    pub is_damaged: bool,
}

/// What was recorded of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The product's code.
    pub product: String,
    /// How many lots.
    pub lots: i64,
    /// Recorded, in grams.
    pub recorded_grams: i64,
    /// Received, in grams, as weighed.
    pub received_grams: i64,
}

/// See the module.
#[derive(Debug)]
pub struct ReadModel {
    connection: Connection,
}

const TABLES: &str = "
    CREATE TABLE documents (document BLOB PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE lots (
        document BLOB NOT NULL, household BLOB NOT NULL, season INTEGER NOT NULL, place_in_book INTEGER NOT NULL,
        lot TEXT NOT NULL, product TEXT NOT NULL, grams INTEGER, grade TEXT NOT NULL, day TEXT,
        place TEXT NOT NULL, note TEXT NOT NULL, conflict INTEGER NOT NULL, damaged INTEGER NOT NULL,
        PRIMARY KEY (document, lot)) WITHOUT ROWID;
    CREATE INDEX lots_by_day ON lots (day DESC);
    CREATE INDEX lots_by_name ON lots (lot);
    CREATE TABLE receipts (
        document BLOB NOT NULL, household BLOB NOT NULL, season INTEGER NOT NULL, lot TEXT NOT NULL,
        state TEXT NOT NULL, grams INTEGER, reason TEXT NOT NULL,
        PRIMARY KEY (household, season, lot)) WITHOUT ROWID;
    CREATE INDEX receipts_by_document ON receipts (document);";

impl ReadModel {
    /// A read model in memory.
    pub fn in_memory() -> Result<Self, StoreFault> {
        Self::prepare(Connection::open_in_memory()?)
    }

    /// Opens the read model at `path`; one that can't be used is made anew.
    pub fn open(path: &Path) -> Result<Self, StoreFault> {
        match Connection::open(path).map_err(StoreFault::from).and_then(Self::prepare) {
            Ok(model) => Ok(model),
            Err(_) => {
                std::fs::remove_file(path).map_err(|error| StoreFault::Failed(error.to_string()))?;
                Self::prepare(Connection::open(path)?)
            }
        }
    }

    fn prepare(connection: Connection) -> Result<Self, StoreFault> {
        // Its rows can be made again, so it need not wait for the medium.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version != VERSION {
            connection.execute_batch(
                "DROP TABLE IF EXISTS documents; DROP TABLE IF EXISTS lots; DROP TABLE IF EXISTS receipts;",
            )?;
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "user_version", VERSION)?;
        }
        Ok(Self { connection })
    }

    /// The revision that a document's rows were made from.
    pub fn revision(&self, key: &DocumentKey) -> Result<Option<u64>, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT revision FROM documents WHERE document = ?1")?;
        let revision: Option<i64> = statement.query_row(params![key.to_bytes()], |row| row.get(0)).optional()?;
        Ok(revision.and_then(|revision| u64::try_from(revision).ok()))
    }

    /// The documents that have rows.
    pub fn documents(&self) -> Result<Vec<DocumentKey>, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT document FROM documents")?;
        let keys = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?.collect::<Result<Vec<_>, _>>()?;
        Ok(keys.iter().filter_map(|key| DocumentKey::from_bytes(key).ok()).collect())
    }

    /// Removes a document's rows.
    pub fn forget(&mut self, key: &DocumentKey) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        let document = key.to_bytes();
        for table in ["documents", "lots", "receipts"] {
            transaction.execute(&format!("DELETE FROM {table} WHERE document = ?1"), params![document])?;
        }
        Ok(transaction.commit()?)
    }

    /// Writes a document's rows anew.
    pub fn write(&mut self, document: &Document, revision: u64) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        let key = document.key().to_bytes();
        match document.key() {
            DocumentKey::HarvestBook(household, season) => {
                transaction.prepare_cached("DELETE FROM lots WHERE document = ?1")?.execute(params![key])?;
                let mut insert = transaction
                    .prepare_cached("INSERT INTO lots VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)")?;
                for (place, lot) in harvest::lots(document).into_iter().enumerate() {
                    insert.execute(params![
                        key,
                        household.as_bytes(),
                        season.year(),
                        i64::try_from(place).unwrap_or(i64::MAX),
                        lot.id.as_str(),
                        lot.product.unwrap_or_default(),
                        lot.quantity.map(crate::quantities::Grams::get),
                        lot.grade.unwrap_or_default(),
                        lot.day.map(|day| day.to_string()),
                        lot.place.unwrap_or_default(),
                        lot.note.unwrap_or_default(),
                        lot.in_conflict,
                        !lot.damaged.is_empty(),
                    ])?;
                }
            }
            DocumentKey::ReceiptBook(household, season) => {
                transaction.prepare_cached("DELETE FROM receipts WHERE document = ?1")?.execute(params![key])?;
                let mut insert =
                    transaction.prepare_cached("INSERT OR REPLACE INTO receipts VALUES (?1,?2,?3,?4,?5,?6,?7)")?;
                for receipt in receipt::receipts(document) {
                    let (state, grams, reason) = match receipt.outcome {
                        Some(Outcome::Received { weighed, .. }) => {
                            (LotState::Received, Some(weighed.get()), String::new())
                        }
                        Some(Outcome::Rejected { reason }) => (LotState::Rejected, None, reason),
                        None => continue,
                    };
                    let lot = receipt.lot.as_str();
                    let row = params![key, household.as_bytes(), season.year(), lot, state.name(), grams, reason];
                    insert.execute(row)?;
                }
            }
            _ => {}
        }
        transaction
            .prepare_cached("INSERT OR REPLACE INTO documents VALUES (?1, ?2)")?
            .execute(params![key, i64::try_from(revision).unwrap_or(i64::MAX)])?;
        Ok(transaction.commit()?)
    }

    /// Lots that pass the filter, latest day first.
    pub fn lots(&self, filter: &LotFilter) -> Result<Vec<LotRow>, StoreFault> {
        let (conditions, mut values) = filter.conditions();
        let limit = if filter.limit == 0 { 200 } else { filter.limit };
        values.extend([Value::Integer(i64::from(limit)), Value::Integer(i64::from(filter.offset))]);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT l.household, l.season, l.lot, l.product, l.grams, l.grade, l.day, l.place, l.note,
                    coalesce(r.state, 'recorded'), r.grams, coalesce(r.reason, ''), l.conflict, l.damaged
             FROM lots l LEFT JOIN receipts r
               ON r.household = l.household AND r.season = l.season AND r.lot = l.lot
             WHERE {conditions} ORDER BY l.day DESC, l.document, l.place_in_book DESC LIMIT ? OFFSET ?"
        ))?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            let day: Option<String> = row.get(6)?;
            let lot: String = row.get(2)?;
            let state: String = row.get(9)?;
            Ok(lot.parse().ok().map(|lot| LotRow {
                household: HouseholdId::from_bytes(row.get(0).unwrap_or_default()),
                season: row.get(1).unwrap_or_default(),
                lot,
                product: row.get(3).unwrap_or_default(),
                grams: row.get(4).unwrap_or_default(),
                grade: row.get(5).unwrap_or_default(),
                day: day.and_then(|day| day.parse().ok()),
                place: row.get(7).unwrap_or_default(),
                note: row.get(8).unwrap_or_default(),
                state: match state.as_str() {
                    "received" => LotState::Received,
                    "rejected" => LotState::Rejected,
                    _ => LotState::Recorded,
                },
                weighed_grams: row.get(10).unwrap_or_default(),
                reason: row.get(11).unwrap_or_default(),
                in_conflict: row.get(12).unwrap_or_default(),
                is_damaged: row.get(13).unwrap_or_default(),
            }))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// Weights by product of the lots that pass the filter.
    pub fn totals(&self, filter: &LotFilter) -> Result<Vec<Total>, StoreFault> {
        let (conditions, values) = filter.conditions();
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT l.product, count(*), coalesce(sum(l.grams), 0), coalesce(sum(r.grams), 0)
             FROM lots l LEFT JOIN receipts r
               ON r.household = l.household AND r.season = l.season AND r.lot = l.lot
             WHERE {conditions} GROUP BY l.product ORDER BY l.product"
        ))?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok(Total {
                product: row.get(0)?,
                lots: row.get(1)?,
                recorded_grams: row.get(2)?,
                received_grams: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl LotFilter {
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut conditions = vec!["1"];
        let mut values = Vec::new();
        if let Some(household) = self.household {
            conditions.push("l.household = ?");
            values.push(Value::Blob(household.as_bytes().to_vec()));
        }
        if let Some(lot) = &self.lot {
            conditions.push("l.lot = ?");
            values.push(Value::Text(lot.to_string()));
        }
        if let Some(product) = &self.product {
            conditions.push("l.product = ?");
            values.push(Value::Text(product.clone()));
        }
        if let Some(from) = self.from {
            conditions.push("l.day >= ?");
            values.push(Value::Text(from.to_string()));
        }
        if let Some(to) = self.to {
            conditions.push("l.day <= ?");
            values.push(Value::Text(to.to_string()));
        }
        if let Some(state) = self.state {
            conditions.push("coalesce(r.state, 'recorded') = ?");
            values.push(Value::Text(state.name().into()));
        }
        if self.only_conflicts {
            conditions.push("l.conflict");
        }
        (conditions.join(" AND "), values)
    }
}
