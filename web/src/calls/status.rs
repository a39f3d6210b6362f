//! Whose phone this is, and how its sync stands.

use granary_client_core::phone::SyncState;
use granary_client_core::schema::Season;
use granary_client_core::schema::access::Role;
use granary_client_core::words::Words;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Arguments;
use crate::answer::Failure;
use crate::phone::WebPhone;

/// `state`: whose phone this is, and what it may do.
pub(super) fn state(phone: &WebPhone) -> Result<Value, Failure> {
    let core = &phone.phone;
    let grants = core.grants();
    let household = core.household();
    let particulars = household.map(|household| core.household_particulars(household)).transpose();
    let particulars = particulars.ok().flatten().flatten();
    let is_packer = grants.roles.contains(&Role::Packer);
    let role = match () {
        () if grants.is_coordinator() => Some("coordinator"),
        () if is_packer => Some("packer"),
        () if grants.is_recorder() => Some("recorder"),
        () => household.map(|_| "household"),
    };
    // A phone that belongs to nobody yet has no documents.
    let cooperative = if core.device().is_some() { core.cooperative()? } else { None };
    Ok(json!({
        "enrolled": core.device().is_some(),
        "cooperative": core.cooperative_name(),
        "device": core.device().map(|device| device.to_string()),
        "role": role,
        "household": household.map(|household| household.to_string()),
        "householdName": particulars.as_ref().and_then(|particulars| particulars.name.clone()).unwrap_or_default(),
        "village": particulars.and_then(|particulars| particulars.village).unwrap_or_default(),
        "today": core.today().to_string(),
        "wrongDate": core.wrong_date().map(|day| day.to_string()),
        "season": cooperative.unwrap_or_default().present_season(core.today()).map(Season::year),
        "recordsForOthers": grants.is_recorder() || grants.is_coordinator(),
        "canReceive": is_packer || grants.is_coordinator(),
        "canEditCatalogue": grants.is_coordinator(),
    }))
}

/// `status`: how the sync stands.
pub(super) fn status(phone: &WebPhone) -> Result<Value, Failure> {
    let (status, language) = (phone.phone.status(), phone.language.get());
    let state = match status.state {
        SyncState::Idle => "idle",
        SyncState::Syncing => "syncing",
        SyncState::Revoked => "revoked",
    };
    Ok(json!({
        "state": state,
        "unsent": status.unsent,
        "undelivered": status.undelivered,
        "lastSuccess": status.last_success.map(|at| at.0),
        "lastError": status.last_error.map(|error| json!({"code": error.code, "sentence": error.words(language)})),
        "revoked": status.revoked,
        "quarantined": status.quarantined.iter().map(|notice| notice.words(language)).collect::<Vec<_>>(),
        "heldBack": status.held_back.map(|reason| json!({"code": reason.code(), "sentence": reason.words(language)})),
        "bytesUp": status.bytes_up,
        "bytesDown": status.bytes_down,
        "exchanges": status.exchanges,
    }))
}

#[derive(Deserialize)]
struct Leave {
    #[serde(default)]
    force: bool,
}

/// `leave`: forgets the co-operative and all that is held of it.
pub(super) fn leave(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    phone.phone.leave(arguments.read::<Leave>()?.force)?;
    Ok(Value::Null)
}
