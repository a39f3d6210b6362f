//! The socket's messages: CBOR maps with a `type`.

use granary_client_core::protocol::messages::{read_message, write_message};
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};

/// The longest message that is read, in bytes: a whole document of the largest size.
pub(super) const MESSAGE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// The protocol's version.
const VERSION: &str = "1";
/// The longest name of a peer or a document, in bytes.
const NAME_MAX: usize = 200;

/// A client's message.
#[derive(Debug, PartialEq)]
pub(super) enum ClientMessage {
    /// It introduces itself.
    Join { peer: String },
    /// It wants to sync a document.
    Sync { peer: String, document: String, data: Vec<u8> },
    /// A message that is not supported.
    Other,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Incoming {
    r#type: String,
    #[serde(default)]
    sender_id: String,
    #[serde(default)]
    document_id: String,
    #[serde(default)]
    data: Option<ByteBuf>,
    #[serde(default)]
    supported_protocol_versions: Vec<String>,
}

/// Reads a client's message, or gives the fault.
pub(super) fn read(bytes: &[u8]) -> Result<ClientMessage, &'static str> {
    let message: Incoming = read_message(bytes).map_err(|_| "the message can't be read")?;
    if message.sender_id.len() > NAME_MAX || message.document_id.len() > NAME_MAX {
        return Err("a name is too long");
    }
    match (message.r#type.as_str(), message.data) {
        ("join", _) if message.supported_protocol_versions.iter().any(|version| version == VERSION) => {
            Ok(ClientMessage::Join { peer: message.sender_id })
        }
        ("join", _) => Err("this server speaks version 1 of the protocol"),
        ("sync" | "request", Some(data)) => {
            Ok(ClientMessage::Sync { peer: message.sender_id, document: message.document_id, data: data.into_vec() })
        }
        ("sync" | "request", None) => Err("a sync message has no data"),
        _ => Ok(ClientMessage::Other),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing<'a> {
    r#type: &'static str,
    sender_id: &'static str,
    target_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    selected_protocol_version: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_metadata: Option<Metadata>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    is_ephemeral: bool,
}

fn plain<'a>(kind: &'static str, peer: &'a str) -> Outgoing<'a> {
    Outgoing {
        r#type: kind,
        sender_id: "granary",
        target_id: peer,
        document_id: None,
        data: None,
        message: None,
        selected_protocol_version: None,
        peer_metadata: None,
    }
}

/// The server introduces itself.
pub(super) fn peer(peer: &str) -> Vec<u8> {
    write_message(&Outgoing {
        selected_protocol_version: Some(VERSION),
        peer_metadata: Some(Metadata { is_ephemeral: false }),
        ..plain("peer", peer)
    })
}

/// A sync message of a document.
pub(super) fn sync(peer: &str, document: &str, data: &[u8]) -> Vec<u8> {
    write_message(&Outgoing { document_id: Some(document), data: Some(Bytes::new(data)), ..plain("sync", peer) })
}

/// The document does not exist or may not be read; the message does not tell which.
pub(super) fn unavailable(peer: &str, document: &str) -> Vec<u8> {
    write_message(&Outgoing { document_id: Some(document), ..plain("doc-unavailable", peer) })
}

/// The reason to end the connection.
pub(super) fn error(peer: &str, why: &str) -> Vec<u8> {
    write_message(&Outgoing { message: Some(why), ..plain("error", peer) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_messages_round_trip() {
        let message = read(&sync("p", "d", &[1, 2])).unwrap();
        assert_eq!(message, ClientMessage::Sync { peer: "granary".into(), document: "d".into(), data: vec![1, 2] });
        assert_eq!(read(&peer("p")).unwrap(), ClientMessage::Other);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = read(&bytes);
        }
    }
}
