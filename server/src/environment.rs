//! Sources of non-determinism: random bytes and the time. A simulation replaces the first, and gives the
//! second as an argument.

use std::sync::Arc;

use granary_client_core::quantities::Instant;

use crate::error::Error;

/// The source of random bytes: the operating system, or a simulation's seed.
pub type Rng = Arc<dyn Fn(&mut [u8]) -> Result<(), Error> + Send + Sync>;

/// Sources of non-determinism that a simulation replaces.
#[derive(Clone)]
pub struct Environment {
    /// Random bytes.
    pub rng: Rng,
    /// Jobs in one flush at most; none for the writer's own limit. With more than one, results depend on thread timing.
    pub jobs_per_flush: Option<usize>,
}

impl Default for Environment {
    fn default() -> Self {
        Self { rng: Arc::new(fill_random), jobs_per_flush: None }
    }
}

/// Random bytes of the operating system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    fill_random(&mut bytes)?;
    Ok(bytes)
}

/// Fills with random bytes of the operating system.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), Error> {
    use ring::rand::SecureRandom;
    ring::rand::SystemRandom::new().fill(bytes).map_err(|_| Error::NoRandomness)
}

/// The present time by this machine's clock.
pub(crate) fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Instant(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// The bytes that hexadecimal digits name; none for any other text.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(pair).collect())?
}

/// The first bytes of a text's SHA-256, as many as are asked for, 32 at most: to tell same from other.
pub(crate) fn digest_begins<const N: usize>(text: &[u8]) -> [u8; N] {
    let hash = ring::digest::digest(&ring::digest::SHA256, text);
    let mut bytes = [0; N];
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, of_hash)| *byte = *of_hash);
    bytes
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
