//! Who did what when, with what stood there before and after: a row for each field that somebody wrote, of the documents that tell
//! it ([`crate::schema::deeds`]), and for each line of the server's audit. The server alone fills them. Like all rows they are
//! derived: those of a document go with it when it is erased.

use rusqlite::types::Value;
use rusqlite::{Transaction, params, params_from_iter};

use super::read_model::ReadModel;
use crate::quantities::Instant;
use crate::schema::DocumentKey;
use crate::schema::deeds::Deed;
use crate::store::StoreFault;

/// The document of rows that are of no document: lines of the audit.
const NO_DOCUMENT: &[u8] = &[];
/// Things in one filter at most.
const THINGS_MAX: usize = 500;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityRow {
    /// When.
    pub at: Instant,
    /// The device by which it was done, in hexadecimal, or another name of the audit.
    pub who: String,
    /// The kind of deed: [`crate::schema::deeds::DeedKind::name`], or an action of the audit.
    pub kind: String,
    /// Which thing: `product:CODE`, `household:ID`, `device:ID` and so on; empty for none.
    pub thing: String,
    /// Another thing that it is about, such as a phone's household; empty for none.
    pub other: String,
    /// Which field of the thing; empty for none.
    pub field: String,
    /// What stood there before; empty for nothing.
    pub before: String,
    /// What stands there since; empty for nothing.
    pub after: String,
}

/// Which rows are wanted; an empty filter wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Of one of these kinds.
    pub kinds: Vec<String>,
    /// Done by one of these.
    pub who: Vec<String>,
    /// About one of these things; none for any thing.
    pub things: Option<Vec<String>>,
    /// Not before this.
    pub from: Option<Instant>,
    /// Before this.
    pub until: Option<Instant>,
    /// At most so many.
    pub limit: u32,
    /// After so many.
    pub offset: u32,
}

pub(super) const TABLES: &str = "
    CREATE TABLE activity (
        document BLOB NOT NULL, number INTEGER NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL, kind TEXT NOT NULL,
        thing TEXT NOT NULL, other TEXT NOT NULL, field TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
        PRIMARY KEY (document, number)) WITHOUT ROWID;
    CREATE INDEX activity_by_time ON activity (at DESC, number DESC);
    CREATE INDEX activity_by_thing ON activity (thing, at DESC);
    CREATE INDEX activity_by_other ON activity (other, at DESC) WHERE other <> '';";

fn insert(transaction: &Transaction<'_>, document: &[u8], number: u64, row: &ActivityRow) -> Result<(), StoreFault> {
    transaction.prepare_cached("INSERT OR REPLACE INTO activity VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")?.execute(
        params![
            document,
            i64::try_from(number).unwrap_or(i64::MAX),
            row.at.0,
            row.who,
            row.kind,
            row.thing,
            row.other,
            row.field,
            row.before,
            row.after,
        ],
    )?;
    Ok(())
}

/// The condition of a filter, and its values.
fn condition(filter: &ActivityFilter) -> (String, Vec<Value>) {
    let (mut all, mut values) = (vec!["1".to_owned()], Vec::new());
    let mut among = |columns: &[&str], wanted: &[String]| {
        let places = vec!["?"; wanted.len()].join(",");
        let each: Vec<String> = columns.iter().map(|column| format!("{column} IN ({places})")).collect();
        for _ in columns {
            values.extend(wanted.iter().cloned().map(Value::Text));
        }
        format!("({})", each.join(" OR "))
    };
    if !filter.kinds.is_empty() {
        all.push(among(&["kind"], &filter.kinds));
    }
    if !filter.who.is_empty() {
        all.push(among(&["who"], &filter.who));
    }
    if let Some(things) = &filter.things {
        all.push(among(&["thing", "other"], things.get(..THINGS_MAX).unwrap_or(things)));
    }
    for (time, sign) in [(filter.from, "at >= ?"), (filter.until, "at < ?")] {
        if let Some(time) = time {
            all.push(sign.to_owned());
            values.push(Value::Integer(time.0));
        }
    }
    (all.join(" AND "), values)
}

impl ReadModel {
    /// Writes the deeds of a document again.
    pub fn write_deeds(&mut self, key: &DocumentKey, deeds: &[Deed]) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        let document = key.to_bytes();
        transaction.prepare_cached("DELETE FROM activity WHERE document = ?1")?.execute(params![document])?;
        for (number, deed) in (0u64..).zip(deeds) {
            let who = deed.actor.device().map(|device| device.to_string()).unwrap_or_default();
            let row = ActivityRow {
                at: deed.at,
                who,
                kind: deed.kind.name().to_owned(),
                thing: deed.thing.clone(),
                other: String::new(),
                field: deed.field.clone(),
                before: deed.before.clone(),
                after: deed.after.clone(),
            };
            insert(&transaction, &document, number, &row)?;
        }
        Ok(transaction.commit()?)
    }

    /// The number of the last line of the audit that has a row; 0 for none.
    pub fn last_audit_line(&self) -> Result<u64, StoreFault> {
        let sql = "SELECT coalesce(max(number), 0) FROM activity WHERE document = ?1";
        let last: i64 = self.connection.prepare_cached(sql)?.query_row(params![NO_DOCUMENT], |row| row.get(0))?;
        Ok(u64::try_from(last).unwrap_or(0))
    }

    /// Adds rows of the audit's lines by their numbers, and drops those of lines before `first`, which the audit has no more.
    pub fn add_audit_lines(&mut self, first: u64, lines: &[(u64, ActivityRow)]) -> Result<(), StoreFault> {
        let transaction = self.connection.transaction()?;
        let first = i64::try_from(first).unwrap_or(i64::MAX);
        transaction
            .prepare_cached("DELETE FROM activity WHERE document = ?1 AND number < ?2")?
            .execute(params![NO_DOCUMENT, first])?;
        lines.iter().try_for_each(|(number, row)| insert(&transaction, NO_DOCUMENT, *number, row))?;
        Ok(transaction.commit()?)
    }

    /// The rows of a filter, newest first.
    pub fn activity(&self, filter: &ActivityFilter) -> Result<Vec<ActivityRow>, StoreFault> {
        let (condition, mut values) = condition(filter);
        values.extend([Value::Integer(filter.limit.into()), Value::Integer(filter.offset.into())]);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT at, who, kind, thing, other, field, before, after FROM activity WHERE {condition}
             ORDER BY at DESC, number DESC LIMIT ? OFFSET ?"
        ))?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok(ActivityRow {
                at: Instant(row.get(0)?),
                who: row.get(1)?,
                kind: row.get(2)?,
                thing: row.get(3)?,
                other: row.get(4)?,
                field: row.get(5)?,
                before: row.get(6)?,
                after: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many rows a filter has, without its limit.
    pub fn count_activity(&self, filter: &ActivityFilter) -> Result<u64, StoreFault> {
        let (condition, values) = condition(filter);
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT count(*) FROM activity WHERE {condition}"))?;
        let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// When each did something of this kind last.
    pub fn last_of(&self, kind: &str) -> Result<Vec<(String, Instant)>, StoreFault> {
        let mut statement =
            self.connection.prepare_cached("SELECT who, max(at) FROM activity WHERE kind = ?1 GROUP BY who")?;
        let rows = statement.query_map(params![kind], |row| Ok((row.get(0)?, Instant(row.get(1)?))))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Who did anything that has a row.
    pub fn doers(&self) -> Result<Vec<String>, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT DISTINCT who FROM activity ORDER BY who")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ActorId, HouseholdId};
    use crate::schema::deeds::DeedKind;

    #[test]
    fn rows_are_filtered_counted_and_go_with_their_document() {
        let mut model = ReadModel::in_memory().unwrap();
        let key = DocumentKey::Household(HouseholdId::from_bytes([1; 16]));
        let actor = ActorId::from_bytes(&[1; 12]).unwrap();
        let deed = |at: i64, kind, field: &str| Deed {
            at: Instant(at),
            actor: actor.clone(),
            kind,
            thing: "household:1".into(),
            field: field.into(),
            before: String::new(),
            after: "x".into(),
        };
        let deeds = [deed(1, DeedKind::Household, "name"), deed(3, DeedKind::Payment, "payment")];
        model.write_deeds(&key, &deeds).unwrap();
        model.write_deeds(&key, &deeds).unwrap();
        let line = ActivityRow {
            at: Instant(2),
            who: "operator".into(),
            kind: "revoked".into(),
            thing: "device:2".into(),
            other: "household:1".into(),
            field: String::new(),
            before: String::new(),
            after: String::new(),
        };
        model.add_audit_lines(1, &[(7, line.clone()), (8, ActivityRow { other: String::new(), ..line })]).unwrap();
        let all = ActivityFilter { limit: 10, ..ActivityFilter::default() };
        let kinds = |filter: &ActivityFilter| -> Vec<String> {
            assert_eq!(model.count_activity(filter).unwrap(), model.activity(filter).unwrap().len() as u64);
            model.activity(filter).unwrap().into_iter().map(|row| row.kind).collect()
        };
        assert_eq!(kinds(&all), ["payment", "revoked", "revoked", "household"]);
        let of = |thing: &str| ActivityFilter { things: Some(vec![thing.to_owned()]), ..all.clone() };
        assert_eq!(kinds(&of("household:1")), ["payment", "revoked", "household"]);
        assert_eq!(kinds(&ActivityFilter { things: Some(Vec::new()), ..all.clone() }), [""; 0]);
        let until = ActivityFilter { from: Some(Instant(2)), until: Some(Instant(3)), ..all.clone() };
        assert_eq!(kinds(&until), ["revoked", "revoked"]);
        assert_eq!(kinds(&ActivityFilter { kinds: vec!["payment".into()], ..all.clone() }), ["payment"]);
        assert_eq!(model.doers().unwrap().len(), 2);
        assert_eq!(model.last_audit_line().unwrap(), 8);
        model.forget(&key).unwrap();
        model.add_audit_lines(8, &[]).unwrap();
        assert_eq!(model.activity(&all).unwrap().len(), 1, "what was erased and what is too old are gone");
    }
}
