//! Phones: when each was last heard of, its version, what waits on it; inviting and revoking.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::access::Role;
use granary_client_core::quantities::Instant;
use maud::html;

use super::households::{invitation_page, new_link};
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed::{Signed, SignedForm};

/// `GET /console/phones`
pub(super) async fn show(signed: Signed) -> Result<Response, Refused> {
    let words = signed.words;
    let devices = signed.cooperative.devices();
    let phones: Vec<_> = devices.iter().filter(|(_, record, _)| !record.is_of_the_server()).collect();
    let main = html! {
        @if phones.is_empty() { p.empty { (words.t("no-phones")) } }
        div.scroll tabindex="0" role="region" aria-label=(words.t("part-phones")) {
            table {
                thead { tr { th scope="col" { (words.t("phone")) } th scope="col" { (words.t("role")) } th scope="col" { (words.t("last-heard")) }
                    th scope="col" { (words.t("version")) } th.number scope="col" { (words.t("waiting")) } th { } } }
                tbody { @for (id, record, heard) in phones { tr {
                    td { (record.name) " " span.small { (id) } }
                    td { @for role in record.roles() { (words.of("role", role)) " " } }
                    td { (heard.as_ref().map_or_else(|| words.t("never-heard"), |heard| words.moment(Instant(heard.at_millis)))) }
                    td { (heard.as_ref().map(|heard| heard.version.clone()).unwrap_or_default()) }
                    td.number { (heard.as_ref().map_or_else(|| "—".to_owned(), |heard| heard.pending.to_string())) }
                    td { @if record.revoked_millis.is_some() { span.mark { (words.t("revoked")) } } @else {
                        form.inline method="post" action="/console/phones/revoke" {
                            (token(&signed)) input type="hidden" name="device" value=(id);
                            label.check { input type="checkbox" name="sure" value="yes" required; (words.t("sure")) }
                            button.danger { (words.t("revoke")) }
                        } } }
                } } }
            }
        }
        h2 { (words.t("invite-staff")) }
        form.card method="post" action="/console/phones/invite" {
            (token(&signed))
            label { (words.t("role")) select name="role" {
                option value="packer" { (words.t("role-packer")) } option value="coordinator" { (words.t("role-coordinator")) } } }
            button { (words.t("invite")) }
        }
    };
    Ok(Page { title: words.t("part-phones"), part: "phones", main }.show(&signed))
}

/// `POST /console/phones/invite`: for packers and coordinators; households are invited on their page.
pub(super) async fn invite(SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let role = match form.get("role") {
        "packer" => Role::Packer,
        "coordinator" => Role::Coordinator,
        _ => return Err(refused(signed.words, 400, "form-field-wrong")),
    };
    let link = new_link(&signed, role).await?;
    let name = signed.words.of("role", &role.to_string());
    Ok(invitation_page(&signed, "phones", &name, &link))
}

/// `POST /console/phones/revoke`
pub(super) async fn revoke(SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let device: DeviceId = form.parsed(signed.words, "device")?;
    let (granary, number, who) = (signed.granary.clone(), signed.cooperative.number(), signed.session.name.clone());
    signed.work(move || granary.revoke(&who, number, device, crate::environment::now())).await?;
    Ok(Redirect::to("/console/phones").into_response())
}
