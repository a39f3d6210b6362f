//! Work behind the acknowledgement gives way to the work before it: while requests come fast, it rests after
//! each stretch for a multiple of what the stretch took. What comes meanwhile is gathered, so that each
//! stretch does more for the same effort; when few come, it does not rest at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How often it is looked whether requests still come fast.
const SLICE: Duration = Duration::from_millis(20);
/// As many in a slice are many; with fewer, the machine has room for both.
const MANY: u64 = 4;
/// The longest rest.
const REST_MAX: Duration = Duration::from_secs(2);

/// Counts requests that write. Clones count together.
#[derive(Debug, Clone, Default)]
pub(crate) struct Breath {
    came: Arc<AtomicU64>,
}

impl Breath {
    pub(crate) fn one_came(&self) {
        self.came.fetch_add(1, Ordering::Relaxed);
    }

    /// Rests for `times` what the stretch since `began` took, as long as requests come fast. `before` is
    /// [`Self::count`] when the stretch began.
    pub(crate) fn rest(&self, began: Instant, before: u64, times: u32) {
        let took = began.elapsed();
        let (until, mut seen) = (Instant::now() + took.saturating_mul(times).min(REST_MAX), before);
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
        self.came.load(Ordering::Relaxed)
    }
}
