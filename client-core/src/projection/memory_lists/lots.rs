//! The lists of lots in memory: each lot is shown with its receipt and its household.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{MemoryLists, Weighed};
use crate::ids::HouseholdId;
use crate::plausibility::EarlierLot;
use crate::projection::lot_rows::{EARLIER_MAX, LotFilter, LotRow, LotSort, LotState, Total};
use crate::quantities::{Grams, Permille};
use crate::schema::harvest::{Lot, LotKey};
use crate::schema::receipt::Outcome;
use crate::schema::{Book, Document, DocumentKey, LotCode, LotId, LotName, receipt};
use crate::store::StoreFault;

impl MemoryLists {
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
            && (!filter.only_conflicts || row.in_conflict || self.weighed.is_some_and(|weighed| weighed.in_conflict))
            && (!filter.only_field_conflicts || row.in_conflict)
            && (filter.with_merged || row.merged_into.is_none())
    }

    fn copied(&self) -> LotRow {
        let mut row = self.row.clone();
        (row.household_name, row.village) = (self.household_name().to_owned(), self.village().to_owned());
        if let Some(weighed) = self.weighed.cloned() {
            (row.state, row.weighed_grams) = (weighed.state, weighed.grams);
            (row.weighed_grade, row.weighed_day, row.reason) = (weighed.grade, weighed.day, weighed.reason);
            row.receipt_in_conflict = weighed.in_conflict;
        }
        row
    }
}

pub(super) fn row_of(book: Book, lot: Lot) -> Option<LotRow> {
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
        receipt_in_conflict: false,
        is_damaged: !lot.damaged.is_empty(),
        held: None,
    })
}

pub(super) fn receipts_of(document: &Document) -> BTreeMap<LotId, Weighed> {
    let receipts = receipt::receipts(document).into_iter().filter_map(|receipt| {
        let (state, grams, grade, reason) = match receipt.outcome? {
            Outcome::Received { weighed, grade } => (LotState::Received, Some(weighed.get()), grade, String::new()),
            Outcome::Rejected { reason } => (LotState::Rejected, None, String::new(), reason),
        };
        let weighed = Weighed { state, grams, grade, reason, day: receipt.day, in_conflict: receipt.in_conflict };
        Some((receipt.lot, weighed))
    });
    receipts.collect()
}
