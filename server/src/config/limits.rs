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
    /// Requests of one API key in a burst; one brings up to 500 orders.
    pub api_key_burst: u32,
    /// Requests of one API key a second, in the long run.
    pub api_key_per_second: u32,
    /// Requests of one address without a key that works, in a burst; one more is answered every second.
    pub wrong_key_burst: u32,
    /// Requests of all devices that are processed at once; others wait.
    pub at_once: usize,
    /// Connections at once.
    pub connections: usize,
    /// Connections of one address at once; the network of an IPv6 address counts as one.
    pub connections_per_address: usize,
    /// Live sockets of one device at once.
    pub sockets_per_device: usize,
    /// Sockets of automerge-repo of one device at once. Each can hold a message of 2 MiB.
    pub automerge_sockets_per_device: usize,
    /// Bytes that the open documents of one device's automerge-repo sockets may keep together.
    pub automerge_bytes_per_device: usize,
    /// From a connection's acceptance to the end of its first request, put off by the bytes of its body at the least rate.
    pub first_request_timeout: Duration,
    /// A connection without a request ends after this long.
    pub idle_timeout: Duration,
    /// A connection whose other side reads nothing ends after this long; what it reads gives time back at the least rate.
    pub write_timeout: Duration,
    /// The time in which nothing of a later request's body need come.
    pub body_grace: Duration,
    /// The least rate at which bodies come and answers go, in the long run.
    pub bytes_per_second_min: u32,
    /// A request's body must have been received after this long, whatever its rate.
    pub body_timeout: Duration,
    /// Requests of one address whose bodies come at once.
    pub coming_per_address: usize,
    /// Requests of all whose bodies come at once.
    pub coming: usize,
    /// Bytes of all bodies in memory at once, beyond the first 64 KiB of each.
    pub body_bytes: usize,
    /// The same of one address.
    pub body_bytes_per_address: usize,
    /// Bytes of the first 64 KiB of all bodies in memory at once. They have a room apart, so that large bodies keep no small
    /// sync out.
    pub small_body_bytes: usize,
    /// The same of one address.
    pub small_body_bytes_per_address: usize,
    /// Bytes of one device's replies that are on their way.
    pub reply_bytes_per_device: usize,
    /// Passwords that are checked or wait to be checked; two are checked at once.
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
            // A shop's own checkout asks for each order.
            api_key_burst: 600,
            api_key_per_second: 100,
            wrong_key_burst: 60,
            at_once: 128,
            connections: 20_000,
            // A village, or all of a mobile network, behind one address.
            connections_per_address: 1_000,
            sockets_per_device: 16,
            automerge_sockets_per_device: 4,
            automerge_bytes_per_device: 12 * 1024 * 1024,
            // A handshake takes some ten seconds on a bad 2G line.
            first_request_timeout: Duration::from_secs(90),
            idle_timeout: Duration::from_secs(120),
            write_timeout: Duration::from_secs(90),
            body_grace: Duration::from_secs(30),
            // A bad 2G line has a thousand.
            bytes_per_second_min: 500,
            // What has come until then is kept, and the phone goes on from there.
            body_timeout: Duration::from_secs(180),
            coming_per_address: 1_024,
            coming: 20_480,
            body_bytes: 128 * 1024 * 1024,
            // An order file of the greatest size.
            body_bytes_per_address: 24 * 1024 * 1024,
            small_body_bytes: 96 * 1024 * 1024,
            small_body_bytes_per_address: 12 * 1024 * 1024,
            reply_bytes_per_device: 16 * 1024 * 1024,
            passwords_waiting: 64,
        }
    }
}
