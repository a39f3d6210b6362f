//! A lot's whole id: its book and its key there. People get it as a code of twelve letters, short enough to read out over a
//! telephone, with a check letter that finds every single wrong letter and every two that changed places. The code is a
//! digest of the whole id, so it is resolved against the lots that are here; one that fits two of them is an error.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::key::{Book, DocumentKey, Part, Season};
use super::lot_key::LotKey;
use crate::ids::HouseholdId;
use crate::words::Words;

/// Digits and capitals without I, L, O and U, which are misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code before its check letter: 55 bits. Among two million lots, two have one code once in 18,000
/// co-operatives.
const LETTERS: usize = 11;

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
        LotCode(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 9)
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

/// A lot's code, such as `7KQ2-M9XT-4B0C`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LotCode(u64);

impl LotCode {
    #[cfg(feature = "sqlite")]
    /// The code as a number of 55 bits, for rows.
    pub(crate) fn number(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    fn values(self) -> impl Iterator<Item = u8> {
        (0..LETTERS).rev().map(move |place| u8::try_from((self.0 >> (5 * place)) & 31).unwrap_or(0))
    }
}

impl fmt::Display for LotCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = times_x(self.values().fold(0, add_letter));
        for (place, value) in self.values().chain([check]).enumerate() {
            if place > 0 && place % 4 == 0 {
                formatter.write_str("-")?;
            }
            let letter = ALPHABET.get(usize::from(value)).copied().unwrap_or(b'0');
            write!(formatter, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

/// Multiplies by x in the field of 32 elements (x^5 = x^2 + 1), in which x has 31 different powers.
fn times_x(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 { shifted } else { (shifted ^ 0b10_0101) & 31 }
}

/// The check letter makes the sum of all letters, each times its own power of x, nothing. A wrong letter leaves its fault
/// times a power; two that changed places leave their difference times that of two powers. Neither is nothing.
fn add_letter(sum: u8, letter: u8) -> u8 {
    times_x(sum) ^ letter
}

/// Why a text names no lot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LotNameFault {
    /// It has another form.
    #[error("{0:?} is no lot's number: it has twelve letters and digits, such as 7KQ2-M9XT-4B0C")]
    Form(String),
    /// It has the right form, but a letter is wrong or two have changed places.
    #[error("a letter of the lot's number {0:?} is wrong: have it read out again")]
    Misread(String),
}

impl Words for LotNameFault {
    fn chinese(&self) -> String {
        match self {
            Self::Form(text) => format!("“{text}”不是批次编号：编号有十二个字母和数字，例如 7KQ2-M9XT-4B0C"),
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
        let mut values = Vec::with_capacity(LETTERS.saturating_add(1));
        for letter in text.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
            let value = letter_value(letter).filter(|_| values.len() <= LETTERS);
            values.push(value.ok_or_else(|| LotNameFault::Form(shown()))?);
        }
        if values.len() != LETTERS.saturating_add(1) {
            return Err(LotNameFault::Form(shown()));
        }
        if values.iter().copied().fold(0, add_letter) != 0 {
            return Err(LotNameFault::Misread(shown()));
        }
        let number = values.iter().take(LETTERS).fold(0u64, |number, value| (number << 5) | u64::from(*value));
        Ok(Self::Code(LotCode(number)))
    }
}

fn letter_value(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let place = ALPHABET.iter().position(|of| char::from(*of) == letter)?;
    u8::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
        for wrong in ["", "7KQ2-M9XT", "7@a1a2a3a4a5a6a7a800000001", "7KQ2-M9XT-4B0CC", "UUUU-UUUU-UUUU", "a.b.c", "斤"]
        {
            assert!(matches!(wrong.parse::<LotName>(), Err(LotNameFault::Form(_))), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_letter_is_found(number in 0u64..1 << 55, place in 0usize..12, by in 1usize..32) {
            let mut letters: Vec<u8> = LotCode(number).to_string().replace('-', "").into_bytes();
            let value = ALPHABET.iter().position(|letter| *letter == letters[place]).unwrap();
            letters[place] = ALPHABET[(value + by) % 32];
            let text = String::from_utf8(letters).unwrap();
            prop_assert!(matches!(text.parse::<LotName>(), Err(LotNameFault::Misread(_))));
        }

        #[test]
        fn two_letters_that_changed_places_are_found(number in 0u64..1 << 55, one in 0usize..12, other in 0usize..12) {
            let code = LotCode(number);
            let mut letters: Vec<u8> = code.to_string().replace('-', "").into_bytes();
            letters.swap(one, other);
            let text = String::from_utf8(letters).unwrap();
            match text.parse::<LotName>() {
                Ok(read) => prop_assert!(read == LotName::Code(code) && text == code.to_string().replace('-', "")),
                Err(fault) => prop_assert!(matches!(fault, LotNameFault::Misread(_))),
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Ok(LotName::Code(code)) = text.parse::<LotName>() {
                prop_assert_eq!(code.to_string().parse(), Ok(LotName::Code(code)));
            }
        }
    }
}
