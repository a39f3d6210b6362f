//! Inviting staff, revoking a phone, taking it back.

use axum::response::Response;
use granary_client_core::ids::DeviceId;
use granary_client_core::schema::access::Role;

use crate::console::inputs::names_of;
use crate::console::refusal::{Refused, refused};
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
