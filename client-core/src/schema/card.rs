//! The number on a household's printed card. It follows from the household's id, so every device finds the household by it without a
//! line, and it says nothing of anybody.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, digest};

use crate::ids::HouseholdId;
use crate::words::Words;

/// Digits of a number. Of a hundred million numbers a co-operative has some hundreds, so a mistyped one is hardly ever another
/// household's.
const DIGITS: usize = 8;
const NUMBERS: u64 = 100_000_000;

/// The number on a household's card: eight digits, typed on a phone's keyboard or scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CardNumber(u32);

impl CardNumber {
    /// The number of a household.
    pub fn of(household: HouseholdId) -> Self {
        let hash = digest(&SHA256, household.as_bytes());
        let sum = hash.as_ref().iter().take(7).fold(0u64, |sum, byte| (sum << 8) | u64::from(*byte));
        // Below the modulus, which fits.
        Self(u32::try_from(sum % NUMBERS).unwrap_or(0))
    }

    /// The number as it stands in a link: eight digits together.
    pub fn digits(self) -> String {
        format!("{:08}", self.0)
    }
}

/// In two groups, as it is printed.
impl fmt::Display for CardNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04} {:04}", self.0 / 10_000, self.0 % 10_000)
    }
}

/// A text is no card's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no card's number: it has eight digits")]
pub struct CardFault;

impl Words for CardFault {
    fn chinese(&self) -> String {
        "这不是卡片上的号码：号码是八位数字".to_owned()
    }
}

/// As a person types it, or as a card's QR says it: at the end of a link.
impl FromStr for CardNumber {
    type Err = CardFault;

    fn from_str(text: &str) -> Result<Self, CardFault> {
        let end = text.rsplit(['/', '#', ':']).next().unwrap_or(text);
        let mut number = 0u32;
        let mut digits = 0usize;
        for letter in end.trim().chars().filter(|letter| !matches!(letter, ' ' | '-' | '\u{3000}' | '\u{a0}')) {
            let digit = match letter {
                // As a Chinese keyboard writes them.
                '０'..='９' => u32::from(letter).checked_sub(u32::from('０')),
                _ => letter.to_digit(10),
            };
            digits = digits.saturating_add(1);
            let next = digit.filter(|_| digits <= DIGITS).and_then(|digit| number.checked_mul(10)?.checked_add(digit));
            number = next.ok_or(CardFault)?;
        }
        if digits == DIGITS { Ok(Self(number)) } else { Err(CardFault) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn number_is_read_as_it_is_printed_typed_and_scanned() {
        let number = CardNumber::of(HouseholdId::from_bytes([7; 16]));
        let digits = number.digits();
        assert_eq!(digits.len(), 8);
        let wide: String = digits.chars().map(|digit| char::from_u32(u32::from(digit) + 0xfee0).unwrap()).collect();
        for text in [
            number.to_string(),
            format!(" {}-{} ", &digits[..4], &digits[4..]),
            wide,
            format!("https://coop.example:8443/app/#/for/{digits}"),
            format!("granary-card:{digits}"),
        ] {
            assert_eq!(text.parse(), Ok(number), "{text}");
        }
        for text in ["", "1234", "123456789", "1234 567a", "granary://host/7KQ2-M9XT-4B0C", "https://host/12345678/x"] {
            assert_eq!(text.parse::<CardNumber>(), Err(CardFault), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            if let Ok(number) = text.parse::<CardNumber>() {
                prop_assert_eq!(number.to_string().parse(), Ok(number));
            }
        }

        #[test]
        fn numbers_of_households_are_read_again(bytes: [u8; 16]) {
            let number = CardNumber::of(HouseholdId::from_bytes(bytes));
            prop_assert_eq!(number.digits().parse(), Ok(number));
        }
    }
}
