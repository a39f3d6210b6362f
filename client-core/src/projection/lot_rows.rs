//! What lists of lots are asked for, and what they show, as plain values.

use crate::ids::HouseholdId;
use crate::plausibility::Facts;
use crate::protocol::aside::AsideReason;
use crate::quantities::{Day, Grams};
use crate::schema::{LotCode, LotId};

/// The state of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LotState {
    /// Recorded by the household; the warehouse has said nothing.
    Recorded,
    /// Taken in by the warehouse.
    Received,
    /// Sent back by the warehouse.
    Rejected,
}

impl LotState {
    /// Its name in rows and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Received => "received",
            Self::Rejected => "rejected",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Recorded, Self::Received, Self::Rejected].into_iter().find(|state| state.name() == name)
    }
}

/// What a list of lots is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LotSort {
    /// Latest day first.
    #[default]
    Day,
    /// Heaviest first.
    Weight,
    /// By the household's name.
    Household,
    /// By the product's code.
    Product,
    /// By the recorded grade.
    Grade,
    /// Heaviest at the warehouse first.
    Weighed,
    /// By the state.
    State,
}

impl LotSort {
    /// Its name in addresses.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Weight => "weight",
            Self::Household => "household",
            Self::Product => "product",
            Self::Grade => "grade",
            Self::Weighed => "weighed",
            Self::State => "state",
        }
    }

    /// The order of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Day, Self::Weight, Self::Household, Self::Product, Self::Grade, Self::Weighed, Self::State];
        all.into_iter().find(|sort| sort.name() == name)
    }

    /// The order as SQL; the other way round where it is reversed.
    #[cfg(feature = "sqlite")]
    pub(super) fn order(self, is_reversed: bool) -> String {
        let first = match self {
            Self::Day => None,
            Self::Weight => Some(("l.grams", true)),
            Self::Household => Some(("h.name", false)),
            Self::Product => Some(("l.product", false)),
            Self::Grade => Some(("l.grade", false)),
            Self::Weighed => Some(("l.weighed", true)),
            Self::State => Some(("l.state", false)),
        };
        let day = (!matches!(self, Self::Weight | Self::Weighed)).then_some(("l.day", true));
        let terms = first.into_iter().chain(day).chain([("l.counter", true)]);
        let way = |(column, descends): (&str, bool)| {
            format!("{column} {}", if descends == is_reversed { "ASC" } else { "DESC" })
        };
        terms.map(way).collect::<Vec<_>>().join(", ")
    }
}

/// Which lots to list. A field that is none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LotFilter {
    /// Of this household.
    pub household: Option<HouseholdId>,
    /// Of households in this village, by its code.
    pub village: Option<String>,
    /// Only this lot.
    pub lot: Option<LotId>,
    /// Only lots with this code: one, or more where a code fits several.
    pub code: Option<LotCode>,
    /// Of this product.
    pub product: Option<String>,
    /// Harvested on this day or later.
    pub from: Option<Day>,
    /// Harvested on this day or earlier.
    pub to: Option<Day>,
    /// In this state.
    pub state: Option<LotState>,
    /// With this text in the household's name, the place or the note, or with a number that begins as it does. Blank text does
    /// not filter.
    pub search: Option<String>,
    /// Lots of these households fit the search too, such as by how their names sound.
    pub search_households: Vec<HouseholdId>,
    /// As do lots of these products, by their codes.
    pub search_products: Vec<String>,
    /// Only lots with a field that has concurrent values, or with receipts that disagree.
    pub only_conflicts: bool,
    /// Only lots with a field that has concurrent values: those that the household can choose from.
    pub only_field_conflicts: bool,
    /// Only lots about which a question stands that no coordinator has closed, answered or not.
    pub only_questions: bool,
    /// Also lots that were merged into others.
    pub with_merged: bool,
    /// What comes first.
    pub sort: LotSort,
    /// True for the other way round.
    pub is_reversed: bool,
    /// At most this many; 0 for 200.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

/// A lot in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LotRow {
    /// The household.
    pub household: HouseholdId,
    /// The household's name; empty where its document is not here.
    pub household_name: String,
    /// The code of the household's village; empty where its document is not here.
    pub village: String,
    /// The season's year.
    pub season: u16,
    /// The lot.
    pub lot: LotId,
    /// The product's code; empty when damaged.
    pub product: String,
    /// The recorded weight in grams; none when damaged.
    pub grams: Option<i64>,
    /// The grade; empty for none.
    pub grade: String,
    /// The moisture in permille.
    pub moisture: Option<i64>,
    /// The day; none when damaged.
    pub day: Option<Day>,
    /// The place; empty for none.
    pub place: String,
    /// The note; empty for none.
    pub note: String,
    /// Its state.
    pub state: LotState,
    /// As weighed by the warehouse, in grams.
    pub weighed_grams: Option<i64>,
    /// As judged by the warehouse; empty for none.
    pub weighed_grade: String,
    /// When the warehouse received it.
    pub weighed_day: Option<Day>,
    /// Why it was sent back; empty when it was not.
    pub reason: String,
    /// The lot that this one was merged into.
    pub merged_into: Option<LotId>,
    /// True when a field has concurrent values.
    pub in_conflict: bool,
    /// True when receipts of it were written at once and disagree. The shown one counts until a coordinator settles it.
    pub receipt_in_conflict: bool,
    /// True when a field can't be read.
    pub is_damaged: bool,
    /// On the phone that recorded it: why the server has not taken in the lot, or an edit of it; none when nothing of it was
    /// set aside.
    pub held: Option<AsideReason>,
}

/// What totals are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TotalBy {
    /// The product's code.
    Product,
    /// The code of the household's village.
    Village,
    /// The day.
    Day,
}

/// The weights of one group of lots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Total {
    /// The product's or the village's code, or the day.
    pub name: String,
    /// How many lots.
    pub lots: i64,
    /// Recorded, in grams.
    pub recorded_grams: i64,
    /// Received, in grams, as weighed.
    pub received_grams: i64,
}

/// A household's lots that are asked for what is usual.
pub(super) const EARLIER_MAX: u32 = 400;

/// The facts of a lot in a list.
pub fn facts_of(row: &LotRow) -> Facts<'_> {
    let quantity = row.grams.and_then(|grams| Grams::new(grams).ok());
    Facts { product: &row.product, quantity, grade: &row.grade, day: row.day, place: &row.place }
}
