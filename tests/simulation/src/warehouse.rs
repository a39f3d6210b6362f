//! What phones of coordinators and packers do in trade, without signal: they plan streams, pack, count, move and lose goods.

use std::collections::BTreeMap;

use automerge::AutoCommit;
use granary_client_core::crdt::DocumentFault;
use granary_client_core::quantities::{Day, GramsDelta};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::stock_book::{self, Count, Deed};
use granary_client_core::schema::{DocumentKey, EntryId, HoldingId, MAIN_WAREHOUSE, OrderName, StockMonth, catalogue};
use granary_client_core::trade::{FactsOfDocuments, Stock, derive};

use crate::phone::SimPhone;

impl SimPhone {
    /// True for the phone of somebody who works in the warehouse.
    pub(crate) fn is_of_warehouse(&self) -> bool {
        matches!(self.role, Role::Coordinator | Role::Packer)
    }

    /// Edits a document; true when it returned.
    pub(crate) fn edit(
        &mut self,
        key: &DocumentKey,
        now: i64,
        edit: impl FnOnce(&mut AutoCommit) -> Result<(), DocumentFault>,
    ) -> bool {
        let now = self.now(now);
        self.replica.edit(key, now, edit).is_ok()
    }

    /// The orders that it has.
    pub(crate) fn order_names(&self) -> Vec<OrderName> {
        let names = self.replica.documents().into_iter().filter_map(|(key, _)| match key {
            DocumentKey::Order(name) => Some(name),
            _ => None,
        });
        names.collect()
    }

    /// The stock that follows from its documents.
    pub(crate) fn stock(&mut self) -> Stock {
        let mut facts = FactsOfDocuments::new(self.cooperative.server_device());
        let mut skus = BTreeMap::new();
        for (key, _) in self.replica.documents() {
            let Ok(Some(document)) = self.replica.document(&key) else { continue };
            facts.add(document);
            if matches!(key, DocumentKey::Catalogue(_)) {
                skus.extend(catalogue::read(document).skus);
            }
        }
        derive(&facts.facts(&skus))
    }

    /// One of the holdings that it knows of, by number.
    pub(crate) fn holding(&mut self, nth: usize) -> Option<HoldingId> {
        let mut ids: Vec<HoldingId> = self.stock().holdings.into_keys().collect();
        let place = nth.checked_rem(ids.len())?;
        Some(ids.swap_remove(place))
    }

    /// Writes into this month's stock book.
    pub(crate) fn write_stock(&mut self, deed: &Deed, now: i64) -> bool {
        let at = self.now(now);
        let key = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, Day::in_china(at)).unwrap());
        self.edit(&key, now, |doc| stock_book::write(doc, deed, at).map(drop))
    }

    /// Counts a holding, of which this much more or less lies there than it computes.
    pub(crate) fn count(&mut self, id: &HoldingId, off: i64, now: i64) -> bool {
        let holding = self.stock().holdings.remove(id).unwrap_or_default();
        let present = holding.present();
        let (Ok(counted), Ok(computed)) = (GramsDelta::new((present + off).max(0)), GramsDelta::new(present)) else {
            return false;
        };
        self.write_stock(&Deed::Count(Count { holding: id.clone(), counted, computed, knew: holding.counts }), now)
    }

    /// Takes back one of the entries of its stock books.
    pub(crate) fn withdraw_entry(&mut self, nth: usize, now: i64) -> bool {
        let server = self.cooperative.server_device();
        let mut entries: Vec<EntryId> = Vec::new();
        for (key, _) in self.replica.documents() {
            if matches!(key, DocumentKey::StockBook(_))
                && let Ok(Some(document)) = self.replica.document(&key)
            {
                entries.extend(stock_book::read(document, server).entries.into_keys());
            }
        }
        let Some(place) = nth.checked_rem(entries.len()) else { return false };
        let entry = entries.swap_remove(place);
        self.edit(&entry.book(), now, |doc| stock_book::withdraw(doc, entry.key()))
    }
}
