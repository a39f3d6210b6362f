//! Codes that people read out and type: twelve letters, such as 7KQ2-M9XT-4B0F, with a check letter that finds every single wrong
//! letter and every two that changed places.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Digits and capitals without I, L, O and U, which are misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code before its check letter: 55 bits.
const LETTERS: usize = 11;
/// Letters of a group, as it is printed.
const GROUP: usize = 4;
const NUMBER_MAX: u64 = (1 << (5 * LETTERS)) - 1;

/// A number of 55 bits, written as a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpokenCode(u64);

/// Why a text is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpokenFault {
    /// It has another form.
    Form,
    /// It has the right form, but a letter is wrong or two have changed places.
    Misread,
}

impl SpokenCode {
    /// The code of the lowest 55 bits of a number.
    pub const fn of(number: u64) -> Self {
        Self(number & NUMBER_MAX)
    }

    /// Its number, below 2^55.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The numbers whose codes begin as this text does, written as a code may be; none for a text that is no beginning, or one of
    /// fewer letters than a group has.
    pub fn beginning(text: &str) -> Option<RangeInclusive<u64>> {
        let letters = text.trim().chars().filter(|letter| !matches!(letter, '-' | ' '));
        let values = letters.map(letter_value).take(LETTERS + 2).collect::<Option<Vec<u8>>>()?;
        if !(GROUP..=LETTERS + 1).contains(&values.len()) {
            return None;
        }
        // The check letter says nothing of its own.
        let known = values.iter().take(LETTERS);
        let bits_left = 5 * LETTERS.saturating_sub(known.len());
        let first = known.fold(0u64, |number, value| (number << 5) | u64::from(*value)) << bits_left;
        Some(first..=first | ((1u64 << bits_left) - 1))
    }

    fn values(self) -> impl Iterator<Item = u8> {
        (0..LETTERS).rev().map(move |place| u8::try_from((self.0 >> (5 * place)) & 31).unwrap_or(0))
    }
}

impl fmt::Display for SpokenCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = times_x(self.values().fold(0, add_letter));
        for (place, value) in self.values().chain([check]).enumerate() {
            if place > 0 && place % GROUP == 0 {
                formatter.write_str("-")?;
            }
            let letter = ALPHABET.get(usize::from(value)).copied().unwrap_or(b'0');
            write!(formatter, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

impl FromStr for SpokenCode {
    type Err = SpokenFault;

    /// Reads capitals and small letters, with or without hyphens and spaces, and takes O for 0 and I or L for 1.
    fn from_str(text: &str) -> Result<Self, SpokenFault> {
        let mut values = Vec::with_capacity(LETTERS.saturating_add(1));
        for letter in text.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
            let value = letter_value(letter).filter(|_| values.len() <= LETTERS);
            values.push(value.ok_or(SpokenFault::Form)?);
        }
        if values.len() != LETTERS.saturating_add(1) {
            return Err(SpokenFault::Form);
        }
        if values.iter().copied().fold(0, add_letter) != 0 {
            return Err(SpokenFault::Misread);
        }
        Ok(Self(values.iter().take(LETTERS).fold(0u64, |number, value| (number << 5) | u64::from(*value))))
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

    proptest! {
        #[test]
        fn one_wrong_letter_is_found(number: u64, place in 0usize..12, by in 1usize..32) {
            let mut letters: Vec<u8> = SpokenCode::of(number).to_string().replace('-', "").into_bytes();
            let value = ALPHABET.iter().position(|letter| *letter == letters[place]).unwrap();
            letters[place] = ALPHABET[(value + by) % 32];
            prop_assert_eq!(String::from_utf8(letters).unwrap().parse::<SpokenCode>(), Err(SpokenFault::Misread));
        }

        #[test]
        fn beginning_of_a_code_has_its_number_and_no_other_beginning(number: u64, other: u64, letters in 4usize..=12) {
            let code = SpokenCode::of(number);
            let typed: String = code.to_string().replace('-', "").to_lowercase().chars().take(letters).collect();
            let range = SpokenCode::beginning(&typed).unwrap();
            prop_assert!(range.contains(&code.number()));
            let is_alike = SpokenCode::of(other).to_string().replace('-', "").starts_with(&typed.to_uppercase());
            prop_assert!(!is_alike || range.contains(&SpokenCode::of(other).number()));
            prop_assert_eq!(*range.end() - *range.start() + 1, 1u64 << (5 * 11usize.saturating_sub(letters)));
        }

        #[test]
        fn two_letters_that_changed_places_are_found(number: u64, one in 0usize..12, other in 0usize..12) {
            let code = SpokenCode::of(number);
            let mut letters: Vec<u8> = code.to_string().replace('-', "").into_bytes();
            letters.swap(one, other);
            let text = String::from_utf8(letters).unwrap();
            match text.parse::<SpokenCode>() {
                Ok(read) => prop_assert!(read == code && text == code.to_string().replace('-', "")),
                Err(fault) => prop_assert_eq!(fault, SpokenFault::Misread),
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,40}") {
            if let Ok(code) = text.parse::<SpokenCode>() {
                prop_assert_eq!(code.to_string().parse(), Ok(code));
            }
        }
    }
}
