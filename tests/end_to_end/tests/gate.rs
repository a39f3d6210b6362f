//! What a stranger may hold of the server before a credential is known: places, time and memory, for each address and in
//! all. Other addresses are those of loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_server::{Config, Limits, Server};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A wait that only a fault makes as long as this.
const LONG: Duration = Duration::from_secs(60);

fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_millis()).unwrap())
}

struct World {
    server: Server,
    folder: tempfile::TempDir,
}

impl World {
    async fn with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { limits, ..Config::local(folder.path().join("data"), 0) };
        let server = granary_server::start(config, |fault| panic!("{fault}")).await.unwrap();
        Self { server, folder }
    }

    /// A phone that has enrolled, from 127.0.0.1.
    async fn phone(&self) -> Arc<Phone> {
        let granary = self.server.granary();
        let coop = granary.create_cooperative("Linxian", now()).unwrap();
        let code = granary.invite(coop, Role::Household(HouseholdId::from_bytes([7; 16])), 1, now()).unwrap().code;
        let link = format!("granary://{}/{code}#{}", self.server.public_address(), self.server.fingerprint());
        let folder = self.folder.path().join("phone");
        let enrols = tokio::task::spawn_blocking(move || {
            let phone = Phone::open(&folder).unwrap();
            phone.enrol(&link, "li").unwrap();
            phone
        });
        enrols.await.unwrap()
    }

    async fn tcp(&self, from: [u8; 4]) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((from, 0))).unwrap();
        socket.connect(self.server.address()).await
    }

    async fn tls(&self, from: [u8; 4], alpn: &[u8]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        let authority = self.folder.path().join("data/authority.pem");
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let stream = self.tcp(from).await?;
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

async fn syncs(phone: &Arc<Phone>) {
    let phone = Arc::clone(phone);
    tokio::time::timeout(LONG, tokio::task::spawn_blocking(move || phone.sync_now())).await.unwrap().unwrap().unwrap();
}

/// Waits until the server ends this connection.
async fn ends(mut stream: impl AsyncReadExt + Unpin) {
    let mut rest = Vec::new();
    // An end with or without the words of TLS.
    let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut rest)).await.expect("it stays for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_of_one_address_keep_nobody_out_and_end() {
    let first_request_timeout = Duration::from_secs(3);
    let limits = Limits { connections: 60, connections_per_address: 20, first_request_timeout, ..Limits::default() };
    let world = World::with(limits).await;
    let phone = world.phone().await;
    let mut silent = Vec::new();
    for number in 0..60 {
        // Half of them say nothing at all, half nothing after TLS. Over its share an address is closed at once.
        match number % 2 {
            0 => silent.push(tokio::spawn(ends(world.tcp([127, 0, 0, 2]).await.unwrap()))),
            _ => {
                if let Ok(stream) = world.tls([127, 0, 0, 2], b"h2").await {
                    silent.push(tokio::spawn(ends(stream)));
                }
            }
        }
    }
    syncs(&phone).await;
    for ended in silent {
        ended.await.unwrap();
    }
    // The places are free again.
    let mut stream = world.tls([127, 0, 0, 2], b"http/1.1").await.unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // It has a runtime of its own, which may not end within another.
    tokio::task::spawn_blocking(move || drop(phone)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn head_that_drips_ends_at_the_first_deadline() {
    let limits = Limits { first_request_timeout: Duration::from_secs(1), ..Limits::default() };
    let world = World::with(limits).await;
    let (mut read, mut write) = tokio::io::split(world.tls([127, 0, 0, 2], b"http/1.1").await.unwrap());
    let drips = tokio::spawn(async move {
        for byte in b"GET /health HTTP/1.1\r\nx: ".iter().chain(std::iter::repeat(&b'x')) {
            if write.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(LONG, read.read_to_end(&mut rest)).await.expect("each byte puts the end off");
    drips.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connection_ends() {
    let limits = Limits { idle_timeout: Duration::from_secs(1), ..Limits::default() };
    let world = World::with(limits).await;
    let stream = world.tls([127, 0, 0, 2], b"h2").await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let driven = tokio::spawn(connection);
    let request = hyper::Request::get("https://localhost/health").body(Full::<Bytes>::default()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok\n");
    let _ = tokio::time::timeout(LONG, driven).await.expect("an idle connection stays for ever");
}

/// A request whose body is never sent to its end.
fn unended(path: &str, length: usize, sent: usize) -> Vec<u8> {
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
    [head.into_bytes(), vec![b'x'; sent]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_of_its_own_address_keep_no_phone_out() {
    let world = World::with(Limits { connections: 30, connections_per_address: 20, ..Limits::default() }).await;
    let phone = world.phone().await;
    let mut silent = Vec::new();
    for number in 0..20 {
        match number % 2 {
            0 => silent.push(tokio::spawn(ends(world.tcp([127, 0, 0, 1]).await.unwrap()))),
            _ => silent.push(tokio::spawn(ends(world.tls([127, 0, 0, 1], b"h2").await.unwrap()))),
        }
    }
    for _ in 0..3 {
        syncs(&phone).await;
    }
    let ended = silent.iter().filter(|ended| ended.is_finished()).count();
    assert!(ended < 10, "only as many give way as others need: {ended}");
    silent.iter().for_each(tokio::task::JoinHandle::abort);
    tokio::task::spawn_blocking(move || drop(phone)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_stand_still_keep_no_sync_of_their_address_out() {
    let limits = Limits {
        body_bytes_per_address: 8 << 20,
        small_body_bytes_per_address: 128 * 1024,
        coming_per_address: 24,
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let phone = world.phone().await;
    let mut still = Vec::new();
    // Large ones to the brim of their room, then small ones to the brim of theirs.
    for (length, sent) in [(4 << 20, (4 << 20) - 1_000), (4 << 20, 3 << 20), (60_000, 59_000), (20_000, 12_000)] {
        for _ in 0..8 {
            let mut stream = world.tls([127, 0, 0, 1], b"http/1.1").await.unwrap();
            // What has no room is refused before all of it was said.
            let _ = stream.write_all(&unended("/s", length, sent)).await;
            let _ = stream.flush().await;
            still.push(stream);
        }
    }
    for _ in 0..3 {
        syncs(&phone).await;
    }
    drop(still);
    tokio::task::spawn_blocking(move || drop(phone)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_say_nothing_more_keep_no_request_out() {
    let world = World::with(Limits { coming_per_address: 8, ..Limits::default() }).await;
    let request = |body| hyper::Request::post("https://localhost/console/language").body(body).unwrap();
    let (mut answers, mut held) = (tokio::task::JoinSet::new(), Vec::new());
    for _ in 0..4 {
        let stream = world.tls([127, 0, 0, 2], b"h2").await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        for _ in 0..4 {
            // A body whose end never comes.
            let (frames, body) = tokio::sync::mpsc::channel::<()>(1);
            answers.spawn(sender.send_request(request(Never(body))));
            held.push((frames, sender.clone()));
        }
    }
    // Sixteen come, eight have room: as many give way.
    for _ in 0..8 {
        let answer = tokio::time::timeout(LONG, answers.join_next()).await.expect("it stays for ever");
        assert_eq!(answer.unwrap().unwrap().unwrap().status(), 408);
    }
    let mut stream = world.tls([127, 0, 0, 2], b"http/1.1").await.unwrap();
    stream.write_all(&unended("/enrol", 20, 20)).await.unwrap();
    let mut answer = [0; 12];
    tokio::time::timeout(LONG, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400", "it came whole, and is no request to enrol");
    drop(held);
}

/// A body that waits as long as the other end of this channel is held.
struct Never(tokio::sync::mpsc::Receiver<()>);

impl hyper::body::Body for Never {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        self.0.poll_recv(cx).map(|_| None)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn first_request_must_come_whole_at_a_least_rate() {
    let limits = Limits {
        first_request_timeout: Duration::from_secs(2),
        bytes_per_second_min: 10_000,
        body_timeout: Duration::from_secs(600),
        ..Limits::default()
    };
    let world = World::with(limits).await;
    let (mut read, mut write) = tokio::io::split(world.tls([127, 0, 0, 2], b"http/1.1").await.unwrap());
    write.write_all(&unended("/s", 1_000_000, 1_000)).await.unwrap();
    let drips = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = [0; 12];
    tokio::time::timeout(LONG, read.read_exact(&mut answer)).await.expect("each byte puts the end off").unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
    drips.abort();
    // Who keeps the rate may take longer than the grace.
    let mut stream = world.tls([127, 0, 0, 2], b"http/1.1").await.unwrap();
    stream.write_all(&unended("/enrol", 16_000, 0)).await.unwrap();
    for _ in 0..16 {
        stream.write_all(&[0; 1_000]).await.unwrap();
        stream.flush().await.unwrap();
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let mut answer = [0; 12];
    tokio::time::timeout(LONG, stream.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400", "it was read to its end, and is no request to enrol");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_strangers_are_bounded_in_time_and_size() {
    let limits = Limits { first_request_timeout: Duration::from_secs(1), ..Limits::default() };
    let world = World::with(limits).await;
    for route in ["/s", "/enrol", "/carried", "/reinstate", "/console/sign-in", "/console/language"] {
        let mut stream = world.tls([127, 0, 0, 2], b"http/1.1").await.unwrap();
        let head = format!(
            "POST {route} HTTP/1.1\r\nhost: localhost\r\norigin: https://localhost\r\nsec-fetch-site: same-origin\r\ncontent-length: 1000\r\nconnection: close\r\n\r\nlogin="
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
        // The rest of the body may be cut off with the connection.
        let _ = read.expect("a body that does not come is waited for, for ever");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 408"), "{route}: {answer}");
    }
    for route in ["/enrol", "/reinstate"] {
        let mut stream = world.tls([127, 0, 0, 2], b"http/1.1").await.unwrap();
        let head =
            format!("POST {route} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        // The answer comes before all of it was sent.
        let _ = stream.write_all(&[0; 30_000]).await;
        let mut answer = Vec::new();
        let _ = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await.unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 413"), "{route}: {answer}");
    }
}
