//! What a flood does to others: the server's memory, and a phone's syncs.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use granary_client_core::phone::Phone;

use crate::phone::record;
use crate::server::Server;

/// The limit of a device is ten requests a second.
const PAUSE: Duration = Duration::from_millis(110);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Memory is given back within this time, or it stays.
const SETTLES: Duration = Duration::from_secs(8);
/// Syncs before a flood.
const QUIET: usize = 7;
/// A phone that is refused so often gives up.
const TRIES: u32 = 40;

/// Memory in bytes.
pub(super) struct Beside {
    pub(super) before: u64,
    pub(super) worst: u64,
    pub(super) after: u64,
    /// The median of a sync before.
    pub(super) quiet: Duration,
    pub(super) median: Duration,
    pub(super) slowest: Duration,
    /// Syncs that were refused at least once.
    pub(super) failed: usize,
}

static NUMBER: AtomicU64 = AtomicU64::new(1);

/// One small sync, tried until it is done; with true when it was refused at least once.
fn sync(phone: &Phone) -> (Duration, bool) {
    record(phone, NUMBER.fetch_add(1, Ordering::Relaxed));
    std::thread::sleep(PAUSE);
    let began = Instant::now();
    for tried in 0..TRIES {
        match phone.sync_now() {
            Ok(_) => return (began.elapsed(), tried > 0),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
    (began.elapsed(), true)
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Runs a flood and looks at what it does.
pub(super) fn beside<R>(server: &Server, phone: &Phone, flood: impl FnOnce() -> R) -> (R, Beside) {
    let memory = || server.memory() << 10;
    let mut quiet: Vec<Duration> = (0..QUIET).map(|_| sync(phone).0).collect();
    let (before, ends, worst) = (memory(), AtomicBool::new(false), AtomicU64::new(0));
    let (flooded, mut times, failed) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ends.load(Ordering::Relaxed) {
                worst.fetch_max(memory(), Ordering::Relaxed);
                std::thread::sleep(LOOK_EVERY);
            }
        });
        let syncs = scope.spawn(|| {
            let (mut times, mut failed) = (Vec::new(), 0);
            while !ends.load(Ordering::Relaxed) || times.is_empty() {
                let (took, was_refused) = sync(phone);
                times.push(took);
                failed += usize::from(was_refused);
            }
            (times, failed)
        });
        let flooded = flood();
        ends.store(true, Ordering::Relaxed);
        let (times, failed) = syncs.join().unwrap();
        (flooded, times, failed)
    });
    let began = Instant::now();
    let mut after = memory();
    while after > before + (8 << 20) && began.elapsed() < SETTLES {
        std::thread::sleep(LOOK_EVERY);
        after = memory();
    }
    let slowest = times.iter().max().copied().unwrap_or_default();
    let seen = Beside {
        before,
        worst: worst.into_inner().max(before),
        after,
        quiet: median(&mut quiet),
        median: median(&mut times),
        slowest,
        failed,
    };
    (flooded, seen)
}
