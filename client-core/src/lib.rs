//! The core that every Granary phone runs: documents that merge, a durable store, and a sync engine
//! made for lines that come for minutes a day.
//!
//! Protocol, merge and scheduling are plain state machines: bytes and the clock come in, bytes and
//! effects go out. Only `transport` and the driver in `phone` touch sockets, threads or the time.

pub use automerge;

pub mod conflicts;
pub mod crdt;
pub mod error;
pub mod ids;
#[cfg(all(feature = "sqlite", feature = "https"))]
pub mod phone;
pub mod planted;
#[cfg(feature = "sqlite")]
pub mod projection;
pub mod protocol;
pub mod quantities;
pub mod replica;
pub mod schema;
pub mod store;
pub mod sync;
pub mod transport;
