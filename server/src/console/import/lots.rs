//! A file of lots and their receipts, as the export writes it: compared with what is here. Lots are recorded on phones and corrected
//! on their pages, so a file changes none; it shows where somebody's copy differs.

use granary_client_core::projection::LotRow;
use granary_client_core::schema::LotName;

use super::Row;
use super::table::{Line, Table};
use crate::console::export::{LOT_COLUMNS, lot_texts};
use crate::console::i18n::{Language, Locale};
use crate::console::names::Names;
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedIn;

/// The language in which a file has the heads of an export of lots; none for another file.
pub(super) fn language_of(table: &Table) -> Option<Locale> {
    [Language::Chinese, Language::English]
        .map(|language| Locale { language })
        .into_iter()
        .find(|locale| ["lot", "kg", "weighed"].iter().all(|column| place_of(table, *locale, column).is_some()))
}

fn place_of(table: &Table, locale: Locale, column: &str) -> Option<usize> {
    table.column(&[locale.of("column", column).to_lowercase().as_str()])
}

/// Compares every row with the lot of its number.
pub(super) async fn compared(signed: &SignedIn, file: Locale, table: &Table) -> Result<Vec<(u64, Row)>, Refused> {
    // The names of products and states are in the file's language, which may be another than the reader's.
    let mut as_written = signed.clone();
    as_written.locale = file;
    let names = Names::of(&as_written).await?;
    let lot = place_of(table, file, "lot");
    let asked: Vec<Option<LotName>> = table.rows.iter().map(|line| line.cell(lot).parse().ok()).collect();
    let found = signed
        .read(move |models| {
            let one = |name: Option<LotName>| name.map_or(Ok(Vec::new()), |name| models.lots_named(&name));
            asked.into_iter().map(one).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let columns: Vec<Option<usize>> = LOT_COLUMNS.iter().map(|column| place_of(table, file, column)).collect();
    let row = |(line, found): (&Line, Vec<LotRow>)| {
        let number = line.cell(lot).to_owned();
        let mut found = found.into_iter();
        let row = match (found.next(), found.next()) {
            (None, _) => Row::Wrong(signed.locale.with("import-no-lot", &[("lot", number)])),
            (_, Some(_)) => Row::Wrong(signed.locale.t("lot-ambiguous")),
            (Some(here), None) => differing(signed.locale, &lot_texts(here, file, &names), line, &columns, number),
        };
        (line.number, row)
    };
    Ok(table.rows.iter().zip(found).map(row).collect())
}

fn differing(locale: Locale, here: &[String], line: &Line, columns: &[Option<usize>], number: String) -> Row {
    let same = |one: &str, other: &str| {
        one == other || matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if one == other)
    };
    let differ = LOT_COLUMNS
        .iter()
        .zip(here)
        .zip(columns)
        .filter(|((_, here), column)| column.is_some() && !same(here, line.cell(**column)));
    let differ: Vec<String> = differ.map(|((column, _), _)| locale.of("column", column)).collect();
    match differ.is_empty() {
        true => Row::Same(number),
        false => Row::Wrong(locale.with("import-lot-differs", &[("lot", number), ("fields", differ.join(", "))])),
    }
}
