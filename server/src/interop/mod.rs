//! The automerge-repo network protocol over WebSocket, so that the Automerge project's own clients read
//! and edit the same documents, with the permissions of their token. A token's holder is a device like any
//! other: listed, granted, revoked.
//!
//! Not supported: ephemeral messages (presence), and messages between clients. A client requests a document by its URL;
//! the server announces none.
//!
//! Source: <https://github.com/automerge/automerge-repo/tree/main/packages/automerge-repo-network-websocket>,
//! protocol version 1.

mod message;
mod peer;
mod socket;
mod token;
mod wire;

use granary_client_core::crdt::PeerState;
use granary_client_core::schema::{Document, DocumentKey, Part};

pub(crate) use socket::connect;

/// For tests with hostile bytes: reads them as a client's envelope, then as Automerge's message, and applies that to an
/// empty document. It must return for any bytes.
pub fn hear(bytes: &[u8]) {
    let _ = wire::read(bytes);
    let Ok(read) = message::read(bytes, 0) else { return };
    let (mut document, mut peer) = (Document::empty(DocumentKey::Catalogue(Part::FIRST)), PeerState::default());
    if document.receive_sync_message(&mut peer, &read.without_changes).is_ok() {
        let _ = document.generate_sync_message(&mut peer);
    }
}
