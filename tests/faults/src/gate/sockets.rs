//! Sockets of one device, and of one token.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use granary_client_core::protocol::messages::write_message;
use serde::Serialize;
use serde_bytes::Bytes;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::stranger::{Crowd, Line};
use super::{ELSEWHERE, Gate};

async fn open(line: Option<Line>, path: &str) -> Option<WebSocketStream<Line>> {
    client_async(format!("wss://localhost{path}"), line?).await.ok().map(|(socket, _)| socket)
}

/// Reads until the other side ends it.
async fn listen(socket: &mut WebSocketStream<Line>) {
    while matches!(socket.next().await, Some(Ok(_))) {}
}

pub(super) async fn live(gate: Arc<Gate>) -> Crowd {
    Crowd::of(gate.extent.of(200), gate.extent.longest(), |_| {
        let (stranger, greeting) = (gate.stranger.clone(), gate.device.greeting());
        async move {
            let Some(mut socket) = open(stranger.http1(ELSEWHERE).await, "/live").await else { return false };
            let _ = socket.send(Message::Binary(greeting.into())).await;
            listen(&mut socket).await;
            true
        }
    })
    .await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Word<'a> {
    r#type: &'a str,
    sender_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Bytes>,
    supported_protocol_versions: [&'a str; 1],
}

fn word(kind: &str, document: Option<&str>, data: Option<&[u8]>) -> Vec<u8> {
    write_message(&Word {
        r#type: kind,
        sender_id: "a stranger",
        document_id: document,
        data: data.map(Bytes::new),
        supported_protocol_versions: ["1"],
    })
}

fn number(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(u8::try_from(value & 0x7f).unwrap_or_default() | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or_default());
}

/// A message of Automerge's sync with as many hashes as a message has room for, and as large filters as are allowed.
fn heavy() -> Vec<u8> {
    const HASHES: usize = 15_000;
    const ENTRIES: usize = 20_000;
    let mut bytes = vec![0x42];
    let hashes = |bytes: &mut Vec<u8>| {
        number(bytes, HASHES);
        let begins = bytes.len();
        bytes.resize(begins + HASHES * 32, 0);
        // Ascending, as Automerge wants them.
        for index in 0..HASHES {
            let at = begins + index * 32;
            bytes[at..at + 8].copy_from_slice(&(index as u64).to_be_bytes());
        }
    };
    hashes(&mut bytes);
    hashes(&mut bytes);
    number(&mut bytes, 2);
    for _ in 0..2 {
        hashes(&mut bytes);
        let mut filter = Vec::new();
        [ENTRIES, 16, 7].into_iter().for_each(|value| number(&mut filter, value));
        filter.resize(filter.len() + ENTRIES * 16 / 8, 0xff);
        number(&mut bytes, filter.len());
        bytes.extend(filter);
    }
    bytes.push(0);
    bytes
}

pub(super) async fn automerge(gate: Arc<Gate>) -> Crowd {
    let message = Arc::new(heavy());
    let documents = Arc::new(gate.documents.clone());
    Crowd::of(gate.extent.of(100), gate.extent.longest(), |_| {
        let (stranger, token) = (gate.stranger.clone(), gate.token.clone());
        let (message, documents) = (Arc::clone(&message), Arc::clone(&documents));
        async move {
            let path = format!("/automerge?token={token}");
            let Some(mut socket) = open(stranger.http1(ELSEWHERE).await, &path).await else { return false };
            let says = |bytes: Vec<u8>| Message::Binary(bytes.into());
            if socket.send(says(word("join", None, None))).await.is_err() {
                return true;
            }
            for document in documents.iter() {
                // A document is opened anew by each: the client never says that it is done.
                if socket.send(says(word("sync", Some(document), Some(&message)))).await.is_err() {
                    return true;
                }
            }
            listen(&mut socket).await;
            true
        }
    })
    .await
}
