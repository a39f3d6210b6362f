//! What documents say that stock follows from, as plain values by their names: whatever the order in which documents are read, the
//! facts are the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::quantities::Day;
use crate::schema::stock_book::{Balance, Entry, StockBook};
use crate::schema::{EntryId, HoldingId, LotId, OrderName, StockMonth};

/// A lot that the warehouse received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceivedLot {
    /// The product's code; empty where the harvest book does not say it.
    pub product: String,
    /// The grade by the warehouse, or else by the household; empty for none.
    pub grade: String,
    /// The net weight, in grams.
    pub grams: i64,
    /// When it came in.
    pub day: Option<Day>,
    /// The lot that it was merged into. Where that one has a receipt too, both tell of the same goods, and this one does not count.
    pub merged_into: Option<LotId>,
}

/// Goods that are a holding by another document than a receipt or a stock book: the outputs of batches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The product's code.
    pub product: String,
    /// The grade; empty for none.
    pub grade: String,
    /// How much, in grams.
    pub grams: i64,
    /// When they were made.
    pub day: Option<Day>,
    /// The last day on which they are good.
    pub expiry: Option<Day>,
}

/// How goods of a holding go out or come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FlowKind {
    /// They were packed into a parcel.
    Parcel,
    /// They went into a batch.
    BatchInput,
    /// They came back and were put back.
    Restocked,
}

impl FlowKind {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Parcel => "parcel",
            Self::BatchInput => "batch",
            Self::Restocked => "return",
        }
    }
}

/// Names what one parcel, batch or return did to one holding.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Flow {
    /// How.
    pub kind: FlowKind,
    /// Which parcel, batch or return.
    pub name: String,
    /// Of which holding.
    pub holding: HoldingId,
}

/// What an order takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFacts {
    /// True once it is packed or on its way, also where no parcel says from what: then the plan is what was taken.
    pub is_packed: bool,
    /// The grams that are planned, or taken, of each holding.
    pub takes: BTreeMap<HoldingId, i64>,
    /// The grams that are sold and not planned yet, by product and grade; negative nowhere.
    pub unplanned: Vec<(String, String, i64)>,
    /// True where somebody else than the server wrote a plan, which does not count.
    pub is_foreign: bool,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The lots that the warehouse received.
    pub lots: BTreeMap<LotId, ReceivedLot>,
    /// The entries of all stock books.
    pub entries: BTreeMap<EntryId, Entry>,
    /// The balances that the server wrote, by month.
    pub openings: BTreeMap<StockMonth, BTreeMap<HoldingId, Balance>>,
    /// Balances that somebody else wrote, or that can't be read, by month.
    pub not_opened: BTreeMap<StockMonth, Vec<String>>,
    /// What orders take.
    pub orders: BTreeMap<OrderName, OrderFacts>,
    /// The grams that packed orders took beside those that are named, where nobody asked which they were.
    pub packed: BTreeMap<HoldingId, i64>,
    /// The grams that are planned for orders beside those that are named, where nobody asked which they were.
    pub planned: BTreeMap<HoldingId, i64>,
    /// The grams that are sold and not planned yet, by product and grade, of orders beside those that are named.
    pub sold: BTreeMap<(String, String), i64>,
    /// Outputs of batches.
    pub made: BTreeMap<HoldingId, Origin>,
    /// The grams of parcels, batches and returns.
    pub flows: BTreeMap<Flow, i64>,
    /// The balances to begin with, where the documents before this month are left out: see [`super::covered`].
    pub brought: BTreeMap<HoldingId, Balance>,
}

impl Facts {
    /// Adds what a part of a stock book says.
    pub fn add_book(&mut self, month: &StockMonth, book: StockBook) {
        self.entries.extend(book.entries);
        let first = super::openings::first_part(month);
        if !book.opening.is_empty() {
            self.openings.entry(first.clone()).or_default().extend(book.opening);
        }
        if !book.foreign.is_empty() || !book.damaged.is_empty() {
            self.not_opened.entry(first).or_default().extend(book.foreign.into_iter().chain(book.damaged));
        }
    }
}
