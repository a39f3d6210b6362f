//! A table as text, with commas or tabs between cells. Read by hand, since a reader that keeps a record's every cell could be made
//! to keep twenty million.

use super::cells::Cell;
use super::fault::{FileFault, TooLarge};
use super::sheet::{Row, Rows};
use super::{CELL_LETTERS_MAX, COLUMNS_MAX};

/// Reads all records. Blank lines are none; a record may span lines.
pub(super) fn read(text: &str, separator: u8, rows: &mut dyn Rows) -> Result<(), FileFault> {
    let mut text = Text { rest: text, separator };
    let mut number = 0u32;
    while !text.rest.is_empty() {
        let next = number.saturating_add(1);
        let cells = text.record(next)?;
        let is_blank = matches!(cells.as_slice(), [] | [Cell::Empty]);
        if !is_blank {
            number = next;
            rows.take(Row { number, cells, ..Row::default() })?;
        }
    }
    Ok(())
}

struct Text<'a> {
    rest: &'a str,
    separator: u8,
}

/// How a cell ends.
#[derive(PartialEq)]
enum End {
    Cell,
    Record,
}

impl<'a> Text<'a> {
    fn record(&mut self, number: u32) -> Result<Vec<Cell>, FileFault> {
        let mut cells = Vec::new();
        let mut column = 0usize;
        loop {
            let (cell, end) = self.cell();
            if cell.len() > CELL_LETTERS_MAX && cell.chars().count() > CELL_LETTERS_MAX {
                return Err(FileFault::TooLarge(TooLarge::Cell(number)));
            }
            let is_empty = cell.trim().is_empty();
            if column < COLUMNS_MAX {
                cells.push(if is_empty { Cell::Empty } else { Cell::Text(cell) });
            } else if !is_empty {
                return Err(FileFault::TooLarge(TooLarge::Columns(number)));
            }
            column = column.saturating_add(1);
            if end == End::Record {
                return Ok(cells);
            }
        }
    }

    /// The next cell: in quotes when it begins with one, where two quotes are one; what follows the closing quote still belongs to it.
    fn cell(&mut self) -> (String, End) {
        let mut cell = String::new();
        if let Some(quoted) = self.rest.strip_prefix('"') {
            self.rest = quoted;
            loop {
                let Some((piece, rest)) = self.rest.split_once('"') else {
                    cell.push_str(std::mem::take(&mut self.rest));
                    return (cell, End::Record);
                };
                cell.push_str(piece);
                self.rest = rest;
                match rest.strip_prefix('"') {
                    Some(rest) => {
                        cell.push('"');
                        self.rest = rest;
                    }
                    None => break,
                }
            }
        }
        let separator = self.separator;
        let is_end = move |byte: &u8| *byte == separator || matches!(byte, b'\r' | b'\n');
        let length = self.rest.as_bytes().iter().position(is_end).unwrap_or(self.rest.len());
        cell.push_str(self.advance(length));
        let end = self.advance(1);
        if end.as_bytes() == [separator] {
            return (cell, End::Cell);
        }
        if end == "\r" {
            self.rest = self.rest.strip_prefix('\n').unwrap_or(self.rest);
        }
        (cell, End::Record)
    }

    /// Takes this many bytes, which end at a letter of one byte.
    fn advance(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Kept(Vec<(u32, Vec<String>)>);

    impl Rows for Kept {
        fn take(&mut self, row: Row) -> Result<(), FileFault> {
            let text = |cell: &Cell| if let Cell::Text(text) = cell { text.clone() } else { String::new() };
            self.0.push((row.number, row.cells.iter().map(text).collect()));
            Ok(())
        }
    }

    fn records(text: &str, separator: u8) -> Result<Vec<(u32, Vec<String>)>, FileFault> {
        let mut kept = Kept(Vec::new());
        read(text, separator, &mut kept)?;
        Ok(kept.0)
    }

    fn row(number: u32, cells: &[&str]) -> (u32, Vec<String>) {
        (number, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn records_are_read_as_spreadsheets_write_them() {
        let text = "a,b\r\n\r\n  \n\"1\n\"\"2\"\"\",\t3\n,,\r=\"7\",\"=\"\"8\"\"\"x\n\"9";
        let read = records(text, b',').unwrap();
        let expected = [
            row(1, &["a", "b"]),
            row(2, &["1\n\"2\"", "\t3"]),
            row(3, &["", "", ""]),
            row(4, &["=\"7\"", "=\"8\"x"]),
            row(5, &["9"]),
        ];
        assert_eq!(read, expected);
        assert_eq!(records("a\tb,c\n", b'\t').unwrap(), [row(1, &["a", "b,c"])]);
        assert_eq!(records("", b',').unwrap(), []);
        assert_eq!(records("a,", b',').unwrap(), [row(1, &["a", ""])]);
    }

    #[test]
    fn long_rows_and_cells_are_refused_with_their_number() {
        let most = vec!["x"; COLUMNS_MAX].join(",");
        assert_eq!(records(&format!("a\n{most}{}", ",".repeat(100_000)), b',').unwrap().len(), 2);
        let fault = records(&format!("a\n{most},,,x"), b',').unwrap_err();
        assert_eq!(fault, FileFault::TooLarge(TooLarge::Columns(2)));
        let long = "粟".repeat(CELL_LETTERS_MAX);
        assert_eq!(records(&format!("{long},x"), b',').unwrap().len(), 1);
        assert_eq!(records(&format!("{long}粟,x"), b',').unwrap_err(), FileFault::TooLarge(TooLarge::Cell(1)));
    }
}
