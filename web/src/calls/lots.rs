//! Lots: recording, listing, correcting.

use std::collections::BTreeSet;

use granary_client_core::conflicts::Contender;
use granary_client_core::plausibility::Unusual;
use granary_client_core::projection::{LotFilter, LotRow, LotState};
use granary_client_core::quantities::typed::{self, WeightUnit};
use granary_client_core::quantities::{Day, Grams, Permille, QuantityFault};
use granary_client_core::schema::harvest::{LotDraft, LotEdit};
use granary_client_core::schema::lot_history::{LotEvent, LotEventKind};
use granary_client_core::schema::receipt::{Outcome, Weighing};
use granary_client_core::schema::{CardNumber, LotId};
use granary_client_core::words::Words;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Arguments, author_name, household_if_any, household_or_own};
use crate::answer::Failure;
use crate::phone::WebPhone;

#[derive(Deserialize)]
struct Weight {
    text: String,
    #[serde(default)]
    unit: String,
}

/// `readWeight`: a typed weight in grams.
pub(super) fn read_weight(arguments: Arguments) -> Result<Value, Failure> {
    let Weight { text, unit } = arguments.read()?;
    let grams = typed::weight(&text, unit_of(&unit)).map_err(|fault| Failure::Typed("weight", fault))?;
    Ok(json!({"grams": grams.get()}))
}

/// The unit that a person chose; kilograms without one.
fn unit_of(code: &str) -> WeightUnit {
    WeightUnit::from_code(code).unwrap_or(WeightUnit::Kilogram)
}

#[derive(Deserialize)]
struct Drafted {
    draft: Draft,
    /// In which the person is asked back.
    #[serde(default)]
    unit: String,
}

#[derive(Deserialize)]
struct Draft {
    household: Option<String>,
    product: String,
    grams: i64,
    #[serde(default)]
    grade: String,
    day: String,
    #[serde(default)]
    place: String,
    #[serde(default)]
    note: String,
    moisture: Option<i64>,
}

impl Draft {
    fn checked(&self) -> Result<LotDraft, QuantityFault> {
        let draft = LotDraft::new(&self.product, Grams::new(self.grams)?, self.day.parse::<Day>()?);
        Ok(LotDraft {
            grade: self.grade.clone(),
            place: self.place.clone(),
            note: self.note.clone(),
            moisture: self.moisture.map(Permille::new).transpose()?,
            ..draft
        })
    }
}

pub(super) fn told(phone: &WebPhone, found: &[Unusual], unit: &str) -> Value {
    let (language, unit) = (phone.language.get(), unit_of(unit));
    let shown = |unusual: &Unusual| {
        let meant = match unusual {
            Unusual::Product { meant, .. } | Unusual::Place { meant, .. } => meant.as_deref(),
            _ => None,
        };
        json!({
            "code": unusual.code(), "field": unusual.field(), "meant": meant, "sentence": unusual.words_in(language, unit),
        })
    };
    found.iter().map(shown).collect()
}

/// `unusual`: what a person is asked back before a lot is recorded.
pub(super) fn unusual(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let Drafted { draft, unit } = arguments.read()?;
    let household = household_or_own(phone, draft.household.as_deref())?;
    Ok(told(phone, &phone.phone.unusual(household, &draft.checked()?)?, &unit))
}

/// `record`: records a lot.
pub(super) fn record(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let Drafted { draft, .. } = arguments.read()?;
    let household = household_or_own(phone, draft.household.as_deref())?;
    let lot = phone.phone.record_of_day(household, &draft.checked()?)?;
    Ok(json!({"id": lot.to_string(), "full": lot.in_full()}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    household: Option<String>,
    product: Option<String>,
    from: Option<String>,
    to: Option<String>,
    state: Option<String>,
    search: Option<String>,
    #[serde(default)]
    only_conflicts: bool,
    #[serde(default)]
    only_field_conflicts: bool,
    #[serde(default)]
    limit: u32,
    #[serde(default)]
    offset: u32,
}

/// `lots`: a list, with its count and totals.
pub(super) fn lots(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let asked: Asked = arguments.read()?;
    let day = |day: Option<&String>| day.map(|day| day.parse::<Day>()).transpose();
    let filter = LotFilter {
        household: household_if_any(phone, asked.household.as_deref())?,
        product: asked.product,
        from: day(asked.from.as_ref())?,
        to: day(asked.to.as_ref())?,
        state: asked.state.as_deref().and_then(LotState::from_name),
        search: asked.search,
        only_conflicts: asked.only_conflicts,
        only_field_conflicts: asked.only_field_conflicts,
        limit: asked.limit,
        offset: asked.offset,
        ..LotFilter::default()
    };
    let core = &phone.phone;
    let unsent = core.unsent_lots()?;
    let rows: Vec<Value> = core.lots(&filter)?.iter().map(|row| shown(phone, row, &unsent)).collect();
    let totals = core.totals(&filter)?;
    // Each lot that passes is in the total of one product.
    let count = totals.iter().map(|total| total.lots).fold(0, i64::saturating_add);
    let totals: Vec<Value> = totals
        .into_iter()
        .map(|total| {
            json!({
                "product": total.name, "lots": total.lots,
                "recordedGrams": total.recorded_grams, "receivedGrams": total.received_grams,
            })
        })
        .collect();
    Ok(json!({"rows": rows, "count": count, "totals": totals}))
}

/// A lot for the page.
pub(super) fn shown(phone: &WebPhone, row: &LotRow, unsent: &BTreeSet<LotId>) -> Value {
    let (core, language) = (&phone.phone, phone.language.get());
    json!({
        "recordedBy": author_name(phone, row.lot.recorded_by()),
        "mayCorrect": core.grants().may_record_for(row.household),
        "id": row.lot.to_string(),
        "full": row.lot.in_full(),
        "household": row.household.to_string(),
        "householdName": row.household_name,
        "householdNumber": CardNumber::of(row.household).to_string(),
        "product": row.product,
        "grams": row.grams,
        "grade": row.grade,
        "moisture": row.moisture,
        "day": row.day.map(|day| day.to_string()),
        "place": row.place,
        "note": row.note,
        "state": row.state.name(),
        "weighedGrams": row.weighed_grams,
        "weighedGrade": row.weighed_grade,
        "weighedDay": row.weighed_day.map(|day| day.to_string()),
        "reason": row.reason,
        "inConflict": row.in_conflict,
        "receiptInConflict": row.receipt_in_conflict,
        "damaged": row.is_damaged,
        "notTakenIn": row.held.map(|reason| reason.words(language)).unwrap_or_default(),
        "sent": !unsent.contains(&row.lot) && row.held.is_none(),
    })
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

/// `lot`: a lot with its conflicts, its history and what it is worth.
pub(super) fn lot(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let core = &phone.phone;
    let id = core.find_lot(&arguments.read::<Named>()?.id)?;
    let filter = LotFilter { lot: Some(id.clone()), with_merged: true, ..LotFilter::default() };
    let row = core.lots(&filter)?.into_iter().next();
    let row = row.ok_or_else(|| granary_client_core::error::Error::NoSuchLot(id.to_string()))?;
    let conflicts: Vec<Value> = core
        .conflicts_of(&id)?
        .into_iter()
        .map(|conflict| {
            let values: Vec<String> = conflict.values.into_iter().map(|contender| contender.value).collect();
            json!({"field": conflict.field, "shown": values.last(), "values": values})
        })
        .collect();
    let history: Vec<Value> = core.lot_history(&id)?.iter().map(|event| happened(phone, event)).collect();
    Ok(json!({
        "lot": shown(phone, &row, &core.unsent_lots()?),
        "conflicts": conflicts,
        "weighings": core.weighings_of(&id)?.iter().filter_map(|value| weighed(phone, value)).collect::<Vec<_>>(),
        "history": history,
        "payFen": core.worth(&row)?,
    }))
}

/// One of several receipts of a lot that disagree.
fn weighed(phone: &WebPhone, value: &Contender) -> Option<Value> {
    let (grams, grade, reason) = match Weighing::parse(&value.value).ok()?.outcome {
        Outcome::Received { weighed, grade } => (Some(weighed.get()), grade, String::new()),
        Outcome::Rejected { reason } => (None, String::new(), reason),
    };
    let who = match author_name(phone, value.author().and_then(|actor| actor.device())) {
        "other" => "warehouse",
        who => who,
    };
    Some(json!({"grams": grams, "grade": grade, "reason": reason, "at": value.at.0, "who": who}))
}

/// An event of a lot.
fn happened(phone: &WebPhone, event: &LotEvent) -> Value {
    let who = match (author_name(phone, event.actor.device()), event.kind) {
        ("other", LotEventKind::Weighed) => "warehouse",
        ("other", LotEventKind::Asked | LotEventKind::Settled | LotEventKind::Undone | LotEventKind::LookedAt) => {
            "cooperative"
        }
        (who, _) => who,
    };
    let fields: Vec<Value> =
        event.fields.iter().map(|(field, value)| json!({"field": field, "value": value})).collect();
    json!({"at": event.recorded.0, "who": who, "what": event.kind.name(), "fields": fields})
}

#[derive(Deserialize)]
struct Correction {
    id: String,
    edits: Vec<Edit>,
    /// In which the person is asked back.
    #[serde(default)]
    unit: String,
}

#[derive(Deserialize)]
struct Edit {
    field: String,
    value: Value,
}

impl Correction {
    fn edits(&self) -> Result<Vec<LotEdit>, Failure> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.edits.iter().map(|edit| Ok(LotEdit::parse(&edit.field, &text(&edit.value))?)).collect()
    }
}

/// `unusualCorrection`: what a person is asked back before a lot is corrected.
pub(super) fn unusual_correction(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let correction: Correction = arguments.read()?;
    let lot = phone.phone.find_lot(&correction.id)?;
    Ok(told(phone, &phone.phone.unusual_correction(&lot, &correction.edits()?)?, &correction.unit))
}

/// `correct`: writes fields of a lot, all in one change.
pub(super) fn correct(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let correction: Correction = arguments.read()?;
    phone.phone.correct(&phone.phone.find_lot(&correction.id)?, &correction.edits()?)?;
    Ok(Value::Null)
}

/// `withdraw`: takes a lot back.
pub(super) fn withdraw(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    phone.phone.withdraw(&phone.phone.find_lot(&arguments.read::<Named>()?.id)?)?;
    Ok(Value::Null)
}
