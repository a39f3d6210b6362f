//! The measured records: harvest lots from a seed, of a county that the demo does not have. The sum of the bits of all
//! random choices is the lower bound of any encoding.

use granary_client_core::quantities::{Day, Grams, Permille};
use granary_client_core::schema::harvest::LotDraft;

/// SplitMix64 (Steele, Lea and Flood, 2014) that counts the entropy of its numbers.
pub(crate) struct Dice {
    state: u64,
    pub(crate) bits: f64,
}

const PRODUCTS: [&str; 6] = ["hawthorn", "sorghum", "tea-oil-fruit", "ginger", "kiwi", "broomcorn"];
const GRADES: [&str; 3] = ["A", "B", "C"];
const PLACES: [&str; 9] =
    ["North terrace", "Mill pond", "后坡", "Old kiln", "七里沟", "Ferry field", "老井边", "Stone bridge", "南台"];
const NOTES: [&str; 8] = [
    "dried two days in the yard",
    "雨后收的",
    "some sacks damp at the bottom",
    "picked by hand",
    "二叔帮忙装车",
    "weighed twice",
    "给学校留了两袋",
    "sorted",
];

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, bits: 0.0 }
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.bits += (sides as f64).log2();
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub(crate) fn pick(&mut self, from: &[&str]) -> String {
        from[usize::try_from(self.roll(from.len() as u64)).unwrap()].to_owned()
    }

    /// A lot of eight fields; the day moves on by none or one from the last.
    pub(crate) fn lot(&mut self, day: &mut Day) -> LotDraft {
        *day = day.plus_days(i32::from(self.roll(20) == 0));
        LotDraft {
            product: self.pick(&PRODUCTS),
            quantity: Grams::new(8_000 + i64::try_from(self.roll(150)).unwrap() * 500).unwrap(),
            grade: self.pick(&GRADES),
            moisture: Some(Permille::new(100 + i64::try_from(self.roll(90)).unwrap()).unwrap()),
            day: *day,
            place: self.pick(&PLACES),
            note: if self.roll(4) == 0 { self.pick(&NOTES) } else { String::new() },
            photos: Vec::new(),
        }
    }
}

/// This many lots, and their entropy in bits.
pub(crate) fn lots(seed: u64, count: usize) -> (Vec<LotDraft>, f64) {
    let mut dice = Dice::new(seed);
    let mut day = Day::new(2025, 9, 3).unwrap();
    let lots = (0..count).map(|_| dice.lot(&mut day)).collect();
    (lots, dice.bits)
}

/// A record as JSON, without a name.
pub(crate) fn plain(lot: &LotDraft) -> serde_json::Value {
    serde_json::json!({
        "product": lot.product,
        "grams": lot.quantity.get(),
        "grade": lot.grade,
        "moisture": lot.moisture.map(Permille::get),
        "day": lot.day.to_string(),
        "place": lot.place,
        "note": lot.note,
    })
}

/// The same records as JSON lines with a random id of 32 hexadecimal digits each.
pub(crate) fn json_lines(lots: &[LotDraft]) -> Vec<u8> {
    let mut dice = Dice::new(77);
    let mut out = Vec::new();
    for lot in lots {
        let id = format!("{:016x}{:016x}", dice.roll(u64::MAX), dice.roll(u64::MAX));
        let mut line = serde_json::json!({ "id": id });
        line.as_object_mut().unwrap().extend(plain(lot).as_object().unwrap().clone());
        serde_json::to_writer(&mut out, &line).unwrap();
        out.push(b'\n');
    }
    out
}
