//! Notifies open pages over a WebSocket that the read models have changed. A page then loads its content again; the
//! socket carries no data.

use axum::extract::ws::{Message, WebSocket};
use axum::extract::{Extension, State, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;

use super::origin::is_from_here;
use super::refusal::refused;
use super::signed_in::SignedIn;
use crate::engine::events::Event;
use crate::http::{Occupied, Shared};

/// Delay that merges a burst of changes into one message.
const BATCH_DELAY: std::time::Duration = std::time::Duration::from_millis(300);
/// A page that reads nothing for this long is disconnected.
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);
/// The interval at which an idle page's session is looked at: sessions end by time too.
const ASK_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// `GET /console/live`
pub(super) async fn listen(
    State(shared): State<Shared>,
    signed: SignedIn,
    Extension(place): Extension<Occupied>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> Response {
    // Browsers let any site open a WebSocket with this site's cookies, so the origin is checked.
    if !headers.contains_key(header::ORIGIN) || !is_from_here(&uri, &headers) {
        return refused(signed.locale, 403, "form-not-yours").into_response();
    }
    let Ok(line) = shared.gate.socket(signed.session.device) else {
        return refused(signed.locale, 429, "too-many-pages").into_response();
    };
    place.place.keep();
    upgrade.max_message_size(1024).on_upgrade(move |socket| async move {
        let _holds = (place, line);
        notify(signed, socket).await;
    })
}

async fn notify(signed: SignedIn, mut socket: WebSocket) {
    let mut events = signed.granary.events().subscribe();
    let own = signed.cooperative.number();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(Event::ReadModelsUpdated { cooperative, .. }) if cooperative == own => {}
                Ok(Event::AccessChanged { device }) if device == signed.session.device => match signed.is_open().await {
                    true => continue,
                    false => return,
                },
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
            () = tokio::time::sleep(ASK_EVERY) => match signed.is_open().await {
                true => continue,
                false => return,
            },
        }
        tokio::time::sleep(BATCH_DELAY).await;
        while events.try_recv().is_ok() {}
        // One of the events that are merged here may have ended the session.
        if !signed.is_open().await {
            return;
        }
        match tokio::time::timeout(SEND_TIMEOUT, socket.send(Message::text("new"))).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}
