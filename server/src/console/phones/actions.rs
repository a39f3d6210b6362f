//! Inviting staff, revoking a phone, taking it back.

use std::collections::BTreeSet;

use axum::response::Response;
use granary_client_core::ids::DeviceId;
use granary_client_core::schema::access::Role;

use crate::console::forms::was;
use crate::console::inputs::names_of;
use crate::console::names::Names;
use crate::console::refusal::{Refused, refused, refused_with};
use crate::console::sheets::{invitation_page, new_link, recorder_link};
use crate::console::signed_in::SignedInForm;

/// `POST /console/phones/invite`: for packers and coordinators; households are invited on their page.
pub(in crate::console) async fn invite(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let (granary, number, login) = (signed.granary.clone(), signed.cooperative.number(), form.get("person").to_owned());
    let (role, person) = match form.get("role") {
        "recorder" => {
            let villages: Vec<String> = form.all("village").map(str::to_owned).collect();
            if villages.is_empty() {
                return Err(refused(signed.locale, 400, "recorder-villages-missing").at("role"));
            }
            let link = recorder_link(&signed, villages).await?;
            return Ok(invitation_page(&signed, "phones", &signed.locale.t("role-recorder"), &link));
        }
        // The warehouse's phone stands on its table; nobody's leaving ends it.
        "packer" if login.is_empty() => (Role::Packer, None),
        "packer" => (Role::Packer, Some(signed.work(move || granary.coordinator_device(number, &login)).await?)),
        // A coordinator's phone is somebody's: it ends with that person.
        "coordinator" if !form.has("person") => (Role::Coordinator, Some(signed.session.device)),
        "coordinator" if login.is_empty() => {
            return Err(refused(signed.locale, 400, "whose-phone-missing").at("person"));
        }
        "coordinator" => {
            let person = signed.work(move || granary.coordinator_device(number, &login)).await?;
            (Role::Coordinator, Some(person))
        }
        _ => return Err(refused(signed.locale, 400, "form-field-wrong").at("role")),
    };
    let link = new_link(&signed, role, person).await?;
    let name = signed.locale.of("role", &role.to_string());
    Ok(invitation_page(&signed, "phones", &name, &link))
}

/// The form that changes a recorder's villages.
pub(in crate::console) const VILLAGES: &str = "/console/phones/villages";

/// The codes of villages in one word, as that form carries those that its author saw.
pub(in crate::console) fn in_one_word<'a>(villages: impl IntoIterator<Item = &'a String>) -> String {
    let villages: BTreeSet<&str> = villages.into_iter().map(String::as_str).collect();
    villages.into_iter().collect::<Vec<_>>().join(",")
}

/// `POST /console/phones/villages`: a recorder records for other villages from now on.
pub(in crate::console) async fn change_villages(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let device: DeviceId = form.parsed(locale, "device")?;
    let record = signed.cooperative.device(device).ok_or_else(|| refused(locale, 404, "not-found"))?;
    let villages: Vec<String> = form.all("village").map(str::to_owned).collect();
    if villages.is_empty() {
        return Err(refused(locale, 400, "recorder-villages-missing").at("village"));
    }
    let now = in_one_word(&record.recorder.villages);
    if form.has(&was("villages")) && form.get(&was("villages")) != now && now != in_one_word(&villages) {
        let shown = Names::of(&signed).await?.villages_of(&record.recorder.villages);
        return Err(refused_with(locale, 409, "changed-meanwhile", &[("now", shown)]).seen_anew());
    }
    if now != in_one_word(&villages) {
        let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
        let at = crate::environment::now();
        signed.work(move || granary.change_villages(by, number, device, &villages, at)).await?;
        signed.note_written();
    }
    Ok(signed.back_to(&format!("p-{device}")))
}

/// `POST /console/phones/revoke`
pub(in crate::console) async fn revoke(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let device: DeviceId = form.parsed(signed.locale, "device")?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let names = names_of(&form);
    signed.work(move || granary.revoke_with(by, number, device, names, crate::environment::now())).await?;
    Ok(signed.back_to(&format!("p-{device}")))
}

/// `POST /console/phones/take-back`: a revoked phone belongs again, with the roles that it had.
pub(in crate::console) async fn take_back(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let device: DeviceId = form.parsed(signed.locale, "device")?;
    let record = signed.cooperative.device(device).ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    // A coordinator comes back by an account, not by a device.
    if record.is_of_the_server() {
        return Err(refused(signed.locale, 404, "not-found"));
    }
    let roles: Vec<Role> =
        record.grants.last().map(|grants| grants.roles.iter().copied().collect()).unwrap_or_default();
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.grant(by, number, device, &roles, crate::environment::now())).await?;
    Ok(signed.back_to(&format!("p-{device}")))
}
