//! Books: what is written about a household's lots of a season, in parts.

use crate::crdt::leb128::{ReadFault, Reader, write_unsigned};
use crate::ids::HouseholdId;
use crate::quantities::Day;

/// A harvest season, named by the year in which it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Season(u16);

impl Season {
    /// The season of this year; none when it is not between 2000 and 2999.
    pub fn new(year: u16) -> Option<Self> {
        (2000..3000).contains(&year).then_some(Self(year))
    }

    /// The season that a day falls in; none outside the years of [`Self::new`].
    pub fn of(day: Day) -> Option<Self> {
        u16::try_from(day.year()).ok().and_then(Self::new)
    }

    /// The year.
    pub fn year(self) -> u16 {
        self.0
    }
}

/// Which of the documents of one book: a book that has grown goes on in its next part. The first part is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part(u16);

impl Part {
    /// The first part; most books never have another.
    pub const FIRST: Self = Self(1);
    /// The last part that a book can have.
    pub const LAST: Self = Self(999);

    /// The part of this number; none when it is not between 1 and [`Self::LAST`].
    pub fn new(number: u16) -> Option<Self> {
        (Self::FIRST.0..=Self::LAST.0).contains(&number).then_some(Self(number))
    }

    /// The part's number.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The part after this one; none after the last.
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).and_then(Self::new)
    }

    /// All parts in order.
    pub fn all() -> impl Iterator<Item = Self> {
        (Self::FIRST.0..=Self::LAST.0).map(Self)
    }

    /// Nothing for the first part: its key is that of a book without parts.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        if self != Self::FIRST {
            write_unsigned(out, u64::from(self.0));
        }
    }

    /// Reads what is left of a key.
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        if reader.is_empty() {
            return Ok(Self::FIRST);
        }
        let part = u16::try_from(reader.unsigned()?).ok().and_then(Self::new);
        part.filter(|part| *part != Self::FIRST).ok_or(ReadFault::BadNumber)
    }
}

/// One part of what is written about a household's lots of a season. The harvest book, the receipt book and the case book of
/// the same part belong together: receipts and decisions stand in the part that their lot stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Book {
    /// The household.
    pub household: HouseholdId,
    /// The season.
    pub season: Season,
    /// The part.
    pub part: Part,
}

impl Book {
    /// The first part of a household's season.
    pub fn first(household: HouseholdId, season: Season) -> Self {
        Self { household, season, part: Part::FIRST }
    }

    /// Another part of the same household and season.
    pub fn at(self, part: Part) -> Self {
        Self { part, ..self }
    }

    /// The season and part as text: `2026`, or `2026-2` for its second part.
    pub fn season_and_part(self) -> String {
        match self.part {
            Part::FIRST => self.season.year().to_string(),
            part => format!("{}-{}", self.season.year(), part.number()),
        }
    }

    /// The book of a household that [`Self::season_and_part`] names; none for any other text.
    pub fn named(household: HouseholdId, season_and_part: &str) -> Option<Self> {
        let (year, part) = season_and_part.split_once('-').unwrap_or((season_and_part, "1"));
        let (season, part) = (Season::new(year.parse().ok()?)?, Part::new(part.parse().ok()?)?);
        Some(Self { household, season, part }).filter(|book| book.season_and_part() == season_and_part)
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.household.as_bytes());
        write_unsigned(out, u64::from(self.season.0));
        self.part.write(out);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, ReadFault> {
        let (household, season) = (HouseholdId::from_bytes(reader.array()?), read_season(reader)?);
        Ok(Self { household, season, part: Part::read(reader)? })
    }
}

fn read_season(reader: &mut Reader<'_>) -> Result<Season, ReadFault> {
    u16::try_from(reader.unsigned()?).ok().and_then(Season::new).ok_or(ReadFault::BadNumber)
}
