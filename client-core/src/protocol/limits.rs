//! What one message may hold at most. Every size that comes from outside is held against one of
//! these before anything is allocated for it.

pub use crate::crdt::limits::*;

/// The largest message body that is read at all, in bytes as they come from the line.
pub const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// The largest message once decompressed, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The largest bundle inside a message, in bytes.
pub const BUNDLE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Documents in one bundle.
pub const BUNDLE_DOCUMENTS_MAX: usize = 4_096;
/// Changes in one bundle.
pub const BUNDLE_CHANGES_MAX: usize = 20_000;
/// Operations in all changes of one bundle.
pub const BUNDLE_OPERATIONS_MAX: usize = 400_000;
/// Values and outside references in all changes of one bundle.
pub const BUNDLE_PLACES_MAX: usize = 1_000_000;
/// Bytes of all change chunks of one bundle, once written out as Automerge chunks.
pub const BUNDLE_CHUNK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Actors named in one bundle.
pub const BUNDLE_ACTORS_MAX: usize = 8_192;
/// Actors of one device in one document: openings of its store in which it wrote there.
pub const DEVICE_ACTORS_MAX: usize = 4_096;
/// The smallest page a phone asks for or sends, in bytes of bundle.
pub const PAGE_BYTES_MIN: usize = 2 * 1024;
/// The largest page a phone asks for or sends, in bytes of bundle.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;
