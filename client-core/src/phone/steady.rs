//! A time for waiting, which goes on whatever the clock does. A clock that is set back by years must not put off the next
//! sync by years; and a phone that slept has waited, though its own count of time may have slept too.

use std::time::Instant as Count;

use crate::quantities::Instant;

/// See the module. It begins at the clock's time and goes on by the clock or by the system's count of time, whichever went
/// further; it never goes back.
#[derive(Debug)]
pub(super) struct Steady {
    now: Instant,
    clock: Instant,
    count: Count,
}

impl Steady {
    pub(super) fn new(clock: Instant) -> Self {
        Self { now: clock, clock, count: Count::now() }
    }

    /// The time now. `clock` is what the phone's clock says.
    pub(super) fn now(&mut self, clock: Instant) -> Instant {
        self.at(clock, Count::now())
    }

    fn at(&mut self, clock: Instant, count: Count) -> Instant {
        let counted = u64::try_from(count.saturating_duration_since(self.count).as_millis()).unwrap_or(u64::MAX);
        self.now = self.now.plus_millis(clock.millis_since(self.clock).max(counted));
        (self.clock, self.count) = (clock, count);
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn steady_time_goes_on_whatever_the_clock_does() {
        let mut steady = Steady::new(Instant(1_000_000));
        let begin = steady.count;
        let mut at = |clock, millis| steady.at(Instant(clock), begin + Duration::from_millis(millis)).0;
        assert_eq!(at(1_000_500, 500), 1_000_500);
        assert_eq!(at(0, 1_500), 1_001_500, "the clock starts again at 1970");
        assert_eq!(at(1_000, 2_500), 1_002_500);
        assert_eq!(at(901_000, 2_500), 1_902_500, "the phone slept");
        assert_eq!(at(901_000, 2_500), 1_902_500);
    }
}
