//! Limits of messages. Every size from outside is checked against one of them before anything is allocated.

pub use crate::crdt::limits::*;

/// The largest body of a message on the line, in bytes.
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
/// Values and external references in all changes of one bundle.
pub const BUNDLE_PLACES_MAX: usize = 1_000_000;
/// Bytes of all change chunks of one bundle, once written out as Automerge chunks.
pub const BUNDLE_CHUNK_BYTES_MAX: usize = 32 * 1024 * 1024;
/// Actors named in one bundle.
pub const BUNDLE_ACTORS_MAX: usize = 8_192;
/// Actors of one device in one document, which is one for each opening that wrote there.
pub const DEVICE_ACTORS_MAX: usize = 4_096;
/// The smallest page a phone asks for or sends, in bytes of bundle.
pub const PAGE_BYTES_MIN: usize = 2 * 1024;
/// The largest page a phone asks for or sends, in bytes of bundle.
pub const PAGE_BYTES_MAX: usize = 1024 * 1024;
