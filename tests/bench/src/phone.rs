//! The cost of a phone: time to record, open and list with books of 100, 1,000 and 5,000 lots, of which one phone wrote
//! each in 1, 60 or 600 openings; memory; the size of its files, and of the library that an app ships. Each book is
//! measured in a new process.

use std::path::Path;
use std::time::{Duration, Instant};

use granary_client_core::phone::Phone;
use granary_client_core::projection::{LotFilter, LotSort};
use granary_client_core::schema::Season;
use granary_client_core::schema::access::Role;
use granary_client_core::store::StoreKey;
use serde_json::json;

use crate::actor::{Actor, disk_of, memory_of};
use crate::granary_actor::{serve_lines, text};
use crate::line::LOOPBACK;
use crate::load::percentile;
use crate::openings::{OPENINGS, record_in_openings};
use crate::records::lots;
use crate::world::{World, household};

const TIMES: usize = 101;

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    percentile(&times, 0.5)
}

/// The key of a locked store.
fn key() -> StoreKey {
    StoreKey::from_bytes(&[7; 32]).unwrap()
}

fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let began = Instant::now();
    let result = work();
    (result, began.elapsed())
}

/// `granary-bench act phone FOLDER`: opens the phone of this folder and measures it.
pub(crate) fn actor(folder: &Path) {
    serve_lines(&json!({ "ready": true }), |command| match text(command, "do") {
        "measure" => {
            let empty = memory_of("self");
            let (phone, open) = timed(|| match text(command, "store") {
                "locked" => Phone::open_locked(folder, &key()).unwrap(),
                _ => Phone::open(folder).unwrap(),
            });
            let season = Season::new(2025).unwrap();
            let list =
                |filter: LotFilter| median((0..TIMES).map(|_| timed(|| phone.lots(&filter).unwrap()).1).collect());
            let all = list(LotFilter { limit: 50, ..LotFilter::default() });
            let search = list(LotFilter { search: Some("yard".into()), limit: 50, ..LotFilter::default() });
            let heaviest = list(LotFilter {
                product: Some("ginger".into()),
                sort: LotSort::Weight,
                limit: 50,
                ..LotFilter::default()
            });
            let totals = median((0..TIMES).map(|_| timed(|| phone.totals(&LotFilter::default()).unwrap()).1).collect());
            let opened = memory_of("self");
            let drafts = lots(77, TIMES).0;
            let (_, first) = timed(|| phone.record(household(1), season, &drafts[0]).unwrap());
            let record =
                drafts.iter().skip(1).map(|draft| timed(|| phone.record(household(1), season, draft).unwrap()).1);
            let record = median(record.collect());
            Ok(json!({
                "open": open.as_secs_f64() * 1000.0,
                "all": all, "search": search, "heaviest": heaviest, "totals": totals,
                "first": first.as_secs_f64() * 1000.0,
                "record": record,
                "memory open": opened.saturating_sub(empty),
                "memory edited": memory_of("self").saturating_sub(empty),
            }))
        }
        other => Err(format!("no command {other}")),
    });
}

pub(crate) fn run(lots_of_books: &[usize]) {
    let season = Season::new(2025).unwrap();
    println!(
        "{:<16} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>11} {:>11} {:>9}",
        "lots in openings",
        "open ms",
        "list ms",
        "search",
        "heaviest",
        "totals",
        "1st edit",
        "record",
        "MB open",
        "MB edited",
        "disk MB"
    );
    for count in lots_of_books {
        for openings in OPENINGS.into_iter().filter(|openings| openings <= count) {
            let mut world = World::new(LOOPBACK);
            drop(world.phone(Role::Household(household(1))));
            let folder = world.last_phone_folder();
            let (phone, _) = record_in_openings(&folder, season, &lots(40_961, *count).0, openings);
            phone.sync_now().unwrap();
            drop(phone);
            row(&format!("{count} in {openings}"), "open", &folder);
            if openings == 1 {
                // Opening it with a key encrypts its files; the measuring process then opens it as on any other day.
                drop(Phone::open_locked(&folder, &key()).unwrap());
                row(&format!("{count}, locked"), "locked", &folder);
            }
        }
    }
    library();
}

/// Measures the phone of this folder in a process of its own, and prints a line.
fn row(name: &str, store: &str, folder: &Path) {
    let disk = disk_of(folder);
    let program = std::env::current_exe().unwrap();
    let mut phone = Actor::start(&program, &["act", "phone", &folder.display().to_string()], folder).unwrap();
    let found = phone.ask(&json!({ "do": "measure", "store": store })).unwrap();
    let figure = |name: &str| found[name].as_f64().unwrap_or(0.0);
    println!(
        "{name:<16} {:>9.1} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {:>9.1} {:>9.2} {:>11.1} {:>11.1} {:>9.2}",
        figure("open"),
        figure("all"),
        figure("search"),
        figure("heaviest"),
        figure("totals"),
        figure("first"),
        figure("record"),
        figure("memory open") / 1e6,
        figure("memory edited") / 1e6,
        disk as f64 / 1e6
    );
}

/// Prints the size of the library as an app ships it, if it was built: `cargo build --profile phone -p granary-ffi`.
fn library() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/phone/libgranary_ffi.so");
    let Ok(size) = std::fs::metadata(&built).map(|meta| meta.len()) else {
        println!("the library was not measured: build it with `cargo build --profile phone -p granary-ffi`");
        return;
    };
    let stripped = tempfile::NamedTempFile::new().unwrap();
    let done = std::process::Command::new("strip").arg("-o").arg(stripped.path()).arg(&built).status();
    match done {
        Ok(status) if status.success() => {
            println!("library: {:.2} MB stripped ({:.2} MB as built)", disk_size(stripped.path()), size as f64 / 1e6);
        }
        _ => println!("library: {:.2} MB as built; there is no `strip` here", size as f64 / 1e6),
    }
}

fn disk_size(path: &Path) -> f64 {
    std::fs::metadata(path).map_or(0.0, |meta| meta.len() as f64 / 1e6)
}
