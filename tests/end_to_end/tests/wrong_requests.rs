//! Invalid requests of an enrolled phone: refused, counted, harmless.

use granary_client_core::error::Error;
use granary_client_core::ids::{ActorId, CooperativeId, DeviceId, HouseholdId, Incarnation};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest};
use granary_client_core::protocol::frame::{UnsignedRequest, VERSION, read_reply};
use granary_client_core::protocol::messages::{RefusalReason, SyncReply, SyncRequest, read_message, write_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::protocol::signing::{Audience, Binding, Channel, Purpose, ServerKey, resume_statement};
use granary_client_core::protocol::transfer::{KEY_HEADER, PROOF_HEADER, PartKey, write_proof};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::harvest::record as record_lot;
use granary_client_core::schema::{Book, Document, DocumentKey};
use granary_client_core::transport::{HttpsTransport, Outgoing, Route, ServerLink, Transport};
use http_body_util::Full;
use hyper::body::Bytes;
use ring::signature::{Ed25519KeyPair, KeyPair};

use crate::connection::http1;
use crate::world::{World, household, household_role, lot, lots, season, sync_until_lots};

/// A phone whose bytes a test writes by hand.
struct Raw {
    pair: Ed25519KeyPair,
    device: DeviceId,
    audience: Audience,
    transport: HttpsTransport,
}

impl Raw {
    fn enrol(world: &World, seed: u8, role: &str) -> Self {
        let link: ServerLink = world.invitation(1, role).parse().unwrap();
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let public_key: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
        let transport = HttpsTransport::new(&link).unwrap();
        let device = DeviceId::of_public_key(&public_key);
        let mut raw = Self { pair, device, audience: Audience::UNKNOWN, transport };
        let request = EnrolRequest { code: link.code.clone(), public_key, name: "raw".into() };
        let answer = raw.enrolment(&write_message(&request)).unwrap();
        let reply: EnrolReply = read_message(&read_reply(&answer).unwrap()).unwrap();
        raw.audience = Audience { server: ServerKey(reply.server_key), cooperative: reply.cooperative };
        raw
    }

    fn enrolment(&self, content: &[u8]) -> Result<Vec<u8>, Error> {
        let body =
            self.signed_for(&Binding { purpose: Purpose::Enrol, audience: Audience::UNKNOWN, channel: None }, content);
        self.transport.exchange(Route::Enrol, Outgoing::Bytes(body))
    }

    fn signed(&self, content: &[u8]) -> Vec<u8> {
        self.signed_for(&Binding { purpose: Purpose::Sync, audience: self.audience, channel: None }, content)
    }

    fn signed_for(&self, binding: &Binding, content: &[u8]) -> Vec<u8> {
        let sign = |bytes: &[u8]| self.pair.sign(bytes).as_ref().try_into().unwrap();
        UnsignedRequest::new(self.device, content).sign(binding, sign)
    }

    fn request(bundle: Vec<u8>) -> SyncRequest {
        SyncRequest { page_kilobytes: 64, bundle, ..SyncRequest::default() }
    }

    fn send(&self, body: Vec<u8>) -> Result<SyncReply, ProblemKind> {
        match self.transport.exchange(Route::Sync, Outgoing::Bytes(body)) {
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
    serde_json::from_str(&world.monitor("/counts")).unwrap()
}

#[test]
fn wrong_requests_are_refused() {
    let world = World::new();
    let raw = Raw::enrol(&world, 9, &household_role());
    let own = DocumentKey::HarvestBook(Book::first(household(), season()));
    let good = bundle(&own, &raw.device.actor(Incarnation::new(0)), 1_000);

    // The frame and its message.
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

    // The bundle: each byte changed in turn. The server refuses it, or accepts another valid change.
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

/// Control characters and line breaks in names, versions, codes, paths and logins must not forge a log line, and
/// must not reach the operator's terminal.
#[test]
fn foreign_text_stays_on_its_log_line() {
    let evil = "\u{1b}[2Jli\n2026-10-03T00:00:00Z ERROR granary: FORGED\u{1b}[2J";
    for format in ["text", "json"] {
        let world = World::logging(format);
        let raw = Raw::enrol(&world, 9, &household_role());
        let request = SyncRequest { version: Some(evil.into()), ..Raw::request(vec![]) };
        raw.send(raw.signed(&write_message(&request))).unwrap();
        let own = DocumentKey::HarvestBook(Book::first(household(), season()));
        assert!(raw.sync(bundle(&own, &ActorId::from_bytes(evil.as_bytes().get(..20).unwrap()).unwrap(), 1)).is_ok());
        let request = EnrolRequest { code: evil.into(), public_key: [1; 32], name: evil.into() };
        assert!(raw.enrolment(&write_message(&request)).is_err());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut sender = http1(&world).await;
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

/// The rate limit of a device counts only requests with a valid signature.
#[test]
fn forged_requests_do_not_throttle_phone() {
    let world = World::new();
    let raw = Raw::enrol(&world, 9, &household_role());
    let mut forged = raw.signed(&write_message(&Raw::request(vec![])));
    forged[20] ^= 1;
    // More than the burst limit of a phone.
    for _ in 0..200 {
        assert_eq!(raw.send(forged.clone()).unwrap_err(), ProblemKind::BadSignature);
    }
    assert!(raw.sync(vec![]).is_ok());
}

/// A frame is worth something at one server, for one co-operative, route and connection only.
#[test]
fn recorded_request_is_worthless_elsewhere() {
    let world = World::new();
    let raw = Raw::enrol(&world, 9, &household_role());
    let content = write_message(&Raw::request(vec![]));
    let here = Binding { purpose: Purpose::Sync, audience: raw.audience, channel: None };
    assert!(raw.send(raw.signed_for(&here, &content)).is_ok());
    let other_server = Audience { server: ServerKey([7; 32]), ..raw.audience };
    let other_cooperative = Audience { cooperative: CooperativeId::from_bytes([7; 16]), ..raw.audience };
    let elsewhere = [
        Binding { audience: other_server, ..here },
        Binding { audience: other_cooperative, ..here },
        Binding { purpose: Purpose::Listen, ..here },
        // Recorded on a phone's own connection, shown on this one.
        Binding { channel: Some(Channel([7; 32])), ..here },
    ];
    for binding in elsewhere {
        assert_eq!(raw.send(raw.signed_for(&binding, &content)).unwrap_err(), ProblemKind::BadSignature, "{binding:?}");
    }
}

/// The parts of a broken exchange, and its reply, are for the device that began it.
#[test]
fn reply_is_fetched_by_its_device_only() {
    let world = World::new();
    let raw = Raw::enrol(&world, 9, &household_role());
    let own = DocumentKey::HarvestBook(Book::first(household(), season()));
    let actor = raw.device.actor(Incarnation::new(0));
    let body = raw.signed(&write_message(&Raw::request(bundle(&own, &actor, 1))));
    let key = PartKey::of(&body);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let audience = raw.audience;
    let fetch = |proof: Option<String>| {
        runtime.block_on(async {
            let mut sender = http1(&world).await;
            let request = hyper::Request::get(format!("/k/{key}/0")).header("host", "localhost");
            let request = match proof {
                Some(proof) => request.header(PROOF_HEADER, proof),
                None => request,
            };
            sender.send_request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap().status().as_u16()
        })
    };
    let sent = runtime.block_on(async {
        let mut sender = http1(&world).await;
        let request = hyper::Request::post("/s").header("host", "localhost").header(KEY_HEADER, key.to_string());
        sender.send_request(request.body(Full::new(Bytes::from(body))).unwrap()).await.unwrap().status().as_u16()
    });
    assert_eq!(sent, 200);
    let own = |bytes: &[u8]| -> [u8; 64] { raw.pair.sign(bytes).as_ref().try_into().unwrap() };
    let statement = |key, channel| resume_statement(key, raw.device, &audience, channel);
    assert_eq!(fetch(Some(write_proof(&own(&statement(key, None))))), 200);
    let stranger = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let others: [u8; 64] = stranger.sign(&statement(key, None)).as_ref().try_into().unwrap();
    let of_another_exchange = own(&statement(PartKey(1), None));
    let of_another_connection = own(&statement(key, Some(Channel([7; 32]))));
    for proof in [others, of_another_exchange, of_another_connection] {
        assert_eq!(fetch(Some(write_proof(&proof))), 401);
    }
    assert_eq!(fetch(None), 401);
    assert_eq!(fetch(Some("%".into())), 401);
}

#[test]
fn forbidden_writes_are_refused_by_document() {
    let mut world = World::new();
    world.order(&["coop", "create", "Another Company"]);
    let raw = Raw::enrol(&world, 9, &household_role());
    let own = DocumentKey::HarvestBook(Book::first(household(), season()));
    let reason = |bundle| raw.sync(bundle).unwrap().refused.first().map(|refusal| refusal.reason);
    let neighbour = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([8; 16]), season()));
    assert_eq!(reason(bundle(&neighbour, &raw.device.actor(Incarnation::new(0)), 1)), Some(RefusalReason::MayNotWrite));
    let other = DeviceId::from_bytes([3; 8]).actor(Incarnation::new(0));
    assert_eq!(reason(bundle(&own, &other, 1)), Some(RefusalReason::ForeignActor));
    assert_eq!(reason(bundle(&own, &raw.device.actor(Incarnation::new(0)), 1)), None);
    assert_eq!(reason(bundle(&own, &raw.device.actor(Incarnation::new(0)), 2)), Some(RefusalReason::SequenceReused));

    // A device of another co-operative gets nothing of this one.
    let stranger = world.phone(2, "coordinator");
    stranger.sync_now().unwrap();
    assert!(lots(&stranger).is_empty());
    let coordinator = world.phone(1, "coordinator");
    sync_until_lots(&coordinator, 1);
    let counted = counts(&world);
    assert!(counted["refused-documents"].as_u64().unwrap() >= 3, "{counted}");
}
