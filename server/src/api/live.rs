//! Nudges: a connected phone is told, in one byte, that there is something new that it may read, and
//! then syncs. Nothing else travels here, so nothing can be lost here.

use std::sync::Arc;

use axum::extract::ws::{Message, WebSocket};
use axum::extract::{State, WebSocketUpgrade};
use axum::response::Response;
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::frame::SignedRequest;
use granary_client_core::protocol::live::{GREETING, NUDGE};
use tokio::sync::broadcast::error::RecvError;

use super::Shared;
use crate::error::Error;
use crate::granary::Granary;
use crate::live::News;
use crate::log::Cooperative;

/// A phone must have said who it is after this long.
const GREETING_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
/// A phone that takes nothing for this long is let go.
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(60);
/// A quiet line is felt for this often. Far longer than any 2G round trip: a slow line must never look
/// like a dead one.
const PING_EVERY: std::time::Duration = std::time::Duration::from_secs(240);
/// Nudges are gathered this long.
const GATHER: std::time::Duration = std::time::Duration::from_millis(500);

/// `GET /live`: the first message is a signed frame with the greeting in it.
pub(super) async fn listen(State(shared): State<Shared>, upgrade: WebSocketUpgrade) -> Response {
    let granary = shared.granary;
    upgrade.max_message_size(1024).max_frame_size(1024).on_upgrade(move |socket| nudge(granary, socket))
}

async fn nudge(granary: Arc<Granary>, mut socket: WebSocket) {
    let Ok(Some(Ok(Message::Binary(greeting)))) = tokio::time::timeout(GREETING_TIMEOUT, socket.recv()).await else {
        return;
    };
    let Ok((cooperative, device)) = who(&granary, &greeting) else { return };
    let mut news = granary.live().listen();
    // Whatever came between the last sync and this moment is not missed.
    if !say(&mut socket, Message::Binary(NUDGE.to_vec().into())).await {
        return;
    }
    loop {
        let word = tokio::select! {
            heard = news.recv() => match heard {
                Ok(event) if concerns(&cooperative, device, &event) => Message::Binary(NUDGE.to_vec().into()),
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => Message::Binary(NUDGE.to_vec().into()),
                Err(RecvError::Closed) => return,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            () = tokio::time::sleep(PING_EVERY) => Message::Ping(Vec::new().into()),
        };
        if matches!(word, Message::Binary(_)) {
            tokio::time::sleep(GATHER).await;
            while news.try_recv().is_ok() {}
        }
        if !say(&mut socket, word).await {
            return;
        }
    }
}

async fn say(socket: &mut WebSocket, word: Message) -> bool {
    matches!(tokio::time::timeout(SEND_TIMEOUT, socket.send(word)).await, Ok(Ok(())))
}

fn who(granary: &Granary, greeting: &[u8]) -> Result<(Arc<Cooperative>, DeviceId), Error> {
    let signed = SignedRequest::parse(greeting).map_err(super::frame_refusal)?;
    let (cooperative, _) = granary.authenticate(&signed)?;
    let content = signed.content().map_err(super::frame_refusal)?;
    if content != GREETING {
        return Err(crate::access::unknown_device());
    }
    Ok((cooperative, signed.device))
}

/// True when a device should sync because of this.
fn concerns(cooperative: &Cooperative, device: DeviceId, event: &News) -> bool {
    match event {
        News::Admitted { cooperative: number, key } if *number == cooperative.number() => {
            cooperative.device(device).is_some_and(|record| record.grants_now().may_read(key))
        }
        News::Access { cooperative: number, device: other } => *number == cooperative.number() && *other == device,
        _ => false,
    }
}
