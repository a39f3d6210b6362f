//! Who may read and write which document. Permission is by document and is decided from the
//! document's key alone, so the server and the phone decide alike and load nothing for it.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::ids::HouseholdId;
use crate::schema::{DocumentKey, DocumentKind};
use crate::words::Words;

/// What a device is to its co-operative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Answers for the co-operative's money; reads and writes every document.
    #[serde(rename = "c")]
    Coordinator,
    /// Weighs, packs and ships.
    #[serde(rename = "p")]
    Packer,
    /// A member of this household.
    #[serde(rename = "h")]
    Household(HouseholdId),
}

impl Role {
    /// True when the role lets a device read this document.
    pub fn may_read(self, key: &DocumentKey) -> bool {
        match (self, key.kind()) {
            (Self::Coordinator, _) | (_, DocumentKind::Cooperative | DocumentKind::Catalogue) => true,
            (
                Self::Packer,
                DocumentKind::HarvestBook | DocumentKind::ReceiptBook | DocumentKind::Order | DocumentKind::Buyer,
            ) => true,
            (Self::Packer, DocumentKind::Household) | (_, DocumentKind::CaseBook) => false,
            (Self::Household(household), _) => key.household() == Some(household),
        }
    }

    /// True when the role lets a device write this document.
    pub fn may_write(self, key: &DocumentKey) -> bool {
        match (self, key.kind()) {
            (Self::Coordinator, _) => true,
            (Self::Packer, DocumentKind::ReceiptBook | DocumentKind::Order | DocumentKind::Buyer) => true,
            (Self::Household(household), DocumentKind::Household | DocumentKind::HarvestBook) => {
                key.household() == Some(household)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Coordinator => formatter.write_str("coordinator"),
            Self::Packer => formatter.write_str("packer"),
            Self::Household(household) => write!(formatter, "household:{household}"),
        }
    }
}

impl Words for Role {
    fn chinese(&self) -> String {
        match self {
            Self::Coordinator => "协调员".to_owned(),
            Self::Packer => "打包员".to_owned(),
            Self::Household(household) => format!("农户 {household}"),
        }
    }
}

/// A text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: give coordinator, packer or household:ID")]
pub struct RoleFault(String);

impl Words for RoleFault {
    fn chinese(&self) -> String {
        format!("“{}”不是身份：请写 coordinator、packer 或 household:ID", self.0)
    }
}

impl FromStr for Role {
    type Err = RoleFault;

    fn from_str(text: &str) -> Result<Self, RoleFault> {
        match text {
            "coordinator" => Ok(Self::Coordinator),
            "packer" => Ok(Self::Packer),
            other => other
                .strip_prefix("household:")
                .and_then(|household| household.parse().ok())
                .map(Self::Household)
                .ok_or_else(|| RoleFault(text.chars().take(80).collect())),
        }
    }
}

/// All that a device was granted, with the version that rises by one at each change of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize_tuple, Deserialize_tuple)]
pub struct Grants {
    /// Rises by one at each change; 0 is 'nothing granted yet'.
    pub version: u32,
    /// The roles; a document may be read or written when one of them allows it.
    pub roles: BTreeSet<Role>,
}

impl Grants {
    /// True when the device may read this document.
    pub fn may_read(&self, key: &DocumentKey) -> bool {
        self.roles.iter().any(|role| role.may_read(key))
    }

    /// True when the device may write this document.
    pub fn may_write(&self, key: &DocumentKey) -> bool {
        self.roles.iter().any(|role| role.may_write(key))
    }

    /// True when one of the roles is coordinator.
    pub fn is_coordinator(&self) -> bool {
        self.roles.contains(&Role::Coordinator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Book, Season};

    #[test]
    fn only_packers_and_coordinators_write_receipts() {
        let household = HouseholdId::from_bytes([1; 16]);
        let receipts = DocumentKey::ReceiptBook(Book::first(household, Season::new(2026).unwrap()));
        assert!(Role::Household(household).may_read(&receipts));
        assert!(!Role::Household(household).may_write(&receipts));
        assert!(Role::Packer.may_write(&receipts));
        assert!(Role::Coordinator.may_write(&receipts));
    }

    #[test]
    fn household_reads_no_other_household() {
        let own = HouseholdId::from_bytes([1; 16]);
        let other = HouseholdId::from_bytes([2; 16]);
        let season = Season::new(2026).unwrap();
        for key in [
            DocumentKey::Household(other),
            DocumentKey::HarvestBook(Book::first(other, season)),
            DocumentKey::ReceiptBook(Book::first(other, season)),
            DocumentKey::CaseBook(Book::first(own, season)),
            DocumentKey::CaseBook(Book::first(other, season)),
        ] {
            assert!(!Role::Household(own).may_read(&key));
            assert!(!Role::Household(own).may_write(&key));
        }
    }
}
