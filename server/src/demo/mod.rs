//! A co-operative for the demo: Linxian County with 600 households, its products, and an autumn of
//! harvest lots, all generated from one fixed seed. People and figures are invented; products and seasons
//! are those of the region.

mod disagreements;
pub(crate) mod live_stream;
mod names;
pub(crate) mod order_files;

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::quantities::{Day, Fen, Grams, Instant, Permille};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::harvest::{self, LotDraft, record};
use granary_client_core::schema::order::{self, OrderStatus, PlainLine};
use granary_client_core::schema::receipt::{self, Outcome};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::{Book, DocumentKey, LotId, OrderName, Part, Season, cooperative, household};

use crate::engine::Granary;
use crate::engine::own_edits::{Edit, Edits};
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};
use names::{GIVEN, PRODUCTS, Product, SURNAMES, VILLAGES};

/// Households of the demo.
const HOUSEHOLDS: u64 = 600;
/// Orders of the demo.
const ORDERS: u64 = 120;
const SEED: u64 = 0x6772_616e_6172_7900;

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
    // At the end, where ids that were made at one time differ.
    for (place, byte) in random.iter_mut().rev().zip(number.to_le_bytes()) {
        *place = byte;
    }
    HouseholdId::generate(1_788_000_000_000, random)
}

/// Fills a new server with the demo's co-operative; `progress` gets the count of households done.
pub(crate) fn seed(granary: &Granary, now: Instant, progress: impl Fn(u64)) -> Result<CooperativeNumber, Error> {
    let number = granary.create_cooperative("临县山货合作社 · Linxian County Growers", now)?;
    let device = Cooperative::server_device(granary.cooperative(number)?.id());
    let villages =
        VILLAGES.map(|(code, name)| -> Edit { Box::new(move |doc| cooperative::set_village(doc, code, name)) });
    let opening = vec![
        Edits { key: DocumentKey::Cooperative(Part::FIRST), message: None, seen: None, edits: villages.into() },
        Edits { key: DocumentKey::Catalogue(Part::FIRST), message: None, seen: None, edits: catalogue_edits()? },
    ];
    granary.edit_as(number, device, now, opening)?;
    let mut dice = Dice(SEED);
    let season = Season::new(2026).ok_or_else(|| Error::invalid("season", String::from("2026")))?;
    for index in 0..HOUSEHOLDS {
        let id = household_id(index);
        let village = dice.pick(&VILLAGES).map_or("dongpo", |(code, _)| *code);
        let surname = dice.pick(&SURNAMES).copied().unwrap_or("李");
        let name = format!("{surname}{}", dice.pick(&GIVEN).copied().unwrap_or("秀英"));
        let lots = (0..4 + dice.roll(12)).map(|_| lot(&mut dice)).collect::<Result<Vec<_>, _>>()?;
        let edits = lots.into_iter().map(|draft| -> Edit { Box::new(move |doc| record(doc, &draft).map(drop)) });
        let books = vec![
            Edits::one(DocumentKey::Household(id), move |doc| household::set_name(doc, &name, village)),
            Edits {
                key: DocumentKey::HarvestBook(Book::first(id, season)),
                message: None,
                seen: None,
                edits: edits.collect(),
            },
        ];
        granary.edit_as(number, device, now, books)?;
        weigh(granary, number, device, now, id, season, &mut dice)?;
        progress(index.saturating_add(1));
    }
    live_stream::skus(granary, number, now)?;
    orders(granary, number, device, now, &mut dice)?;
    disagreements::write(granary, number, season, now)?;
    Ok(number)
}

/// Receives most of a household's lots; some are wet, few weigh more than recorded.
fn weigh(
    granary: &Granary,
    number: CooperativeNumber,
    device: DeviceId,
    now: Instant,
    id: HouseholdId,
    season: Season,
    dice: &mut Dice,
) -> Result<(), Error> {
    let Some(book) = granary.document(number, &DocumentKey::HarvestBook(Book::first(id, season)))? else {
        return Ok(());
    };
    let mut edits: Vec<Edit> = Vec::new();
    for lot in harvest::lots(&book) {
        let (Some(recorded), Some(day)) = (lot.quantity, lot.day) else { continue };
        let came = day.plus_days(1 + i32::try_from(dice.roll(9)).unwrap_or(0));
        let outcome = match dice.roll(100) {
            0..=29 => continue,
            30..=32 => Outcome::Rejected { reason: "受潮 · damp".into() },
            roll => {
                let change = if roll == 99 { 400 } else { -20 * i64::try_from(dice.roll(12)).unwrap_or(0) };
                let weighed = Grams::new(recorded.get() + change)?;
                Outcome::Received { weighed, grade: lot.grade.clone().unwrap_or_default() }
            }
        };
        let Some(lot) = LotId::in_book(book.key(), lot.key) else { continue };
        edits.push(Box::new(move |doc| receipt::receive(doc, &lot, &outcome, came)));
    }
    let key = DocumentKey::ReceiptBook(Book::first(id, season));
    granary.edit_as(number, device, now, vec![Edits { key, message: None, seen: None, edits }])
}

/// Orders of the last live-stream.
fn orders(
    granary: &Granary,
    number: CooperativeNumber,
    device: DeviceId,
    now: Instant,
    dice: &mut Dice,
) -> Result<(), Error> {
    let mut documents = Vec::new();
    for index in 0..ORDERS {
        let Some(product) = dice.pick(&PRODUCTS) else { break };
        let kilograms = 1 + i64::try_from(dice.roll(5)).unwrap_or(0);
        let line = PlainLine {
            product: product.code.into(),
            quantity: Grams::new(kilograms * 1000)?,
            price: Fen::new(product.fen_per_kilogram * 3 * kilograms)?,
        };
        let receiver = Receiver {
            name: Some(format!("{}先生", dice.pick(&SURNAMES).copied().unwrap_or("李"))),
            address: Some("太原市".to_owned()),
            ..Receiver::default()
        };
        let name = OrderName::of("douyin", &(69_120_000 + index).to_string());
        let status = *[OrderStatus::Placed, OrderStatus::Packed, OrderStatus::Shipped]
            .get(usize::try_from(dice.roll(3)).unwrap_or(0))
            .unwrap_or(&OrderStatus::Placed);
        let key = DocumentKey::Receiver(name.clone());
        documents.push(Edits::one(key, move |doc| receiver::set(doc, &receiver).map(drop)));
        documents.push(Edits::one(DocumentKey::Order(name), move |doc| {
            order::place(doc, &[line])?;
            order::set_status(doc, status)
        }));
    }
    granary.edit_as(number, device, now, documents)
}

fn catalogue_edits() -> Result<Vec<Edit>, Error> {
    let mut edits: Vec<Edit> = Vec::new();
    for Product { code, zh, en, fen_per_kilogram, .. } in PRODUCTS {
        edits.push(Box::new(move |doc| catalogue::name_product(doc, code, zh, en)));
        for (grade, share) in [("A", 100), ("B", 85), ("C", 65)] {
            let price = Fen::new(fen_per_kilogram * share / 100)?;
            let Some(name) = PriceName::new(grade.into(), None) else { continue };
            edits.push(Box::new(move |doc| catalogue::set_price(doc, code, &name, price)));
        }
    }
    Ok(edits)
}

fn lot(dice: &mut Dice) -> Result<LotDraft, Error> {
    let product =
        dice.pick(&PRODUCTS).ok_or_else(|| Error::NotFound { what: "product", name: "of the demo".into() })?;
    let begin: Day = product.harvest_begins.parse()?;
    let days = i32::try_from(dice.roll(30)).unwrap_or(0);
    // Sacks of ten to sixty kilograms, weighed to the half kilogram.
    let grams = 10_000 + i64::try_from(dice.roll(100)).unwrap_or(0) * 500;
    let moisture = product.moisture_permille + i64::try_from(dice.roll(25)).unwrap_or(0);
    Ok(LotDraft {
        product: product.code.to_owned(),
        quantity: Grams::new(grams)?,
        grade: dice.pick(&["A", "A", "B", "B", "B", "C"]).copied().unwrap_or("B").to_owned(),
        moisture: Some(Permille::new(moisture)?),
        day: begin.plus_days(days),
        place: String::new(),
        note: String::new(),
        photos: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The demo had none, or only such as no person would look at twice.
    #[test]
    fn demo_begins_with_real_disagreements() {
        use std::sync::Arc;
        let keys = tempfile::tempdir().unwrap();
        let store = Arc::new(granary_client_core::store::MemoryStore::default());
        let granary = Granary::open(store, keys.path(), None, |fault| panic!("{fault}")).unwrap();
        let number = granary.create_cooperative("Demo", Instant(0)).unwrap();
        let device = Cooperative::server_device(granary.cooperative(number).unwrap().id());
        let season = Season::new(2026).unwrap();
        let mut dice = Dice(SEED);
        for index in 0..40 {
            let key = DocumentKey::HarvestBook(Book::first(household_id(index), season));
            let draft = lot(&mut dice).unwrap();
            let edit = Edits::one(key, move |doc| record(doc, &draft).map(drop));
            granary.edit_as(number, device, Instant(0), vec![edit]).unwrap();
        }
        let told = disagreements::write(&granary, number, season, Instant(1)).unwrap();
        let (mut at_once, mut twice) = (0, 0);
        for index in 0..40 {
            let key = DocumentKey::HarvestBook(Book::first(household_id(index), season));
            let lots = harvest::lots(&granary.document(number, &key).unwrap().unwrap());
            at_once += lots.iter().filter(|lot| lot.in_conflict).count();
            twice += granary_client_core::conflicts::duplicate_lots(&lots).len();
        }
        assert_eq!((at_once, twice, told), (3, 2, 5));
    }

    #[test]
    fn generated_lots_are_plausible() {
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
