//! Many feeders at once, half of whom ask and half of whom tell, and one `kill -9` of the server's process between them. What was
//! accepted is what was granted, to the pack; what was told above it is marked; and what was answered is answered so again.
//! The server is `granary serve`, the feeders are shops' programs: they call `POST /v1/orders` over TLS by API keys.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use granary_client_core::quantities::{Day, Fen, Grams, Instant};
use granary_client_core::schema::order;
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::schema::stock_book::{self, Deed, GoodsIn};
use granary_client_core::schema::stream::{self, Offer, StreamPlan};
use granary_client_core::schema::{DocumentKey, MAIN_WAREHOUSE, OrderName, Part, StockMonth};
use granary_client_core::store::StoreFault;
use granary_server::Granary;
use granary_server::log::{Cooperative, CooperativeNumber};
use granary_server::store::SledStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

use crate::server::Server;
use crate::{any, head, row};

const COOP: CooperativeNumber = CooperativeNumber(1);
const STREAM: &str = "live";
const PLATFORM: &str = "douyin";
const SHOP: &str = "east";
/// Keys of the one shop: each may ask so often a second.
const KEYS: usize = 8;

fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Instant(i64::try_from(since.as_millis()).unwrap())
}

/// Whoever had it just now lets go of it a moment later.
fn open_store(folder: &Path) -> SledStore {
    loop {
        match SledStore::open(&folder.join("store")) {
            Err(StoreFault::InUse) => std::thread::sleep(Duration::from_millis(10)),
            opened => return opened.unwrap(),
        }
    }
}

fn open(folder: &Path) -> Granary {
    let store = Arc::new(open_store(folder));
    Granary::open(store, folder, Some(&folder.join("lists")), |fault| {
        eprintln!("{fault}");
        std::process::exit(3);
    })
    .unwrap()
}

/// A co-operative with so many packs of goods, all of which a stream wants and gets.
fn furnish(folder: &Path, packs: u32, now: Instant) {
    std::fs::create_dir_all(folder).unwrap();
    let granary = open(folder);
    let coop = granary.create_cooperative("Linxian", now).unwrap();
    assert_eq!(coop, COOP);
    granary
        .edit(coop, &DocumentKey::Catalogue(Part::FIRST), now, |doc| {
            set_sku(doc, &Sku::new("XM-05", "millet", "A", Grams::new(2_500)?))
        })
        .unwrap();
    let day = Day::in_china(now);
    let goods = GoodsIn {
        product: "millet".into(),
        grade: "A".into(),
        quantity: Grams::new(i64::from(packs) * 2_500).unwrap(),
        day,
        expiry: None,
        from: String::new(),
        bin: String::new(),
    };
    let book = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, day).unwrap());
    granary.edit(coop, &book, now, move |doc| stock_book::write(doc, &Deed::In(goods), now).map(drop)).unwrap();
    granary
        .edit(coop, &DocumentKey::Stream(STREAM.parse().unwrap()), now, move |doc| {
            let plan = StreamPlan {
                host: "李".into(),
                platform: PLATFORM.into(),
                shop: SHOP.into(),
                starts_at: Instant(now.0 - 3_600_000),
                ends_at: None,
            };
            stream::plan(doc, &plan)?;
            stream::offer(doc, "XM-05", &Offer::new(Fen::new(1_990)?, packs))
        })
        .unwrap();
    let granted = || granary.pools(coop).unwrap().iter().map(|pool| pool.granted.unwrap_or(0)).sum::<u64>();
    while granted() < u64::from(packs) {
        granary.follow_trade(now).unwrap();
        granary.tick_trade(now).unwrap();
    }
    drop(granary);
    // The server finds it free.
    drop(open_store(folder));
}

/// A request of one order, as a feeder sends it again and again until it is answered: the same bytes each time.
fn request(mode: &str, id: &str, packs: u32, now: Instant) -> String {
    let at = |millis: i64| Instant(now.0 - millis).to_string();
    json!({
        "mode": mode,
        "told_at": at(1_000),
        "orders": [{
            "outside_id": id,
            "placed_at": at(2_000),
            "status": "to-ship",
            "pool": STREAM,
            "lines": [{ "line_id": "1", "sku": "XM-05", "packs": packs, "fen": i64::from(packs) * 1_990 }],
        }],
    })
    .to_string()
}

/// Where feeders send to, and by which key.
struct Feed {
    port: u16,
    tls: Arc<ClientConfig>,
    keys: Vec<String>,
}

impl Feed {
    fn of(server: &Server) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(server.data().join("authority.pem")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let add = |number: usize| {
            let name = format!("feeders {number}");
            let words = ["key", "add", "--platform", PLATFORM, "--shop", SHOP, "--scope", "orders:write", &name];
            let printed = server.order(&words);
            printed.split_whitespace().find(|word| word.starts_with("grn_")).unwrap().to_owned()
        };
        Self { port: server.port, tls: Arc::new(tls), keys: (0..KEYS).map(add).collect() }
    }
}

type Stream = BufReader<StreamOwned<ClientConnection, TcpStream>>;

/// A connection that is made anew until the server answers: also across its death.
struct Line<'a> {
    feed: &'a Feed,
    key: &'a str,
    stream: Option<Stream>,
}

impl<'a> Line<'a> {
    fn new(feed: &'a Feed, number: usize) -> Self {
        Self { feed, key: &feed.keys[number % feed.keys.len()], stream: None }
    }

    /// What the order was answered: `accepted OVER SEQUENCE`, or another verdict.
    fn ask(&mut self, body: &str) -> String {
        loop {
            match self.try_once(body) {
                Ok((200, answer)) => {
                    let result = &answer["results"][0];
                    let over = result["over"].as_u64().unwrap_or(0);
                    match result["verdict"].as_str().unwrap() {
                        "accepted" | "over" => return format!("accepted {over} {}", result["sequence"]),
                        // Nothing was decided.
                        "try-later" => {}
                        other => return other.to_owned(),
                    }
                }
                // It is asked to wait, or the server is about to die.
                Ok((429 | 503, _)) => {}
                Ok((status, answer)) => return format!("{status} {answer}"),
                Err(_) => self.stream = None,
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn connect(&self) -> io::Result<Stream> {
        let stream = TcpStream::connect(("127.0.0.1", self.feed.port))?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(&self.feed.tls), name).map_err(io::Error::other)?;
        Ok(BufReader::new(StreamOwned::new(connection, stream)))
    }

    fn try_once(&mut self, body: &str) -> io::Result<(u16, Value)> {
        if self.stream.is_none() {
            self.stream = Some(self.connect()?);
        }
        let stream = self.stream.as_mut().unwrap();
        let head = format!(
            "POST /v1/orders HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            self.key,
            body.len()
        );
        stream.get_mut().write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())?;
        let (mut status, mut length, mut line) = (0, 0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let words = line.trim_end().to_ascii_lowercase();
            if words.is_empty() {
                break;
            } else if let Some(rest) = words.strip_prefix("http/1.1 ") {
                status = rest.get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
            } else if let Some(rest) = words.strip_prefix("content-length: ") {
                length = rest.parse().unwrap_or(0);
            }
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer)?;
        Ok((status, serde_json::from_slice(&answer).unwrap_or_default()))
    }
}

/// One round: so many feeders of so many orders each; true when all of it holds.
fn round(feeders: usize, each: usize) -> bool {
    let now = now();
    let mut server = Server::new();
    // Two thirds of what is wanted: the pool runs empty while many still feed.
    let granted = u32::try_from(feeders * each * 4 / 3).unwrap();
    furnish(&server.data(), granted, now);
    server.start();
    let feed = Feed::of(&server);
    let done = AtomicUsize::new(0);
    let kill_after = usize::try_from(any((feeders * each) as u64 * 3 / 4)).unwrap() + feeders / 2;
    let answers: Mutex<BTreeMap<String, String>> = Mutex::default();
    std::thread::scope(|scope| {
        for feeder in 0..feeders {
            let (feed, done, answers) = (&feed, &done, &answers);
            scope.spawn(move || {
                let mut line = Line::new(feed, feeder);
                for number in 0..each {
                    let mode = if feeder % 2 == 0 { "ask" } else { "tell" };
                    let packs = u32::try_from(1 + (feeder + number) % 3).unwrap();
                    let request = request(mode, &format!("{feeder}-{number}"), packs, now);
                    let first = line.ask(&request);
                    done.fetch_add(1, Ordering::SeqCst);
                    answers.lock().unwrap().insert(request, first);
                }
            });
        }
        while done.load(Ordering::SeqCst) < kill_after {
            std::thread::sleep(Duration::from_millis(1));
        }
        server.kill();
        server.start();
    });
    let mut answers = answers.into_inner().unwrap();
    // The last packs, of which those who ask may have wanted more than were left.
    let mut line = Line::new(&feed, 0);
    for number in 0..4 {
        let request = request("tell", &format!("last-{number}"), 1, now);
        let answer = line.ask(&request);
        answers.insert(request, answer);
    }
    let is_accepted = |answer: &str| answer.starts_with("accepted");
    // What was refused was never there: nothing comes free in this world, so it is refused again.
    let mut lines: Vec<Line<'_>> = (0..KEYS).map(|number| Line::new(&feed, number)).collect();
    let again =
        answers.iter().enumerate().filter(|(number, (request, first))| lines[number % KEYS].ask(request) != **first);
    let otherwise = again.count();
    server.kill();
    let granary = open(&server.data());
    granary.settle(&granary.cooperative(COOP).unwrap());
    let cooperative = granary.cooperative(COOP).unwrap();
    let device = Cooperative::server_device(cooperative.id());
    let (mut packs, mut over, mut wrong) = (0u64, 0u64, otherwise);
    for (request, answer) in &answers {
        let said: Value = serde_json::from_str(request).unwrap();
        let id = said["orders"][0]["outside_id"].as_str().unwrap();
        let name = OrderName { shop: SHOP.into(), ..OrderName::of(PLATFORM, id) };
        let document = granary.document(COOP, &DocumentKey::Order(name)).unwrap();
        if document.is_some() != is_accepted(answer) {
            wrong += 1;
        }
        let Some(document) = document else { continue };
        let order = order::read(&document, device);
        let marked: u64 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        wrong += usize::from(order.over() != marked || (said["mode"] == "ask" && marked > 0));
        packs += order.packs();
        over += order.over();
    }
    let orders = granary
        .cooperative(COOP)
        .unwrap()
        .documents()
        .iter()
        .filter(|key| matches!(key, DocumentKey::Order(_)))
        .count();
    let accepted = answers.values().filter(|answer| is_accepted(answer)).count();
    let pool = granary.pools(COOP).unwrap().remove(0);
    let is_exact = pool.granted == Some(u64::from(granted))
        && packs - over == u64::from(granted)
        && (pool.accepted, pool.over) == (packs, over)
        && orders == accepted;
    if !is_exact || wrong > 0 {
        println!(
            "granted {granted}, accepted {packs}, over {over}, the pool says {pool:?}; {orders} orders, {accepted} accepted; {wrong} wrong"
        );
    }
    is_exact && wrong == 0
}

pub(crate) fn run(rounds: u32, feeders: usize, each: usize) -> bool {
    let failed = (0..rounds).filter(|_| !round(feeders, each)).count();
    head();
    row("`kill -9` of the server under so many feeders", format!("{rounds} × {feeders}"), failed);
    failed == 0
}
