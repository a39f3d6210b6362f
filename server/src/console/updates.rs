//! Tells open pages that the read models have changed, over a WebSocket. A page then asks again; nothing
//! but that word travels here.

use axum::extract::WebSocketUpgrade;
use axum::extract::ws::{Message, WebSocket};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::broadcast::error::RecvError;

use super::refusal::refused;
use super::signed_in::SignedIn;
use crate::engine::events::Event;

/// Words are gathered this long, so that a burst of changes is one word.
const GATHER: std::time::Duration = std::time::Duration::from_millis(300);
/// A page that takes nothing for this long is let go.
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(20);

/// `GET /console/live`
pub(super) async fn listen(signed: SignedIn, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    // Browsers let any page open a WebSocket with this site's cookies; only our own may.
    let host = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let own = host(header::ORIGIN).and_then(|origin| origin.strip_prefix("https://")) == host(header::HOST);
    if !own {
        return refused(signed.locale, 403, "form-not-yours").into_response();
    }
    upgrade.max_message_size(1024).on_upgrade(move |socket| tell(signed, socket))
}

async fn tell(signed: SignedIn, mut socket: WebSocket) {
    let mut events = signed.granary.events().subscribe();
    let own = signed.cooperative.number();
    loop {
        tokio::select! {
            heard = events.recv() => match heard {
                Ok(Event::ReadModelsUpdated { cooperative, .. }) if cooperative == own => {}
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            said = socket.recv() => match said {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        }
        tokio::time::sleep(GATHER).await;
        while events.try_recv().is_ok() {}
        match tokio::time::timeout(SEND_TIMEOUT, socket.send(Message::text("new"))).await {
            Ok(Ok(())) => {}
            _ => return,
        }
    }
}
