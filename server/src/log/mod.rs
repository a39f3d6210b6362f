//! What a co-operative's devices sent, in order. Taking in comes first (durable, acknowledged), then
//! admission (tried, given a position in the log), then the feed to other devices.

pub(crate) mod admission;
pub(crate) mod check;
mod cooperative;
pub(crate) mod documents;
pub(crate) mod feed;
pub(crate) mod flushes;
pub(crate) mod format;
mod ground;
mod healing;
pub(crate) mod intake;
pub(crate) mod keys;
mod page;
pub(crate) mod records;
pub(crate) mod rows;
pub(crate) mod throttle;
pub(crate) mod twins;
pub(crate) mod writer;

pub use cooperative::{Cooperative, Heard, Statistics};
pub(crate) use healing::{healing_key, healing_until};
pub(crate) use intake::Bringer;
pub use keys::CooperativeNumber;
pub use records::{CooperativeRecord, DeviceRecord};
