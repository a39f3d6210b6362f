//! Nudges: one byte tells a connected phone that a document it may read has changed; the phone then syncs. The socket
//! carries no data, so a lost nudge loses none.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use axum::extract::{Extension, State, WebSocketUpgrade};
use axum::response::Response;
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::frame::SignedRequest;
use granary_client_core::protocol::nudge::{GREETING, NUDGE};
use granary_client_core::protocol::signing::{Channel, Purpose};

use super::state::{Exported, Occupied, Shared};
use crate::engine::Granary;
use crate::engine::subscriptions::Subscription;
use crate::error::{Error, frame_refusal, unknown_device};

/// A phone must have sent its greeting after this long.
const GREETING_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
/// A phone that reads nothing for this long is disconnected.
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
/// The interval of pings on an idle line. Far longer than any 2G round trip: a slow line must never look like a dead
/// one.
const PING_EVERY: std::time::Duration = std::time::Duration::from_secs(240);
/// The buffer of each socket, for reading and for writing.
const BUFFER_BYTES: usize = 256;
/// Delay that merges a burst of changes into one nudge.
const BATCH_DELAY: std::time::Duration = std::time::Duration::from_millis(500);

/// `GET /live`: the first message is a signed frame with the greeting in it.
pub(super) async fn listen(
    State(shared): State<Shared>,
    Extension(Exported(channel)): Extension<Exported>,
    Extension(place): Extension<Occupied>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(1024)
        .max_frame_size(1024)
        // Messages are a few bytes; the default buffers would be most of the memory of an idle phone.
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(BUFFER_BYTES)
        .on_upgrade(move |socket| async move {
            let counts = Arc::clone(&shared.counts);
            let _counted = counts.metrics.live();
            nudge(shared, channel, &place, socket).await;
        })
}

async fn nudge(shared: Shared, channel: Option<Channel>, place: &Occupied, mut socket: WebSocket) {
    // Before its greeting it is a stranger's, and gives way like every connection that is of no use yet.
    let greeting = tokio::select! {
        greeting = tokio::time::timeout(GREETING_TIMEOUT, socket.recv()) => greeting,
        () = place.place.given_away() => return,
    };
    let Ok(Some(Ok(Message::Binary(greeting)))) = greeting else { return };
    let Ok((subscription, device)) = subscribe(&shared.granary, &greeting, channel) else { return };
    let Ok(_line) = shared.gate.socket(device) else { return };
    place.place.keep();
    drop((shared, greeting));
    // The first nudge covers changes between the last sync and the subscription.
    if !send(&mut socket, Message::Binary(Bytes::from_static(NUDGE))).await {
        return;
    }
    loop {
        let message = tokio::select! {
            () = subscription.notified() => {
                if subscription.has_ended() {
                    return;
                }
                Message::Binary(Bytes::from_static(NUDGE))
            }
            incoming = socket.recv() => match incoming {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            () = tokio::time::sleep(PING_EVERY) => Message::Ping(Bytes::new()),
        };
        if matches!(message, Message::Binary(_)) {
            tokio::time::sleep(BATCH_DELAY).await;
        }
        if !send(&mut socket, message).await {
            return;
        }
    }
}

async fn send(socket: &mut WebSocket, message: Message) -> bool {
    matches!(tokio::time::timeout(SEND_TIMEOUT, socket.send(message)).await, Ok(Ok(())))
}

fn subscribe(granary: &Granary, greeting: &[u8], channel: Option<Channel>) -> Result<(Subscription, DeviceId), Error> {
    let signed = SignedRequest::parse(greeting.to_vec()).map_err(frame_refusal)?;
    let caller = granary.authenticate(&signed, Purpose::Listen, channel)?;
    let content = signed.content().map_err(frame_refusal)?;
    if content != GREETING {
        return Err(unknown_device());
    }
    let grants = caller.record()?.grants_now();
    let subscription = granary.subscriptions().subscribe(caller.cooperative.number(), caller.device, grants);
    // Asked again, now that an ending would find it.
    caller.record()?;
    Ok((subscription, caller.device))
}
