//! A lot's whole id: its book and its key there. People get it as a code of twelve letters, short enough to read out over a
//! telephone. Among two million lots, two have one code once in 18,000 co-operatives. The code is a digest of the whole id, so it is resolved against the lots that are here; one that fits two of them is an error.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::book::{Book, Part, Season};
use super::key::DocumentKey;
use super::lot_key::LotKey;
use crate::ids::{DeviceId, HouseholdId};
use crate::quantities::{SpokenCode, SpokenFault};
use crate::words::Words;

/// Which lot, among all lots of a co-operative.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LotId {
    book: Book,
    key: LotKey,
}

impl LotId {
    /// The lot with this key in a harvest book; none for other documents.
    pub fn in_book(book: &DocumentKey, key: LotKey) -> Option<Self> {
        match *book {
            DocumentKey::HarvestBook(book) => Some(Self { book, key }),
            _ => None,
        }
    }

    /// The household whose lot it is.
    pub fn household(&self) -> HouseholdId {
        self.book.household
    }

    /// The device that recorded it, which stands in its key and can't be claimed by another; none for a key of a later version.
    pub fn recorded_by(&self) -> Option<DeviceId> {
        self.key.actor()?.device()
    }

    /// The season of its book.
    pub fn season(&self) -> Season {
        self.book.season
    }

    /// The part of its book.
    pub fn part(&self) -> Part {
        self.book.part
    }

    /// Its key within the book.
    pub fn key(&self) -> &LotKey {
        &self.key
    }

    /// The harvest book that the lot is in.
    pub fn book(&self) -> DocumentKey {
        DocumentKey::HarvestBook(self.book)
    }

    /// The book of the receipts for this lot.
    pub fn receipt_book(&self) -> DocumentKey {
        DocumentKey::ReceiptBook(self.book)
    }

    /// The book of the decisions about this lot.
    pub fn case_book(&self) -> DocumentKey {
        DocumentKey::CaseBook(self.book)
    }

    /// The lot's name among all of its household's season, whose parts may have equal keys: what receipts and cases write of
    /// it. `KEY`, or `PART-KEY` in later parts.
    pub fn season_name(&self) -> String {
        match self.book.part {
            Part::FIRST => self.key.to_string(),
            part => format!("{}-{}", part.number(), self.key),
        }
    }

    /// Reads [`Self::season_name`] in a document of this household and season.
    pub fn from_season_name(household: HouseholdId, season: Season, name: &str) -> Option<Self> {
        let (part, key) = match name.split_once('-') {
            None => (Part::FIRST, name),
            Some((part, key)) => (Part::new(part.parse().ok()?)?, key),
        };
        let lot = Self { book: Book { household, season, part }, key: key.parse().ok()? };
        // One lot has one name.
        (lot.season_name() == name).then_some(lot)
    }

    /// The code, to be read out.
    pub fn code(&self) -> LotCode {
        let mut hash = Sha256::new();
        hash.update(b"granary.lot.1");
        hash.update(self.key.as_str());
        // A lot key has no such byte. Without it, two ids could hash the same bytes.
        hash.update([0]);
        hash.update(self.book().to_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        LotCode(SpokenCode::of(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 9))
    }

    /// The whole id in one word, as [`LotName`] reads it: long, but never of two lots.
    pub fn in_full(&self) -> String {
        format!("{}.{}.{}", self.household(), self.season().year(), self.season_name())
    }

    /// Reads [`Self::in_full`].
    pub fn from_full(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let household = parts.next()?.parse().ok()?;
        let season = Season::new(parts.next()?.parse().ok()?)?;
        Self::from_season_name(household, season, parts.next()?)
    }
}

/// Shows the code.
impl fmt::Display for LotId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(formatter)
    }
}

/// A lot's code, such as `7KQ2-M9XT-4B0F`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LotCode(SpokenCode);

impl LotCode {
    /// The code without saying that it is a lot's.
    pub fn spoken(self) -> SpokenCode {
        self.0
    }

    /// The code as a number of 55 bits, for rows.
    pub(crate) fn number(self) -> i64 {
        number_of_row(self.0.number())
    }

    /// The numbers of the codes that begin as a searched text does, from one group of letters on.
    pub(crate) fn searched(text: &str) -> Option<RangeInclusive<i64>> {
        SpokenCode::beginning(text).map(|range| number_of_row(*range.start())..=number_of_row(*range.end()))
    }
}

/// A number of 55 bits fits.
fn number_of_row(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl fmt::Display for LotCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Why a text names no lot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LotNameFault {
    /// It has another form.
    #[error("{0:?} is no lot's number: it has twelve letters and digits, such as 7KQ2-M9XT-4B0F")]
    Form(String),
    /// It has the right form, but a letter is wrong or two have changed places.
    #[error("a letter of the lot's number {0:?} is wrong: have it read out again")]
    Misread(String),
}

impl Words for LotNameFault {
    fn chinese(&self) -> String {
        match self {
            Self::Form(text) => format!("“{text}”不是批次编号：编号有十二个字母和数字，例如 7KQ2-M9XT-4B0F"),
            Self::Misread(text) => format!("批次编号“{text}”里有一个字母不对：请再念一遍"),
        }
    }
}

/// What people write for a lot: its code, or the whole id in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LotName {
    /// The code.
    Code(LotCode),
    /// The whole id.
    Full(LotId),
}

impl fmt::Display for LotName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => code.fmt(formatter),
            Self::Full(lot) => formatter.write_str(&lot.in_full()),
        }
    }
}

impl FromStr for LotName {
    type Err = LotNameFault;

    /// Reads capitals and small letters, with or without hyphens and spaces, and takes O for 0 and I or L for 1.
    fn from_str(text: &str) -> Result<Self, LotNameFault> {
        let text = text.trim();
        let shown = || text.chars().take(120).collect::<String>();
        if text.contains('.') {
            return LotId::from_full(text).map(Self::Full).ok_or_else(|| LotNameFault::Form(shown()));
        }
        match text.parse::<SpokenCode>() {
            Ok(code) => Ok(Self::Code(LotCode(code))),
            Err(SpokenFault::Form) => Err(LotNameFault::Form(shown())),
            Err(SpokenFault::Misread) => Err(LotNameFault::Misread(shown())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lot(household: u8, year: u16) -> LotId {
        let key = "7@a1a2a3a4a5a6a7a800000001".parse().unwrap();
        LotId { book: Book::first(HouseholdId::from_bytes([household; 16]), Season::new(year).unwrap()), key }
    }

    #[test]
    fn lots_of_one_key_in_two_books_have_two_ids() {
        let second = lot(1, 2026);
        let second = LotId { book: second.book.at(Part::new(2).unwrap()), ..second };
        assert_eq!(second.season_name(), "2-7@a1a2a3a4a5a6a7a800000001");
        assert_eq!(LotId::from_season_name(second.household(), second.season(), "1-7@a1a2"), None, "one name a lot");
        let all = [lot(1, 2026), lot(2, 2026), lot(1, 2027), second];
        for (place, one) in all.iter().enumerate() {
            for other in all.iter().skip(place + 1) {
                assert_eq!(one.key, other.key);
                assert_ne!(one.code(), other.code());
                assert_ne!(one.to_string(), other.to_string());
            }
            assert_eq!(one.in_full().parse(), Ok(LotName::Full(one.clone())));
        }
    }

    /// A part's number is the byte of a digit here.
    #[test]
    fn part_of_a_book_is_no_digit_of_a_key() {
        let first = lot(1, 2026);
        let part = LotId { book: first.book.at(Part::new(u16::from(b'7')).unwrap()), ..first.clone() };
        let other = LotId { key: "77@a1a2a3a4a5a6a7a800000001".parse().unwrap(), ..first };
        assert_ne!(part.code(), other.code());
    }

    #[test]
    fn code_is_read_as_people_write_it() {
        let code = lot(1, 2026).code();
        let shown = code.to_string();
        assert_eq!(shown.len(), 14, "{shown}");
        let spoken = shown.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        for text in [shown.clone(), shown.replace('-', ""), spoken, format!(" {shown} ")] {
            assert_eq!(text.parse(), Ok(LotName::Code(code)), "{text}");
        }
        for wrong in ["", "7KQ2-M9XT", "7@a1a2a3a4a5a6a7a800000001", "7KQ2-M9XT-4B0FC", "UUUU-UUUU-UUUU", "a.b.c", "斤"]
        {
            assert!(matches!(wrong.parse::<LotName>(), Err(LotNameFault::Form(_))), "{wrong}");
        }
    }
}
