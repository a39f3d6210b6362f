//! Document keys. The id is derived from the key (UUID v5), and the first change is byte-identical everywhere, so two phones
//! that create the same document offline converge. Permission is decided from the key, so it is sent with the changes.

use uuid::Uuid;

use crate::crdt::leb128::{ReadFault, Reader, write_prefixed, write_unsigned};
use crate::ids::{CooperativeId, DocumentId, HouseholdId};
use crate::quantities::Day;

/// A document of ours.
pub type Document = crate::crdt::Document<DocumentKey>;

/// The namespace of all document ids that Granary derives (itself a v5 UUID of "granary.documents").
const NAMESPACE: Uuid = Uuid::from_u128(0x6b3a_7b0c_5d0e_5c39_9a4e_2f1d_8c77_10e4);

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

/// An order's place of origin: the platform's short name and its own id for the order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderName {
    /// Such as `douyin`; 1 to 32 bytes.
    pub platform: String,
    /// The platform's id for the order; 1 to 64 bytes.
    pub outside_id: String,
}

/// Which document: its kind, and what makes it the only one of that kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentKey {
    /// The co-operative's own document.
    Cooperative,
    /// The co-operative's catalogue and promotions.
    Catalogue,
    /// A household's particulars.
    Household(HouseholdId),
    /// The lots that a household records in a season.
    HarvestBook(HouseholdId, Season),
    /// The warehouse's receipts of those lots.
    ReceiptBook(HouseholdId, Season),
    /// One order.
    Order(OrderName),
    /// Coordinators' decisions about a household's cases in a season.
    CaseBook(HouseholdId, Season),
}

/// Such as `harvest of 0192… in 2026`, for people who look after a server.
impl std::fmt::Display for DocumentKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.kind().name())?;
        match self {
            Self::Cooperative | Self::Catalogue => Ok(()),
            Self::Household(household) => write!(formatter, " {household}"),
            Self::HarvestBook(household, season)
            | Self::ReceiptBook(household, season)
            | Self::CaseBook(household, season) => write!(formatter, " of {household} in {}", season.year()),
            Self::Order(name) => write!(formatter, " {} of {}", name.outside_id, name.platform),
        }
    }
}

/// The kinds of documents, for words and for lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentKind {
    /// See [`DocumentKey::Cooperative`].
    Cooperative,
    /// See [`DocumentKey::Catalogue`].
    Catalogue,
    /// See [`DocumentKey::Household`].
    Household,
    /// See [`DocumentKey::HarvestBook`].
    HarvestBook,
    /// See [`DocumentKey::ReceiptBook`].
    ReceiptBook,
    /// See [`DocumentKey::Order`].
    Order,
    /// See [`DocumentKey::CaseBook`].
    CaseBook,
}

impl DocumentKind {
    /// The kind's name in documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cooperative => "cooperative",
            Self::Catalogue => "catalogue",
            Self::Household => "household",
            Self::HarvestBook => "harvest",
            Self::ReceiptBook => "receipts",
            Self::Order => "order",
            Self::CaseBook => "cases",
        }
    }
}

impl DocumentKey {
    /// The document's kind.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Cooperative => DocumentKind::Cooperative,
            Self::Catalogue => DocumentKind::Catalogue,
            Self::Household(_) => DocumentKind::Household,
            Self::HarvestBook(..) => DocumentKind::HarvestBook,
            Self::ReceiptBook(..) => DocumentKind::ReceiptBook,
            Self::Order(_) => DocumentKind::Order,
            Self::CaseBook(..) => DocumentKind::CaseBook,
        }
    }

    /// The household that the document is about, if it is about one.
    pub fn household(&self) -> Option<HouseholdId> {
        match self {
            Self::Household(household)
            | Self::HarvestBook(household, _)
            | Self::ReceiptBook(household, _)
            | Self::CaseBook(household, _) => Some(*household),
            Self::Cooperative | Self::Catalogue | Self::Order(_) => None,
        }
    }

    /// The document's id within a co-operative.
    pub fn id(&self, cooperative: CooperativeId) -> DocumentId {
        let mut name = cooperative.as_bytes().to_vec();
        name.extend(self.to_bytes());
        DocumentId::from_bytes(Uuid::new_v5(&NAMESPACE, &name).into_bytes())
    }

    /// The key's bytes: a kind byte, then what follows for that kind.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(20);
        match self {
            Self::Cooperative => out.push(1),
            Self::Catalogue => out.push(2),
            Self::Household(household) => {
                out.push(3);
                out.extend_from_slice(household.as_bytes());
            }
            Self::HarvestBook(household, season) => {
                out.push(4);
                out.extend_from_slice(household.as_bytes());
                write_unsigned(&mut out, u64::from(season.0));
            }
            Self::ReceiptBook(household, season) => {
                out.push(5);
                out.extend_from_slice(household.as_bytes());
                write_unsigned(&mut out, u64::from(season.0));
            }
            Self::Order(name) => {
                out.push(6);
                write_prefixed(&mut out, name.platform.as_bytes());
                write_prefixed(&mut out, name.outside_id.as_bytes());
            }
            Self::CaseBook(household, season) => {
                out.push(7);
                out.extend_from_slice(household.as_bytes());
                write_unsigned(&mut out, u64::from(season.0));
            }
        }
        out
    }

    /// Reads a key that fills `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadFault> {
        let mut reader = Reader::new(bytes);
        let key = match reader.byte()? {
            1 => Self::Cooperative,
            2 => Self::Catalogue,
            3 => Self::Household(HouseholdId::from_bytes(reader.array()?)),
            4 => Self::HarvestBook(HouseholdId::from_bytes(reader.array()?), read_season(&mut reader)?),
            5 => Self::ReceiptBook(HouseholdId::from_bytes(reader.array()?), read_season(&mut reader)?),
            6 => {
                let platform = read_name(&mut reader, 32)?;
                Self::Order(OrderName { platform, outside_id: read_name(&mut reader, 64)? })
            }
            7 => Self::CaseBook(HouseholdId::from_bytes(reader.array()?), read_season(&mut reader)?),
            _ => return Err(ReadFault::BadNumber),
        };
        if reader.is_empty() { Ok(key) } else { Err(ReadFault::BadNumber) }
    }
}

fn read_season(reader: &mut Reader<'_>) -> Result<Season, ReadFault> {
    u16::try_from(reader.unsigned()?).ok().and_then(Season::new).ok_or(ReadFault::BadNumber)
}

fn read_name(reader: &mut Reader<'_>, most: usize) -> Result<String, ReadFault> {
    let text = reader.text()?;
    let right = !text.is_empty() && text.len() <= most && !text.chars().any(char::is_control);
    if right { Ok(text.to_owned()) } else { Err(ReadFault::BadText) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keys_of_every_kind_round_trip() {
        let household = HouseholdId::from_bytes([9; 16]);
        let season = Season::new(2026).unwrap();
        let order = OrderName { platform: "douyin".into(), outside_id: "6912".into() };
        for key in [
            DocumentKey::Cooperative,
            DocumentKey::Catalogue,
            DocumentKey::Household(household),
            DocumentKey::HarvestBook(household, season),
            DocumentKey::ReceiptBook(household, season),
            DocumentKey::Order(order),
            DocumentKey::CaseBook(household, season),
        ] {
            assert_eq!(DocumentKey::from_bytes(&key.to_bytes()), Ok(key));
        }
    }

    #[test]
    fn document_id_differs_between_cooperatives() {
        let key = DocumentKey::Catalogue;
        let one = CooperativeId::from_bytes([1; 16]);
        let two = CooperativeId::from_bytes([2; 16]);
        assert_eq!(key.id(one), key.id(one));
        assert_ne!(key.id(one), key.id(two));
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_rejected(bytes: Vec<u8>) {
            if let Ok(key) = DocumentKey::from_bytes(&bytes) {
                prop_assert_eq!(key.to_bytes(), bytes);
            }
        }
    }
}
