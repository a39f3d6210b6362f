//! Weights, money, moisture, days and instants. All are integers and checked on construction, so every value of these types
//! is valid.

mod chinese;
mod delta;
mod serial;
mod shown;
mod spoken;
mod text;
pub mod typed;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use delta::{FenDelta, GramsDelta};
pub use shown::{decimal, grouped};
pub use spoken::{SpokenCode, SpokenFault};
pub use text::{TextField, checked_text, is_hidden, one_line, optional_text, with_plain_lines};

/// A quantity is outside what its type allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityFault {
    /// A weight is not between 1 g and 1,000 t.
    #[error("a weight must be between 1 g and 1,000 t; this one is {} kg", decimal(*.0, 1000))]
    Grams(i64),
    /// An amount of money is not between ¥0 and ¥1,000,000,000.
    #[error("an amount of money must be between ¥0 and ¥1,000,000,000; this one is {0} fen")]
    Fen(i64),
    /// A difference of weights is more than 1,000 t either way.
    #[error("a difference of weights must be between -1,000 t and 1,000 t; this one is {0} g")]
    GramsDelta(i64),
    /// A difference of amounts of money is more than ¥1,000,000,000 either way.
    #[error("a difference of money must be between -¥1,000,000,000 and ¥1,000,000,000; this one is {0} fen")]
    FenDelta(i64),
    /// A share is not between 0 and 1,000 permille.
    #[error("a moisture must be between 0 and 1,000 permille; this one is {0}")]
    Permille(i64),
    /// A text is no day of the calendar.
    #[error("{0:?} is not a day written as year-month-day, such as 2026-10-03")]
    Day(String),
    /// A text is missing.
    #[error("{0} is missing")]
    TextMissing(TextField),
    /// A text is too long.
    #[error("{0} has at most {most} characters", most = .0.most())]
    TextTooLong(TextField),
    /// A text has control characters.
    #[error("{0} has characters that can't be shown")]
    TextUnreadable(TextField),
}

impl QuantityFault {
    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Grams(_) | Self::GramsDelta(_) => "weight-out-of-range",
            Self::Fen(_) | Self::FenDelta(_) => "money-out-of-range",
            Self::Permille(_) => "share-out-of-range",
            Self::Day(_) => "not-a-day",
            Self::TextMissing(_) => "text-missing",
            Self::TextTooLong(_) => "text-too-long",
            Self::TextUnreadable(_) => "text-unreadable",
        }
    }

    /// The name of the field that is wrong, for programs.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Grams(_) | Self::GramsDelta(_) => "weight",
            Self::Fen(_) | Self::FenDelta(_) => "money",
            Self::Permille(_) => "moisture",
            Self::Day(_) => "day",
            Self::TextMissing(field) | Self::TextTooLong(field) | Self::TextUnreadable(field) => field.code(),
        }
    }
}

/// A weight in grams, 1 to 1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Grams(u32);

impl Grams {
    const MOST: i64 = 1_000_000_000;

    /// Checks a weight in grams.
    pub fn new(grams: i64) -> Result<Self, QuantityFault> {
        match u32::try_from(grams) {
            Ok(inside) if (1..=Self::MOST).contains(&grams) => Ok(Self(inside)),
            _ => Err(QuantityFault::Grams(grams)),
        }
    }

    /// The weight in grams.
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }
}

impl fmt::Display for Grams {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} kg", decimal(self.get(), 1000))
    }
}

/// An amount of money in fen (¥0.01), never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Fen(u64);

impl Fen {
    const MOST: i64 = 100_000_000_000;

    /// Checks an amount in fen.
    pub fn new(fen: i64) -> Result<Self, QuantityFault> {
        match u64::try_from(fen) {
            Ok(inside) if fen <= Self::MOST => Ok(Self(inside)),
            _ => Err(QuantityFault::Fen(fen)),
        }
    }

    /// What this many grams are worth at this price of a kilogram, in fen, rounded; none where it is too much for a number.
    pub fn for_grams(self, grams: i64) -> Option<i64> {
        grams.checked_mul(self.get())?.checked_add(500)?.checked_div(1_000)
    }

    /// The amount in fen.
    pub fn get(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Fen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "¥{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A share in thousandths, 0 to 1,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Permille(u16);

impl Permille {
    /// Nothing of it.
    pub const NONE: Self = Self(0);

    /// Checks a share in thousandths.
    pub fn new(permille: i64) -> Result<Self, QuantityFault> {
        match u16::try_from(permille) {
            Ok(inside) if inside <= 1000 => Ok(Self(inside)),
            _ => Err(QuantityFault::Permille(permille)),
        }
    }

    /// The share in thousandths.
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }
}

/// A day of the calendar, as the villager who wrote it meant it; no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// The day of this year, month and day.
    pub fn new(year: i16, month: i8, day: i8) -> Result<Self, QuantityFault> {
        jiff::civil::Date::new(year, month, day)
            .map(Self)
            .map_err(|_| QuantityFault::Day(format!("{year}-{month}-{day}")))
    }

    /// The day that this instant falls on in China, where the co-operatives are (UTC+8).
    pub fn in_china(instant: Instant) -> Self {
        let offset = jiff::tz::Offset::constant(8);
        Self(offset.to_datetime(instant.timestamp()).date())
    }

    /// The moment at which this day begins in China.
    pub fn begins_in_china(self) -> Instant {
        let midnight = self.0.at(0, 0, 0, 0);
        let offset = jiff::tz::Offset::constant(8);
        Instant(offset.to_timestamp(midnight).map_or(0, jiff::Timestamp::as_millisecond))
    }

    /// The year of the calendar.
    pub fn year(self) -> i16 {
        self.0.year()
    }

    /// The month of the calendar, 1 to 12.
    pub fn month(self) -> i8 {
        self.0.month()
    }

    /// This many days later, or earlier when negative; the last day of the calendar when past it.
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().try_days(days).unwrap_or_default()))
    }

    /// How many days it is after `earlier`; negative when it is before.
    pub fn days_since(self, earlier: Self) -> i64 {
        earlier.0.until(self.0).map_or(0, |span| i64::from(span.get_days()))
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for Day {
    type Err = QuantityFault;

    fn from_str(text: &str) -> Result<Self, QuantityFault> {
        let fault = || QuantityFault::Day(text.chars().take(40).collect());
        if text.len() != 10 {
            return Err(fault());
        }
        text.parse().map(Self).map_err(|_| fault())
    }
}

/// A moment in UTC, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Instant(pub i64);

impl Instant {
    /// The moment of this many seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The moment of this many milliseconds since 1970, as somebody outside tells of it: between the years 2020 and 2099, none
    /// for any other.
    pub fn told(millis: i64) -> Option<Self> {
        const TOLD: std::ops::Range<i64> = 1_577_836_800_000..4_102_444_800_000;
        TOLD.contains(&millis).then_some(Self(millis))
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Milliseconds from `earlier` to this moment; 0 when it is later than this one.
    pub fn millis_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// This many milliseconds later.
    pub fn plus_millis(self, millis: u64) -> Self {
        Self(self.0.saturating_add(i64::try_from(millis).unwrap_or(i64::MAX)))
    }

    /// As people in China write it (UTC+8), to the minute: `2026-10-03 14:05`.
    pub fn in_china(self) -> String {
        jiff::tz::Offset::constant(8).to_datetime(self.timestamp()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timestamp = jiff::Timestamp::from_second(self.seconds()).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        timestamp.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_display_as_people_write_them() {
        assert_eq!(Grams::new(12_500).unwrap().to_string(), "12.5 kg");
        assert_eq!(Fen::new(1_205).unwrap().to_string(), "¥12.05");
        assert_eq!("2026-10-03".parse::<Day>().unwrap().plus_days(30).to_string(), "2026-11-02");
        assert_eq!(Day::in_china(Instant::from_seconds(1_790_000_000)).to_string(), "2026-09-21");
    }

    #[test]
    fn quantities_out_of_range_are_rejected() {
        assert!(Grams::new(0).is_err());
        assert!(Grams::new(-5).is_err());
        assert!(Grams::new(1_000_000_001).is_err());
        assert!(Fen::new(-1).is_err());
        assert!(Permille::new(1001).is_err());
        assert!("2026-02-30".parse::<Day>().is_err());
    }
}
