//! Connections of a running server: HTTP/2, resumption, cuts, nudges, grants.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::{Driver, Observer, Status};
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::harvest::LotDraft;
use granary_client_core::transport::ServerLink;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::HandshakeKind;

use crate::connection::{connect, tls};
use crate::world::{World, household, household_role, lot, lots, record, season, sync_until_lots};

#[tokio::test]
async fn http2_requests_share_connection() {
    let world = World::new();
    let stream = connect(&world, &tls(&world, b"h2")).await;
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for _ in 0..8 {
        let request = hyper::Request::get("https://localhost/health").body(Full::<Bytes>::default()).unwrap();
        answers.push(sender.send_request(request));
    }
    for answer in answers {
        let answer = answer.await.unwrap();
        assert_eq!(answer.version(), hyper::Version::HTTP_2);
        assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "ok\n");
    }
}

#[tokio::test]
async fn second_connection_resumes_tls_session() {
    let world = World::new();
    let config = tls(&world, b"http/1.1");
    let mut kinds = Vec::new();
    for _ in 0..2 {
        let stream = connect(&world, &config).await;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let driven = tokio::spawn(connection.without_shutdown());
        let request =
            hyper::Request::get("/health").header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
        sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
        drop(sender);
        let parts = driven.await.unwrap().unwrap();
        kinds.push(parts.io.into_inner().get_ref().1.handshake_kind());
    }
    assert_eq!(kinds, [Some(HandshakeKind::Full), Some(HandshakeKind::Resumed)]);
}

/// A proxy to `port` that cuts each connection after `bytes` bytes in both directions together. Gives its port and the
/// count of all bytes.
fn cutting_proxy(port: u16, bytes: i64) -> (u16, Arc<AtomicI64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    let total = Arc::new(AtomicI64::new(0));
    let counted = Arc::clone(&total);
    std::thread::spawn(move || {
        for client in listener.incoming().take(200) {
            let client = client.unwrap();
            let server = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
            let left = Arc::new(AtomicI64::new(bytes));
            for (mut from, mut to) in [
                (client.try_clone().unwrap(), server.try_clone().unwrap()),
                (server.try_clone().unwrap(), client.try_clone().unwrap()),
            ] {
                let (left, counted) = (Arc::clone(&left), Arc::clone(&counted));
                std::thread::spawn(move || {
                    let mut buffer = [0; 512];
                    while let Ok(read) = from.read(&mut buffer) {
                        counted.fetch_add(read as i64, Ordering::SeqCst);
                        let before = left.fetch_sub(read as i64, Ordering::SeqCst);
                        if read == 0 || before <= 0 || to.write_all(&buffer[..read]).is_err() {
                            break;
                        }
                    }
                    let _ = from.shutdown(Shutdown::Both);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    (own, total)
}

/// Each connection is cut after 3,000 bytes, most of which are its handshake. A thousand records go up and another
/// thousand come down, with less than eight times the bytes of an unbroken line.
#[test]
fn cut_line_carries_thousand_records() {
    let mut world = World::new();
    let coordinator = world.phone(1, "coordinator");
    let mut totals = Vec::new();
    for (bytes, so_far) in [(i64::MAX, 1_000), (3_000, 2_000)] {
        let mut link: ServerLink = world.invitation(1, &household_role()).parse().unwrap();
        let (port, total) = cutting_proxy(link.port, bytes);
        link.port = port;
        let phone = granary_client_core::phone::Phone::open(&world.phone_folder()).unwrap();
        phone.enrol(&link.to_string(), "li").unwrap();
        let first: i64 = total.load(Ordering::SeqCst);
        assert!((0..20).any(|_| phone.sync_now().is_ok()));
        let down = total.load(Ordering::SeqCst) - first;
        for number in 0..1_000u64 {
            // Incompressible text, more than one connection lets through.
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let draft = LotDraft { note: format!("{mixed:x}"), ..lot(1_000 + (mixed >> 40) as i64 % 900_000) };
            phone.record(household(), season(), &draft).unwrap();
        }
        let second = total.load(Ordering::SeqCst);
        // A cut ends a sync. Its progress stays, and the scheduler tries again.
        let done = (0..20).find(|_| phone.sync_now().is_ok());
        assert!(done.is_some() && phone.status().unsent == 0);
        totals.push((down, total.load(Ordering::SeqCst) - second));
        // Wait for admission, so that the next phone gets all at its first sync.
        sync_until_lots(&coordinator, so_far);
    }
    // More than half of each connection is its handshake.
    assert!(totals[0].1 > 10_000 && totals[1].1 < totals[0].1 * 8, "{totals:?}");
}

/// Keeps the notifications of the driver.
#[derive(Default)]
struct Heard {
    changed: Mutex<usize>,
    more: std::sync::Condvar,
}

impl Observer for Heard {
    fn status_changed(&self, _: Status) {}

    fn documents_changed(&self, documents: Vec<DocumentKey>) {
        *self.changed.lock().unwrap() += documents.len();
        self.more.notify_all();
    }
}

/// The idle timer of a phone is a quarter of an hour, so only a nudge delivers the edit within a minute.
#[test]
fn nudge_delivers_edit_without_timer() {
    let mut world = World::new();
    let li = Arc::new(world.phone(1, &household_role()));
    let wang = Arc::new(world.phone(1, &household_role()));
    let heard = Arc::new(Heard::default());
    let _listens = Driver::start(Arc::clone(&wang), Arc::clone(&heard) as Arc<dyn Observer>).unwrap();
    let _sends = Driver::start(Arc::clone(&li), Arc::new(Heard::default())).unwrap();
    record(&li, 1_000);
    let minute = std::time::Duration::from_secs(60);
    let changed = heard.changed.lock().unwrap();
    let is_here = |_: &mut usize| lots(&wang).is_empty();
    let (_changed, timeout) = heard.more.wait_timeout_while(changed, minute, is_here).unwrap();
    assert!(!timeout.timed_out());
    assert_eq!(lots(&wang).len(), 1);
}

/// A packer becomes a member of one household: the other household's book leaves the phone, and a wider grant
/// brings it back.
#[test]
fn narrowed_grant_removes_documents() {
    let mut world = World::new();
    let li = world.phone(1, &household_role());
    let packer = world.phone(1, "packer");
    record(&li, 1_000);
    li.sync_now().unwrap();
    let other_household = HouseholdId::from_bytes([8; 16]);
    let wang = world.phone(1, &format!("household:{other_household}"));
    wang.record(other_household, season(), &lot(2_000)).unwrap();
    wang.sync_now().unwrap();
    sync_until_lots(&packer, 2);

    let device = packer.device().unwrap().to_string();
    world.order(&["grant", "--coop", "1", &device, &household_role()]);
    packer.sync_now().unwrap();
    assert_eq!(lots(&packer).len(), 1);
    let kept = packer.heads().unwrap().into_keys().filter(|key| key.household() == Some(other_household)).count();
    assert_eq!(kept, 0, "nothing of it is left on the phone");
    world.order(&["grant", "--coop", "1", &device, "packer", &household_role()]);
    sync_until_lots(&packer, 2);
}
