//! One connection: TLS, then HTTP/1.1 or HTTP/2, within deadlines. From its acceptance to the end of its first request it has
//! one deadline, which a least rate of bytes puts off; it ends when it is idle, when its other side does not read what it asked
//! for, and when another connection needs its place while it is of no use.

mod activity;
mod arriving;
mod hello;
mod pace;
mod patient;
mod rest;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use granary_client_core::protocol::signing::{CHANNEL_LABEL, Channel};
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::config::{Limits, Proxies};
use crate::http::{Exported, Occupied, Origin, Places, With};
use activity::Activity;
use arriving::Arriving;
use hello::Hello;
use patient::Patient;
use rest::Rest;

/// Bytes of a request's head, and of what is buffered of it.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of TLS that are buffered for who reads slowly.
const TLS_BYTES_MAX: usize = 16 * 1024;
/// Bytes of HTTP/2 that may be on the way to the server: of one request, and of all of a connection.
const WINDOW_BYTES: (u32, u32) = (64 * 1024, 256 * 1024);
/// Bytes of answers that are buffered for one HTTP/2 request.
const SEND_BYTES_MAX: usize = 64 * 1024;
/// The interval of HTTP/2 pings, and the time for their answers. A browser is asked, not a phone.
const PING: Duration = Duration::from_secs(60);

/// The protocol by which an authority looks whether a name leads here (TLS-ALPN-01, RFC 8737).
pub(crate) const LOOKED_AT: &[u8] = b"acme-tls/1";

const GAVE_WAY: &str = "another connection of its address needs its place";

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// What all connections have in common.
#[derive(Clone)]
pub(crate) struct Service {
    pub(crate) limits: Limits,
    pub(crate) proxies: Arc<Proxies>,
    /// Places of requests whose bodies come.
    pub(crate) coming: Arc<Places<Origin>>,
    /// None for plain HTTP, which is served on loopback alone.
    pub(crate) acceptor: Option<TlsAcceptor>,
    pub(crate) router: Router,
}

/// Serves one connection until it ends or is over.
pub(crate) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    place: Occupied,
    service: Service,
    watcher: Watcher,
) -> Result<(), Fault> {
    let accepted = Instant::now();
    stream.set_nodelay(true)?;
    let limits = service.limits;
    let Some(acceptor) = service.acceptor.clone() else {
        let client = Client { peer, accepted, place, exported: None };
        return serve_http(stream, client, service, watcher).await;
    };
    let handshake = timeout_at(accepted + limits.first_request_timeout, acceptor.accept(Hello::new(stream)));
    let mut stream = tokio::select! {
        stream = handshake => stream??,
        () = place.place.given_away() => return Err(GAVE_WAY.into()),
    };
    let (hello, session) = stream.get_mut();
    hello.is_done();
    if session.alpn_protocol() == Some(LOOKED_AT) {
        // The handshake has shown what there is to see.
        return Ok(());
    }
    session.set_buffer_limit(Some(TLS_BYTES_MAX));
    let exported = session.export_keying_material([0; 32], CHANNEL_LABEL, Some(&[])).ok().map(Channel);
    serve_http(stream, Client { peer, accepted, place, exported }, service, watcher).await
}

/// The other side of a connection.
struct Client {
    peer: SocketAddr,
    accepted: Instant,
    place: Occupied,
    /// The key that its TLS exports.
    exported: Option<Channel>,
}

async fn serve_http(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    Client { peer, accepted, place, exported }: Client,
    service: Service,
    watcher: Watcher,
) -> Result<(), Fault> {
    let Service { limits, proxies, coming, router, .. } = service;
    let activity = Activity::new(accepted, limits, place.clone());
    let stream = Patient::new(stream, limits.write_timeout, limits.bytes_per_second_min);
    let service = {
        let (activity, place) = (Arc::clone(&activity), place.clone());
        hyper::service::service_fn(move |request: Request<Incoming>| {
            let at_work = activity.begin();
            let client = proxies.client(peer, request.headers());
            let pace = activity.pace();
            let (head, body) = request.into_parts();
            let place_to_come = coming.take(Origin::from(client.ip()));
            let (body, rest) = Rest::of(Body::new(Arriving::new(body, pace, Arc::clone(&at_work), place_to_come)));
            let mut request = Request::from_parts(head, body);
            request.extensions_mut().insert(ConnectInfo(client));
            request.extensions_mut().insert(Exported(exported));
            request.extensions_mut().insert(place.clone());
            let router = router.clone();
            async move {
                let answer = router.oneshot(request).await.unwrap_or_else(|never| match never {});
                if answer.status().is_client_error() {
                    tokio::spawn(rest.discard());
                }
                at_work.is_answered();
                Ok::<_, Infallible>(answer.map(|body| Body::new(With { body, _held: at_work })))
            }
        })
    };
    let mut builder = Builder::new(TokioExecutor::new());
    // No date header: it costs 37 bytes of every answer, and no client reads it.
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.first_request_timeout)
        .max_buf_size(HEAD_BYTES_MAX)
        .auto_date_header(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .auto_date_header(false)
        .max_concurrent_streams(16)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX))
        .initial_stream_window_size(WINDOW_BYTES.0)
        .initial_connection_window_size(WINDOW_BYTES.1)
        .max_send_buf_size(SEND_BYTES_MAX)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    let served = watcher.watch(builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned());
    tokio::pin!(served);
    loop {
        // Looked at this often, since an answer can bring the end nearer than the first request's deadline was.
        let look_at = activity.due().min(Instant::now() + limits.idle_timeout);
        tokio::select! {
            ended = &mut served => return ended,
            () = place.place.given_away() => return Err(GAVE_WAY.into()),
            () = sleep_until(look_at) => {
                if activity.due() <= Instant::now() {
                    return Err("it asked for nothing for too long".into());
                }
            }
        }
    }
}
