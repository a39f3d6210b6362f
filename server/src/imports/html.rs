//! A table in HTML, as many platforms write their "xls".

use super::cells::Cell;
use super::fault::{FileFault, TooLarge};
use super::markup::{Markup, Piece};
use super::sheet::{Merges, Row, Rows};
use super::{CELL_LETTERS_MAX, COLUMNS_MAX};

/// Reads the rows of all tables.
pub(super) fn read(text: &str, rows: &mut dyn Rows) -> Result<(), FileFault> {
    let mut table = Table {
        markup: Markup::new(text.as_bytes()),
        merges: Merges::default(),
        row: None,
        last: 0,
        spans: Vec::new(),
    };
    table.read(rows)
}

struct Table<'a> {
    markup: Markup<&'a [u8]>,
    merges: Merges,
    /// The row that is open, and its next column.
    row: Option<(Row, usize)>,
    last: u32,
    /// By column: the last row that a cell from above takes.
    spans: Vec<u32>,
}

impl Table<'_> {
    fn read(&mut self, rows: &mut dyn Rows) -> Result<(), FileFault> {
        let mut cell: Option<(String, usize, u32)> = None;
        // What is in these is no content.
        let mut hidden = 0u32;
        loop {
            let piece = self.markup.next()?;
            let name = self.markup.name().to_ascii_lowercase();
            match (&piece, name.as_slice()) {
                (Piece::Open { is_whole: false }, b"script" | b"style" | b"head") => hidden = hidden.saturating_add(1),
                (Piece::Close, b"script" | b"style" | b"head") => hidden = hidden.saturating_sub(1),
                (Piece::Open { .. }, b"tr") => {
                    self.end_cell(cell.take())?;
                    self.end_row(rows)?;
                    self.last = self.last.saturating_add(1);
                    self.row = Some((Row { number: self.last, ..Row::default() }, 0));
                }
                (Piece::Close, b"tr" | b"table") => {
                    self.end_cell(cell.take())?;
                    self.end_row(rows)?;
                }
                (Piece::Open { is_whole }, b"td" | b"th") => {
                    self.end_cell(cell.take())?;
                    let across = usize::try_from(self.span(b"colspan")).unwrap_or(1);
                    cell = Some((String::new(), across, self.span(b"rowspan")));
                    if *is_whole {
                        self.end_cell(cell.take())?;
                    }
                }
                (Piece::Close, b"td" | b"th") => self.end_cell(cell.take())?,
                (Piece::Open { .. }, b"br") => {
                    if let Some((text, ..)) = &mut cell {
                        text.push('\n');
                    }
                }
                (Piece::Text, _) if hidden == 0 => {
                    if let Some((text, ..)) = &mut cell {
                        text.push_str(&self.markup.text()?);
                        if text.len() > CELL_LETTERS_MAX * 8 {
                            return Err(FileFault::TooLarge(TooLarge::Cell(self.last)));
                        }
                    }
                }
                (Piece::End, _) => {
                    self.end_cell(cell.take())?;
                    return self.end_row(rows);
                }
                _ => {}
            }
        }
    }

    fn span(&self, name: &[u8]) -> u32 {
        let text = self.markup.attribute(name).and_then(|text| std::str::from_utf8(text).ok());
        text.and_then(|text| text.trim().parse().ok()).unwrap_or(1).clamp(1, 65_534)
    }

    /// Puts a cell where no cell from above stands.
    fn end_cell(&mut self, cell: Option<(String, usize, u32)>) -> Result<(), FileFault> {
        let (Some((text, across, down)), Some((row, next))) = (cell, &mut self.row) else { return Ok(()) };
        while self.spans.get(*next).is_some_and(|last| *last >= row.number) {
            *next = next.saturating_add(1);
        }
        let column = *next;
        *next = column.saturating_add(across);
        if down > 1 {
            let last = row.number.saturating_add(down).saturating_sub(1);
            self.merges.add(column, row.number, last)?;
            let end = column.saturating_add(across).min(COLUMNS_MAX);
            if self.spans.len() < end {
                self.spans.resize(end, 0);
            }
            for taken in self.spans.iter_mut().take(end).skip(column) {
                *taken = last;
            }
        }
        row.put(column, Cell::Text(text))
    }

    fn end_row(&mut self, rows: &mut dyn Rows) -> Result<(), FileFault> {
        let Some((mut row, next)) = self.row.take() else { return Ok(()) };
        self.merges.apply(&mut row);
        let is_empty = row.cells.is_empty();
        // A row has as many cells as it was given, empty ones too, and those that reach into it from above.
        let spanned = self.spans.iter().rposition(|last| *last >= row.number).map_or(0, |last| last.saturating_add(1));
        let width = next.max(spanned).min(COLUMNS_MAX);
        if row.cells.len() < width {
            row.cells.resize(width, Cell::Empty);
        }
        if is_empty && next == 0 { Ok(()) } else { rows.take(row) }
    }
}
