//! Exponential backoff with full jitter: each wait is uniform between 0 and a ceiling that doubles with every failure
//! in a row. Many phones that lose one server then do not come back at the same moment.
//!
//! Source: <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>.

/// Ceiling of the first wait, in milliseconds.
const FIRST_MILLIS: u64 = 4_000;
/// No ceiling is above this, in milliseconds.
const MAX_MILLIS: u64 = 10 * 60 * 1000;
/// Doublings after which the ceiling is [`MAX_MILLIS`] for certain.
const DOUBLINGS_MAX: u32 = 16;

/// Counts failures in a row and draws the wait after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure. Returns how long to wait after it, in milliseconds. `random` is uniform over all of `u64`.
    pub fn fail(&mut self, random: u64) -> u64 {
        let ceiling = FIRST_MILLIS.saturating_mul(1 << self.failures.min(DOUBLINGS_MAX)).min(MAX_MILLIS);
        self.failures = self.failures.saturating_add(1);
        random % ceiling
    }

    /// Starts again from the shortest wait.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// True after a failure that no reset followed.
    pub fn is_failing(self) -> bool {
        self.failures > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The longest wait that a failure leads to now.
    fn longest(backoff: Backoff) -> u64 {
        (0..MAX_MILLIS).step_by(999).map(|random| { backoff }.fail(random)).max().unwrap()
    }

    #[test]
    fn ceiling_doubles_up_to_ten_minutes() {
        let mut backoff = Backoff::default();
        for ceiling in [4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000, 600_000, 600_000] {
            assert!((ceiling - 1_000..ceiling).contains(&longest(backoff)), "{ceiling}");
            backoff.fail(0);
        }
    }

    #[test]
    fn jitter_reaches_down_to_zero() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.fail(0), 0);
        assert_eq!(backoff.fail(8_000 * 7), 0);
        assert_eq!(backoff.fail(16_000 + 5), 5);
    }

    #[test]
    fn reset_returns_to_the_first_ceiling() {
        let mut backoff = Backoff::default();
        for _ in 0..u16::MAX {
            backoff.fail(u64::MAX);
        }
        assert!(backoff.is_failing());
        backoff.reset();
        assert_eq!(backoff, Backoff::default());
        assert!(!backoff.is_failing());
    }
}
