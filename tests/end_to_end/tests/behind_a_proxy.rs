//! A server behind a proxy that ends TLS: phones sync through it, and limits hold for those whom the proxy speaks for.

use std::net::SocketAddr;
use std::sync::Arc;

use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_server::{Config, Limits, Proxies, Server};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::world::{lot, season};

fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_millis()).unwrap())
}

async fn server(folder: &tempfile::TempDir, proxies: &[&str]) -> Server {
    let proxies: Vec<String> = proxies.iter().map(|text| (*text).to_owned()).collect();
    let limits = Limits { sign_in_burst: 3, ..Limits::default() };
    let proxies = Proxies::of(&proxies).unwrap();
    let config = Config { limits, proxies, ..Config::local(folder.path().join("data"), 0) };
    granary_server::start(config, |fault| panic!("{fault}")).await.unwrap()
}

/// A connection to the server itself, as a proxy makes it.
pub(crate) async fn to_server(server: &Server, authority: &std::path::Path) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address()).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap()
}

/// What ends TLS with a certificate of an authority of its own, and that authority's fingerprint.
pub(crate) fn tls_end() -> (TlsAcceptor, String) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let root_key = KeyPair::generate().unwrap();
    let root = params.self_signed(&root_key).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &Issuer::new(params, root_key)).unwrap();
    let fingerprint = digest(&SHA256, root.der()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let chain = vec![leaf.der().clone(), root.der().clone()];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    (TlsAcceptor::from(Arc::new(config)), fingerprint)
}

/// A proxy that ends TLS, and the fingerprint of its authority.
async fn proxy(server: Arc<Server>, authority: std::path::PathBuf) -> (SocketAddr, String) {
    let (acceptor, fingerprint) = tls_end();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, server, authority) = (acceptor.clone(), Arc::clone(&server), authority.clone());
            tokio::spawn(async move {
                let Ok(mut from) = acceptor.accept(stream).await else { return };
                let mut to = to_server(&server, &authority).await;
                let _ = copy_bidirectional(&mut from, &mut to).await;
            });
        }
    });
    (address, fingerprint)
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_sync_through_a_proxy_that_ends_tls() {
    let folder = tempfile::tempdir().unwrap();
    let server = Arc::new(server(&folder, &["127.0.0.1"]).await);
    assert_eq!(server.public_address(), "localhost:443");
    assert_eq!(server.fingerprint(), "", "phones see the proxy's certificate");
    let granary = Arc::clone(server.granary());
    let coop = granary.create_cooperative("Linxian", now()).unwrap();
    let code = granary.invite(coop, Role::Household(HouseholdId::from_bytes([7; 16])), 1, now()).unwrap().code;
    let (address, fingerprint) = proxy(Arc::clone(&server), folder.path().join("data/authority.pem")).await;
    let link = format!("granary://localhost:{}/{code}#{fingerprint}", address.port());
    let phone_folder = folder.path().join("phone");
    let waiting = tokio::task::spawn_blocking(move || {
        let phone = Phone::open(&phone_folder).unwrap();
        phone.enrol(&link, "li").unwrap();
        phone.record(HouseholdId::from_bytes([7; 16]), season(), &lot(12_500)).unwrap();
        phone.sync_now().unwrap();
        phone.status().unsent
    });
    assert_eq!(waiting.await.unwrap(), 0);
}

/// The status of a sign-in with a wrong password, said to come from this address.
async fn sign_in(server: &Server, authority: &std::path::Path, login: &str, forwarded_for: &str) -> u16 {
    let mut stream = to_server(server, authority).await;
    let form = format!("coop=1&login={login}&password=wrong-password");
    let request = format!(
        "POST /console/sign-in HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: {forwarded_for}\r\n\
         content-type: application/x-www-form-urlencoded\r\nsec-fetch-site: same-origin\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{form}",
        form.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_for_whom_a_trusted_proxy_speaks_and_for_nobody_else() {
    for (proxies, elsewhere) in [(&["127.0.0.1"][..], 403), (&["192.0.2.1"][..], 429)] {
        let folder = tempfile::tempdir().unwrap();
        let server = server(&folder, proxies).await;
        server.granary().create_cooperative("Linxian", now()).unwrap();
        let authority = folder.path().join("data/authority.pem");
        let mut told = Vec::new();
        for number in 0..4 {
            told.push(sign_in(&server, &authority, &format!("person{number}"), "203.0.113.9").await);
        }
        assert_eq!(told, [403, 403, 403, 429]);
        assert_eq!(sign_in(&server, &authority, "somebody", "203.0.113.10").await, elsewhere, "{proxies:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_on_their_own_listener_alone() {
    let folder = tempfile::tempdir().unwrap();
    let metrics_listen = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
    let config = Config { metrics_listen, ..Config::local(folder.path().join("data"), 0) };
    let server = granary_server::start(config, |fault| panic!("{fault}")).await.unwrap();
    for path in ["/metrics", "/counts"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let mut public = to_server(&server, &folder.path().join("data/authority.pem")).await;
        let mut own = TcpStream::connect(server.metrics_address().unwrap()).await.unwrap();
        public.write_all(request.as_bytes()).await.unwrap();
        own.write_all(request.as_bytes()).await.unwrap();
        let (mut outside, mut inside) = (Vec::new(), Vec::new());
        let _ = public.read_to_end(&mut outside).await;
        own.read_to_end(&mut inside).await.unwrap();
        assert!(outside.starts_with(b"HTTP/1.1 404"), "{path}");
        assert!(inside.starts_with(b"HTTP/1.1 200"), "{path}");
    }
}
