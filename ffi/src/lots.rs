//! Lots, products and receipts, in types that the bindings can express.

use granary_client_core::conflicts;
use granary_client_core::plausibility;
use granary_client_core::projection;
use granary_client_core::quantities::{Day, Grams, Permille};
use granary_client_core::schema::{catalogue, harvest, receipt};
use granary_client_core::words::Words;

use crate::error::PhoneError;

/// A lot to record. Optional texts are empty where there is nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LotDraft {
    /// The product's code in the catalogue, such as `millet`.
    pub product: String,
    /// The weight in grams, 1 to 1,000,000,000.
    pub grams: i64,
    /// The day of the harvest, such as `2026-10-03`; none for today, by the server's time where the phone's clock is off.
    #[uniffi(default = None)]
    pub day: Option<String>,
    /// The grade as the household judges it, such as `A`.
    #[uniffi(default = "")]
    pub grade: String,
    /// The moisture in permille, 0 to 1,000.
    #[uniffi(default = None)]
    pub moisture_permille: Option<i64>,
    /// The collecting place or field.
    #[uniffi(default = "")]
    pub place: String,
    /// Anything else.
    #[uniffi(default = "")]
    pub note: String,
    /// References to photos.
    #[uniffi(default = [])]
    pub photos: Vec<String>,
    /// The household's id; none for the household that this phone belongs to.
    #[uniffi(default = None)]
    pub household: Option<String>,
}

impl LotDraft {
    /// The draft with its day, or else this one.
    pub(crate) fn of_day(self, today: Day) -> Result<harvest::LotDraft, PhoneError> {
        let draft = self;
        Ok(harvest::LotDraft {
            product: draft.product,
            quantity: Grams::new(draft.grams)?,
            grade: draft.grade,
            moisture: draft.moisture_permille.map(Permille::new).transpose()?,
            day: draft.day.as_deref().map_or(Ok(today), str::parse)?,
            place: draft.place,
            note: draft.note,
            photos: draft.photos,
        })
    }
}

/// Something unusual about a lot that is to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Unusual {
    /// For programs: `unknown-product`, `product-ended`, `no-catalogue`, `unknown-grade`, `unknown-household`, `unknown-place`,
    /// `day-in-the-future`, `day-in-another-season`, `weight-far-from-usual`; of a receipt also `receipt-before-harvest`,
    /// `receipt-long-after-harvest`, `weighed-far-from-recorded`; of goods in the warehouse `count-far-from-computed`,
    /// `more-than-there`, `unknown-goods`, `expired-before-arrival`.
    pub code: String,
    /// The field: `product`, `grade`, `household`, `place`, `day`, `grams`, `holding` or `expiry`.
    pub field: String,
    /// What was probably meant, such as the code of a product; none where nothing looks like it.
    pub meant: Option<String>,
    /// For the person.
    pub sentence: String,
}

impl From<plausibility::Unusual> for Unusual {
    fn from(unusual: plausibility::Unusual) -> Self {
        Self {
            code: unusual.code().to_owned(),
            field: unusual.field().to_owned(),
            sentence: unusual.words_in(crate::language::now(), crate::language::unit()),
            meant: match unusual {
                plausibility::Unusual::Product { meant, .. } | plausibility::Unusual::Place { meant, .. } => meant,
                _ => None,
            },
        }
    }
}

/// A question that a coordinator asks about a lot.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Question {
    /// Its id, for `answer`.
    pub id: String,
    /// The lot that it is about.
    pub lot: String,
    /// The lot's product; empty where the lot is not here.
    pub product: String,
    /// The lot's weight in grams; none where the lot is not here.
    pub grams: Option<i64>,
    /// The lot's day; none where the lot is not here.
    pub day: Option<String>,
    /// What is asked.
    pub text: String,
    /// Who asked.
    pub by: String,
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// `open`, `answered`, or `closed` once a coordinator waits for no answer any more.
    pub state: String,
    /// What was answered: more than one where people of the household answered at once.
    pub answers: Vec<String>,
}

impl From<projection::QuestionRow> for Question {
    fn from(row: projection::QuestionRow) -> Self {
        Self {
            id: row.question.to_string(),
            lot: row.lot.to_string(),
            state: row.state().name().to_owned(),
            product: row.product,
            grams: row.grams,
            day: row.day.map(|day| day.to_string()),
            text: row.text,
            by: row.by,
            at_millis: row.at.0,
            answers: row.answers.into_iter().map(|answer| answer.value).collect(),
        }
    }
}

/// A field of a lot with a new value.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum LotEdit {
    /// Another product, by its code.
    Product { code: String },
    /// Another weight, in grams.
    Quantity { grams: i64 },
    /// Another grade.
    Grade { grade: String },
    /// Another moisture, in permille.
    Moisture { permille: i64 },
    /// Another day, such as `2026-10-03`.
    Day { day: String },
    /// Another place.
    Place { place: String },
    /// Another note.
    Note { text: String },
}

impl TryFrom<LotEdit> for harvest::LotEdit {
    type Error = PhoneError;

    fn try_from(edit: LotEdit) -> Result<Self, PhoneError> {
        Ok(match edit {
            LotEdit::Product { code } => Self::Product(code),
            LotEdit::Quantity { grams } => Self::Quantity(Grams::new(grams)?),
            LotEdit::Grade { grade } => Self::Grade(grade),
            LotEdit::Moisture { permille } => Self::Moisture(Permille::new(permille)?),
            LotEdit::Day { day } => Self::Day(day.parse()?),
            LotEdit::Place { place } => Self::Place(place),
            LotEdit::Note { text } => Self::Note(text),
        })
    }
}

/// The state of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum LotState {
    /// Recorded by the household; the warehouse has said nothing.
    Recorded,
    /// Taken in by the warehouse.
    Received,
    /// Sent back by the warehouse.
    Rejected,
}

impl From<projection::LotState> for LotState {
    fn from(state: projection::LotState) -> Self {
        match state {
            projection::LotState::Recorded => Self::Recorded,
            projection::LotState::Received => Self::Received,
            projection::LotState::Rejected => Self::Rejected,
        }
    }
}

impl From<LotState> for projection::LotState {
    fn from(state: LotState) -> Self {
        match state {
            LotState::Recorded => Self::Recorded,
            LotState::Received => Self::Received,
            LotState::Rejected => Self::Rejected,
        }
    }
}

/// Which lots to list. A field that is none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct LotFilter {
    /// Of this household.
    #[uniffi(default = None)]
    pub household: Option<String>,
    /// Of this product, by its code.
    #[uniffi(default = None)]
    pub product: Option<String>,
    /// Harvested on this day or later.
    #[uniffi(default = None)]
    pub from_day: Option<String>,
    /// Harvested on this day or earlier.
    #[uniffi(default = None)]
    pub to_day: Option<String>,
    /// In this state.
    #[uniffi(default = None)]
    pub state: Option<LotState>,
    /// Only lots with a field that has concurrent values, or with receipts that disagree.
    #[uniffi(default = false)]
    pub only_conflicts: bool,
    /// At most this many; 0 for 200.
    #[uniffi(default = 0)]
    pub limit: u32,
    /// After skipping this many.
    #[uniffi(default = 0)]
    pub offset: u32,
}

impl TryFrom<LotFilter> for projection::LotFilter {
    type Error = PhoneError;

    fn try_from(filter: LotFilter) -> Result<Self, PhoneError> {
        let day = |day: Option<String>| day.map(|day| day.parse::<Day>()).transpose();
        Ok(Self {
            household: filter.household.map(|household| household.parse()).transpose()?,
            product: filter.product,
            from: day(filter.from_day)?,
            to: day(filter.to_day)?,
            state: filter.state.map(Into::into),
            only_conflicts: filter.only_conflicts,
            limit: filter.limit,
            offset: filter.offset,
            ..Self::default()
        })
    }
}

/// A lot in a list.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Lot {
    /// Its id, to give to `correct` and others, and to read out.
    pub id: String,
    /// The household's id.
    pub household: String,
    /// The product's code; empty when damaged.
    pub product: String,
    /// The recorded weight in grams; none when damaged.
    pub grams: Option<i64>,
    /// The grade; empty for none.
    pub grade: String,
    /// The day; none when damaged.
    pub day: Option<String>,
    /// The place; empty for none.
    pub place: String,
    /// The note; empty for none.
    pub note: String,
    /// Its state.
    pub state: LotState,
    /// As weighed by the warehouse, in grams.
    pub weighed_grams: Option<i64>,
    /// Why it was sent back; empty when it was not.
    pub reason: String,
    /// True when a field has concurrent values from two phones.
    pub in_conflict: bool,
    /// True when receipts of it were written at once and disagree. The shown one counts until a coordinator settles it.
    pub receipt_in_conflict: bool,
    /// True when a field can't be read.
    pub is_damaged: bool,
    /// Why the server has not taken in this lot of this phone, or an edit of it; empty when nothing of it was set aside.
    pub not_taken_in: String,
}

impl From<projection::LotRow> for Lot {
    fn from(row: projection::LotRow) -> Self {
        Self {
            id: row.lot.to_string(),
            household: row.household.to_string(),
            product: row.product,
            grams: row.grams,
            grade: row.grade,
            day: row.day.map(|day| day.to_string()),
            place: row.place,
            note: row.note,
            state: row.state.into(),
            weighed_grams: row.weighed_grams,
            reason: row.reason,
            in_conflict: row.in_conflict,
            receipt_in_conflict: row.receipt_in_conflict,
            is_damaged: row.is_damaged,
            not_taken_in: row.held.map(|reason| reason.words(crate::language::now())).unwrap_or_default(),
        }
    }
}

/// The weights of a product's lots.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Total {
    /// The product's code.
    pub product: String,
    /// How many lots.
    pub lots: i64,
    /// Recorded, in grams.
    pub recorded_grams: i64,
    /// Received, in grams, as weighed.
    pub received_grams: i64,
}

impl From<projection::Total> for Total {
    fn from(total: projection::Total) -> Self {
        Self {
            product: total.name,
            lots: total.lots,
            recorded_grams: total.recorded_grams,
            received_grams: total.received_grams,
        }
    }
}

/// A field of a lot with concurrent values, until `correct` settles it.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct FieldConflict {
    /// The lot.
    pub lot: String,
    /// The field: `product`, `grams`, `grade`, `moisture`, `day`, `place`, `note`.
    pub field: String,
    /// All values as text. The last one is shown until the conflict is settled.
    pub values: Vec<String>,
}

impl From<conflicts::FieldConflict> for FieldConflict {
    fn from(conflict: conflicts::FieldConflict) -> Self {
        Self {
            lot: conflict.lot.to_string(),
            field: conflict.field.to_owned(),
            values: conflict.values.into_iter().map(|contender| contender.value).collect(),
        }
    }
}

/// The warehouse's receipt of a lot.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Receipt {
    /// Accepted, with this weight in grams and grade (empty for none).
    Received { weighed_grams: i64, grade: String },
    /// Sent back, and why.
    Rejected { reason: String },
}

impl TryFrom<Receipt> for receipt::Outcome {
    type Error = PhoneError;

    fn try_from(receipt: Receipt) -> Result<Self, PhoneError> {
        Ok(match receipt {
            Receipt::Received { weighed_grams, grade } => Self::Received { weighed: Grams::new(weighed_grams)?, grade },
            Receipt::Rejected { reason } => Self::Rejected { reason },
        })
    }
}

/// A product of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Product {
    /// Its code, such as `millet`.
    pub code: String,
    /// Its Chinese name; empty when damaged.
    pub name_zh: String,
    /// Its English name; empty when damaged.
    pub name_en: String,
    /// What a household is paid for a kilogram in fen, by grade (`A`), or by grade and the first day on
    /// which it holds (`A@2026-11-01`).
    pub fen_by_grade: std::collections::HashMap<String, i64>,
    /// The day (ISO) from which on no new lots of it are recorded; offer it for none then. None while they are.
    pub ended: Option<String>,
}

impl From<catalogue::Product> for Product {
    fn from(product: catalogue::Product) -> Self {
        let held = product.price_by_grade.iter().filter(|(name, _)| !product.never_holds(name));
        let fen_by_grade = held.map(|(name, price)| (name.to_string(), price.get())).collect();
        Self {
            code: product.code,
            name_zh: product.name_zh.unwrap_or_default(),
            name_en: product.name_en.unwrap_or_default(),
            fen_by_grade,
            ended: product.ended.map(|day| day.to_string()),
        }
    }
}
