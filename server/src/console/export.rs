//! Exports for spreadsheets: CSV that Excel opens with its Chinese intact (UTF-8 with a byte order
//! mark), and workbooks.

use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use granary_client_core::conflicts::CaseId;
use granary_client_core::projection::{CaseFilter, LotFilter, ReadModel};
use granary_client_core::quantities::Instant;
use granary_client_core::store::StoreFault;
use maud::html;

use super::harvests;
use super::i18n::Locale;
use super::names::Names;
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;
use crate::access::AuditAction;
use crate::error::Error;

const WHAT: [&str; 4] = ["lots", "orders", "cases", "audit"];
/// Rows of one export at most: the limit of an Excel sheet.
const ROWS_MAX: u32 = 1_000_000;

/// One cell.
enum Cell {
    Text(String),
    Number(f64),
    Empty,
}

/// The rows of an export, before they are written as CSV or XLSX.
struct Sheet {
    heads: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

/// `GET /console/export`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let main = html! {
        p { (locale.t("export-help")) }
        ul { @for what in WHAT { li {
            (locale.of("export", what)) ": "
            a href={ "/console/export/" (what) ".csv" } { "CSV" } " · " a href={ "/console/export/" (what) ".xlsx" } { "XLSX" }
        } } }
        p { a href="/console/import" { (locale.t("import")) } }
    };
    Ok(Page { title: locale.t("part-export"), part: "export", main }.show(&signed))
}

/// `GET /console/export/{file}`: `lots.csv`, `orders.xlsx` and so on; lots with the filter of the list.
pub(super) async fn download(
    signed: SignedIn,
    Path(file): Path<String>,
    Query(query): Query<harvests::HarvestsQuery>,
) -> Result<Response, Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let (what, form) = file.split_once('.').ok_or_else(missing)?;
    let names = Names::of(&signed).await?;
    let locale = signed.locale;
    let sheet = match what {
        "lots" => {
            let filter = LotFilter { limit: ROWS_MAX, ..query.filter() };
            signed.read(move |models| lots(models, locale, &names, &filter)).await?
        }
        "orders" => signed.read(move |models| orders(models, locale)).await?,
        "cases" => signed.read(move |models| cases(models, locale)).await?,
        "audit" => audit(&signed).await?,
        _ => return Err(missing()),
    };
    let (kind, bytes) = match form {
        "csv" => ("text/csv; charset=utf-8", csv_bytes(&sheet)),
        "xlsx" => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_bytes(&sheet)),
        _ => return Err(missing()),
    };
    let bytes = bytes.map_err(|error| super::refusal::refuse(locale, &error))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let (name, rows) = (file.clone(), sheet.rows.len());
    signed
        .work(move || {
            granary.audit(number, crate::environment::now(), by, AuditAction::Exported, &format!("{name}, {rows} rows"))
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{what}.{form}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

fn heads(locale: Locale, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| locale.of("column", name)).collect()
}

fn number(value: i64) -> Cell {
    // Weights and amounts are far below 2^53, so a spreadsheet's number holds them exactly.
    #[allow(clippy::cast_precision_loss, reason = "within 2^53 by our quantities' bounds")]
    Cell::Number(value as f64)
}

fn kilograms(grams: Option<i64>) -> Cell {
    match grams.map(number) {
        Some(Cell::Number(grams)) => Cell::Number(grams / 1000.0),
        _ => Cell::Empty,
    }
}

fn lots(models: &ReadModel, locale: Locale, names: &Names, filter: &LotFilter) -> Result<Sheet, StoreFault> {
    let columns = [
        "household",
        "village",
        "season",
        "lot",
        "product",
        "kg",
        "grade",
        "moisture",
        "day",
        "place",
        "note",
        "state",
        "weighed",
        "reason",
    ];
    let rows = models.lots(filter)?.into_iter().map(|row| {
        vec![
            Cell::Text(row.household_name),
            Cell::Text(names.village(&row.village)),
            number(i64::from(row.season)),
            Cell::Text(row.lot.to_string()),
            Cell::Text(names.product(&row.product)),
            kilograms(row.grams),
            Cell::Text(row.grade),
            row.moisture.map_or(Cell::Empty, number),
            Cell::Text(row.day.map(|day| day.to_string()).unwrap_or_default()),
            Cell::Text(row.place),
            Cell::Text(row.note),
            Cell::Text(locale.of("state", row.state.name())),
            kilograms(row.weighed_grams),
            Cell::Text(row.reason),
        ]
    });
    Ok(Sheet { heads: heads(locale, &columns), rows: rows.collect() })
}

fn orders(models: &ReadModel, locale: Locale) -> Result<Sheet, StoreFault> {
    let columns = ["platform", "order", "buyer", "product", "kg", "yuan", "state", "shipment"];
    let rows = models.orders(None, false, ROWS_MAX, 0)?.into_iter().map(|order| {
        let yuan = match number(order.fen) {
            Cell::Number(fen) => Cell::Number(fen / 100.0),
            other => other,
        };
        vec![
            Cell::Text(order.name.platform),
            Cell::Text(order.name.outside_id),
            Cell::Text(order.buyer),
            Cell::Text(order.products),
            kilograms(Some(order.grams)),
            yuan,
            Cell::Text(order.status.map(|status| locale.of("order", status.name())).unwrap_or_default()),
            Cell::Text(order.shipment),
        ]
    });
    Ok(Sheet { heads: heads(locale, &columns), rows: rows.collect() })
}

fn cases(models: &ReadModel, locale: Locale) -> Result<Sheet, StoreFault> {
    let columns = ["household", "season", "kind", "lot", "field", "values", "state", "who", "when", "chosen", "note"];
    let filter = CaseFilter { limit: ROWS_MAX, ..CaseFilter::default() };
    let rows = models.cases(&filter)?.into_iter().map(|case| {
        let (kind, field) = match &case.case {
            CaseId::Field(_, field) => ("field", locale.of("field", field)),
            CaseId::Twice(..) => ("twice", String::new()),
            CaseId::Weight(_) => ("weight", String::new()),
        };
        let values: Vec<&str> = case.contenders.iter().map(|value| value.value.as_str()).collect();
        let chosen = case.chosen_shown();
        let when = if case.by.is_empty() { String::new() } else { locale.moment(case.at) };
        vec![
            Cell::Text(case.household_name),
            number(i64::from(case.case.lot().season().year())),
            Cell::Text(locale.of("kind", kind)),
            Cell::Text(case.case.lot().to_string()),
            Cell::Text(field),
            Cell::Text(values.join(" / ")),
            Cell::Text(locale.of("cases", case.state.name())),
            Cell::Text(case.by),
            Cell::Text(when),
            Cell::Text(chosen),
            Cell::Text(case.note),
        ]
    });
    Ok(Sheet { heads: heads(locale, &columns), rows: rows.collect() })
}

async fn audit(signed: &SignedIn) -> Result<Sheet, Refused> {
    let locale = signed.locale;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let most = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let log = signed.work(move || granary.audit_log(number, most)).await?;
    let rows = log.into_iter().map(|line| {
        vec![
            Cell::Text(locale.moment(Instant(line.at_millis))),
            Cell::Text(line.who),
            Cell::Text(locale.of("deed", line.action.name())),
            Cell::Text(line.detail),
        ]
    });
    Ok(Sheet { heads: heads(locale, &["when", "who", "deed", "detail"]), rows: rows.collect() })
}

/// A text as a CSV cell, escaped where a spreadsheet would read a formula.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

fn csv_bytes(sheet: &Sheet) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::ExportFailed { reason: error.to_string() };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![0xef, 0xbb, 0xbf]);
    writer.write_record(&sheet.heads).map_err(|error| failed(&error))?;
    for row in &sheet.rows {
        let cells = row.iter().map(|cell| match cell {
            Cell::Text(text) => harmless(text),
            Cell::Number(number) => number.to_string(),
            Cell::Empty => String::new(),
        });
        writer.write_record(cells).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

fn xlsx_bytes(sheet: &Sheet) -> Result<Vec<u8>, Error> {
    let failed = |error: rust_xlsxwriter::XlsxError| Error::ExportFailed { reason: error.to_string() };
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let page = workbook.add_worksheet();
    let bold = rust_xlsxwriter::Format::new().set_bold();
    for (column, head) in (0u16..).zip(&sheet.heads) {
        page.write_string_with_format(0, column, head, &bold).map_err(failed)?;
    }
    for (place, row) in (1u32..).zip(&sheet.rows) {
        for (column, cell) in (0u16..).zip(row) {
            match cell {
                Cell::Text(text) => page.write_string(place, column, text).map(drop).map_err(failed)?,
                Cell::Number(number) => page.write_number(place, column, *number).map(drop).map_err(failed)?,
                Cell::Empty => {}
            }
        }
    }
    page.set_freeze_panes(1, 0).map_err(failed)?;
    workbook.save_to_buffer().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_escapes_formulas() {
        let sheet =
            Sheet { heads: vec!["名".into()], rows: vec![vec![Cell::Text("=1+1".into())], vec![Cell::Number(12.5)]] };
        let bytes = csv_bytes(&sheet).unwrap();
        assert_eq!(bytes, "\u{feff}名\r\n'=1+1\r\n12.5\r\n".as_bytes());
        assert!(xlsx_bytes(&sheet).unwrap().starts_with(b"PK"));
    }
}
