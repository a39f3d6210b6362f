//! Decides when to sync: after an edit (gathered for a moment), when the network returns, on a nudge, on a timer, and
//! after a failure with [`Backoff`]. At most one sync runs. Clock and randomness are arguments.
//!
//! ```text
//!                      start, at `due` and online
//!   Idle { due } ------------------------------------> Running { rerun }
//!        ^                                                    |
//!        +----------------------------------------------------+
//!          Succeeded: due after 15 min, or 1.5 s when `rerun`
//!          Failed:    due after the backoff
//!          Hopeless:  due at the next event
//! ```
//!
//! `is_online` lies beside these states: while the platform reports no network, nothing starts and `due` is kept. An
//! idle phone makes one exchange every quarter of an hour, which is under 20 kB a day.

use super::Backoff;
use crate::quantities::Instant;

/// Edits are gathered this long before they are sent, in milliseconds.
const GATHER_MILLIS: u64 = 1_500;
/// An idle phone asks the server this often, in milliseconds.
const IDLE_MILLIS: u64 = 15 * 60 * 1000;

/// An event that bears on when to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The replica was edited.
    Edited,
    /// The platform reports a network.
    NetworkBack,
    /// The platform reports that there is no network.
    NetworkGone,
    /// The server's log grew.
    Nudged,
    /// A person asked for a sync.
    Asked,
    /// A sync succeeded.
    Succeeded,
    /// A sync failed; a later one may succeed.
    Failed {
        /// A random number for the jitter, uniform over all of `u64`.
        random: u64,
    },
    /// A sync failed, and will fail until a person acts.
    Hopeless,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// No sync runs. [`Scheduler::start`] makes it `Running` at `due`, when online. Without `due` the next event sets
    /// it.
    Idle { due: Option<Instant> },
    /// A sync runs. The event of its end makes it `Idle`. `rerun` is true after an event that the running sync may
    /// have missed.
    Running { rerun: bool },
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Scheduler {
    state: State,
    is_online: bool,
    backoff: Backoff,
}

impl Scheduler {
    /// A scheduler whose first sync is due at `now`.
    pub fn new(now: Instant) -> Self {
        Self { state: State::Idle { due: Some(now) }, is_online: true, backoff: Backoff::default() }
    }

    /// Takes an event.
    pub fn handle(&mut self, now: Instant, wake: Wake) {
        match wake {
            // After a failure, an edit waits for the next try.
            Wake::Edited if self.backoff.is_failing() => self.request(None),
            Wake::Edited => self.request(Some(now.plus_millis(GATHER_MILLIS))),
            Wake::NetworkGone => self.is_online = false,
            Wake::NetworkBack | Wake::Asked => {
                self.is_online = true;
                self.backoff.reset();
                self.request(Some(now));
            }
            Wake::Nudged => self.request(Some(now)),
            Wake::Succeeded => {
                self.backoff.reset();
                let wait = if self.state == (State::Running { rerun: true }) { GATHER_MILLIS } else { IDLE_MILLIS };
                self.state = State::Idle { due: Some(now.plus_millis(wait)) };
            }
            Wake::Failed { random } => {
                self.state = State::Idle { due: Some(now.plus_millis(self.backoff.fail(random))) };
            }
            Wake::Hopeless => self.state = State::Idle { due: None },
        }
    }

    /// Asks for a sync: at `when` or earlier while idle, and once more while one runs.
    fn request(&mut self, when: Option<Instant>) {
        self.state = match self.state {
            State::Idle { due } => State::Idle { due: due.into_iter().chain(when).min() },
            State::Running { .. } => State::Running { rerun: true },
        };
    }

    /// When the next sync is due; none while offline, while one runs, and when only an event can start one.
    pub fn next_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Idle { due } => due.filter(|_| self.is_online),
            State::Running { .. } => None,
        }
    }

    /// True when a sync must begin now. It counts as running until the event of its end.
    pub fn start(&mut self, now: Instant) -> bool {
        // A clock that was set back must not defer a sync by more than the idle interval.
        if let State::Idle { due: Some(due) } = self.state
            && due.millis_since(now) > IDLE_MILLIS
        {
            self.state = State::Idle { due: Some(now) };
        }
        let is_due = self.next_timeout().is_some_and(|due| due <= now);
        if is_due {
            self.state = State::Running { rerun: false };
        }
        is_due
    }

    /// True unless the platform reports that there is no network.
    pub fn is_online(&self) -> bool {
        self.is_online
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Instant {
        Instant(millis)
    }

    fn idle() -> Scheduler {
        let mut scheduler = Scheduler::new(at(0));
        assert!(scheduler.start(at(0)));
        scheduler.handle(at(10), Wake::Succeeded);
        scheduler
    }

    #[test]
    fn edits_are_gathered_and_sent_once() {
        let mut scheduler = idle();
        scheduler.handle(at(100), Wake::Edited);
        scheduler.handle(at(900), Wake::Edited);
        assert!(!scheduler.start(at(1_000)));
        assert!(scheduler.start(at(1_600)));
        assert!(!scheduler.start(at(1_700)), "never two at once");
    }

    #[test]
    fn edit_during_sync_is_sent_after_it() {
        let mut scheduler = idle();
        scheduler.handle(at(20), Wake::Asked);
        assert!(scheduler.start(at(20)));
        scheduler.handle(at(30), Wake::Edited);
        scheduler.handle(at(40), Wake::Succeeded);
        assert!(scheduler.start(at(40 + 1_500)));
    }

    #[test]
    fn failures_back_off_up_to_a_bound() {
        let mut scheduler = idle();
        let mut last = 0;
        for _ in 0..12 {
            scheduler.handle(at(0), Wake::Failed { random: u64::MAX - 1 });
            let wait = scheduler.next_timeout().unwrap().0;
            assert!(wait <= 600_000);
            last = last.max(wait);
        }
        assert!(last > 60_000);
        scheduler.handle(at(5), Wake::NetworkBack);
        assert!(scheduler.start(at(5)), "the network's return ends the wait");
    }

    #[test]
    fn no_sync_starts_offline() {
        let mut scheduler = idle();
        scheduler.handle(at(0), Wake::NetworkGone);
        scheduler.handle(at(0), Wake::Edited);
        assert_eq!(scheduler.next_timeout(), None);
        scheduler.handle(at(9), Wake::NetworkBack);
        assert!(scheduler.start(at(9)));
    }

    #[test]
    fn clock_set_back_does_not_stop_sync() {
        let mut scheduler = idle();
        scheduler.handle(at(100_000_000_000), Wake::Succeeded);
        assert!(scheduler.start(at(50)));
    }
}
