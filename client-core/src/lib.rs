//! The core of every Granary phone: mergeable documents, a durable store, and a sync engine for networks that are up for
//! minutes a day.
//!
//! Protocol, merge and scheduling are state machines without IO: bytes and the time go in, bytes and effects come out. Only
//! `transport` and `phone` use sockets, threads or the clock.

pub use automerge;

pub mod conflicts;
pub mod crdt;
pub mod error;
pub mod ids;
pub mod phone;
pub mod planted;
pub mod plausibility;
pub mod projection;
pub mod protocol;
pub mod quantities;
pub mod replica;
pub mod schema;
pub mod store;
pub mod sync;
pub mod trade;
pub mod transport;
pub mod words;
