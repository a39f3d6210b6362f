//! Floods of one address or one device against a server, each bounded in number and time: the memory that each takes, the
//! longest that it held a place, and what a phone's sync beside it took.

mod bodies;
mod device;
mod http2;
mod names;
mod silent;
mod sockets;
mod stranger;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use granary_client_core::phone::Phone;
use granary_server::{Config, Limits};

use crate::phone::record;
use crate::server::Server;
use device::Device;
use stranger::{Crowd, Stranger};
use watch::{Beside, beside};

/// What a flood may take above the quiet server, in megabytes.
const MEGABYTES_MAX: u64 = 64;
/// What may stay of it: pages that the allocator keeps for the next use, and parts of exchanges for their ten minutes.
const STAY_MEGABYTES_MAX: u64 = 48;
/// How much longer a phone's sync may take beside a flood.
const SLOWER_MAX: u32 = 3;
/// A difference below this says nothing about a flood: it is that of any two syncs.
const NOISE: Duration = Duration::from_millis(20);
/// The folder of the server's process.
const FOLDER: &str = "GRANARY_FAULTS_FOLDER";
const PORT: &str = "GRANARY_FAULTS_PORT";
const HURRY: &str = "GRANARY_FAULTS_HURRY";

/// How much of each flood there is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// The server's deadlines are this many times shorter than they are by default.
    pub(crate) hurry: u32,
    /// Of a hundred connections and requests, so many.
    pub(crate) percent: usize,
    /// How long a sync took is shown and not judged.
    pub(crate) is_untimed: bool,
}

impl Extent {
    fn of(self, count: usize) -> usize {
        (count * self.percent / 100).max(1)
    }

    /// No flood stays longer: somewhat more than the longest deadline.
    fn longest(self) -> Duration {
        Limits::default().body_timeout / self.hurry + Duration::from_secs(2)
    }
}

/// What the floods need.
struct Gate {
    stranger: Stranger,
    extent: Extent,
    device: Device,
    token: String,
    documents: Vec<String>,
}

type Flood = std::pin::Pin<Box<dyn Future<Output = Crowd> + Send>>;

/// The addresses of strangers, and that of the phone.
const ELSEWHERE: [u8; 4] = [127, 0, 0, 2];
const OF_THE_PHONE: [u8; 4] = [127, 0, 0, 1];

fn floods(gate: &Arc<Gate>) -> Vec<(&'static str, Flood)> {
    let of = |flood: fn(Arc<Gate>) -> Flood| flood(Arc::clone(gate));
    vec![
        ("400 sign-ins", of(|gate| Box::pin(names::sign_ins(gate)))),
        ("1,500 connections that say nothing", of(|gate| Box::pin(silent::after_tcp(gate, ELSEWHERE)))),
        ("the same, of the phone's own address", of(|gate| Box::pin(silent::after_tcp(gate, OF_THE_PHONE)))),
        ("1,500 that say nothing after TLS", of(|gate| Box::pin(silent::after_tls(gate)))),
        ("1,000 halves of a long handshake", of(|gate| Box::pin(silent::half_hello(gate)))),
        ("1,000 heads that drip", of(|gate| Box::pin(silent::slow_heads(gate)))),
        ("500 answers that nobody reads", of(|gate| Box::pin(silent::unread(gate)))),
        ("60 bodies of 4 MB that stand still", of(|gate| Box::pin(bodies::stalled(gate, ELSEWHERE)))),
        ("the same, of the phone's own address", of(|gate| Box::pin(bodies::stalled(gate, OF_THE_PHONE)))),
        ("900 bodies of 20 kB that stand still, of the phone's own address", of(|gate| Box::pin(bodies::small(gate)))),
        ("200 broken bodies of 4 MB, of one address", of(|gate| Box::pin(bodies::broken(gate, 1)))),
        ("200 broken bodies of 4 MB, of 30 addresses", of(|gate| Box::pin(bodies::broken(gate, 30)))),
        ("3,000 broken bodies of 100 bytes", of(|gate| Box::pin(bodies::crumbs(gate)))),
        ("300 forms of 300 kB that stand still", of(|gate| Box::pin(bodies::forms(gate)))),
        ("3,000 long names", of(|gate| Box::pin(names::long(gate)))),
        ("3,000 guessed sign-in links", of(|gate| Box::pin(names::links(gate)))),
        ("HTTP/2: 1,000,000 pings", of(|gate| Box::pin(http2::pings(gate)))),
        ("HTTP/2: 100,000 streams that say nothing more", of(|gate| Box::pin(http2::idle_streams(gate)))),
        ("HTTP/2: 200,000 streams opened and reset", of(|gate| Box::pin(http2::resets(gate)))),
        ("200 live sockets of one device", of(|gate| Box::pin(sockets::live(gate)))),
        ("automerge-repo: 100 sockets of one token, large filters", of(|gate| Box::pin(sockets::automerge(gate)))),
    ]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.0}", time.as_secs_f64() * 1_000.0)
}

/// Prints a flood's line; true when it held.
fn line(what: &str, crowd: &Crowd, seen: &Beside, is_untimed: bool) -> bool {
    let over = |one: u64, other: u64| one.saturating_sub(other) >> 20;
    let allowed = (seen.quiet * SLOWER_MAX).max(seen.quiet + NOISE);
    let mut faults = Vec::new();
    if over(seen.worst, seen.before) > MEGABYTES_MAX {
        faults.push("memory");
    }
    if over(seen.after, seen.before) > STAY_MEGABYTES_MAX {
        faults.push("stays");
    }
    if seen.median > allowed && !is_untimed {
        faults.push("slow");
    }
    if seen.failed > 0 {
        faults.push("kept out");
    }
    if crowd.opened == 0 {
        faults.push("nothing was opened");
    }
    let held = format!("{}{:.1}", if crowd.still_open > 0 { "> " } else { "" }, crowd.longest.as_secs_f64());
    println!(
        "| {what} | {} | {} | {} | {held} | {} | {} | {} | {} | {} |",
        seen.before >> 20,
        seen.worst >> 20,
        seen.after >> 20,
        milliseconds(seen.quiet),
        milliseconds(seen.median),
        milliseconds(seen.slowest),
        seen.failed,
        if faults.is_empty() { "held".to_owned() } else { faults.join(", ") }
    );
    faults.is_empty()
}

/// The server's process.
pub(crate) fn server() -> std::process::ExitCode {
    let read = |name: &str| std::env::var(name).unwrap();
    let mut config = Config::local(read(FOLDER).into(), read(PORT).parse().unwrap());
    let hurry: u32 = read(HURRY).parse().unwrap();
    let limits = &mut config.limits;
    let deadlines = [
        &mut limits.first_request_timeout,
        &mut limits.idle_timeout,
        &mut limits.write_timeout,
        &mut limits.body_timeout,
        &mut limits.body_grace,
    ];
    deadlines.into_iter().for_each(|deadline| *deadline /= hurry);
    limits.bytes_per_second_min *= hurry;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let on_fault = |fault| {
            eprintln!("the store failed: {fault}");
            std::process::exit(74);
        };
        let server = granary_server::start(config, on_fault).await.unwrap();
        println!("listening on {}", server.address());
        std::future::pending::<()>().await;
    });
    std::process::ExitCode::SUCCESS
}

/// Households whose books the coordinator's phone begins, so that there are documents to open.
const HOUSEHOLDS: u8 = 40;

pub(crate) fn run(extent: Extent, only: Option<&str>) -> bool {
    let mut server = Server::new();
    server.role = "gate-server";
    server.environment = vec![
        (FOLDER, server.data().display().to_string()),
        (PORT, server.port.to_string()),
        (HURRY, extent.hurry.to_string()),
        // As the server's own program sets it.
        ("MIMALLOC_PURGE_DELAY", "0".to_owned()),
    ];
    server.start();
    server.order(&["coop", "create", "Linxian County Growers"]);
    let phone = Phone::open(&server.phone("household:new")).unwrap();
    let coordinator = Phone::open(&server.phone("coordinator")).unwrap();
    for number in 0..HOUSEHOLDS {
        device::begin_book(&coordinator, number);
    }
    coordinator.sync_now().unwrap();
    record(&phone, 0);
    phone.sync_now().unwrap();
    let printed = server.order(&["token", "--role", "coordinator", "a page"]);
    let token = printed.lines().next().unwrap().split("token=").nth(1).unwrap().trim().to_owned();
    let documents = server.order(&["documents"]);
    let documents = documents.split_whitespace().filter_map(|word| word.strip_prefix("automerge:"));
    let gate = Arc::new(Gate {
        stranger: Stranger::of(&server),
        extent,
        device: Device::enrolled(&server),
        token,
        documents: documents.map(str::to_owned).collect(),
    });
    assert!(gate.documents.len() >= usize::from(HOUSEHOLDS), "{}", gate.documents.len());
    drop(coordinator);
    println!(
        "Deadlines are {} times shorter than by default, so a place is held {} times longer than the table says.\n",
        extent.hurry, extent.hurry
    );
    println!(
        "| flood | MB before | at worst | after | longest held, s | sync alone, ms | beside it | slowest | kept out | |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---|");
    // Strangers have processors of their own; here they share the server's, so they give way to it.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .on_thread_start(|| {
            let _ = rustix::process::nice(10);
        })
        .enable_all()
        .build()
        .unwrap();
    let start = server.memory() >> 10;
    let mut held = true;
    for (what, flood) in floods(&gate) {
        if only.is_some_and(|only| !what.contains(only)) {
            continue;
        }
        let (crowd, seen) = beside(&server, &phone, || runtime.block_on(async { tokio::spawn(flood).await.unwrap() }));
        held &= line(what, &crowd, &seen, extent.is_untimed);
    }
    println!("\nThe server's memory, MB: {start} at the start, {} at the end.", server.memory() >> 10);
    runtime.shutdown_background();
    held
}
