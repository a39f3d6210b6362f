//! The warehouse's work: what is to be weighed in, and its receipts.

use std::collections::BTreeMap;

use granary_client_core::projection::{LotFilter, LotRow, LotState};
use granary_client_core::quantities::{Day, Grams, QuantityFault};
use granary_client_core::schema::CardNumber;
use granary_client_core::schema::receipt::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Arguments;
use super::lots::{shown, told};
use crate::answer::Failure;
use crate::phone::WebPhone;

/// Lots that are waited for at once, at most.
const LOTS_MAX: u32 = 2_000;

#[derive(Deserialize)]
struct Asked {
    day: Option<String>,
    search: Option<String>,
}

/// `toReceive`: the lots that no receipt has, by household, those of the latest day first. The search finds lots by text or by how
/// their number begins, and the household whose card it names.
pub(super) fn to_receive(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let asked: Asked = arguments.read()?;
    let day = asked.day.as_deref().map(str::parse::<Day>).transpose()?;
    let card: Option<CardNumber> = asked.search.as_deref().and_then(|search| search.parse().ok());
    let filter = LotFilter {
        state: Some(LotState::Recorded),
        from: day,
        to: day,
        search: asked.search.filter(|_| card.is_none()),
        limit: LOTS_MAX,
        ..LotFilter::default()
    };
    let rows = phone.phone.lots(&filter)?;
    let unsent = phone.phone.unsent_lots()?;
    let mut order = Vec::new();
    let mut by_household: BTreeMap<_, Vec<LotRow>> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| card.is_none_or(|card| CardNumber::of(row.household) == card)) {
        let household = row.household;
        by_household.entry(household).or_insert_with(|| {
            order.push(household);
            Vec::new()
        });
        by_household.entry(household).or_default().push(row);
    }
    let group = |household| {
        let rows = by_household.get(&household)?;
        let first = rows.first()?;
        Some(json!({
            "household": first.household.to_string(),
            "householdName": first.household_name,
            "number": CardNumber::of(first.household).to_string(),
            "village": first.village,
            "lots": rows.iter().map(|row| shown(phone, row, &unsent)).collect::<Vec<_>>(),
        }))
    };
    Ok(order.into_iter().filter_map(group).collect())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Received {
    id: String,
    weighed_grams: i64,
    #[serde(default)]
    grade: String,
    /// In which the person is asked back.
    #[serde(default)]
    unit: String,
}

impl Received {
    fn outcome(&self) -> Result<Outcome, QuantityFault> {
        Ok(Outcome::Received { weighed: Grams::new(self.weighed_grams)?, grade: self.grade.clone() })
    }
}

/// `unusualReceipt`: what a person is asked back before a lot is taken in.
pub(super) fn unusual(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let received: Received = arguments.read()?;
    let lot = phone.phone.find_lot(&received.id)?;
    Ok(told(phone, &phone.phone.unusual_receipt(&lot, &received.outcome()?, phone.phone.today())?, &received.unit))
}

/// `receive`: takes a lot in, as weighed today.
pub(super) fn receive(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let received: Received = arguments.read()?;
    phone.phone.receive(&phone.phone.find_lot(&received.id)?, &received.outcome()?, phone.phone.today())?;
    Ok(Value::Null)
}

#[derive(Deserialize)]
struct Rejected {
    id: String,
    reason: String,
}

/// `reject`: sends a lot back.
pub(super) fn reject(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let Rejected { id, reason } = arguments.read()?;
    phone.phone.receive(&phone.phone.find_lot(&id)?, &Outcome::Rejected { reason }, phone.phone.today())?;
    Ok(Value::Null)
}
