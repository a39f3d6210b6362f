//! The sockets that the server listens on, and the connections that it accepts within limits.

use std::net::SocketAddr;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;

use super::STOP_TIMEOUT;
use crate::connection::{self, Service};
use crate::error::Error;
use crate::http::{Occupied, Origin, Places};

/// Bytes that the system buffers of the answers of one connection, of which it takes twice as many. By itself it would take up
/// to four million for each that reads nothing.
const SEND_BUFFER_BYTES: u32 = 64 * 1024;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

fn listener(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    // Connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

pub(super) fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let fault = |error: std::io::Error| Error::Listen { address, reason: error.to_string() };
    let listener = listener(address).map_err(fault)?;
    let address = listener.local_addr().map_err(fault)?;
    Ok((listener, address))
}

pub(super) async fn accept(listener: TcpListener, service: Service, mut stopped: oneshot::Receiver<()>) {
    let graceful = GracefulShutdown::new();
    let places = Places::new(service.limits.connections_per_address, service.limits.connections);
    loop {
        let (stream, peer) = tokio::select! {
            _ = &mut stopped => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        // Over the limit a connection that is of no use yet gives way; if there is none, this one is closed at once.
        let origin = Origin::from(peer.ip());
        let place = if service.proxies.are_at(peer.ip()) { places.take_for_many(origin) } else { places.take(origin) };
        let Some(place) = place else { continue };
        place.gives_way(true);
        let place = Occupied::by(place);
        let (service, watcher) = (service.clone(), graceful.watcher());
        tokio::spawn(async move {
            if let Err(error) = connection::serve(stream, peer, place, service, watcher).await {
                tracing::debug!(%peer, %error, "connection ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIMEOUT, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off at the stop; their phones will send them again");
    }
}
