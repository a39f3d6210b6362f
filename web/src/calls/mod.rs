//! The calls of the page, one function each: JSON arguments in, a JSON value or a [`Failure`] out.

mod lots;
mod questions;
mod receipts;
mod register;
mod status;

use granary_client_core::error::Error;
use granary_client_core::ids::{DeviceId, HouseholdId};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::Failure;
use crate::phone::WebPhone;

/// The arguments of a call, among them its name under `method`.
pub(crate) struct Arguments(Value);

impl Arguments {
    /// All arguments as one struct.
    fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        Ok(serde_json::from_value(self.0)?)
    }
}

/// Makes a call.
pub(crate) fn call(phone: &WebPhone, json: &str) -> Result<Value, Failure> {
    let arguments: Value = serde_json::from_str(json)?;
    let method = arguments.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
    let arguments = Arguments(arguments);
    match method.as_str() {
        "state" => status::state(phone),
        "status" => status::status(phone),
        "leave" => status::leave(phone, arguments),
        "catalogue" => register::catalogue(phone),
        "owed" => register::owed(phone),
        "people" => register::people(phone, arguments),
        "readWeight" => lots::read_weight(arguments),
        "unusual" => lots::unusual(phone, arguments),
        "record" => lots::record(phone, arguments),
        "lots" => lots::lots(phone, arguments),
        "lot" => lots::lot(phone, arguments),
        "unusualCorrection" => lots::unusual_correction(phone, arguments),
        "correct" => lots::correct(phone, arguments),
        "withdraw" => lots::withdraw(phone, arguments),
        "questions" => questions::questions(phone, arguments),
        "answer" => questions::answer(phone, arguments),
        "toReceive" => receipts::to_receive(phone, arguments),
        "unusualReceipt" => receipts::unusual(phone, arguments),
        "receive" => receipts::receive(phone, arguments),
        "reject" => receipts::reject(phone, arguments),
        other => Err(Failure::call(format!("no call {other}"))),
    }
}

/// The household of an argument, or else the phone's own.
fn household_or_own(phone: &WebPhone, given: Option<&str>) -> Result<HouseholdId, Failure> {
    let given = given.filter(|id| !id.is_empty()).map(str::parse).transpose()?;
    Ok(phone.phone.household_or(given)?)
}

/// The household of an argument, or else the phone's own, or else none: a packer's phone lists those of all.
fn household_if_any(phone: &WebPhone, given: Option<&str>) -> Result<Option<HouseholdId>, Failure> {
    match household_or_own(phone, given) {
        Ok(household) => Ok(Some(household)),
        Err(Failure::Core(Error::WhichHousehold)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Whose device wrote something. A phone knows itself and the server's own; of all others, also of coordinators in the console, it
/// knows no names.
fn author_name(phone: &WebPhone, device: Option<DeviceId>) -> &'static str {
    let core = &phone.phone;
    match device {
        Some(_) if device == core.device() => "this phone",
        Some(device) if core.server_device().is_ok_and(|server| server == device) => "cooperative",
        _ => "other",
    }
}
