//! The limits of one device and of all, at once and over time.

use std::time::Duration;

/// Limits that `http/gate.rs` enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one device in a burst.
    pub device_burst: u32,
    /// Requests of one device a second, in the long run.
    pub device_per_second: u32,
    /// Outbox files of one device in a burst; one more is allowed every second.
    pub outbox_file_burst: u32,
    /// Attempts to enrol from one address in a burst; one more is allowed every ten seconds. The operator can open it
    /// for more, for some hours.
    pub enrol_burst: u32,
    /// Attempts to sign in to one account, or from one address, in a burst; one more is allowed every
    /// twenty seconds.
    pub sign_in_burst: u32,
    /// Requests of all devices that are processed at once; others wait.
    pub at_once: usize,
    /// Connections at once.
    pub connections: usize,
    /// A request's body must have been received after this long.
    pub body_timeout: Duration,
    /// Bytes of all large bodies in memory at once; small bodies are not counted.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            device_burst: 120,
            device_per_second: 10,
            outbox_file_burst: 120,
            enrol_burst: 40,
            sign_in_burst: 12,
            at_once: 128,
            connections: 20_000,
            // A page of 48 kB takes some ten seconds on a bad 2G line; a slow line is not a dead one.
            body_timeout: Duration::from_secs(180),
            body_bytes: 256 * 1024 * 1024,
        }
    }
}
