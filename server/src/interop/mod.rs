//! The automerge-repo network protocol over WebSocket, so that the Automerge project's own clients read
//! and edit the same documents, with the permissions of the token that they bring. The token makes its
//! holder a device like any other: listed, granted to, revoked.
//!
//! Not carried on: ephemeral messages (presence), and messages between clients. A client asks for a
//! document by its URL; nothing is offered unasked.
//!
//! Source: <https://github.com/automerge/automerge-repo/tree/main/packages/automerge-repo-network-websocket>,
//! protocol version 1.

mod message;
mod peer;
mod socket;
mod token;
mod wire;

use granary_client_core::crdt::PeerState;
use granary_client_core::schema::{Document, DocumentKey};

pub(crate) use socket::connect;

/// Takes bytes as what a client sends, first as the envelope and then as Automerge's own message, and lets an
/// empty document hear that; for tests with hostile bytes. Returns whatever they are.
pub fn hear(bytes: &[u8]) {
    let _ = wire::read(bytes);
    let Ok(read) = message::read(bytes) else { return };
    let (mut document, mut peer) = (Document::empty(DocumentKey::Catalogue), PeerState::default());
    if document.receive_sync_message(&mut peer, &read.without_changes).is_ok() {
        let _ = document.generate_sync_message(&mut peer);
    }
}
