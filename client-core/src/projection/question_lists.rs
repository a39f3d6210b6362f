//! Writes and lists the rows of questions and answers.

use rusqlite::{Row, Transaction, params, params_from_iter, types::Value};

use super::ReadModel;
use super::question_rows::{QuestionFilter, QuestionRow, QuestionState};
use super::read_model::{parse_or_report, read_contenders};
use crate::conflicts;
use crate::quantities::Instant;
use crate::schema::{Book, Document, DocumentKey, LotId, question};
use crate::store::StoreFault;

const JOINED: &str = "questions q LEFT JOIN answers a ON a.document = q.book AND a.id = q.id
    LEFT JOIN lots l ON l.document = q.book AND l.lot = q.lot LEFT JOIN households h ON h.household = q.household";

/// Writes the questions of a receipt book again.
pub(super) fn write_questions(
    transaction: &Transaction<'_>,
    document: &Document,
    book: Book,
) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM questions WHERE document = ?1")?.execute(params![key])?;
    for question in question::questions(document) {
        transaction.prepare_cached("INSERT OR REPLACE INTO questions VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)")?.execute(
            params![
                key,
                question.id.to_string(),
                book.household.as_bytes(),
                question.lot.book().to_bytes(),
                question.lot.key().as_str(),
                question.text,
                question.by,
                question.at.seconds(),
                question.closed_by,
            ],
        )?;
    }
    Ok(())
}

/// Writes the answers of a harvest book again.
pub(super) fn write_answers(transaction: &Transaction<'_>, document: &mut Document) -> Result<(), StoreFault> {
    let key = document.key().to_bytes();
    transaction.prepare_cached("DELETE FROM answers WHERE document = ?1")?.execute(params![key])?;
    for (question, answers) in conflicts::answers(document) {
        let answers = serde_json::to_string(&answers).unwrap_or_default();
        transaction.prepare_cached("INSERT INTO answers VALUES (?1,?2,?3)")?.execute(params![
            key,
            question.to_string(),
            answers
        ])?;
    }
    Ok(())
}

fn conditions(filter: &QuestionFilter) -> (String, Vec<Value>) {
    let mut conditions = vec!["1"];
    let mut values = Vec::new();
    if let Some(household) = filter.household {
        conditions.push("q.household = ?");
        values.push(Value::Blob(household.as_bytes().to_vec()));
    }
    if let Some(lot) = &filter.lot {
        conditions.push("q.book = ? AND q.lot = ?");
        values.extend([Value::Blob(lot.book().to_bytes()), Value::Text(lot.key().to_string())]);
    }
    if let Some(question) = filter.question {
        conditions.push("q.id = ?");
        values.push(Value::Text(question.to_string()));
    }
    conditions.extend(filter.state.map(|state| match state {
        QuestionState::Open => "q.closed = '' AND a.id IS NULL",
        QuestionState::Answered => "q.closed = '' AND a.id IS NOT NULL",
        QuestionState::Closed => "q.closed <> ''",
    }));
    (conditions.join(" AND "), values)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Option<QuestionRow>> {
    let (id, book, lot): (String, Vec<u8>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let lot = parse_or_report("questions", "lot", &lot, |lot| {
        LotId::in_book(&DocumentKey::from_bytes(&book).ok()?, lot.parse().ok()?)
    });
    let (Some(question), Some(lot)) = (parse_or_report("questions", "id", &id, |id| id.parse().ok()), lot) else {
        return Ok(None);
    };
    let (answers, day): (String, String) = (row.get(7)?, row.get(10)?);
    Ok(Some(QuestionRow {
        question,
        lot,
        text: row.get(3)?,
        by: row.get(4)?,
        at: Instant::from_seconds(row.get(5)?),
        closed_by: row.get(6)?,
        answers: read_contenders("answers", &answers),
        product: row.get(8)?,
        grams: row.get(9)?,
        day: day.parse().ok(),
        household_name: row.get(11)?,
        village: row.get(12)?,
    }))
}

impl ReadModel {
    /// Questions that pass the filter, the latest first.
    pub fn questions(&self, filter: &QuestionFilter) -> Result<Vec<QuestionRow>, StoreFault> {
        let (conditions, mut values) = conditions(filter);
        let limit = if filter.limit == 0 { 200 } else { filter.limit };
        values.extend([Value::Integer(i64::from(limit)), Value::Integer(i64::from(filter.offset))]);
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT q.id, q.book, q.lot, q.text, q.by_name, q.at, q.closed, coalesce(a.answers, ''), coalesce(l.product, ''),
                    l.grams, coalesce(l.day, ''), coalesce(h.name, ''), coalesce(h.village, '')
             FROM {JOINED} WHERE {conditions} ORDER BY q.at DESC, q.id LIMIT ? OFFSET ?"
        ))?;
        let rows = statement.query_map(params_from_iter(values), read)?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// How many questions pass the filter, whatever its limit and offset.
    pub fn count_questions(&self, filter: &QuestionFilter) -> Result<u64, StoreFault> {
        let (conditions, values) = conditions(filter);
        let mut statement =
            self.connection.prepare_cached(&format!("SELECT count(*) FROM {JOINED} WHERE {conditions}"))?;
        let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }
}
