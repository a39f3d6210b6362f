//! Lots and receipts as rows, with filters, sorting, search and totals.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, params, params_from_iter, types::Value};

use super::ReadModel;
use crate::conflicts;
use crate::documents::harvest::{Lot, LotId};
use crate::documents::receipt::Outcome;
use crate::documents::{Document, DocumentKey, Season, harvest, receipt};
use crate::ids::HouseholdId;
use crate::quantities::{Day, Grams, Permille};
use crate::store::StoreFault;

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
    /// Its name in rows and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Received => "received",
            Self::Rejected => "rejected",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Recorded, Self::Received, Self::Rejected].into_iter().find(|state| state.name() == name)
    }
}

/// What a list of lots is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LotSort {
    /// Latest day first.
    #[default]
    Day,
    /// Heaviest first.
    Weight,
    /// By the household's name.
    Household,
    /// By the product's code.
    Product,
}

impl LotSort {
    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Weight => "weight",
            Self::Household => "household",
            Self::Product => "product",
        }
    }

    /// The order of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Day, Self::Weight, Self::Household, Self::Product].into_iter().find(|sort| sort.name() == name)
    }

    fn order(self) -> &'static str {
        match self {
            Self::Day => "l.day DESC, l.counter DESC",
            Self::Weight => "l.grams DESC, l.counter DESC",
            Self::Household => "h.name, l.day DESC, l.counter DESC",
            Self::Product => "l.product, l.day DESC, l.counter DESC",
        }
    }
}

/// Which lots to list; what is none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LotFilter {
    /// Of this household.
    pub household: Option<HouseholdId>,
    /// Of households in this village, by its code.
    pub village: Option<String>,
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
    /// With this text in the household's name, the place or the note.
    pub search: Option<String>,
    /// Only lots with a field that was edited at once.
    pub only_conflicts: bool,
    /// Also lots that were merged into others.
    pub with_merged: bool,
    /// What comes first.
    pub sort: LotSort,
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
    /// The household's name; empty where its document is not here.
    pub household_name: String,
    /// The code of the household's village; empty where its document is not here.
    pub village: String,
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
    /// The moisture in permille.
    pub moisture: Option<i64>,
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
    /// The lot that this one was merged into.
    pub merged_into: Option<LotId>,
    /// True when a field was edited at once.
    pub in_conflict: bool,
    /// True when a field can't be read.
    pub is_damaged: bool,
}

/// What totals are given by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TotalBy {
    /// The product's code.
    Product,
    /// The code of the household's village.
    Village,
    /// The day.
    Day,
}

/// What was recorded of a product, in a village, on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The product's or the village's code, or the day.
    pub name: String,
    /// How many lots.
    pub lots: i64,
    /// Recorded, in grams.
    pub recorded_grams: i64,
    /// Received, in grams, as weighed.
    pub received_grams: i64,
}

/// Writes a harvest book's rows anew.
pub(super) fn write(
    transaction: &Transaction<'_>,
    document: &mut Document,
    household: HouseholdId,
    season: Season,
) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM lots WHERE document = ?1")?.execute(params![key])?;
    let lots = harvest::lots(document);
    for lot in &lots {
        insert(transaction, &key, household, season, lot)?;
    }
    transaction.prepare_cached("DELETE FROM field_conflicts WHERE document = ?1")?.execute(params![key])?;
    if lots.iter().any(|lot| lot.in_conflict) {
        write_conflicts(transaction, document, &key)?;
    }
    write_twins(transaction, &key, &lots)
}

/// Writes the rows of these lots only.
pub(super) fn write_touched(
    transaction: &Transaction<'_>,
    document: &mut Document,
    household: HouseholdId,
    season: Season,
    touched: &BTreeSet<LotId>,
) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    let mut conflicts = transaction.prepare_cached("SELECT count(*) FROM field_conflicts WHERE document = ?1")?;
    let mut had_conflicts = conflicts.query_row(params![key], |row| row.get::<_, i64>(0))? > 0;
    let mut days: BTreeSet<(String, String)> = BTreeSet::new();
    for name in touched {
        let mut before = transaction
            .prepare_cached("DELETE FROM lots WHERE document = ?1 AND lot = ?2 RETURNING product, coalesce(day, '')")?;
        let gone = before.query_map(params![key, name.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        days.extend(gone.collect::<Result<Vec<_>, _>>()?);
        if let Some(lot) = harvest::lot(document, name) {
            insert(transaction, &key, household, season, &lot)?;
            had_conflicts |= lot.in_conflict;
            let day = lot.day.map(|day| day.to_string()).unwrap_or_default();
            days.insert((lot.product.unwrap_or_default(), day));
        }
    }
    if had_conflicts {
        transaction.prepare_cached("DELETE FROM field_conflicts WHERE document = ?1")?.execute(params![key])?;
        write_conflicts(transaction, document, &key)?;
    }
    // Only lots of the same product and day can have become twins, or ceased to be.
    let mut alike = Vec::new();
    for (product, day) in &days {
        let mut statement = transaction.prepare_cached(
            "SELECT lot, grams, grade, moisture, place, note, merged FROM lots
             WHERE document = ?1 AND product = ?2 AND day = ?3",
        )?;
        let rows = statement.query_map(params![key, product, day], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })?;
        for row in rows {
            let (lot, grams, grade, moisture, place, note, merged) = row?;
            alike.extend(lot_for_rules(&lot, product, day, grams, grade, moisture, place, note, merged));
        }
    }
    let delete = "DELETE FROM twins WHERE document = ?1 AND (first = ?2 OR second = ?2)";
    for name in touched {
        transaction.prepare_cached(delete)?.execute(params![key, name.as_str()])?;
    }
    insert_twins(transaction, &key, &alike)
}

#[allow(clippy::too_many_arguments, reason = "the columns of one row")]
fn lot_for_rules(
    name: &str,
    product: &str,
    day: &str,
    grams: Option<i64>,
    grade: String,
    moisture: Option<i64>,
    place: String,
    note: String,
    merged: Option<String>,
) -> Option<Lot> {
    Some(Lot {
        id: name.parse().ok()?,
        product: Some(product.to_owned()),
        quantity: grams.and_then(|grams| Grams::new(grams).ok()),
        grade: Some(grade).filter(|text| !text.is_empty()),
        moisture: moisture.and_then(|permille| Permille::new(permille).ok()),
        day: day.parse().ok(),
        place: Some(place).filter(|text| !text.is_empty()),
        note: Some(note).filter(|text| !text.is_empty()),
        merged_into: merged.and_then(|lot| lot.parse().ok()),
        in_conflict: false,
        damaged: Vec::new(),
    })
}

fn insert(
    transaction: &Transaction<'_>,
    key: &[u8],
    household: HouseholdId,
    season: Season,
    lot: &Lot,
) -> Result<(), StoreFault> {
    let receipt: Option<(String, Option<i64>, String)> = transaction
        .prepare_cached("SELECT state, grams, reason FROM receipts WHERE household = ?1 AND season = ?2 AND lot = ?3")?
        .query_row(params![household.as_bytes(), season.year(), lot.id.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO lots VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18)")?;
    insert.execute(params![
        key,
        household.as_bytes(),
        season.year(),
        lot.id.counter(),
        lot.id.as_str(),
        lot.product.as_deref().unwrap_or_default(),
        lot.quantity.map(Grams::get),
        lot.grade.as_deref().unwrap_or_default(),
        lot.moisture.map(Permille::get),
        lot.day.map(|day| day.to_string()),
        lot.place.as_deref().unwrap_or_default(),
        lot.note.as_deref().unwrap_or_default(),
        lot.merged_into.as_ref().map(LotId::as_str),
        lot.in_conflict,
        !lot.damaged.is_empty(),
        receipt.as_ref().map_or(LotState::Recorded.name(), |(state, ..)| state.as_str()),
        receipt.as_ref().and_then(|(_, grams, _)| *grams),
        receipt.as_ref().map_or("", |(.., reason)| reason.as_str()),
    ])?;
    Ok(())
}

fn write_conflicts(transaction: &Transaction<'_>, document: &mut Document, key: &[u8]) -> Result<(), StoreFault> {
    let mut insert = transaction.prepare_cached("INSERT INTO field_conflicts VALUES (?1,?2,?3,?4,?5)")?;
    for conflict in conflicts::in_harvest_book(document) {
        let contenders = serde_json::to_string(&conflict.values).unwrap_or_default();
        let twice = conflict.is_settled_twice();
        insert.execute(params![key, conflict.lot.as_str(), conflict.field, contenders, twice])?;
    }
    Ok(())
}

fn write_twins(transaction: &Transaction<'_>, key: &[u8], lots: &[Lot]) -> Result<(), StoreFault> {
    transaction.prepare_cached("DELETE FROM twins WHERE document = ?1")?.execute(params![key])?;
    insert_twins(transaction, key, lots)
}

fn insert_twins(transaction: &Transaction<'_>, key: &[u8], lots: &[Lot]) -> Result<(), StoreFault> {
    let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO twins VALUES (?1,?2,?3)")?;
    for pair in conflicts::twins(lots) {
        insert.execute(params![key, pair.first.as_str(), pair.second.as_str()])?;
    }
    Ok(())
}

/// Writes a receipt book's rows anew.
pub(super) fn write_receipts(
    transaction: &Transaction<'_>,
    document: &Document,
    household: HouseholdId,
    season: Season,
) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM receipts WHERE document = ?1")?.execute(params![key])?;
    let mut insert =
        transaction.prepare_cached("INSERT OR REPLACE INTO receipts VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)")?;
    for receipt in receipt::receipts(document) {
        let (state, grams, grade, reason) = match receipt.outcome {
            Some(Outcome::Received { weighed, grade }) => {
                (LotState::Received, Some(weighed.get()), grade, String::new())
            }
            Some(Outcome::Rejected { reason }) => (LotState::Rejected, None, String::new(), reason),
            None => continue,
        };
        insert.execute(params![
            key,
            household.as_bytes(),
            season.year(),
            receipt.lot.as_str(),
            state.name(),
            grams,
            grade,
            reason,
            receipt.day.map(|day| day.to_string()),
        ])?;
    }
    show_receipts(transaction, household, season)
}

/// Writes what the receipts of a household's season say beside its lots, so that lists need not join.
pub(super) fn show_receipts(
    transaction: &Transaction<'_>,
    household: HouseholdId,
    season: Season,
) -> Result<(), StoreFault> {
    let book = DocumentKey::HarvestBook(household, season).to_bytes();
    transaction
        .prepare_cached(
            "UPDATE lots SET state = coalesce(r.state, 'recorded'), weighed = r.grams, reason = coalesce(r.reason, '')
             FROM lots AS l LEFT JOIN receipts AS r
               ON r.household = l.household AND r.season = l.season AND r.lot = l.lot
             WHERE lots.document = ?1 AND l.document = lots.document AND l.lot = lots.lot",
        )?
        .execute(params![book])?;
    Ok(())
}

const JOINED: &str = "lots l LEFT JOIN households h ON h.household = l.household";

impl ReadModel {
    /// Lots that pass the filter.
    pub fn lots(&self, filter: &LotFilter) -> Result<Vec<LotRow>, StoreFault> {
        let (conditions, mut values) = filter.conditions();
        let limit = if filter.limit == 0 { 200 } else { filter.limit };
        values.extend([Value::Integer(i64::from(limit)), Value::Integer(i64::from(filter.offset))]);
        let order = filter.sort.order();
        // Where only lots are asked about, a page is cut out of them first: skipping a row is cheap then.
        let (from, limit) = if filter.needs_households() {
            (format!("{JOINED} WHERE {conditions}"), " LIMIT ? OFFSET ?")
        } else {
            let page = format!("(SELECT * FROM lots l WHERE {conditions} ORDER BY {order} LIMIT ? OFFSET ?)");
            (JOINED.replacen("lots", &page, 1), "")
        };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT l.household, l.season, l.lot, l.product, l.grams, l.grade, l.day, l.place, l.note,
                    l.state, l.weighed, l.reason, l.conflict, l.damaged,
                    l.moisture, l.merged, coalesce(h.name, ''), coalesce(h.village, '')
             FROM {from} ORDER BY {order}{limit}"
        ))?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            let day: Option<String> = row.get(6)?;
            let lot: String = row.get(2)?;
            let state: String = row.get(9)?;
            let merged: Option<String> = row.get(15)?;
            Ok(lot.parse().ok().map(|lot| LotRow {
                household: HouseholdId::from_bytes(row.get(0).unwrap_or_default()),
                household_name: row.get(16).unwrap_or_default(),
                village: row.get(17).unwrap_or_default(),
                season: row.get(1).unwrap_or_default(),
                lot,
                product: row.get(3).unwrap_or_default(),
                grams: row.get(4).unwrap_or_default(),
                grade: row.get(5).unwrap_or_default(),
                moisture: row.get(14).unwrap_or_default(),
                day: day.and_then(|day| day.parse().ok()),
                place: row.get(7).unwrap_or_default(),
                note: row.get(8).unwrap_or_default(),
                state: LotState::from_name(&state).unwrap_or(LotState::Recorded),
                weighed_grams: row.get(10).unwrap_or_default(),
                reason: row.get(11).unwrap_or_default(),
                merged_into: merged.and_then(|lot| lot.parse().ok()),
                in_conflict: row.get(12).unwrap_or_default(),
                is_damaged: row.get(13).unwrap_or_default(),
            }))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// How many lots pass the filter, whatever its limit.
    pub fn count_lots(&self, filter: &LotFilter) -> Result<u64, StoreFault> {
        let (conditions, values) = filter.conditions();
        let from = if filter.needs_households() { JOINED } else { "lots l" };
        let sql = format!("SELECT count(*) FROM {from} WHERE {conditions}");
        let count: i64 = self.connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Weights by product of the lots that pass the filter.
    pub fn totals(&self, filter: &LotFilter) -> Result<Vec<Total>, StoreFault> {
        self.totals_by(filter, TotalBy::Product)
    }

    /// Weights of the lots that pass the filter.
    pub fn totals_by(&self, filter: &LotFilter, by: TotalBy) -> Result<Vec<Total>, StoreFault> {
        let (conditions, values) = filter.conditions();
        let column = match by {
            TotalBy::Product => "l.product",
            TotalBy::Village => "coalesce(h.village, '')",
            TotalBy::Day => "coalesce(l.day, '')",
        };
        let from = if filter.needs_households() || by == TotalBy::Village { JOINED } else { "lots l" };
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {column}, count(*), coalesce(sum(l.grams), 0), coalesce(sum(l.weighed), 0)
             FROM {from} WHERE {conditions} GROUP BY 1 ORDER BY 1"
        ))?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            Ok(Total { name: row.get(0)?, lots: row.get(1)?, recorded_grams: row.get(2)?, received_grams: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl LotFilter {
    /// True when the answer depends on households, not on lots alone.
    fn needs_households(&self) -> bool {
        let searches = self.search.as_ref().is_some_and(|search| !search.trim().is_empty());
        self.village.is_some() || searches || self.sort == LotSort::Household
    }

    fn conditions(&self) -> (String, Vec<Value>) {
        let mut conditions = vec!["1"];
        let mut values = Vec::new();
        if let Some(household) = self.household {
            conditions.push("l.household = ?");
            values.push(Value::Blob(household.as_bytes().to_vec()));
        }
        let mut text = |condition: &'static str, value: Option<String>| {
            if let Some(value) = value {
                conditions.push(condition);
                values.push(Value::Text(value));
            }
        };
        text("l.lot = ?", self.lot.as_ref().map(LotId::to_string));
        text("h.village = ?", self.village.clone());
        text("l.product = ?", self.product.clone());
        text("l.day >= ?", self.from.map(|day| day.to_string()));
        text("l.day <= ?", self.to.map(|day| day.to_string()));
        text("l.state = ?", self.state.map(|state| state.name().into()));
        // Text is looked for as it stands: % and _ mean themselves.
        text(
            "instr(coalesce(h.name, '') || char(10) || l.place || char(10) || l.note, ?) > 0",
            self.search.clone().filter(|search| !search.trim().is_empty()),
        );
        if self.only_conflicts {
            conditions.push("l.conflict");
        }
        if !self.with_merged {
            conditions.push("l.merged IS NULL");
        }
        (conditions.join(" AND "), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::harvest::{LotDraft, LotEdit, correct, record, set_merged, touched, withdraw};
    use crate::ids::ActorId;
    use crate::projection::CaseFilter;
    use crate::quantities::Instant;
    use proptest::prelude::*;

    fn draft(grams: i64) -> LotDraft {
        LotDraft::new("millet", Grams::new(grams).unwrap(), "2026-10-03".parse().unwrap())
    }

    #[derive(Debug, Clone)]
    enum Step {
        Record(i64),
        Correct(usize, i64),
        Day(usize, u8),
        Merge(usize, usize),
        Withdraw(usize),
        Exchange,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (1_000i64..1_004).prop_map(Step::Record),
            (0usize..6, 1_000i64..1_004).prop_map(|(lot, grams)| Step::Correct(lot, grams)),
            (0usize..6, 1u8..4).prop_map(|(lot, day)| Step::Day(lot, day)),
            (0usize..6, 0usize..6).prop_map(|(lot, into)| Step::Merge(lot, into)),
            (0usize..6).prop_map(Step::Withdraw),
            Just(Step::Exchange),
        ]
    }

    proptest! {
        /// Rows that were kept up to date edit by edit are those that the whole document makes.
        #[test]
        fn touched_rows_are_the_rows_of_the_whole(steps in proptest::collection::vec((any::<bool>(), step()), 1..40)) {
            let household = HouseholdId::from_bytes([1; 16]);
            let key = DocumentKey::HarvestBook(household, Season::new(2026).unwrap());
            let first = Document::new(key.clone()).unwrap();
            let mut replicas = [first.clone(), first];
            let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 9]).unwrap());
            let mut model = ReadModel::in_memory().unwrap();
            let mut revision = 1;
            model.write(&mut replicas[0], revision).unwrap();
            for (is_first, step) in steps {
                let own = usize::from(!is_first);
                let names: Vec<LotId> = harvest::lots(&replicas[own]).into_iter().map(|lot| lot.id).collect();
                let name = |index: usize| names.get(index % names.len().max(1)).cloned();
                let edited = replicas[own].edit(&actors[own], Instant(0), |doc| match step {
                    Step::Record(grams) => record(doc, &draft(grams)).map(drop),
                    Step::Correct(lot, grams) => name(lot).map_or(Ok(()), |lot| {
                        correct(doc, &lot, &LotEdit::Quantity(Grams::new(grams).unwrap()))
                    }),
                    Step::Day(lot, day) => name(lot).map_or(Ok(()), |lot| {
                        correct(doc, &lot, &LotEdit::Day(format!("2026-10-0{day}").parse().unwrap()))
                    }),
                    Step::Merge(lot, into) => match (name(lot), name(into)) {
                        (Some(lot), Some(into)) => set_merged(doc, &lot, Some(&into)),
                        _ => Ok(()),
                    },
                    Step::Withdraw(lot) => name(lot).map_or(Ok(()), |lot| withdraw(doc, &lot)),
                    Step::Exchange => Ok(()),
                });
                let change = edited.unwrap().1;
                if let (true, Some(change)) = (is_first, change) {
                    revision += 1;
                    model.update(&mut replicas[0], revision, &touched(change.record())).unwrap();
                }
                if matches!(step, Step::Exchange) {
                    let [one, two] = &mut replicas;
                    let (left, right) = (one.changes_since(&[]).unwrap(), two.changes_since(&[]).unwrap());
                    one.apply(&right).unwrap();
                    two.apply(&left).unwrap();
                    revision += 1;
                    model.write(one, revision).unwrap();
                }
            }
            let mut whole = ReadModel::in_memory().unwrap();
            whole.write(&mut replicas[0], revision).unwrap();
            let all = LotFilter { with_merged: true, ..LotFilter::default() };
            prop_assert_eq!(model.lots(&all).unwrap(), whole.lots(&all).unwrap());
            let cases = CaseFilter::default();
            prop_assert_eq!(model.cases(&cases).unwrap(), whole.cases(&cases).unwrap());
        }
    }
}
