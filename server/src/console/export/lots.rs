//! Lots in an export, and as an import reads them again.

use granary_client_core::projection::worth;

use super::sheet::{csv_cell, percent};
use super::*;

/// The columns of an export of lots.
pub(in crate::console) const LOT_COLUMNS: [&str; 19] = [
    "household-id",
    "household",
    "village",
    "season",
    "lot",
    "lot-id",
    "product",
    "kg",
    "grade",
    "moisture",
    "day",
    "place",
    "note",
    "state",
    "weighed",
    "weighed-grade",
    "weighed-day",
    "worth",
    "reason",
];

pub(super) fn lots(models: &ReadModel, locale: Locale, names: &Names, filter: &LotFilter) -> Result<Sheet, StoreFault> {
    // An import does not compare who recorded a lot: a phone's name may change.
    let columns: Vec<&str> = LOT_COLUMNS.into_iter().chain(["recorded-by"]).collect();
    let rows = models.lots(filter)?.into_iter().map(|row| {
        let recorded_by = Cell::Text(names.recorded_by(&row.lot));
        let mut cells = lot_cells(row, locale, names);
        cells.push(recorded_by);
        cells
    });
    Ok(sheet(locale, &columns, rows.collect()))
}

fn lot_cells(row: LotRow, locale: Locale, names: &Names) -> Vec<Cell> {
    let worth = worth(&row, &names.catalogue);
    vec![
        Cell::Id(row.lot.household().to_string()),
        Cell::Text(names.household(&row.household_name, row.lot.household())),
        Cell::Text(names.village(&row.village)),
        number(i64::from(row.season)),
        Cell::Id(row.lot.to_string()),
        Cell::Id(row.lot.in_full()),
        Cell::Text(names.product(&row.product)),
        kilograms(row.grams),
        Cell::Text(row.grade),
        row.moisture.map_or(Cell::Empty, percent),
        row.day.map_or(Cell::Empty, Cell::Day),
        Cell::Text(row.place),
        Cell::Text(row.note),
        Cell::Text(locale.of("state", row.state.name())),
        kilograms(row.weighed_grams),
        Cell::Text(row.weighed_grade),
        row.weighed_day.map_or(Cell::Empty, Cell::Day),
        worth.map_or(Cell::Empty, yuan),
        Cell::Text(row.reason),
    ]
}

/// A lot's cells as an import reads them again, in the order of [`LOT_COLUMNS`].
pub(in crate::console) fn lot_texts(row: LotRow, locale: Locale, names: &Names) -> Vec<String> {
    let cells = lot_cells(row, locale, names);
    let mark = locale.t("cut-mark");
    cells.iter().map(|cell| plain(csv_cell(cell, &mark).trim()).to_owned()).collect()
}
