//! One attempt: a POST within bounds of time and size, to an address that was looked at, without following anything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use super::sign::HEADER;
use super::target::{Target, is_public};
use crate::access::webhooks::Failed;
use crate::config::Networks;
use crate::error::Error;

/// Time for one attempt, from the name's look-up to the answer.
const TIME: Duration = Duration::from_secs(5);
/// Time for a name's look-up while somebody waits for the page.
const LOOK_UP_TIME: Duration = Duration::from_secs(2);
/// Bytes of an answer that are read; what is beyond is left.
const ANSWER_BYTES_MAX: usize = 4 * 1024;
/// Bytes of an answer's head.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// What deliveries go over.
pub(crate) struct Line {
    tls: Arc<ClientConfig>,
    /// Networks that may be written to although they are private.
    allowed: Arc<Networks>,
}

fn broke(error: impl std::fmt::Display) -> Failed {
    Failed::Broke(error.to_string().chars().take(120).collect())
}

impl Line {
    pub(crate) fn new(allowed: Arc<Networks>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Certificate(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls), allowed })
    }

    /// Sends this body; an error unless the answer is 2xx.
    pub(crate) async fn send(&self, target: &Target, signature: &str, body: Vec<u8>) -> Result<(), Failed> {
        tokio::time::timeout(TIME, self.attempt(target, signature, body)).await.unwrap_or(Err(Failed::TooSlow))
    }

    async fn attempt(&self, target: &Target, signature: &str, body: Vec<u8>) -> Result<(), Failed> {
        let address = address(target, &self.allowed).await?;
        let stream = TcpStream::connect(address).await.map_err(broke)?;
        if !target.is_tls {
            return exchange(stream, target, signature, body).await;
        }
        let name = ServerName::try_from(target.host.clone()).map_err(broke)?;
        let stream = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream).await.map_err(broke)?;
        exchange(stream, target, signature, body).await
    }
}

/// The first address that may be connected to.
async fn address(target: &Target, allowed: &Networks) -> Result<SocketAddr, Failed> {
    let found: Vec<SocketAddr> =
        lookup_host((target.host.as_str(), target.port)).await.map_err(|_| Failed::NoAddress)?.collect();
    if found.is_empty() {
        return Err(Failed::NoAddress);
    }
    if let Some(address) = found.iter().find(|address| allowed.hold(address.ip())) {
        return Ok(*address);
    }
    let public = found.into_iter().find(|address| is_public(address.ip())).ok_or(Failed::Private)?;
    if target.is_tls { Ok(public) } else { Err(Failed::Plain) }
}

/// Why nothing may be sent to a target as things stand, to be told when a webhook is set. A name that leads nowhere yet may lead
/// somewhere later.
pub(crate) async fn forbidden(target: &Target, allowed: &Networks) -> Option<Failed> {
    let found = tokio::time::timeout(LOOK_UP_TIME, address(target, allowed)).await;
    match found {
        Ok(Err(fault @ (Failed::Private | Failed::Plain))) => Some(fault),
        _ => None,
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    target: &Target,
    signature: &str,
    body: Vec<u8>,
) -> Result<(), Failed> {
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD_BYTES_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broke)?;
    // It is given up with the attempt, so nothing that goes on sending is read any more.
    let connection = AbortOnDrop(tokio::spawn(async move {
        // The sender's side tells of a fault.
        let _ = connection.await;
    }));
    let mut request = Request::new(Full::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path.parse::<Uri>().map_err(broke)?;
    let headers = request.headers_mut();
    headers.insert(HOST, HeaderValue::from_str(&target.authority).map_err(broke)?);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("granary/", env!("CARGO_PKG_VERSION"))));
    headers.insert(HEADER, HeaderValue::from_str(signature).map_err(broke)?);
    let answer = sender.send_request(request).await.map_err(broke)?;
    let status = answer.status();
    let (mut body, mut read) = (answer.into_body(), 0usize);
    while read < ANSWER_BYTES_MAX {
        let Some(Ok(frame)) = body.frame().await else { break };
        read = read.saturating_add(frame.data_ref().map_or(0, Bytes::len));
    }
    drop(connection);
    if status.is_success() { Ok(()) } else { Err(Failed::Answered(status.as_u16())) }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn line(allowed: &[&str]) -> Line {
        let allowed: Vec<String> = allowed.iter().map(|text| (*text).to_owned()).collect();
        Line::new(Arc::new(Networks::of("webhook-networks", &allowed).unwrap())).unwrap()
    }

    /// A receiver that reads the beginning of a request, then says this and nothing more.
    async fn says(answer: &'static str, repeat: &'static str) -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut part = [0; 1024];
            let _ = stream.read(&mut part).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            while !repeat.is_empty() && stream.write_all(repeat.as_bytes()).await.is_ok() {}
            std::future::pending::<()>().await
        });
        Target::of(&format!("http://localhost:{port}/x")).unwrap()
    }

    #[tokio::test]
    async fn private_addresses_are_written_to_only_where_the_operator_allows() {
        let target = says("HTTP/1.1 204 No Content\r\n\r\n", "").await;
        // `localhost` is a name that leads to a private address.
        assert_eq!(line(&[]).send(&target, "t=1", Vec::new()).await, Err(Failed::Private));
        assert_eq!(line(&["127.0.0.0/8"]).send(&target, "t=1", Vec::new()).await, Ok(()));
        let public = Target::of("http://1.1.1.1/").unwrap();
        assert_eq!(line(&["127.0.0.0/8"]).send(&public, "t=1", Vec::new()).await, Err(Failed::Plain));
        // What an attempt would meet is known when the webhook is set.
        assert_eq!(forbidden(&target, &line(&[]).allowed).await, Some(Failed::Private));
        assert_eq!(forbidden(&target, &line(&["127.0.0.0/8"]).allowed).await, None);
        assert_eq!(forbidden(&public, &line(&[]).allowed).await, Some(Failed::Plain));
    }

    #[tokio::test]
    async fn answers_are_bounded_and_nothing_is_followed() {
        let allowed = line(&["127.0.0.0/8"]);
        for (answer, repeat, wanted) in [
            ("HTTP/1.1 301 Moved\r\nlocation: /y\r\ncontent-length: 0\r\n\r\n", "", Err(Failed::Answered(301))),
            ("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n", "", Err(Failed::Answered(404))),
            ("HTTP/1.1 500 No\r\ncontent-length: 2\r\n\r\nno", "", Err(Failed::Answered(500))),
            // Without an end: 4 KiB are read.
            ("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n", "on and on", Ok(())),
        ] {
            let target = says(answer, repeat).await;
            assert_eq!(allowed.send(&target, "t=1", b"{}".to_vec()).await, wanted, "{answer}");
        }
        let target = says("HTTP/1.1 200 OK\r\nx: ", "a head without an end").await;
        assert!(matches!(allowed.send(&target, "t=1", Vec::new()).await, Err(Failed::Broke(_))));
    }

    // Time passes at once when all wait.
    #[tokio::test(start_paused = true)]
    async fn silence_is_given_up_after_five_seconds() {
        let target = says("", "").await;
        let began = tokio::time::Instant::now();
        assert_eq!(line(&["127.0.0.0/8"]).send(&target, "t=1", Vec::new()).await, Err(Failed::TooSlow));
        assert_eq!(began.elapsed().as_secs(), 5);
    }
}
