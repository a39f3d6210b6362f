//! Changes bytes at random: most of what comes out is nearly right, which is where decoders break.

/// See the module. The same seed mutates alike (SplitMix64; Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub struct Mutator(u64);

impl Mutator {
    /// A mutator of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when that is 0.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(end).unwrap_or(0)).unwrap_or(0)
    }

    /// One to four changes of `bytes`; `other` lends pieces.
    pub fn mutate(&mut self, bytes: &[u8], other: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for _ in 0..self.below(4).saturating_add(1) {
            self.change_once(&mut changed, other);
        }
        changed
    }

    fn change_once(&mut self, bytes: &mut Vec<u8>, other: &[u8]) {
        const TELLING: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 0x10];
        let place = self.below(bytes.len());
        let kind = self.below(7);
        match (kind, bytes.get_mut(place)) {
            (0, Some(byte)) => *byte ^= 1u8.wrapping_shl(u32::try_from(self.next() % 8).unwrap_or(0)),
            (1, Some(byte)) => *byte = TELLING.get(self.below(TELLING.len())).copied().unwrap_or(0),
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
                // A length that promises far more than there is.
                drop(bytes.splice(place..place, [0xff, 0xff, 0xff, 0xff, 0x0f]));
            }
        }
    }
}
