//! What a household's other lots say of a lot: between which weights it is usual, and whether its product and place were
//! recorded before. One rule for phones, forms and lists: each knows the lots of the household that it asks about.

use super::sentences::Unusual;
use crate::quantities::Grams;
use crate::schema::LotId;

/// Earlier lots of one product from which what is usual is told; fewer say it roughly.
const EARLIER_MIN: usize = 5;
/// This many times the heavy ones among earlier lots is far outside.
const HEAVY_TIMES: i64 = 5;
/// And this part of the light ones.
const LIGHT_PART: i64 = 50;
/// Bounds where nothing is known of earlier lots.
const GRAMS_USUAL: std::ops::RangeInclusive<i64> = 100..=2_000_000;
/// As many times the heaviest, where lots of any product or too few of this one are all that is known.
const HEAVY_TIMES_WIDE: i64 = 10;
/// And this part of the lightest.
const LIGHT_PART_WIDE: i64 = 100;
/// So many any household brings: a light lot that is wrong must not make it unusual.
const GRAMS_USUAL_OF_ANY: i64 = 100_000;

/// Another lot of a household.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierLot {
    /// Which; none where its row can't be read.
    pub lot: Option<LotId>,
    /// The product's code.
    pub product: String,
    /// The weight; none for one that can't be read.
    pub grams: Option<i64>,
    /// The place; empty for none.
    pub place: String,
}

/// See the module. Nothing is known by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Earlier {
    /// Between which weights a lot is usual.
    pub weights: UsualWeights,
    /// True when the household has another lot of the product.
    pub has_product: bool,
    /// True when the household has another lot of the place.
    pub has_place: bool,
}

impl Earlier {
    /// What a household's lots say of one of this product and place; `lot` itself, where it is among them, does not count.
    pub fn of(lots: &[EarlierLot], product: &str, place: &str, lot: Option<&LotId>) -> Self {
        let others: Vec<&EarlierLot> = lots.iter().filter(|other| lot.is_none() || other.lot.as_ref() != lot).collect();
        Self {
            weights: UsualWeights::of(product, &others),
            has_product: others.iter().any(|other| other.product == product),
            has_place: others.iter().any(|other| other.place == place),
        }
    }
}

/// Between which weights a lot is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsualWeights {
    least: i64,
    most: i64,
}

/// What is usual where nothing is known of earlier lots.
impl Default for UsualWeights {
    fn default() -> Self {
        Self { least: *GRAMS_USUAL.start(), most: *GRAMS_USUAL.end() }
    }
}

impl UsualWeights {
    /// What is usual after these weights in grams, in any order; none where they are too few to tell.
    fn after(mut earlier: Vec<i64>) -> Option<Self> {
        if earlier.len() < EARLIER_MIN {
            return None;
        }
        earlier.sort_unstable();
        // Not the lightest and the heaviest: one lot that was wrong must not make the next one usual.
        let tenth = (earlier.len() / 10).max(1);
        let light = earlier.get(tenth).copied().unwrap_or(1);
        let heavy = earlier.iter().rev().nth(tenth).copied().unwrap_or(i64::MAX);
        Some(Self { least: (light / LIGHT_PART).max(1), most: heavy.saturating_mul(HEAVY_TIMES).min(1_000_000_000) })
    }

    /// What is usual by these weights of few lots, or of lots of any product: wider than [`Self::after`], and never wider
    /// than where nothing is known. None without any.
    fn roughly_after(earlier: &[i64]) -> Option<Self> {
        let (light, heavy) = (earlier.iter().min()?, earlier.iter().max()?);
        let Self { least, most } = Self::default();
        // Few can all be wrong: one that is far too heavy must not make the right one unusual.
        let least = if earlier.len() < EARLIER_MIN { least } else { (light / LIGHT_PART_WIDE).clamp(least, most) };
        let most = heavy.saturating_mul(HEAVY_TIMES_WIDE).clamp(GRAMS_USUAL_OF_ANY, most);
        // All of many lots are heavier than is usual anywhere.
        Some(Self { least: least.min(most), most })
    }

    /// What is usual for a lot of a product among a household's other lots: by those of the product, or else roughly by all.
    fn of(product: &str, others: &[&EarlierLot]) -> Self {
        let of_product = others.iter().filter(|lot| lot.product == product).filter_map(|lot| lot.grams);
        let all = || others.iter().filter_map(|lot| lot.grams).collect::<Vec<_>>();
        Self::after(of_product.collect()).or_else(|| Self::roughly_after(&all())).unwrap_or_default()
    }

    pub(super) fn far(self, grams: Grams) -> Option<Unusual> {
        if (self.least..=self.most).contains(&grams.get()) {
            return None;
        }
        Some(Unusual::Weight { grams, least: Grams::new(self.least).ok()?, most: Grams::new(self.most).ok()? })
    }
}
