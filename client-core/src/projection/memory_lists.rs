//! The lists of a phone without SQLite, as a browser's: the rows of each document as plain values, gone through at each
//! list. Right for a household or a day's deliveries, some thousands of lots; not for a co-operative. It answers as
//! [`super::ReadModel`] does, which a test holds it to.

mod orders;
mod questions;
mod stock;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::lot_rows::{EARLIER_MAX, LotFilter, LotRow, LotSort, LotState, Total};
use super::order_rows::OrderRow;
use crate::conflicts::{self, Contender};
use crate::ids::{DeviceId, HouseholdId};
use crate::plausibility::EarlierLot;
use crate::quantities::{Day, Grams, Permille};
use crate::replica::Undelivered;
use crate::schema::access::ListedHousehold;
use crate::schema::harvest::{Lot, LotKey};
use crate::schema::question::Question;
use crate::schema::receipt::Outcome;
use crate::schema::stock_book::StockBook;
use crate::schema::{
    Book, Document, DocumentKey, LotCode, LotId, LotName, OrderName, QuestionId, READS_TRADE, harvest, household,
    question, receipt, stock_book,
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

#[derive(Debug, Clone, PartialEq, Eq)]
struct Weighed {
    state: LotState,
    grams: Option<i64>,
    grade: String,
    reason: String,
    day: Option<Day>,
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

    /// The lots that pass the filter. Most rows of a long list fail one, and only those that pass are copied.
    fn passing<'a>(&'a self, filter: &'a LotFilter) -> impl Iterator<Item = Shown<'a>> {
        let shown = self.lots.values().flat_map(BTreeMap::values).map(|row| Shown {
            row,
            household: self.named(row.household),
            weighed: self.receipts.get(&row.lot.receipt_book()).and_then(|receipts| receipts.get(&row.lot)),
        });
        let shown = shown.filter(|shown| shown.passes(filter));
        shown.filter(|shown| !filter.only_questions || self.is_asked(&shown.row.lot))
    }

    /// Lots that pass the filter, in its order.
    pub fn lots(&self, filter: &LotFilter) -> Result<Vec<LotRow>, StoreFault> {
        let mut found: Vec<Shown<'_>> = self.passing(filter).collect();
        let counter = |shown: &Shown<'_>| Reverse((shown.row.lot.part(), shown.row.lot.key().counter()));
        match filter.sort {
            LotSort::Day => found.sort_by_key(|shown| (Reverse(shown.row.day), counter(shown))),
            LotSort::Weight => found.sort_by_key(|shown| (Reverse(shown.row.grams), counter(shown))),
            LotSort::Household => {
                found.sort_by(|a, b| a.household_name().cmp(b.household_name()).then(b.row.day.cmp(&a.row.day)));
            }
            LotSort::Product => {
                found.sort_by(|a, b| a.row.product.cmp(&b.row.product).then(b.row.day.cmp(&a.row.day)));
            }
            LotSort::Grade => found.sort_by(|a, b| a.row.grade.cmp(&b.row.grade).then(b.row.day.cmp(&a.row.day))),
            LotSort::Weighed => found.sort_by_key(|shown| (Reverse(shown.weighed_grams()), counter(shown))),
            LotSort::State => {
                found.sort_by(|a, b| a.state().name().cmp(b.state().name()).then(b.row.day.cmp(&a.row.day)));
            }
        }
        if filter.is_reversed {
            found.reverse();
        }
        let limit = if filter.limit == 0 { 200 } else { filter.limit };
        let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(found.into_iter().skip(at(filter.offset)).take(at(limit)).map(|shown| shown.copied()).collect())
    }

    /// The lots that fit a name; more than one only where a code fits several. Also lots that were merged into others.
    pub fn lots_named(&self, name: &LotName) -> Result<Vec<LotRow>, StoreFault> {
        let all = LotFilter { with_merged: true, ..LotFilter::default() };
        self.lots(&match name {
            LotName::Code(code) => LotFilter { code: Some(*code), ..all },
            LotName::Full(lot) => LotFilter { lot: Some(lot.clone()), ..all },
        })
    }

    /// How many lots pass the filter. Its limit and offset are ignored.
    pub fn count_lots(&self, filter: &LotFilter) -> Result<u64, StoreFault> {
        Ok(u64::try_from(self.passing(filter).count()).unwrap_or(u64::MAX))
    }

    /// Weights by product of the lots that pass the filter.
    pub fn totals(&self, filter: &LotFilter) -> Result<Vec<Total>, StoreFault> {
        let mut totals: BTreeMap<String, Total> = BTreeMap::new();
        for Shown { row, weighed, .. } in self.passing(filter) {
            if !totals.contains_key(&row.product) {
                let none = Total { name: row.product.clone(), lots: 0, recorded_grams: 0, received_grams: 0 };
                totals.insert(row.product.clone(), none);
            }
            let Some(total) = totals.get_mut(&row.product) else { continue };
            let received = weighed.and_then(|weighed| weighed.grams).unwrap_or(0);
            total.lots = total.lots.saturating_add(1);
            total.recorded_grams = total.recorded_grams.saturating_add(row.grams.unwrap_or(0));
            total.received_grams = total.received_grams.saturating_add(received);
        }
        Ok(totals.into_values().collect())
    }

    /// The latest lots of a household, by which [`crate::plausibility::Earlier`] tells what is usual.
    pub fn earlier_lots(&self, household: HouseholdId) -> Result<Vec<EarlierLot>, StoreFault> {
        let lots = self.lots.values().flat_map(BTreeMap::values);
        let mut own: Vec<&LotRow> =
            lots.filter(|row| row.household == household && row.merged_into.is_none()).collect();
        own.sort_by_key(|row| Reverse(row.day));
        own.truncate(usize::try_from(EARLIER_MAX).unwrap_or(usize::MAX));
        let earlier = |row: &LotRow| EarlierLot {
            lot: Some(row.lot.clone()),
            product: row.product.clone(),
            grams: row.grams,
            place: row.place.clone(),
        };
        Ok(own.into_iter().map(earlier).collect())
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

/// A lot as a list shows it, with its receipt and its household; nothing of it is copied.
struct Shown<'a> {
    row: &'a LotRow,
    household: Option<&'a (String, String)>,
    weighed: Option<&'a Weighed>,
}

impl Shown<'_> {
    fn household_name(&self) -> &str {
        self.household.map_or("", |(name, _)| name)
    }

    fn village(&self) -> &str {
        self.household.map_or("", |(_, village)| village)
    }

    fn state(&self) -> LotState {
        self.weighed.map_or(self.row.state, |weighed| weighed.state)
    }

    fn weighed_grams(&self) -> Option<i64> {
        self.weighed.map_or(self.row.weighed_grams, |weighed| weighed.grams)
    }

    fn passes(&self, filter: &LotFilter) -> bool {
        fn fits<T: PartialEq + ?Sized>(wanted: Option<&T>, value: &T) -> bool {
            wanted.is_none_or(|wanted| wanted == value)
        }
        let row = self.row;
        let searched = filter.search.as_ref().filter(|search| !search.trim().is_empty());
        let found = |search: &String| {
            [self.household_name(), &row.place, &row.note].iter().any(|text| text.contains(search.as_str()))
                || filter.search_households.contains(&row.household)
                || filter.search_products.contains(&row.product)
                || LotCode::searched(search).is_some_and(|codes| codes.contains(&row.lot.code().number()))
        };
        fits(filter.household.as_ref(), &row.household)
            && fits(filter.village.as_deref(), self.village())
            && fits(filter.lot.as_ref(), &row.lot)
            && filter.code.is_none_or(|code| code == row.lot.code())
            && fits(filter.product.as_ref(), &row.product)
            && filter.from.is_none_or(|from| row.day.is_some_and(|day| day >= from))
            && filter.to.is_none_or(|to| row.day.is_some_and(|day| day <= to))
            && fits(filter.state.as_ref(), &self.state())
            && searched.is_none_or(found)
            && (!filter.only_conflicts || row.in_conflict)
            && (filter.with_merged || row.merged_into.is_none())
    }

    fn copied(&self) -> LotRow {
        let mut row = self.row.clone();
        (row.household_name, row.village) = (self.household_name().to_owned(), self.village().to_owned());
        if let Some(weighed) = self.weighed.cloned() {
            (row.state, row.weighed_grams) = (weighed.state, weighed.grams);
            (row.weighed_grade, row.weighed_day, row.reason) = (weighed.grade, weighed.day, weighed.reason);
        }
        row
    }
}

fn row_of(book: Book, lot: Lot) -> Option<LotRow> {
    let key = DocumentKey::HarvestBook(book);
    let in_book = |lot: LotKey| LotId::in_book(&key, lot);
    Some(LotRow {
        household: book.household,
        household_name: String::new(),
        village: String::new(),
        season: book.season.year(),
        lot: in_book(lot.key)?,
        product: lot.product.unwrap_or_default(),
        grams: lot.quantity.map(Grams::get),
        grade: lot.grade.unwrap_or_default(),
        moisture: lot.moisture.map(Permille::get),
        day: lot.day,
        place: lot.place.unwrap_or_default(),
        note: lot.note.unwrap_or_default(),
        state: LotState::Recorded,
        weighed_grams: None,
        weighed_grade: String::new(),
        weighed_day: None,
        reason: String::new(),
        merged_into: lot.merged_into.and_then(in_book),
        in_conflict: lot.in_conflict,
        is_damaged: !lot.damaged.is_empty(),
        held: None,
    })
}

fn receipts_of(document: &Document) -> BTreeMap<LotId, Weighed> {
    let receipts = receipt::receipts(document).into_iter().filter_map(|receipt| {
        let (state, grams, grade, reason) = match receipt.outcome? {
            Outcome::Received { weighed, grade } => (LotState::Received, Some(weighed.get()), grade, String::new()),
            Outcome::Rejected { reason } => (LotState::Rejected, None, String::new(), reason),
        };
        let weighed = Weighed { state, grams, grade, reason, day: receipt.day };
        Some((receipt.lot, weighed))
    });
    receipts.collect()
}

#[cfg(test)]
#[cfg(feature = "sqlite")]
mod order_tests;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod tests;
