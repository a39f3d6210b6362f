//! The checksum of every stored value: XXH3 (64 bits) over key and value. It detects flipped bits and values under a wrong
//! key, which the engines below return without an error.

use xxhash_rust::xxh3::Xxh3;

fn checksum(key: &[u8], value: &[u8]) -> [u8; 8] {
    let mut hasher = Xxh3::new();
    hasher.update(&(key.len() as u64).to_le_bytes());
    hasher.update(key);
    hasher.update(value);
    hasher.digest().to_le_bytes()
}

/// The value, followed by its checksum.
pub fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut sealed = value.to_vec();
    sealed.extend_from_slice(&checksum(key, value));
    sealed
}

/// The value without its checksum; none when the checksum does not match.
pub fn unseal(key: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let length = sealed.len().checked_sub(8)?;
    let (value, sum) = sealed.split_at_checked(length)?;
    if checksum(key, value) != sum {
        return None;
    }
    sealed.truncate(length);
    Some(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flipped_bit_is_detected() {
        let sealed = seal(b"key", b"value");
        assert_eq!(unseal(b"key", sealed.clone()), Some(b"value".to_vec()));
        assert_eq!(unseal(b"kez", sealed.clone()), None);
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(unseal(b"key", damaged), None);
        }
    }
}
