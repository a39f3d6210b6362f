//! Weights, prices and moistures as people type them: `12.5`, `12,5`, `１２．５`, `25斤`, `1,250 kg`, `¥12.40`. One parser for the
//! console, imports and the terminal. What has two readings is asked back, never guessed.
//!
//! | written | read as |
//! |---|---|
//! | a point | the decimal sign |
//! | a comma before one or two last digits, or after a lone 0 | the decimal sign |
//! | commas before groups of exactly three digits | thousands |
//! | anything else with two readings | [`TypedFault::Ambiguous`] |

use super::{Fen, Grams, GramsDelta, Permille, QuantityFault, decimal};
use crate::words::Language;

/// Digits of a number at most; more are out of every range.
const DIGITS_MAX: usize = 15;

/// Why a typed quantity could not be taken as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TypedFault {
    /// Nothing was typed.
    #[error("nothing is typed here; write it like 12.5")]
    Nothing,
    /// The text is no number.
    #[error("\"{text}\" is no number; write it like 12.5")]
    NotANumber {
        /// What was typed.
        text: String,
    },
    /// The number can be read in two ways. Ask which.
    #[error("\"{text}\" is not clear: write {} or {}", .readings[0], .readings[1])]
    Ambiguous {
        /// What was typed.
        text: String,
        /// Both readings, without separators of thousands.
        readings: [String; 2],
    },
    /// What stands beside the number is no unit that is known here.
    #[error("\"{unit}\" in \"{text}\" is no unit that is known here")]
    UnknownUnit {
        /// What was typed.
        text: String,
        /// What stands where the unit should.
        unit: String,
    },
    /// The number has parts smaller than what is counted: a gram, a fen, a tenth of a percent.
    #[error("\"{text}\" would be parts of {}", .smallest.english())]
    TooFine {
        /// What was typed.
        text: String,
        /// The smallest part.
        smallest: Smallest,
    },
    /// The value is outside what its type allows.
    #[error(transparent)]
    OutOfRange(#[from] QuantityFault),
}

/// The smallest part of a quantity that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smallest {
    /// Of a weight.
    Gram,
    /// Of an amount of money.
    Fen,
    /// Of a moisture: a tenth of a percent.
    Permille,
}

impl Smallest {
    /// Its name in English.
    pub fn english(self) -> &'static str {
        match self {
            Self::Gram => "a gram; is its unit missing, as in 12.5kg?",
            Self::Fen => "a fen (¥0.01)",
            Self::Permille => "a tenth of a percent",
        }
    }
}

impl TypedFault {
    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing-typed",
            Self::NotANumber { .. } => "not-a-number",
            Self::Ambiguous { .. } => "ambiguous",
            Self::UnknownUnit { .. } => "unknown-unit",
            Self::TooFine { .. } => "too-fine",
            Self::OutOfRange(fault) => fault.code(),
        }
    }
}

/// A unit of weight that people write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightUnit {
    /// 1 g.
    Gram,
    /// 斤, 500 g.
    Jin,
    /// 1,000 g.
    Kilogram,
}

impl WeightUnit {
    fn grams(self) -> i64 {
        match self {
            Self::Gram => 1,
            Self::Jin => 500,
            Self::Kilogram => 1_000,
        }
    }

    /// The unit of this code, `g`, `jin` or `kg`, as people choose it in an app.
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Gram, Self::Jin, Self::Kilogram].into_iter().find(|unit| unit.name(Language::English) == code)
    }

    /// Its name beside a figure.
    pub fn name(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Gram, Language::English) => "g",
            (Self::Gram, Language::Chinese) => "克",
            (Self::Jin, Language::English) => "jin",
            (Self::Jin, Language::Chinese) => "斤",
            (Self::Kilogram, Language::English) => "kg",
            (Self::Kilogram, Language::Chinese) => "公斤",
        }
    }

    /// A weight as a figure in this unit, without its name.
    pub fn figure(self, weight: Grams) -> String {
        decimal(weight.get(), self.grams().unsigned_abs())
    }
}

/// The unit in which a weight was typed, where that is one in which weights are shown.
pub fn unit_of(text: &str) -> Option<WeightUnit> {
    let (_, unit) = Number::read(text).ok()?;
    let grams = spelled(&WEIGHTS, &unit)?;
    [WeightUnit::Jin, WeightUnit::Kilogram].into_iter().find(|unit| unit.grams() == grams)
}

/// Spellings of units of weight, in small letters, and their grams.
const WEIGHTS: [(&str, i64); 14] = [
    ("kg", 1_000),
    ("kgs", 1_000),
    ("公斤", 1_000),
    ("千克", 1_000),
    ("jin", 500),
    ("斤", 500),
    ("市斤", 500),
    ("两", 50),
    ("g", 1),
    ("克", 1),
    ("公克", 1),
    ("t", 1_000_000),
    ("吨", 1_000_000),
    ("公吨", 1_000_000),
];

/// Spellings of units of money and their fen.
const MONIES: [(&str, i64); 10] = [
    ("", 100),
    ("元", 100),
    ("块", 100),
    ("块钱", 100),
    ("圆", 100),
    ("yuan", 100),
    ("rmb", 100),
    ("cny", 100),
    ("角", 10),
    ("毛", 10),
];

/// A typed weight. `alone` is the unit of a number without one.
pub fn weight(text: &str, alone: WeightUnit) -> Result<Grams, TypedFault> {
    let (number, unit) = Number::read(text)?;
    let grams = match unit.as_str() {
        "" => alone.grams(),
        unit => spelled(&WEIGHTS, unit).ok_or_else(|| unknown(text, unit))?,
    };
    Ok(Grams::new(number.times(grams, text, Smallest::Gram)?)?)
}

/// A typed weight that may be nothing, as of what was counted.
pub fn weight_or_nothing(text: &str, alone: WeightUnit) -> Result<GramsDelta, TypedFault> {
    match Number::read(text)? {
        (Number { digits: 0, .. }, unit) if unit.is_empty() || spelled(&WEIGHTS, &unit).is_some() => {
            Ok(GramsDelta::ZERO)
        }
        _ => Ok(weight(text, alone)?.into()),
    }
}

/// A typed price of a kilogram, such as `7.60`, `¥7.60`, `7.6元` or `3.8元/斤`.
pub fn price_per_kilogram(text: &str) -> Result<Fen, TypedFault> {
    let (number, unit) = Number::read(text)?;
    let (money, per) = unit.split_once('/').unwrap_or((&unit, "kg"));
    let fen = spelled(&MONIES, money.trim()).ok_or_else(|| unknown(text, &unit))?;
    let grams = spelled(&WEIGHTS, per.trim()).ok_or_else(|| unknown(text, &unit))?;
    let for_grams = number.times(fen.saturating_mul(1_000), text, Smallest::Fen)?;
    if for_grams % grams == 0 { Ok(Fen::new(for_grams / grams)?) } else { Err(too_fine(text, Smallest::Fen)) }
}

/// A typed amount of money, as of a pack. A number without a unit is in yuan.
pub fn money(text: &str) -> Result<Fen, TypedFault> {
    let (number, unit) = Number::read(text)?;
    let fen = spelled(&MONIES, unit.trim()).ok_or_else(|| unknown(text, &unit))?;
    Ok(Fen::new(number.times(fen, text, Smallest::Fen)?)?)
}

/// A typed moisture. A number without a sign is in percent.
pub fn moisture(text: &str) -> Result<Permille, TypedFault> {
    let (number, unit) = Number::read(text)?;
    let permille = match unit.as_str() {
        "%" | "" => 10,
        "‰" => 1,
        other => return Err(unknown(text, other)),
    };
    Ok(Permille::new(number.times(permille, text, Smallest::Permille)?)?)
}

/// A text as people type it on any keyboard, in its plain letters: full-width signs and the Chinese full stop become ASCII,
/// all kinds of blanks become a blank.
pub fn plain(text: &str) -> String {
    let letter = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => u32::from(letter).checked_sub(0xfee0).and_then(char::from_u32).unwrap_or(letter),
        '。' => '.',
        '￥' => '¥',
        letter if letter.is_whitespace() => ' ',
        letter => letter,
    };
    text.trim().chars().map(letter).collect()
}

fn spelled(spellings: &[(&str, i64)], unit: &str) -> Option<i64> {
    spellings.iter().find(|(spelling, _)| *spelling == unit).map(|(_, worth)| *worth)
}

/// The beginning of what was typed, for a sentence.
fn shown(text: &str) -> String {
    text.trim().chars().take(40).collect()
}

fn unknown(text: &str, unit: &str) -> TypedFault {
    TypedFault::UnknownUnit { text: shown(text), unit: shown(unit) }
}

fn too_fine(text: &str, smallest: Smallest) -> TypedFault {
    TypedFault::TooFine { text: shown(text), smallest }
}

/// A decimal number: `digits` divided by ten to the power of `places`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    digits: i64,
    places: u32,
}

impl Number {
    /// Splits a text into its number and the unit beside it, in small letters.
    fn read(text: &str) -> Result<(Self, String), TypedFault> {
        let plain = plain(text).to_lowercase();
        if plain.is_empty() {
            return Err(TypedFault::Nothing);
        }
        let amount = plain.strip_prefix('¥').unwrap_or(&plain).trim_start();
        let end = amount.find(|letter: char| !matches!(letter, '0'..='9' | '.' | ',')).unwrap_or(amount.len());
        let (number, unit) = amount.split_at_checked(end).unwrap_or((amount, ""));
        Ok((Self::of(number, text)?, unit.trim().to_owned()))
    }

    fn of(number: &str, text: &str) -> Result<Self, TypedFault> {
        let not_a_number = || TypedFault::NotANumber { text: shown(text) };
        let parts: Vec<&str> = number.split(['.', ',']).collect();
        let separators: String = number.chars().filter(|letter| matches!(letter, '.' | ',')).collect();
        let (last, before) = parts.split_last().ok_or_else(not_a_number)?;
        // `.5` has nothing before its decimal sign; nothing else may be empty.
        let only_fraction = parts.len() == 2 && parts.first() == Some(&"");
        if last.is_empty() || (!only_fraction && before.iter().any(|part| part.is_empty())) {
            return Err(not_a_number());
        }
        let whole = before.concat();
        if whole.len().saturating_add(last.len()) > DIGITS_MAX {
            return Err(not_a_number());
        }
        let decimal = || Self::from_parts(&whole, last).ok_or_else(not_a_number);
        let integer = || Self::from_parts(&format!("{whole}{last}"), "").ok_or_else(not_a_number);
        match separators.as_str() {
            "" => integer(),
            "." => decimal(),
            "," if last.len() <= 2 || matches!(whole.as_str(), "" | "0") => decimal(),
            commas if commas.bytes().all(|sign| sign == b',') && are_thousands(&parts) => integer(),
            // `1,250.5`: commas, then one point.
            mixed if mixed.find('.') == mixed.len().checked_sub(1) && are_thousands(before) => decimal(),
            _ => Err(TypedFault::Ambiguous {
                text: shown(text),
                readings: [format!("{whole}.{last}"), format!("{whole}{last}")],
            }),
        }
    }

    fn from_parts(whole: &str, fraction: &str) -> Option<Self> {
        let digits = format!("0{whole}{fraction}").parse().ok()?;
        Some(Self { digits, places: u32::try_from(fraction.len()).ok()? })
    }

    /// This number of things that count `each`; fails when that is no whole number.
    fn times(self, each: i64, text: &str, smallest: Smallest) -> Result<i64, TypedFault> {
        let (digits, each) = (i128::from(self.digits), i128::from(each));
        let scale = 10i128.checked_pow(self.places).unwrap_or(i128::MAX);
        let counted = digits.saturating_mul(each);
        if counted % scale != 0 {
            return Err(too_fine(text, smallest));
        }
        Ok(i64::try_from(counted / scale).unwrap_or(i64::MAX))
    }
}

/// True for `1` `250` `000`: one to three digits that don't begin with 0, then groups of three.
fn are_thousands(groups: &[&str]) -> bool {
    match groups.split_first() {
        Some((first, rest)) => {
            (1..=3).contains(&first.len()) && !first.starts_with('0') && rest.iter().all(|group| group.len() == 3)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests;
