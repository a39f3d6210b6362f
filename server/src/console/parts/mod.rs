//! The parts that pages are made of. A page has no style and no markup of a table, a chart or a message of its own: it uses
//! these, whose looks are in `assets/style`.

mod empty;
mod qr;
mod table;
pub(super) mod toast;
pub(super) mod views;

pub(super) use empty::empty;
pub(super) use qr::qr;
pub(super) use table::{Column, Row, Sorted, Table};
