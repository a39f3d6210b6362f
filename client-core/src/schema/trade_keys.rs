//! What names a stock book and a live-stream.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::book::{Part, Season};
use super::order_name::{is_name, read_name};
use crate::crdt::leb128::{ReadFault, Reader, write_prefixed, write_unsigned};
use crate::quantities::Day;

/// The longest code of a warehouse, in bytes.
const WAREHOUSE_BYTES_MAX: usize = 32;
/// The longest code of a live-stream, in bytes.
const STREAM_BYTES_MAX: usize = 32;

/// The warehouse of a co-operative that names none.
pub const MAIN_WAREHOUSE: &str = "main";

/// A part of what happened to the goods of a warehouse in a month.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StockMonth {
    warehouse: String,
    year: u16,
    month: u8,
    part: Part,
}

impl StockMonth {
    /// The first part of a warehouse's month; none for a code that is not of 1 to 32 bytes, a year outside 2000 to 2999, or a
    /// month outside 1 to 12.
    pub fn first(warehouse: &str, year: u16, month: u8) -> Option<Self> {
        let is_right =
            is_name(warehouse, WAREHOUSE_BYTES_MAX) && Season::new(year).is_some() && (1..=12).contains(&month);
        is_right.then(|| Self { warehouse: warehouse.to_owned(), year, month, part: Part::FIRST })
    }

    /// The first part of the month that a day falls in; none where [`Self::first`] gives none.
    pub fn of(warehouse: &str, day: Day) -> Option<Self> {
        Self::first(warehouse, u16::try_from(day.year()).ok()?, u8::try_from(day.month()).ok()?)
    }

    /// Another part of the same month.
    pub fn at(&self, part: Part) -> Self {
        Self { part, ..self.clone() }
    }

    /// The month before, of the same warehouse; none before the year 2000.
    pub fn before(&self) -> Option<Self> {
        match self.month {
            1 => Self::first(&self.warehouse, self.year.checked_sub(1)?, 12),
            month => Self::first(&self.warehouse, self.year, month.checked_sub(1)?),
        }
    }

    /// The month after, of the same warehouse; none after the year 2999.
    pub fn after(&self) -> Option<Self> {
        match self.month {
            12 => Self::first(&self.warehouse, self.year.checked_add(1)?, 1),
            month => Self::first(&self.warehouse, self.year, month.checked_add(1)?),
        }
    }

    /// The code of the warehouse.
    pub fn warehouse(&self) -> &str {
        &self.warehouse
    }

    /// The year.
    pub fn year(&self) -> u16 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(&self) -> u8 {
        self.month
    }

    /// The part.
    pub fn part(&self) -> Part {
        self.part
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        write_prefixed(out, self.warehouse.as_bytes());
        write_unsigned(out, u64::from(self.year));
        out.push(self.month);
        self.part.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        let warehouse = read_name(reader, WAREHOUSE_BYTES_MAX)?;
        let year = u16::try_from(reader.unsigned()?).map_err(|_| ReadFault::BadNumber)?;
        let month = Self::first(&warehouse, year, reader.byte()?).ok_or(ReadFault::BadNumber)?;
        Ok(month.at(Part::read(reader)?))
    }
}

/// Such as `main 2026-11`, without the part.
impl fmt::Display for StockMonth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}-{:02}", self.warehouse, self.year, self.month)
    }
}

/// A live-stream's code: 1 to 32 small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct StreamCode(String);

impl TryFrom<String> for StreamCode {
    type Error = StreamCodeFault;

    fn try_from(text: String) -> Result<Self, StreamCodeFault> {
        text.parse()
    }
}

impl StreamCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        reader.text()?.parse().map_err(|_| ReadFault::BadText)
    }
}

impl fmt::Display for StreamCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A text is no live-stream's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a live-stream's code has 1 to 32 small letters, digits and hyphens")]
pub struct StreamCodeFault;

impl crate::words::Words for StreamCodeFault {
    fn chinese(&self) -> String {
        "直播代码由 1 到 32 个小写字母、数字和连字符组成".into()
    }
}

impl FromStr for StreamCode {
    type Err = StreamCodeFault;

    fn from_str(text: &str) -> Result<Self, StreamCodeFault> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_right = (1..=STREAM_BYTES_MAX).contains(&text.len()) && text.bytes().all(plain);
        is_right.then(|| Self(text.to_owned())).ok_or(StreamCodeFault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_follow_each_other() {
        let december = StockMonth::of(MAIN_WAREHOUSE, "2026-12-31".parse().unwrap()).unwrap();
        assert_eq!(december.to_string(), "main 2026-12");
        let january = december.after().unwrap();
        assert_eq!((january.year(), january.month()), (2027, 1));
        assert_eq!(january.before(), Some(december));
        assert_eq!(StockMonth::first("main", 2000, 1).unwrap().before(), None);
        for (warehouse, year, month) in [("", 2026, 1), ("main", 1999, 1), ("main", 2026, 0), ("main", 2026, 13)] {
            assert_eq!(StockMonth::first(warehouse, year, month), None);
        }
        assert_eq!(StockMonth::first(&"a".repeat(33), 2026, 1), None);
    }

    #[test]
    fn code_of_a_stream_is_plain() {
        for code in ["a", "11-11", "double-eleven-2026"] {
            assert_eq!(code.parse::<StreamCode>().map(|code| code.to_string()), Ok(code.to_owned()));
        }
        for wrong in ["", "A", "a b", "小米", &"a".repeat(33)] {
            assert_eq!(wrong.parse::<StreamCode>(), Err(StreamCodeFault), "{wrong}");
        }
    }
}
