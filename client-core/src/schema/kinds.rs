//! The schema of each kind of document: its first change, and all that its typed view reads.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT};

use super::key::{Document, DocumentKey, DocumentKind};
use super::{
    case_book, catalogue, cooperative, harvest, household, order, question, receipt, receiver, stock_book, stream,
};
use crate::crdt::{DocumentFault, Schema};
use crate::ids::DeviceId;

/// The schema version that this code writes.
pub const SCHEMA: u64 = 1;

/// A phone without SQLite is a browser's, which has no page for orders or stock: it keeps these documents and passes them on, but
/// makes no rows of them, and the code that reads them is not sent to it.
pub(crate) const READS_TRADE: bool = cfg!(feature = "sqlite");

impl Schema for DocumentKey {
    fn begin(&self, automerge: &mut AutoCommit) -> Result<(), DocumentFault> {
        // A document's first change never changes: receivers are called as they were before they had fields.
        let kind = match self.kind() {
            DocumentKind::Receiver => "buyer",
            kind => kind.name(),
        };
        automerge.put(ROOT, "kind", kind)?;
        automerge.put(ROOT, "schema", SCHEMA)?;
        let parts: &[(&str, ObjType)] = match self.kind() {
            DocumentKind::Cooperative => {
                &[("villages", ObjType::Map), ("places", ObjType::Map), ("announcements", ObjType::List)]
            }
            DocumentKind::Household => &[("members", ObjType::List), ("advances", ObjType::List)],
            DocumentKind::Catalogue => &[("products", ObjType::Map), ("promotions", ObjType::Map)],
            DocumentKind::HarvestBook => &[("lots", ObjType::List)],
            DocumentKind::ReceiptBook => &[("receipts", ObjType::Map)],
            DocumentKind::CaseBook => &[("decisions", ObjType::List)],
            DocumentKind::Order => &[("lines", ObjType::List), ("allocations", ObjType::Map)],
            DocumentKind::Receiver => &[],
            DocumentKind::StockBook => &[("entries", ObjType::List), ("opening", ObjType::Map)],
            DocumentKind::Stream => &[("offers", ObjType::Map), ("served", ObjType::Map)],
        };
        for (name, kind) in parts {
            automerge.put_object(ROOT, *name, *kind)?;
        }
        Ok(())
    }

    fn read_everything(document: &Document) {
        match document.key().kind() {
            // What nobody reads there can do no harm there.
            DocumentKind::Order | DocumentKind::Receiver | DocumentKind::StockBook | DocumentKind::Stream
                if !READS_TRADE => {}
            DocumentKind::Cooperative => drop(cooperative::read(document)),
            DocumentKind::Household => drop(household::read(document)),
            DocumentKind::Catalogue => drop(catalogue::read(document)),
            DocumentKind::HarvestBook => drop(harvest::lots(document)),
            DocumentKind::ReceiptBook => drop((receipt::receipts(document), question::questions(document))),
            DocumentKind::Order => drop(order::read(document, DeviceId::NOBODY)),
            DocumentKind::Receiver => drop(receiver::read(document)),
            DocumentKind::StockBook => drop(stock_book::read(document, DeviceId::NOBODY)),
            DocumentKind::Stream => drop(stream::read(document, DeviceId::NOBODY)),
            DocumentKind::CaseBook => drop(case_book::decisions(document)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::HouseholdId;
    use crate::schema::{Book, OrderName, Part, Season, StockMonth};

    /// A kind's first change is the same on every replica for ever: another one would be another document under the same id.
    #[test]
    fn first_changes_stay_what_they_were() {
        let household = HouseholdId::from_bytes([1; 16]);
        let book = Book::first(household, Season::new(2026).unwrap());
        let order = OrderName::of("douyin", "6912");
        let keys = [
            DocumentKey::Cooperative(Part::FIRST),
            DocumentKey::Catalogue(Part::FIRST),
            DocumentKey::Household(household),
            DocumentKey::ReceiptBook(book),
            DocumentKey::CaseBook(book),
            DocumentKey::Order(order.clone()),
            DocumentKey::Order(OrderName { shop: "b".into(), ..order.clone() }),
            DocumentKey::Receiver(order),
            DocumentKey::StockBook(StockMonth::first("main", 2026, 11).unwrap()),
            DocumentKey::Stream("eleven".parse().unwrap()),
        ];
        let line = |key: &DocumentKey| format!("{} {}", key.kind().name(), Document::first_change(key).unwrap().hash());
        insta::assert_snapshot!(keys.iter().map(line).collect::<Vec<_>>().join("\n"));
    }
}
