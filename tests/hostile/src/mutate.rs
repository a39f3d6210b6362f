//! Random mutations of valid inputs. Most results are nearly valid, which is where decoders break.

/// See the module. A seed gives the same mutations each time (SplitMix64; Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub struct Mutator(u64);

impl Mutator {
    /// A mutator of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(end).unwrap_or(0)).unwrap_or(0)
    }

    /// Applies one to four mutations to `bytes`. Insertions are pieces of `other`.
    pub fn mutate(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut mutated = bytes.to_vec();
        for _ in 0..self.below(4).saturating_add(1) {
            self.mutate_once(&mut mutated, other);
        }
        mutated
    }

    fn mutate_once(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        /// Bytes at the edges of number and length encodings.
        const BOUNDARIES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 0x10];
        let place = self.below(bytes.len());
        let kind = self.below(7);
        match (kind, bytes.get_mut(place)) {
            (0, Some(byte)) => *byte ^= 1u8.wrapping_shl(u32::try_from(self.next() % 8).unwrap_or(0)),
            (1, Some(byte)) => *byte = BOUNDARIES.get(self.below(BOUNDARIES.len())).copied().unwrap_or(0),
            (2, Some(byte)) => *byte = byte.wrapping_add(1),
            (3, _) => bytes.truncate(place),
            (4, Some(_)) => {
                let end = place.saturating_add(self.below(16)).min(bytes.len());
                drop(bytes.drain(place..end));
            }
            (5, _) => {
                let from = self.below(other.len());
                let length = self.below(32);
                let piece: Vec<u8> = other.iter().skip(from).take(length).copied().collect();
                drop(bytes.splice(place..place, piece));
            }
            _ => {
                // A length far beyond the input.
                drop(bytes.splice(place..place, [0xff, 0xff, 0xff, 0xff, 0x0f]));
            }
        }
    }
}
