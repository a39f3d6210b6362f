//! The catalogue: products with names by language and prices by grade and day, and live-stream
//! promotions with their offers.
//!
//! Each field is an entry of one flat map (`millet/zh`, `millet/price/A@2026-11-01`), so that two coordinators who add the
//! same product concurrently write into one map and both are kept. Nothing is deleted: what is taken away has a day on which it
//! ended, and an empty text takes that back, also over an earlier part.

mod edits;
mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::sku::Sku;
use crate::quantities::{Day, Fen, Permille, QuantityFault, TextField, checked_text};
use crate::words::Phrase;

pub use edits::{
    end_offer, end_price, end_product, end_promotion, name_product, offer, plan_promotion, rename_product,
    replan_promotion, set_price, tolerate_surplus, tolerate_usual_surplus,
};
pub(crate) use read::{FieldValues, ScalarOrText};
#[cfg(feature = "sqlite")]
pub(crate) use read::{product_fields, product_of};
pub use read::{read, read_parts};

/// Names a price: of a grade, from a day on or from the beginning. As text `A` or `A@2026-11-01`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PriceName {
    /// The grade.
    pub grade: String,
    /// The first day on which it is valid; none for the price before all others.
    pub from: Option<Day>,
}

impl PriceName {
    /// The name of a price; none for a grade that is no valid one.
    pub fn new(grade: String, from: Option<Day>) -> Option<Self> {
        let grade = checked_text(TextField::PriceGrade, &grade).ok().filter(|grade| !grade.contains('@'))?;
        Some(Self { grade, from })
    }
}

impl fmt::Display for PriceName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from {
            Some(day) => write!(formatter, "{}@{day}", self.grade),
            None => formatter.write_str(&self.grade),
        }
    }
}

impl FromStr for PriceName {
    type Err = QuantityFault;

    fn from_str(text: &str) -> Result<Self, QuantityFault> {
        let (grade, from) = match text.split_once('@') {
            Some((grade, day)) => (grade, Some(day.parse()?)),
            None => (text, None),
        };
        Self::new(grade.to_owned(), from).ok_or(QuantityFault::TextUnreadable(TextField::PriceGrade))
    }
}

/// A product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// Its code, such as `millet`.
    pub code: String,
    /// Its Chinese name.
    pub name_zh: Option<String>,
    /// Its English name.
    pub name_en: Option<String>,
    /// The price that a household is paid for a kilogram, by grade and first day.
    pub price_by_grade: BTreeMap<PriceName, Fen>,
    /// Prices with concurrent values: all of them, the shown one last.
    pub price_conflicts: BTreeMap<PriceName, Vec<Fen>>,
    /// How much more may be weighed than was recorded before it counts as a disagreement, of what was recorded; none for the
    /// usual share.
    pub surplus_tolerated: Option<Permille>,
    /// The last day of each price that was ended.
    pub price_until: BTreeMap<PriceName, Day>,
    /// The day from which on no new lots of it are recorded; none while they are.
    pub ended: Option<Day>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// A live-stream promotion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    /// Its code, such as `double-eleven`.
    pub code: String,
    /// Its title.
    pub title: Option<String>,
    /// When it is streamed.
    pub day: Option<Day>,
    /// The price that a buyer pays for a kilogram, by product code.
    pub offers: BTreeMap<String, Fen>,
    /// The day from which on an offer is taken back, by product code.
    pub offers_ended: BTreeMap<String, Day>,
    /// The day from which on it is called off; none while it stands.
    pub ended: Option<Day>,
    /// The fields that can't be read.
    pub damaged: Vec<&'static str>,
}

/// The catalogue as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Catalogue {
    /// By code.
    pub products: Vec<Product>,
    /// By code.
    pub promotions: Vec<Promotion>,
    /// What shops sell, by code.
    pub skus: BTreeMap<String, Sku>,
    /// The codes of SKUs of which something can't be read: they sell nothing until somebody writes them again.
    pub skus_damaged: Vec<String>,
}

impl Product {
    /// The price of a kilogram of this grade on this day.
    pub fn price_on(&self, grade: &str, day: Day) -> Option<Fen> {
        self.price_name_on(grade, day).and_then(|name| self.price_by_grade.get(name)).copied()
    }

    /// The price that holds for this grade on this day.
    pub fn price_name_on(&self, grade: &str, day: Day) -> Option<&PriceName> {
        let begun = |name: &&PriceName| {
            name.grade == grade && name.from.is_none_or(|from| from <= day) && !self.never_holds(name)
        };
        let latest = self.price_by_grade.keys().filter(begun).max_by_key(|name| name.from)?;
        self.price_until.get(latest).is_none_or(|until| day <= *until).then_some(latest)
    }

    /// True for a price that was ended before its first day.
    pub fn never_holds(&self, name: &PriceName) -> bool {
        self.price_until.get(name).is_some_and(|until| name.from.is_some_and(|from| *until < from))
    }

    /// True for a price that holds on this day or later.
    pub fn holds_from(&self, name: &PriceName, day: Day) -> bool {
        !self.never_holds(name)
            && (name.from.is_some_and(|from| from > day) || self.price_name_on(&name.grade, day) == Some(name))
    }

    /// The grades that have a price on this day or later, in their order.
    pub fn grades_from(&self, day: Day) -> BTreeSet<&str> {
        let held = self.price_by_grade.keys().filter(|name| self.holds_from(name, day));
        held.map(|name| name.grade.as_str()).collect()
    }

    /// True while new lots of it are recorded.
    pub fn is_offered_on(&self, day: Day) -> bool {
        self.ended.is_none_or(|ended| day < ended)
    }
}

impl Promotion {
    /// True while it stands: it was not ended by this day.
    pub fn stands_on(&self, day: Day) -> bool {
        self.ended.is_none_or(|ended| day < ended)
    }
}

/// A code that is part of a field's name can't hold what separates it.
pub(super) const SLASH_IN_CODE: Phrase =
    Phrase::new("slash-in-code", "a code can't have a slash in it", "代码里不能有斜线");
