//! Rows of cases, derived from a household's harvest book, receipt book and case book together. They are written again
//! whenever one of the three changes.

use rusqlite::{OptionalExtension, Transaction, params, params_from_iter, types::Value};

use super::ReadModel;
use super::read_model::{parse_or_report, read_contenders, report_unreadable};
use crate::conflicts::{CaseId, CaseState, Contender, UNUSUAL};
use crate::ids::HouseholdId;
use crate::quantities::Instant;
use crate::schema::case_book::{Decision, DecisionKind};
use crate::schema::{Document, DocumentKey, LotId, Season, case_book};
use crate::store::StoreFault;

/// The kind of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseKind {
    /// A field has concurrent values.
    Field,
    /// Two lots look like one harvest.
    Twice,
    /// More was weighed than recorded.
    Weight,
}

impl CaseKind {
    /// Its name in rows and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Twice => "twice",
            Self::Weight => "weight",
        }
    }

    /// The kind of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Field, Self::Twice, Self::Weight].into_iter().find(|kind| kind.name() == name)
    }
}

/// Which cases to list. A field that is none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// In this state.
    pub state: Option<CaseState>,
    /// Of this kind.
    pub kind: Option<CaseKind>,
    /// Of this household.
    pub household: Option<HouseholdId>,
    /// Only this case.
    pub case: Option<CaseId>,
    /// About this lot.
    pub lot: Option<LotId>,
    /// At most this many; 0 for 100.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

/// A case in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRow {
    /// The household's name; empty where its document is not here.
    pub household_name: String,
    /// The case.
    pub case: CaseId,
    /// Its state.
    pub state: CaseState,
    /// What is at stake, in grams: the lot's weight, or the difference of two weights.
    pub worth_grams: i64,
    /// The concurrent values of a field; the last one is shown.
    pub contenders: Vec<Contender>,
    /// Who decided last; empty while nobody has.
    pub by: String,
    /// When.
    pub at: Instant,
    /// The chosen value.
    pub chosen: String,
    /// The person's note.
    pub note: String,
    /// What the last decision was; none while nobody has decided.
    pub decided: Option<DecisionKind>,
}

impl CaseRow {
    /// The chosen value as people read it: of two lots that were made one, the number of the one that counts.
    pub fn chosen_shown(&self) -> String {
        let lot = self.case.lot();
        let kept = match &self.case {
            CaseId::Twice(..) => LotId::from_season_name(lot.household(), lot.season(), &self.chosen),
            CaseId::Field(..) | CaseId::Weight(_) => None,
        };
        kept.map_or_else(|| self.chosen.clone(), |kept| kept.to_string())
    }
}

/// How many cases are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CaseCounts {
    /// To be decided.
    pub open: u64,
    /// Settled by two people concurrently.
    pub settled_twice: u64,
    /// Left as they are.
    pub left: u64,
    /// Settled.
    pub settled: u64,
}

/// Writes all rows of a case book again.
pub(super) fn write_decisions(transaction: &Transaction<'_>, document: &Document) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM decisions WHERE document = ?1")?.execute(params![key])?;
    let mut insert = transaction.prepare_cached("INSERT INTO decisions VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10)")?;
    for (number, decision) in (0i64..).zip(case_book::decisions(document)) {
        // A kind of decision that a later version writes. The document keeps it.
        let Some(kind) = decision.kind else { continue };
        insert.execute(params![
            key,
            number,
            decision.case,
            kind.name(),
            decision.by,
            decision.at.seconds(),
            decision.chosen,
            decision.note,
            serde_json::to_string(&decision.restore).unwrap_or_default(),
            serde_json::to_string(&decision.values).unwrap_or_default(),
        ])?;
    }
    Ok(())
}

/// Writes the cases of a part of a household's season again, when they depend on this document.
pub(super) fn refresh(transaction: &Transaction<'_>, key: &DocumentKey) -> Result<(), StoreFault> {
    let (DocumentKey::HarvestBook(of) | DocumentKey::ReceiptBook(of) | DocumentKey::CaseBook(of)) = *key else {
        return Ok(());
    };
    let book = DocumentKey::HarvestBook(of);
    let lot_of =
        |table: &str, key: &str| parse_or_report(table, "lot", key, |key| LotId::in_book(&book, key.parse().ok()?));
    let book = book.to_bytes();
    let case_book = DocumentKey::CaseBook(of).to_bytes();
    let delete = "DELETE FROM cases WHERE household = ?1 AND season = ?2 AND part = ?3";
    let part = params![of.household.as_bytes(), of.season.year(), of.part.number()];
    transaction.prepare_cached(delete)?.execute(part)?;
    let mut found: Vec<(CaseId, i64, String, bool)> = Vec::new();
    let mut fields = transaction.prepare_cached(
        "SELECT f.lot, f.field, f.contenders, f.twice, coalesce(l.grams, 0) FROM field_conflicts f
         JOIN lots l ON l.document = f.document AND l.lot = f.lot WHERE f.document = ?1 AND l.merged IS NULL",
    )?;
    let mut rows = fields.query(params![book])?;
    while let Some(row) = rows.next()? {
        let (lot, field): (String, String) = (row.get(0)?, row.get(1)?);
        if let Some(lot) = lot_of("field_conflicts", &lot) {
            found.push((CaseId::Field(lot, field), row.get(4)?, row.get(2)?, row.get(3)?));
        }
    }
    let mut duplicate_lots = transaction.prepare_cached(
        "SELECT t.first, t.second, coalesce(l.grams, 0) FROM duplicate_lots t
         JOIN lots l ON l.document = t.document AND l.lot = t.second WHERE t.document = ?1",
    )?;
    let mut rows = duplicate_lots.query(params![book])?;
    while let Some(row) = rows.next()? {
        let (first, second): (String, String) = (row.get(0)?, row.get(1)?);
        if let (Some(first), Some(second)) = (lot_of("duplicate_lots", &first), lot_of("duplicate_lots", &second)) {
            found.push((CaseId::Twice(first, second), row.get(2)?, String::new(), false));
        }
    }
    let mut weights = transaction.prepare_cached(
        "SELECT r.lot, r.grams - l.grams FROM lots l JOIN receipts r ON r.book = l.document AND r.lot = l.lot
         WHERE l.document = ?1 AND r.grams > l.grams AND l.merged IS NULL",
    )?;
    let mut rows = weights.query(params![book])?;
    while let Some(row) = rows.next()? {
        if let Some(lot) = lot_of("receipts", &row.get::<_, String>(0)?) {
            found.push((CaseId::Weight(lot), row.get(1)?, String::new(), false));
        }
    }
    let mut last = latest_decisions(transaction, &case_book)?;
    for (case, worth, contenders, twice) in found {
        let decided = last.remove(&case.season_name());
        let state = match &decided {
            _ if twice => CaseState::SettledTwice,
            Some(Decided { kind: DecisionKind::Left, .. }) => CaseState::Left,
            _ => CaseState::Open,
        };
        insert(transaction, &case, state, worth, &contenders, decided)?;
    }
    // A decided case without a conflict now is settled. After an undo it is open again: its field has one value, and those that
    // stood in it can be chosen from as before, also once it was left so.
    for (name, decided) in last {
        // Somebody's look at an unusual lot is no case.
        if name.starts_with(UNUSUAL) {
            continue;
        }
        let read = |name: &str| CaseId::from_season_name(of.household, of.season, name).ok();
        let Some(case) = parse_or_report("decisions", "case_name", &name, read) else { continue };
        let (state, worth, contenders) = match decided.kind {
            DecisionKind::Undone => {
                (CaseState::Open, weight_of(transaction, &book, case.lot())?, decided.contenders.clone())
            }
            DecisionKind::Left if !matches!(decided.contenders.as_str(), "" | "[]") => {
                (CaseState::Left, weight_of(transaction, &book, case.lot())?, decided.contenders.clone())
            }
            DecisionKind::Settled | DecisionKind::Left => (CaseState::Settled, 0, String::new()),
        };
        insert(transaction, &case, state, worth, &contenders, Some(decided))?;
    }
    Ok(())
}

fn weight_of(transaction: &Transaction<'_>, book: &[u8], lot: &LotId) -> Result<i64, StoreFault> {
    let mut statement =
        transaction.prepare_cached("SELECT coalesce(grams, 0) FROM lots WHERE document = ?1 AND lot = ?2")?;
    Ok(statement.query_row(params![book, lot.key().as_str()], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// The last decision about a case.
struct Decided {
    kind: DecisionKind,
    by: String,
    at_seconds: i64,
    chosen: String,
    note: String,
    contenders: String,
}

fn latest_decisions(
    transaction: &Transaction<'_>,
    case_book: &[u8],
) -> Result<std::collections::BTreeMap<String, Decided>, StoreFault> {
    let mut statement = transaction.prepare_cached(
        "SELECT case_name, kind, by_name, at, chosen, note, contenders FROM decisions
         WHERE document = ?1 ORDER BY number",
    )?;
    let mut latest = std::collections::BTreeMap::new();
    let mut rows = statement.query(params![case_book])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        let Some(kind) = parse_or_report("decisions", "kind", &kind, DecisionKind::from_name) else { continue };
        let decided = Decided {
            kind,
            by: row.get(2)?,
            at_seconds: row.get(3)?,
            chosen: row.get(4)?,
            note: row.get(5)?,
            contenders: row.get(6)?,
        };
        latest.insert(row.get(0)?, decided);
    }
    Ok(latest)
}

fn insert(
    transaction: &Transaction<'_>,
    case: &CaseId,
    state: CaseState,
    worth: i64,
    contenders: &str,
    decided: Option<Decided>,
) -> Result<(), StoreFault> {
    let kind = match case {
        CaseId::Field(..) => CaseKind::Field,
        CaseId::Twice(..) => CaseKind::Twice,
        CaseId::Weight(_) => CaseKind::Weight,
    };
    let decision = decided.as_ref().map_or("", |decided| decided.kind.name());
    let (by, at, chosen, note) = match &decided {
        Some(decided) => (decided.by.as_str(), decided.at_seconds, decided.chosen.as_str(), decided.note.as_str()),
        None => ("", 0, "", ""),
    };
    transaction
        .prepare_cached("INSERT OR REPLACE INTO cases VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)")?
        .execute(params![
            case.lot().household().as_bytes(),
            case.lot().season().year(),
            case.lot().part().number(),
            case.season_name(),
            kind.name(),
            case.lot().season_name(),
            state.name(),
            worth,
            contenders,
            by,
            at,
            chosen,
            note,
            decision,
        ])?;
    Ok(())
}

/// What a filter asks of a case `c`, with the values in its places.
fn conditions(filter: &CaseFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["1"];
    let mut values = Vec::new();
    let lots = filter.lot.iter().chain(filter.case.as_ref().map(CaseId::lot));
    let households = filter.household.into_iter().chain(lots.clone().map(LotId::household));
    for household in households {
        conditions.push("c.household = ?");
        values.push(Value::Blob(household.as_bytes().to_vec()));
    }
    for lot in lots {
        conditions.push("c.season = ?");
        values.push(Value::Integer(i64::from(lot.season().year())));
    }
    let mut text = |condition: &'static str, value: Option<String>| {
        if let Some(value) = value {
            conditions.push(condition);
            values.push(Value::Text(value));
        }
    };
    text("c.state = ?", filter.state.map(|state| state.name().into()));
    text("c.kind = ?", filter.kind.map(|kind| kind.name().into()));
    text("c.case_name = ?", filter.case.as_ref().map(CaseId::season_name));
    text("c.lot = ?", filter.lot.as_ref().map(LotId::season_name));
    (conditions.join(" AND "), values)
}

impl ReadModel {
    /// Cases that pass the filter, most valuable first.
    pub fn cases(&self, filter: &CaseFilter) -> Result<Vec<CaseRow>, StoreFault> {
        let (conditions, mut values) = conditions(filter);
        let limit = if filter.limit == 0 { 100 } else { filter.limit };
        values.extend([Value::Integer(i64::from(limit)), Value::Integer(i64::from(filter.offset))]);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT c.household, c.season, c.case_name, c.state, c.worth, c.contenders, c.by_name, c.at, c.chosen,
                    c.note, coalesce(h.name, ''), c.decision
             FROM cases c LEFT JOIN households h ON h.household = c.household
             WHERE {conditions} ORDER BY c.worth DESC, c.at DESC, c.household, c.season, c.case_name LIMIT ? OFFSET ?"
        ))?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut cases = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, state, contenders): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(5)?);
            let household = HouseholdId::from_bytes(row.get(0)?);
            let case =
                Season::new(row.get(1)?).and_then(|season| CaseId::from_season_name(household, season, &name).ok());
            let (Some(case), Some(state)) = (case, CaseState::from_name(&state)) else {
                report_unreadable("cases", "case_name", &name);
                continue;
            };
            cases.push(CaseRow {
                household_name: row.get(10)?,
                case,
                state,
                worth_grams: row.get(4)?,
                contenders: read_contenders("cases", &contenders),
                by: row.get(6)?,
                at: Instant::from_seconds(row.get(7)?),
                chosen: row.get(8)?,
                note: row.get(9)?,
                decided: DecisionKind::from_name(&row.get::<_, String>(11)?),
            });
        }
        Ok(cases)
    }

    /// How many cases fit a filter, whatever its limit and offset.
    pub fn count_cases(&self, filter: &CaseFilter) -> Result<u64, StoreFault> {
        let (conditions, values) = conditions(filter);
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT count(*) FROM cases c WHERE {conditions}"))?;
        let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// How many cases are in each state.
    pub fn case_counts(&self) -> Result<CaseCounts, StoreFault> {
        let mut statement = self.connection.prepare_cached("SELECT state, count(*) FROM cases GROUP BY state")?;
        let mut rows = statement.query([])?;
        let mut counts = CaseCounts::default();
        while let Some(row) = rows.next()? {
            let state: String = row.get(0)?;
            let count = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
            match CaseState::from_name(&state) {
                Some(CaseState::Open) => counts.open = count,
                Some(CaseState::SettledTwice) => counts.settled_twice = count,
                Some(CaseState::Left) => counts.left = count,
                Some(CaseState::Settled) => counts.settled = count,
                None => report_unreadable("cases", "state", &state),
            }
        }
        Ok(counts)
    }

    /// All decisions about a case, in their order. Fails when a stored decision can't be read, since undoing it would then restore
    /// too little.
    pub fn decisions(&self, case: &CaseId) -> Result<Vec<Decision>, StoreFault> {
        let mut statement = self.connection.prepare_cached(
            "SELECT kind, by_name, at, chosen, note, restore, contenders FROM decisions
             WHERE document = ?1 AND case_name = ?2 ORDER BY number",
        )?;
        let name = case.season_name();
        let unreadable = |error| StoreFault::Failed(format!("a decision about {name} can't be read: {error}"));
        let mut rows = statement.query(params![case.lot().case_book().to_bytes(), name])?;
        let mut decisions = Vec::new();
        while let Some(row) = rows.next()? {
            let (kind, restore, contenders): (String, String, String) = (row.get(0)?, row.get(5)?, row.get(6)?);
            decisions.push(Decision {
                case: name.clone(),
                kind: DecisionKind::from_name(&kind),
                by: row.get(1)?,
                at: Instant::from_seconds(row.get(2)?),
                chosen: row.get(3)?,
                note: row.get(4)?,
                restore: serde_json::from_str(&restore).map_err(unreadable)?,
                values: read_contenders("decisions", &contenders),
            });
        }
        Ok(decisions)
    }

    /// The last decision about a case; none while nobody has decided.
    pub fn last_decision(&self, case: &CaseId) -> Result<Option<Decision>, StoreFault> {
        Ok(self.decisions(case)?.pop())
    }
}
