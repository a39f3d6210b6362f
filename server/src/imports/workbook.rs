//! The first sheet of a workbook (xlsx) that is not hidden, row by row: only the row at hand and the shared texts are in memory, and
//! what the sheet says of its own size is not read. Which cells are dates is not read either: the profile says which columns are times.

use std::io::BufRead;

use super::CELL_LETTERS_MAX;
use super::cells::Cell;
use super::fault::{FileFault, TooLarge};
use super::inflate::Parts;
use super::markup::{Markup, Piece};
use super::sheet::{Merges, Row, Rows};

/// All shared texts together, in bytes.
const SHARED_BYTES_MAX: usize = 48 * 1024 * 1024;
const SHARED_MAX: usize = 2_000_000;

/// Reads the first sheet that people see.
pub(super) fn read(bytes: &[u8], rows: &mut dyn Rows) -> Result<(), FileFault> {
    let parts = Parts::open(bytes)?;
    let book = Book::read(&parts)?;
    if book.is_from_1904 {
        rows.count_days_from_1904();
    }
    let open = || parts.part(&book.sheet).ok_or(FileFault::Damaged);
    // The merged ranges stand behind the rows.
    let merges = read_merges(&mut Markup::new(open()?))?;
    let shared = match book.shared.as_deref().and_then(|name| parts.part(name)) {
        Some(part) => Shared::read(&mut Markup::new(part))?,
        None => Shared::default(),
    };
    let mut sheet = Sheet { markup: Markup::new(open()?), shared: &shared, merges, last: 0 };
    sheet.read(rows)
}

/// Where the parts of a workbook are.
struct Book {
    sheet: String,
    shared: Option<String>,
    is_from_1904: bool,
}

impl Book {
    fn read(parts: &Parts<'_>) -> Result<Self, FileFault> {
        // A zip without a workbook is another thing: a text document, a packed CSV.
        let mut book = Markup::new(parts.part("xl/workbook.xml").ok_or(FileFault::KindUnknown)?);
        let (mut first, mut hidden, mut is_from_1904) = (None, None, false);
        loop {
            match book.next()? {
                Piece::Open { .. } if book.name() == b"sheet" && first.is_none() => {
                    // `sheetId` is another attribute than `r:id`.
                    let id = book.attribute(b"id").unwrap_or_default().to_vec();
                    match book.attribute(b"state") {
                        Some(b"hidden" | b"veryHidden") => hidden = hidden.or(Some(id)),
                        _ => first = Some(id),
                    }
                }
                Piece::Open { .. } if book.name() == b"workbookPr" => {
                    is_from_1904 = matches!(book.attribute(b"date1904"), Some(b"1" | b"true" | b"on"));
                }
                Piece::End => break,
                _ => {}
            }
        }
        let first = first.or(hidden).ok_or(FileFault::Empty)?;
        let mut relations = Markup::new(parts.part("xl/_rels/workbook.xml.rels").ok_or(FileFault::Damaged)?);
        let (mut sheet, mut shared) = (None, None);
        loop {
            match relations.next()? {
                Piece::Open { .. } if relations.name() == b"Relationship" => {
                    let text = |name: &[u8]| {
                        relations
                            .attribute(name)
                            .map(|value| String::from_utf8_lossy(value).into_owned())
                            .unwrap_or_default()
                    };
                    if relations.attribute(b"Id") == Some(first.as_slice()) {
                        sheet = Some(path_of(&text(b"Target")));
                    } else if text(b"Type").ends_with("/sharedStrings") {
                        shared = Some(path_of(&text(b"Target")));
                    }
                }
                Piece::End => break,
                _ => {}
            }
        }
        Ok(Self { sheet: sheet.ok_or(FileFault::Damaged)?, shared, is_from_1904 })
    }
}

/// A target beside `xl/workbook.xml`.
fn path_of(target: &str) -> String {
    match target.strip_prefix('/') {
        Some(whole) => whole.to_owned(),
        None => format!("xl/{}", target.strip_prefix("./").unwrap_or(target)),
    }
}

/// Texts that cells name by number.
#[derive(Default)]
struct Shared {
    text: String,
    ends: Vec<u32>,
}

impl Shared {
    fn read<R: BufRead>(markup: &mut Markup<R>) -> Result<Self, FileFault> {
        let mut shared = Self::default();
        let (mut is_text, mut phonetic, mut begin) = (false, 0u32, 0);
        loop {
            match markup.next()? {
                Piece::Open { is_whole } => match markup.name() {
                    b"si" => {
                        begin = shared.text.len();
                        if is_whole {
                            shared.end_one()?;
                        }
                    }
                    b"t" if !is_whole => is_text = phonetic == 0,
                    b"rPh" if !is_whole => phonetic = phonetic.saturating_add(1),
                    _ => {}
                },
                Piece::Close => match markup.name() {
                    b"si" => shared.end_one()?,
                    b"t" => is_text = false,
                    b"rPh" => phonetic = phonetic.saturating_sub(1),
                    _ => {}
                },
                Piece::Text if is_text => {
                    // Of a text that is too long no more is kept than shows it to be.
                    let left = (CELL_LETTERS_MAX * 4 + 4).saturating_sub(shared.text.len().saturating_sub(begin));
                    let text = unescaped(&markup.text()?);
                    let end = text
                        .char_indices()
                        .map(|(at, letter)| at + letter.len_utf8())
                        .take_while(|end| *end <= left)
                        .last();
                    shared.text.push_str(text.get(..end.unwrap_or(0)).unwrap_or_default());
                    if shared.text.len() > SHARED_BYTES_MAX {
                        return Err(FileFault::TooLargeInside);
                    }
                }
                Piece::Text => {}
                Piece::End => return Ok(shared),
            }
        }
    }

    fn end_one(&mut self) -> Result<(), FileFault> {
        if self.ends.len() >= SHARED_MAX {
            return Err(FileFault::TooLargeInside);
        }
        self.ends.push(u32::try_from(self.text.len()).map_err(|_| FileFault::TooLargeInside)?);
        Ok(())
    }

    fn get(&self, number: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(number)?).ok()?;
        let begin = match number.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.text.get(begin..end)
    }
}

fn read_merges<R: BufRead>(markup: &mut Markup<R>) -> Result<Merges, FileFault> {
    let mut merges = Merges::default();
    let mut is_whole_sheet = false;
    loop {
        match markup.next()? {
            Piece::Open { .. } if markup.name() == b"mergeCell" => {
                let Some(range) = markup.attribute(b"ref").and_then(|range| std::str::from_utf8(range).ok()) else {
                    continue;
                };
                let Some((from, to)) = range.split_once(':') else { continue };
                if let (Some((column, first)), Some((_, last))) = (place(from), place(to)) {
                    merges.add(column, first, last)?;
                }
            }
            Piece::Close if markup.name() == b"worksheet" => is_whole_sheet = true,
            // A sheet that is cut off could lack its last orders.
            Piece::End if !is_whole_sheet => return Err(FileFault::Damaged),
            Piece::End => return Ok(merges),
            _ => {}
        }
    }
}

/// `B12` as column from 0 and row from 1.
fn place(name: &str) -> Option<(usize, u32)> {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (column, row) = name.split_at_checked(letters).filter(|_| (1..=3).contains(&letters))?;
    let column = column.bytes().fold(0usize, |column, letter| {
        column
            .saturating_mul(26)
            .saturating_add(usize::from(letter.to_ascii_uppercase().saturating_sub(b'A')))
            .saturating_add(1)
    });
    Some((column.checked_sub(1)?, row.parse().ok().filter(|row| *row > 0)?))
}

struct Sheet<'a, R> {
    markup: Markup<R>,
    shared: &'a Shared,
    merges: Merges,
    /// The row before.
    last: u32,
}

/// What a cell's text is.
#[derive(Clone, Copy, PartialEq)]
enum CellKind {
    Number,
    Shared,
    Text,
    Bool,
}

impl<R: BufRead> Sheet<'_, R> {
    fn read(&mut self, rows: &mut dyn Rows) -> Result<(), FileFault> {
        loop {
            match self.markup.next()? {
                Piece::Open { is_whole } if self.markup.name() == b"row" => {
                    let next = self.last.checked_add(1).ok_or(FileFault::Damaged)?;
                    let number = match self.markup.attribute(b"r") {
                        Some(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0),
                        None => next,
                    };
                    if number < next {
                        return Err(FileFault::Damaged);
                    }
                    self.last = number;
                    if !is_whole {
                        let mut row = self.row(number)?;
                        self.merges.apply(&mut row);
                        if !row.cells.is_empty() {
                            rows.take(row)?;
                        }
                    }
                }
                Piece::Close if self.markup.name() == b"sheetData" => return Ok(()),
                Piece::End => return Ok(()),
                _ => {}
            }
        }
    }

    fn row(&mut self, number: u32) -> Result<Row, FileFault> {
        let mut row = Row { number, is_sparse: true, ..Row::default() };
        let mut next = 0;
        loop {
            match self.markup.next()? {
                Piece::Open { is_whole } if self.markup.name() == b"c" => {
                    let named = self.markup.attribute(b"r").and_then(|name| std::str::from_utf8(name).ok());
                    let column = match named {
                        Some(name) => place(name).ok_or(FileFault::Damaged)?.0,
                        None => next,
                    };
                    next = column.saturating_add(1);
                    let kind = match self.markup.attribute(b"t") {
                        None | Some(b"n" | b"") => CellKind::Number,
                        Some(b"s") => CellKind::Shared,
                        Some(b"b") => CellKind::Bool,
                        Some(_) => CellKind::Text,
                    };
                    if !is_whole {
                        let cell = self.cell(kind, number)?;
                        row.put(column, cell)?;
                    }
                }
                Piece::Close if self.markup.name() == b"row" => return Ok(row),
                Piece::End => return Err(FileFault::Damaged),
                _ => {}
            }
        }
    }

    /// The cell's value. A formula's text is passed over: what it came to when the file was saved counts.
    fn cell(&mut self, kind: CellKind, row: u32) -> Result<Cell, FileFault> {
        let mut text = String::new();
        let (mut is_value, mut phonetic) = (false, 0u32);
        loop {
            match self.markup.next()? {
                Piece::Open { is_whole: false } => match self.markup.name() {
                    b"v" | b"t" => is_value = phonetic == 0,
                    b"rPh" => phonetic = phonetic.saturating_add(1),
                    _ => {}
                },
                Piece::Close => match self.markup.name() {
                    b"c" => break,
                    b"v" | b"t" => is_value = false,
                    b"rPh" => phonetic = phonetic.saturating_sub(1),
                    _ => {}
                },
                Piece::Text if is_value => {
                    text.push_str(&self.markup.text()?);
                    if text.len() > CELL_LETTERS_MAX * 8 {
                        return Err(FileFault::TooLarge(TooLarge::Cell(row)));
                    }
                }
                Piece::Open { .. } | Piece::Text => {}
                Piece::End => return Err(FileFault::Damaged),
            }
        }
        Ok(match kind {
            CellKind::Shared => {
                let number = text.trim().parse().map_err(|_| FileFault::Damaged)?;
                Cell::Text(self.shared.get(number).ok_or(FileFault::Damaged)?.to_owned())
            }
            CellKind::Bool => Cell::Bool(matches!(text.trim(), "1" | "true")),
            CellKind::Text => Cell::Text(unescaped(&text)),
            CellKind::Number => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Cell::Number(number),
                _ => Cell::Text(text),
            },
        })
    }
}

/// `_x000D_` is a letter by its number.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("_x") {
        out.push_str(before);
        let letter = behind.get(..4).filter(|_| behind.get(4..5) == Some("_"));
        match letter.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
            Some(letter) => {
                out.push(letter);
                rest = behind.get(5..).unwrap_or_default();
            }
            None => {
                out.push_str("_x");
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}
