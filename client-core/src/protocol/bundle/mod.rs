//! A bundle: the changes of one or more documents, in as few bytes as their content allows.
//!
//! Changes of one kind are alike: 'insert a map, set eight keys' a thousand times. So a bundle has each distinct *shape*
//! (the operations without their values and external references) once, and for each open place of a shape one column with
//! the values of all its changes. Sequence, first operation and dependency are written as differences from the prediction.
//! The frame then compresses the bundle with zstd.
//!
//! Reading a bundle verifies it: every change is checked against the format's rules and written again by our own writer, so
//! Automerge never sees bytes from outside. Hashes are computed, not read.
//!
//! ```text
//! byte    format, 1
//! actors     count, then each: see `actors`
//! shapes     count, then each: see `shape`
//! documents  count, then each: length of key, key, number of changes
//! columns    actor, sequence - expected, start - expected, time - previous, dependencies, shape
//! hashes     count, then 32 bytes each
//! places     for each shape, for each open place: one column
//! ```

mod actors;
mod columns;
mod read;
mod shape;
mod write;

pub use read::read_bundle;
pub use write::{bundle_parts, write_bundle};

use crate::crdt::change::{ChangeFault, VerifiedChange};
use crate::crdt::leb128::ReadFault;
use crate::schema::DocumentKey;

/// The number that begins a bundle of this format.
pub(crate) const FORMAT: u8 = 1;

/// The changes of one document, each after those it depends on where both are here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentChanges {
    /// Which document.
    pub key: DocumentKey,
    /// Its changes.
    pub changes: Vec<VerifiedChange>,
}

/// Why a bundle was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleFault {
    /// The bytes do not have the shape of a bundle.
    #[error("a bundle cannot be read: {0}")]
    Unreadable(#[from] ReadFault),
    /// The bundle is of a format that this version does not know.
    #[error("a bundle has format {0}, which this version does not know")]
    UnknownFormat(u8),
    /// A count or length is over its limit.
    #[error("a bundle has too many {0}")]
    TooLarge(&'static str),
    /// The bundle breaks a rule of its format.
    #[error("a bundle breaks its format: {0}")]
    Malformed(&'static str),
    /// A change in it was refused.
    #[error(transparent)]
    Change(#[from] ChangeFault),
}
