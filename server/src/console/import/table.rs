//! A file as people save it from a spreadsheet: in UTF-8, UTF-16 or GB18030, with commas, semicolons or tabs, with columns
//! and rows that hold nothing.

use encoding_rs::{Encoding, GB18030};

use super::super::export::{harmless, plain};

/// Rows of one file at most.
const ROWS_MAX: usize = 20_000;

/// Why a file can't be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TableFault {
    /// It is in no encoding that is known here.
    NoText,
    /// It is no CSV.
    NoTable,
    /// It has too many rows.
    TooLong,
    /// A head stands over two columns.
    HeadTwice(String),
    /// This line has more than the heads name.
    NoHead(u64),
}

/// The cells of a file that hold something.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) heads: Vec<String>,
    pub(super) rows: Vec<Line>,
}

/// A row with the line of the file that it begins at; as many cells as heads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) cells: Vec<String>,
}

/// A file's text. Without a byte order mark it is UTF-8, or GB18030 where it can't be UTF-8, as Excel in China saves it.
pub(super) fn decode(bytes: &[u8]) -> Result<String, TableFault> {
    let (text, in_error) = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode_with_bom_removal(bytes),
        None => match std::str::from_utf8(bytes) {
            Ok(text) => (text.into(), false),
            Err(_) => GB18030.decode_without_bom_handling(bytes),
        },
    };
    // No table of names has a NUL; a workbook or a picture has.
    if in_error || text.contains('\0') { Err(TableFault::NoText) } else { Ok(text.into_owned()) }
}

/// A workbook's rows as the text of a CSV file, each on the line of its number.
pub(super) fn of_workbook(rows: &[(u32, Vec<String>)]) -> Result<String, TableFault> {
    let mut text = String::new();
    let mut line = 1u64;
    for (number, cells) in rows {
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        while line < u64::from(*number) {
            text.push('\n');
            line = line.saturating_add(1);
        }
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        // A name is one line.
        let cells = cells.iter().map(|cell| cell.replace(char::is_control, " "));
        writer.write_record(cells).map_err(|_| TableFault::NoTable)?;
        let record = writer.into_inner().map_err(|_| TableFault::NoTable)?;
        text.push_str(&String::from_utf8(record).map_err(|_| TableFault::NoText)?);
        line = line.saturating_add(1);
    }
    Ok(text)
}

impl Table {
    /// Reads the cells; heads come in small letters. Columns and rows without anything in them are left out.
    pub(super) fn read(text: &str) -> Result<Self, TableFault> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let mut counting = Counting { text: &text, byte: 0, line: 1 };
        let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let delimiter = match first {
            line if line.contains('\t') => b'\t',
            line if line.contains(';') && !line.contains(',') => b';',
            _ => b',',
        };
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let mut lines = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|_| TableFault::NoTable)?;
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let number = counting.line_of(&record);
            lines.push(Line { number, cells: record.iter().map(|cell| plain(cell.trim()).to_owned()).collect() });
            if lines.len() > ROWS_MAX {
                return Err(TableFault::TooLong);
            }
        }
        let mut lines = lines.into_iter();
        let heads: Vec<String> = lines.next().map(|line| line.cells).unwrap_or_default();
        let named: Vec<usize> =
            (0..heads.len()).filter(|place| heads.get(*place).is_some_and(|head| !head.is_empty())).collect();
        let mut rows = Vec::new();
        for line in lines {
            if line.cells.iter().enumerate().any(|(place, cell)| !cell.is_empty() && !named.contains(&place)) {
                return Err(TableFault::NoHead(line.number));
            }
            let cells = named.iter().map(|place| line.cells.get(*place).cloned().unwrap_or_default()).collect();
            rows.push(Line { number: line.number, cells });
        }
        let heads: Vec<String> = heads.into_iter().filter(|head| !head.is_empty()).collect();
        let twice =
            heads.iter().enumerate().find(|(place, head)| heads.iter().take(*place).any(|other| other == *head));
        match twice {
            Some((_, head)) => Err(TableFault::HeadTwice(head.clone())),
            None => Ok(Self { heads, rows }),
        }
    }

    /// The table again, with these columns alone, each line where it was: what a form carries until it is confirmed.
    pub(super) fn to_text(&self, columns: &[usize]) -> String {
        let mut text = String::new();
        let mut line = 1u64;
        let heads = Line { number: 1, cells: self.heads.clone() };
        for row in std::iter::once(&heads).chain(&self.rows) {
            while line < row.number {
                text.push('\n');
                line = line.saturating_add(1);
            }
            let cells = columns.iter().map(|column| harmless(&row.cell(Some(*column)).replace(['\n', '\t'], " ")));
            let cells: Vec<String> = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
            text.push_str(&cells.join(","));
        }
        text.push('\n');
        text
    }

    /// The column with one of these heads.
    pub(super) fn column(&self, names: &[&str]) -> Option<usize> {
        self.heads.iter().position(|head| names.contains(&head.to_lowercase().as_str()))
    }
}

/// Counts the lines of a file up to each row. The reader itself counts a row from the empty lines before it.
struct Counting<'a> {
    text: &'a str,
    byte: usize,
    line: u64,
}

impl Counting<'_> {
    /// The line at which a row begins, where rows come in their order.
    fn line_of(&mut self, record: &csv::StringRecord) -> u64 {
        let at = record.position().and_then(|at| usize::try_from(at.byte()).ok()).unwrap_or(self.byte);
        let bytes = self.text.as_bytes();
        let empty = bytes.get(at..).unwrap_or_default().iter().take_while(|byte| **byte == b'\n').count();
        let begins = at.saturating_add(empty);
        let passed = bytes.get(self.byte..begins).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(passed as u64);
        self.byte = begins;
        self.line
    }
}

impl Line {
    /// A cell; empty where there is no such column.
    pub(super) fn cell(&self, column: Option<usize>) -> &str {
        column.and_then(|column| self.cells.get(column)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "name,village\r\n王家,dongpo\r\n";

    #[test]
    fn files_of_every_spreadsheet_are_decoded() {
        let wide = |order: fn(u16) -> [u8; 2]| {
            std::iter::once(0xfeff).chain(TEXT.encode_utf16()).flat_map(order).collect::<Vec<u8>>()
        };
        let files = [
            TEXT.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", TEXT.as_bytes()].concat(),
            wide(u16::to_le_bytes),
            wide(u16::to_be_bytes),
            b"name,village\r\n\xcd\xf5\xbc\xd2,dongpo\r\n".to_vec(),
        ];
        for file in files {
            assert_eq!(decode(&file).as_deref(), Ok(TEXT), "{file:?}");
        }
        // A letter that only GB18030 has, in four bytes: 𠮷.
        assert_eq!(decode(&[0x95, 0x34, 0xb2, 0x35]).as_deref(), Ok("𠮷"));
        assert_eq!(decode(b"PK\x03\x04\0\0\xff\xff"), Err(TableFault::NoText));
        assert_eq!(decode(b"\xff\xff\xff"), Err(TableFault::NoText));
    }

    #[test]
    fn empty_columns_and_rows_are_skipped() {
        let expected = Table {
            heads: vec!["name".into(), "village".into()],
            rows: vec![
                Line { number: 3, cells: vec!["王家".into(), "dongpo".into()] },
                Line { number: 6, cells: vec!["李家".into(), String::new()] },
            ],
        };
        let text = "\n,name,,village,,\n,王家,,dongpo,,\n,,,,,\n  ,\n,李家\n";
        assert_eq!(Table::read(text), Ok(expected));
        assert_eq!(Table::read(&text.replace('\n', "\r\n")), Table::read(text), "rows have the file's numbers");
        let tabs = Table::read("name\tvillage\n王家\tdongpo\n").unwrap();
        assert_eq!(tabs.rows[0].cells, ["王家", "dongpo"]);
        assert_eq!(Table::read("name;village\n王家;dongpo").unwrap().rows[0].cells, ["王家", "dongpo"]);
    }

    #[test]
    fn rows_have_the_numbers_of_the_file_around_empty_lines() {
        let text = "\n\nname,village\n\n王家,dongpo\n\n\n\"李\n家\",xihe\n\n赵家,xihe\n";
        for text in [text.to_owned(), text.replace('\n', "\r\n"), text.replace('\n', "\r")] {
            let numbers = Table::read(&text).map(|table| table.rows.iter().map(|line| line.number).collect::<Vec<_>>());
            assert_eq!(numbers, Ok(vec![5, 8, 11]), "{text:?}");
        }
    }

    #[test]
    fn what_no_head_names_is_refused() {
        assert_eq!(Table::read("name,village,\n王家,dongpo,x\n"), Err(TableFault::NoHead(2)));
        assert_eq!(Table::read("name,village\n王家,dongpo,x\n"), Err(TableFault::NoHead(2)));
        assert_eq!(Table::read("name,name\n"), Err(TableFault::HeadTwice("name".into())));
        assert_eq!(Table::read(&"a\n".repeat(20_002)), Err(TableFault::TooLong));
    }

    proptest! {
        // Else a confirmed import is never what was shown.
        #[test]
        fn what_a_form_carries_is_read_as_the_file(text in "(name|'=a),b\n([ab'=;\t\",]{0,4}\n){0,8}") {
            if let Ok(table) = Table::read(&text).map_err(drop) {
                let has_blanks = |line: &Line| line.cells.iter().any(|cell| cell.contains(['\n', '\t']));
                prop_assume!(!table.rows.iter().any(has_blanks));
                let columns: Vec<usize> = (0..table.heads.len()).collect();
                prop_assert_eq!(Table::read(&table.to_text(&columns)), Ok(table));
            }
        }

        #[test]
        fn any_file_is_read_or_refused(bytes: Vec<u8>, text in ".{0,80}") {
            let _ = decode(&bytes).map(|text| Table::read(&text));
            let _ = Table::read(&text);
        }
    }
}
