//! Automerge: documents, their changes, and our own bounded reader and writer of changes. It knows nothing of harvests.

mod automerge_sync;
pub mod change;
mod document;
mod fill;
pub mod leb128;
pub mod limits;
mod version;

pub use automerge_sync::PeerState;
pub use document::{DOCUMENT_BYTES_MAX, Document, DocumentFault, PART_BYTES, Schema};
pub use fill::{Fill, Filled, NewChange};
pub use version::{Version, VersionFault};
