//! The read model: documents as rows, so that lists, filters, totals and search load no document. The rows are derived:
//! those that are missing or stale are written again from the documents. Phone and server share tables and queries, in
//! SQLite; a phone without SQLite keeps its rows in memory.

#[cfg(feature = "sqlite")]
mod activity;
#[cfg(feature = "sqlite")]
mod book_rows;
#[cfg(feature = "sqlite")]
mod case_rows;
#[cfg(feature = "sqlite")]
mod case_writing;
#[cfg(feature = "sqlite")]
mod catalogue_rows;
#[cfg(feature = "sqlite")]
mod household_lists;
#[cfg(feature = "sqlite")]
mod lot_lists;
mod lot_rows;
mod memory_lists;
#[cfg(feature = "sqlite")]
mod order_lists;
mod order_rows;
mod owed;
#[cfg(feature = "sqlite")]
mod question_lists;
mod question_rows;
#[cfg(feature = "sqlite")]
mod read_model;
#[cfg(feature = "sqlite")]
mod register_rows;
#[cfg(feature = "sqlite")]
mod stock_rows;
#[cfg(feature = "sqlite")]
mod stock_sums;
#[cfg(feature = "sqlite")]
mod stream_sums;
#[cfg(feature = "sqlite")]
mod unusual_lots;

#[cfg(feature = "sqlite")]
pub use activity::{ActivityFilter, ActivityRow};
#[cfg(feature = "sqlite")]
pub use case_rows::{CaseCounts, CaseFilter, CaseGroup, CaseKind, CaseRow};
#[cfg(feature = "sqlite")]
pub use household_lists::{HouseholdFilter, HouseholdRow, HouseholdSort};
#[cfg(feature = "sqlite")]
use lot_rows::EARLIER_MAX;
pub use lot_rows::{LotFilter, LotRow, LotSort, LotState, Total, TotalBy, facts_of};
pub use memory_lists::MemoryLists;
pub use order_rows::{Goods, OrderCounts, OrderCursor, OrderCursorFault, OrderFilter, OrderRow, Refund, UnmappedLine};
pub use owed::{Owed, OwedFor, owed, price_of, worth};
pub use question_rows::{QuestionFilter, QuestionRow, QuestionState};
#[cfg(feature = "sqlite")]
pub use read_model::ReadModel;
#[cfg(feature = "sqlite")]
pub use stream_sums::StreamSums;
#[cfg(feature = "sqlite")]
pub use unusual_lots::{LookedAt, UNUSUAL_WINDOW, UnusualLots};

/// The lists of a phone.
#[cfg(feature = "sqlite")]
pub type Lists = ReadModel;
/// The lists of a phone.
#[cfg(not(feature = "sqlite"))]
pub type Lists = MemoryLists;
