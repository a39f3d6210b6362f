//! `GET /automerge?token=…`: the socket under a [`Peer`]. It processes one message at a time, within the device's
//! limits, and applies back-pressure from slow readers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use axum::extract::{ConnectInfo, Extension, Query, State, WebSocketUpgrade};
use axum::response::Response;
use granary_client_core::protocol::problem::ProblemKind;
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;

use super::peer::{Peer, PeerFault};
use super::wire::MESSAGE_BYTES_MAX;
use crate::engine::events::Event;
use crate::error::Error;
use crate::http::{Gate, Held, Occupied, Origin, Shared, refuse};

/// A client that reads nothing for this long is disconnected.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);
/// The interval of pings on an idle line.
const PING_EVERY: Duration = Duration::from_secs(240);
/// The delay before a message over the limit is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The buffer of each socket for reading; the default of 128 KiB would be most of an idle client's memory.
const BUFFER_BYTES: usize = 4 * 1024;

#[derive(Deserialize)]
pub(crate) struct ConnectQuery {
    #[serde(default)]
    token: String,
}

/// Connects a client of automerge-repo.
pub(crate) async fn connect(
    State(shared): State<Shared>,
    Query(query): Query<ConnectQuery>,
    Extension(place): Extension<Occupied>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let (granary, gate) = (Arc::clone(&shared.granary), Arc::clone(&shared.gate));
    match Peer::new(granary, query.token, |device| gate.automerge(device)) {
        Ok((peer, line)) => {
            place.place.keep();
            upgrade
                .read_buffer_size(BUFFER_BYTES)
                .write_buffer_size(0)
                .max_message_size(MESSAGE_BYTES_MAX)
                .max_frame_size(MESSAGE_BYTES_MAX)
                .on_upgrade(move |socket| async move {
                    let from = Origin::from(address.ip());
                    let _holds = (place, line);
                    serve(shared, gate, peer, from, socket).await;
                })
        }
        Err(PeerFault::Server(error)) => refuse(&shared, &error),
        Err(fault) => refuse(&shared, &Error::refused(ProblemKind::UnknownDevice, fault.to_string())),
    }
}

type Work = Box<dyn FnOnce(&mut Peer) -> Result<Vec<Vec<u8>>, PeerFault> + Send>;

async fn serve(shared: Shared, gate: Arc<Gate>, mut peer: Peer, from: Origin, mut socket: WebSocket) {
    let mut events = shared.granary.events().subscribe();
    let device = peer.device();
    let _counted = shared.counts.metrics.interop();
    let cooperative = Arc::clone(peer.cooperative());
    loop {
        let work: Work = tokio::select! {
            replies = socket.recv() => match replies {
                Some(Ok(Message::Binary(bytes))) => {
                    // Messages are in the budget of all bodies. A client that finds it used up waits, which holds it back.
                    let mut held = Held::by(from);
                    while gate.rooms.hold(&mut held, bytes.len()).is_err() {
                        tokio::time::sleep(RETRY_PAUSE).await;
                    }
                    let _pass = loop {
                        match gate.pass_of(device, bytes.len(), crate::environment::now()).await {
                            Ok(pass) => break pass,
                            Err(Error::Refused { .. }) => tokio::time::sleep(RETRY_PAUSE).await,
                            Err(_) => return,
                        }
                    };
                    Box::new(move |peer| {
                        let _held = held;
                        peer.handle(&bytes, crate::environment::now())
                    })
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            event = events.recv() => match event {
                Ok(Event::Admitted { cooperative: number, key })
                    if number == cooperative.number() && peer.is_open(&key) =>
                {
                    Box::new(move |peer| peer.document_changed(&key))
                }
                Ok(Event::AccessChanged { device: other, .. }) if other == device => Box::new(Peer::access_changed),
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => Box::new(|peer| {
                    let mut replies = peer.access_changed()?;
                    for key in peer.open_documents() {
                        replies.extend(peer.document_changed(&key)?);
                    }
                    Ok(replies)
                }),
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep(PING_EVERY) => {
                if !send(&mut socket, Message::Ping(Vec::new().into())).await {
                    return;
                }
                continue;
            }
        };
        let worked = tokio::task::spawn_blocking(move || {
            let replies = work(&mut peer);
            (peer, replies)
        });
        let Ok((returned, replies)) = worked.await else { return };
        peer = returned;
        match replies {
            Ok(replies) => {
                for reply in replies {
                    if !send(&mut socket, Message::Binary(reply.into())).await {
                        return;
                    }
                }
            }
            Err(fault) => {
                tracing::info!(%device, %fault, "an automerge-repo client was let go");
                let why = match fault {
                    PeerFault::Server(error) => error.problem().detail,
                    other => other.to_string(),
                };
                send(&mut socket, Message::Binary(peer.farewell(&why).into())).await;
                return;
            }
        }
    }
}

async fn send(socket: &mut WebSocket, reply: Message) -> bool {
    matches!(tokio::time::timeout(SEND_TIMEOUT, socket.send(reply)).await, Ok(Ok(())))
}
