//! The sync of one phone, workload by workload, on each line.

use std::time::Instant;

use granary_client_core::phone::{Phone, Status};
use granary_client_core::quantities::Grams;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::harvest::LotEdit;
use granary_client_core::schema::{LotId, Season};

use crate::line::{CUT, LOOPBACK, SLOW, Shape};
use crate::openings::{OPENINGS, record_in_openings};
use crate::records::{json_lines, lots};
use crate::table::Row;
use crate::world::{World, household};

const RECORDS: usize = 1_000;
const SEED: u64 = 40_961;
/// Attempts after which a sync has failed.
const ATTEMPTS_MAX: u32 = 60;

/// Measures each line with one of the words in its name, or all lines.
pub(crate) fn run(only: &[String]) -> Vec<Row> {
    let (records, bits) = lots(SEED, RECORDS);
    let json = json_lines(&records);
    let packed = zstd::bulk::compress(&json, 19).unwrap().len();
    eprintln!(
        "{RECORDS} records: {} bytes as JSON lines, {packed} of them after zstd -19 (0.6 of it: {}); their entropy is {:.0} bytes",
        json.len(),
        packed * 6 / 10,
        bits / 8.0
    );
    let is_wanted = |shape: &Shape| only.is_empty() || only.iter().any(|word| shape.name.contains(word));
    let mut rows: Vec<Row> = [LOOPBACK, SLOW, CUT].into_iter().filter(is_wanted).flat_map(on_line).collect();
    for shape in [LOOPBACK, SLOW].into_iter().filter(is_wanted) {
        rows.extend(OPENINGS.into_iter().flat_map(|openings| with_openings(shape, openings)));
    }
    rows
}

/// A book of 1,000 lots that one phone wrote in so many openings.
fn with_openings(shape: Shape, openings: usize) -> Vec<Row> {
    let mut world = World::new(shape);
    let season = Season::new(2025).unwrap();
    let phone = world.phone(Role::Household(household(1)));
    phone.sync_until_done(ATTEMPTS_MAX).1.unwrap();
    drop(phone);
    let folder = world.last_phone_folder();
    let named = |workload: &str| format!("{workload}, openings: {openings}");
    let mut rows = Vec::new();

    let (phone, _) = record_in_openings(&folder, season, &lots(SEED, RECORDS).0, openings);
    rows.push(measure(&world, shape, &named("1,000 records up"), &phone));
    world.settle();
    let reader = world.phone(Role::Household(household(1)));
    rows.push(measure(&world, shape, &named("1,000 records down"), &reader));
    rows.push(measure(&world, shape, &named("nothing to do"), &phone));
    phone.record(household(1), season, &lots(SEED + 1, 1).0[0]).unwrap();
    rows.push(measure(&world, shape, &named("one new lot up"), &phone));
    drop(phone);

    // The wake is one more opening, so the lot is of one more actor.
    let phone = Phone::open(&folder).unwrap();
    phone.record(household(1), season, &lots(SEED + 2, 1).0[0]).unwrap();
    rows.push(measure(&world, shape, &named("wake, one new lot"), &phone));
    rows
}

fn on_line(shape: Shape) -> Vec<Row> {
    let mut world = World::new(shape);
    let season = Season::new(2025).unwrap();
    let li = world.phone(Role::Household(household(1)));
    let mut rows = Vec::new();
    li.sync_until_done(ATTEMPTS_MAX).1.unwrap();
    let names: Vec<LotId> =
        lots(SEED, RECORDS).0.iter().map(|draft| li.record(household(1), season, draft).unwrap()).collect();
    rows.push(measure(&world, shape, "1,000 records up", &li));
    world.settle();
    let coordinator = world.phone(Role::Household(household(1)));
    rows.push(measure(&world, shape, "1,000 records down, empty phone", &coordinator));
    for lot in names.iter().step_by(100) {
        li.correct(lot, &[LotEdit::Quantity(Grams::new(77_000).unwrap())]).unwrap();
    }
    rows.push(measure(&world, shape, "10 one-field edits up", &li));
    world.settle();
    rows.push(measure(&world, shape, "10 one-field edits down", &coordinator));
    rows.push(measure(&world, shape, "nothing to do", &li));
    let (more, _) = lots(SEED + 1, 1);
    li.record(household(1), season, &more[0]).unwrap();
    rows.push(measure(&world, shape, "one new lot up", &li));
    // The app was closed meanwhile, so this includes the handshake.
    drop(li);
    let li = Phone::open(&world.phone_folder(1)).unwrap();
    li.record(household(1), season, &lots(SEED + 2, 1).0[0]).unwrap();
    rows.push(measure(&world, shape, "wake, one new lot, sleep", &li));
    let (new, link) = world.new_phone(Role::Household(household(2)));
    rows.push(measure_work(&world, shape, "enrol and first sync", &new, || {
        let enrolled = (0..ATTEMPTS_MAX).any(|_| new.enrol(&link, "bench").is_ok());
        assert!(enrolled, "the phone could not enrol over this line");
        new.sync_until_done(ATTEMPTS_MAX)
    }));
    rows
}

/// Counting and retrying.
trait Measured {
    fn counted_since_open(&self) -> Status;
    fn sync_until_done(&self, attempts: u32) -> (u64, Result<(), String>);
}

impl Measured for Phone {
    fn counted_since_open(&self) -> Status {
        let used = self.used();
        Status {
            content_up: used.content_up,
            content_down: used.content_down,
            exchanges: used.exchanges,
            ..Status::default()
        }
    }

    /// Retries after each cut; gives the number of exchanges.
    fn sync_until_done(&self, attempts: u32) -> (u64, Result<(), String>) {
        let mut why = String::new();
        for _ in 0..attempts {
            match self.sync_now() {
                Ok(_) => return (self.status().exchanges, Ok(())),
                Err(error) => why = error.to_string(),
            }
        }
        (self.status().exchanges, Err(why))
    }
}

fn measure(world: &World, shape: Shape, workload: &str, phone: &Phone) -> Row {
    measure_work(world, shape, workload, phone, || phone.sync_until_done(ATTEMPTS_MAX))
}

fn measure_work(
    world: &World,
    shape: Shape,
    workload: &str,
    phone: &Phone,
    work: impl FnOnce() -> (u64, Result<(), String>),
) -> Row {
    world.line.passed.take();
    // The counts of a status begin when the phone is opened.
    let before = phone.counted_since_open();
    let began = Instant::now();
    let (exchanges, done) = work();
    let seconds = began.elapsed().as_secs_f64();
    let after = phone.status();
    let (up, down, connections, _) = world.line.passed.take();
    let (content_up, content_down) = (after.content_up - before.content_up, after.content_down - before.content_down);
    eprintln!("  {}: {workload}: {seconds:.1} s", shape.name);
    Row {
        workload: workload.into(),
        peer: "granary".into(),
        line: shape.name.into(),
        turns: exchanges - before.exchanges,
        connections,
        // A cut connection may lose bytes that were already written to it.
        bytes_up: content_up.min(up),
        bytes_down: content_down.min(down),
        tls_bytes_up: up.saturating_sub(content_up.min(up)),
        tls_bytes_down: down.saturating_sub(content_down.min(down)),
        seconds,
        ok: done.is_ok() && after.unsent == 0,
        why: done.err().unwrap_or_default(),
        ..Row::default()
    }
}
