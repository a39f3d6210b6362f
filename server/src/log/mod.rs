//! A co-operative's log. A request's changes are first ingested (made durable as entries, acknowledged), then admitted
//! (tried on their document, given a position in the log), then fed to other devices.

pub(crate) mod admission;
mod admission_queue;
mod append;
pub(crate) mod check;
mod cooperative;
mod dependencies;
mod devices;
mod document_index;
pub(crate) mod documents;
pub(crate) mod entry;
pub(crate) mod erasure;
pub(crate) mod feed;
pub(crate) mod flushes;
pub(crate) mod format;
mod given_back;
mod heads;
pub(crate) mod ingest;
pub(crate) mod keys;
mod receipts;
pub(crate) mod records;
mod reply_page;
pub(crate) mod restored;
mod room;
pub(crate) mod rows;
pub(crate) mod set_aside;
mod shares;
pub(crate) mod throttle;
pub(crate) mod writer;

pub use cooperative::{Cooperative, Statistics};
pub(crate) use devices::Heard;
pub use devices::LastSeen;
pub use flushes::FlushTotals;
pub(crate) use ingest::Submitter;
pub use keys::CooperativeNumber;
pub use records::{CooperativeRecord, DeviceKind, DeviceRecord, RecorderRecord};
pub use restored::mark_restored;
pub(crate) use shares::day_of;
pub use shares::{Holder, Used};
