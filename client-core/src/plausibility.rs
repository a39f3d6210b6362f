//! What is unusual about a lot: asked back before it is recorded, allowed when it is confirmed, listed for coordinators. Pure: the
//! catalogue, the day and earlier weights come in.

use std::collections::BTreeSet;

use crate::ids::HouseholdId;
use crate::quantities::{Day, Grams, decimal};
use crate::schema::Season;
use crate::schema::catalogue::{Catalogue, Product};
use crate::words::Words;

/// Earlier lots from which what is usual is told; fewer say nothing.
const EARLIER_MIN: usize = 5;
/// This many times the heavy ones among earlier lots is far outside.
const HEAVY_TIMES: i64 = 5;
/// And this part of the light ones.
const LIGHT_PART: i64 = 50;
/// Bounds where nothing is known of earlier lots.
const GRAMS_USUAL: std::ops::RangeInclusive<i64> = 100..=5_000_000;
/// As many times the heaviest, where lots of any product or too few of this one are all that is known.
const HEAVY_TIMES_WIDE: i64 = 20;
/// And this part of the lightest.
const LIGHT_PART_WIDE: i64 = 200;
/// Letters of a household's id that may differ from what was meant.
const ID_LETTERS_OFF_MAX: usize = 4;
/// Letters of a code that may differ from what was meant.
const LETTERS_OFF_MAX: usize = 2;

/// What is unusual about a lot. Show the sentence and ask; what is confirmed may be recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusual {
    /// The catalogue has no such product.
    #[error("the catalogue has no product {product:?}{}", .meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean {meant}?")))]
    Product {
        /// As it was given.
        product: String,
        /// The code that was meant, as far as one looks like it.
        meant: Option<String>,
    },
    /// The catalogue has no price for the grade.
    #[error("the catalogue has no grade {grade:?} of this product; it has {}", .known.join(", "))]
    Grade {
        /// As it was given.
        grade: String,
        /// Those that the catalogue has.
        known: Vec<String>,
    },
    /// This phone knows all households of the co-operative, and this is none of them.
    #[error("there is no household {household}{}", .meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean {meant}?")))]
    Household {
        /// As it was given.
        household: HouseholdId,
        /// The id that was meant, with the household's name, as far as one looks like it.
        meant: Option<String>,
    },
    /// The day is to come.
    #[error("the day {day} is in the future; today is {today}")]
    Future {
        /// Of the lot.
        day: Day,
        /// Today.
        today: Day,
    },
    /// The day is in another season.
    #[error("the day {day} is not in the season {}", .season.year())]
    OtherSeason {
        /// Of the lot.
        day: Day,
        /// The season that was meant.
        season: Season,
    },
    /// The weight is far outside what was recorded before.
    #[error("{} kg is far from what is usual here, {} to {} kg", kilograms(.grams), kilograms(.least), kilograms(.most))]
    Weight {
        /// Of the lot.
        grams: Grams,
        /// Usual at least.
        least: Grams,
        /// Usual at most.
        most: Grams,
    },
}

fn kilograms(grams: &Grams) -> String {
    decimal(grams.get(), 1000)
}

impl Unusual {
    /// A name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Product { .. } => "unknown-product",
            Self::Grade { .. } => "unknown-grade",
            Self::Household { .. } => "unknown-household",
            Self::Future { .. } => "day-in-the-future",
            Self::OtherSeason { .. } => "day-in-another-season",
            Self::Weight { .. } => "weight-far-from-usual",
        }
    }

    /// The lot's field, as [`crate::schema::harvest::FIELDS`] has it, or `household`.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Product { .. } => "product",
            Self::Grade { .. } => "grade",
            Self::Household { .. } => "household",
            Self::Future { .. } | Self::OtherSeason { .. } => "day",
            Self::Weight { .. } => "grams",
        }
    }
}

impl Words for Unusual {
    fn chinese(&self) -> String {
        match self {
            Self::Product { product, meant: None } => format!("产品目录里没有“{product}”"),
            Self::Product { product, meant: Some(meant) } => {
                format!("产品目录里没有“{product}”；是不是 {meant}？")
            }
            Self::Grade { grade, known } => {
                format!("产品目录里这种产品没有“{grade}”级；有 {}", known.join("、"))
            }
            Self::Household { household, meant: None } => format!("没有 {household} 这一户"),
            Self::Household { household, meant: Some(meant) } => format!("没有 {household} 这一户；是不是 {meant}？"),
            Self::Future { day, today } => format!("日期 {day} 还没有到；今天是 {today}"),
            Self::OtherSeason { day, season } => format!("日期 {day} 不在 {} 季", season.year()),
            Self::Weight { grams, least, most } => {
                let (least, most) = (kilograms(least), kilograms(most));
                format!("{} 公斤与平常的 {least} 到 {most} 公斤相差很远", kilograms(grams))
            }
        }
    }
}

/// The fields of a lot that can be unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// The product's code.
    pub product: &'a str,
    /// The weight.
    pub quantity: Option<Grams>,
    /// The grade; empty for none.
    pub grade: &'a str,
    /// The day.
    pub day: Option<Day>,
}

impl Facts<'_> {
    /// The figures as one text, for a note that somebody looked at just these.
    pub fn figures(&self) -> String {
        let (grams, day) = (self.quantity.map(|grams| grams.to_string()), self.day.map(|day| day.to_string()));
        format!("{} · {} · {} · {}", self.product, grams.unwrap_or_default(), self.grade, day.unwrap_or_default())
    }
}

/// What is usual.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usual<'a> {
    /// The catalogue; none before it was synced, and then no product is unknown.
    pub catalogue: Option<&'a Catalogue>,
    /// Today; none where the clock can't be trusted.
    pub today: Option<Day>,
    /// The season in which lots are recorded.
    pub season: Option<Season>,
    /// The weights of earlier lots.
    pub weights: UsualWeights,
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
    pub fn after(mut earlier: Vec<i64>) -> Option<Self> {
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

    /// What is usual by these weights of few lots, or of lots of any product: far wider than [`Self::after`], and never wider
    /// than where nothing is known. None without any.
    pub fn roughly_after(earlier: &[i64]) -> Option<Self> {
        let (light, heavy) = (earlier.iter().min()?, earlier.iter().max()?);
        let Self { least, most } = Self::default();
        Some(Self {
            least: (light / LIGHT_PART_WIDE).max(least),
            most: heavy.saturating_mul(HEAVY_TIMES_WIDE).clamp(least, most),
        })
    }

    fn far(self, grams: Grams) -> Option<Unusual> {
        if (self.least..=self.most).contains(&grams.get()) {
            return None;
        }
        Some(Unusual::Weight { grams, least: Grams::new(self.least).ok()?, most: Grams::new(self.most).ok()? })
    }
}

/// What is unusual about a household, where `known` are all of the co-operative with their names.
pub fn unknown_household(household: HouseholdId, known: &[(HouseholdId, String)]) -> Option<Unusual> {
    if known.is_empty() || known.iter().any(|(id, _)| *id == household) {
        return None;
    }
    let given = household.to_string();
    let nearest = known.iter().map(|(id, name)| (letters_off(&given, &id.to_string()), id, name)).min()?;
    let meant = (nearest.0 <= ID_LETTERS_OFF_MAX).then(|| match nearest.2.as_str() {
        "" => nearest.1.to_string(),
        name => format!("{} ({name})", nearest.1),
    });
    Some(Unusual::Household { household, meant })
}

/// All that is unusual about a lot, in the order of its fields.
pub fn unusual(lot: &Facts<'_>, usual: &Usual<'_>) -> Vec<Unusual> {
    let mut found = Vec::new();
    if let Some(catalogue) = usual.catalogue {
        match catalogue.products.iter().find(|product| product.code == lot.product) {
            None => {
                found.push(Unusual::Product { product: lot.product.to_owned(), meant: meant(lot.product, catalogue) })
            }
            Some(product) => found.extend(unknown_grade(lot.grade, product)),
        }
    }
    found.extend(lot.quantity.and_then(|grams| usual.weights.far(grams)));
    if let Some(day) = lot.day {
        match (usual.today, usual.season) {
            (Some(today), _) if day > today => found.push(Unusual::Future { day, today }),
            (_, Some(season)) if Season::of(day) != Some(season) => found.push(Unusual::OtherSeason { day, season }),
            _ => {}
        }
    }
    found
}

fn unknown_grade(grade: &str, product: &Product) -> Option<Unusual> {
    let known: BTreeSet<&String> = product.price_by_grade.keys().map(|name| &name.grade).collect();
    let is_unknown = !grade.is_empty() && !known.is_empty() && !known.iter().any(|known| *known == grade);
    is_unknown.then(|| Unusual::Grade { grade: grade.to_owned(), known: known.into_iter().cloned().collect() })
}

/// The product whose code or name looks most like what was given.
fn meant(given: &str, catalogue: &Catalogue) -> Option<String> {
    let given = given.trim().to_lowercase();
    // Of a short word, one letter off is another word already.
    let most = LETTERS_OFF_MAX.min(given.chars().count() / 3);
    let names = |product: &Product| {
        [Some(product.code.clone()), product.name_zh.clone(), product.name_en.clone()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    };
    let distance = |product: &Product| {
        names(product).iter().map(|name| letters_off(&given, &name.to_lowercase())).min().unwrap_or(usize::MAX)
    };
    let nearest = catalogue.products.iter().map(|product| (distance(product), &product.code)).min()?;
    (nearest.0 <= most).then(|| nearest.1.clone())
}

/// Letters that must be added, taken away, changed or swapped with their neighbour to make one word of the other.
fn letters_off(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.iter().take(64).enumerate() {
        let mut next = vec![row.saturating_add(1)];
        for (column, against) in other.iter().enumerate() {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX / 2);
            let mut least = at(&last, column).saturating_add(usize::from(letter != against));
            least = least
                .min(at(&last, column.saturating_add(1)).saturating_add(1))
                .min(at(&next, column).saturating_add(1));
            let (left, up) = (column.checked_sub(1), row.checked_sub(1));
            if let (Some(left), Some(up)) = (left, up)
                && one.get(up) == Some(against)
                && other.get(left) == Some(letter)
            {
                least = least.min(at(&before, left).saturating_add(1));
            }
            next.push(least);
        }
        before = std::mem::replace(&mut last, next);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
