//! Typed views and edits over Automerge documents, and who may read and write which. A view trusts no shape; an edit is
//! checked before it is written. One document is the unit of sharing and of permission.

pub mod access;
mod book;
mod card;
pub mod case_book;
pub mod catalogue;
pub mod cooperative;
pub mod deeds;
pub mod harvest;
mod holding;
pub mod household;
mod key;
mod kinds;
pub mod lot_history;
mod lot_id;
mod lot_key;
pub mod order;
mod order_name;
pub mod question;
pub mod receipt;
pub mod receiver;
mod server_only;
pub mod sku;
pub mod stock_book;
pub mod stream;
mod trade_keys;
mod view;

pub use book::{Book, Part, Season};
pub use card::{CardFault, CardNumber};
pub use holding::{EntryId, HoldingFault, HoldingId, HoldingName};
pub use key::{Document, DocumentKey, DocumentKind};
pub(crate) use kinds::READS_TRADE;
pub use kinds::SCHEMA;
pub use lot_id::{LotCode, LotId, LotName, LotNameFault};
pub use order_name::{OrderName, OrderNameFault};
pub use question::QuestionId;
pub use server_only::{TRESPASS, Trespass, reclaim};
pub use trade_keys::{MAIN_WAREHOUSE, StockMonth, StreamCode, StreamCodeFault};
