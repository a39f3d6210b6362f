//! Decides when to sync: on an edit (gathered for a moment), when the platform says that the network
//! is back, on a nudge, on a timer; after a failure with exponential backoff and full jitter. Never
//! two at once. It reads no clock and rolls no dice: both are arguments.
//!
//! States: asleep (nothing due), due at a time, running. `Offline` holds all back until the platform
//! says otherwise. When idle, it costs one exchange every quarter of an hour: under 20 kB a day.

use crate::quantities::Instant;

/// Edits are gathered this long before they are sent, in milliseconds.
const GATHER_MILLIS: u64 = 1_500;
/// With nothing to do, the server is asked this often, in milliseconds.
const IDLE_MILLIS: u64 = 15 * 60 * 1000;
/// The first wait after a failure is somewhere below this, in milliseconds; it doubles each time.
const BACKOFF_FIRST_MILLIS: u64 = 4_000;
/// No wait after a failure is longer than this, in milliseconds.
const BACKOFF_MAX_MILLIS: u64 = 10 * 60 * 1000;

/// What happened that bears on when to sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something was recorded or corrected.
    Edited,
    /// The platform says that there is a network.
    NetworkBack,
    /// The platform says that there is none.
    NetworkGone,
    /// The server's log grew.
    Nudged,
    /// A person asked for it.
    Asked,
    /// A sync ended well.
    Succeeded,
    /// A sync failed; it may do better later.
    Failed {
        /// A random number for the jitter.
        random: u64,
    },
    /// A sync failed and will until a person does something.
    Hopeless,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Scheduler {
    online: bool,
    running: bool,
    again: bool,
    failures: u32,
    due: Option<Instant>,
}

impl Scheduler {
    /// A scheduler that is due at once.
    pub fn new(now: Instant) -> Self {
        Self { online: true, running: false, again: false, failures: 0, due: Some(now) }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, wake: Wake) {
        match wake {
            Wake::Edited if self.running => self.again = true,
            Wake::Edited if self.failures == 0 => self.due_by(now.plus_millis(GATHER_MILLIS)),
            // While the line is bad an edit waits for the next try.
            Wake::Edited => {}
            Wake::NetworkGone => self.online = false,
            Wake::NetworkBack | Wake::Nudged | Wake::Asked => {
                if wake != Wake::Nudged {
                    self.online = true;
                    self.failures = 0;
                }
                self.again = self.running;
                self.due = Some(now);
            }
            Wake::Succeeded => {
                self.failures = 0;
                let wait = if self.again { GATHER_MILLIS } else { IDLE_MILLIS };
                self.ended(now, wait);
            }
            Wake::Failed { random } => {
                let ceiling = BACKOFF_FIRST_MILLIS.saturating_mul(1 << self.failures.min(16)).min(BACKOFF_MAX_MILLIS);
                self.failures = self.failures.saturating_add(1);
                self.ended(now, random % ceiling);
            }
            Wake::Hopeless => {
                self.running = false;
                self.due = None;
            }
        }
    }

    fn ended(&mut self, now: Instant, wait: u64) {
        self.running = false;
        self.again = false;
        self.due = Some(now.plus_millis(wait));
    }

    fn due_by(&mut self, when: Instant) {
        self.due = Some(self.due.map_or(when, |due| due.min(when)));
    }

    /// When something is due next; none while offline, running or asleep.
    pub fn next_timeout(&self) -> Option<Instant> {
        self.due.filter(|_| self.online && !self.running)
    }

    /// True when a sync must begin now; it then counts as running until its end is handled.
    pub fn start(&mut self, now: Instant) -> bool {
        // A clock that was set back must not put off what is due by more than an idle turn.
        if let Some(due) = self.due
            && due.millis_since(now) > IDLE_MILLIS
        {
            self.due = Some(now);
        }
        let start = self.next_timeout().is_some_and(|due| due <= now);
        if start {
            self.running = true;
            self.again = false;
        }
        start
    }

    /// True unless the platform says that there is no network.
    pub fn is_online(&self) -> bool {
        self.online
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
    fn an_edit_during_a_sync_is_sent_after_it() {
        let mut scheduler = idle();
        scheduler.handle(at(20), Wake::Asked);
        assert!(scheduler.start(at(20)));
        scheduler.handle(at(30), Wake::Edited);
        scheduler.handle(at(40), Wake::Succeeded);
        assert!(scheduler.start(at(40 + 1_500)));
    }

    #[test]
    fn failures_wait_longer_each_time_up_to_a_bound() {
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
    fn nothing_happens_offline() {
        let mut scheduler = idle();
        scheduler.handle(at(0), Wake::NetworkGone);
        scheduler.handle(at(0), Wake::Edited);
        assert_eq!(scheduler.next_timeout(), None);
        scheduler.handle(at(9), Wake::NetworkBack);
        assert!(scheduler.start(at(9)));
    }

    #[test]
    fn a_clock_set_back_by_years_does_not_stop_the_sync() {
        let mut scheduler = idle();
        scheduler.handle(at(100_000_000_000), Wake::Succeeded);
        assert!(scheduler.start(at(50)));
    }
}
