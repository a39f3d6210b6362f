//! A phone among thousands of hostile connections: the time of its syncs, and the memory that the connections cost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use granary_client_core::phone::Phone;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::phone::{converge, notes, record};
use crate::server::Server;
use crate::{head, row};

fn tls(server: &Server) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(server.data().join("authority.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    TlsConnector::from(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

async fn open(connector: TlsConnector, port: u16) -> Option<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    connector.connect(ServerName::try_from("localhost").ok()?, stream).await.ok()
}

/// Sends an endless request, a byte each second, until the server closes the connection.
async fn send_slowly(mut stream: TlsStream<TcpStream>) {
    let mut sent = stream.write_all(b"POST /s HTTP/1.1\r\nhost: granary\r\nx: ").await;
    while sent.is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        sent = stream.write_all(b"a").await;
        sent = match sent {
            Ok(()) => stream.flush().await,
            error => error,
        };
    }
}

/// The median, the 99th percentile and the maximum, in milliseconds.
fn spread(mut took: Vec<Duration>) -> String {
    took.sort();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)].as_secs_f64() * 1_000.0;
    format!("{:.1} / {:.1} / {:.1}", at(50), at(99), at(100))
}

fn syncs(phone: &Phone, first: u32, count: u32) -> Vec<Duration> {
    let mut took = Vec::new();
    for number in first..first + count {
        record(phone, u64::from(number));
        // The limit of a device is ten requests a second.
        std::thread::sleep(Duration::from_millis(110));
        let began = Instant::now();
        phone.sync_now().unwrap();
        took.push(began.elapsed());
    }
    took
}

pub(crate) fn run(connections: usize, count: u32) -> bool {
    let mut server = Server::started();
    let phone = Phone::open(&server.phone("household:new")).unwrap();
    let coordinator = Phone::open(&server.phone("coordinator")).unwrap();
    let alone = syncs(&phone, 0, count);
    let before = server.memory();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (connector, port, each) = (tls(&server), server.port, connections / 3);
    let mut slow = JoinSet::new();
    let (silent, idle) = runtime.block_on(async {
        let (mut silent, mut idle) = (Vec::new(), Vec::new());
        for _ in 0..each {
            silent.extend(TcpStream::connect(("127.0.0.1", port)).await.ok());
            idle.extend(open(connector.clone(), port).await);
            if let Some(stream) = open(connector.clone(), port).await {
                slow.spawn(send_slowly(stream));
            }
        }
        (silent, idle)
    });
    let opened = silent.len() + idle.len() + slow.len();
    let most = server.memory();
    let among = syncs(&phone, count, count);
    let after = server.memory();
    // Acknowledged changes are admitted a moment later.
    converge(&[&phone, &coordinator]);
    let lost = usize::try_from(count * 2).unwrap().saturating_sub(notes(&coordinator).len());
    head();
    row("connections that mean no good, beside a phone", opened, lost);
    println!("a sync alone, median / 99th / slowest of {count}, ms: {}", spread(alone));
    println!("a sync among them, ms: {}", spread(among));
    println!(
        "the server's memory, MB: {} before, {} with all of them, {} after",
        before >> 10,
        most >> 10,
        after >> 10
    );
    drop((silent, idle));
    runtime.shutdown_background();
    lost == 0 && opened == each * 3
}
