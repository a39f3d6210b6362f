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
    /// Connections of one address at once; the network of an IPv6 address counts as one.
    pub connections_per_address: usize,
    /// Live sockets of one device at once.
    pub sockets_per_device: usize,
    /// From a connection's acceptance to the head of its first request, and from the first byte of a later head to its end.
    pub first_request_timeout: Duration,
    /// A connection without a request ends after this long.
    pub idle_timeout: Duration,
    /// A connection whose other side reads nothing ends after this long.
    pub write_timeout: Duration,
    /// A request's body must have been received after this long.
    pub body_timeout: Duration,
    /// Bytes of all large bodies in memory at once; small bodies are not counted.
    pub body_bytes: usize,
    /// Bytes of all bodies of one address in memory at once.
    pub body_bytes_per_address: usize,
    /// Passwords that are checked or wait to be checked; each check takes 19 MiB, and as many run as there are cores.
    pub passwords_waiting: usize,
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
            // A village, or all of a mobile network, behind one address.
            connections_per_address: 1_000,
            sockets_per_device: 16,
            // A handshake takes some ten seconds on a bad 2G line.
            first_request_timeout: Duration::from_secs(90),
            idle_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(90),
            // A page of 48 kB takes some ten seconds on a bad 2G line; a slow line is not a dead one.
            body_timeout: Duration::from_secs(180),
            body_bytes: 256 * 1024 * 1024,
            body_bytes_per_address: 32 * 1024 * 1024,
            passwords_waiting: 64,
        }
    }
}
