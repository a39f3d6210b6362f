//! Connections of strangers, from any address of loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::server::Server;

/// Handshakes at once: more of them would measure this program.
const HANDSHAKES: usize = 32;

pub(super) type Line = TlsStream<TcpStream>;

#[derive(Clone)]
pub(super) struct Stranger {
    pub(super) port: u16,
    http1: TlsConnector,
    http2: TlsConnector,
    handshakes: Arc<Semaphore>,
}

fn tls(server: &Server, protocol: &[u8]) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.data().join("authority.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(config))
}

impl Stranger {
    pub(super) fn of(server: &Server) -> Self {
        Self {
            port: server.port,
            http1: tls(server, b"http/1.1"),
            http2: tls(server, b"h2"),
            handshakes: Arc::new(Semaphore::new(HANDSHAKES)),
        }
    }

    pub(super) async fn tcp(&self, from: [u8; 4]) -> Option<TcpStream> {
        self.tcp_with_buffer(from, None).await
    }

    async fn tcp_with_buffer(&self, from: [u8; 4], buffer: Option<u32>) -> Option<TcpStream> {
        let socket = TcpSocket::new_v4().ok()?;
        if let Some(buffer) = buffer {
            socket.set_recv_buffer_size(buffer).ok()?;
        }
        socket.bind(SocketAddr::from((from, 0))).ok()?;
        socket.connect(SocketAddr::from(([127, 0, 0, 1], self.port))).await.ok()
    }

    async fn over(&self, connector: &TlsConnector, stream: TcpStream) -> Option<Line> {
        let _one = self.handshakes.acquire().await.ok()?;
        connector.connect(ServerName::try_from("localhost").ok()?, stream).await.ok()
    }

    pub(super) async fn http1(&self, from: [u8; 4]) -> Option<Line> {
        self.over(&self.http1, self.tcp(from).await?).await
    }

    /// With a small buffer for what is received, so that what is not read stays on the server's side.
    pub(super) async fn narrow(&self, from: [u8; 4]) -> Option<Line> {
        self.over(&self.http1, self.tcp_with_buffer(from, Some(4_096)).await?).await
    }

    pub(super) async fn http2(&self, from: [u8; 4]) -> Option<Line> {
        self.over(&self.http2, self.tcp(from).await?).await
    }
}

/// The head of a request with a body.
pub(super) fn post(path: &str, length: usize, more: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\norigin: https://localhost\r\nsec-fetch-site: same-origin\r\n\
         content-length: {length}\r\n{more}\r\n"
    )
    .into_bytes()
}

/// Writes and then says nothing more; ends when the other side does.
pub(super) async fn say_and_wait(line: impl AsyncRead + AsyncWrite + Send, words: &[u8]) {
    let (mut read, mut write) = tokio::io::split(line);
    // The other side may refuse before all was said.
    let says = async {
        if write.write_all(words).await.is_ok() && write.flush().await.is_ok() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = says => {}
        () = to_the_end(&mut read) => {}
    }
}

pub(super) async fn to_the_end(read: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = [0; 4_096];
    while matches!(read.read(&mut buffer).await, Ok(1..)) {}
}

/// What became of a flood's connections.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    pub(super) opened: usize,
    pub(super) still_open: usize,
    pub(super) longest: Duration,
}

impl Crowd {
    /// So many of these, together, for `time` at most. Each gives false when it could not be opened.
    pub(super) async fn of<F>(count: usize, time: Duration, one: impl Fn(usize) -> F) -> Self
    where
        F: Future<Output = bool> + Send + 'static,
    {
        let mut all = JoinSet::new();
        for number in 0..count {
            let work = one(number);
            all.spawn(async move {
                let began = Instant::now();
                (work.await, began.elapsed())
            });
        }
        let mut crowd = Self::default();
        let ends = tokio::time::sleep(time);
        tokio::pin!(ends);
        loop {
            tokio::select! {
                () = &mut ends => {
                    crowd.still_open = all.len();
                    crowd.opened += crowd.still_open;
                    crowd.longest = time;
                    return crowd;
                }
                ended = all.join_next() => match ended {
                    Some(ended) => {
                        let (was_opened, took) = ended.unwrap();
                        crowd.opened += usize::from(was_opened);
                        crowd.longest = crowd.longest.max(took);
                    }
                    None => return crowd,
                },
            }
        }
    }
}
