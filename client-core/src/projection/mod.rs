//! Documents as rows: lists, filters, totals and search never load a document. The rows are disposable;
//! what is missing or out of date is written again from the documents. Phones and server run the same
//! tables and the same queries.

mod books;
mod cases;
mod lots;
mod read_model;
mod registers;

pub use cases::{CaseCounts, CaseFilter, CaseKind, CaseRow};
pub use lots::{LotFilter, LotRow, LotSort, LotState, Total, TotalBy};
pub use read_model::ReadModel;
pub use registers::{HouseholdRow, OrderRow};
