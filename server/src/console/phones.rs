//! Phones: when each last synced, its version, its unsent changes; inviting and revoking.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use maud::html;

use super::i18n::grouped;
use super::inputs::{Inputs, erases_name, names_of, sure};
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::sheets::{invitation_page, new_link};
use super::signed_in::{SignedIn, SignedInForm};

/// `GET /console/phones`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let (locale, now) = (signed.locale, crate::environment::now());
    let devices = signed.cooperative.devices();
    let phones: Vec<_> = devices.iter().filter(|(_, record, _)| !record.is_of_the_server()).collect();
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let (people, set_aside) =
        signed.work(move || Ok((granary.coordinators(number)?.0, granary.count_set_aside(number)?))).await?;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let invite = Inputs::of(&signed, "/console/phones/invite", &[]);
    let roles = ["packer", "coordinator"].map(|role| (role, locale.of("role", role)));
    let active = people.iter().filter(|line| line.denied.is_none());
    let nobody = std::iter::once(("", locale.t("nobody")));
    let persons = nobody.chain(active.map(|line| (line.login.as_str(), line.name.clone())));
    let main = html! {
        p { a href="/console/coordinators" { (locale.t("coordinators")) } " · "
            a href="/console/invitations" { (locale.t("invitations")) } " · "
            a href="/console/set-aside" { (locale.with("set-aside-link", &[("count", grouped(set_aside))])) } }
        @if phones.is_empty() { p.empty { (locale.t("no-phones")) } }
        div.scroll tabindex="0" role="region" aria-label=(locale.t("part-phones")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("phone")) } th scope="col" { (locale.t("role")) } th scope="col" { (locale.t("last-heard")) }
                    th scope="col" { (locale.t("version")) } th.number scope="col" { (locale.t("waiting")) } th { } } }
                tbody { @for (id, record, seen) in phones { tr {
                    td { (names.device(*id))
                        @if let Some(person) = record.person.and_then(|person| signed.cooperative.device(person)) {
                            " " span.small { (locale.with("phone-of", &[("name", person.name)])) } }
                        @if seen.as_ref().is_some_and(|seen| seen.is_forked) { " " span.mark { (locale.t("phone-forked")) } }
                        @if signed.granary.has_used_share(&signed.cooperative, *id, now) { " " span.mark { (locale.t("phone-share-used")) } } }
                    td data-label=(locale.t("role")) { @for role in record.last_roles() { (names.role(&role)) " " } }
                    td data-label=(locale.t("last-heard")) { (seen.as_ref().map_or_else(|| locale.t("never-heard"), |seen| locale.moment(Instant(seen.at_millis)))) }
                    td data-label=(locale.t("version")) { (seen.as_ref().map(|seen| seen.version.clone()).unwrap_or_default()) }
                    td.number data-label=(locale.t("waiting")) { (seen.as_ref().map_or_else(|| "—".to_owned(), |seen| grouped(u64::from(seen.unsent)))) }
                    td { @if record.revoked_millis.is_some() { span.mark { (locale.t("revoked")) }
                        form.inline method="post" action="/console/phones/take-back" {
                            (token(&signed)) input type="hidden" name="device" value=(id);
                            (sure(locale))
                            button { (locale.t("phone-take-back")) }
                        } } @else {
                        form.inline method="post" action="/console/phones/revoke" {
                            (token(&signed)) input type="hidden" name="device" value=(id);
                            (erases_name(locale)) (sure(locale))
                            button.danger { (locale.t("revoke")) }
                        } } }
                } } }
            }
        }
        h2 { (locale.t("invite-staff")) }
        form.card method="post" action="/console/phones/invite" {
            (invite.hidden())
            label { (locale.t("role")) (invite.select("role", "packer", roles)) }
            label { (locale.t("whose-phone")) (invite.select("person", "", persons)) }
            p.small { (locale.t("whose-phone-help")) }
            button { (locale.t("invite")) }
        }
    };
    Ok(Page { title: locale.t("part-phones"), part: "phones", main }.show(&signed))
}

/// `POST /console/phones/invite`: for packers and coordinators; households are invited on their page.
pub(super) async fn invite(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let (granary, number, login) = (signed.granary.clone(), signed.cooperative.number(), form.get("person").to_owned());
    let (role, person) = match form.get("role") {
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
pub(super) async fn revoke(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let device: DeviceId = form.parsed(signed.locale, "device")?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let names = names_of(&form);
    signed.work(move || granary.revoke_with(by, number, device, names, crate::environment::now())).await?;
    Ok(Redirect::to("/console/phones").into_response())
}

/// `POST /console/phones/take-back`: a revoked phone belongs again, with the roles that it had.
pub(super) async fn take_back(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let device: DeviceId = form.parsed(signed.locale, "device")?;
    let record = signed.cooperative.device(device).ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let roles: Vec<Role> =
        record.grants.last().map(|grants| grants.roles.iter().copied().collect()).unwrap_or_default();
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.grant(by, number, device, &roles, crate::environment::now())).await?;
    Ok(Redirect::to("/console/phones").into_response())
}
