//! When a connection has been of use, and until when it may stay without.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::Instant;

struct State {
    /// Requests that are being answered.
    at_work: usize,
    /// When the connection is over, while no request is being answered.
    until: Instant,
}

/// See the module. Before its first request a connection has one deadline, which nothing puts off; later each answer gives
/// it some idle time.
pub(super) struct Activity {
    state: Mutex<State>,
    idle: Duration,
}

/// A request that is being answered, until the last byte of its answer was taken.
pub(super) struct AtWork(Arc<Activity>);

/// The body of an answer, which is work until it is sent or given up.
pub(super) struct Answer {
    pub(super) body: Body,
    pub(super) _at_work: AtWork,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Activity {
    pub(super) fn new(first_request_due: Instant, idle: Duration) -> Arc<Self> {
        Arc::new(Self { state: Mutex::new(State { at_work: 0, until: first_request_due }), idle })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(self: &Arc<Self>) -> AtWork {
        let mut state = self.state();
        state.at_work = state.at_work.saturating_add(1);
        AtWork(Arc::clone(self))
    }

    /// When the connection is over, unless it is of use until then.
    pub(super) fn due(&self) -> Instant {
        let state = self.state();
        if state.at_work > 0 { Instant::now() + self.idle } else { state.until }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.at_work = state.at_work.saturating_sub(1);
        state.until = Instant::now() + self.0.idle;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silent_connection_is_over_at_its_deadline_and_a_used_one_after_its_idle_time() {
        let begin = Instant::now();
        let (first, idle) = (Duration::from_secs(90), Duration::from_secs(120));
        let activity = Activity::new(begin + first, idle);
        assert_eq!(activity.due(), begin + first);
        let (one, other) = (activity.begin(), activity.begin());
        drop(one);
        assert!(activity.due() >= begin + idle, "a request may take its time");
        let during = activity.due();
        assert!(activity.due() >= during, "and puts the end off");
        drop(other);
        let after = activity.due();
        assert!(after >= begin + idle);
        assert_eq!(activity.due(), after, "nothing but a request puts the end off");
    }
}
