//! Writes the rows of cases, derived from a household's harvest book, receipt book and case book together, and from the catalogue.
//! They are written again whenever one of these changes.

use rusqlite::{Row, Transaction, params};

use super::CaseKind;
use super::catalogue_rows::Terms;
use super::read_model::{parse_or_report, read_contenders};
use crate::conflicts::{
    CaseId, CaseState, SURPLUS_TOLERATED, UNUSUAL, field_at_stake, is_overweight, receipt_at_stake, twice_at_stake,
    weight_at_stake,
};
use crate::plausibility::Facts;
use crate::quantities::{Day, Fen, Grams};
use crate::schema::case_book::DecisionKind;
use crate::schema::{Document, DocumentKey, LotId, case_book};
use crate::store::StoreFault;

/// Writes all rows of a case book again.
pub(super) fn write_decisions(transaction: &Transaction<'_>, document: &Document) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM decisions WHERE document = ?1")?.execute(params![key])?;
    let mut insert = transaction.prepare_cached("INSERT INTO decisions VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)")?;
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
            decision.group,
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
    let mut terms = Terms::of(transaction);
    let mut found: Vec<Found> = Vec::new();
    let mut fields = transaction.prepare_cached(&format!(
        "SELECT {FACTS}, f.lot, f.field, f.contenders, f.twice FROM field_conflicts f
         JOIN lots l ON l.document = f.document AND l.lot = f.lot WHERE f.document = ?1 AND l.merged IS NULL",
    ))?;
    let mut rows = fields.query(params![book])?;
    while let Some(row) = rows.next()? {
        let (lot, field): (String, String) = (row.get(4)?, row.get(5)?);
        if let Some(lot) = lot_of("field_conflicts", &lot) {
            let (facts, contenders, twice) = (LotFacts::read(row, 0)?, row.get(6)?, row.get(7)?);
            let case = CaseId::Field(lot, field);
            found.push(Found::of_field(case, &facts, contenders, &mut terms)?.settled_twice(twice));
        }
    }
    let mut duplicate_lots = transaction.prepare_cached(&format!(
        "SELECT {FACTS}, {}, t.first, t.second, t.first_at, t.second_at FROM duplicate_lots t
         JOIN lots l ON l.document = t.document AND l.lot = t.second
         JOIN lots o ON o.document = t.document AND o.lot = t.first WHERE t.document = ?1",
        FACTS.replace("l.", "o."),
    ))?;
    let mut rows = duplicate_lots.query(params![book])?;
    while let Some(row) = rows.next()? {
        let (first, second): (String, String) = (row.get(8)?, row.get(9)?);
        if let (Some(first), Some(second)) = (lot_of("duplicate_lots", &first), lot_of("duplicate_lots", &second)) {
            let (newer, older) = (LotFacts::read(row, 0)?, LotFacts::read(row, 4)?);
            let price_of = terms.prices_of([newer.product.as_str(), older.product.as_str()])?;
            let stake = twice_at_stake(&newer.facts(), &older.facts(), &price_of);
            let written_at = (row.get(10)?, row.get(11)?);
            let case = Found::new(CaseId::Twice(first, second), newer.grams.unwrap_or(0), stake);
            found.push(Found { written_at, ..case });
        }
    }
    let mut weights = transaction.prepare_cached(&format!(
        "SELECT {FACTS}, r.lot, r.grams, l.grams_by, r.written_by, l.grams_at, r.written_at FROM lots l JOIN receipts r ON r.book = l.document AND r.lot = l.lot
         WHERE l.document = ?1 AND r.grams > l.grams AND l.merged IS NULL",
    ))?;
    let mut rows = weights.query(params![book])?;
    while let Some(row) = rows.next()? {
        let facts = LotFacts::read(row, 0)?;
        let weighed = Grams::new(row.get(5)?);
        let (Some(recorded), Ok(weighed)) = (facts.facts().quantity, weighed) else { continue };
        let tolerated = terms.product(&facts.product)?.and_then(|product| product.surplus_tolerated);
        if !is_overweight(recorded, weighed, tolerated.unwrap_or(SURPLUS_TOLERATED)) {
            continue;
        }
        if let Some(lot) = lot_of("receipts", &row.get::<_, String>(4)?) {
            let price_of = terms.prices_of([facts.product.as_str()])?;
            let stake = weight_at_stake(&facts.facts(), weighed, &price_of);
            let case = Found::new(CaseId::Weight(lot), weighed.get().saturating_sub(recorded.get()), stake);
            let (written_by, written_at) = ((row.get(6)?, row.get(7)?), (row.get(8)?, row.get(9)?));
            found.push(Found { written_by, written_at, ..case });
        }
    }
    let mut receipts = transaction.prepare_cached(&format!(
        "SELECT {RECORDED}, f.lot, f.contenders, f.twice FROM field_conflicts f
         JOIN lots l ON l.document = ?1 AND l.lot = f.lot WHERE f.document = ?2 AND l.merged IS NULL",
    ))?;
    let mut rows = receipts.query(params![book, DocumentKey::ReceiptBook(of).to_bytes()])?;
    while let Some(row) = rows.next()? {
        if let Some(lot) = lot_of("field_conflicts", &row.get::<_, String>(4)?) {
            let (facts, contenders, twice) = (LotFacts::read(row, 0)?, row.get(5)?, row.get(6)?);
            found.push(Found::of_field(CaseId::Receipt(lot), &facts, contenders, &mut terms)?.settled_twice(twice));
        }
    }
    let mut last = latest_decisions(transaction, &case_book)?;
    for found in found {
        let decided = last.remove(&found.case.season_name());
        let state = match &decided {
            _ if found.twice => CaseState::SettledTwice,
            Some(Decided { kind: DecisionKind::Left, .. }) => CaseState::Left,
            _ => CaseState::Open,
        };
        insert(transaction, &found, state, decided)?;
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
        let had_values = !matches!(decided.contenders.as_str(), "" | "[]");
        let (state, found) = match decided.kind {
            // Were it still more than was recorded, it would be among those above.
            DecisionKind::Undone if matches!(case, CaseId::Weight(_)) => {
                (CaseState::Settled, Found::new(case, 0, None))
            }
            DecisionKind::Undone | DecisionKind::Left if decided.kind == DecisionKind::Undone || had_values => {
                let columns = if matches!(case, CaseId::Receipt(_)) { RECORDED } else { FACTS };
                let facts = facts_of(transaction, columns, &book, case.lot())?;
                let found = Found::of_field(case, &facts, decided.contenders.clone(), &mut terms)?;
                let is_undone = decided.kind == DecisionKind::Undone;
                (if is_undone { CaseState::Open } else { CaseState::Left }, found)
            }
            _ => (CaseState::Settled, Found::new(case, 0, None)),
        };
        insert(transaction, &found, state, Some(decided))?;
    }
    Ok(())
}

/// The columns of a lot `l` that decide what it is paid: the warehouse's grade and day count, where it gave them.
const FACTS: &str = "l.product, CASE l.weighed_grade WHEN '' THEN l.grade ELSE l.weighed_grade END, coalesce(l.weighed_day, l.day, ''), l.grams";

/// The same as the household recorded them.
const RECORDED: &str = "l.product, l.grade, coalesce(l.day, ''), l.grams";

/// [`Facts`] as rows have them.
#[derive(Default)]
struct LotFacts {
    product: String,
    grade: String,
    day: Option<Day>,
    grams: Option<i64>,
}

impl LotFacts {
    /// Reads [`FACTS`] or [`RECORDED`] from this column on.
    fn read(row: &Row<'_>, first: usize) -> Result<Self, StoreFault> {
        let column = |place: usize| first.saturating_add(place);
        let day: String = row.get(column(2))?;
        Ok(Self {
            product: row.get(column(0))?,
            grade: row.get(column(1))?,
            day: day.parse().ok(),
            grams: row.get(column(3))?,
        })
    }

    fn facts(&self) -> Facts<'_> {
        let quantity = self.grams.and_then(|grams| Grams::new(grams).ok());
        Facts { product: &self.product, quantity, grade: &self.grade, day: self.day, place: "" }
    }
}

fn facts_of(transaction: &Transaction<'_>, columns: &str, book: &[u8], lot: &LotId) -> Result<LotFacts, StoreFault> {
    let mut statement =
        transaction.prepare_cached(&format!("SELECT {columns} FROM lots l WHERE l.document = ?1 AND l.lot = ?2"))?;
    let mut rows = statement.query(params![book, lot.key().as_str()])?;
    rows.next()?.map_or_else(|| Ok(LotFacts::default()), |row| LotFacts::read(row, 0))
}

/// A case without what was decided about it.
struct Found {
    case: CaseId,
    worth_grams: i64,
    stake: Option<Fen>,
    contenders: String,
    twice: bool,
    /// When each of two lots was recorded, or each of two weights written, in seconds.
    written_at: (Option<i64>, Option<i64>),
    /// Who wrote each of two weights last.
    written_by: (String, String),
}

impl Found {
    fn new(case: CaseId, worth_grams: i64, stake: Option<Fen>) -> Self {
        let (contenders, written_at, written_by) = (String::new(), (None, None), (String::new(), String::new()));
        Self { case, worth_grams, stake, contenders, twice: false, written_at, written_by }
    }

    /// A case about a lot of these facts, whose values are written as [`crate::conflicts::Contender`]s.
    fn of_field(case: CaseId, facts: &LotFacts, contenders: String, terms: &mut Terms<'_>) -> Result<Self, StoreFault> {
        let values = read_contenders("cases", &contenders);
        let values = || values.iter().map(|value| value.value.as_str());
        let stake = match &case {
            CaseId::Field(_, field) => {
                let others = values().filter(|_| field == "product");
                let price_of = terms.prices_of(others.chain([facts.product.as_str()]))?;
                // Where the warehouse gave a grade, the recorded ones decide no price; what they would make is told all the same.
                field_at_stake(&facts.facts(), field, values(), &price_of)
            }
            CaseId::Receipt(_) => {
                let price_of = terms.prices_of([facts.product.as_str()])?;
                receipt_at_stake(&facts.facts(), values(), &price_of)
            }
            CaseId::Twice(..) | CaseId::Weight(_) => None,
        };
        Ok(Self { contenders, ..Self::new(case, facts.grams.unwrap_or(0), stake) })
    }

    fn settled_twice(self, twice: bool) -> Self {
        Self { twice, ..self }
    }
}

/// The last decision about a case.
struct Decided {
    kind: DecisionKind,
    by: String,
    at_seconds: i64,
    chosen: String,
    note: String,
    contenders: String,
    group: String,
}

fn latest_decisions(
    transaction: &Transaction<'_>,
    case_book: &[u8],
) -> Result<std::collections::BTreeMap<String, Decided>, StoreFault> {
    let mut statement = transaction.prepare_cached(
        "SELECT case_name, kind, by_name, at, chosen, note, contenders, grp FROM decisions
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
            group: row.get(7)?,
        };
        latest.insert(row.get(0)?, decided);
    }
    Ok(latest)
}

fn insert(
    transaction: &Transaction<'_>,
    found: &Found,
    state: CaseState,
    decided: Option<Decided>,
) -> Result<(), StoreFault> {
    let case = &found.case;
    let decision = decided.as_ref().map_or("", |decided| decided.kind.name());
    let (by, at, chosen, note, group) = match &decided {
        Some(of) => (of.by.as_str(), of.at_seconds, of.chosen.as_str(), of.note.as_str(), of.group.as_str()),
        None => ("", 0, "", "", ""),
    };
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO cases VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20)",
        )?
        .execute(params![
            case.lot().household().as_bytes(),
            case.lot().season().year(),
            case.lot().part().number(),
            case.season_name(),
            CaseKind::of(case).name(),
            case.lot().season_name(),
            state.name(),
            found.worth_grams,
            found.contenders,
            by,
            at,
            chosen,
            note,
            decision,
            found.stake.map(Fen::get),
            group,
            found.written_at.0,
            found.written_at.1,
            found.written_by.0,
            found.written_by.1,
        ])?;
    Ok(())
}
