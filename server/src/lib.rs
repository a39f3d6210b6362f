//! Granary's server: it takes changes, makes them durable, admits them, and gives them to whoever may
//! read them. Everything below `api` and `serve` is plain code without sockets.

pub mod access;
mod admin;
pub mod cli;
mod config;
mod console;
mod demo;
mod engine;
mod error;
mod http;
pub mod interop;
pub mod log;
mod maintenance;
mod metrics;
mod serve;
pub mod store;
mod tls;

pub use config::{Config, OwnCertificate};
pub use engine::own_edits::{Edit, Edits};
pub use engine::{Caller, Chance, Granary, Surroundings};
pub use error::Error;
pub use http::Limits;
pub use serve::{Server, start};

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

/// Fills with random bytes of the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    use ring::rand::SecureRandom;
    ring::rand::SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Error::Usage("the operating system gives no random numbers".into()))
}

/// Now, by this machine's clock.
pub(crate) fn now() -> granary_client_core::quantities::Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    granary_client_core::quantities::Instant(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
