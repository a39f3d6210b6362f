//! Encryption of the phone's store under a key from the platform's key store: ChaCha20-Poly1305 (RFC 8439) with a fresh
//! nonce for each value and the row's key as associated data. A value can't be read, altered or moved to another row. The
//! tag replaces the checksum.
//!
//! ```text
//! nonce (12) | encrypted value | tag (16)
//! ```
//!
//! Keys stay in plain text. They reveal how many documents and changes there are, and their ids.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use super::StoreFault;

/// 32 random bytes that the platform's key store keeps for the app.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// A key of these bytes; none when they are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StoreKey(..)")
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Cipher {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Cipher {
    pub(super) fn new(key: &StoreKey) -> Result<Self, StoreFault> {
        let unusable = |_| StoreFault::Failed("the key can't be used".into());
        let key = UnboundKey::new(&CHACHA20_POLY1305, &key.0).map_err(unusable)?;
        Ok(Self { key: LessSafeKey::new(key), random: SystemRandom::new() })
    }

    pub(super) fn seal(&self, key: &[u8], value: &[u8]) -> Result<Vec<u8>, StoreFault> {
        let failed = |_| StoreFault::Failed("a record could not be encrypted".into());
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(failed)?;
        let mut text = value.to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(unique, Aad::from(key), &mut text).map_err(failed)?;
        Ok([nonce.as_slice(), &text].concat())
    }

    /// The value; none when it was altered, is of another row, or was sealed with another key.
    pub(super) fn unseal(&self, key: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let length = self.key.open_in_place(nonce, Aad::from(key), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_opens_only_with_its_key_and_row() {
        let cipher = Cipher::new(&StoreKey::from_bytes(&[1; 32]).unwrap()).unwrap();
        let sealed = cipher.seal(b"row", "谷子 30 kg".as_bytes()).unwrap();
        assert_eq!(cipher.unseal(b"row", &sealed).unwrap(), "谷子 30 kg".as_bytes());
        assert_eq!(cipher.unseal(b"other row", &sealed), None);
        let other = Cipher::new(&StoreKey::from_bytes(&[2; 32]).unwrap()).unwrap();
        assert_eq!(other.unseal(b"row", &sealed), None);
        for place in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[place] ^= 1;
            assert_eq!(cipher.unseal(b"row", &bad), None);
        }
        assert_eq!(cipher.unseal(b"row", &[]), None);
    }
}
