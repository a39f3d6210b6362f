//! How large a page of changes the line carries. The page starts at what an unknown 2G line carries in some seconds,
//! doubles while exchanges are quick and shrinks to a quarter when one breaks.

use crate::protocol::limits::{PAGE_BYTES_MAX, PAGE_BYTES_MIN};

/// An exchange under this long lets the page grow, in milliseconds.
const QUICK_MILLIS: u64 = 4_000;
/// The first page on an unknown line, in bytes of bundle: a few thousand records. Compressed, it takes about a quarter
/// of that, and a broken exchange resumes where it stopped.
const PAGE_BYTES_FIRST: usize = 128 * 1024;

/// The page size for the next exchange; kept from session to session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    page_bytes: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { page_bytes: PAGE_BYTES_FIRST }
    }
}

impl Pace {
    /// The size of the next page, in bytes of bundle.
    pub fn page_bytes(self) -> usize {
        self.page_bytes
    }

    /// Notes an exchange that succeeded after `millis`.
    pub fn succeeded(&mut self, millis: u64) {
        if millis < QUICK_MILLIS {
            self.page_bytes = self.page_bytes.saturating_mul(2).min(PAGE_BYTES_MAX);
        }
    }

    /// Notes an exchange that broke.
    pub fn failed(&mut self) {
        self.page_bytes = (self.page_bytes / 4).max(PAGE_BYTES_MIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quick_exchanges_double_the_page_up_to_the_maximum() {
        let mut pace = Pace::default();
        pace.succeeded(QUICK_MILLIS - 1);
        assert_eq!(pace.page_bytes(), 2 * PAGE_BYTES_FIRST);
        (0..32).for_each(|_| pace.succeeded(0));
        assert_eq!(pace.page_bytes(), PAGE_BYTES_MAX);
    }

    #[test]
    fn slow_exchange_leaves_the_page_unchanged() {
        let mut pace = Pace::default();
        pace.succeeded(QUICK_MILLIS);
        assert_eq!(pace, Pace::default());
    }

    #[test]
    fn broken_exchanges_quarter_the_page_down_to_the_minimum() {
        let mut pace = Pace::default();
        pace.failed();
        assert_eq!(pace.page_bytes(), PAGE_BYTES_FIRST / 4);
        (0..32).for_each(|_| pace.failed());
        assert_eq!(pace.page_bytes(), PAGE_BYTES_MIN);
    }
}
