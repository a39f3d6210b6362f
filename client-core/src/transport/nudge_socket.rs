//! The nudge socket: while it is open, the server sends a nudge whenever its log grows. It transfers no content, so it may
//! break at any time without loss; a sync on the timer finds the same.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use super::LineFault;
use super::counted::Counted;
use super::https::{HttpsTransport, exported};
use super::runtime::build_runtime;
use crate::error::Error;
use crate::protocol::frame::UnsignedRequest;
use crate::protocol::nudge::{GREETING, NUDGE};
use crate::protocol::signing::{Channel, Purpose, Signer};

/// The server pings a quiet line every four minutes. One that is silent for ten is dead.
const SILENCE_MAX: Duration = Duration::from_secs(600);

type Socket = WebSocketStream<TlsStream<Counted<TcpStream>>>;

fn line(error: impl std::fmt::Display) -> Error {
    Error::Line(LineFault::broke(error))
}

impl HttpsTransport {
    /// Listens until the line breaks, which is an error, or `stop` turns true. `signer` signs the greeting; `on_nudge` is
    /// called for each nudge. Blocks; must not be called on a thread that runs a runtime.
    pub fn listen(&self, signer: &Signer, stop: &mut watch::Receiver<bool>, on_nudge: &dyn Fn()) -> Result<(), Error> {
        let runtime = build_runtime(&mut tokio::runtime::Builder::new_current_thread())
            .map_err(|error| Error::of_system(&error))?;
        runtime.block_on(async {
            tokio::select! {
                ended = self.listen_on(signer, on_nudge) => ended,
                _ = stop.wait_for(|stopped| *stopped) => Ok(()),
            }
        })
    }

    async fn listen_on(&self, signer: &Signer, on_nudge: &dyn Fn()) -> Result<(), Error> {
        let (mut socket, channel) = tokio::time::timeout(SILENCE_MAX, self.open_socket()).await.map_err(line)??;
        let greeting = UnsignedRequest::new(signer.device, GREETING).signed_by(signer, Purpose::Listen, channel);
        socket.send(Message::Binary(greeting.into())).await.map_err(line)?;
        loop {
            match tokio::time::timeout(SILENCE_MAX, socket.next()).await.map_err(line)? {
                Some(Ok(Message::Binary(word))) if word.as_ref() == NUDGE => on_nudge(),
                Some(Ok(Message::Close(_))) | None => return Err(line("the server ended the line")),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(line(error)),
            }
        }
    }

    async fn open_socket(&self) -> Result<(Socket, Option<Channel>), Error> {
        let stream = self.connect_tls().await?;
        let channel = exported(&stream);
        let address = format!("wss://{}/live", self.host());
        let (socket, _) = tokio_tungstenite::client_async(address, stream).await.map_err(line)?;
        Ok((socket, channel))
    }
}

/// Stops a listening socket when it is set to true.
pub type Stop = watch::Sender<bool>;

/// A stop that is still false, with its receiver.
pub fn new_stop() -> (Arc<Stop>, watch::Receiver<bool>) {
    let (stop, stopped) = watch::channel(false);
    (Arc::new(stop), stopped)
}
