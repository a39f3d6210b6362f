//! Signed weights and amounts: corrections, balances, differences.

use std::fmt;
use std::ops::Neg;

use serde::Serialize;

use super::{Fen, Grams, QuantityFault, decimal};

/// A difference of weights in grams, −1,000,000,000 to 1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct GramsDelta(i32);

impl GramsDelta {
    /// No difference.
    pub const ZERO: Self = Self(0);
    const MOST: i64 = Grams::MOST;

    /// Checks a difference in grams.
    pub fn new(grams: i64) -> Result<Self, QuantityFault> {
        match i32::try_from(grams) {
            Ok(inside) if (-Self::MOST..=Self::MOST).contains(&grams) => Ok(Self(inside)),
            _ => Err(QuantityFault::GramsDelta(grams)),
        }
    }

    /// The difference in grams.
    pub fn get(self) -> i64 {
        i64::from(self.0)
    }

    /// The sum of two differences; an error where it is out of range.
    pub fn plus(self, other: Self) -> Result<Self, QuantityFault> {
        Self::new(self.get().saturating_add(other.get()))
    }

    /// The difference of two; an error where it is out of range.
    pub fn minus(self, other: Self) -> Result<Self, QuantityFault> {
        self.plus(-other)
    }

    /// The weight of a difference that is more than nothing.
    pub fn weight(self) -> Option<Grams> {
        Grams::new(self.get()).ok()
    }
}

impl From<Grams> for GramsDelta {
    fn from(grams: Grams) -> Self {
        Self(i32::try_from(grams.get()).unwrap_or(i32::MAX))
    }
}

impl Neg for GramsDelta {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

/// Such as `-2.5 kg`.
impl fmt::Display for GramsDelta {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} kg", decimal(self.get(), 1000))
    }
}

/// A difference of amounts of money in fen (¥0.01), −¥1,000,000,000 to ¥1,000,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize)]
#[serde(transparent)]
pub struct FenDelta(i64);

impl FenDelta {
    /// No difference.
    pub const ZERO: Self = Self(0);
    const MOST: i64 = Fen::MOST;

    /// Checks a difference in fen.
    pub fn new(fen: i64) -> Result<Self, QuantityFault> {
        match (-Self::MOST..=Self::MOST).contains(&fen) {
            true => Ok(Self(fen)),
            false => Err(QuantityFault::FenDelta(fen)),
        }
    }

    /// The difference in fen.
    pub fn get(self) -> i64 {
        self.0
    }

    /// The sum of two differences; an error where it is out of range.
    pub fn plus(self, other: Self) -> Result<Self, QuantityFault> {
        Self::new(self.0.saturating_add(other.0))
    }

    /// The difference of two; an error where it is out of range.
    pub fn minus(self, other: Self) -> Result<Self, QuantityFault> {
        self.plus(-other)
    }

    /// The amount of a difference that is not below nothing.
    pub fn amount(self) -> Option<Fen> {
        Fen::new(self.0).ok()
    }
}

impl From<Fen> for FenDelta {
    fn from(fen: Fen) -> Self {
        Self(fen.get())
    }
}

impl Neg for FenDelta {
    type Output = Self;

    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

/// Such as `-¥12.05`.
impl fmt::Display for FenDelta {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fen = self.0.unsigned_abs();
        write!(formatter, "{}¥{}.{:02}", if self.0 < 0 { "-" } else { "" }, fen / 100, fen % 100)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn differences_display_as_people_write_them() {
        assert_eq!(GramsDelta::new(-2_500).unwrap().to_string(), "-2.5 kg");
        assert_eq!(GramsDelta::from(Grams::new(2_500).unwrap()).to_string(), "2.5 kg");
        assert_eq!(FenDelta::new(-1_205).unwrap().to_string(), "-¥12.05");
        assert_eq!((-FenDelta::from(Fen::new(5).unwrap())).to_string(), "-¥0.05");
    }

    #[test]
    fn differences_out_of_range_are_rejected() {
        for grams in [1_000_000_001, -1_000_000_001, i64::MIN, i64::MAX] {
            assert_eq!(GramsDelta::new(grams), Err(QuantityFault::GramsDelta(grams)));
        }
        for fen in [100_000_000_001, -100_000_000_001, i64::MIN, i64::MAX] {
            assert_eq!(FenDelta::new(fen), Err(QuantityFault::FenDelta(fen)));
        }
        let most = GramsDelta::new(1_000_000_000).unwrap();
        assert!(most.plus(most).is_err() && most.minus(most) == Ok(GramsDelta::ZERO));
        assert_eq!((GramsDelta::ZERO.weight(), most.weight().map(Grams::get)), (None, Some(1_000_000_000)));
        assert_eq!(FenDelta::new(-1).unwrap().amount(), None);
    }

    proptest! {
        #[test]
        fn sums_and_differences_take_each_other_back(one in -1_000_000_000i64..=1_000_000_000, other in -1_000_000_000i64..=1_000_000_000) {
            let (one, other) = (GramsDelta::new(one).unwrap(), GramsDelta::new(other).unwrap());
            if let Ok(sum) = one.plus(other) {
                prop_assert_eq!(sum.minus(other), Ok(one));
            }
            prop_assert_eq!(-(-one), one);
            let (one, other) = (FenDelta::new(one.get()).unwrap(), FenDelta::new(other.get()).unwrap());
            prop_assert_eq!(one.plus(other).and_then(|sum| sum.minus(other)), Ok(one));
        }
    }
}
