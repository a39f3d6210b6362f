//! Load: minimal phones, so that many fit beside the server on one machine. Each has its own key, cursor and book, and
//! sends the same requests as a real phone. Its changes are made before the clock starts.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use granary_client_core::error::Error;
use granary_client_core::ids::{DeviceId, HouseholdId, Incarnation};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest};
use granary_client_core::protocol::frame::{UnsignedRequest, read_reply};
use granary_client_core::protocol::messages::{Cursor, SyncReply, SyncRequest, read_message, write_message};
use granary_client_core::protocol::nudge::GREETING;
use granary_client_core::protocol::signing::{Audience, Binding, Purpose, ServerKey};
use granary_client_core::quantities;
use granary_client_core::schema::{Book, Document, DocumentKey, Season, harvest};
use granary_client_core::transport::{HttpsTransport, Outgoing, Route, ServerLink, Transport};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;

use crate::granary_actor::{serve_lines, text};
use crate::records::lots;

/// The household of a load phone.
pub(crate) fn household_of(number: u64) -> HouseholdId {
    HouseholdId::generate(1_700_000_000_000 + number, [5; 10])
}

pub(crate) struct LoadPhone {
    pair: Ed25519KeyPair,
    cursor: Cursor,
    book: Document,
    waiting: VecDeque<Vec<u8>>,
    number: u64,
    is_begun: bool,
    /// Whom it signs for, once enrolled.
    pub(crate) audience: Audience,
}

impl LoadPhone {
    /// The phone of this household number; `salt` distinguishes phones of one household.
    pub(crate) fn new(number: u64, salt: u64) -> Self {
        let mut seed = [0x5a; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        seed[8..16].copy_from_slice(&salt.to_be_bytes());
        let key = DocumentKey::HarvestBook(Book::first(household_of(number), Season::new(2025).unwrap()));
        Self {
            pair: Ed25519KeyPair::from_seed_unchecked(&seed).unwrap(),
            cursor: Cursor::default(),
            book: Document::new(key).unwrap(),
            waiting: VecDeque::new(),
            number,
            is_begun: false,
            audience: Audience::UNKNOWN,
        }
    }

    fn public_key(&self) -> [u8; 32] {
        self.pair.public_key().as_ref().try_into().unwrap()
    }

    fn device(&self) -> DeviceId {
        DeviceId::of_public_key(&self.public_key())
    }

    fn frame(&self, purpose: Purpose, content: &[u8]) -> Vec<u8> {
        let binding = Binding { purpose, audience: self.audience, channel: None };
        let sign = |bytes: &[u8]| self.pair.sign(bytes).as_ref().try_into().unwrap();
        UnsignedRequest::new(self.device(), content).sign(&binding, sign)
    }

    pub(crate) fn enrolment(&self, code: &str) -> EnrolRequest {
        EnrolRequest { code: code.to_owned(), public_key: self.public_key(), name: "load".into() }
    }

    /// Records lots, each to be sent by a request of its own.
    pub(crate) fn prepare(&mut self, count: usize) {
        let actor = self.device().actor(Incarnation::new(0));
        let key = self.book.key().clone();
        for draft in lots(self.number, count).0 {
            let edited =
                self.book.edit(&actor, quantities::Instant(1_760_000_000_000), |doc| harvest::record(doc, &draft));
            let mut changes = vec![edited.unwrap().1.unwrap()];
            if !std::mem::replace(&mut self.is_begun, true) {
                changes.insert(0, Document::first_change(&key).unwrap());
            }
            self.waiting.push_back(write_bundle(&[DocumentChanges { key: key.clone(), changes }]));
        }
    }

    /// Sends the next request by this exchange; false if nothing is left.
    pub(crate) fn sync(&mut self, exchange: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, Error>) -> Result<bool, Error> {
        let Some(bundle) = self.waiting.pop_front() else { return Ok(false) };
        self.sync_with(bundle, exchange)?;
        Ok(true)
    }

    fn sync_with(
        &mut self,
        bundle: Vec<u8>,
        exchange: impl FnOnce(Vec<u8>) -> Result<Vec<u8>, Error>,
    ) -> Result<(), Error> {
        let request = SyncRequest { cursor: self.cursor, page_kilobytes: 16, bundle, ..SyncRequest::default() };
        let reply = exchange(self.frame(Purpose::Sync, &write_message(&request)))?;
        let reply: SyncReply = read_message(&read_reply(&reply).unwrap()).unwrap();
        assert!(reply.refused.is_empty(), "{:?}", reply.refused);
        self.cursor = reply.cursor;
        Ok(())
    }
}

/// A load phone with its own connection.
struct Connected {
    phone: LoadPhone,
    /// None for phones that are only enrolled; a transport has a runtime of its own.
    transport: Option<HttpsTransport>,
    link: ServerLink,
}

impl Connected {
    fn enrol(number: u64, link: &str, is_idle: bool) -> Self {
        let link: ServerLink = link.parse().unwrap();
        let transport = HttpsTransport::new(&link).unwrap();
        let mut phone = LoadPhone::new(number, 0);
        let body = phone.frame(Purpose::Enrol, &write_message(&phone.enrolment(&link.code)));
        let reply = transport.exchange(Route::Enrol, Outgoing::Bytes(body)).unwrap();
        let enrolled: EnrolReply = read_message(&read_reply(&reply).unwrap()).unwrap();
        phone.audience = Audience { server: ServerKey(enrolled.server_key), cooperative: enrolled.cooperative };
        if is_idle {
            return Self { phone, transport: None, link };
        }
        phone.sync_with(Vec::new(), |body| transport.exchange(Route::Sync, Outgoing::Bytes(body))).unwrap();
        Self { phone, transport: Some(transport), link }
    }

    /// Sends all unsent requests, one after the other; gives the time of each.
    fn run(&mut self) -> Vec<Duration> {
        let mut times = Vec::with_capacity(self.phone.waiting.len());
        let transport = self.transport.get_or_insert_with(|| HttpsTransport::new(&self.link).unwrap());
        loop {
            let began = Instant::now();
            match self.phone.sync(|body| transport.exchange(Route::Sync, Outgoing::Bytes(body))) {
                Ok(true) => times.push(began.elapsed()),
                Ok(false) => return times,
                Err(error) => panic!("a load phone failed: {error}"),
            }
        }
    }
}

pub(crate) fn percentile(sorted: &[Duration], of: f64) -> f64 {
    let place = ((sorted.len() as f64 * of) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, |time| time.as_secs_f64() * 1000.0)
}

/// `granary-bench act load FOLDER`: many phones in one process.
pub(crate) fn actor() {
    let mut phones: Vec<Connected> = Vec::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut idle = Vec::new();
    serve_lines(&json!({ "ready": true }), |command| match text(command, "do") {
        "open" => {
            let links: Vec<String> =
                command["links"].as_array().unwrap().iter().map(|link| link.as_str().unwrap().to_owned()).collect();
            let numbered: Vec<(u64, String)> = (command["from"].as_u64().unwrap()..).zip(links).collect();
            let is_idle = command["idle"] == true;
            let opened = std::thread::scope(|scope| {
                let threads: Vec<_> = numbered
                    .chunks(numbered.len().div_ceil(32).max(1))
                    .map(|some| {
                        scope.spawn(|| {
                            some.iter().map(|(number, link)| Connected::enrol(*number, link, is_idle)).collect()
                        })
                    })
                    .collect();
                threads.into_iter().flat_map(|thread| -> Vec<Connected> { thread.join().unwrap() }).collect::<Vec<_>>()
            });
            phones.extend(opened);
            Ok(json!({}))
        }
        "prepare" => {
            let (count, each) = (command["phones"].as_u64().unwrap(), command["each"].as_u64().unwrap());
            let chosen = phones.iter_mut().take(usize::try_from(count).unwrap());
            chosen.for_each(|connected| connected.phone.prepare(usize::try_from(each).unwrap()));
            Ok(json!({}))
        }
        "run" => {
            let began = Instant::now();
            let mut times: Vec<Duration> = std::thread::scope(|scope| {
                let busy = phones.iter_mut().filter(|connected| !connected.phone.waiting.is_empty());
                let threads: Vec<_> = busy.map(|connected| scope.spawn(|| connected.run())).collect();
                threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
            });
            let seconds = began.elapsed().as_secs_f64();
            times.sort_unstable();
            Ok(json!({
                "syncs": times.len(),
                "seconds": seconds,
                "p50": percentile(&times, 0.5),
                "p99": percentile(&times, 0.99),
                "worst": percentile(&times, 1.0),
            }))
        }
        "idle" => {
            let sockets = runtime.block_on(open_idle(&phones));
            idle.extend(sockets);
            Ok(json!({ "connected": idle.len() }))
        }
        "end idle" => {
            idle.clear();
            Ok(json!({}))
        }
        other => Err(format!("no command {other}")),
    });
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_rustls::client::TlsStream<tokio::net::TcpStream>>;

/// A live socket for each phone, past its first nudge.
async fn open_idle(phones: &[Connected]) -> Vec<Socket> {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let mut sockets = Vec::with_capacity(phones.len());
    let Some(first) = phones.first() else { return sockets };
    let tls = tokio_rustls::TlsConnector::from(Arc::new(crate::world::trusting_anyone()));
    let address = (first.link.host.clone(), first.link.port);
    for some in phones.chunks(64) {
        let opening = some.iter().map(|connected| {
            let (tls, address) = (tls.clone(), address.clone());
            let greeting = connected.phone.frame(Purpose::Listen, GREETING);
            async move {
                let stream = tokio::net::TcpStream::connect((address.0.as_str(), address.1)).await.unwrap();
                let name = rustls::pki_types::ServerName::try_from(address.0.clone()).unwrap();
                let stream = tls.connect(name, stream).await.unwrap();
                let url = format!("wss://{}/live", address.0);
                let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await.unwrap();
                socket.send(Message::Binary(greeting.into())).await.unwrap();
                let nudge = socket.next().await.unwrap().unwrap();
                assert!(nudge.is_binary());
                socket
            }
        });
        sockets.extend(futures_util::future::join_all(opening).await);
    }
    sockets
}
