//! What takes bytes from outside, each as one function of any bytes that must return. The kept corpus is run
//! as plain tests with mutations of it; `granary-hostile` goes on for as long as it is told; `fuzz/` hands the
//! same functions to libFuzzer.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a panic is a finding"
)]

mod corpus;
mod endpoint;
mod mutate;

pub use corpus::{kept, make};
pub use endpoint::endpoint;
pub use mutate::Mutator;

use std::sync::LazyLock;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::protocol::bundle::{read_bundle, write_bundle};
use granary_client_core::protocol::enrolment::EnrolRequest;
use granary_client_core::protocol::frame::{SignedRequest, read_reply};
use granary_client_core::protocol::messages::{SyncReply, SyncRequest, read_message};
use granary_client_core::protocol::outbox_file::{OpeningKey, OutboxFile, OutboxFilePage};
use granary_client_core::schema::{Document, DocumentKey};
use granary_client_core::transport::ServerLink;
use sha2::{Digest, Sha256};

/// Something that takes bytes from outside.
pub struct Target {
    /// Its name; its corpus lies in a folder of this name.
    pub name: &'static str,
    /// Takes the bytes; returns whatever they are.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 9] = [
    Target { name: "change", run: change },
    Target { name: "foreign_change", run: foreign_change },
    Target { name: "bundle", run: bundle },
    Target { name: "frame", run: frame },
    Target { name: "message", run: message },
    Target { name: "names", run: names },
    Target { name: "carried", run: carried },
    Target { name: "interop", run: interop },
    Target { name: "endpoint", run: endpoint },
];

/// Lets panics that are caught pass without a word: Automerge's own, inside a trial. libFuzzer's hook would end the
/// process at them; one that nobody catches still ends it.
pub fn contained() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// A change chunk as phones send it, as it is and well sealed. What is taken must be spelt as we spell it, and
/// must not hurt a document.
pub fn change(bytes: &[u8]) {
    for bytes in [bytes, &well_sealed(bytes)] {
        if let Ok(change) = VerifiedChange::from_chunk(bytes) {
            assert_eq!(change.chunk(), bytes, "taken as it is spelt");
            let _ = Document::empty(DocumentKey::Catalogue).trial(&[change]);
        }
    }
}

/// A change chunk of another Automerge client, deflated or not.
pub fn foreign_change(bytes: &[u8]) {
    for bytes in [bytes, &well_sealed(bytes)] {
        if let Ok(change) = VerifiedChange::from_any_chunk(bytes) {
            assert!(VerifiedChange::from_chunk(change.chunk()).is_ok());
        }
    }
}

/// The chunk with the checksum that its content wants: four bytes of SHA-256, behind four that never change.
fn well_sealed(chunk: &[u8]) -> Vec<u8> {
    let mut sealed = chunk.to_vec();
    if let Some((head, content)) = sealed.split_at_mut_checked(8) {
        let checksum = Sha256::digest(content);
        head[4..].copy_from_slice(&checksum[..4]);
    }
    sealed
}

/// A bundle. What is read is written and read the same again.
pub fn bundle(bytes: &[u8]) {
    if let Ok(documents) = read_bundle(bytes) {
        assert_eq!(read_bundle(&write_bundle(&documents)).as_ref(), Ok(&documents));
    }
}

/// A request or a reply as it comes from the line.
pub fn frame(bytes: &[u8]) {
    if let Ok(request) = SignedRequest::parse(bytes.to_vec()) {
        let _ = request.content();
    }
    let _ = read_reply(bytes);
}

/// What is in a frame.
pub fn message(bytes: &[u8]) {
    let _ = read_message::<SyncRequest>(bytes);
    let _ = read_message::<SyncReply>(bytes);
    let _ = read_message::<EnrolRequest>(bytes);
}

/// A file that somebody carried to the server, and a page of one.
pub fn carried(bytes: &[u8]) {
    static SERVER: LazyLock<OpeningKey> = LazyLock::new(|| OpeningKey::derive(b"server"));
    if let Ok(page) = OutboxFilePage::parse(bytes) {
        assert!(!page.is_signed_by(&[1; 32]), "signed by nobody");
        let _ = page.open(&SERVER);
    }
    if let Ok(file) = OutboxFile::parse(bytes) {
        assert_eq!(file.to_bytes().as_deref(), Ok(bytes), "read as it is spelt");
    }
}

/// What an automerge-repo client sends: the envelope, and Automerge's own sync message.
pub fn interop(bytes: &[u8]) {
    granary_server::interop::hear(bytes);
}

/// Names of documents, and an invitation's link.
pub fn names(bytes: &[u8]) {
    if let Ok(key) = DocumentKey::from_bytes(bytes) {
        assert_eq!(DocumentKey::from_bytes(&key.to_bytes()).as_ref(), Ok(&key));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<ServerLink>();
    }
}
