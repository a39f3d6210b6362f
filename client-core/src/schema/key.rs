//! Document keys. The id is derived from the key (UUID v5), and the first change is byte-identical everywhere, so two phones
//! that create the same document offline converge. Permission is decided from the key, so it is sent with the changes.

use uuid::Uuid;

use super::book::{Book, Part};
use super::order_name::OrderName;
use super::trade_keys::{StockMonth, StreamCode};
use crate::crdt::leb128::{ReadFault, Reader, write_prefixed};
use crate::ids::{CooperativeId, DocumentId, HouseholdId};
use crate::words::Phrase;

/// A document of ours.
pub type Document = crate::crdt::Document<DocumentKey>;

/// The namespace of all document ids that Granary derives (itself a v5 UUID of "granary.documents").
const NAMESPACE: Uuid = Uuid::from_u128(0x6b3a_7b0c_5d0e_5c39_9a4e_2f1d_8c77_10e4);

/// Which document: its kind, and what makes it the only one of that kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentKey {
    /// A part of the co-operative's own document. Later parts lie over earlier ones.
    Cooperative(Part),
    /// A part of the co-operative's catalogue and promotions. Later parts lie over earlier ones.
    Catalogue(Part),
    /// A household's particulars.
    Household(HouseholdId),
    /// The lots that a household records in a season.
    HarvestBook(Book),
    /// The warehouse's receipts of those lots.
    ReceiptBook(Book),
    /// One order.
    Order(OrderName),
    /// Coordinators' decisions about a household's cases in a season.
    CaseBook(Book),
    /// Who gets an order, and where it goes: apart from the order, so that it can be erased.
    Receiver(OrderName),
    /// A part of what happened to the goods of a warehouse in a month.
    StockBook(StockMonth),
    /// A live-stream: what it offers, and what the server granted.
    Stream(StreamCode),
}

/// Such as `harvest of 0192… in 2026`, for people who look after a server.
impl std::fmt::Display for DocumentKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.kind().name())?;
        match self {
            Self::Cooperative(_) | Self::Catalogue(_) => {}
            Self::Household(household) => write!(formatter, " {household}")?,
            Self::HarvestBook(book) | Self::ReceiptBook(book) | Self::CaseBook(book) => {
                write!(formatter, " of {} in {}", book.household, book.season.year())?;
            }
            Self::Order(name) | Self::Receiver(name) => {
                write!(formatter, " {} of {}", name.outside_id, name.platform)?;
                if !name.shop.is_empty() {
                    write!(formatter, ", shop {}", name.shop)?;
                }
            }
            Self::StockBook(month) => write!(formatter, " of {month}")?,
            Self::Stream(code) => write!(formatter, " {code}")?,
        }
        match self.part() {
            Part::FIRST => Ok(()),
            part => write!(formatter, ", part {}", part.number()),
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
    /// See [`DocumentKey::Receiver`].
    Receiver,
    /// See [`DocumentKey::StockBook`].
    StockBook,
    /// See [`DocumentKey::Stream`].
    Stream,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Cooperative,
        Self::Catalogue,
        Self::Household,
        Self::HarvestBook,
        Self::ReceiptBook,
        Self::Order,
        Self::CaseBook,
        Self::Receiver,
        Self::StockBook,
        Self::Stream,
    ];

    /// What people call it.
    pub fn words(self) -> Phrase {
        let (english, chinese) = match self {
            Self::Cooperative => ("the co-operative", "合作社资料"),
            Self::Catalogue => ("catalogue", "产品目录"),
            Self::Household => ("particulars", "农户资料"),
            Self::HarvestBook => ("harvest book", "收成簿"),
            Self::ReceiptBook => ("receipt book", "收货簿"),
            Self::Order => ("order", "订单"),
            Self::CaseBook => ("case book", "不一致处理簿"),
            Self::Receiver => ("receiver", "收件人"),
            Self::StockBook => ("stock book", "库存簿"),
            Self::Stream => ("live-stream", "直播"),
        };
        Phrase::new(self.name(), english, chinese)
    }

    /// The kind's name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cooperative => "cooperative",
            Self::Catalogue => "catalogue",
            Self::Household => "household",
            Self::HarvestBook => "harvest",
            Self::ReceiptBook => "receipts",
            Self::Order => "order",
            Self::CaseBook => "cases",
            Self::Receiver => "receiver",
            Self::StockBook => "stock",
            Self::Stream => "stream",
        }
    }
}

impl DocumentKey {
    /// The document's kind.
    pub fn kind(&self) -> DocumentKind {
        match self {
            Self::Cooperative(_) => DocumentKind::Cooperative,
            Self::Catalogue(_) => DocumentKind::Catalogue,
            Self::Household(_) => DocumentKind::Household,
            Self::HarvestBook(..) => DocumentKind::HarvestBook,
            Self::ReceiptBook(..) => DocumentKind::ReceiptBook,
            Self::Order(_) => DocumentKind::Order,
            Self::CaseBook(..) => DocumentKind::CaseBook,
            Self::Receiver(_) => DocumentKind::Receiver,
            Self::StockBook(_) => DocumentKind::StockBook,
            Self::Stream(_) => DocumentKind::Stream,
        }
    }

    /// The household that the document is about, if it is about one.
    pub fn household(&self) -> Option<HouseholdId> {
        match self {
            Self::Household(household) => Some(*household),
            Self::Cooperative(_) | Self::Catalogue(_) | Self::Order(_) | Self::Receiver(_) => None,
            Self::StockBook(_) | Self::Stream(_) => None,
            Self::HarvestBook(book) | Self::ReceiptBook(book) | Self::CaseBook(book) => Some(book.household),
        }
    }

    /// The part of a book; the first for documents that have no parts.
    pub fn part(&self) -> Part {
        match self {
            Self::Cooperative(part) | Self::Catalogue(part) => *part,
            Self::HarvestBook(book) | Self::ReceiptBook(book) | Self::CaseBook(book) => book.part,
            Self::StockBook(month) => month.part(),
            Self::Household(_) | Self::Order(_) | Self::Receiver(_) | Self::Stream(_) => Part::FIRST,
        }
    }

    /// The same document's other part; none for documents that have no parts.
    pub fn at(&self, part: Part) -> Option<Self> {
        match self {
            Self::Cooperative(_) => Some(Self::Cooperative(part)),
            Self::Catalogue(_) => Some(Self::Catalogue(part)),
            Self::HarvestBook(book) => Some(Self::HarvestBook(book.at(part))),
            Self::ReceiptBook(book) => Some(Self::ReceiptBook(book.at(part))),
            Self::CaseBook(book) => Some(Self::CaseBook(book.at(part))),
            Self::StockBook(month) => Some(Self::StockBook(month.at(part))),
            Self::Household(_) | Self::Order(_) | Self::Receiver(_) | Self::Stream(_) => None,
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
            Self::Cooperative(part) => {
                out.push(1);
                part.write(&mut out);
            }
            Self::Catalogue(part) => {
                out.push(2);
                part.write(&mut out);
            }
            Self::Household(household) => {
                out.push(3);
                out.extend_from_slice(household.as_bytes());
            }
            Self::HarvestBook(book) => {
                out.push(4);
                book.write(&mut out);
            }
            Self::ReceiptBook(book) => {
                out.push(5);
                book.write(&mut out);
            }
            Self::Order(name) => {
                out.push(if name.shop.is_empty() { 6 } else { 9 });
                name.write(&mut out);
            }
            Self::Receiver(name) => {
                out.push(if name.shop.is_empty() { 8 } else { 10 });
                name.write(&mut out);
            }
            Self::StockBook(month) => {
                out.push(11);
                month.write(&mut out);
            }
            Self::Stream(code) => {
                out.push(12);
                write_prefixed(&mut out, code.as_str().as_bytes());
            }
            Self::CaseBook(book) => {
                out.push(7);
                book.write(&mut out);
            }
        }
        out
    }

    /// Reads a key that fills `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadFault> {
        let mut reader = Reader::new(bytes);
        let key = match reader.byte()? {
            1 => Self::Cooperative(Part::read(&mut reader)?),
            2 => Self::Catalogue(Part::read(&mut reader)?),
            3 => Self::Household(HouseholdId::from_bytes(reader.array()?)),
            4 => Self::HarvestBook(Book::read(&mut reader)?),
            5 => Self::ReceiptBook(Book::read(&mut reader)?),
            6 => Self::Order(OrderName::read(&mut reader)?),
            7 => Self::CaseBook(Book::read(&mut reader)?),
            8 => Self::Receiver(OrderName::read(&mut reader)?),
            9 => Self::Order(OrderName::read_with_shop(&mut reader)?),
            10 => Self::Receiver(OrderName::read_with_shop(&mut reader)?),
            11 => Self::StockBook(StockMonth::read(&mut reader)?),
            12 => Self::Stream(StreamCode::read(&mut reader)?),
            _ => return Err(ReadFault::BadNumber),
        };
        if reader.is_empty() { Ok(key) } else { Err(ReadFault::BadNumber) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    use crate::schema::Season;

    #[test]
    fn keys_of_every_kind_and_part_round_trip() {
        let household = HouseholdId::from_bytes([9; 16]);
        let first = Book::first(household, Season::new(2026).unwrap());
        let order = OrderName::of("douyin", "6912");
        let in_shop = OrderName { shop: "2号店".into(), ..order.clone() };
        let month = StockMonth::first("main", 2026, 11).unwrap();
        for part in [Part::FIRST, Part::new(2).unwrap(), Part::LAST] {
            for key in [
                DocumentKey::Cooperative(part),
                DocumentKey::Catalogue(part),
                DocumentKey::Household(household),
                DocumentKey::HarvestBook(first.at(part)),
                DocumentKey::ReceiptBook(first.at(part)),
                DocumentKey::Order(order.clone()),
                DocumentKey::Receiver(order.clone()),
                DocumentKey::Order(in_shop.clone()),
                DocumentKey::Receiver(in_shop.clone()),
                DocumentKey::CaseBook(first.at(part)),
                DocumentKey::StockBook(month.at(part)),
                DocumentKey::Stream("double-eleven".parse().unwrap()),
            ] {
                assert_eq!(DocumentKey::from_bytes(&key.to_bytes()), Ok(key.clone()));
                assert_eq!(key.at(key.part()).unwrap_or(key.clone()), key);
            }
        }
    }

    #[test]
    fn first_part_is_keyed_without_a_number_and_each_part_has_its_own_id() {
        let book = Book::first(HouseholdId::from_bytes([9; 16]), Season::new(2026).unwrap());
        let (first, second) =
            (DocumentKey::HarvestBook(book), DocumentKey::HarvestBook(book.at(Part::new(2).unwrap())));
        assert_eq!(first.to_bytes().len(), 19);
        assert_eq!(second.to_bytes(), [first.to_bytes(), vec![2]].concat());
        let cooperative = CooperativeId::from_bytes([1; 16]);
        assert_ne!(first.id(cooperative), second.id(cooperative));
        for book in [book, book.at(Part::new(2).unwrap())] {
            assert_eq!(Book::named(book.household, &book.season_and_part()), Some(book));
        }
        for text in ["", "26", "2026-1", "2026-0", "2026-02", "2026-2-3", "2026-1000", "+2026"] {
            assert_eq!(Book::named(book.household, text), None, "{text}");
        }
        // One document has one key.
        assert!(DocumentKey::from_bytes(&[first.to_bytes(), vec![1]].concat()).is_err());
        assert!(DocumentKey::from_bytes(&[first.to_bytes(), vec![0]].concat()).is_err());
    }

    #[test]
    fn order_without_a_shop_is_keyed_as_before_shops_had_names() {
        let order = OrderName::of("douyin", "6912");
        let text = |text: &str| [vec![text.len() as u8], text.as_bytes().to_vec()].concat();
        let plain = [text("douyin"), text("6912")].concat();
        assert_eq!(DocumentKey::Order(order.clone()).to_bytes(), [vec![6], plain.clone()].concat());
        assert_eq!(DocumentKey::Receiver(order.clone()).to_bytes(), [vec![8], plain].concat());
        let in_shop = OrderName { shop: "b".into(), ..order };
        let with_shop = [text("douyin"), text("b"), text("6912")].concat();
        assert_eq!(DocumentKey::Order(in_shop.clone()).to_bytes(), [vec![9], with_shop.clone()].concat());
        assert_eq!(DocumentKey::Receiver(in_shop).to_bytes(), [vec![10], with_shop].concat());
        // One document has one key.
        let without = [text("douyin"), text(""), text("6912")].concat();
        for kind in [9, 10] {
            assert!(DocumentKey::from_bytes(&[vec![kind], without.clone()].concat()).is_err());
        }
    }

    #[test]
    fn document_id_differs_between_cooperatives() {
        let key = DocumentKey::Catalogue(Part::FIRST);
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
