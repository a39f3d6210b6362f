//! Fuzz targets: each decoder of foreign bytes, the reader of order files, and the sync endpoint, as a function that must
//! return for any input. The tests run the kept corpus and mutations of it; `granary-hostile` runs mutations for a given
//! time; `fuzz/` hands the same functions to libFuzzer. [`NASTY`] are whole files that ask for more memory than a reader may take.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a panic is a finding"
)]

mod corpus;
mod endpoint;
mod made;
mod mutate;
mod nasty;
mod order_file;

pub use corpus::{kept, make};
pub use endpoint::endpoint;
pub use mutate::Mutator;
pub use nasty::{NASTY, Nasty};
pub use order_file::{answer, order_file, order_sheet};

use std::sync::LazyLock;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::protocol::bundle::{read_bundle, write_bundle};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, read_reply};
use granary_client_core::protocol::messages::{SyncReply, SyncRequest, read_message};
use granary_client_core::protocol::outbox_file::{OpeningKey, OutboxFile, OutboxFilePage};
use granary_client_core::schema::{Document, DocumentKey, Part};
use granary_client_core::transport::ServerLink;
use sha2::{Digest, Sha256};

/// A decoder, or an endpoint, of foreign bytes.
pub struct Target {
    /// Its name, which is also the name of its corpus folder.
    pub name: &'static str,
    /// Takes any bytes, and returns.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: [Target; 11] = [
    Target { name: "change", run: change },
    Target { name: "foreign_change", run: foreign_change },
    Target { name: "bundle", run: bundle },
    Target { name: "frame", run: frame },
    Target { name: "message", run: message },
    Target { name: "names", run: names },
    Target { name: "outbox_file", run: outbox_file },
    Target { name: "interop", run: interop },
    Target { name: "order_file", run: order_file },
    Target { name: "order_sheet", run: order_sheet },
    Target { name: "endpoint", run: endpoint },
];

/// Silences panics that are caught: Automerge's own, inside a trial. libFuzzer's hook would end the process at them. A
/// panic that nobody catches still ends it.
pub fn silence_caught_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// A change chunk of a phone, as it is and with a right checksum. An accepted chunk must be in canonical form, and a
/// document must survive it.
pub fn change(bytes: &[u8]) {
    for bytes in [bytes, &with_checksum(bytes)] {
        if let Ok(change) = VerifiedChange::from_chunk(bytes) {
            assert_eq!(change.chunk(), bytes, "an accepted chunk is canonical");
            let _ = Document::empty(DocumentKey::Catalogue(Part::FIRST)).trial(&[change]);
        }
    }
}

/// A change chunk of another Automerge client, deflated or not.
pub fn foreign_change(bytes: &[u8]) {
    for bytes in [bytes, &with_checksum(bytes)] {
        if let Ok(change) = VerifiedChange::from_any_chunk(bytes) {
            assert!(VerifiedChange::from_chunk(change.chunk()).is_ok());
        }
    }
}

/// The chunk with the checksum of its content: four bytes of SHA-256 after the four magic bytes.
fn with_checksum(chunk: &[u8]) -> Vec<u8> {
    let mut sealed = chunk.to_vec();
    if let Some((head, content)) = sealed.split_at_mut_checked(8) {
        let checksum = Sha256::digest(content);
        head[4..].copy_from_slice(&checksum[..4]);
    }
    sealed
}

/// A bundle. A bundle that is read, written and read again is the same.
pub fn bundle(bytes: &[u8]) {
    if let Ok(documents) = read_bundle(bytes) {
        assert_eq!(read_bundle(&write_bundle(&documents)).as_ref(), Ok(&documents));
    }
}

/// The frame of a request or a reply.
pub fn frame(bytes: &[u8]) {
    if let Ok(request) = SignedRequest::parse(bytes.to_vec()) {
        let _ = request.content();
    }
    let _ = read_reply(bytes);
}

/// The message in a frame.
pub fn message(bytes: &[u8]) {
    let _ = read_message::<SyncRequest>(bytes);
    let _ = read_message::<SyncReply>(bytes);
    let _ = read_message::<EnrolRequest>(bytes);
}

/// An outbox file, and a page of one.
pub fn outbox_file(bytes: &[u8]) {
    static KEY: LazyLock<OpeningKey> = LazyLock::new(|| OpeningKey::derive(b"server"));
    if let Ok(page) = OutboxFilePage::parse(bytes) {
        assert!(!page.is_signed_by(&[1; 32]), "no mutation has a valid signature");
        let _ = page.open(&KEY);
    }
    if let Ok(file) = OutboxFile::parse(bytes) {
        assert_eq!(file.to_bytes().as_deref(), Ok(bytes), "an accepted file is canonical");
    }
}

/// A message of an automerge-repo client: the envelope, and Automerge's own sync message.
pub fn interop(bytes: &[u8]) {
    granary_server::interop::hear(bytes);
}

/// Document keys, and an invitation's link.
pub fn names(bytes: &[u8]) {
    if let Ok(key) = DocumentKey::from_bytes(bytes) {
        assert_eq!(DocumentKey::from_bytes(&key.to_bytes()).as_ref(), Ok(&key));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<ServerLink>();
    }
}
