//! Reads rows out of a store's file page by page (<https://sqlite.org/fileformat.html>). No page needs the one above it, so a
//! lost page takes no more than lay on it. Rows that were deleted are not found: `secure_delete` has overwritten them. Every
//! byte is taken to be damaged: what does not fit is left out, and whoever takes a row checks its seal.

use std::fs::File;
use std::io::{ErrorKind, Seek, SeekFrom};
use std::path::Path;

use super::journal::{Journal, fill};
use crate::store::StoreFault;

/// Bytes of a page, as SQLite makes them.
pub(super) const PAGE_BYTES: usize = 4096;
/// Bytes of a page of a value that is too long for its row's page, after the number of the next one.
const OVERFLOW_BYTES: usize = PAGE_BYTES - 4;
/// Bytes of a row that lie on its page at most, and at least where it goes on elsewhere.
const LOCAL_MAX: usize = (PAGE_BYTES - 12) * 64 / 255 - 23;
const LOCAL_MIN: usize = (PAGE_BYTES - 12) * 32 / 255 - 23;

/// A file with its journal.
pub(super) struct Pages {
    file: Option<File>,
    journal: Journal,
    count: u32,
}

impl Pages {
    /// Opens the file of this path, which may be missing, with its journal. Changes neither.
    pub(super) fn open(path: &Path, journal: &Path) -> Result<Self, StoreFault> {
        let io = |error: std::io::Error| StoreFault::of_io(&error);
        let file = match File::open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            opened => Some(opened.map_err(io)?),
        };
        let journal = Journal::read(journal)?;
        let bytes = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|data| data.len())).map_err(io)?;
        let in_file = u32::try_from(bytes / PAGE_BYTES as u64).unwrap_or(u32::MAX);
        let count = journal.pages().fold(in_file, u32::max);
        Ok(Self { file, journal, count })
    }

    fn page(&mut self, number: u32) -> Result<Option<Vec<u8>>, StoreFault> {
        if let Some(page) = self.journal.page(number)? {
            return Ok(Some(page));
        }
        let (Some(file), Some(before)) = (self.file.as_mut(), number.checked_sub(1)) else { return Ok(None) };
        let mut page = vec![0; PAGE_BYTES];
        file.seek(SeekFrom::Start(u64::from(before).saturating_mul(PAGE_BYTES as u64)))
            .map_err(|error| StoreFault::of_io(&error))?;
        Ok(fill(file, &mut page)?.then_some(page))
    }

    /// Gives the key and the sealed value of every row that can be read, of all tables without row numbers.
    pub(super) fn each_row(
        &mut self,
        mut take: impl FnMut(Vec<u8>, Vec<u8>) -> Result<(), StoreFault>,
    ) -> Result<(), StoreFault> {
        // The first page holds the definitions alone.
        for number in 2..=self.count {
            let Some(page) = self.page(number)? else { continue };
            for payload in cells(&page) {
                if let Some((key, value)) = self.whole(payload)?.as_deref().and_then(columns) {
                    take(key, value)?;
                }
            }
        }
        Ok(())
    }

    /// A row's bytes, with those on other pages.
    fn whole(&mut self, cell: Cell) -> Result<Option<Vec<u8>>, StoreFault> {
        let Cell { bytes, length, mut next } = cell;
        let mut whole = bytes;
        while let Some(left) = length.checked_sub(whole.len()).filter(|left| *left > 0) {
            let Some(page) = self.page(next)? else { return Ok(None) };
            let (Some(number), Some(more)) =
                (be_u32(&page, 0), page.get(4..4usize.saturating_add(left.min(OVERFLOW_BYTES))))
            else {
                return Ok(None);
            };
            whole.extend_from_slice(more);
            next = number;
        }
        Ok(Some(whole))
    }
}

/// A row as it lies on its page.
struct Cell {
    bytes: Vec<u8>,
    /// Of the whole row.
    length: usize,
    /// The page on which the rest begins.
    next: u32,
}

fn be_u32(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(place..place.checked_add(4)?)?.try_into().ok()?))
}

fn be_u16(bytes: &[u8], place: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(place..place.checked_add(2)?)?.try_into().ok()?)))
}

/// A number of one to nine bytes, and how many they are.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value: u64 = 0;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        let count = index.checked_add(1)?;
        if count == 9 {
            return Some((value << 8 | u64::from(*byte), count));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, count));
        }
    }
    None
}

/// The rows of a page of a table without row numbers: of a leaf, or of one above others.
fn cells(page: &[u8]) -> Vec<Cell> {
    let (first, skipped) = match page.first() {
        Some(0x0a) => (8, 0),
        Some(0x02) => (12, 4),
        _ => return Vec::new(),
    };
    let count = be_u16(page, 3).unwrap_or(0).min(PAGE_BYTES / 2);
    let places = (0..count).filter_map(|index| be_u16(page, index.checked_mul(2)?.checked_add(first)?));
    places.filter_map(|place| cell(page.get(place.checked_add(skipped)?..)?)).collect()
}

fn cell(bytes: &[u8]) -> Option<Cell> {
    let (length, used) = varint(bytes)?;
    let length = usize::try_from(length).ok()?;
    let local = match length {
        0..=LOCAL_MAX => length,
        _ => {
            let fitting = LOCAL_MIN.checked_add(length.checked_sub(LOCAL_MIN)? % OVERFLOW_BYTES)?;
            if fitting <= LOCAL_MAX { fitting } else { LOCAL_MIN }
        }
    };
    let end = used.checked_add(local)?;
    let next = if length > local { be_u32(bytes, end)? } else { 0 };
    Some(Cell { bytes: bytes.get(used..end)?.to_vec(), length, next })
}

/// The two columns of a row, both of bytes.
fn columns(row: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (head, first) = varint(row)?;
    let head = usize::try_from(head).ok()?;
    let (key, second) = varint(row.get(first..)?)?;
    let (value, third) = varint(row.get(first.checked_add(second)?..)?)?;
    let length = |kind: u64| usize::try_from(kind.checked_sub(12).filter(|_| kind.is_multiple_of(2))? / 2).ok();
    let (key, value) = (length(key)?, length(value)?);
    let (key_end, end) = (head.checked_add(key)?, head.checked_add(key)?.checked_add(value)?);
    if first.checked_add(second)?.checked_add(third)? != head || end != row.len() {
        return None;
    }
    Some((row.get(head..key_end)?.to_vec(), row.get(key_end..end)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rusqlite::{Connection, params};

    use super::*;

    #[test]
    fn every_row_is_found_whatever_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID").unwrap();
        let lengths: Vec<usize> =
            (0..40).map(|n| n * 37).chain([480, 990, 1_000, 1_010, 4_090, 4_100, 9_000, 70_000]).collect();
        let mut rows: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (number, length) in lengths.iter().enumerate() {
            let row = (format!("key {number:03}").into_bytes(), vec![number as u8; *length]);
            connection.execute("INSERT INTO t VALUES (?1, ?2)", params![row.0, row.1]).unwrap();
            rows.push(row);
        }
        connection.close().unwrap();
        let mut found = Vec::new();
        let mut pages = Pages::open(&path, &folder.path().join("none")).unwrap();
        let mut take = |key, value| {
            found.push((key, value));
            Ok(())
        };
        pages.each_row(&mut take).unwrap();
        found.sort();
        assert!(found == rows, "{} of {} rows", found.len(), rows.len());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_left_out(bytes in proptest::collection::vec(any::<u8>(), 0..600), kind in 0usize..3) {
            let mut page = bytes;
            page.resize(PAGE_BYTES, 0xff);
            page[0] = [0x0a, 0x02, 0x0d][kind];
            for cell in cells(&page) {
                let _ = columns(&cell.bytes);
            }
        }
    }
}
