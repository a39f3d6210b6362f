//! Many feeders at once, half of whom ask and half of whom tell, and one `kill -9` of the server's process between them. What was
//! accepted is what was granted, to the pack; what was told above it is marked; and what was answered is answered so again.
//!
//! The server's process here speaks lines over loopback: `ask ID PACKS` or `tell ID PACKS`, and the answer in one line.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use granary_client_core::quantities::{Day, Fen, Grams, Instant};
use granary_client_core::schema::order::{self, AfterSale, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::schema::stock_book::{self, Deed, GoodsIn};
use granary_client_core::schema::stream::{self, Offer, StreamPlan};
use granary_client_core::schema::{DocumentKey, MAIN_WAREHOUSE, OrderName, Part, StockMonth};
use granary_client_core::store::StoreFault;
use granary_server::Granary;
use granary_server::log::{Cooperative, CooperativeNumber};
use granary_server::store::SledStore;
use granary_server::trade::{Mode, ToldOrder, Verdict};

use crate::{AS, any, head, row};

const COOP: CooperativeNumber = CooperativeNumber(1);
/// When all of it happens.
const NOW: Instant = Instant(1_795_780_800_000);
const STREAM: &str = "live";
const FOLDER: &str = "GRANARY_FAULTS_FOLDER";

fn open(folder: &Path) -> Granary {
    // Whoever had it just now lets go of it a moment later.
    let store = loop {
        match SledStore::open(&folder.join("store")) {
            Err(StoreFault::InUse) => std::thread::sleep(std::time::Duration::from_millis(10)),
            opened => break Arc::new(opened.unwrap()),
        }
    };
    Granary::open(store, folder, Some(&folder.join("lists")), |fault| {
        eprintln!("{fault}");
        std::process::exit(3);
    })
    .unwrap()
}

/// A co-operative with so many packs of goods, all of which a stream wants and gets.
fn furnish(folder: &Path, packs: u32) {
    let granary = open(folder);
    let coop = granary.create_cooperative("Linxian", NOW).unwrap();
    assert_eq!(coop, COOP);
    granary
        .edit(coop, &DocumentKey::Catalogue(Part::FIRST), NOW, |doc| {
            set_sku(doc, &Sku::new("XM-05", "millet", "A", Grams::new(2_500)?))
        })
        .unwrap();
    let day = Day::in_china(NOW);
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
    granary.edit(coop, &book, NOW, move |doc| stock_book::write(doc, &Deed::In(goods), NOW).map(drop)).unwrap();
    granary
        .edit(coop, &DocumentKey::Stream(STREAM.parse().unwrap()), NOW, move |doc| {
            let plan = StreamPlan {
                host: "李".into(),
                platform: "douyin".into(),
                shop: String::new(),
                starts_at: Instant(NOW.0 - 3_600_000),
                ends_at: None,
            };
            stream::plan(doc, &plan)?;
            stream::offer(doc, "XM-05", &Offer::new(Fen::new(1_990)?, packs))
        })
        .unwrap();
    let granted = || granary.pools(coop).unwrap().iter().map(|pool| pool.granted.unwrap_or(0)).sum::<u64>();
    while granted() < u64::from(packs) {
        granary.follow_trade(NOW).unwrap();
        granary.tick_trade(NOW).unwrap();
    }
}

fn order(mode: Mode, id: &str, packs: u32) -> ToldOrder {
    let line = TakenLine {
        line_id: "1".into(),
        sku: Some("XM-05".into()),
        code: None,
        title: None,
        packs,
        fen: Fen::new(i64::from(packs) * 1_990).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    };
    ToldOrder {
        name: OrderName::of("douyin", id),
        mode,
        order: TakenOrder {
            placed_at: NOW,
            paid_at: None,
            promised_at: None,
            told_at: NOW,
            told: ToldStatus::ToShip,
            total_fen: None,
            freight_fen: None,
            pool: STREAM.into(),
            stream: None,
            lines: vec![line],
        },
        receiver: None,
        buyer_token: None,
    }
}

/// The server's process.
pub(crate) fn server() -> std::process::ExitCode {
    let folder = std::env::var(FOLDER).unwrap();
    let granary = open(Path::new(&folder));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap());
    std::thread::scope(|scope| {
        // What follows acceptance goes on beside, as in the real server.
        scope.spawn(|| {
            loop {
                granary.follow_trade(NOW).unwrap();
                granary.tick_trade(NOW).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
        });
        for stream in listener.incoming() {
            let (stream, granary) = (stream.unwrap(), &granary);
            scope.spawn(move || answer(granary, &stream));
        }
    });
    std::process::ExitCode::SUCCESS
}

fn answer(granary: &Granary, mut stream: &TcpStream) {
    for line in BufReader::new(stream).lines() {
        let Ok(line) = line else { return };
        let words: Vec<&str> = line.split(' ').collect();
        let mode = if words[0] == "ask" { Mode::Ask } else { Mode::Tell };
        let told = order(mode, words[1], words[2].parse().unwrap());
        let answer = granary.take_orders(COOP, vec![told], NOW).unwrap().remove(0);
        let sequence = answer.sequence.unwrap_or(0);
        let said = match answer.verdict {
            Verdict::Accepted => format!("accepted 0 {sequence}"),
            Verdict::AcceptedOver(over) => format!("accepted {over} {sequence}"),
            Verdict::SoldOut { .. } => "sold-out".to_owned(),
            other => format!("{other:?}"),
        };
        if stream.write_all(format!("{said}\n").as_bytes()).is_err() {
            return;
        }
    }
}

struct Process {
    child: Child,
    address: String,
}

fn start(folder: &Path) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let mut child = command.env(AS, "feed-server").env(FOLDER, folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    Process { child, address: address.trim().to_owned() }
}

/// A connection that is made anew until the server answers: also across its death.
struct Line<'a> {
    address: &'a Mutex<String>,
    stream: Option<BufReader<TcpStream>>,
}

impl Line<'_> {
    fn ask(&mut self, line: &str) -> String {
        loop {
            if let Some(answer) = self.try_once(line) {
                return answer;
            }
            self.stream = None;
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    fn try_once(&mut self, line: &str) -> Option<String> {
        if self.stream.is_none() {
            let address = self.address.lock().unwrap().clone();
            self.stream = Some(BufReader::new(TcpStream::connect(address).ok()?));
        }
        let stream = self.stream.as_mut()?;
        stream.get_mut().write_all(format!("{line}\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_line(&mut answer).ok()?;
        answer.strip_suffix('\n').map(str::to_owned)
    }
}

/// One round: so many feeders of so many orders each; true when all of it holds.
fn round(feeders: usize, each: usize) -> bool {
    let folder = tempfile::tempdir().unwrap();
    // Two thirds of what is wanted: the pool runs empty while many still feed.
    let granted = u32::try_from(feeders * each * 4 / 3).unwrap();
    furnish(folder.path(), granted);
    let mut process = start(folder.path());
    let address = Mutex::new(process.address.clone());
    let done = AtomicUsize::new(0);
    let kill_after = usize::try_from(any((feeders * each) as u64 * 3 / 4)).unwrap() + feeders / 2;
    let answers: Mutex<BTreeMap<String, String>> = Mutex::default();
    std::thread::scope(|scope| {
        for feeder in 0..feeders {
            let (address, done, answers) = (&address, &done, &answers);
            scope.spawn(move || {
                let mut line = Line { address, stream: None };
                for number in 0..each {
                    let mode = if feeder % 2 == 0 { "ask" } else { "tell" };
                    let request = format!("{mode} {feeder}-{number} {}", 1 + (feeder + number) % 3);
                    let first = line.ask(&request);
                    done.fetch_add(1, Ordering::SeqCst);
                    answers.lock().unwrap().insert(request.clone(), first);
                }
            });
        }
        while done.load(Ordering::SeqCst) < kill_after {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        process = start(folder.path());
        *address.lock().unwrap() = process.address.clone();
    });
    let mut answers = answers.into_inner().unwrap();
    let mut line = Line { address: &address, stream: None };
    // The last packs, of which those who ask may have wanted more than were left.
    for number in 0..4 {
        let request = format!("tell last-{number} 1");
        let answer = line.ask(&request);
        answers.insert(request, answer);
    }
    let is_accepted = |answer: &str| answer.starts_with("accepted");
    let otherwise = answers.iter().filter(|(request, first)| {
        let again = line.ask(request);
        // What was refused was never there: nothing comes free in this world, so it is refused again.
        again != **first
    });
    let otherwise = otherwise.count();
    process.child.kill().unwrap();
    process.child.wait().unwrap();
    let granary = open(folder.path());
    granary.settle(&granary.cooperative(COOP).unwrap());
    let cooperative = granary.cooperative(COOP).unwrap();
    let server = Cooperative::server_device(cooperative.id());
    let (mut packs, mut over, mut wrong) = (0u64, 0u64, otherwise);
    for (request, answer) in &answers {
        let id = request.split(' ').nth(1).unwrap();
        let document = granary.document(COOP, &DocumentKey::Order(OrderName::of("douyin", id))).unwrap();
        if document.is_some() != is_accepted(answer) {
            wrong += 1;
        }
        let Some(document) = document else { continue };
        let order = order::read(&document, server);
        let marked: u64 = answer.split(' ').nth(1).unwrap().parse().unwrap();
        wrong += usize::from(order.over() != marked || (request.starts_with("ask") && marked > 0));
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
