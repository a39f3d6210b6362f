//! What a phone holds, as a table or for programs, and leaving a co-operative.

use std::sync::PoisonError;

use serde_json::json;

use super::identity::mark_new;
use super::status::Status;
use super::{Inner, Phone};
use crate::error::Error;
use crate::projection::{LotFilter, LotRow};
use crate::store::Batch;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportForm {
    /// A table with a line of heads, separated by commas.
    Csv,
    /// A list of objects.
    Json,
}

const HEADS: [&str; 15] = [
    "lot",
    "name",
    "household",
    "season",
    "day",
    "product",
    "grams",
    "grade",
    "moisture_permille",
    "place",
    "note",
    "state",
    "weighed_grams",
    "reason",
    "not_taken_in",
];

/// Those of [`HEADS`] that are numbers; none where there is no value.
const NUMBERS: [&str; 4] = ["season", "grams", "moisture_permille", "weighed_grams"];

impl Phone {
    /// All lots that this phone holds, also those that were merged into others and those that the server has not taken in, in
    /// the order of their days. Needs no connection.
    pub fn export_lots(&self, form: ExportForm) -> Result<String, Error> {
        self.inner().enrolled()?;
        let filter = LotFilter { with_merged: true, limit: u32::MAX, ..LotFilter::default() };
        let rows: Vec<[String; 15]> = self.lots(&filter)?.iter().map(fields).collect();
        Ok(match form {
            ExportForm::Csv => {
                // With a mark, so that spreadsheets read it as UTF-8.
                let mut text = String::from("\u{feff}");
                text.push_str(&HEADS.join(","));
                for row in &rows {
                    text.push_str("\r\n");
                    text.push_str(&row.iter().map(|field| quoted(field)).collect::<Vec<_>>().join(","));
                }
                text.push_str("\r\n");
                text
            }
            ExportForm::Json => {
                let object = |row: &[String; 15]| {
                    let value = |head: &str, field: &str| match NUMBERS.contains(&head) {
                        true => json!(field.parse::<i64>().ok()),
                        false => json!(field),
                    };
                    let fields = HEADS.iter().zip(row).map(|(head, field)| ((*head).to_owned(), value(head, field)));
                    serde_json::Value::Object(fields.collect())
                };
                serde_json::Value::Array(rows.iter().map(object).collect()).to_string()
            }
        })
    }

    /// Forgets the co-operative and all that this phone holds of it; it can enrol anywhere then. Fails with
    /// [`Error::NotDelivered`] while it holds work that the server does not have, unless `with_undelivered` says that this may
    /// be lost: export it first, or hand it in as a file.
    pub fn leave(&self, with_undelivered: bool) -> Result<(), Error> {
        let _no_sync = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut inner = self.inner();
        let enrolled = inner.enrolled()?;
        let changes = enrolled.replica.unsent_deeds().saturating_add(enrolled.replica.undelivered());
        if changes > 0 && !with_undelivered {
            return Err(Error::NotDelivered { changes });
        }
        let mut batch = Batch::default();
        for row in self.store.scan_all(&[])? {
            batch.remove(row.key);
        }
        mark_new(&mut batch);
        self.store.apply(&batch)?;
        self.store.flush()?;
        inner.forget_line();
        let Inner { enrolled, status, notices_read, has_sent_version, read_model, .. } = &mut *inner;
        (*enrolled, *status, *notices_read, *has_sent_version) = (None, Status::default(), 0, false);
        Ok(read_model.belong_to(&[])?)
    }
}

fn fields(row: &LotRow) -> [String; 15] {
    let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
    [
        row.lot.to_string(),
        row.lot.in_full(),
        row.household.to_string(),
        row.season.to_string(),
        row.day.map(|day| day.to_string()).unwrap_or_default(),
        row.product.clone(),
        number(row.grams),
        row.grade.clone(),
        number(row.moisture),
        row.place.clone(),
        row.note.clone(),
        row.state.name().to_owned(),
        number(row.weighed_grams),
        row.reason.clone(),
        row.held.map(|reason| reason.code().to_owned()).unwrap_or_default(),
    ]
}

/// A field of a table. A text that a spreadsheet would take for a formula begins with an apostrophe.
fn quoted(field: &str) -> String {
    let is_formula = field.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    let field = if is_formula { format!("'{field}") } else { field.to_owned() };
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_table_are_quoted_and_no_formula() {
        assert_eq!(quoted("东坡"), "东坡");
        assert_eq!(quoted("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("＝1+1"), "'＝1+1");
    }
}
