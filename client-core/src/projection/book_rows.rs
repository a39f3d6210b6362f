//! Writes the rows of harvest and receipt books: all of a book, or only the lots that an edit touched.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, params};

use super::lot_rows::LotState;
use super::read_model::parse_or_report;
use crate::conflicts;
use crate::quantities::{Grams, Instant, Permille};
use crate::schema::harvest::{Lot, LotKey};
use crate::schema::receipt::Outcome;
use crate::schema::{Book, Document, DocumentKey, LotId, harvest, receipt};
use crate::store::StoreFault;

/// Writes all rows of a harvest book again.
pub(super) fn write(transaction: &Transaction<'_>, document: &mut Document, book: Book) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM lots WHERE document = ?1")?.execute(params![key])?;
    let lots = harvest::lots(document);
    let weights = harvest::weight_operations(document);
    let weighed_at = conflicts::times_of(document, weights);
    for lot in &lots {
        insert(transaction, &key, book, lot, weighed_at.get(&lot.key).copied())?;
    }
    transaction.prepare_cached("DELETE FROM field_conflicts WHERE document = ?1")?.execute(params![key])?;
    if lots.iter().any(|lot| lot.in_conflict) {
        write_conflicts(transaction, document, &key)?;
    }
    write_duplicate_lots(transaction, document, &key, &lots)
}

/// Writes the rows of these lots.
pub(super) fn write_touched(
    transaction: &Transaction<'_>,
    document: &mut Document,
    book: Book,
    touched: &BTreeSet<LotKey>,
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
            let weight = harvest::weight_operation(document, name).map(|operation| ((), operation));
            let at = conflicts::times_of(document, weight.into_iter().collect());
            insert(transaction, &key, book, &lot, at.get(&()).copied())?;
            had_conflicts |= lot.in_conflict;
            let day = lot.day.map(|day| day.to_string()).unwrap_or_default();
            days.insert((lot.product.unwrap_or_default(), day));
        }
    }
    if had_conflicts {
        transaction.prepare_cached("DELETE FROM field_conflicts WHERE document = ?1")?.execute(params![key])?;
        write_conflicts(transaction, document, &key)?;
    }
    // Whether lots are duplicates depends only on lots of the same product and day.
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
    let delete = "DELETE FROM duplicate_lots WHERE document = ?1 AND (first = ?2 OR second = ?2)";
    for name in touched {
        transaction.prepare_cached(delete)?.execute(params![key, name.as_str()])?;
    }
    insert_duplicate_lots(transaction, document, &key, &alike)
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
        key: parse_or_report("lots", "lot", name, |name| name.parse().ok())?,
        product: Some(product.to_owned()),
        quantity: grams.and_then(|grams| Grams::new(grams).ok()),
        quantity_by: None,
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

/// Lots of one day are listed by it. Each part of a book counts from the beginning, so the part comes first.
fn written_order(book: Book, lot: &LotKey) -> i64 {
    i64::from(book.part.number()) << 40 | i64::from(lot.counter()).min((1 << 40) - 1)
}

/// Writes the row of a lot, whose weight was written at this time.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    key: &[u8],
    book: Book,
    lot: &Lot,
    weight_at: Option<Instant>,
) -> Result<(), StoreFault> {
    let code = LotId::in_book(&DocumentKey::HarvestBook(book), lot.key.clone());
    let code = code.map_or(0, |lot| lot.code().number());
    type Receipt = (String, Option<i64>, String, String, Option<String>);
    let receipt: Option<Receipt> = transaction
        .prepare_cached("SELECT state, grams, reason, grade, day FROM receipts WHERE book = ?1 AND lot = ?2")?
        .query_row(params![key, lot.key.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })
        .optional()?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO lots VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,'',?22,?23,
            (SELECT count(*) FROM field_conflicts WHERE document = ?24 AND lot = ?5))",
    )?;
    insert.execute(params![
        key,
        book.household.as_bytes(),
        book.season.year(),
        written_order(book, &lot.key),
        lot.key.as_str(),
        code,
        lot.product.as_deref().unwrap_or_default(),
        lot.quantity.map(Grams::get),
        lot.grade.as_deref().unwrap_or_default(),
        lot.moisture.map(Permille::get),
        lot.day.map(|day| day.to_string()),
        lot.place.as_deref().unwrap_or_default(),
        lot.note.as_deref().unwrap_or_default(),
        lot.merged_into.as_ref().map(LotKey::as_str),
        lot.in_conflict,
        !lot.damaged.is_empty(),
        receipt.as_ref().map_or(LotState::Recorded.name(), |(state, ..)| state.as_str()),
        receipt.as_ref().and_then(|(_, grams, ..)| *grams),
        receipt.as_ref().map_or("", |(_, _, reason, ..)| reason.as_str()),
        receipt.as_ref().map_or("", |(.., grade, _)| grade.as_str()),
        receipt.as_ref().and_then(|(.., day)| day.as_deref()),
        lot.quantity_by.as_ref().map(ToString::to_string).unwrap_or_default(),
        weight_at.map(Instant::seconds),
        DocumentKey::ReceiptBook(book).to_bytes(),
    ])?;
    Ok(())
}

fn write_conflicts(transaction: &Transaction<'_>, document: &mut Document, key: &[u8]) -> Result<(), StoreFault> {
    let mut insert = transaction.prepare_cached("INSERT INTO field_conflicts VALUES (?1,?2,?3,?4,?5)")?;
    for conflict in conflicts::in_harvest_book(document) {
        let contenders = serde_json::to_string(&conflict.values).unwrap_or_default();
        let twice = conflict.is_settled_twice();
        insert.execute(params![key, conflict.lot.key().as_str(), conflict.field, contenders, twice])?;
    }
    Ok(())
}

fn write_duplicate_lots(
    transaction: &Transaction<'_>,
    document: &mut Document,
    key: &[u8],
    lots: &[Lot],
) -> Result<(), StoreFault> {
    transaction.prepare_cached("DELETE FROM duplicate_lots WHERE document = ?1")?.execute(params![key])?;
    insert_duplicate_lots(transaction, document, key, lots)
}

fn insert_duplicate_lots(
    transaction: &Transaction<'_>,
    document: &mut Document,
    key: &[u8],
    lots: &[Lot],
) -> Result<(), StoreFault> {
    let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO duplicate_lots VALUES (?1,?2,?3,?4,?5)")?;
    for pair in conflicts::duplicate_lots(lots) {
        let at = [&pair.first, &pair.second].map(|lot| conflicts::recorded_at(document, lot).map(Instant::seconds));
        insert.execute(params![key, pair.first.as_str(), pair.second.as_str(), at[0], at[1]])?;
    }
    Ok(())
}

/// Writes all rows of a receipt book again.
pub(super) fn write_receipts(
    transaction: &Transaction<'_>,
    document: &mut Document,
    book: Book,
) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM receipts WHERE document = ?1")?.execute(params![key])?;
    let mut insert = transaction
        .prepare_cached("INSERT OR REPLACE INTO receipts VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12)")?;
    transaction.prepare_cached("DELETE FROM field_conflicts WHERE document = ?1")?.execute(params![key])?;
    let receipts = receipt::receipts(document);
    if receipts.iter().any(|receipt| receipt.in_conflict) {
        write_receipt_conflicts(transaction, document, &key)?;
    }
    let operations = receipt::operations(document);
    let written_at = conflicts::times_of(document, operations);
    for receipt in receipts {
        let (state, grams, grade, reason) = match receipt.outcome {
            Some(Outcome::Received { weighed, grade }) => {
                (LotState::Received, Some(weighed.get()), grade, String::new())
            }
            Some(Outcome::Rejected { reason }) => (LotState::Rejected, None, String::new(), reason),
            None => continue,
        };
        insert.execute(params![
            key,
            book.household.as_bytes(),
            book.season.year(),
            receipt.lot.book().to_bytes(),
            receipt.lot.key().as_str(),
            state.name(),
            grams,
            grade,
            reason,
            receipt.day.map(|day| day.to_string()),
            receipt.by.as_ref().map(ToString::to_string).unwrap_or_default(),
            written_at.get(&receipt.lot).map(|at| at.seconds()),
        ])?;
    }
    show_receipts(transaction, book)
}

/// Receipts that disagree stand among the conflicts of fields, under the receipt book.
fn write_receipt_conflicts(
    transaction: &Transaction<'_>,
    document: &mut Document,
    key: &[u8],
) -> Result<(), StoreFault> {
    let mut insert = transaction.prepare_cached("INSERT INTO field_conflicts VALUES (?1,?2,'receipt',?3,?4)")?;
    for conflict in conflicts::in_receipt_book(document) {
        let contenders = serde_json::to_string(&conflict.values).unwrap_or_default();
        insert.execute(params![key, conflict.lot.key().as_str(), contenders, conflict.is_settled_twice()])?;
    }
    Ok(())
}

/// Copies the receipts of a book into the rows of its lots, so that lists need no join.
pub(super) fn show_receipts(transaction: &Transaction<'_>, book: Book) -> Result<(), StoreFault> {
    transaction
        .prepare_cached(
            "UPDATE lots SET state = coalesce(r.state, 'recorded'), weighed = r.grams, reason = coalesce(r.reason, ''),
                    weighed_grade = coalesce(r.grade, ''), weighed_day = r.day,
                    receipt_conflict = (SELECT count(*) FROM field_conflicts f WHERE f.document = ?2 AND f.lot = l.lot)
             FROM lots AS l LEFT JOIN receipts AS r ON r.book = l.document AND r.lot = l.lot
             WHERE lots.document = ?1 AND l.document = lots.document AND l.lot = lots.lot",
        )?
        .execute(params![DocumentKey::HarvestBook(book).to_bytes(), DocumentKey::ReceiptBook(book).to_bytes()])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ActorId, HouseholdId};
    use crate::projection::{CaseFilter, LotFilter, ReadModel};
    use crate::schema::Season;
    use crate::schema::harvest::{LotDraft, LotEdit, correct, record, set_merged, touched, withdraw};
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
        /// Rows that are updated edit by edit equal those that the whole document leads to.
        #[test]
        fn rows_updated_by_edit_equal_rows_of_whole_book(steps in proptest::collection::vec((any::<bool>(), step()), 1..40)) {
            let household = HouseholdId::from_bytes([1; 16]);
            let key = DocumentKey::HarvestBook(Book::first(household, Season::new(2026).unwrap()));
            let first = Document::new(key.clone()).unwrap();
            let mut replicas = [first.clone(), first];
            let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 9]).unwrap());
            let mut model = ReadModel::in_memory().unwrap();
            let mut revision = 1;
            model.write(&mut replicas[0], revision).unwrap();
            for (is_first, step) in steps {
                let own = usize::from(!is_first);
                let names: Vec<LotKey> = harvest::lots(&replicas[own]).into_iter().map(|lot| lot.key).collect();
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
