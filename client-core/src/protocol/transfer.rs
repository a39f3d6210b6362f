//! Resumption of exchanges after a broken line. A large request has a key, which is the beginning of its hash; so has a
//! large reply. After a break the phone asks `GET /k/KEY/N`, where it has N bytes of the reply:
//!
//! ```text
//! 200   the reply from its byte N on
//! 202   no reply yet; the header `o` says how many bytes of the request are there, and the phone posts
//!       the rest with the headers `k` and `o`
//! ```
//!
//! Both questions and rests have a third header, `p`: the device's signature that it is its exchange, made for this connection
//! (see [`super::signing::resume_statement`]).
//!
//! A request that was assembled from parts is checked against its key and then authenticated like any other, as signed for
//! the connection on which it began. Parts expire after some minutes; then the whole request is sent again, which is
//! idempotent.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Bodies of this many bytes or more have a key. A smaller one costs less to send again than to ask about.
pub const PART_BYTES_MIN: usize = 1_200;
/// The header with the key.
pub const KEY_HEADER: &str = "k";
/// The header with the offset.
pub const OFFSET_HEADER: &str = "o";
/// The header with the proof of a resumption.
pub const PROOF_HEADER: &str = "p";

/// A proof as its header has it: 86 letters.
pub fn write_proof(signature: &[u8; 64]) -> String {
    URL_SAFE_NO_PAD.encode(signature)
}

/// The proof in a header; none for other text.
pub fn read_proof(text: &str) -> Option<[u8; 64]> {
    let is_long = text.len() > 100;
    (!is_long).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten()?.try_into().ok()
}

/// Names a request or a reply; 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartKey(pub u64);

impl PartKey {
    /// The key of a request with this body.
    pub fn of(body: &[u8]) -> Self {
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = Sha256::digest(body).into();
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}

impl fmt::Display for PartKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for PartKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let right = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if right { u64::from_str_radix(text, 16).map(Self).map_err(|_| ()) } else { Err(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_round_trips() {
        let key = PartKey::of(b"a thousand lots");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!("+123456789abcdef".parse::<PartKey>().is_err());
    }

    #[test]
    fn proof_round_trips() {
        let proof = write_proof(&[0xa7; 64]);
        assert_eq!((proof.len(), read_proof(&proof)), (86, Some([0xa7; 64])));
        assert_eq!(read_proof(&proof[1..]), None);
        assert_eq!(read_proof(&"A".repeat(10_000)), None);
    }
}
