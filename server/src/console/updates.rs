//! Notifies open pages over a WebSocket that the read models have changed. A page then loads its content again; the
//! socket carries no data.

use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;

use super::refusal::refused;
use super::signed_in::SignedIn;
use crate::engine::events::Event;

/// Delay that merges a burst of changes into one message.
const BATCH_DELAY: std::time::Duration = std::time::Duration::from_millis(300);
/// A page that reads nothing for this long is disconnected.
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// `GET /console/live`
pub(super) async fn listen(signed: SignedIn, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    // Browsers let any site open a WebSocket with this site's cookies, so the origin is checked.
    let host = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let own = host(header::ORIGIN).and_then(|origin| origin.strip_prefix("https://")) == host(header::HOST);
    if !own {
        return refused(signed.locale, 403, "form-not-yours").into_response();
    }
    upgrade.max_message_size(1024).on_upgrade(move |socket| notify(signed, socket))
}

async fn notify(signed: SignedIn, mut socket: WebSocket) {
    let mut events = signed.granary.events().subscribe();
    let own = signed.cooperative.number();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(Event::ReadModelsUpdated { cooperative, .. }) if cooperative == own => {}
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        }
        tokio::time::sleep(BATCH_DELAY).await;
        while events.try_recv().is_ok() {}
        match tokio::time::timeout(SEND_TIMEOUT, socket.send(Message::text("new"))).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}
