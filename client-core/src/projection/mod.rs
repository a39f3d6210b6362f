//! Documents as rows: lists, filters and totals never load a document. The rows are disposable; what
//! is missing or out of date is written again from the documents.

mod read_model;

pub use read_model::{LotFilter, LotRow, LotState, ReadModel, Total};
