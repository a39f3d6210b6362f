//! The read model: documents as SQLite rows, so that lists, filters, totals and search load no document. The rows are
//! derived: those that are missing or stale are written again from the documents. Phone and server share tables and
//! queries.

mod book_rows;
mod case_rows;
mod lot_lists;
mod lot_rows;
mod read_model;
mod register_rows;
mod unusual_lots;

pub use case_rows::{CaseCounts, CaseFilter, CaseKind, CaseRow};
pub use lot_rows::{LotFilter, LotRow, LotSort, LotState, Total, TotalBy};
pub use read_model::ReadModel;
pub use register_rows::{HouseholdRow, OrderRow};
pub use unusual_lots::{LookedAt, UNUSUAL_WINDOW, UnusualLots, facts_of};
