//! A sheet as rows, one after the other, whatever the file is: its limits, and cells that the sheet itself has merged.

use std::collections::BTreeMap;

use super::cells::Cell;
use super::fault::{FileFault, TooLarge};
use super::{CELL_LETTERS_MAX, COLUMNS_MAX};

/// More merged ranges are no export of orders.
const MERGES_MAX: usize = 200_000;
/// Texts of all rows in bytes, each as often as it is shown: a shared text, or one that a merged range shows, costs few bytes in the
/// file wherever it stands.
const SHOWN_MAX: usize = 200 * 1024 * 1024;

/// One row.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Row {
    /// From 1: the row of the sheet, or the record of a text.
    pub(super) number: u32,
    pub(super) cells: Vec<Cell>,
    /// Columns whose cell shows the first cell of the merged range that covers it.
    pub(super) covered: Vec<usize>,
    /// True where cells at the end may be left out, as in a workbook.
    pub(super) is_sparse: bool,
}

/// Who takes rows.
pub(super) trait Rows {
    /// Takes a row; rows come in their order.
    fn take(&mut self, row: Row) -> Result<(), FileFault>;

    /// Whether days are counted from 1904.
    fn count_days_from_1904(&mut self) {}
}

impl Row {
    /// Puts a cell, within limits. What is empty takes no place.
    pub(super) fn put(&mut self, column: usize, cell: Cell) -> Result<(), FileFault> {
        if let Cell::Text(text) = &cell {
            if text.trim().is_empty() {
                return Ok(());
            }
            if text.len() > CELL_LETTERS_MAX && text.chars().count() > CELL_LETTERS_MAX {
                return Err(FileFault::TooLarge(TooLarge::Cell(self.number)));
            }
        }
        if cell == Cell::Empty {
            return Ok(());
        }
        if column >= COLUMNS_MAX {
            return Err(FileFault::TooLarge(TooLarge::Columns(self.number)));
        }
        if self.cells.len() <= column {
            self.cells.resize(column.saturating_add(1), Cell::Empty);
        }
        if let Some(place) = self.cells.get_mut(column) {
            *place = cell;
        }
        Ok(())
    }
}

/// What the rows of a file have shown so far.
#[derive(Debug, Default)]
pub(super) struct Weight(usize);

impl Weight {
    pub(super) fn add(&mut self, row: &Row) -> Result<(), FileFault> {
        let texts = row.cells.iter().map(|cell| if let Cell::Text(text) = cell { text.len() } else { 0 });
        self.0 = self.0.saturating_add(texts.sum());
        if self.0 > SHOWN_MAX { Err(FileFault::TooLargeInside) } else { Ok(()) }
    }
}

/// Ranges that a sheet has merged downwards, and what stands in their first cells.
#[derive(Debug, Default)]
pub(super) struct Merges {
    /// By first row.
    starting: BTreeMap<u32, Vec<(usize, u32)>>,
    count: usize,
    /// By column: the last row, and what its first cell has.
    open: BTreeMap<usize, (u32, Cell)>,
}

impl Merges {
    /// Adds a range of one column. Ranges to the right say nothing of other columns.
    pub(super) fn add(&mut self, column: usize, first: u32, last: u32) -> Result<(), FileFault> {
        if last <= first || column >= COLUMNS_MAX {
            return Ok(());
        }
        if self.count >= MERGES_MAX {
            return Err(FileFault::TooLargeInside);
        }
        self.count = self.count.saturating_add(1);
        self.starting.entry(first).or_default().push((column, last));
        Ok(())
    }

    /// Shows in a row's covered cells what their ranges' first cells have.
    pub(super) fn apply(&mut self, row: &mut Row) {
        self.open.retain(|_, (last, _)| *last >= row.number);
        if row.cells.iter().all(|cell| *cell == Cell::Empty) {
            return;
        }
        for (column, (_, cell)) in &self.open {
            if matches!(row.cells.get(*column), None | Some(Cell::Empty)) && *cell != Cell::Empty {
                if row.cells.len() <= *column {
                    row.cells.resize(column.saturating_add(1), Cell::Empty);
                }
                if let Some(place) = row.cells.get_mut(*column) {
                    *place = cell.clone();
                    row.covered.push(*column);
                }
            }
        }
        // Ranges whose first row is not in the file have nothing in their first cell.
        self.starting = self.starting.split_off(&row.number);
        for (column, last) in self.starting.remove(&row.number).unwrap_or_default() {
            let cell = row.cells.get(column).cloned().unwrap_or_default();
            self.open.insert(column, (last, cell));
        }
    }
}
