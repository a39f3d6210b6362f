//! HTTPS over rustls: HTTP/1.1 with three header lines, TLS 1.3 with session resumption, one connection that is kept for
//! the next exchange. A line is dead when no byte has passed for a minute; a slow line never is. A broken exchange
//! resumes where it stopped.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use tokio::net::{TcpStream, lookup_host};
use tokio::runtime::Runtime;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::counted::{Counted, Counter};
use super::pin::PinnedAuthority;
use super::resume::{Ask, Exchange, HttpRequest, Outcome};
use super::runtime::build_runtime;
use super::tls_fault::{Told, of_handshake};
use super::{LineFault, Outgoing, Route, ServerLink, Transport, Used, dial, host_in_address, portal, refusal};
use crate::error::Error;
use crate::protocol::signing::{CHANNEL_LABEL, Channel, DIRECT, Sign};
use crate::quantities::{Day, Instant};

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

/// The time by this phone's clock.
pub(super) type Now = Arc<dyn Fn() -> Instant + Send + Sync>;

/// Gives the phone's clock to TLS, which looks at the dates of a public authority's certificates.
struct PhonesTime(Now);

impl std::fmt::Debug for PhonesTime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("PhonesTime")
    }
}

impl TimeProvider for PhonesTime {
    fn current_time(&self) -> Option<UnixTime> {
        let since = u64::try_from((self.0)().0).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(Duration::from_millis(since)))
    }
}

fn system_now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// See the module.
pub struct HttpsTransport {
    host: String,
    port: u16,
    tls: TlsConnector,
    is_pinned: bool,
    now: Now,
    /// Where a network that asks for a sign-in answers.
    plain_port: u16,
    /// The address that was reached last, which is tried first.
    last_good: Mutex<Option<SocketAddr>>,
    runtime: Runtime,
    connection: Mutex<Option<Connection>>,
    counter: Arc<Counter>,
    /// Counts bytes above TLS.
    content: Arc<Counter>,
    exchanges: AtomicU64,
}

fn line(error: impl std::fmt::Display) -> Error {
    Error::Line(LineFault::broke(error))
}

fn system(error: impl std::fmt::Display) -> Error {
    Error::System(error.to_string())
}

/// The key that this connection exports (RFC 9266); none where something before the server ends it.
pub(super) fn exported(stream: &TlsStream<Counted<TcpStream>>) -> Option<Channel> {
    let (_, session) = stream.get_ref();
    if session.alpn_protocol() != Some(DIRECT) {
        return None;
    }
    session.export_keying_material([0; 32], CHANNEL_LABEL, Some(&[])).ok().map(Channel)
}

/// The request as hyper sends it, with no header but the host that we did not write.
fn to_hyper(request: HttpRequest, host: &str) -> Result<Request<Full<Bytes>>, Error> {
    let head = Request::builder().method(request.method).uri(request.path).header("host", host);
    let head = request.headers.into_iter().fold(head, |head, (name, value)| head.header(name, value));
    head.body(Full::new(Bytes::from(request.body))).map_err(line)
}

impl HttpsTransport {
    /// A transport to this server, with the system's clock. Sends nothing yet.
    pub fn new(server: &ServerLink) -> Result<Self, Error> {
        Self::with_clock(server, Arc::new(system_now))
    }

    /// As [`Self::new`], with this clock.
    pub fn with_clock(server: &ServerLink, now: Arc<dyn Fn() -> Instant + Send + Sync>) -> Result<Self, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let time = Arc::new(PhonesTime(Arc::clone(&now)));
        let builder = ClientConfig::builder_with_details(Arc::clone(&provider), time)
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
        config.alpn_protocols = [DIRECT, b"http/1.1"].map(<[u8]>::to_vec).into();
        config.max_fragment_size = Some(FRAGMENT_BYTES);
        let runtime = build_runtime(&mut tokio::runtime::Builder::new_current_thread())
            .map_err(|error| Error::of_system(&error))?;
        Ok(Self {
            host: server.host.clone(),
            port: server.port,
            tls: TlsConnector::from(Arc::new(config)),
            is_pinned: server.fingerprint.is_some(),
            now,
            plain_port: portal::PLAIN_PORT,
            last_good: Mutex::new(None),
            runtime,
            connection: Mutex::new(None),
            counter: Arc::default(),
            content: Arc::default(),
            exchanges: AtomicU64::new(0),
        })
    }

    /// The host as it stands in an address.
    pub(super) fn host(&self) -> String {
        host_in_address(&self.host)
    }

    /// A TLS connection whose bytes are counted.
    pub(super) async fn connect_tls(&self) -> Result<TlsStream<Counted<TcpStream>>, Error> {
        let no_name = |cause: std::io::Error| LineFault::NoName { host: self.host.clone(), cause: cause.to_string() };
        let found = lookup_host((self.host.as_str(), self.port)).await.map_err(no_name)?;
        let last_good = *self.last_good.lock().unwrap_or_else(PoisonError::into_inner);
        let addresses = dial::in_turn(&found.collect::<Vec<_>>(), last_good);
        let opened = match tokio::time::timeout(SILENCE_MAX, self.open_tls(&addresses)).await {
            Ok(opened) => opened,
            Err(_) => Err(LineFault::Silent),
        };
        match opened {
            Ok(stream) => Ok(stream),
            // What is wrong can be the network's own page in the server's place, of which a person can be told more.
            Err(fault) => match addresses.first() {
                Some(first) if self.network_asks_for_sign_in(*first, &fault).await => {
                    Err(LineFault::SignInFirst.into())
                }
                _ => Err(fault.into()),
            },
        }
    }

    async fn open_tls(&self, addresses: &[SocketAddr]) -> Result<TlsStream<Counted<TcpStream>>, LineFault> {
        let not_reached = |cause: std::io::Error| LineFault::NotReached { cause: cause.to_string() };
        let (address, stream) = dial::first_to_connect(addresses).await.map_err(not_reached)?;
        stream.set_nodelay(true).map_err(LineFault::broke)?;
        let stream = Counted { stream, counter: Arc::clone(&self.counter) };
        let name = ServerName::try_from(self.host.clone()).map_err(LineFault::broke)?;
        let told = Told { host: &self.host, is_pinned: self.is_pinned, today: Day::in_china((self.now)()) };
        let stream = self.tls.connect(name, stream).await.map_err(|error| of_handshake(&error, &told))?;
        *self.last_good.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        Ok(stream)
    }

    /// Asks the network for its own page, where the fault can come of one.
    async fn network_asks_for_sign_in(&self, address: SocketAddr, fault: &LineFault) -> bool {
        let can_be = matches!(
            fault,
            LineFault::NotReached { .. }
                | LineFault::Broke { .. }
                | LineFault::Silent
                | LineFault::Intercepted { .. }
                | LineFault::WrongDate { .. }
        );
        let plain = SocketAddr::new(address.ip(), self.plain_port);
        can_be && plain != address && portal::asks_for_sign_in(&self.host(), plain).await
    }

    async fn connect(&self) -> Result<Connection, Error> {
        let stream = self.connect_tls().await?;
        let channel = exported(&stream);
        let stream = Counted { stream, counter: Arc::clone(&self.content) };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(line)?;
        tokio::spawn(connection);
        Ok(Connection { sender, channel })
    }

    /// Sends one request of the exchange and takes its answer. When the line breaks within a reply, the exchange keeps the
    /// bytes that arrived.
    async fn send(
        &self,
        on: &mut Connection,
        exchange: &mut Exchange,
        sign: Option<&Sign>,
        ask: Ask,
    ) -> Result<Outcome, Error> {
        on.sender.ready().await.map_err(line)?;
        self.exchanges.fetch_add(1, Ordering::Relaxed);
        let signature = exchange.to_sign(ask, on.channel).zip(sign).map(|(bytes, sign)| sign(&bytes));
        let request = to_hyper(exchange.request(ask, signature), &self.host())?;
        let answer = on.sender.send_request(request).await.map_err(line)?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        if let Some(outcome) = exchange.begins(ask, answer.status().as_u16(), header) {
            return Ok(outcome);
        }
        let mut body = answer.into_body();
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => frame.data_ref().map_or(Ok(()), |bytes| exchange.arrived(bytes))?,
                Err(error) => {
                    exchange.broke();
                    return Err(line(error));
                }
            }
        }
        Ok(exchange.ends())
    }

    /// Continues an exchange on this connection until it is done or the line breaks.
    async fn go_on(&self, on: &mut Connection, exchange: &mut Exchange, sign: Option<&Sign>) -> Result<Vec<u8>, Error> {
        let mut ask = exchange.next_ask();
        loop {
            match self.while_bytes_pass(self.send(on, exchange, sign, ask)).await? {
                Outcome::Done(reply) => return Ok(reply),
                Outcome::Refused(status, body) => return Err(refusal(status, &body)),
                Outcome::Ask(next) => ask = next,
            }
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
                    return Err(LineFault::Silent.into());
                }
                Err(_) => {}
            }
        }
    }
}

impl Transport for HttpsTransport {
    fn exchange(&self, route: Route, outgoing: Outgoing) -> Result<Vec<u8>, Error> {
        let (payload, signer) = outgoing.split();
        let sign = signer.as_ref().map(|signer| signer.sign.as_ref());
        let mut exchange = Exchange::new(route, payload);
        let mut place = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(async {
            if let Some(mut kept) = place.take() {
                match self.go_on(&mut kept, &mut exchange, sign).await {
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
                match self.go_on(&mut sender, &mut exchange, sign).await {
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
            Err(line("the line broke too often"))
        })
    }

    fn used(&self) -> Used {
        let (up, down) = self.counter.read();
        let (content_up, content_down) = self.content.read();
        Used { up, down, content_up, content_down, exchanges: self.exchanges.load(Ordering::Relaxed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// A port where each connection gets this answer, or is refused where there is none.
    fn port_with(answer: Option<&'static str>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        if let Some(answer) = answer {
            std::thread::spawn(move || {
                for stream in listener.incoming().take(4) {
                    let mut stream = stream.unwrap();
                    let _ = stream.read(&mut [0; 1_024]).unwrap();
                    // The other side may have gone.
                    let _ = stream.write_all(answer.as_bytes());
                }
            });
        }
        port
    }

    fn fault(server: Option<&'static str>, plain: Option<&'static str>) -> LineFault {
        let link = format!("granary://127.0.0.1:{}/CODE#{}", port_with(server), "ab".repeat(32));
        let mut transport = HttpsTransport::new(&link.parse().unwrap()).unwrap();
        transport.plain_port = port_with(plain);
        match transport.exchange(Route::Enrol, Outgoing::Bytes(vec![1])) {
            Err(Error::Line(fault)) => fault,
            other => panic!("{other:?}"),
        }
    }

    const PORTAL: &str = "HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/login\r\nContent-Length: 0\r\n\r\n";

    #[test]
    fn network_that_asks_for_a_sign_in_is_named() {
        assert_eq!(fault(Some(PORTAL), None), LineFault::SignInFirst, "it answers in the server's place");
        assert_eq!(fault(None, Some(PORTAL)), LineFault::SignInFirst, "it lets nothing through but plain HTTP");
        assert_eq!(fault(Some(""), Some(PORTAL)), LineFault::SignInFirst, "it ends every other connection");
        let own = "HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1/\r\n\r\n";
        assert!(matches!(fault(None, Some(own)), LineFault::NotReached { .. }), "the server's own port 80");
        assert!(matches!(fault(None, None), LineFault::NotReached { .. }));
        assert!(matches!(fault(Some(""), None), LineFault::Broke { .. }));
    }
}
