//! Inflates change chunks, since Automerge's own clients deflate larger ones. The output is bounded before it is kept.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::super::leb128::Reader;
use super::super::limits::CHANGE_BYTES_MAX;
use super::write::{CHUNK_CHANGE_DEFLATED, MAGIC, seal};
use super::{ChangeFault, VerifiedChange};

impl VerifiedChange {
    /// Reads a chunk that may be deflated, and verifies it as [`Self::from_chunk`] does.
    pub fn from_any_chunk(chunk: &[u8]) -> Result<Self, ChangeFault> {
        let mut reader = Reader::new(chunk);
        let (magic, checksum, kind) = (reader.array::<4>()?, reader.array::<4>()?, reader.byte()?);
        if magic != MAGIC || kind != CHUNK_CHANGE_DEFLATED {
            return Self::from_chunk(chunk);
        }
        let deflated = reader.prefixed()?;
        if !reader.is_empty() {
            return Err(ChangeFault::Malformed("bytes follow the change"));
        }
        let mut body = Vec::new();
        let most = u64::try_from(CHANGE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        DeflateDecoder::new(deflated)
            .take(most)
            .read_to_end(&mut body)
            .map_err(|_| ChangeFault::Malformed("the deflated bytes can't be inflated"))?;
        let (hash, chunk) = seal(&body);
        // The checksum is that of the chunk before it was deflated.
        if hash.as_bytes().iter().take(4).ne(checksum.iter()) {
            return Err(ChangeFault::Checksum);
        }
        Self::from_chunk(&chunk)
    }
}

#[cfg(test)]
mod tests {
    use automerge::transaction::Transactable;
    use automerge::{AutoCommit, ROOT};

    use super::*;

    #[test]
    fn deflated_chunk_is_the_same_change() {
        let mut document = AutoCommit::new();
        document.put(ROOT, "note", "north terrace, ".repeat(40)).unwrap();
        let mut change = document.get_last_local_change().unwrap();
        let plain = VerifiedChange::from_chunk(change.raw_bytes()).unwrap();
        let deflated = change.bytes().to_vec();
        assert!(deflated.len() < plain.chunk().len(), "Automerge deflates a change of this size");
        assert_eq!(VerifiedChange::from_any_chunk(&deflated).unwrap().hash(), plain.hash());
        let mut wrong = deflated.clone();
        wrong[5] ^= 1;
        assert_eq!(VerifiedChange::from_any_chunk(&wrong).unwrap_err(), ChangeFault::Checksum);
    }

    #[test]
    fn inflation_bomb_is_refused() {
        use std::io::Write;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        (0..64).for_each(|_| encoder.write_all(&[0; 1024 * 1024]).unwrap());
        let deflated = encoder.finish().unwrap();
        let mut chunk = MAGIC.to_vec();
        chunk.extend_from_slice(&[0; 4]);
        chunk.push(CHUNK_CHANGE_DEFLATED);
        super::super::super::leb128::write_prefixed(&mut chunk, &deflated);
        assert!(VerifiedChange::from_any_chunk(&chunk).is_err());
    }
}
