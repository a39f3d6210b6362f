//! A case: one conflict, under a name that is the same on every replica.

use std::fmt;
use std::str::FromStr;

use crate::schema::harvest::LotId;

/// Names a case within a household's season.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaseId {
    /// A field of a lot has concurrent values: `field/LOT/NAME`.
    Field(LotId, String),
    /// Two lots look like one harvest: `twice/LOT/LOT`, the older first.
    Twice(LotId, LotId),
    /// The warehouse weighed more than was recorded: `weight/LOT`.
    Weight(LotId),
}

impl CaseId {
    /// The lot that the case is about; of two, the older.
    pub fn lot(&self) -> &LotId {
        match self {
            Self::Field(lot, _) | Self::Twice(lot, _) | Self::Weight(lot) => lot,
        }
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(lot, field) => write!(formatter, "field/{lot}/{field}"),
            Self::Twice(first, second) => write!(formatter, "twice/{first}/{second}"),
            Self::Weight(lot) => write!(formatter, "weight/{lot}"),
        }
    }
}

/// A text names no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such case")]
pub struct CaseFault;

impl FromStr for CaseId {
    type Err = CaseFault;

    fn from_str(text: &str) -> Result<Self, CaseFault> {
        let lot = |text: &str| text.parse::<LotId>().map_err(|_| CaseFault);
        match *text.split('/').collect::<Vec<_>>() {
            ["field", name, field] if crate::schema::harvest::FIELDS.contains(&field) => {
                Ok(Self::Field(lot(name)?, field.to_owned()))
            }
            ["twice", first, second] => Ok(Self::Twice(lot(first)?, lot(second)?)),
            ["weight", name] => Ok(Self::Weight(lot(name)?)),
            _ => Err(CaseFault),
        }
    }
}

/// The state of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CaseState {
    /// To be decided.
    Open,
    /// Two people settled it concurrently. One value won, and the other person is told.
    SettledTwice,
    /// It was left as it is, with a note.
    Left,
    /// It was settled.
    Settled,
}

impl CaseState {
    /// Its name in rows and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SettledTwice => "twice",
            Self::Left => "left",
            Self::Settled => "settled",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::SettledTwice, Self::Left, Self::Settled].into_iter().find(|state| state.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_round_trips() {
        let (one, two): (LotId, LotId) = ("7@0102".parse().unwrap(), "9@0304".parse().unwrap());
        for case in
            [CaseId::Field(one.clone(), "grams".into()), CaseId::Twice(one.clone(), two), CaseId::Weight(one.clone())]
        {
            assert_eq!(case.to_string().parse(), Ok(case));
        }
        assert!("field/7@0102/colour".parse::<CaseId>().is_err());
    }
}
