//! The lists of a phone without SQLite, as a browser's: the rows of each document as plain values, gone through at each
//! list. Right for a household or a day's deliveries, some thousands of lots; not for a co-operative. It answers as
//! [`super::ReadModel`] does, which a test holds it to.

mod lots;
mod orders;
mod questions;
mod stock;

use std::collections::{BTreeMap, BTreeSet};

use self::lots::{receipts_of, row_of};
use super::lot_rows::{LotRow, LotState};
use super::order_rows::OrderRow;
use crate::conflicts::{self, Contender};
use crate::ids::{DeviceId, HouseholdId};
use crate::quantities::Day;
use crate::replica::Undelivered;
use crate::schema::access::ListedHousehold;
use crate::schema::harvest::LotKey;
use crate::schema::question::Question;
use crate::schema::stock_book::StockBook;
use crate::schema::{
    Document, DocumentKey, LotId, OrderName, QuestionId, READS_TRADE, harvest, household, question, stock_book,
};
use crate::store::StoreFault;
use crate::trade::OrderGoods;

/// See the module.
#[derive(Debug, Default)]
pub struct MemoryLists {
    /// Whose lists these are; nobody's at first.
    owner: Vec<u8>,
    /// Whose word counts where only the server decides; no device's at first.
    server: Option<DeviceId>,
    revisions: BTreeMap<DocumentKey, u64>,
    /// The lots by book. They are shown with their receipts and households at each list.
    lots: BTreeMap<DocumentKey, BTreeMap<LotKey, LotRow>>,
    receipts: BTreeMap<DocumentKey, BTreeMap<LotId, Weighed>>,
    households: BTreeMap<HouseholdId, (String, String)>,
    /// By receipt book.
    questions: BTreeMap<DocumentKey, Vec<Question>>,
    /// By harvest book and question.
    answers: BTreeMap<DocumentKey, BTreeMap<QuestionId, Vec<Contender>>>,
    stock_books: BTreeMap<DocumentKey, StockBook>,
    order_goods: BTreeMap<DocumentKey, OrderGoods>,
    /// Those of which no particulars are here, as the server listed them.
    listed: BTreeMap<HouseholdId, (String, String)>,
    orders: BTreeMap<OrderName, OrderRow>,
    /// Who gets an order, in short.
    receivers: BTreeMap<OrderName, String>,
}

/// What a receipt says of a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Weighed {
    state: LotState,
    grams: Option<i64>,
    grade: String,
    reason: String,
    day: Option<Day>,
    in_conflict: bool,
}

impl MemoryLists {
    /// As [`super::ReadModel::belong_to`].
    pub fn belong_to(&mut self, owner: &[u8]) -> Result<(), StoreFault> {
        if self.owner != owner {
            *self = Self { owner: owner.to_vec(), server: self.server, ..Self::default() };
        }
        Ok(())
    }

    /// As [`super::ReadModel::trust`].
    pub fn trust(&mut self, server: DeviceId) {
        self.server = Some(server);
    }

    /// Lists without rows.
    pub fn in_memory() -> Result<Self, StoreFault> {
        Ok(Self::default())
    }

    /// The revision that a document's rows were derived from; none when it has no rows.
    pub fn revision(&self, key: &DocumentKey) -> Result<Option<u64>, StoreFault> {
        Ok(self.revisions.get(key).copied())
    }

    /// The documents that have rows, with the revision that these were derived from.
    pub fn revisions(&self) -> Result<Vec<(DocumentKey, u64)>, StoreFault> {
        Ok(self.revisions.iter().map(|(key, revision)| (key.clone(), *revision)).collect())
    }

    /// Deletes a document's rows.
    pub fn forget(&mut self, key: &DocumentKey) -> Result<(), StoreFault> {
        self.revisions.remove(key);
        self.lots.remove(key);
        self.receipts.remove(key);
        self.questions.remove(key);
        self.answers.remove(key);
        self.stock_books.remove(key);
        self.order_goods.remove(key);
        match key {
            DocumentKey::Household(household) => drop(self.households.remove(household)),
            DocumentKey::Order(name) => drop(self.orders.remove(name)),
            DocumentKey::Receiver(name) => drop(self.receivers.remove(name)),
            _ => {}
        }
        Ok(())
    }

    /// Names the households of which no particulars are here: those that a recorder's phone was told of, and no others.
    pub fn write_listed(&mut self, listed: &[ListedHousehold]) -> Result<(), StoreFault> {
        let named = |one: &ListedHousehold| (one.household, (one.name.clone(), one.village.clone()));
        self.listed = listed.iter().map(named).collect();
        Ok(())
    }

    fn named(&self, household: HouseholdId) -> Option<&(String, String)> {
        self.households.get(&household).or_else(|| self.listed.get(&household))
    }

    /// The name and the village of every household that is here by name.
    pub fn household_names(&self) -> Result<Vec<(HouseholdId, String, String)>, StoreFault> {
        let mut named = self.listed.clone();
        named.extend(self.households.clone());
        Ok(named.into_iter().map(|(household, (name, village))| (household, name, village)).collect())
    }

    /// Nothing is left of deleted rows.
    pub fn scrub(&self) -> Result<(), StoreFault> {
        Ok(())
    }

    /// Writes all rows of a document again.
    pub fn write(&mut self, document: &mut Document, revision: u64) -> Result<(), StoreFault> {
        let key = document.key().clone();
        match key {
            DocumentKey::Order(ref name) if READS_TRADE => {
                self.write_order(document, name);
                self.write_order_goods(document);
            }
            DocumentKey::Receiver(ref name) if READS_TRADE => self.write_receiver(document, name),
            DocumentKey::HarvestBook(book) => {
                let rows = harvest::lots(document).into_iter().filter_map(|lot| row_of(book, lot));
                self.lots.insert(key.clone(), rows.map(|row| (row.lot.key().clone(), row)).collect());
                self.answers.insert(key.clone(), conflicts::answers(document));
            }
            DocumentKey::ReceiptBook(_) => {
                self.receipts.insert(key.clone(), receipts_of(document));
                self.questions.insert(key.clone(), question::questions(document));
            }
            DocumentKey::Household(id) => {
                let household = household::read(document);
                let named = (household.name.unwrap_or_default(), household.village.unwrap_or_default());
                self.households.insert(id, named);
            }
            DocumentKey::StockBook(_) if READS_TRADE => {
                self.stock_books
                    .insert(key.clone(), stock_book::read(document, self.server.unwrap_or(DeviceId::NOBODY)));
            }
            _ => {}
        }
        self.revisions.insert(key, revision);
        Ok(())
    }

    /// Writes all rows of a document again, as its own undelivered changes leave it, and marks their lots.
    pub fn write_undelivered(&mut self, shown: Undelivered, revision: u64) -> Result<(), StoreFault> {
        let Undelivered { mut document, lots, apart } = shown;
        self.write(&mut document, revision)?;
        if let DocumentKey::HarvestBook(book) = *document.key() {
            let rows = self.lots.entry(document.key().clone()).or_default();
            rows.extend(apart.into_iter().filter_map(|lot| Some((lot.key.clone(), row_of(book, lot)?))));
        }
        if let Some(rows) = self.lots.get_mut(document.key()) {
            for (lot, reason) in lots {
                if let Some(row) = rows.get_mut(&lot) {
                    row.held = Some(reason);
                }
            }
        }
        Ok(())
    }

    /// Updates a harvest book's rows after edits that touched these lots. Rows of other documents are all written again.
    pub fn update(
        &mut self,
        document: &mut Document,
        revision: u64,
        touched: &BTreeSet<LotKey>,
    ) -> Result<(), StoreFault> {
        let DocumentKey::HarvestBook(book) = *document.key() else { return self.write(document, revision) };
        let rows = self.lots.entry(document.key().clone()).or_default();
        for key in touched {
            match harvest::lot(document, key).and_then(|lot| row_of(book, lot)) {
                Some(row) => drop(rows.insert(key.clone(), row)),
                None => drop(rows.remove(key)),
            }
        }
        self.answers.insert(document.key().clone(), conflicts::answers(document));
        self.revisions.insert(document.key().clone(), revision);
        Ok(())
    }

    /// All households that are here, by their own document or by a lot, with their names as far as those are here.
    pub fn known_households(&self) -> Result<Vec<(HouseholdId, String)>, StoreFault> {
        let lots = self.lots.values().flat_map(BTreeMap::values);
        let mut known: BTreeMap<HouseholdId, String> = lots.map(|row| (row.household, String::new())).collect();
        for households in [&self.listed, &self.households] {
            known.extend(households.iter().map(|(household, (name, _))| (*household, name.clone())));
        }
        Ok(known.into_iter().collect())
    }
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod order_tests;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
