//! HTTPS over rustls: HTTP/1.1 with three header lines, TLS 1.3 with session resumption, one connection that is kept for
//! the next exchange. A line is dead when no byte has passed for a minute; a slow line never is. A broken exchange
//! resumes where it stopped.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::counted::{Counted, Counter};
use super::pin::PinnedAuthority;
use super::resume::{Ask, Exchange, Outcome};
use super::{Outgoing, Route, ServerLink, Transport, Used, refusal};
use crate::error::Error;
use crate::protocol::signing::{CHANNEL_LABEL, Channel};

/// A line on which no byte passes for this long is dead.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// An exchange that broke this often fails.
const BREAKS_MAX: u32 = 2_000;
/// An exchange resumes at once only when more bytes than this passed since the last break. Otherwise it fails, and the
/// scheduler backs off.
const PROGRESS_BYTES_MIN: u64 = 400;
/// Bytes of one TLS record. A broken line loses the record that was incomplete; each record costs 22 bytes.
const FRAGMENT_BYTES: usize = 1_400;

/// A connection, with the key that both of its ends export.
struct Connection {
    sender: SendRequest<Full<Bytes>>,
    channel: Option<Channel>,
}

/// See the module.
pub struct HttpsTransport {
    host: String,
    port: u16,
    tls: TlsConnector,
    runtime: Runtime,
    connection: Mutex<Option<Connection>>,
    counter: Arc<Counter>,
    /// Counts bytes above TLS.
    content: Arc<Counter>,
    exchanges: AtomicU64,
}

fn line(error: impl std::fmt::Display) -> Error {
    Error::Line(error.to_string())
}

fn system(error: impl std::fmt::Display) -> Error {
    Error::System(error.to_string())
}

/// The key that this connection exports (RFC 9266).
pub(super) fn exported(stream: &TlsStream<Counted<TcpStream>>) -> Option<Channel> {
    let (_, session) = stream.get_ref();
    session.export_keying_material([0; 32], CHANNEL_LABEL, Some(&[])).ok().map(Channel)
}

impl HttpsTransport {
    /// A transport to this server. Sends nothing yet.
    pub fn new(server: &ServerLink) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(system)?;
        let mut config = match server.fingerprint {
            Some(fingerprint) => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(PinnedAuthority { fingerprint, provider }))
                .with_no_client_auth(),
            None => {
                let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
                builder.with_root_certificates(roots).with_no_client_auth()
            }
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.max_fragment_size = Some(FRAGMENT_BYTES);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system)?;
        Ok(Self {
            host: server.host.clone(),
            port: server.port,
            tls: TlsConnector::from(Arc::new(config)),
            runtime,
            connection: Mutex::new(None),
            counter: Arc::default(),
            content: Arc::default(),
            exchanges: AtomicU64::new(0),
        })
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// A TLS connection whose bytes are counted.
    pub(super) async fn connect_tls(&self) -> Result<TlsStream<Counted<TcpStream>>, Error> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(line)?;
        stream.set_nodelay(true).map_err(line)?;
        let stream = Counted { stream, counter: Arc::clone(&self.counter) };
        let name = ServerName::try_from(self.host.clone()).map_err(line)?;
        self.tls.connect(name, stream).await.map_err(line)
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let stream = self.connect_tls().await?;
        let channel = exported(&stream);
        let stream = Counted { stream, counter: Arc::clone(&self.content) };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(line)?;
        tokio::spawn(connection);
        Ok(Connection { sender, channel })
    }

    /// Sends one request of the exchange and takes its answer.
    async fn send(&self, on: &mut Connection, exchange: &mut Exchange, ask: &Ask) -> Result<Outcome, Error> {
        on.sender.ready().await.map_err(line)?;
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let request = exchange.request(&self.host, on.channel, ask)?;
        let answer = on.sender.send_request(request).await.map_err(line)?;
        exchange.take(ask, answer).await
    }

    /// Continues an exchange on this connection until it is done or the line breaks.
    async fn go_on(&self, on: &mut Connection, exchange: &mut Exchange) -> Result<Vec<u8>, Error> {
        let mut ask = exchange.next();
        loop {
            let outcome = self.while_bytes_pass(self.send(on, exchange, &ask)).await?;
            ask = match (outcome, ask) {
                (Outcome::Done(reply), _) => return Ok(reply),
                (Outcome::Refused(status, body), _) => return Err(refusal(status.as_u16(), &body)),
                (Outcome::Has(offset), _) if offset > 0 => Ask::Rest(offset),
                (Outcome::Has(_) | Outcome::Forgotten, _) => Ask::All,
            };
        }
    }

    /// Awaits `work` for as long as bytes pass.
    async fn while_bytes_pass<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::pin!(work);
        loop {
            let before = self.counter.read();
            match tokio::time::timeout(SILENCE_MAX, &mut work).await {
                Ok(result) => return result,
                Err(_) if self.counter.read() == before => {
                    return Err(Error::Line("no byte passed for a minute".into()));
                }
                Err(_) => {}
            }
        }
    }
}

impl Transport for HttpsTransport {
    fn exchange(&self, route: Route, outgoing: Outgoing) -> Result<Vec<u8>, Error> {
        let mut exchange = Exchange::new(route, outgoing);
        let mut place = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(async {
            if let Some(mut kept) = place.take() {
                match self.go_on(&mut kept, &mut exchange).await {
                    // The kept connection had ended. The request is sent again on a new one; a repeat is idempotent.
                    Err(Error::Line(_)) => {}
                    other => {
                        *place = Some(kept);
                        return other;
                    }
                }
            }
            for _ in 0..BREAKS_MAX {
                let before = self.content.read();
                let mut sender = self.while_bytes_pass(self.connect()).await?;
                match self.go_on(&mut sender, &mut exchange).await {
                    Err(Error::Line(why)) => {
                        let now = self.content.read();
                        let passed = now.0.wrapping_sub(before.0).wrapping_add(now.1.wrapping_sub(before.1));
                        if !exchange.can_resume() || passed < PROGRESS_BYTES_MIN {
                            return Err(Error::Line(why));
                        }
                    }
                    other => {
                        *place = Some(sender);
                        return other;
                    }
                }
            }
            Err(Error::Line("the line broke too often".into()))
        })
    }

    fn used(&self) -> Used {
        let (up, down) = self.counter.read();
        let (content_up, content_down) = self.content.read();
        Used { up, down, content_up, content_down, exchanges: self.exchanges.load(Ordering::Relaxed) }
    }
}
