//! Exports for spreadsheets: CSV that Excel opens with its Chinese intact (UTF-8 with a byte order
//! mark), and workbooks.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use granary_client_core::conflicts::{CaseId, Contender};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{CaseFilter, CaseRow, HouseholdFilter, LotFilter, LotRow, ReadModel};
use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::catalogue::{PriceName, Product};
use granary_client_core::store::StoreFault;
use maud::html;
use rust_xlsxwriter::{ExcelDateTime, Format, XlsxError};

use super::harvests;
use super::household::phones::HouseholdPhones;
use super::i18n::Locale;
use super::names::Names;
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;
use crate::access::AuditAction;
use crate::error::Error;

mod lots;

use lots::lots;
pub(super) use lots::{LOT_COLUMNS, lot_texts};

const WHAT: [&str; 6] = ["lots", "orders", "cases", "households", "catalogue", "audit"];
/// Rows of one export at most: the limit of an Excel sheet.
pub(super) const ROWS_MAX: u32 = 1_000_000;
/// The longest text of a cell that Excel takes, in units of UTF-16.
const CELL_UNITS_MAX: usize = 32_767;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    /// A name or number of something, which no program may read as a quantity.
    Id(String),
    Number(f64),
    Day(Day),
    /// A moment; it is written in China's time, to the minute.
    Moment(Instant),
    Empty,
}

/// The rows of an export, before they are written as CSV or XLSX.
pub(super) struct Sheet {
    heads: Vec<String>,
    /// Ends a text that was too long for a cell.
    cut_mark: String,
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
            let filter = LotFilter { limit: ROWS_MAX, ..query.filter_by_sound(&signed).await? };
            signed.read(move |models| lots(models, locale, &names, &filter)).await?
        }
        "orders" => signed.read(move |models| orders(models, locale, &names)).await?,
        "cases" => signed.read(move |models| cases(models, locale, &names)).await?,
        "catalogue" => catalogue(locale, &names),
        "households" => {
            let everyone = HouseholdPhones::of(&signed).everyone();
            signed.read(move |models| households(models, locale, &names, &everyone)).await?
        }
        "audit" => audit(&signed, &names.with_households(&signed).await?).await?,
        _ => return Err(missing()),
    };
    give(&signed, what, form, sheet).await
}

/// Gives a sheet out in a form, `csv` or `xlsx`, and tells the audit of it before.
pub(super) async fn give(signed: &SignedIn, what: &str, form: &str, sheet: Sheet) -> Result<Response, Refused> {
    let locale = signed.locale;
    let missing = || refused(locale, 404, "not-found");
    let (kind, bytes) = match form {
        "csv" => ("text/csv; charset=utf-8", csv_bytes(&sheet)),
        "xlsx" => ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx_bytes(&sheet)),
        _ => return Err(missing()),
    };
    let bytes = bytes.map_err(|error| super::refusal::refuse(locale, &error))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let (name, rows) = (format!("{what}.{form}"), sheet.rows.len());
    signed
        .work(move || {
            granary.audit(number, crate::environment::now(), by, AuditAction::Exported, &format!("{name}: {rows}"))
        })
        .await?;
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{what}.{form}\"")),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

pub(super) fn sheet(locale: Locale, columns: &[&str], rows: Vec<Vec<Cell>>) -> Sheet {
    let heads = columns.iter().map(|name| locale.of("column", name)).collect();
    Sheet { heads, cut_mark: locale.t("cut-mark"), rows }
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

/// A moisture in percent, as pages show it.
fn percent(permille: i64) -> Cell {
    match number(permille) {
        Cell::Number(permille) => Cell::Number(permille / 10.0),
        other => other,
    }
}

fn orders(models: &ReadModel, locale: Locale, names: &Names) -> Result<Sheet, StoreFault> {
    let columns = ["platform", "order", "buyer", "product", "kg", "yuan", "state", "shipment"];
    let rows = models.orders(None, false, ROWS_MAX, 0)?.into_iter().map(|order| {
        vec![
            Cell::Text(order.name.platform),
            Cell::Id(order.name.outside_id),
            Cell::Text(order.receiver),
            Cell::Text(names.products_of(&order.products)),
            kilograms(Some(order.grams)),
            yuan(order.fen),
            Cell::Text(order.status.map(|status| locale.of("order", status.name())).unwrap_or_default()),
            Cell::Id(order.shipment),
        ]
    });
    Ok(sheet(locale, &columns, rows.collect()))
}

/// A row for each decision about a case, in their order, and one for a case about which nobody has decided.
fn cases(models: &ReadModel, locale: Locale, names: &Names) -> Result<Sheet, StoreFault> {
    let columns = [
        "household-id",
        "household",
        "village",
        "season",
        "kind",
        "lot",
        "lot-id",
        "field",
        "values",
        "state",
        "decision",
        "who",
        "when",
        "chosen",
        "note",
    ];
    let villages: HashMap<HouseholdId, String> =
        models.household_names()?.into_iter().map(|(id, _, village)| (id, village)).collect();
    let filter = CaseFilter { limit: ROWS_MAX, ..CaseFilter::default() };
    let mut rows = Vec::new();
    for case in models.cases(&filter)? {
        let (kind, field) = match &case.case {
            CaseId::Field(_, field) => ("field", field.as_str()),
            CaseId::Twice(..) => ("twice", ""),
            CaseId::Weight(_) => ("weight", ""),
        };
        let head = |values: &[Contender]| {
            let values: Vec<String> = values.iter().map(|value| names.value(field, &value.value)).collect();
            let household = case.case.lot().household();
            vec![
                Cell::Id(household.to_string()),
                Cell::Text(names.household(&case.household_name, household)),
                Cell::Text(villages.get(&household).map(|code| names.village(code)).unwrap_or_default()),
                number(i64::from(case.case.lot().season().year())),
                Cell::Text(locale.of("kind", kind)),
                Cell::Id(case.case.lot().to_string()),
                Cell::Id(case.case.lot().in_full()),
                Cell::Text(if field.is_empty() { String::new() } else { locale.of("field", field) }),
                Cell::Text(values.join(" / ")),
                Cell::Text(locale.of("cases", case.state.name())),
            ]
        };
        let decisions = models.decisions(&case.case)?;
        if decisions.is_empty() {
            rows.push([head(&case.contenders), vec![Cell::Empty; 5]].concat());
        }
        for decision in decisions {
            let kind = decision.kind.map(|kind| locale.of("decision", kind.name())).unwrap_or_default();
            let shown = CaseRow { chosen: decision.chosen, ..case.clone() };
            let tail = vec![
                Cell::Text(kind),
                Cell::Text(decision.by),
                Cell::Moment(decision.at),
                Cell::Text(super::cases::chosen_words(names, &shown)),
                Cell::Text(locale.note(&decision.note)),
            ];
            rows.push([head(&decision.values), tail].concat());
        }
    }
    Ok(sheet(locale, &columns, rows))
}

/// Products with their prices by grade, in the columns that an import reads.
/// The products with a column for each price. Beside one that was ended stands its last day; one that was ended before its first day
/// is left out.
fn catalogue(locale: Locale, names: &Names) -> Sheet {
    let products = &names.catalogue.products;
    let prices = products.iter().flat_map(|product| {
        product.price_by_grade.keys().filter(|price| !product.never_holds(price)).map(|price| {
            let ends = |product: &Product| product.price_until.contains_key(price) && !product.never_holds(price);
            (price, products.iter().any(ends))
        })
    });
    let prices: BTreeMap<&PriceName, bool> = prices.collect();
    let rows = products.iter().map(|product| {
        let name = |name: &Option<String>| Cell::Text(name.clone().unwrap_or_default());
        let mut row = vec![Cell::Id(product.code.clone()), name(&product.name_zh), name(&product.name_en)];
        for (price, ends) in &prices {
            let held = product.price_by_grade.get(price).filter(|_| !product.never_holds(price));
            row.push(held.map_or(Cell::Empty, |fen| yuan(fen.get())));
            if *ends {
                row.push(
                    product
                        .price_until
                        .get(price)
                        .filter(|_| held.is_some())
                        .map_or(Cell::Empty, |day| Cell::Day(*day)),
                );
            }
        }
        row
    });
    let mut sheet = sheet(locale, &["code", "zh", "en"], rows.collect());
    for (price, ends) in &prices {
        sheet.heads.push(price.to_string());
        if *ends {
            sheet.heads.push(format!("{price} · {}", locale.t("last-day")));
        }
    }
    sheet
}

fn yuan(fen: i64) -> Cell {
    match number(fen) {
        Cell::Number(fen) => Cell::Number(fen / 100.0),
        other => other,
    }
}

fn households(
    models: &ReadModel,
    locale: Locale,
    names: &Names,
    everyone: &HouseholdFilter,
) -> Result<Sheet, StoreFault> {
    let columns = ["id", "household", "village", "payment", "members"];
    let rows = models.households(everyone)?.into_iter().map(|row| {
        vec![
            Cell::Id(row.household.to_string()),
            Cell::Text(row.name),
            Cell::Text(names.village_to_read(&row.village)),
            Cell::Text(row.payment),
            Cell::Text(row.members),
        ]
    });
    Ok(sheet(locale, &columns, rows.collect()))
}

async fn audit(signed: &SignedIn, names: &Names) -> Result<Sheet, Refused> {
    let locale = signed.locale;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let most = usize::try_from(ROWS_MAX).unwrap_or(usize::MAX);
    let log = signed.work(move || granary.audit_log(number, most)).await?;
    let rows = log.into_iter().map(|line| {
        vec![
            Cell::Moment(Instant(line.at_millis)),
            Cell::Text(names.doer(&line.who)),
            Cell::Text(locale.of("deed", line.action.name())),
            Cell::Text(names.detail(line.action, &line.detail)),
        ]
    });
    Ok(sheet(locale, &["when", "who", "deed", "detail"], rows.collect()))
}

/// A text that a cell of Excel takes: one that is too long is cut, with a mark.
fn fitting(text: &str, mark: &str) -> String {
    if text.len() <= CELL_UNITS_MAX || text.encode_utf16().count() <= CELL_UNITS_MAX {
        return text.to_owned();
    }
    let mut room = CELL_UNITS_MAX.saturating_sub(mark.encode_utf16().count());
    let kept = text.chars().take_while(|letter| match room.checked_sub(letter.len_utf16()) {
        Some(rest) => {
            room = rest;
            true
        }
        None => false,
    });
    kept.chain(mark.chars()).collect()
}

/// True for a text that a spreadsheet would read as a formula: also behind blanks, and in full width, which Excel reads as the
/// plain signs where an East Asian language is set.
fn is_formula(text: &str) -> bool {
    let signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    text.trim_start().starts_with(signs) || text.starts_with(['\t', '\r', '\n'])
}

/// A text as a CSV cell, with an apostrophe where a spreadsheet would read a formula. So is one that looks so already, and an
/// import takes one off ([`plain`]).
pub(super) fn harmless(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell that [`harmless`] may have escaped.
pub(super) fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if is_formula(text.trim_start_matches('\'')) => text,
        _ => cell,
    }
}

/// A text as a CSV cell that no spreadsheet reads as a number or a day, and so rounds or rewrites: a tab behind it, which is
/// not seen, makes it a text.
fn never_a_number(text: &str) -> String {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    let looks_so = has_digit && text.chars().all(|letter| letter.is_ascii_digit() || "+-./:, eE".contains(letter));
    if looks_so { format!("{text}\t") } else { text.to_owned() }
}

/// True for a text that a spreadsheet would read as a number and could not keep: long, or with leading zeros.
fn is_long_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && (text.len() > 11 || (text.len() > 1 && text.starts_with('0')))
}

fn csv_cell(cell: &Cell, mark: &str) -> String {
    match cell {
        Cell::Text(text) if is_long_number(text) => never_a_number(text),
        Cell::Text(text) => harmless(&fitting(text, mark)),
        Cell::Id(text) => never_a_number(&harmless(&fitting(text, mark))),
        Cell::Number(number) => number.to_string(),
        Cell::Day(day) => day.to_string(),
        Cell::Moment(at) => at.in_china(),
        Cell::Empty => String::new(),
    }
}

fn csv_bytes(sheet: &Sheet) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::ExportFailed { reason: error.to_string() };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![0xef, 0xbb, 0xbf]);
    writer.write_record(&sheet.heads).map_err(|error| failed(&error))?;
    for row in &sheet.rows {
        let cells = row.iter().map(|cell| csv_cell(cell, &sheet.cut_mark));
        writer.write_record(cells).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

fn xlsx_bytes(sheet: &Sheet) -> Result<Vec<u8>, Error> {
    let failed = |error: XlsxError| Error::ExportFailed { reason: error.to_string() };
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let page = workbook.add_worksheet();
    let bold = Format::new().set_bold();
    let (day_format, moment_format) =
        (Format::new().set_num_format("yyyy-mm-dd"), Format::new().set_num_format("yyyy-mm-dd hh:mm"));
    for (column, head) in (0u16..).zip(&sheet.heads) {
        page.write_string_with_format(0, column, head, &bold).map_err(failed)?;
        let is_of =
            |kind: fn(&Cell) -> bool| sheet.rows.iter().any(|row| row.get(usize::from(column)).is_some_and(kind));
        let width = match () {
            () if is_of(|cell| matches!(cell, Cell::Moment(_))) => 17,
            () if is_of(|cell| matches!(cell, Cell::Day(_))) => 11,
            () => continue,
        };
        page.set_column_width(column, width).map_err(failed)?;
    }
    for (place, row) in (1u32..).zip(&sheet.rows) {
        for (column, cell) in (0u16..).zip(row) {
            // Excel has no day before 1900; such a one stays a text.
            let as_text = csv_cell(cell, "");
            match (cell, ExcelDateTime::parse_from_str(&as_text)) {
                (Cell::Day(_), Ok(day)) => page.write_datetime_with_format(place, column, day, &day_format),
                (Cell::Moment(_), Ok(at)) => page.write_datetime_with_format(place, column, at, &moment_format),
                (Cell::Day(_) | Cell::Moment(_), Err(_)) => page.write_string(place, column, as_text),
                (Cell::Text(text) | Cell::Id(text), _) => {
                    page.write_string(place, column, fitting(text, &sheet.cut_mark))
                }
                (Cell::Number(number), _) => page.write_number(place, column, *number),
                (Cell::Empty, _) => continue,
            }
            .map_err(failed)?;
        }
    }
    page.set_freeze_panes(1, 0).map_err(failed)?;
    workbook.save_to_buffer().map_err(failed)
}

#[cfg(test)]
mod tests;
