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
    /// Records for the households of some villages that have no phone. By itself it lets a device read what everybody reads; the
    /// server adds a [`Self::RecorderFor`] of each household that is in one of the villages now.
    #[serde(rename = "r")]
    Recorder,
    /// Records for this household. Only the server derives it, from the villages of a [`Self::Recorder`].
    #[serde(rename = "f")]
    RecorderFor(HouseholdId),
}

impl Role {
    /// True when the role lets a device read this document.
    pub fn may_read(self, key: &DocumentKey) -> bool {
        match (self, key.kind()) {
            (Self::Coordinator, _)
            | (_, DocumentKind::Cooperative | DocumentKind::Catalogue | DocumentKind::Stream) => true,
            (
                Self::Packer,
                DocumentKind::HarvestBook
                | DocumentKind::ReceiptBook
                | DocumentKind::Order
                | DocumentKind::Receiver
                | DocumentKind::StockBook,
            ) => true,
            (Self::RecorderFor(household), DocumentKind::HarvestBook | DocumentKind::ReceiptBook) => {
                key.household() == Some(household)
            }
            (
                Self::Household(household),
                DocumentKind::Household | DocumentKind::HarvestBook | DocumentKind::ReceiptBook,
            ) => key.household() == Some(household),
            // How another household is paid, who bought, and what lies in the warehouse, is none of theirs.
            (
                Self::Packer | Self::Recorder | Self::RecorderFor(_) | Self::Household(_),
                DocumentKind::Household
                | DocumentKind::HarvestBook
                | DocumentKind::ReceiptBook
                | DocumentKind::CaseBook
                | DocumentKind::Order
                | DocumentKind::Receiver
                | DocumentKind::StockBook,
            ) => false,
        }
    }

    /// True for a role that the server derives from the villages of a recorder: it is given and taken with them.
    pub fn is_derived(self) -> bool {
        matches!(self, Self::RecorderFor(_))
    }

    /// True when the role lets a device write this document.
    pub fn may_write(self, key: &DocumentKey) -> bool {
        match (self, key.kind()) {
            (Self::Coordinator, _) => true,
            (
                Self::Packer,
                DocumentKind::ReceiptBook | DocumentKind::Order | DocumentKind::Receiver | DocumentKind::StockBook,
            ) => true,
            (Self::Household(household), DocumentKind::Household | DocumentKind::HarvestBook) => {
                key.household() == Some(household)
            }
            (Self::RecorderFor(household), DocumentKind::HarvestBook) => key.household() == Some(household),
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
            Self::Recorder => formatter.write_str("recorder"),
            Self::RecorderFor(household) => write!(formatter, "recorder-for:{household}"),
        }
    }
}

impl Words for Role {
    fn chinese(&self) -> String {
        match self {
            Self::Coordinator => "协调员".to_owned(),
            Self::Packer => "打包员".to_owned(),
            Self::Household(household) => format!("农户 {household}"),
            Self::Recorder => "记录员".to_owned(),
            Self::RecorderFor(household) => format!("为农户 {household} 代记"),
        }
    }
}

/// A text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no role: give coordinator, packer, recorder or household:ID")]
pub struct RoleFault(String);

impl Words for RoleFault {
    fn chinese(&self) -> String {
        format!("“{}”不是身份：请写 coordinator、packer、recorder 或 household:ID", self.0)
    }
}

impl FromStr for Role {
    type Err = RoleFault;

    fn from_str(text: &str) -> Result<Self, RoleFault> {
        match text {
            "coordinator" => Ok(Self::Coordinator),
            "packer" => Ok(Self::Packer),
            "recorder" => Ok(Self::Recorder),
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
        self.roles_about(key).any(|role| role.may_read(key))
    }

    /// True when the device may write this document.
    pub fn may_write(&self, key: &DocumentKey) -> bool {
        self.roles_about(key).any(|role| role.may_write(key))
    }

    /// Those of the roles that may have something to say of this document: a recorder's hundreds are not gone through for each.
    fn roles_about(&self, key: &DocumentKey) -> impl Iterator<Item = Role> {
        let of = key.household();
        let named = [of.map(Role::Household), of.map(Role::RecorderFor), Some(Role::Coordinator), Some(Role::Packer)];
        let held = named.into_iter().flatten().filter(|role| self.roles.contains(role));
        // Any role reads what is about no household in particular.
        held.chain(self.roles.first().copied().filter(|_| of.is_none()))
    }

    /// The households that the device records for without being of them, in the order of their ids.
    pub fn recorded_for(&self) -> impl Iterator<Item = HouseholdId> {
        self.roles.iter().filter_map(|role| match role {
            Role::RecorderFor(household) => Some(*household),
            _ => None,
        })
    }

    /// True when the device may record lots of this household.
    pub fn may_record_for(&self, household: HouseholdId) -> bool {
        [Role::Coordinator, Role::Household(household), Role::RecorderFor(household)]
            .iter()
            .any(|role| self.roles.contains(role))
    }

    /// True for a device that records for the households of villages, also where none lives there now.
    pub fn is_recorder(&self) -> bool {
        self.roles.contains(&Role::Recorder)
    }

    /// True when one of the roles is coordinator.
    pub fn is_coordinator(&self) -> bool {
        self.roles.contains(&Role::Coordinator)
    }
}

/// A household as a recorder's or a packer's phone knows it: by what its card says, without its particulars. The server sends these
/// beside the grants, since neither may read how a household is paid.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize_tuple, Deserialize_tuple)]
pub struct ListedHousehold {
    /// The household.
    pub household: HouseholdId,
    /// Its name; empty for one that nobody named yet.
    pub name: String,
    /// The code of its village.
    pub village: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::{Book, OrderName, Part, Season, StockMonth};

    /// Documents of every kind about this household, or about none.
    fn keys(household: HouseholdId) -> Vec<DocumentKey> {
        let book = Book::first(household, Season::new(2026).unwrap());
        let order = OrderName::of("douyin", "1");
        vec![
            DocumentKey::Cooperative(Part::FIRST),
            DocumentKey::Catalogue(Part::FIRST),
            DocumentKey::Household(household),
            DocumentKey::HarvestBook(book),
            DocumentKey::ReceiptBook(book),
            DocumentKey::CaseBook(book),
            DocumentKey::Order(order.clone()),
            DocumentKey::Receiver(order),
            DocumentKey::StockBook(StockMonth::first("main", 2026, 11).unwrap()),
            DocumentKey::Stream("eleven".parse().unwrap()),
        ]
    }

    #[test]
    fn recorder_has_the_books_of_its_households_and_nothing_else() {
        let (own, other) = (HouseholdId::from_bytes([1; 16]), HouseholdId::from_bytes([2; 16]));
        let grants = Grants { version: 1, roles: [Role::Recorder, Role::RecorderFor(own)].into() };
        let kinds = |of, may: &dyn Fn(&DocumentKey) -> bool| -> Vec<&str> {
            keys(of).iter().filter(|key| may(key)).map(|key| key.kind().name()).collect()
        };
        assert_eq!(
            kinds(own, &|key| grants.may_read(key)),
            ["cooperative", "catalogue", "harvest", "receipts", "stream"]
        );
        assert_eq!(kinds(own, &|key| grants.may_write(key)), ["harvest"]);
        assert_eq!(kinds(other, &|key| grants.may_read(key)), ["cooperative", "catalogue", "stream"]);
        assert!(kinds(other, &|key| grants.may_write(key)).is_empty());
        // Its village has no household yet.
        let empty = Grants { version: 1, roles: [Role::Recorder].into() };
        assert_eq!(kinds(own, &|key| empty.may_read(key)), ["cooperative", "catalogue", "stream"]);
        assert!(kinds(own, &|key| empty.may_write(key)).is_empty());
    }

    fn any_role() -> impl Strategy<Value = Role> {
        let household = || (0u8..4).prop_map(|byte| HouseholdId::from_bytes([byte; 16]));
        prop_oneof![
            Just(Role::Coordinator),
            Just(Role::Packer),
            Just(Role::Recorder),
            household().prop_map(Role::Household),
            household().prop_map(Role::RecorderFor),
        ]
    }

    proptest! {
        /// Grants allow what one of their roles allows, however they find the role; whoever writes may read.
        #[test]
        fn grants_allow_what_one_of_their_roles_allows(
            roles in prop::collection::btree_set(any_role(), 0..6),
            of in 0u8..4,
        ) {
            let grants = Grants { version: 1, roles };
            for key in keys(HouseholdId::from_bytes([of; 16])) {
                prop_assert_eq!(grants.may_read(&key), grants.roles.iter().any(|role| role.may_read(&key)));
                prop_assert_eq!(grants.may_write(&key), grants.roles.iter().any(|role| role.may_write(&key)));
                prop_assert!(!grants.may_write(&key) || grants.may_read(&key));
            }
            let household = HouseholdId::from_bytes([of; 16]);
            let book = DocumentKey::HarvestBook(Book::first(household, Season::new(2026).unwrap()));
            prop_assert_eq!(grants.may_record_for(household), grants.may_write(&book));
        }

        #[test]
        fn role_is_read_as_it_is_written_unless_the_server_derives_it(role in any_role()) {
            prop_assert_eq!(role.to_string().parse::<Role>().ok(), (!role.is_derived()).then_some(role));
            let bytes = crate::protocol::messages::write_message(&role);
            prop_assert_eq!(crate::protocol::messages::read_message::<Role>(&bytes), Ok(role));
        }
    }

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
    fn packers_and_coordinators_have_orders_and_stock_and_everybody_reads_streams() {
        let household = HouseholdId::from_bytes([1; 16]);
        let may = |role: Role, may: &dyn Fn(Role, &DocumentKey) -> bool| -> Vec<&str> {
            let all = keys(household).into_iter().filter(|key| key.household().is_none());
            all.filter(|key| may(role, key)).map(|key| key.kind().name()).collect()
        };
        let (all, trade) =
            (["cooperative", "catalogue", "order", "receiver", "stock", "stream"], ["order", "receiver", "stock"]);
        assert_eq!(may(Role::Coordinator, &Role::may_read), all);
        assert_eq!(may(Role::Coordinator, &Role::may_write), all);
        assert_eq!(may(Role::Packer, &Role::may_read), all);
        assert_eq!(may(Role::Packer, &Role::may_write), trade);
        for role in [Role::Household(household), Role::Recorder, Role::RecorderFor(household)] {
            assert_eq!(may(role, &Role::may_read), ["cooperative", "catalogue", "stream"]);
            assert!(may(role, &Role::may_write).is_empty());
        }
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
