//! The line to the authority: HTTPS, one connection a request, within bounds of time and size. It trusts the usual public roots,
//! or one that is named, as tests do.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::super::bad;
use crate::config::{Acme, read_file};
use crate::error::Error;

/// Time for one request.
const TIME: Duration = Duration::from_secs(60);
/// Bytes of an answer; a chain of certificates has some thousand.
const BYTES_MAX: usize = 256 * 1024;

type Fault = Box<dyn std::error::Error + Send + Sync>;
type Answer = Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>>;

/// See the module.
pub(super) struct Line {
    tls: Arc<ClientConfig>,
}

impl Line {
    pub(super) fn to(acme: &Acme) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        match &acme.roots {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                for root in CertificateDer::pem_slice_iter(&read_file(file)?) {
                    roots.add(root.map_err(bad)?).map_err(bad)?;
                }
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(bad)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: Arc::new(tls) })
    }
}

impl HttpClient for Line {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answer {
        let tls = Arc::clone(&self.tls);
        Box::pin(async move {
            let answer = match tokio::time::timeout(TIME, exchange(tls, request)).await {
                Ok(answer) => answer,
                Err(late) => Err(late.into()),
            };
            answer.map(BytesResponse::from).map_err(instant_acme::Error::Other)
        })
    }
}

async fn exchange(
    tls: Arc<ClientConfig>,
    mut request: Request<BodyWrapper<Bytes>>,
) -> Result<Response<Full<Bytes>>, Fault> {
    let uri = request.uri().clone();
    let (Some("https"), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(format!("the authority names an address that is not HTTPS: {uri}").into());
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, uri.port_u16().unwrap_or(443))).await?;
    let name = ServerName::try_from(host.to_owned())?;
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends when the sender is dropped.
    tokio::spawn(connection);
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    request.headers_mut().insert(HOST, HeaderValue::from_str(authority)?);
    *request.uri_mut() = uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()));
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, BYTES_MAX).collect().await?.to_bytes();
    Ok(Response::from_parts(parts, Full::new(body)))
}
