//! Documents whose rows wait to be written, and those that are tried again.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::log::Cooperative;
use crate::log::keys::DocumentNumber;

/// Documents that are written in one transaction at most.
const TOGETHER_MAX: usize = 64;
/// The wait before rows that could not be written are tried again; doubled at each failure, up to the longest.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

pub(super) type Task = (Arc<Cooperative>, DocumentNumber);

/// Rows that could not be written, and when they are tried again.
pub(super) struct Retry {
    pub(super) tasks: Vec<Task>,
    wait: Duration,
    pub(super) due: Instant,
}

impl Retry {
    pub(super) fn new() -> Self {
        Self { tasks: Vec::new(), wait: FIRST_RETRY, due: Instant::now() }
    }

    /// Adds what failed. `was_tried` says that it was a second try at least.
    pub(super) fn later(&mut self, failed: Vec<Task>, was_tried: bool) {
        if failed.is_empty() {
            if was_tried {
                *self = Self::new();
            }
            return;
        }
        self.wait = if was_tried { self.wait.saturating_mul(2).min(LONGEST_RETRY) } else { self.wait };
        if was_tried || self.tasks.is_empty() {
            self.due = Instant::now().checked_add(self.wait).unwrap_or(self.due);
        }
        self.tasks.extend(failed);
    }
}

/// Takes the next tasks, at most [`TOGETHER_MAX`] more than one; none of them when `until` has come first. None once all
/// senders are dropped.
pub(super) fn next_batch(receiver: &Receiver<Task>, until: Option<Instant>) -> Option<Vec<Task>> {
    let first = match until {
        None => Some(receiver.recv().ok()?),
        Some(until) => match receiver.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(task) => Some(task),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return None,
        },
    };
    Some(first.into_iter().chain(receiver.try_iter().take(TOGETHER_MAX)).collect())
}
