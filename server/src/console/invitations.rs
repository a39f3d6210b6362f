//! Invitations: who made each, for whom, until when, whether it was used; withdrawing one.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, household};
use maud::html;
use serde::Deserialize;

use super::page::{Page, paging, token};
use super::refusal::Refused;
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::InvitationState;

const PER_PAGE: usize = 60;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct InvitationsQuery {
    page: String,
}

/// `GET /console/invitations`
pub(super) async fn show(signed: SignedIn, Query(query): Query<InvitationsQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let page = query.page.parse::<usize>().unwrap_or(1).clamp(1, 100_000);
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let lines = signed.work(move || granary.invitations(number, crate::environment::now())).await?;
    let mut shown = Vec::new();
    for line in lines.iter().skip(page.saturating_sub(1).saturating_mul(PER_PAGE)).take(PER_PAGE) {
        let whom = match line.role {
            Role::Household(id) => match signed.document(DocumentKey::Household(id)).await? {
                Some(document) => household::read(&document).name.unwrap_or_else(|| locale.t("damaged")),
                None => locale.of("role", "household"),
            },
            Role::Packer | Role::Coordinator => locale.of("role", &line.role.to_string()),
        };
        shown.push((whom, line));
    }
    let main = html! {
        p { a href="/console/phones" { (locale.t("part-phones")) } " · "
            a href="/console/coordinators" { (locale.t("coordinators")) } }
        @if lines.is_empty() { p.empty { (locale.t("no-invitations")) } }
        div.scroll tabindex="0" role="region" aria-label=(locale.t("invitations")) {
            table {
                thead { tr { th scope="col" { (locale.t("invitation")) } th scope="col" { (locale.t("invited-whom")) }
                    th scope="col" { (locale.t("invited-by")) } th scope="col" { (locale.t("invited-when")) }
                    th scope="col" { (locale.t("invited-until")) } th scope="col" { (locale.t("invited-state")) } th { } } }
                tbody { @for (whom, line) in &shown { tr {
                    td { code { (line.id) } }
                    td { (whom) @if let Some(person) = &line.person { " · " (person) } }
                    td { (line.by) }
                    td { (locale.moment(Instant(line.made_millis))) }
                    td { (locale.moment(Instant(line.expires_millis))) }
                    td { (locale.of("invitation-state", line.state.name()))
                        @if let Some((device, at)) = &line.used { " " span.small { (device) " · " (locale.moment(Instant(*at))) } } }
                    td { @if line.state == InvitationState::Open {
                        form.inline method="post" action="/console/invitations/withdraw" {
                            (token(&signed)) input type="hidden" name="invitation" value=(line.id);
                            button.quiet { (locale.t("withdraw-invitation")) }
                        } } }
                } } }
            }
        }
        (paging(locale, "/console/invitations", page as u64, PER_PAGE as u64, lines.len() as u64))
    };
    Ok(Page { title: locale.t("invitations"), part: "phones", main }.show(&signed))
}

/// `POST /console/invitations/withdraw`
pub(super) async fn withdraw(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let name = form.get("invitation").to_owned();
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.withdraw_invitation(by, number, &name, crate::environment::now())).await?;
    Ok(Redirect::to("/console/invitations").into_response())
}
