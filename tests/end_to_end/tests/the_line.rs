//! What the running server does with the line: HTTP/2, resumption, nudges; and with requests that are
//! wrong in every way that an enrolled phone can send them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod world;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use granary_client_core::documents::harvest::{LotDraft, record as record_lot};
use granary_client_core::documents::{Document, DocumentKey};
use granary_client_core::error::Error;
use granary_client_core::ids::{ActorId, DeviceId, HouseholdId, Incarnation};
use granary_client_core::phone::{Driver, Observer, Status};
use granary_client_core::protocol::access::{EnrolReply, EnrolRequest};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::frame::{VERSION, read_reply, write_request};
use granary_client_core::protocol::messages::{
    Cursor, RefusalReason, SyncReply, SyncRequest, read_message, write_message,
};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use granary_client_core::transport::{HttpsTransport, Route, ServerLink, Transport};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::{TokioExecutor, TokioIo};
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use world::{World, household, household_role, lot, record, season, sync_until_lots};

fn tls(world: &World, alpn: &[u8]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(world.data().join("authority.pem")).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    Arc::new(config)
}

async fn connect(world: &World, config: &Arc<ClientConfig>) -> tokio_rustls::client::TlsStream<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn http_2_is_spoken_and_many_requests_share_a_connection() {
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
async fn a_phone_that_comes_back_resumes_its_tls_session() {
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

/// A phone whose bytes a test writes by hand.
struct Raw {
    pair: Ed25519KeyPair,
    device: DeviceId,
    transport: HttpsTransport,
}

impl Raw {
    fn enrol(world: &World, seed: u8, role: &str) -> Self {
        let link: ServerLink = world.invitation(1, role).parse().unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let raw =
            Self { pair, device: DeviceId::of_public_key(&public_key), transport: HttpsTransport::new(&link).unwrap() };
        let request = EnrolRequest { code: link.code.clone(), public_key, name: "raw".into() };
        let answer = raw.transport.exchange(Route::Enrol, raw.signed(&write_message(&request))).unwrap();
        let _: EnrolReply = read_message(&read_reply(&answer).unwrap()).unwrap();
        raw
    }

    fn signed(&self, content: &[u8]) -> Vec<u8> {
        write_request(self.device, content, |bytes| self.pair.sign(bytes).as_ref().try_into().unwrap())
    }

    fn request(bundle: Vec<u8>) -> SyncRequest {
        SyncRequest { page_kilobytes: 64, bundle, ..SyncRequest::default() }
    }

    fn send(&self, body: Vec<u8>) -> Result<SyncReply, ProblemKind> {
        match self.transport.exchange(Route::Sync, body) {
            Ok(answer) => Ok(read_message(&read_reply(&answer).unwrap()).unwrap()),
            Err(Error::Refused { kind, detail }) => {
                assert!(detail.len() > 10, "a sentence: {detail}");
                Err(kind)
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    fn sync(&self, bundle: Vec<u8>) -> Result<SyncReply, ProblemKind> {
        self.send(self.signed(&write_message(&Self::request(bundle))))
    }
}

/// A book's beginning and one lot, by this actor.
fn bundle(key: &DocumentKey, actor: &ActorId, grams: i64) -> Vec<u8> {
    let mut document = Document::new(key.clone()).unwrap();
    let (_, change) = document.edit(actor, Instant(0), |doc| record_lot(doc, &lot(grams))).unwrap();
    let changes = vec![Document::first_change(key).unwrap(), change.unwrap()];
    write_bundle(&[DocumentChanges { key: key.clone(), changes }])
}

fn counts(world: &World) -> serde_json::Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = connect(world, &tls(world, b"http/1.1")).await;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request =
            hyper::Request::get("/counts").header("host", "localhost").body(Full::<Bytes>::default()).unwrap();
        let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&body).unwrap()
    })
}

#[test]
fn every_wrong_request_of_an_enrolled_phone_is_refused_counted_and_changes_nothing() {
    let world = World::new();
    let raw = Raw::enrol(&world, 9, &household_role());
    let own = DocumentKey::HarvestBook(household(), season());
    let good = bundle(&own, &raw.device.actor(Incarnation::new(0)), 1_000);

    // The frame and what is in it.
    let mut wrong_signature = raw.signed(&write_message(&Raw::request(vec![])));
    wrong_signature[20] ^= 1;
    assert_eq!(raw.send(wrong_signature).unwrap_err(), ProblemKind::BadSignature);
    let mut unknown_version = raw.signed(&write_message(&Raw::request(vec![])));
    unknown_version[0] = VERSION + 1;
    assert_eq!(raw.send(unknown_version).unwrap_err(), ProblemKind::UnknownVersion);
    assert_eq!(raw.send(raw.signed(b"no message at all")).unwrap_err(), ProblemKind::Malformed);
    let truncated = write_message(&Raw::request(good.clone()));
    assert_eq!(raw.send(raw.signed(&truncated[..truncated.len() - 5])).unwrap_err(), ProblemKind::Malformed);
    let gigabytes = write_message(&Raw::request(vec![0; 40 << 20]));
    assert_eq!(raw.send(raw.signed(&gigabytes)).unwrap_err(), ProblemKind::TooLarge);

    // The bundle: every byte of it changed in turn is refused, or says something else that is harmless.
    let mut refused = 0;
    for place in (0..good.len()).step_by(7) {
        let mut damaged = good.clone();
        damaged[place] ^= 0x55;
        match raw.sync(damaged) {
            Err(ProblemKind::Malformed) => refused += 1,
            Err(ProblemKind::Busy) => break,
            Ok(reply) => assert!(reply.refused.len() <= 1),
            Err(other) => panic!("byte {place}: {other:?}"),
        }
    }
    assert!(refused > 5);
}

#[test]
fn what_anyone_says_is_within_its_line_of_the_log() {
    let evil = "\u{1b}[2Jli\n2026-10-03T00:00:00Z ERROR granary: FORGED\u{1b}[2J";
    for format in ["text", "json"] {
        let world = World::logging(format);
        let raw = Raw::enrol(&world, 9, &household_role());
        let request = SyncRequest { version: Some(evil.into()), ..Raw::request(vec![]) };
        raw.send(raw.signed(&write_message(&request))).unwrap();
        let own = DocumentKey::HarvestBook(household(), season());
        assert!(raw.sync(bundle(&own, &ActorId::from_bytes(evil.as_bytes().get(..20).unwrap()).unwrap(), 1)).is_ok());
        let request = EnrolRequest { code: evil.into(), public_key: [1; 32], name: evil.into() };
        assert!(raw.transport.exchange(Route::Enrol, raw.signed(&write_message(&request))).is_err());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = connect(&world, &tls(&world, b"http/1.1")).await;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let form = "coop=1&login=li%0A2026-10-03T00%3A00%3A00Z+ERROR+FORGED%1B%5B2J&password=x";
            for (path, body) in [("/console/sign-in", form), ("/%0aFORGED%1b%5b2J?token=%0aFORGED", "")] {
                let request = hyper::Request::post(path).header("host", "localhost");
                sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap();
            }
        });
        let devices = world.order(&["devices"]);
        assert!(
            !devices.contains('\u{1b}') && !devices.lines().any(|line| line.starts_with("2026-10-03")),
            "{devices:?}"
        );
        let log = world.log();
        assert!(log.lines().count() > 3, "{log}");
        for line in log.lines() {
            assert!(!line.contains('\u{1b}'), "{line:?}");
            assert!(!line.trim_start().starts_with("2026-10-03") && !line.starts_with("FORGED"), "{line:?}");
            assert!(format == "text" || serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line:?}");
        }
    }
}

#[test]
fn whoever_knows_a_phones_name_cannot_keep_it_out() {
    let world = World::new();
    let raw = Raw::enrol(&world, 9, &household_role());
    let mut forged = raw.signed(&write_message(&Raw::request(vec![])));
    forged[20] ^= 1;
    // More than a phone may ask at once.
    for _ in 0..200 {
        assert_eq!(raw.send(forged.clone()).unwrap_err(), ProblemKind::BadSignature);
    }
    assert!(raw.sync(vec![]).is_ok());
}

#[test]
fn what_a_phone_may_not_write_is_refused_document_by_document() {
    let mut world = World::new();
    world.order(&["coop", "create", "Another Company"]);
    let raw = Raw::enrol(&world, 9, &household_role());
    let own = DocumentKey::HarvestBook(household(), season());
    let reason = |bundle| raw.sync(bundle).unwrap().refused.first().map(|refusal| refusal.reason);
    let neighbour = DocumentKey::HarvestBook(HouseholdId::from_bytes([8; 16]), season());
    assert_eq!(reason(bundle(&neighbour, &raw.device.actor(Incarnation::new(0)), 1)), Some(RefusalReason::MayNotWrite));
    let other = DeviceId::from_bytes([3; 8]).actor(Incarnation::new(0));
    assert_eq!(reason(bundle(&own, &other, 1)), Some(RefusalReason::ForeignActor));
    assert_eq!(reason(bundle(&own, &raw.device.actor(Incarnation::new(0)), 1)), None);
    assert_eq!(reason(bundle(&own, &raw.device.actor(Incarnation::new(0)), 2)), Some(RefusalReason::SequenceReused));

    // A device of another co-operative signs what it likes: it gets nothing of this one.
    let stranger = world.phone(2, "coordinator");
    stranger.sync_now().unwrap();
    assert!(world::lots(&stranger).is_empty());
    let coordinator = world.phone(1, "coordinator");
    sync_until_lots(&coordinator, 1);
    let counted = counts(&world);
    assert!(counted["refused-documents"].as_u64().unwrap() >= 3, "{counted}");
}

/// Carries connections to `port`; each is cut after `bytes` bytes in both directions together. Gives its
/// port and the count of all bytes.
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

#[test]
fn a_line_that_is_cut_every_three_kilobytes_carries_a_thousand_records_both_ways() {
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
            // Nothing that compresses well: it must be more than a connection carries.
            let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let draft = LotDraft { note: format!("{mixed:x}"), ..lot(1_000 + (mixed >> 40) as i64 % 900_000) };
            phone.record(household(), season(), &draft).unwrap();
        }
        let second = total.load(Ordering::SeqCst);
        // A line that carries next to nothing ends a sync; what came over stays, and the scheduler tries again.
        let done = (0..20).find(|_| phone.sync_now().is_ok());
        assert!(done.is_some() && phone.status().pending == 0);
        totals.push((down, total.load(Ordering::SeqCst) - second));
        // Admitted before the next one comes: that gets them at its first sync, over the cut line.
        sync_until_lots(&coordinator, so_far);
    }
    // More than half of each connection is its handshake.
    assert!(totals[0].1 > 10_000 && totals[1].1 < totals[0].1 * 8, "{totals:?}");
}

/// Keeps what the driver tells.
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

#[test]
fn an_edit_on_one_connected_phone_shows_on_another_without_a_timer() {
    let mut world = World::new();
    let li = Arc::new(world.phone(1, &household_role()));
    let wang = Arc::new(world.phone(1, &household_role()));
    let heard = Arc::new(Heard::default());
    let _listens = Driver::start(Arc::clone(&wang), Arc::clone(&heard) as Arc<dyn Observer>).unwrap();
    let _sends = Driver::start(Arc::clone(&li), Arc::new(Heard::default())).unwrap();
    // The idle timer is a quarter of an hour; only a nudge brings this within the minute.
    record(&li, 1_000);
    let minute = std::time::Duration::from_secs(60);
    let changed = heard.changed.lock().unwrap();
    let is_here = |_: &mut usize| world::lots(&wang).is_empty();
    let (_changed, timeout) = heard.more.wait_timeout_while(changed, minute, is_here).unwrap();
    assert!(!timeout.timed_out());
    assert_eq!(world::lots(&wang).len(), 1);
}

#[test]
fn a_grant_brings_documents_and_its_end_makes_the_phone_forget_them() {
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

    // The packer becomes a member of one household: the other's book must go.
    let device = packer.device().unwrap().to_string();
    world.order(&["grant", "--coop", "1", &device, &household_role()]);
    packer.sync_now().unwrap();
    assert_eq!(world::lots(&packer).len(), 1);
    let kept = packer.heads().unwrap().into_keys().filter(|key| key.household() == Some(other_household)).count();
    assert_eq!(kept, 0, "nothing of it is left on the phone");
    world.order(&["grant", "--coop", "1", &device, "packer", &household_role()]);
    sync_until_lots(&packer, 2);
}
