//! Conflicts and their settlement. Automerge keeps every concurrent value, and every replica shows the same one until a
//! person settles it. Other errors, such as duplicate lots, are found by rule. A settlement is an ordinary change, so
//! concurrent settlements converge.

mod case;
mod fields;
mod receipts;
mod rules;
mod settle;
mod stake;

pub use case::{CaseId, CaseState};
pub use fields::{Contender, FieldConflict, answers, in_harvest_book, in_order};
#[cfg(feature = "sqlite")]
pub(crate) use fields::{recorded_at, times_of};
pub use receipts::{ReceiptConflict, in_receipt_book, settle_receipt};
pub use rules::{DuplicateLots, SURPLUS_TOLERATED, duplicate_lots, is_overweight, trespasses};
#[cfg(feature = "sqlite")]
pub(crate) use settle::UNUSUAL;
pub use settle::{
    Edit, SETTLING, Settlement, Settler, UNDOING, Undoing, WrittenSince, found_right, leave, merge, settle_field, undo,
    unusual_name,
};
pub use stake::{PriceOf, field_at_stake, receipt_at_stake, twice_at_stake, weight_at_stake};
