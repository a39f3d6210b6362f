//! Trains the compression dictionary of messages on generated documents: the forms of our changes, field names, days. Its
//! products, places and people are not those of the measured records.

use std::path::Path;

use granary_client_core::crdt::DocumentFault;
use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::{DeviceId, HouseholdId, Incarnation};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::protocol::messages::{Cursor, Receipt, SyncReply, SyncRequest, Tags, write_message};
use granary_client_core::quantities::{Day, Fen, Grams, Instant, Permille};
use granary_client_core::schema::catalogue::{PriceName, name_product, set_price};
use granary_client_core::schema::harvest::{LotDraft, LotEdit, correct, record};
use granary_client_core::schema::order::{OrderStatus, PlainLine, place, set_status, ship};
use granary_client_core::schema::receipt::{Outcome, receive};
use granary_client_core::schema::{
    Book, Document, DocumentKey, LotId, OrderName, Part, Season, cooperative, household,
};

use crate::records::Dice;

/// Large enough for every kind of change, small enough to load fast.
const DICTIONARY_BYTES: usize = 12 * 1024;
const SAMPLES: u64 = 3_000;
const SEED: u64 = 0x7261_696e;

const PRODUCTS: [&str; 10] =
    ["millet", "chestnut", "chilli", "walnut", "red-date", "buckwheat", "mung-bean", "potato", "honey", "pepper"];
const NOTES: [&str; 10] =
    ["东坡地", "wet sacks", "晒了三天", "late", "头一茬", "mixed grades", "补记", "for the school", "质量好", ""];
const PLACES: [&str; 6] = ["", "", "村口", "East field", "二号仓", "合作社"];

struct Author {
    document: Document,
    changes: Vec<VerifiedChange>,
    device: DeviceId,
    /// The opening of its store under way.
    incarnation: Incarnation,
    seconds: i64,
}

impl Author {
    fn new(key: DocumentKey, dice: &mut Dice) -> Self {
        let first = Document::first_change(&key).unwrap();
        let device = DeviceId::from_bytes(dice.roll(u64::MAX).to_be_bytes());
        let seconds = 1_756_000_000 + i64::try_from(dice.roll(200_000_000)).unwrap();
        Self {
            document: Document::new(key).unwrap(),
            changes: vec![first],
            device,
            incarnation: incarnation(dice),
            seconds,
        }
    }

    fn edit<R>(
        &mut self,
        dice: &mut Dice,
        edit: impl FnOnce(&mut granary_client_core::automerge::AutoCommit) -> Result<R, DocumentFault>,
    ) -> R {
        self.seconds += i64::try_from(dice.roll(4_000)).unwrap();
        let now = Instant::from_seconds(self.seconds);
        if dice.roll(12) == 0 {
            self.incarnation = incarnation(dice);
        }
        let (value, change) = self.document.edit(&self.device.actor(self.incarnation), now, edit).unwrap();
        self.changes.extend(change);
        value
    }

    /// What is sent: all of it, or what came last.
    fn changes(self, dice: &mut Dice) -> DocumentChanges {
        let skip = if dice.roll(3) == 0 {
            0
        } else {
            self.changes.len().saturating_sub(1 + usize::try_from(dice.roll(3)).unwrap())
        };
        DocumentChanges { key: self.document.key().clone(), changes: self.changes.into_iter().skip(skip).collect() }
    }
}

fn incarnation(dice: &mut Dice) -> Incarnation {
    Incarnation::new(u32::try_from(dice.roll(1 << 32)).unwrap())
}

fn id(dice: &mut Dice) -> HouseholdId {
    let random = [dice.roll(u64::MAX).to_be_bytes().as_slice(), &[1, 2]].concat();
    HouseholdId::generate(1_750_000_000_000 + dice.roll(100_000_000_000), random.try_into().unwrap())
}

fn day(dice: &mut Dice) -> Day {
    Day::new(2024 + i16::try_from(dice.roll(5)).unwrap(), 8, 20)
        .unwrap()
        .plus_days(i32::try_from(dice.roll(90)).unwrap())
}

fn lot(dice: &mut Dice) -> LotDraft {
    LotDraft {
        product: dice.pick(&PRODUCTS),
        quantity: Grams::new(5_000 + i64::try_from(dice.roll(120)).unwrap() * 500).unwrap(),
        grade: dice.pick(&["A", "A", "B", "B", "C", ""]),
        moisture: (dice.roll(3) > 0).then(|| Permille::new(100 + i64::try_from(dice.roll(100)).unwrap()).unwrap()),
        day: day(dice),
        place: dice.pick(&PLACES),
        note: dice.pick(&NOTES),
        photos: vec![],
    }
}

fn document(dice: &mut Dice) -> DocumentChanges {
    let season = Season::new(2024 + u16::try_from(dice.roll(5)).unwrap()).unwrap();
    match dice.roll(16) {
        0 => {
            let mut author = Author::new(DocumentKey::Household(id(dice)), dice);
            let name = dice.pick(&["何大山", "Wu family", "郑春燕"]);
            author.edit(dice, |doc| household::set_name(doc, &name, "qinglong"));
            author.changes(dice)
        }
        1 => {
            let mut author = Author::new(DocumentKey::Catalogue(Part::FIRST), dice);
            for code in PRODUCTS {
                author.edit(dice, |doc| name_product(doc, code, "山货", "Produce"));
                for grade in ["A", "B", "C"] {
                    let price = Fen::new(300 + i64::try_from(dice.roll(2_000)).unwrap()).unwrap();
                    let name = PriceName::new(grade.into(), None).unwrap();
                    author.edit(dice, |doc| set_price(doc, code, &name, price));
                }
            }
            author.changes(dice)
        }
        2 => {
            let mut author = Author::new(DocumentKey::Cooperative(Part::FIRST), dice);
            author.edit(dice, |doc| cooperative::set_name(doc, "Green Hill Growers"));
            author.edit(dice, |doc| cooperative::set_village(doc, "qinglong", "青龙村"));
            author.changes(dice)
        }
        3..=5 => {
            let household = id(dice);
            let mut author = Author::new(DocumentKey::ReceiptBook(Book::first(household, season)), dice);
            for _ in 0..=dice.roll(6) {
                let name = format!("{}@{:016x}00", 8 + dice.roll(4_000), dice.roll(u64::MAX));
                let lot = LotId::from_season_name(household, season, &name).unwrap();
                let outcome = if dice.roll(8) == 0 {
                    Outcome::Rejected { reason: dice.pick(&["受潮", "damp", "霉变"]) }
                } else {
                    let weighed = Grams::new(5_000 + i64::try_from(dice.roll(60_000)).unwrap()).unwrap();
                    Outcome::Received { weighed, grade: dice.pick(&["A", "B", "C"]) }
                };
                let day = day(dice);
                author.edit(dice, |doc| receive(doc, &lot, &outcome, day));
            }
            author.changes(dice)
        }
        6 | 7 => {
            let name = OrderName::of("kuaishou", &dice.roll(1 << 40).to_string());
            let mut author = Author::new(DocumentKey::Order(name), dice);
            let line = PlainLine {
                product: dice.pick(&PRODUCTS),
                quantity: Grams::new(500 * i64::try_from(1 + dice.roll(20)).unwrap()).unwrap(),
                price: Fen::new(i64::try_from(900 + dice.roll(9_000)).unwrap()).unwrap(),
            };
            author.edit(dice, |doc| place(doc, &[line]));
            author.edit(dice, |doc| set_status(doc, OrderStatus::Packed));
            author.edit(dice, |doc| ship(doc, "SF0000000000"));
            author.changes(dice)
        }
        _ => {
            let mut author = Author::new(DocumentKey::HarvestBook(Book::first(id(dice), season)), dice);
            let mut lots = Vec::new();
            for _ in 0..=dice.roll(12) {
                let draft = lot(dice);
                lots.push(author.edit(dice, |doc| record(doc, &draft)));
            }
            for _ in 0..dice.roll(4) {
                let which = usize::try_from(dice.roll(lots.len() as u64)).unwrap();
                let edit = match dice.roll(3) {
                    0 => LotEdit::Grade(dice.pick(&["A", "B", "C"])),
                    1 => LotEdit::Note(dice.pick(&NOTES)),
                    _ => LotEdit::Quantity(Grams::new(5_000 + i64::try_from(dice.roll(60_000)).unwrap()).unwrap()),
                };
                author.edit(dice, |doc| correct(doc, &lots[which], &edit));
            }
            author.changes(dice)
        }
    }
}

fn cursor(dice: &mut Dice) -> Cursor {
    let random = |dice: &mut Dice| u32::try_from(dice.roll(1 << 32)).unwrap();
    Cursor {
        position: dice.roll(100_000),
        receipt: Receipt::Own(dice.roll(100_000)),
        tags: Tags { position: random(dice), receipt: random(dice) },
        grants_version: 1,
        walk: None,
    }
}

fn message(dice: &mut Dice) -> Vec<u8> {
    let documents: Vec<DocumentChanges> = match dice.roll(5) {
        0 => Vec::new(),
        1 => (0..=dice.roll(6)).map(|_| document(dice)).collect(),
        _ => vec![document(dice)],
    };
    let bundle = if documents.is_empty() { Vec::new() } else { write_bundle(&documents) };
    if dice.roll(2) == 0 {
        write_message(&SyncRequest {
            cursor: cursor(dice),
            page_kilobytes: [2, 64, 128, 1024][usize::try_from(dice.roll(4)).unwrap()],
            bundle,
            ..SyncRequest::default()
        })
    } else {
        write_message(&SyncReply { cursor: cursor(dice), bundle, ..SyncReply::default() })
    }
}

/// Writes the dictionary to this file.
pub(crate) fn run(path: &Path) {
    let mut dice = Dice::new(SEED);
    let samples: Vec<Vec<u8>> = (0..SAMPLES).map(|_| message(&mut dice)).collect();
    let dictionary = zstd::dict::from_samples(&samples, DICTIONARY_BYTES).unwrap();
    std::fs::write(path, &dictionary).unwrap();
    let plain: usize = samples.iter().map(|sample| zstd::bulk::compress(sample, 19).unwrap().len()).sum();
    let mut with = zstd::bulk::Compressor::with_dictionary(19, &dictionary).unwrap();
    let packed: usize = samples.iter().map(|sample| with.compress(sample).unwrap().len()).sum();
    println!(
        "{} bytes from {} samples of {} bytes: {plain} bytes without it, {packed} with it",
        dictionary.len(),
        samples.len(),
        samples.iter().map(Vec::len).sum::<usize>()
    );
}
