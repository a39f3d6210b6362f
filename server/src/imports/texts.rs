//! A workbook's first sheet as texts, for imports that know no platform: households, products.

use super::cells::Cell;
use super::fault::{FileFault, TooLarge};
use super::sheet::{Row, Rows};
use super::{BYTES_MAX, RECORDS_MAX, kind, legacy, text, workbook};

/// All texts that are kept, in bytes, with what each takes beside its letters. A shared text costs few bytes in the file wherever it
/// stands.
const KEPT_MAX: usize = 40 * 1024 * 1024;
const BESIDE: usize = 56;

#[derive(Default)]
struct Texts {
    rows: NumberedRows,
    kept: usize,
}

impl Rows for Texts {
    fn take(&mut self, row: Row) -> Result<(), FileFault> {
        if self.rows.len() >= usize::try_from(RECORDS_MAX).unwrap_or(usize::MAX) {
            return Err(FileFault::TooLarge(TooLarge::Records));
        }
        let texts = row.cells.iter().map(|cell| match cell {
            Cell::Empty => String::new(),
            Cell::Text(shown) => text::clean(shown).to_owned(),
            Cell::Number(number) => number.to_string(),
            Cell::Bool(is) => if *is { "TRUE" } else { "FALSE" }.to_owned(),
        });
        let texts: Vec<String> = texts.collect();
        let weight: usize = texts.iter().map(|text| text.len().saturating_add(BESIDE)).sum();
        self.kept = self.kept.saturating_add(weight);
        if self.kept > KEPT_MAX {
            return Err(FileFault::TooLargeInside);
        }
        self.rows.push((row.number, texts));
        Ok(())
    }
}

/// Rows with their numbers.
pub(crate) type NumberedRows = Vec<(u32, Vec<String>)>;

/// The rows with their numbers, from 1; none where the file is no workbook. Days stand there as the numbers that a workbook has.
pub fn workbook_texts(bytes: &[u8]) -> Result<Option<NumberedRows>, FileFault> {
    if bytes.len() > BYTES_MAX {
        return Err(FileFault::TooLarge(TooLarge::Bytes));
    }
    let mut texts = Texts::default();
    match kind::kind_of(bytes) {
        Ok(kind::Found::Workbook) => workbook::read(bytes, &mut texts)?,
        Ok(kind::Found::Legacy) => legacy::read(bytes, &mut texts)?,
        _ => return Ok(None),
    }
    Ok(Some(texts.rows))
}
