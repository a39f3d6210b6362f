//! Compares Granary with its alternatives: the same records, lines and figures in one run. Each side of each peer is a
//! process (see `peers/actor.mjs` and [`crate::granary_actor`]). A workload ends when both sides have all data.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::actor::{Actor, disk_of};
use crate::line::{CUT, LOOPBACK, Line, SLOW, Shape};
use crate::records::{lots, plain};
use crate::table::Row;

const SEED: u64 = 40_961;
const RECORDS: usize = 1_000;
const BOOKS: u64 = 600;
const LOTS_EACH: usize = 100;
const PHONES: usize = 50;
const EDITS_EACH: usize = 20;
const STORM_LOTS: usize = 100;

/// A measured program.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peer {
    Granary,
    /// A peer in `peers/`, by the name it has there.
    Node(&'static str),
}

const PEERS: [Peer; 5] = [
    Peer::Granary,
    Peer::Node("automerge-repo, one doc"),
    Peer::Node(DOC_EACH),
    Peer::Node("pouchdb"),
    Peer::Node("yjs+hocuspocus"),
];
const DOC_EACH: &str = "automerge-repo, doc each";

/// The names of all peers, in the order of the tables.
pub(crate) fn peer_names() -> [&'static str; 5] {
    PEERS.map(Peer::name)
}

impl Peer {
    fn name(self) -> &'static str {
        match self {
            Self::Granary => "granary",
            Self::Node(name) => name,
        }
    }

    fn start(self, side: &str, folder: &Path) -> Result<Actor, String> {
        let place = folder.display().to_string();
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        match self {
            Self::Granary => {
                let program = std::env::current_exe().map_err(|error| error.to_string())?;
                Actor::start(&program, &["act", side, &place], folder)
            }
            Self::Node(name) => Actor::start(Path::new("node"), &["actor.mjs", name, side, &place], &scripts()),
        }
    }

    /// Turns that only make a connection: a WebSocket's upgrade is one.
    fn turns_to_connect(self) -> u64 {
        match self {
            Self::Granary | Self::Node("pouchdb") => 0,
            Self::Node(_) => 1,
        }
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Runs all peers that this machine can run.
pub(crate) fn run(only: &[String]) -> Vec<Row> {
    let chosen = |peer: &Peer| only.is_empty() || only.iter().any(|word| peer.name().contains(word.as_str()));
    let mut peers: Vec<Peer> = PEERS.into_iter().filter(chosen).collect();
    let install = ["install", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund", "--no-save"];
    let installed = Command::new("npm").args(install).current_dir(scripts()).output();
    if !installed.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("the peers could not be installed through npm, so only Granary is measured: {installed:?}");
        peers.retain(|peer| *peer == Peer::Granary);
    }
    let runtime = Runtime::new().unwrap();
    let mut rows = Vec::new();
    for peer in &peers {
        rows.extend(all_on(&runtime, *peer, LOOPBACK));
    }
    // A slow line leaves the processor idle, so these run beside each other.
    std::thread::scope(|scope| {
        let runtime = &runtime;
        let threads: Vec<_> = [SLOW, CUT]
            .into_iter()
            .flat_map(|shape| peers.iter().map(move |peer| (shape, *peer)))
            .map(|(shape, peer)| scope.spawn(move || all_on(runtime, peer, shape)))
            .collect();
        threads.into_iter().for_each(|thread| rows.extend(thread.join().unwrap()));
    });
    rows.sort_by_key(|row| order_of(&row.workload));
    rows
}

pub(crate) const WORKLOADS: [&str; 6] = [
    "a: 1,000 records up",
    "b: down to an empty phone",
    "c: 10 one-field edits up",
    "d: nothing to do",
    "e: 600 books of 100 lots down",
    "g: 50 phones, 20 edits each",
];

fn order_of(workload: &str) -> usize {
    WORKLOADS.iter().position(|known| *known == workload).unwrap_or(WORKLOADS.len())
}

fn all_on(runtime: &Runtime, peer: Peer, shape: Shape) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut run = |work: fn(&Runtime, Peer, Shape, &mut Vec<Row>) -> Result<(), String>| {
        if let Err(why) = work(runtime, peer, shape, &mut rows) {
            eprintln!("{} on {}: {why}", peer.name(), shape.name);
        }
    };
    run(one_phone);
    if shape.cut_after.is_none() {
        run(many_books);
        run(edit_storm);
    }
    rows
}

/// A server, the line to it, and its folders.
struct Side<'a> {
    runtime: &'a Runtime,
    peer: Peer,
    shape: Shape,
    folder: tempfile::TempDir,
    server: Actor,
    line: Line,
    groups: usize,
}

/// The data that both sides have when a workload is done.
#[derive(Clone, Copy)]
struct Want {
    records: usize,
    grams: i64,
}

impl Want {
    fn of(records: &[Value]) -> Self {
        Self { records: records.len(), grams: records.iter().filter_map(|record| record["grams"].as_i64()).sum() }
    }

    fn json(self) -> Value {
        json!({ "records": self.records, "grams": self.grams })
    }
}

impl<'a> Side<'a> {
    fn new(runtime: &'a Runtime, peer: Peer, shape: Shape) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let server = peer.start("server", &folder.path().join("server"))?;
        let port = server.ready["port"].as_u64().and_then(|port| u16::try_from(port).ok()).ok_or("no port")?;
        let line = runtime.block_on(Line::to(([127, 0, 0, 1], port).into(), shape));
        Ok(Self { runtime, peer, shape, folder, server, line, groups: 0 })
    }

    fn seconds_max(&self) -> u64 {
        if self.shape.bytes_per_second.is_some() { 240 } else { 120 }
    }

    /// This many clients in one process, not connected.
    fn clients(&mut self, count: usize, role: &str) -> Result<Actor, String> {
        self.groups += 1;
        let folder = self.folder.path().join(format!("clients-{}", self.groups));
        let mut clients = self.peer.start("clients", &folder)?;
        let mut open = json!({ "do": "open", "count": count });
        if self.peer == Peer::Granary {
            let port = self.line.address.port();
            let invite = json!({ "do": "invite", "count": count, "role": role, "port": port });
            open["links"] = self.server.ask(&invite)?["links"].clone();
        }
        clients.ask(&open)?;
        Ok(clients)
    }

    /// One workload: these clients sync until they and the server have what is wanted, then until
    /// nothing passes any more.
    fn measure(
        &mut self,
        workload: &str,
        clients: &mut Actor,
        count: usize,
        at_clients: Option<Want>,
        at_server: Option<Want>,
    ) -> Result<Row, String> {
        let chosen: Vec<usize> = (0..count).collect();
        clients.ask(&json!({ "do": "disconnect", "chosen": chosen }))?;
        self.quiet();
        self.line.passed.take();
        let before = clients.processor_seconds();
        let began = Instant::now();
        let seconds_max = self.seconds_max();
        let sync = json!({
            "do": "sync",
            "chosen": chosen,
            "target": self.line.address.port(),
            "want": at_clients.map(Want::json),
            "seconds": seconds_max,
        });
        let answer = clients.ask(&sync)?;
        let mut ok = answer["ok"] == true;
        if let Some(want) = at_server {
            let wait = json!({ "do": "wait", "want": want.json(), "seconds": seconds_max });
            ok &= self.server.ask(&wait)?["ok"] == true;
        }
        let done = began.elapsed();
        if at_clients.is_none() && at_server.is_none() {
            self.until_something_passed(began);
        }
        let quiet_since = self.quiet();
        let seconds = match at_clients.or(at_server) {
            Some(_) => done.as_secs_f64(),
            None => quiet_since.map_or(done, |at| at.duration_since(began)).as_secs_f64(),
        };
        let (up, down, connections, turns) = self.line.passed.take();
        let (content_up, content_down, turns) = match self.peer {
            Peer::Granary => {
                let figure = |name: &str| answer[name].as_u64().unwrap_or(0);
                (figure("content_up").min(up), figure("content_down").min(down), figure("exchanges"))
            }
            Peer::Node(_) => (up, down, turns.saturating_sub(connections * self.peer.turns_to_connect())),
        };
        eprintln!("  {:<26} {:<28} {workload}: {seconds:.1} s", self.peer.name(), self.shape.name);
        Ok(Row {
            workload: workload.into(),
            peer: self.peer.name().into(),
            line: self.shape.name.into(),
            turns,
            connections,
            bytes_up: content_up,
            bytes_down: content_down,
            tls_bytes_up: up - content_up,
            tls_bytes_down: down - content_down,
            seconds,
            client_processor_seconds: Some(clients.processor_seconds() - before),
            server_memory_bytes: Some(self.server.memory()),
            server_disk_bytes: Some(disk_of(&self.folder.path().join("server"))),
            ok,
            why: if ok { String::new() } else { format!("not done in {seconds_max} s") },
        })
    }

    /// A sync with nothing to do shows only in its bytes.
    fn until_something_passed(&self, since: Instant) {
        let give_up = Instant::now() + Duration::from_secs(10);
        while self.line.passed.last_at().is_none_or(|at| at < since) && Instant::now() < give_up {
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(20)).await });
        }
    }

    /// Waits until no byte has passed for a while; gives the time of the last byte. Ends after a limit, since some peers
    /// never fall silent.
    fn quiet(&self) -> Option<Instant> {
        let silence = self.shape.latency * 4 + Duration::from_millis(1_200);
        let give_up = Instant::now() + Duration::from_secs(12);
        loop {
            let last = self.line.passed.last_at();
            if last.is_none_or(|at| at.elapsed() > silence) || Instant::now() > give_up {
                return last;
            }
            self.runtime.block_on(async { tokio::time::sleep(Duration::from_millis(50)).await });
        }
    }
}

/// Workloads a to d; on the line that is cut, a is what the issue calls f.
fn one_phone(runtime: &Runtime, peer: Peer, shape: Shape, rows: &mut Vec<Row>) -> Result<(), String> {
    let mut side = Side::new(runtime, peer, shape)?;
    let mut records: Vec<Value> = lots(SEED, RECORDS).0.iter().map(plain).collect();
    let mut want = Want::of(&records);
    let mut first = side.clients(1, "household")?;
    let names = first.ask(&json!({ "do": "record", "client": 0, "records": records }))?["names"].clone();
    rows.push(side.measure(WORKLOADS[0], &mut first, 1, None, Some(want))?);
    if rows.last().is_some_and(|row| row.ok) {
        let mut second = side.clients(1, "household")?;
        second.ask(&json!({ "do": "know", "names": names }))?;
        rows.push(side.measure(WORKLOADS[1], &mut second, 1, Some(want), None)?);
        second.ask(&json!({ "do": "disconnect", "chosen": [0] }))?;
    }
    first.ask(&json!({ "do": "disconnect", "chosen": [0] }))?;
    let edits: Vec<(usize, i64)> = (0..RECORDS).step_by(RECORDS / 10).map(|index| (index, 77_000)).collect();
    first.ask(&json!({ "do": "edit", "client": 0, "edits": edits, "names": names }))?;
    edits.iter().for_each(|(index, grams)| records[*index]["grams"] = json!(grams));
    want = Want::of(&records);
    if rows.iter().all(|row| row.ok) {
        rows.push(side.measure(WORKLOADS[2], &mut first, 1, None, Some(want))?);
        rows.push(side.measure(WORKLOADS[3], &mut first, 1, None, None)?);
    }
    Ok(())
}

fn many_books(runtime: &Runtime, peer: Peer, shape: Shape, rows: &mut Vec<Row>) -> Result<(), String> {
    if peer == Peer::Node(DOC_EACH) {
        return Err("60,000 documents of one record each were not tried; 600 of 100 are".into());
    }
    let mut side = Side::new(runtime, peer, shape)?;
    let books: Vec<Vec<Value>> =
        (0..BOOKS).map(|book| lots(SEED + book, LOTS_EACH).0.iter().map(plain).collect()).collect();
    let want = Want::of(&books.concat());
    let names = side.server.ask(&json!({ "do": "seed", "books": books }))?["names"].clone();
    let mut phone = side.clients(1, "coordinator")?;
    phone.ask(&json!({ "do": "know", "names": names }))?;
    rows.push(side.measure(WORKLOADS[4], &mut phone, 1, Some(want), None)?);
    Ok(())
}

fn edit_storm(runtime: &Runtime, peer: Peer, shape: Shape, rows: &mut Vec<Row>) -> Result<(), String> {
    let mut side = Side::new(runtime, peer, shape)?;
    let mut records: Vec<Value> = lots(SEED, STORM_LOTS).0.iter().map(plain).collect();
    let want = Want::of(&records);
    let direct =
        if peer == Peer::Granary { json!(side.line.address.port()) } else { side.server.ready["port"].clone() };
    let seconds = side.seconds_max();
    let sync = |chosen: &[usize]| json!({ "do": "sync", "chosen": chosen, "target": direct, "want": want.json(), "seconds": seconds });
    let mut author = side.clients(1, "household")?;
    let names = author.ask(&json!({ "do": "record", "client": 0, "records": records }))?["names"].clone();
    author.ask(&sync(&[0]))?;
    side.server.ask(&json!({ "do": "wait", "want": want.json(), "seconds": seconds }))?;
    let mut phones = side.clients(PHONES, "household")?;
    let all: Vec<usize> = (0..PHONES).collect();
    phones.ask(&json!({ "do": "know", "names": names }))?;
    phones.ask(&sync(&all))?;
    author.ask(&json!({ "do": "disconnect", "chosen": [0] }))?;
    phones.ask(&json!({ "do": "disconnect", "chosen": all }))?;
    // Each phone edits its own lots, so that the final state is known.
    for phone in 0..PHONES {
        let edits: Vec<(usize, i64)> = (0..EDITS_EACH)
            .map(|edit| (phone * 2 + edit % 2, 50_000 + i64::try_from(phone * EDITS_EACH + edit).unwrap()))
            .collect();
        edits.iter().for_each(|(index, grams)| records[*index]["grams"] = json!(grams));
        phones.ask(&json!({ "do": "edit", "client": phone, "edits": edits, "names": names }))?;
    }
    let want = Want::of(&records);
    rows.push(side.measure(WORKLOADS[5], &mut phones, PHONES, Some(want), Some(want))?);
    Ok(())
}
