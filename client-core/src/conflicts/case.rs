//! A case: one conflict, under a name that is the same on every replica.

use std::fmt;
use std::str::FromStr;

use crate::ids::HouseholdId;
use crate::schema::{DocumentKey, LotId, Season};

/// Names a case. The lots of one case are of one household's season.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CaseId {
    /// A field of a lot has concurrent values: `field/LOT/NAME`.
    Field(LotId, String),
    /// Two lots look like one harvest: `twice/LOT/LOT`, the older first.
    Twice(LotId, LotId),
    /// The warehouse weighed more than was recorded: `weight/LOT`.
    Weight(LotId),
    /// The receipt of a lot was written at once with another that says otherwise: `receipt/LOT`.
    Receipt(LotId),
}

impl CaseId {
    /// The lot that the case is about; of two, the older.
    pub fn lot(&self) -> &LotId {
        match self {
            Self::Field(lot, _) | Self::Twice(lot, _) | Self::Weight(lot) | Self::Receipt(lot) => lot,
        }
    }

    /// The lots that the case is about.
    pub fn lots(&self) -> Vec<&LotId> {
        match self {
            Self::Twice(first, second) => vec![first, second],
            other => vec![other.lot()],
        }
    }

    /// The book that settles it.
    pub fn book(&self) -> DocumentKey {
        match self {
            Self::Receipt(lot) => lot.receipt_book(),
            other => other.lot().book(),
        }
    }

    /// The name among the cases of the household's season, as the case book has it.
    pub fn season_name(&self) -> String {
        match self {
            Self::Field(lot, field) => format!("field/{}/{field}", lot.season_name()),
            Self::Twice(first, second) => format!("twice/{}/{}", first.season_name(), second.season_name()),
            Self::Weight(lot) => format!("weight/{}", lot.season_name()),
            Self::Receipt(lot) => format!("receipt/{}", lot.season_name()),
        }
    }

    /// Reads [`Self::season_name`] in a document of this household and season.
    pub fn from_season_name(household: HouseholdId, season: Season, name: &str) -> Result<Self, CaseFault> {
        let lot = |text: &str| LotId::from_season_name(household, season, text).ok_or(CaseFault);
        match *name.split('/').collect::<Vec<_>>() {
            ["field", name, field] if crate::schema::harvest::FIELDS.contains(&field) => {
                Ok(Self::Field(lot(name)?, field.to_owned()))
            }
            ["twice", first, second] => Ok(Self::Twice(lot(first)?, lot(second)?)),
            ["weight", name] => Ok(Self::Weight(lot(name)?)),
            ["receipt", name] => Ok(Self::Receipt(lot(name)?)),
            _ => Err(CaseFault),
        }
    }
}

/// The whole name: `HOUSEHOLD/SEASON/`, then [`CaseId::season_name`].
impl fmt::Display for CaseId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lot = self.lot();
        write!(formatter, "{}/{}/{}", lot.household(), lot.season().year(), self.season_name())
    }
}

/// A text names no case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such case")]
pub struct CaseFault;

impl FromStr for CaseId {
    type Err = CaseFault;

    fn from_str(text: &str) -> Result<Self, CaseFault> {
        let mut parts = text.splitn(3, '/');
        let household = parts.next().and_then(|part| part.parse().ok()).ok_or(CaseFault)?;
        let season = parts.next().and_then(|part| part.parse().ok()).and_then(Season::new).ok_or(CaseFault)?;
        Self::from_season_name(household, season, parts.next().ok_or(CaseFault)?)
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
        let (household, season) = (HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
        let lot = |key: &str| LotId::from_season_name(household, season, key).unwrap();
        let (one, two) = (lot("7@0102"), lot("9@0304"));
        for case in [
            CaseId::Field(one.clone(), "grams".into()),
            CaseId::Twice(one.clone(), two),
            CaseId::Weight(one.clone()),
            CaseId::Receipt(one.clone()),
        ] {
            assert_eq!(CaseId::from_season_name(household, season, &case.season_name()), Ok(case.clone()));
            assert_eq!(case.to_string().parse(), Ok(case));
        }
        assert!(CaseId::from_season_name(household, season, "field/7@0102/colour").is_err());
        assert!("weight/7@0102".parse::<CaseId>().is_err(), "of which household?");
    }
}
