//! A sheet of an export, and how it is written as CSV or as a workbook: long texts are cut, and no text is read as a formula or a
//! number.

use granary_client_core::quantities::{Day, Instant};
use rust_xlsxwriter::{ExcelDateTime, Format, XlsxError};

use crate::console::i18n::Locale;
use crate::error::Error;

/// The longest text of a cell that Excel takes, in units of UTF-16.
const CELL_UNITS_MAX: usize = 32_767;

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::console) enum Cell {
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
pub(in crate::console) struct Sheet {
    pub(super) heads: Vec<String>,
    /// Ends a text that was too long for a cell.
    cut_mark: String,
    pub(super) rows: Vec<Vec<Cell>>,
}

pub(in crate::console) fn sheet(locale: Locale, columns: &[&str], rows: Vec<Vec<Cell>>) -> Sheet {
    let heads = columns.iter().map(|name| locale.of("column", name)).collect();
    Sheet { heads, cut_mark: locale.t("cut-mark"), rows }
}

pub(super) fn number(value: i64) -> Cell {
    // Weights and amounts are far below 2^53, so a spreadsheet's number holds them exactly.
    #[allow(clippy::cast_precision_loss, reason = "within 2^53 by our quantities' bounds")]
    Cell::Number(value as f64)
}

pub(super) fn kilograms(grams: Option<i64>) -> Cell {
    match grams.map(number) {
        Some(Cell::Number(grams)) => Cell::Number(grams / 1000.0),
        _ => Cell::Empty,
    }
}

/// A moisture in percent, as pages show it.
pub(super) fn percent(permille: i64) -> Cell {
    match number(permille) {
        Cell::Number(permille) => Cell::Number(permille / 10.0),
        other => other,
    }
}

pub(super) fn yuan(fen: i64) -> Cell {
    match number(fen) {
        Cell::Number(fen) => Cell::Number(fen / 100.0),
        other => other,
    }
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
pub(in crate::console) fn harmless(text: &str) -> String {
    if is_formula(text.trim_start_matches('\'')) { format!("'{text}") } else { text.to_owned() }
}

/// The text of a cell that [`harmless`] may have escaped.
pub(in crate::console) fn plain(cell: &str) -> &str {
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

pub(super) fn csv_cell(cell: &Cell, mark: &str) -> String {
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

pub(super) fn csv_bytes(sheet: &Sheet) -> Result<Vec<u8>, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::ExportFailed { reason: error.to_string() };
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(vec![0xef, 0xbb, 0xbf]);
    writer.write_record(&sheet.heads).map_err(|error| failed(&error))?;
    for row in &sheet.rows {
        let cells = row.iter().map(|cell| csv_cell(cell, &sheet.cut_mark));
        writer.write_record(cells).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

pub(super) fn xlsx_bytes(sheet: &Sheet) -> Result<Vec<u8>, Error> {
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
