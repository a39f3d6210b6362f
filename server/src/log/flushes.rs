//! Metrics of the writer's flushes.

use std::time::Duration;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

/// The time of flushes, and the jobs that each serves.
#[derive(Debug, Clone)]
pub(crate) struct Flushes {
    pub(crate) seconds: Histogram,
    pub(crate) jobs: Histogram,
}

impl Default for Flushes {
    fn default() -> Self {
        Self {
            seconds: Histogram::new(exponential_buckets(0.000_5, 2.0, 14)),
            jobs: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
        }
    }
}

impl Flushes {
    pub(crate) fn flushed(&self, took: Duration, jobs: usize) {
        self.seconds.observe(took.as_secs_f64());
        self.jobs.observe(jobs as f64);
    }
}
