//! A co-operative to try things on: Linxian County with 600 households, its products, and an autumn of
//! harvest lots, all made from one fixed seed. People and figures are invented; products and seasons
//! are those of the region.

mod words;

use granary_client_core::automerge::AutoCommit;
use granary_client_core::documents::harvest::{LotDraft, record};
use granary_client_core::documents::{DocumentFault, DocumentKey, Season, catalogue, cooperative, household};
use granary_client_core::ids::HouseholdId;
use granary_client_core::quantities::{Day, Fen, Grams, Instant, Permille};

use crate::error::Error;
use crate::granary::Granary;
use crate::log::CooperativeNumber;
use words::{GIVEN, PRODUCTS, Product, SURNAMES, VILLAGES};

/// Households of the demo.
const HOUSEHOLDS: u64 = 600;
const SEED: u64 = 0x6772_616e_6172_7900;

type Edit = Box<dyn FnOnce(&mut AutoCommit) -> Result<(), DocumentFault>>;

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.roll(from.len() as u64);
        from.get(usize::try_from(place).ok()?)
    }
}

/// The id of the demo's household of this number, from 0.
pub(crate) fn household_id(number: u64) -> HouseholdId {
    let mut random = [0u8; 10];
    for (place, byte) in random.iter_mut().zip(number.to_be_bytes()) {
        *place = byte;
    }
    HouseholdId::generate(1_788_000_000_000, random)
}

/// Fills a new server with the demo's co-operative; `progress` is told the households done.
pub(crate) fn seed(granary: &Granary, now: Instant, progress: impl Fn(u64)) -> Result<CooperativeNumber, Error> {
    let number = granary.create_cooperative("临县山货合作社 · Linxian County Growers", now)?;
    let villages =
        VILLAGES.map(|(code, name)| -> Edit { Box::new(move |doc| cooperative::set_village(doc, code, name)) });
    granary.edit_many(number, &DocumentKey::Cooperative, now, villages)?;
    granary.edit_many(number, &DocumentKey::Catalogue, now, catalogue_edits()?)?;
    let mut dice = Dice(SEED);
    let season = Season::new(2026).ok_or_else(|| Error::Usage("the demo's season is out of range".into()))?;
    for index in 0..HOUSEHOLDS {
        let id = household_id(index);
        let village = dice.pick(&VILLAGES).map_or("dongpo", |(code, _)| *code);
        let surname = dice.pick(&SURNAMES).copied().unwrap_or("李");
        let name = format!("{surname}{}", dice.pick(&GIVEN).copied().unwrap_or("秀英"));
        let particulars: [Edit; 1] = [Box::new(move |doc| household::set_name(doc, &name, village))];
        granary.edit_many(number, &DocumentKey::Household(id), now, particulars)?;
        let lots = (0..4 + dice.roll(12)).map(|_| lot(&mut dice)).collect::<Result<Vec<_>, _>>()?;
        let edits = lots.into_iter().map(|draft| -> Edit { Box::new(move |doc| record(doc, &draft).map(drop)) });
        granary.edit_many(number, &DocumentKey::HarvestBook(id, season), now, edits)?;
        progress(index.saturating_add(1));
    }
    Ok(number)
}

fn catalogue_edits() -> Result<Vec<Edit>, Error> {
    let mut edits: Vec<Edit> = Vec::new();
    for Product { code, zh, en, fen_per_kilogram, .. } in PRODUCTS {
        edits.push(Box::new(move |doc| catalogue::name_product(doc, code, zh, en)));
        for (grade, share) in [("A", 100), ("B", 85), ("C", 65)] {
            let price = Fen::new(fen_per_kilogram * share / 100).map_err(|fault| Error::Usage(fault.to_string()))?;
            edits.push(Box::new(move |doc| catalogue::set_price(doc, code, grade, price)));
        }
    }
    Ok(edits)
}

fn lot(dice: &mut Dice) -> Result<LotDraft, Error> {
    let usage = |fault: granary_client_core::quantities::QuantityFault| Error::Usage(fault.to_string());
    let product = dice.pick(&PRODUCTS).ok_or_else(|| Error::Usage("the demo has no products".into()))?;
    let begin: Day = product.harvest_begins.parse().map_err(usage)?;
    let days = i32::try_from(dice.roll(30)).unwrap_or(0);
    // Sacks of ten to sixty kilograms, weighed to the half kilogram.
    let grams = 10_000 + i64::try_from(dice.roll(100)).unwrap_or(0) * 500;
    let moisture = product.moisture_permille + i64::try_from(dice.roll(25)).unwrap_or(0);
    Ok(LotDraft {
        product: product.code.to_owned(),
        quantity: Grams::new(grams).map_err(usage)?,
        grade: dice.pick(&["A", "A", "B", "B", "B", "C"]).copied().unwrap_or("B").to_owned(),
        moisture: Some(Permille::new(moisture).map_err(usage)?),
        day: begin.plus_days(days),
        place: String::new(),
        note: String::new(),
        photos: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_roll_makes_a_plausible_lot() {
        let mut dice = Dice(SEED);
        for _ in 0..5_000 {
            let draft = lot(&mut dice).unwrap();
            assert!((10_000..=60_000).contains(&draft.quantity.get()));
            assert!(draft.day.to_string().starts_with("2026-"));
        }
        assert_ne!(household_id(1), household_id(2));
        assert!(catalogue_edits().is_ok());
    }
}
