//! The server gets a certificate by itself from an authority that speaks ACME: Pebble, Let's Encrypt's own test server, on
//! loopback. Browsers see that certificate; phones go on with the authority that they pinned. Without Pebble the test says so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects, reason = "of the tests' own small numbers")]

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_server::{Acme, Config, Server};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const NAME: &str = "granary.test";
/// Waits that only a fault makes as long.
const LONG: Duration = Duration::from_secs(120);
const DAY: Duration = Duration::from_secs(86_400);

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_millis()).unwrap())
}

/// Programs that end with the test.
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn has_pebble() -> bool {
    let is_there = Command::new("pebble").arg("-help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !is_there {
        eprintln!("not tried: Pebble is not there (apt-get install pebble)");
    }
    is_there
}

/// A root of our own, in this file, and a certificate of it for `localhost`, by which Pebble's own line is trusted.
fn own_root(folder: &Path) -> PathBuf {
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root = params.self_signed(&root_key).unwrap();
    let issuer = Issuer::from_params(&params, root_key);
    let leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &issuer).unwrap();
    for (name, text) in [("root.pem", root.pem()), ("leaf.pem", leaf.pem()), ("leaf.key", key.serialize_pem())] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    folder.join("root.pem")
}

/// Pebble, with a resolver for which every name leads to this machine. It looks at this port.
struct Pebble {
    _running: Running,
    roots: PathBuf,
    port: u16,
    management: u16,
}

impl Pebble {
    /// What it issues holds for this long.
    fn start(folder: &Path, looks_at: u16, holds: Duration) -> Self {
        let [port, management, resolver, unused] = [0; 4].map(|_| free_port());
        let roots = own_root(folder);
        let config = serde_json::json!({ "pebble": {
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": folder.join("leaf.pem"),
            "privateKey": folder.join("leaf.key"),
            "httpPort": unused,
            "tlsPort": looks_at,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": holds.as_secs(),
        }});
        std::fs::write(folder.join("pebble.json"), config.to_string()).unwrap();
        let quiet = |command: &mut Command| command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let names = quiet(Command::new("pebble-challtestsrv").args([
            "-defaultIPv6",
            "",
            "-dns01",
            &format!("127.0.0.1:{resolver}"),
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-management",
            &format!("127.0.0.1:{unused}"),
        ]));
        let pebble = quiet(
            Command::new("pebble")
                .arg("-config")
                .arg(folder.join("pebble.json"))
                .args(["-dnsserver", &format!("127.0.0.1:{resolver}")])
                .env("PEBBLE_VA_NOSLEEP", "1"),
        );
        Self { _running: Running(vec![names, pebble]), roots, port, management }
    }

    /// Waits until it answers; gives the root of the certificates that it issues.
    async fn root(&self) -> CertificateDer<'static> {
        let own = CertificateDer::from_pem_file(&self.roots).unwrap();
        let waiting = async {
            loop {
                if let Ok(mut line) = tls(self.management, "localhost", &own, b"http/1.1").await {
                    let request = b"GET /roots/0 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
                    line.write_all(request).await.unwrap();
                    let mut answer = Vec::new();
                    let _ = line.read_to_end(&mut answer).await;
                    let text = String::from_utf8(answer).unwrap();
                    let pem = &text[text.find("-----BEGIN").unwrap()..];
                    return CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(LONG, waiting).await.expect("Pebble starts")
    }
}

/// A client that trusts one root.
async fn tls(
    port: u16,
    name: &str,
    root: &CertificateDer<'static>,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

async fn server(folder: &Path, port: u16, directory: String, roots: PathBuf) -> Server {
    let acme = Acme { contact: "li@example.org".into(), directory, roots: Some(roots), names: vec![NAME.into()] };
    let names = vec![NAME.to_owned(), "127.0.0.1".to_owned()];
    let config = Config { acme: Some(acme), names, ..Config::local(folder.join("data"), port) };
    granary_server::start(config, |fault| panic!("{fault}")).await.unwrap()
}

/// Waits until a browser that trusts this root is content.
async fn browser_is_content(port: u16, root: &CertificateDer<'static>) {
    let waiting = async {
        while tls(port, NAME, root, b"http/1.1").await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LONG, waiting).await.expect("browsers see a certificate that they trust");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificate_is_got_by_itself_and_phones_go_on_with_their_own() {
    if !has_pebble() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let pebble = Pebble::start(folder.path(), port, 90 * DAY);
    let root = pebble.root().await;
    let directory = format!("https://localhost:{}/dir", pebble.port);
    let running = server(folder.path(), port, directory.clone(), pebble.roots.clone()).await;
    browser_is_content(port, &root).await;
    let code = "7KQ2-M9XT-4B0F";
    let link = tokio::time::timeout(LONG, async {
        loop {
            match running.browser_invitation(code) {
                Some(link) => return link,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    });
    assert_eq!(link.await.unwrap(), format!("https://{NAME}:{port}/app/#{code}"));

    // A phone that pinned the server's own authority sees that one, and enrols.
    let own = CertificateDer::from_pem_file(folder.path().join("data/authority.pem")).unwrap();
    tls(port, "127.0.0.1", &own, b"gr/1").await.unwrap();
    tls(port, NAME, &own, b"gr/1").await.unwrap();
    assert!(tls(port, NAME, &root, b"gr/1").await.is_err());
    assert!(tls(port, NAME, &own, b"http/1.1").await.is_err());
    tls(port, "127.0.0.1", &own, b"http/1.1").await.expect("a name that the public certificate does not have");
    let granary = running.granary();
    let coop = granary.create_cooperative("Linxian", now()).unwrap();
    let code = granary.invite(coop, Role::Household(HouseholdId::from_bytes([7; 16])), 1, now()).unwrap().code;
    let link = format!("granary://127.0.0.1:{port}/{code}#{}", running.fingerprint());
    let phone = folder.path().join("phone");
    let joined = tokio::task::spawn_blocking(move || Phone::open(&phone).unwrap().enrol(&link, "li").map(drop));
    joined.await.unwrap().unwrap();

    // No challenge is shown any more, and keys are nobody else's to read.
    assert!(tls(port, NAME, &root, b"acme-tls/1").await.is_err());
    for file in ["acme-account.json", "acme-certificate.pem"] {
        let mode = std::fs::metadata(folder.path().join("data").join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    // It is there after a restart, also while the authority does not answer.
    running.stop().await;
    let roots = pebble.roots.clone();
    drop(pebble);
    let again = server(folder.path(), port, directory, roots).await;
    tls(port, NAME, &root, b"http/1.1").await.unwrap();
    again.stop().await;
}

/// The certificate that a browser is shown now, when it holds.
async fn shown(port: u16, root: &CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    let line = tls(port, NAME, root, b"http/1.1").await.ok()?;
    Some(line.get_ref().1.peer_certificates()?.first()?.clone().into_owned())
}

// It is renewed after two thirds of its life, by the server that runs: the next browser sees the new one, a line that was open stays,
// and what is kept is the new one.
#[tokio::test(flavor = "multi_thread")]
async fn certificate_is_renewed_before_it_ends_while_the_server_runs() {
    if !has_pebble() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let pebble = Pebble::start(folder.path(), port, Duration::from_secs(18));
    let root = pebble.root().await;
    let directory = format!("https://localhost:{}/dir", pebble.port);
    let running = server(folder.path(), port, directory, pebble.roots.clone()).await;
    browser_is_content(port, &root).await;
    let mut before = tls(port, NAME, &root, b"http/1.1").await.unwrap();
    let first = before.get_ref().1.peer_certificates().unwrap()[0].clone().into_owned();
    let kept = || std::fs::read(folder.path().join("data/acme-certificate.pem")).unwrap();
    let kept_first = kept();
    let renewed = tokio::time::timeout(LONG, async {
        loop {
            match shown(port, &root).await {
                Some(other) if other != first => return other,
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    });
    renewed.await.expect("another certificate comes by itself");
    assert_ne!(kept(), kept_first);
    // Whoever was connected goes on.
    before.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = before.read_to_end(&mut answer).await;
    assert!(answer.starts_with(b"HTTP/1.1 "), "{}", String::from_utf8_lossy(&answer));
    running.stop().await;
}

// A certificate that is damaged or over is no reason not to start: another one is got.
#[tokio::test(flavor = "multi_thread")]
async fn server_starts_without_the_authority_and_with_a_damaged_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let (port, closed) = (free_port(), free_port());
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/acme-certificate.pem"), "damaged").unwrap();
    let roots = own_root(folder.path());
    let running = server(folder.path(), port, format!("https://localhost:{closed}/dir"), roots).await;
    let own = CertificateDer::from_pem_file(folder.path().join("data/authority.pem")).unwrap();
    tls(port, NAME, &own, b"http/1.1").await.unwrap();
    assert_eq!(running.browser_invitation("7KQ2-M9XT-4B0F"), None);
    running.stop().await;
}
