//! The capacity of one server: syncs a second, what an idle phone costs it, whether a large first sync gets in
//! the way of others, and whether a sync costs the same after a million changes. The load comes from a
//! process of its own on the same machine.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use crate::actor::{Actor, disk_of};

const IDLE: u64 = 10_000;
const SIZES: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
const PROBES: u64 = 200;

struct Rig {
    folder: tempfile::TempDir,
    server: Actor,
    phones: u64,
}

fn start(side: &str, folder: &Path) -> Actor {
    std::fs::create_dir_all(folder).unwrap();
    let program = std::env::current_exe().unwrap();
    Actor::start(&program, &["act", side, &folder.display().to_string()], folder).unwrap()
}

impl Rig {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = start("load-server", &folder.path().join("server"));
        Self { folder, server, phones: 0 }
    }

    /// So many load phones, enrolled, in a process of their own.
    fn load(&mut self, count: u64) -> Actor {
        self.enrol(count, false)
    }

    /// As [`Self::load`]; `is_idle` for phones that are only to be connected.
    fn enrol(&mut self, count: u64, is_idle: bool) -> Actor {
        let mut load = start("load", &self.folder.path().join("load"));
        let links = self
            .server
            .ask(&json!({ "do": "invite households", "from": self.phones, "count": count }))
            .unwrap()["links"]
            .clone();
        load.ask(&json!({ "do": "open", "from": self.phones, "links": links, "idle": is_idle })).unwrap();
        self.phones += count;
        load
    }

    fn memory(&self) -> f64 {
        self.server.memory() as f64 / 1e6
    }

    fn disk(&self) -> u64 {
        disk_of(&self.folder.path().join("server/store"))
    }
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap_or(0.0)
}

fn run_load(rig: &mut Rig, load: &mut Actor, phones: u64, each: u64) -> (Value, f64, f64) {
    load.ask(&json!({ "do": "prepare", "phones": phones, "each": each })).unwrap();
    let before = (rig.server.processor_seconds(), load.processor_seconds());
    let ran = load.ask(&json!({ "do": "run" })).unwrap();
    let syncs = number(&ran, "syncs").max(1.0);
    let server_micros = (rig.server.processor_seconds() - before.0) / syncs * 1e6;
    let load_micros = (load.processor_seconds() - before.1) / syncs * 1e6;
    (ran, server_micros, load_micros)
}

fn show(what: &str, ran: &Value, server_micros: f64, load_micros: f64) {
    println!(
        "{what:<46} {:>8.0} {:>9.0} {:>8.1} {:>8.1} {:>8.1} {server_micros:>10.0} {load_micros:>10.0}",
        number(ran, "syncs"),
        number(ran, "syncs") / number(ran, "seconds").max(1e-9),
        number(ran, "p50"),
        number(ran, "p99"),
        number(ran, "worst"),
    );
}

pub(crate) fn run(only: &[String]) {
    let wanted = |name: &str| only.is_empty() || only.iter().any(|word| word == name);
    if wanted("throughput") {
        throughput();
    }
    if wanted("first-sync") {
        first_sync();
    }
    if wanted("idle") {
        idle();
    }
    if wanted("growth") {
        growth();
    }
}

fn heading() {
    println!(
        "{:<46} {:>8} {:>9} {:>8} {:>8} {:>8} {:>10} {:>10}",
        "syncs of one new record each", "syncs", "a second", "p50 ms", "p99 ms", "worst ms", "server us", "load us"
    );
}

fn throughput() {
    heading();
    for phones in [1, 16, 64, 256] {
        let mut rig = Rig::new();
        let mut load = rig.load(phones);
        run_load(&mut rig, &mut load, phones, 5);
        let each = (20_000 / phones).clamp(40, 2_000);
        let (ran, server, own) = run_load(&mut rig, &mut load, phones, each);
        show(&format!("{phones} phones at once"), &ran, server, own);
        let began = Instant::now();
        rig.server.ask(&json!({ "do": "wait" })).unwrap();
        println!("    admitted to other phones {:.1} s after the last", began.elapsed().as_secs_f64());
    }
}

/// One-record syncs of 32 phones, alone and beside a first sync of 10,000 documents.
fn first_sync() {
    heading();
    let mut rig = Rig::new();
    rig.server.ask(&json!({ "do": "fill", "changes": 40_000, "each": 4 })).unwrap();
    let mut load = rig.load(32);
    run_load(&mut rig, &mut load, 32, 5);
    let (alone, server, own) = run_load(&mut rig, &mut load, 32, 300);
    show("32 phones, nothing else", &alone, server, own);
    let links =
        rig.server.ask(&json!({ "do": "invite", "role": "coordinator", "count": 1, "port": rig.server.ready["port"] }));
    let mut coordinator = start("clients", &rig.folder.path().join("coordinator"));
    coordinator.ask(&json!({ "do": "open", "count": 1, "links": links.unwrap()["links"] })).unwrap();
    load.ask(&json!({ "do": "prepare", "phones": 32, "each": 300 })).unwrap();
    let (mut lasted, mut beside) = (0.0, Value::Null);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| {
            let began = Instant::now();
            let sync = json!({ "do": "sync", "chosen": [0], "want": null, "seconds": 120 });
            let answer = coordinator.ask(&sync).unwrap();
            assert_eq!(answer["ok"], true);
            (began.elapsed().as_secs_f64(), answer)
        });
        beside = load.ask(&json!({ "do": "run" })).unwrap();
        lasted = first.join().unwrap().0;
    });
    show("the same beside a first sync of 10,000 documents", &beside, 0.0, 0.0);
    println!("    the first sync took {lasted:.1} s, the others' load {:.1} s", number(&beside, "seconds"));
    println!("    p99 of the others: {:.2} times", number(&beside, "p99") / number(&alone, "p99"));
}

fn idle() {
    let mut rig = Rig::new();
    let began = Instant::now();
    let mut load = rig.enrol(IDLE, true);
    println!("{IDLE} phones enrolled in {:.1} s", began.elapsed().as_secs_f64());
    let before = rig.server.memory();
    let connected = load.ask(&json!({ "do": "idle" })).unwrap();
    let after = rig.server.memory();
    println!(
        "{} idle phones connected: {:.1} kB of the server's memory each ({:.0} MB before, {:.0} MB after)",
        connected["connected"],
        after.saturating_sub(before) as f64 / 1e3 / IDLE as f64,
        before as f64 / 1e6,
        after as f64 / 1e6
    );
    heading();
    let (ran, server, own) = run_load(&mut rig, &mut load, 64, 100);
    show("64 of them at once, the rest idle", &ran, server, own);
}

fn growth() {
    println!(
        "{:<12} {:>9} {:>9} {:>8} {:>8} {:>10} {:>10} {:>9} {:>12}",
        "changes", "open s", "MB open", "p50 ms", "p99 ms", "server us", "MB then", "disk MB", "B a change"
    );
    let mut rig = Rig::new();
    let mut there = 0;
    for size in SIZES {
        rig.server.ask(&json!({ "do": "fill", "changes": size - there, "each": 400, "from": there })).unwrap();
        there = size;
        rig.server.ask(&json!({ "do": "stop" })).unwrap();
        rig.server.end();
        rig.server = start("load-server", &rig.folder.path().join("server"));
        let (open, memory) = (number(&rig.server.ready, "seconds"), rig.memory());
        let mut load = rig.load(1);
        run_load(&mut rig, &mut load, 1, 20);
        let (ran, server, _) = run_load(&mut rig, &mut load, 1, PROBES);
        println!(
            "{size:<12} {open:>9.2} {memory:>9.0} {:>8.2} {:>8.2} {server:>10.0} {:>10.0} {:>9.1} {:>12.0}",
            number(&ran, "p50"),
            number(&ran, "p99"),
            rig.memory(),
            rig.disk() as f64 / 1e6,
            rig.disk() as f64 / size as f64
        );
    }
}
