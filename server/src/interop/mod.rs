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

pub(crate) use socket::connect;
