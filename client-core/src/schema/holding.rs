//! What names an entry of a stock book, and a holding: a quantity in the warehouse with one origin.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::book::Part;
use super::key::DocumentKey;
use super::lot_id::LotId;
use super::lot_key::LotKey;
use super::trade_keys::StockMonth;
use crate::ids::DeviceId;
use crate::quantities::{SpokenCode, SpokenFault, is_hidden};
use crate::words::Words;

/// The longest name of a batch, in bytes.
const BATCH_BYTES_MAX: usize = 64;

/// An entry of a stock book, among all entries of a co-operative.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EntryId {
    book: StockMonth,
    key: LotKey,
}

impl EntryId {
    /// The entry with this key in a stock book; none for other documents.
    pub fn in_book(book: &DocumentKey, key: LotKey) -> Option<Self> {
        match book {
            DocumentKey::StockBook(book) => Some(Self { book: book.clone(), key }),
            _ => None,
        }
    }

    /// The stock book that it stands in.
    pub fn book(&self) -> DocumentKey {
        DocumentKey::StockBook(self.book.clone())
    }

    /// The warehouse, month and part of its book.
    pub fn month(&self) -> &StockMonth {
        &self.book
    }

    /// Its key within the book.
    pub fn key(&self) -> &LotKey {
        &self.key
    }

    /// The device that wrote it, which stands in its key and can't be claimed by another; none for a key of a later version.
    pub fn made_by(&self) -> Option<DeviceId> {
        self.key.actor()?.device()
    }

    /// What comes later has the higher rank: by month and part, then (counter, actor). Of two entries that did not know of each
    /// other it is the same on all replicas, and says nothing of time.
    pub fn rank(&self) -> impl Ord + '_ {
        let month = (self.book.year(), self.book.month(), self.book.part());
        let actor = self.key.as_str().split_once('@').map_or("", |(_, actor)| actor);
        (month, self.key.counter(), actor, self.book.warehouse())
    }
}

/// In one word, such as `main.2026-11.7@a1a2a3a4a5a6a7a800000001`; of a later part `main.2026-11.2-7@…`.
impl fmt::Display for EntryId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = (self.book.year(), self.book.month());
        write!(formatter, "{}.{year}-{month:02}.", self.book.warehouse())?;
        if self.book.part() != Part::FIRST {
            write!(formatter, "{}-", self.book.part().number())?;
        }
        formatter.write_str(self.key.as_str())
    }
}

/// A text names no entry and no holding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoldingFault {
    /// It has another form.
    #[error(
        "\"{0}\" names no goods in the warehouse: their number has twelve letters and digits, such as 7KQ2-M9XT-4B0F"
    )]
    Form(String),
    /// It has the right form, but a letter is wrong or two have changed places.
    #[error("a letter of the number \"{0}\" is wrong: have it read out again")]
    Misread(String),
}

impl Words for HoldingFault {
    fn chinese(&self) -> String {
        match self {
            Self::Form(text) => format!("“{text}”不是库里货物的编号：编号有十二个字母和数字，例如 7KQ2-M9XT-4B0F"),
            Self::Misread(text) => format!("编号“{text}”里有一个字母不对：请再念一遍"),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}

impl FromStr for EntryId {
    type Err = HoldingFault;

    fn from_str(text: &str) -> Result<Self, HoldingFault> {
        read_entry(text).ok_or_else(|| HoldingFault::Form(shown(text)))
    }
}

fn read_entry(text: &str) -> Option<EntryId> {
    // A warehouse's code may have dots.
    let mut parts = text.rsplitn(3, '.');
    let (key, month, warehouse) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month) = month.split_once('-')?;
    let (part, key) = match key.split_once('-') {
        None => (Part::FIRST, key),
        Some((part, key)) => (Part::new(part.parse().ok()?)?, key),
    };
    let book = StockMonth::first(warehouse, year.parse().ok()?, month.parse().ok()?)?.at(part);
    let entry = EntryId { book, key: key.parse().ok()? };
    // One entry has one name.
    (entry.to_string() == text).then_some(entry)
}

impl From<EntryId> for String {
    fn from(entry: EntryId) -> Self {
        entry.to_string()
    }
}

impl TryFrom<String> for EntryId {
    type Error = HoldingFault;

    fn try_from(text: String) -> Result<Self, HoldingFault> {
        text.parse()
    }
}

/// A quantity in the warehouse with one origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HoldingId {
    /// A received lot: `lot:` and the lot's id in full.
    Lot(LotId),
    /// Goods bought in: `in:` and the entry.
    In(EntryId),
    /// An output of a batch: `batch:` and its name.
    Batch(String),
}

impl HoldingId {
    /// The code, to be read out and typed; of a lot it is the lot's own.
    pub fn code(&self) -> SpokenCode {
        if let Self::Lot(lot) = self {
            return lot.code().spoken();
        }
        let mut hash = Sha256::new();
        hash.update(b"granary.holding.1");
        hash.update(self.to_string());
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        SpokenCode::of(u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 9)
    }
}

impl fmt::Display for HoldingId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lot(lot) => write!(formatter, "lot:{}", lot.in_full()),
            Self::In(entry) => write!(formatter, "in:{entry}"),
            Self::Batch(name) => write!(formatter, "batch:{name}"),
        }
    }
}

impl FromStr for HoldingId {
    type Err = HoldingFault;

    fn from_str(text: &str) -> Result<Self, HoldingFault> {
        let fault = || HoldingFault::Form(shown(text));
        match text.split_once(':') {
            Some(("lot", lot)) => {
                LotId::from_full(lot).filter(|id| id.in_full() == lot).map(Self::Lot).ok_or_else(fault)
            }
            Some(("in", entry)) => read_entry(entry).map(Self::In).ok_or_else(fault),
            Some(("batch", name)) => {
                let is_right = (1..=BATCH_BYTES_MAX).contains(&name.len()) && !name.chars().any(is_hidden);
                is_right.then(|| Self::Batch(name.to_owned())).ok_or_else(fault)
            }
            _ => Err(fault()),
        }
    }
}

impl From<HoldingId> for String {
    fn from(holding: HoldingId) -> Self {
        holding.to_string()
    }
}

impl TryFrom<String> for HoldingId {
    type Error = HoldingFault;

    fn try_from(text: String) -> Result<Self, HoldingFault> {
        text.parse()
    }
}

/// What people write for a holding: its code, or its whole id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldingName {
    /// The code.
    Code(SpokenCode),
    /// The whole id.
    Full(HoldingId),
}

impl FromStr for HoldingName {
    type Err = HoldingFault;

    /// Reads codes in capitals and small letters, with or without hyphens and spaces, and takes O for 0 and I or L for 1.
    fn from_str(text: &str) -> Result<Self, HoldingFault> {
        let text = text.trim();
        if text.contains(':') {
            return text.parse().map(Self::Full);
        }
        match text.parse::<SpokenCode>() {
            Ok(code) => Ok(Self::Code(code)),
            Err(SpokenFault::Form) => Err(HoldingFault::Form(shown(text))),
            Err(SpokenFault::Misread) => Err(HoldingFault::Misread(shown(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::HouseholdId;
    use crate::schema::{Book, Season};
    use proptest::prelude::*;

    fn entry(month: u8, key: &str) -> EntryId {
        EntryId { book: StockMonth::first("main", 2026, month).unwrap(), key: key.parse().unwrap() }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        let one = entry(11, "7@a1a2a3a4a5a6a7a800000001");
        assert_eq!(one.to_string(), "main.2026-11.7@a1a2a3a4a5a6a7a800000001");
        let dotted = StockMonth::first("w.1", 2026, 1).unwrap().at(Part::new(2).unwrap());
        let other = EntryId { book: dotted, key: one.key.clone() };
        assert_eq!(other.to_string(), "w.1.2026-01.2-7@a1a2a3a4a5a6a7a800000001");
        let book = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap()));
        let lot = LotId::in_book(&book, one.key.clone()).unwrap();
        let all =
            [HoldingId::In(one), HoldingId::In(other), HoldingId::Lot(lot.clone()), HoldingId::Batch("b1/0".into())];
        for holding in all {
            assert_eq!(holding.to_string().parse(), Ok(holding.clone()));
            assert_eq!(holding.to_string().parse(), Ok(HoldingName::Full(holding.clone())));
            assert_eq!(holding.code().to_string().to_lowercase().parse(), Ok(HoldingName::Code(holding.code())));
        }
        assert_eq!(HoldingId::Lot(lot.clone()).code().to_string(), lot.code().to_string(), "one code on one sack");
        for wrong in ["", "in:", "in:main.2026-1.7@a1a2", "in:main.2026-11.1-7@a1a2", "lot:x", "batch:", "other:1"] {
            assert!(wrong.parse::<HoldingId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn later_month_ranks_over_counter_and_counter_over_actor() {
        let ranked =
            [entry(10, "9@bb00"), entry(11, "7@aa00"), entry(11, "7@bb00"), entry(11, "10@aa00"), entry(12, "1@aa00")];
        assert!(ranked.windows(2).all(|pair| pair[0].rank() < pair[1].rank()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(lot|in|batch)?:?[a-z0-9@.:-]{0,60}") {
            if let Ok(holding) = text.parse::<HoldingId>() {
                prop_assert_eq!(holding.to_string(), text);
            }
        }
    }
}
