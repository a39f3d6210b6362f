//! Metrics of the writer's flushes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// The time of flushes, and the jobs that each serves.
#[derive(Debug, Clone)]
pub(crate) struct Flushes {
    pub(crate) seconds: Histogram,
    pub(crate) jobs: Histogram,
    totals: Arc<[AtomicU64; 3]>,
}

/// All flushes since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlushTotals {
    /// How many there were.
    pub flushes: u64,
    /// The jobs that they served.
    pub jobs: u64,
    /// The time that they took together.
    pub micros: u64,
}

impl Default for Flushes {
    fn default() -> Self {
        Self {
            seconds: Histogram::new(exponential_buckets(0.000_5, 2.0, 14)),
            jobs: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            totals: Arc::default(),
        }
    }
}

impl Flushes {
    pub(crate) fn flushed(&self, took: Duration, jobs: usize) {
        self.seconds.observe(took.as_secs_f64());
        self.jobs.observe(jobs as f64);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        for (total, more) in self.totals.iter().zip([1, jobs as u64, micros]) {
            total.fetch_add(more, Ordering::Relaxed);
        }
    }

    pub(crate) fn totals(&self) -> FlushTotals {
        let [flushes, jobs, micros] =
            [0, 1, 2].map(|place: usize| self.totals.get(place).map_or(0, |total| total.load(Ordering::Relaxed)));
        FlushTotals { flushes, jobs, micros }
    }
}
