//! What disagrees, who said it, and settling it. Automerge keeps every concurrent value; until a person
//! settles it, everyone sees the same winner. What is no field conflict but still wrong is found by
//! rule. Settling is an ordinary change, so two people who settle at once converge too.

mod case;
mod fields;
mod rules;
mod settle;

pub use case::{CaseId, CaseState};
pub use fields::{Contender, FieldConflict, in_harvest_book, in_order};
pub use rules::{DuplicateLots, duplicate_lots, is_overweight};
pub use settle::{Edit, SETTLING, Settlement, Settler, leave, merge, settle_field, undo};
