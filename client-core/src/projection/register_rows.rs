//! Writes the rows of households.

use rusqlite::{Transaction, params};

use super::ReadModel;
use crate::ids::HouseholdId;
use crate::schema::access::ListedHousehold;
use crate::schema::{Document, DocumentKey, household};
use crate::store::StoreFault;

pub(super) fn write_household(
    transaction: &Transaction<'_>,
    document: &Document,
    id: HouseholdId,
) -> Result<(), StoreFault> {
    let household = household::read(document);
    transaction.prepare_cached("INSERT OR REPLACE INTO households VALUES (?1,?2,?3,?4,?5,?6)")?.execute(params![
        id.as_bytes(),
        document.key().to_bytes(),
        household.name.unwrap_or_default(),
        household.village.unwrap_or_default(),
        household.payment.unwrap_or_default(),
        household.members.join(", "),
    ])?;
    Ok(())
}

impl ReadModel {
    /// Names the households of which no particulars are here: those that a recorder's phone was told of, and no others. Nothing is
    /// left of a name that went.
    pub fn write_listed(&mut self, listed: &[ListedHousehold]) -> Result<(), StoreFault> {
        const LISTED: &str = "document NOT IN (SELECT document FROM documents)";
        let transaction = self.connection.transaction()?;
        let mut known = {
            let mut statement = transaction
                .prepare_cached(&format!("SELECT household, name, village FROM households WHERE {LISTED}"))?;
            let rows = statement.query_map([], |row| {
                let household = HouseholdId::from_bytes(row.get(0)?);
                Ok(ListedHousehold { household, name: row.get(1)?, village: row.get(2)? })
            })?;
            rows.collect::<Result<Vec<_>, _>>()?
        };
        let mut wanted = listed.to_vec();
        known.sort();
        wanted.sort();
        if known == wanted {
            return Ok(());
        }
        transaction.execute(&format!("DELETE FROM households WHERE {LISTED}"), [])?;
        for ListedHousehold { household, name, village } in listed {
            let document = DocumentKey::Household(*household).to_bytes();
            transaction
                .prepare_cached("INSERT OR IGNORE INTO households VALUES (?1,?2,?3,?4,'','')")?
                .execute(params![household.as_bytes(), document, name, village])?;
        }
        transaction.commit()?;
        if known.is_empty() { Ok(()) } else { self.scrub() }
    }
}
