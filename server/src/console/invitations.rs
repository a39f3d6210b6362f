//! Invitations: who made each, for whom, until when, whether it was used; withdrawing one.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::Instant;
use maud::html;
use serde::Deserialize;

use super::names::Names;
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
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let shown = || lines.iter().skip(page.saturating_sub(1).saturating_mul(PER_PAGE)).take(PER_PAGE);
    let main = html! {
        p { a href="/console/phones" { (locale.t("part-phones")) } " · "
            a href="/console/coordinators" { (locale.t("coordinators")) } }
        @if lines.is_empty() { p.empty { (locale.t("no-invitations")) } }
        div.scroll tabindex="0" role="region" aria-label=(locale.t("invitations")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("invited-whom")) }
                    th scope="col" { (locale.t("invited-by")) } th scope="col" { (locale.t("invited-when")) }
                    th scope="col" { (locale.t("invited-until")) } th scope="col" { (locale.t("invited-state")) } th scope="col" { span.unseen { (locale.t("actions")) } } } }
                tbody { @for line in shown() { tr {
                    td { (names.role(&line.role)) @if !line.villages.is_empty() { " · " (names.records_for(&line.villages)) } @if let Some(person) = &line.person { " · " (person) } }
                    td data-label=(locale.t("invited-by")) { (if line.by == "operator" { locale.t("operator") } else { line.by.clone() }) }
                    td data-label=(locale.t("invited-when")) { (locale.moment(Instant(line.made_millis))) }
                    td data-label=(locale.t("invited-until")) { (locale.moment(Instant(line.expires_millis))) }
                    td data-label=(locale.t("invited-state")) { (locale.of("invitation-state", line.state.name()))
                        @if let Some((device, at)) = &line.used { " " span.small { (names.device(*device)) " · " (locale.moment(Instant(*at))) } } }
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
