//! Where a world plays: who is in it, and what happens most.

/// Which phones there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Setting {
    /// Two co-operatives of three households each, and everything that happens to them.
    #[default]
    County,
    /// Phones of one household, which write in one document; more often than elsewhere one is copied or damaged, or
    /// the server is restored.
    Household,
    /// A co-operative that sells: shops that ask and tell, streams, a warehouse.
    Trade,
}

impl Setting {
    /// How many co-operatives there are.
    pub(crate) fn coops(self) -> usize {
        match self {
            Self::County => 2,
            Self::Household | Self::Trade => 1,
        }
    }

    /// How many households each of them has.
    pub(crate) fn households(self) -> u8 {
        match self {
            Self::County => 3,
            Self::Household | Self::Trade => 1,
        }
    }

    /// How many phones there are at most.
    pub(crate) fn phones_max(self) -> usize {
        match self {
            Self::County => 24,
            Self::Household | Self::Trade => 8,
        }
    }

    /// Whether the server is restored in the world of this seed, and whether phones are copied.
    pub(crate) fn restores_and_copies(self, seed: u64) -> (bool, bool) {
        match self {
            Self::County => (!seed.is_multiple_of(3), seed % 3 != 1),
            Self::Household | Self::Trade => (!seed.is_multiple_of(4), seed % 4 != 1),
        }
    }
}
