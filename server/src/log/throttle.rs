//! Throttles admission and read models while writes arrive at 4 or more per 20 ms: after working for t they
//! sleep up to `times` × t, at most 2 s. Tasks that arrive meanwhile are batched, which makes each cheaper. With fewer
//! writes they do not sleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The interval at which the rate of writes is sampled.
const SLICE: Duration = Duration::from_millis(20);
/// Writes in a slice from which on background work is throttled; with fewer, the machine has room for both.
const MANY: u64 = 4;
/// The longest sleep.
const SLEEP_MAX: Duration = Duration::from_secs(2);

/// Counts writes. Clones share one count.
#[derive(Debug, Clone, Default)]
pub(crate) struct BackgroundThrottle {
    writes: Arc<AtomicU64>,
    /// Held by a test while admission, or the read models, must not go on.
    #[cfg(test)]
    pub(crate) held: Arc<[std::sync::Mutex<()>; 2]>,
}

/// Work that follows an acknowledgement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BackgroundWork {
    Admission,
    ReadModels,
}

impl BackgroundThrottle {
    /// Passes before a round of this work. Only tests hold it up.
    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "what holds it up is there in tests alone"))]
    pub(crate) fn pass(&self, work: BackgroundWork) {
        #[cfg(test)]
        drop(self.held[work as usize].lock());
        #[cfg(not(test))]
        let _ = work;
    }

    pub(crate) fn count_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Sleeps for up to `times` the time since `began`, while writes come fast. `before` is [`Self::count`] at `began`.
    pub(crate) fn pause(&self, began: Instant, before: u64, times: u32) {
        let took = began.elapsed();
        let (until, mut seen) = (Instant::now() + took.saturating_mul(times).min(SLEEP_MAX), before);
        let mut span = took;
        loop {
            let now = self.count();
            let slices = u64::try_from(span.as_millis() / SLICE.as_millis()).unwrap_or(u64::MAX).max(1);
            let comes_fast = now.saturating_sub(seen) >= MANY.saturating_mul(slices);
            let left = until.saturating_duration_since(Instant::now());
            if !comes_fast || left.is_zero() {
                return;
            }
            (seen, span) = (now, left.min(SLICE));
            std::thread::sleep(span);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }
}
