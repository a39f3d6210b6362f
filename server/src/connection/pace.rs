//! How fast bytes must come or go: a least rate, after some time of grace. Who is slower by much holds what others need.

use std::time::Duration;

use tokio::time::Instant;

/// See the module: the time until which something must have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    due: Instant,
    latest: Instant,
    bytes_per_second: u32,
}

/// The time that so many bytes may take.
pub(super) fn time_for(bytes: usize, bytes_per_second: u32) -> Duration {
    let millis = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000) / u64::from(bytes_per_second.max(1));
    Duration::from_millis(millis)
}

impl Pace {
    /// Due at `due`, later by what comes until then, and never after `latest`.
    pub(super) fn new(due: Instant, latest: Instant, bytes_per_second: u32) -> Self {
        Self { due: due.min(latest), latest, bytes_per_second }
    }

    /// So many bytes have come.
    pub(super) fn came(&mut self, bytes: usize) {
        let later = self.due.checked_add(time_for(bytes, self.bytes_per_second)).unwrap_or(self.latest);
        self.due = later.min(self.latest);
    }

    pub(super) fn due(&self) -> Instant {
        self.due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_put_the_end_off_and_not_for_ever() {
        let begin = Instant::now();
        let after = |seconds| begin + Duration::from_secs(seconds);
        let mut pace = Pace::new(after(30), after(180), 500);
        pace.came(1);
        assert!(pace.due() < after(31), "a byte now and then buys nothing");
        pace.came(9_999);
        assert!(pace.due() >= after(49) && pace.due() <= after(51), "500 bytes a second are enough");
        pace.came(4 << 20);
        assert_eq!(pace.due(), after(180));
        assert_eq!(Pace::new(after(90), after(20), 500).due(), after(20));
    }
}
