//! Typed views and edits over Automerge documents. A view trusts no shape; an edit is checked before
//! it is written. One document is the unit of sharing and of permission.

mod automerge_sync;
pub mod cases;
pub mod catalogue;
pub mod cooperative;
mod document;
pub mod harvest;
pub mod household;
mod key;
pub mod order;
pub mod receipt;
mod seen;
mod view;

pub use automerge_sync::PeerState;
pub use document::{DOCUMENT_BYTES_MAX, Document, DocumentFault, SCHEMA};
pub use key::{DocumentKey, DocumentKind, OrderName, Season};
pub use seen::{Seen, SeenFault};
