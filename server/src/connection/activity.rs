//! When a connection has been of use, and until when it may stay without.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::pace::Pace;
use crate::config::Limits;
use crate::http::Occupied;

struct State {
    /// Requests that come, are worked on, or are being answered.
    at_work: usize,
    /// Of these, how many are whole and not answered: meanwhile the connection's place is firm.
    worked_on: usize,
    /// A request was answered.
    was_of_use: bool,
    /// When the connection is over, while no request is being answered.
    until: Instant,
}

/// See the module. Before its first whole request a connection has one deadline, which only bytes of that request put off;
/// later each answer gives it some idle time.
pub(super) struct Activity {
    state: Mutex<State>,
    accepted: Instant,
    limits: Limits,
    place: Occupied,
}

/// How far a request has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Comes,
    IsWhole,
    IsAnswered,
}

/// A request, until the last byte of its answer was taken.
pub(super) struct AtWork {
    activity: Arc<Activity>,
    stage: Mutex<Stage>,
}

impl Activity {
    pub(super) fn new(accepted: Instant, limits: Limits, place: Occupied) -> Arc<Self> {
        let until = accepted + limits.first_request_timeout;
        let state = State { at_work: 0, worked_on: 0, was_of_use: false, until };
        Arc::new(Self { state: Mutex::new(state), accepted, limits, place })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(self: &Arc<Self>) -> Arc<AtWork> {
        let mut state = self.state();
        state.at_work = state.at_work.saturating_add(1);
        Arc::new(AtWork { activity: Arc::clone(self), stage: Mutex::new(Stage::Comes) })
    }

    /// The time for the body of a request whose head has just come. That of the first counts from the acceptance.
    pub(super) fn pace(&self) -> Pace {
        let limits = self.limits;
        let (begun, grace) = match self.state().was_of_use {
            true => (Instant::now(), limits.body_grace),
            false => (self.accepted, limits.first_request_timeout),
        };
        let latest = Instant::now() + limits.body_timeout;
        Pace::new(begun + grace, latest, limits.bytes_per_second_min)
    }

    /// When the connection is over, unless it is of use until then.
    pub(super) fn due(&self) -> Instant {
        let state = self.state();
        if state.at_work > 0 { Instant::now() + self.limits.idle_timeout } else { state.until }
    }
}

impl AtWork {
    /// Its last byte has come: from now on the server works on it.
    pub(super) fn is_whole(&self) {
        self.go_to(Stage::IsWhole);
    }

    /// The answer is there, and only has to be read.
    pub(super) fn is_answered(&self) {
        self.go_to(Stage::IsAnswered);
    }

    fn go_to(&self, to: Stage) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.activity.state();
        match (*stage, to) {
            (Stage::Comes, Stage::IsWhole) => state.worked_on = state.worked_on.saturating_add(1),
            (Stage::IsWhole, Stage::IsAnswered) => state.worked_on = state.worked_on.saturating_sub(1),
            (Stage::Comes, Stage::IsAnswered) => {}
            _ => return,
        }
        state.was_of_use |= to == Stage::IsAnswered;
        self.activity.place.place.gives_way(state.worked_on == 0);
        *stage = to;
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.is_answered();
        let mut state = self.activity.state();
        state.at_work = state.at_work.saturating_sub(1);
        state.until = Instant::now() + self.activity.limits.idle_timeout;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Origin, Places};

    #[tokio::test]
    async fn silent_connection_is_over_at_its_deadline_and_a_used_one_after_its_idle_time() {
        let begin = Instant::now();
        let limits = Limits::default();
        let (first, idle) = (limits.first_request_timeout, limits.idle_timeout);
        let places = Places::new(1, 1);
        let place = places.take(Origin::Four([192, 0, 2, 1])).unwrap();
        place.gives_way(true);
        let activity = Activity::new(begin, limits, Occupied::by(place));
        assert_eq!(activity.due(), begin + first);
        let (one, other) = (activity.begin(), activity.begin());
        drop(one);
        assert!(activity.due() >= begin + idle, "a request may take its time");
        let during = activity.due();
        assert!(activity.due() >= during, "and puts the end off");
        other.is_whole();
        assert!(places.take(Origin::Four([192, 0, 2, 1])).is_none(), "while it is worked on, its place is firm");
        drop(other);
        let after = activity.due();
        assert!(after >= begin + idle);
        assert_eq!(activity.due(), after, "nothing but a request puts the end off");
        assert!(places.take(Origin::Four([192, 0, 2, 1])).is_some(), "an idle one gives way");
    }
}
