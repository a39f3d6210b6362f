//! The column encodings of a change chunk: run lengths with nulls, deltas, and booleans. Readers return rows one by one, so
//! a run of a billion costs nothing. Writers encode runs exactly as Automerge does.

use super::super::leb128::{ReadFault, Reader, write_signed, write_size, write_unsigned};

/// A value of a run-length column.
pub(super) trait Cell: Clone + PartialEq {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault>;
    fn write(&self, out: &mut Vec<u8>);
}

impl Cell for u64 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        reader.unsigned()
    }
    fn write(&self, out: &mut Vec<u8>) {
        write_unsigned(out, *self);
    }
}

impl Cell for i64 {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        reader.signed()
    }
    fn write(&self, out: &mut Vec<u8>) {
        write_signed(out, *self);
    }
}

impl Cell for String {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        reader.text().map(str::to_owned)
    }
    fn write(&self, out: &mut Vec<u8>) {
        super::super::leb128::write_prefixed(out, self.as_bytes());
    }
}

enum Run<T> {
    Nothing,
    Repeat(T, u64),
    Literal(u64),
    Null(u64),
}

/// Reads a run-length column row by row.
pub(super) struct RunReader<'a, T> {
    reader: Reader<'a>,
    run: Run<T>,
}

impl<'a, T: Cell> RunReader<'a, T> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), run: Run::Nothing }
    }

    /// True when all rows were read.
    pub(super) fn is_done(&self) -> bool {
        self.reader.is_empty() && matches!(self.run, Run::Nothing)
    }

    /// The next row; null at the end of the column, as the format demands.
    pub(super) fn next(&mut self) -> Result<Option<T>, ReadFault> {
        if let Run::Nothing = self.run {
            if self.reader.is_empty() {
                return Ok(None);
            }
            let count = self.reader.signed()?;
            self.run = match count {
                0 => match self.reader.unsigned()? {
                    0 => return Err(ReadFault::BadNumber),
                    nulls => Run::Null(nulls),
                },
                1.. => Run::Repeat(T::read(&mut self.reader)?, count.unsigned_abs()),
                _ => Run::Literal(count.unsigned_abs()),
            };
        }
        let (value, left) = match &mut self.run {
            Run::Nothing => (None, 0),
            Run::Repeat(value, left) => (Some(value.clone()), step(left)),
            Run::Literal(left) => (Some(T::read(&mut self.reader)?), step(left)),
            Run::Null(left) => (None, step(left)),
        };
        if left == 0 {
            self.run = Run::Nothing;
        }
        Ok(value)
    }
}

fn step(left: &mut u64) -> u64 {
    *left = left.saturating_sub(1);
    *left
}

/// Reads a delta column: each row is the running sum.
pub(super) struct DeltaReader<'a> {
    runs: RunReader<'a, i64>,
    sum: i64,
}

impl<'a> DeltaReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { runs: RunReader::new(bytes), sum: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.runs.is_done()
    }

    pub(super) fn next(&mut self) -> Result<Option<i64>, ReadFault> {
        let Some(delta) = self.runs.next()? else { return Ok(None) };
        self.sum = self.sum.checked_add(delta).ok_or(ReadFault::BadNumber)?;
        Ok(Some(self.sum))
    }
}

/// Reads a boolean column: counts of false and true in turn.
pub(super) struct BooleanReader<'a> {
    reader: Reader<'a>,
    value: bool,
    left: u64,
}

impl<'a> BooleanReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { reader: Reader::new(bytes), value: true, left: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.reader.is_empty() && self.left == 0
    }

    /// The next row; false when the column has ended.
    pub(super) fn next(&mut self) -> Result<bool, ReadFault> {
        // Two turns at most: only the first count may be zero.
        for _ in 0..2 {
            if self.left > 0 {
                break;
            }
            if self.reader.is_empty() {
                return Ok(false);
            }
            self.left = self.reader.unsigned()?;
            self.value = !self.value;
        }
        self.left = self.left.checked_sub(1).ok_or(ReadFault::BadNumber)?;
        Ok(self.value)
    }
}

/// Writes a run-length column. A column of nulls alone is written as nothing.
pub(super) fn write_runs<T: Cell>(rows: &[Option<T>], out: &mut Vec<u8>) {
    if rows.iter().all(Option::is_none) {
        return;
    }
    let mut rest = rows;
    let mut literal: Vec<&T> = Vec::new();
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|row| *row == first).count();
        rest = rest.get(same..).unwrap_or_default();
        match first {
            Some(value) if same == 1 => literal.push(value),
            other => {
                flush_literal(&mut literal, out);
                match other {
                    Some(value) => {
                        write_signed(out, i64::try_from(same).unwrap_or(i64::MAX));
                        value.write(out);
                    }
                    None => {
                        write_signed(out, 0);
                        write_size(out, same);
                    }
                }
            }
        }
    }
    flush_literal(&mut literal, out);
}

fn flush_literal<T: Cell>(literal: &mut Vec<&T>, out: &mut Vec<u8>) {
    if literal.is_empty() {
        return;
    }
    write_signed(out, i64::try_from(literal.len()).unwrap_or(i64::MAX).saturating_neg());
    for value in literal.drain(..) {
        value.write(out);
    }
}

/// Writes a delta column.
pub(super) fn write_deltas(rows: &[Option<i64>], out: &mut Vec<u8>) {
    let mut last = 0i64;
    let deltas: Vec<Option<i64>> = rows
        .iter()
        .map(|row| {
            row.map(|value| {
                let delta = value.saturating_sub(last);
                last = value;
                delta
            })
        })
        .collect();
    write_runs(&deltas, out);
}

/// Writes a boolean column.
pub(super) fn write_booleans(rows: &[bool], out: &mut Vec<u8>) {
    let mut current = false;
    let mut count = 0usize;
    for row in rows {
        if *row == current {
            count = count.saturating_add(1);
        } else {
            write_size(out, count);
            current = *row;
            count = 1;
        }
    }
    if count > 0 {
        write_size(out, count);
    }
}
