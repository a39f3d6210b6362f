//! The first sheet of a workbook of the older kind (xls, BIFF8), record by record. A library that makes a table of a sheet's
//! whole extent could be made to take gigabytes by one cell at its far corner.

use super::CELL_LETTERS_MAX;
use super::cells::Cell;
use super::container::Container;
use super::fault::FileFault;
use super::inflate::number;
use super::sheet::{Merges, Row, Rows};

const SHARED_BYTES_MAX: usize = 48 * 1024 * 1024;

/// Kinds of records.
mod kind {
    pub(super) const FORMULA: u16 = 0x0006;
    pub(super) const FORMULA_OLD: u16 = 0x0406;
    pub(super) const END: u16 = 0x000a;
    pub(super) const DATE_MODE: u16 = 0x0022;
    pub(super) const LOCKED: u16 = 0x002f;
    pub(super) const CONTINUE: u16 = 0x003c;
    pub(super) const SHEET: u16 = 0x0085;
    pub(super) const NUMBERS: u16 = 0x00bd;
    pub(super) const RICH_TEXT: u16 = 0x00d6;
    pub(super) const MERGED: u16 = 0x00e5;
    pub(super) const SHARED: u16 = 0x00fc;
    pub(super) const SHARED_CELL: u16 = 0x00fd;
    pub(super) const NUMBER: u16 = 0x0203;
    pub(super) const TEXT: u16 = 0x0204;
    pub(super) const BOOL: u16 = 0x0205;
    pub(super) const FORMULA_TEXT: u16 = 0x0207;
    pub(super) const SMALL_NUMBER: u16 = 0x027e;
    pub(super) const BEGIN: u16 = 0x0809;
}

/// Reads the first sheet that people see.
pub(super) fn read(bytes: &[u8], rows: &mut dyn Rows) -> Result<(), FileFault> {
    let container = Container::open(bytes).ok_or(FileFault::Damaged)?;
    if container.has("EncryptedPackage") {
        return Err(FileFault::Locked);
    }
    if !container.has("Workbook") {
        // Workbooks from before 1997, text documents, mails.
        return Err(FileFault::KindUnknown);
    }
    let stream = container.stream("Workbook").ok_or(FileFault::Damaged)?;
    drop(container);
    let book = Book::read(&stream)?;
    if book.is_from_1904 {
        rows.count_days_from_1904();
    }
    let records = Records { bytes: &stream, at: book.sheet };
    let merges = read_merges(records.clone())?;
    Sheet { shared: &book.shared, merges, row: None, formula: None }.read(records, rows)
}

#[derive(Clone)]
struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Records<'a> {
    /// The next record; none at the end, or where one is cut off.
    fn next(&mut self) -> Option<(u16, &'a [u8])> {
        let kind = u16::try_from(number(self.bytes, self.at, 2)?).ok()?;
        let length = usize::try_from(number(self.bytes, self.at.checked_add(2)?, 2)?).ok()?;
        let begin = self.at.checked_add(4)?;
        let end = begin.checked_add(length)?;
        let data = self.bytes.get(begin..end)?;
        self.at = end;
        Some((kind, data))
    }

    /// This record's data and those of records that continue it.
    fn whole(&mut self, data: &'a [u8]) -> Segments<'a> {
        let mut parts = vec![data];
        loop {
            let mut ahead = self.clone();
            match ahead.next() {
                Some((kind::CONTINUE, data)) => parts.push(data),
                _ => return Segments { parts, part: 0 },
            }
            *self = ahead;
        }
    }
}

/// Data over several records.
struct Segments<'a> {
    /// What is left of each.
    parts: Vec<&'a [u8]>,
    part: usize,
}

impl<'a> Segments<'a> {
    /// The rest of the record at hand; of the next one where it is empty.
    fn rest(&mut self) -> Option<&mut &'a [u8]> {
        while self.parts.get(self.part)?.is_empty() {
            self.part = self.part.checked_add(1)?;
        }
        self.parts.get_mut(self.part)
    }

    fn number(&mut self, width: usize) -> Option<u64> {
        let rest = self.rest()?;
        let found = number(rest, 0, width)?;
        *rest = rest.get(width..)?;
        Some(found)
    }

    fn skip(&mut self, mut count: u64) -> Option<()> {
        while count > 0 {
            let rest = self.rest()?;
            let here = usize::try_from(count).unwrap_or(usize::MAX).min(rest.len());
            *rest = rest.get(here..)?;
            count = count.checked_sub(u64::try_from(here).ok()?)?;
        }
        Some(())
    }

    /// A text: its length, how its letters are kept, the letters. Each record that continues it says anew how they are kept.
    fn text(&mut self) -> Option<String> {
        let letters = self.number(2)?;
        let flags = self.number(1)?;
        let runs = if flags & 8 != 0 { self.number(2)? } else { 0 };
        let phonetic = if flags & 4 != 0 { self.number(4)? } else { 0 };
        let mut is_wide = flags & 1 != 0;
        let mut units: Vec<u16> = Vec::new();
        let mut left = usize::try_from(letters).ok()?;
        while left > 0 {
            if self.parts.get(self.part)?.is_empty() {
                self.part = self.part.checked_add(1)?;
                is_wide = self.number(1)? & 1 != 0;
                continue;
            }
            let rest = self.parts.get_mut(self.part)?;
            let width = if is_wide { 2 } else { 1 };
            let count = left.min(rest.len().checked_div(width)?);
            if count == 0 {
                return None;
            }
            let (here, behind) = rest.split_at_checked(count.checked_mul(width)?)?;
            units.extend(
                here.chunks_exact(width)
                    .map(|unit| unit.iter().rev().fold(0, |unit, byte| unit << 8 | u16::from(*byte))),
            );
            *rest = behind;
            left = left.checked_sub(count)?;
        }
        self.skip(runs.checked_mul(4)?.checked_add(phonetic)?)?;
        // Of a text that is too long no more is kept than shows it to be.
        Some(
            char::decode_utf16(units)
                .map(|letter| letter.unwrap_or('\u{fffd}'))
                .take(CELL_LETTERS_MAX.saturating_add(1))
                .collect(),
        )
    }
}

struct Book {
    sheet: usize,
    shared: Vec<Box<str>>,
    is_from_1904: bool,
}

impl Book {
    fn read(stream: &[u8]) -> Result<Self, FileFault> {
        let mut records = Records { bytes: stream, at: 0 };
        let (begin, data) = records.next().ok_or(FileFault::Damaged)?;
        if begin != kind::BEGIN {
            return Err(FileFault::Damaged);
        }
        if number(data, 0, 2) != Some(0x0600) {
            return Err(FileFault::KindUnknown);
        }
        let (mut sheet, mut hidden, mut shared, mut is_from_1904) = (None, None, Vec::new(), false);
        loop {
            let (kind, data) = records.next().ok_or(FileFault::Damaged)?;
            match kind {
                kind::LOCKED => return Err(FileFault::Locked),
                kind::DATE_MODE => is_from_1904 = number(data, 0, 2) == Some(1),
                // Where it begins, whether it is hidden, and whether it is a sheet of cells or a chart.
                kind::SHEET if sheet.is_none() => match (number(data, 4, 1), number(data, 5, 1)) {
                    (Some(state), Some(0)) if state & 3 == 0 => sheet = number(data, 0, 4),
                    (_, Some(0)) => hidden = hidden.or(number(data, 0, 4)),
                    _ => {}
                },
                kind::SHARED => {
                    let mut segments = records.whole(data);
                    // Those of an earlier list are gone first, so that no two are kept.
                    drop(std::mem::take(&mut shared));
                    shared = read_shared(&mut segments)?;
                }
                kind::END => break,
                _ => {}
            }
        }
        let sheet = sheet.or(hidden).ok_or(FileFault::Empty)?;
        Ok(Self { sheet: usize::try_from(sheet).map_err(|_| FileFault::Damaged)?, shared, is_from_1904 })
    }
}

fn read_shared(segments: &mut Segments<'_>) -> Result<Vec<Box<str>>, FileFault> {
    segments.number(4).ok_or(FileFault::Damaged)?;
    let count = segments.number(4).ok_or(FileFault::Damaged)?;
    let (mut shared, mut bytes) = (Vec::new(), 0usize);
    for _ in 0..count {
        let text = segments.text().ok_or(FileFault::Damaged)?;
        bytes = bytes.saturating_add(text.len()).saturating_add(32);
        if bytes > SHARED_BYTES_MAX {
            return Err(FileFault::TooLargeInside);
        }
        shared.push(text.into_boxed_str());
    }
    Ok(shared)
}

/// The records of a sheet, without those of charts in it.
fn each_record<'a>(
    records: &mut Records<'a>,
    mut take: impl FnMut(u16, &'a [u8], &mut Records<'a>) -> Result<(), FileFault>,
) -> Result<(), FileFault> {
    let (begin, _) = records.next().ok_or(FileFault::Damaged)?;
    if begin != kind::BEGIN {
        return Err(FileFault::Damaged);
    }
    let mut inner = 0u32;
    loop {
        let (kind, data) = records.next().ok_or(FileFault::Damaged)?;
        match kind {
            kind::BEGIN => inner = inner.saturating_add(1),
            kind::END if inner == 0 => return Ok(()),
            kind::END => inner = inner.saturating_sub(1),
            _ if inner == 0 => take(kind, data, records)?,
            _ => {}
        }
    }
}

fn read_merges(mut records: Records<'_>) -> Result<Merges, FileFault> {
    let mut merges = Merges::default();
    each_record(&mut records, |kind, data, _| {
        if kind != kind::MERGED {
            return Ok(());
        }
        for range in data.get(2..).unwrap_or_default().chunks_exact(8) {
            let part = |at| number(range, at, 2).and_then(|part| u32::try_from(part).ok()).unwrap_or(0);
            let column = usize::try_from(part(4)).unwrap_or(usize::MAX);
            merges.add(column, part(0).saturating_add(1), part(2).saturating_add(1))?;
        }
        Ok(())
    })?;
    Ok(merges)
}

struct Sheet<'a> {
    shared: &'a [Box<str>],
    merges: Merges,
    row: Option<Row>,
    /// Where a formula stands whose text comes next.
    formula: Option<(u32, usize)>,
}

impl Sheet<'_> {
    fn read(mut self, mut records: Records<'_>, rows: &mut dyn Rows) -> Result<(), FileFault> {
        each_record(&mut records, |kind, data, records| self.take(kind, data, records, rows))?;
        self.end_row(rows)
    }

    fn take<'a>(
        &mut self,
        kind: u16,
        data: &'a [u8],
        records: &mut Records<'a>,
        rows: &mut dyn Rows,
    ) -> Result<(), FileFault> {
        if kind == kind::FORMULA_TEXT {
            if let Some((row, column)) = self.formula.take() {
                let text = records.whole(data).text().ok_or(FileFault::Damaged)?;
                self.put(row, column, Cell::Text(text), rows)?;
            }
            return Ok(());
        }
        let part = |at| number(data, at, 2).ok_or(FileFault::Damaged);
        let place = || -> Result<(u32, usize), FileFault> {
            let row = u32::try_from(part(0)?).unwrap_or(u32::MAX).saturating_add(1);
            Ok((row, usize::try_from(part(2)?).unwrap_or(usize::MAX)))
        };
        match kind {
            kind::SHARED_CELL => {
                let (row, column) = place()?;
                let which =
                    number(data, 6, 4).and_then(|which| usize::try_from(which).ok()).ok_or(FileFault::Damaged)?;
                let text = self.shared.get(which).ok_or(FileFault::Damaged)?.to_string();
                self.put(row, column, Cell::Text(text), rows)
            }
            kind::TEXT | kind::RICH_TEXT => {
                let (row, column) = place()?;
                let data = data.get(6..).ok_or(FileFault::Damaged)?;
                let text = records.whole(data).text().ok_or(FileFault::Damaged)?;
                self.put(row, column, Cell::Text(text), rows)
            }
            kind::NUMBER => {
                let (row, column) = place()?;
                let bits = number(data, 6, 8).ok_or(FileFault::Damaged)?;
                self.put(row, column, number_cell(f64::from_bits(bits)), rows)
            }
            kind::SMALL_NUMBER => {
                let (row, column) = place()?;
                let small = number(data, 6, 4).ok_or(FileFault::Damaged)?;
                self.put(row, column, number_cell(small_number(small)), rows)
            }
            kind::NUMBERS => {
                let (row, first) = place()?;
                let numbers = data.get(4..data.len().saturating_sub(2)).unwrap_or_default();
                for (column, one) in (first..).zip(numbers.chunks_exact(6)) {
                    let small = number(one, 2, 4).ok_or(FileFault::Damaged)?;
                    self.put(row, column, number_cell(small_number(small)), rows)?;
                }
                Ok(())
            }
            kind::BOOL => {
                let (row, column) = place()?;
                let (value, is_error) = (data.get(6), data.get(7));
                let cell =
                    if is_error == Some(&0) { Cell::Bool(value == Some(&1)) } else { Cell::Text("#N/A".to_owned()) };
                self.put(row, column, cell, rows)
            }
            kind::FORMULA | kind::FORMULA_OLD => {
                let (row, column) = place()?;
                self.formula = None;
                let result = number(data, 6, 8).ok_or(FileFault::Damaged)?;
                let cell = if result >> 48 != 0xffff {
                    number_cell(f64::from_bits(result))
                } else {
                    match result & 0xff {
                        0 => {
                            self.formula = Some((row, column));
                            Cell::Empty
                        }
                        1 => Cell::Bool((result >> 16) & 0xff == 1),
                        2 => Cell::Text("#N/A".to_owned()),
                        _ => Cell::Empty,
                    }
                };
                self.put(row, column, cell, rows)
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, row: u32, column: usize, cell: Cell, rows: &mut dyn Rows) -> Result<(), FileFault> {
        match &self.row {
            Some(open) if open.number == row => {}
            Some(open) if open.number > row => return Err(FileFault::Damaged),
            _ => {
                self.end_row(rows)?;
                self.row = Some(Row { number: row, is_sparse: true, ..Row::default() });
            }
        }
        match &mut self.row {
            Some(open) => open.put(column, cell),
            None => Ok(()),
        }
    }

    fn end_row(&mut self, rows: &mut dyn Rows) -> Result<(), FileFault> {
        let Some(mut row) = self.row.take() else { return Ok(()) };
        self.merges.apply(&mut row);
        if row.cells.is_empty() { Ok(()) } else { rows.take(row) }
    }
}

fn number_cell(number: f64) -> Cell {
    if number.is_finite() { Cell::Number(number) } else { Cell::Text("#NUM!".to_owned()) }
}

/// A number in 30 bits: whole, or the upper half of a float; of either a hundredth part.
fn small_number(bits: u64) -> f64 {
    let value = if bits & 2 != 0 {
        let whole = u32::try_from(bits & 0xffff_ffff).unwrap_or(0).cast_signed() >> 2;
        f64::from(whole)
    } else {
        f64::from_bits((bits & 0xffff_fffc) << 32)
    };
    if bits & 1 != 0 { value / 100.0 } else { value }
}
