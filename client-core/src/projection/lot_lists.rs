//! Lists of lots: filters, sorting, search, paging and totals.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use rusqlite::{params_from_iter, types::Value};

use super::ReadModel;
use super::lot_rows::{LotFilter, LotRow, LotSort, LotState, Total, TotalBy};
use super::read_model::parse_or_report;
use crate::ids::HouseholdId;
use crate::protocol::aside::AsideReason;
use crate::schema::{DocumentKey, LotCode, LotId, LotName};
use crate::store::StoreFault;

/// Lots that a code may fit at most, as far as they are listed.
const CANDIDATES_MAX: u32 = 8;

const JOINED: &str = "lots l LEFT JOIN households h ON h.household = l.household";

impl ReadModel {
    /// Lots that pass the filter, in its order.
    pub fn lots(&self, filter: &LotFilter) -> Result<Vec<LotRow>, StoreFault> {
        let (conditions, mut values) = filter.conditions();
        let limit = if filter.limit == 0 { 200 } else { filter.limit };
        values.extend([Value::Integer(i64::from(limit)), Value::Integer(i64::from(filter.offset))]);
        let order = filter.sort.order(filter.is_reversed);
        // The page is cut by the lots' names alone. Skipped rows are then cheap: most are skipped in an index.
        let tables = if filter.sort == LotSort::Household { JOINED } else { "lots l" };
        let page =
            format!("SELECT l.document, l.lot FROM {tables} WHERE {conditions} ORDER BY {order} LIMIT ? OFFSET ?");
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT l.household, l.season, l.lot, l.product, l.grams, l.grade, l.day, l.place, l.note,
                    l.state, l.weighed, l.reason, l.conflict, l.damaged,
                    l.moisture, l.merged, coalesce(h.name, ''), coalesce(h.village, ''), l.document, l.held, l.weighed_grade, l.weighed_day,
                    l.receipt_conflict
             FROM ({page}) p JOIN lots l ON l.document = p.document AND l.lot = p.lot
             LEFT JOIN households h ON h.household = l.household
             ORDER BY {order}"
        ))?;
        let rows = statement.query_map(params_from_iter(values), |row| {
            let (day, weighed_day): (Option<String>, Option<String>) = (row.get(6)?, row.get(21)?);
            let lot: String = row.get(2)?;
            let state: String = row.get(9)?;
            let merged: Option<String> = row.get(15)?;
            let document: Vec<u8> = row.get(18)?;
            let book = DocumentKey::from_bytes(&document).ok();
            let in_book = |key: &str| book.as_ref().and_then(|book| LotId::in_book(book, key.parse().ok()?));
            let name = |column: &str, key: &str| parse_or_report("lots", column, key, in_book);
            let held: String = row.get(19)?;
            let (Some(lot), Some(state)) =
                (name("lot", &lot), parse_or_report("lots", "state", &state, LotState::from_name))
            else {
                return Ok(None);
            };
            Ok(Some(LotRow {
                household: HouseholdId::from_bytes(row.get(0)?),
                household_name: row.get(16)?,
                village: row.get(17)?,
                season: row.get(1)?,
                lot,
                product: row.get(3)?,
                grams: row.get(4)?,
                grade: row.get(5)?,
                moisture: row.get(14)?,
                day: day.and_then(|day| parse_or_report("lots", "day", &day, |day| day.parse().ok())),
                place: row.get(7)?,
                note: row.get(8)?,
                state,
                weighed_grams: row.get(10)?,
                weighed_grade: row.get(20)?,
                weighed_day: weighed_day
                    .and_then(|day| parse_or_report("lots", "weighed_day", &day, |day| day.parse().ok())),
                reason: row.get(11)?,
                merged_into: merged.and_then(|lot| name("merged", &lot)),
                in_conflict: row.get(12)?,
                receipt_in_conflict: row.get(22)?,
                is_damaged: row.get(13)?,
                held: Some(held).filter(|code| !code.is_empty()).map(|code| AsideReason::from_code(&code)),
            }))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The lots that fit a name; more than one only where a code fits several. Also lots that were merged into others.
    pub fn lots_named(&self, name: &LotName) -> Result<Vec<LotRow>, StoreFault> {
        let all = LotFilter { with_merged: true, limit: CANDIDATES_MAX, ..LotFilter::default() };
        self.lots(&match name {
            LotName::Code(code) => LotFilter { code: Some(*code), ..all },
            LotName::Full(lot) => LotFilter { lot: Some(lot.clone()), ..all },
        })
    }

    /// How many lots pass the filter. Its limit and offset are ignored.
    pub fn count_lots(&self, filter: &LotFilter) -> Result<u64, StoreFault> {
        let (conditions, values) = filter.conditions();
        let sql = format!("SELECT count(*) FROM lots l WHERE {conditions}");
        let count: i64 = self.connection.prepare_cached(&sql)?.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Weights by product of the lots that pass the filter.
    pub fn totals(&self, filter: &LotFilter) -> Result<Vec<Total>, StoreFault> {
        self.totals_by(filter, TotalBy::Product)
    }

    /// Weights of the lots that pass the filter, by group.
    pub fn totals_by(&self, filter: &LotFilter, by: TotalBy) -> Result<Vec<Total>, StoreFault> {
        let (conditions, values) = filter.conditions();
        let column = match by {
            TotalBy::Product => "l.product",
            TotalBy::Village => "coalesce(h.village, '')",
            TotalBy::Day => "coalesce(l.day, '')",
        };
        let from = if by == TotalBy::Village { JOINED } else { "lots l" };
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
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut conditions: Vec<Cow<'static, str>> = vec!["1".into()];
        let mut values = Vec::new();
        if let Some(household) = self.household {
            conditions.push("l.household = ?".into());
            values.push(Value::Blob(household.as_bytes().to_vec()));
        }
        if let Some(lot) = &self.lot {
            conditions.push("l.document = ?".into());
            values.push(Value::Blob(lot.book().to_bytes()));
        }
        if let Some(code) = self.code {
            conditions.push("l.code = ?".into());
            values.push(Value::Integer(code.number()));
        }
        let mut text = |condition: &'static str, value: Option<String>| {
            if let Some(value) = value {
                conditions.push(condition.into());
                values.push(Value::Text(value));
            }
        };
        text("l.lot = ?", self.lot.as_ref().map(|lot| lot.key().to_string()));
        text("l.household IN (SELECT household FROM households WHERE village = ?)", self.village.clone());
        text("l.product = ?", self.product.clone());
        text("l.day >= ?", self.from.map(|day| day.to_string()));
        text("l.day <= ?", self.to.map(|day| day.to_string()));
        text("l.state = ?", self.state.map(|state| state.name().into()));
        if let Some(search) = self.search.clone().filter(|search| !search.trim().is_empty()) {
            conditions.push(self.fitting(search, &mut values));
        }
        if self.only_conflicts {
            conditions.push("(l.conflict OR l.receipt_conflict)".into());
        }
        if self.only_field_conflicts {
            conditions.push("l.conflict".into());
        }
        if self.only_questions {
            conditions.push(
                "EXISTS (SELECT 1 FROM questions q WHERE q.book = l.document AND q.lot = l.lot AND q.closed = '')"
                    .into(),
            );
        }
        if !self.with_merged {
            conditions.push("l.merged IS NULL".into());
        }
        (conditions.join(" AND "), values)
    }

    /// The condition of lots that a search finds. It is tried on every lot, so it makes no text for any.
    fn fitting(&self, search: String, values: &mut Vec<Value>) -> Cow<'static, str> {
        // `instr` matches literally; `LIKE` would give % and _ a meaning. Without letters of a number the range is empty.
        let (first, last) = LotCode::searched(&search).map_or((0, -1), RangeInclusive::into_inner);
        let text = Value::Text(search);
        values.extend([text.clone(), text.clone(), Value::Integer(first), Value::Integer(last), text]);
        values.extend(self.search_households.iter().map(|id| Value::Blob(id.as_bytes().to_vec())));
        values.extend(self.search_products.iter().cloned().map(Value::Text));
        let places = |count| vec!["?"; count].join(", ");
        format!(
            "(instr(l.place, ?) > 0 OR instr(l.note, ?) > 0 OR l.code BETWEEN ? AND ?
              OR l.household IN (SELECT household FROM households WHERE instr(name, ?) > 0)
              OR l.household IN ({}) OR l.product IN ({}))",
            places(self.search_households.len()),
            places(self.search_products.len())
        )
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ActorId;
    use crate::quantities::{Grams, Instant};
    use crate::schema::harvest::{LotDraft, record};
    use crate::schema::receipt::{Outcome, receive};
    use crate::schema::{Book, Document, Season};

    /// A lot that is the first of its book, recorded by the same actor as that of any other book.
    fn first_lot(model: &mut ReadModel, household: u8, year: u16) -> LotId {
        let key =
            DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([household; 16]), Season::new(year).unwrap()));
        let mut book = Document::new(key.clone()).unwrap();
        let draft = LotDraft::new("millet", Grams::new(1_000).unwrap(), format!("{year}-10-03").parse().unwrap());
        let actor = ActorId::from_bytes(&[1; 12]).unwrap();
        let lot = book.edit(&actor, Instant(0), |doc| record(doc, &draft)).unwrap().0;
        model.write(&mut book, 1).unwrap();
        LotId::in_book(&key, lot).unwrap()
    }

    fn named(model: &ReadModel, name: &LotName) -> Vec<LotId> {
        model.lots_named(name).unwrap().into_iter().map(|row| row.lot).collect()
    }

    #[test]
    fn name_finds_the_lot_of_its_own_book() {
        let mut model = ReadModel::in_memory().unwrap();
        let lots = [(1, 2026), (1, 2027), (2, 2026)].map(|(household, year)| first_lot(&mut model, household, year));
        for lot in &lots {
            assert_eq!(lot.key(), lots[0].key());
            assert_eq!(named(&model, &LotName::Code(lot.code())), std::slice::from_ref(lot));
            assert_eq!(named(&model, &LotName::Full(lot.clone())), std::slice::from_ref(lot));
        }
    }

    #[test]
    fn code_of_two_lots_finds_both_and_each_is_named_in_full() {
        let mut model = ReadModel::in_memory().unwrap();
        let lots = [2026, 2027].map(|year| first_lot(&mut model, 1, year));
        // As if the digests of both began alike.
        model.connection.execute("UPDATE lots SET code = ?1", [lots[0].code().number()]).unwrap();
        let mut found = named(&model, &LotName::Code(lots[0].code()));
        found.sort();
        assert_eq!(found, lots);
        assert_eq!(named(&model, &lots[1].in_full().parse().unwrap()), [lots[1].clone()]);
    }

    #[test]
    fn receipt_is_shown_at_the_lot_of_its_own_book_alone() {
        let mut model = ReadModel::in_memory().unwrap();
        let lots = [(1, 2026), (1, 2027), (2, 2026)].map(|(household, year)| first_lot(&mut model, household, year));
        let mut receipts = Document::new(lots[1].receipt_book()).unwrap();
        let outcome = Outcome::Received { weighed: Grams::new(1_100).unwrap(), grade: String::new() };
        let (actor, day) = (ActorId::from_bytes(&[2; 12]).unwrap(), "2027-10-05".parse().unwrap());
        receipts.edit(&actor, Instant(0), |doc| receive(doc, &lots[1], &outcome, day)).unwrap();
        model.write(&mut receipts, 1).unwrap();
        let weighed: Vec<_> = model.lots(&LotFilter::default()).unwrap();
        let weighed: Vec<_> =
            weighed.into_iter().filter(|row| row.weighed_grams.is_some()).map(|row| row.lot).collect();
        assert_eq!(weighed, [lots[1].clone()]);
    }

    #[test]
    fn parts_of_a_book_are_one_book_in_lists_totals_and_receipts() {
        let first = Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
        let mut model = ReadModel::in_memory().unwrap();
        let mut names = Vec::new();
        for number in [1, 2] {
            let book = first.at(crate::schema::Part::new(number).unwrap());
            let actor = ActorId::from_bytes(&[1; 9]).unwrap();
            let (key, receipts) = (DocumentKey::HarvestBook(book), DocumentKey::ReceiptBook(book));
            let (mut lots, mut receipts) = (Document::new(key.clone()).unwrap(), Document::new(receipts).unwrap());
            let draft = LotDraft::new("millet", Grams::new(1_000).unwrap(), "2026-10-03".parse().unwrap());
            let lot = lots.edit(&actor, Instant(0), |doc| record(doc, &draft)).unwrap().0;
            let lot = LotId::in_book(&key, lot).unwrap();
            let outcome =
                Outcome::Received { weighed: Grams::new(1_000 * i64::from(number)).unwrap(), grade: String::new() };
            let day = "2026-10-04".parse().unwrap();
            receipts.edit(&actor, Instant(0), |doc| receive(doc, &lot, &outcome, day)).unwrap();
            model.write(&mut lots, 1).unwrap();
            model.write(&mut receipts, 1).unwrap();
            names.push(lot);
        }
        // The same actor recorded the first lot of each part, so only their parts tell them apart.
        assert_eq!(names[0].key(), names[1].key());
        let filter = LotFilter { household: Some(first.household), ..LotFilter::default() };
        let rows = model.lots(&filter).unwrap();
        let listed: Vec<_> = rows.iter().map(|row| (row.lot.clone(), row.weighed_grams)).collect();
        let [first_lot, last_lot] = [&names[0], &names[1]];
        assert_eq!(listed, [(last_lot.clone(), Some(2_000)), (first_lot.clone(), Some(1_000))], "the later part first");
        let total = model.totals(&filter).unwrap().remove(0);
        assert_eq!((total.lots, total.recorded_grams, total.received_grams), (2, 2_000, 3_000));
        let cases = model.cases(&crate::projection::CaseFilter::default()).unwrap();
        assert_eq!(cases.iter().map(|case| case.case.lot()).collect::<Vec<_>>(), [&names[1]], "more than recorded");
        model.forget(&names[1].book()).unwrap();
        assert_eq!(model.lots(&filter).unwrap().len(), 1);
    }
}
