//! Coordinators: who may work in the console, with which phones; removing one.

use axum::response::{IntoResponse, Redirect, Response};
use maud::html;

use super::inputs::{erases_name, names_of, sure};
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::second_factor;
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::Removal;

/// `GET /console/coordinators`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let found = signed.work(move || Ok((granary.coordinators(number)?, granary.demands_second(number)?))).await?;
    let ((people, phones_of_nobody), is_demanded) = found;
    let names = Names::of(&signed).await?;
    let main = html! {
        p { a href="/console/phones" { (locale.t("part-phones")) } " · "
            a href="/console/invitations" { (locale.t("invitations")) } }
        div.scroll tabindex="0" role="region" aria-label=(locale.t("coordinators")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("name")) } th scope="col" { (locale.t("login")) }
                    th scope="col" { (locale.t("part-phones")) } th scope="col" { span.unseen { (locale.t("actions")) } } } }
                tbody { @for line in &people { tr {
                    td { (line.name) @if line.denied.is_some() { " " span.mark { (locale.t("revoked")) } } }
                    td data-label=(locale.t("login")) { (line.login) @if line.has_second { " " span.small { (locale.t("second-has")) } } }
                    td data-label=(locale.t("part-phones")) { (line.phones.iter().map(|(id, _)| names.device(*id)).collect::<Vec<_>>().join(", ")) }
                    td { @if line.device == signed.session.device { (locale.t("this-is-you")) } @else {
                        form.inline method="post" action="/console/coordinators/remove" {
                            (token(&signed)) input type="hidden" name="login" value=(line.login);
                            (erases_name(locale)) (sure(locale))
                            button.danger { (locale.t("remove-coordinator")) }
                        } } }
                } } }
            }
        }
        p.small { (locale.t("remove-coordinator-help")) }
        form.inline method="post" action="/console/second-factor/demand" {
            (token(&signed))
            @if is_demanded {
                span { (locale.t("second-demanded-of-all")) }
                button.quiet name="demanded" value="no" { (locale.t("second-demand-no-more")) }
            } @else {
                button.quiet name="demanded" value="yes" { (locale.t("second-demand")) }
            }
        }
        p.small { (locale.t("second-demand-help")) " " a href=(second_factor::ADDRESS) { (locale.t("second-factor")) } }
        @if !phones_of_nobody.is_empty() {
            p.notice { (locale.t("phones-of-nobody")) " "
                (phones_of_nobody.iter().map(|(id, _)| names.device(*id)).collect::<Vec<_>>().join(", ")) }
        }
    };
    Ok(Page { title: locale.t("coordinators"), part: "phones", main }.show(&signed))
}

/// `POST /console/coordinators/remove`: not oneself, so that one always remains.
pub(super) async fn remove(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let login = form.get("login").to_owned();
    if login.eq_ignore_ascii_case(&signed.session.login) {
        return Err(refused(signed.locale, 400, "not-yourself"));
    }
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let how = Removal { names: names_of(&form), even_the_last: false };
    signed.work(move || granary.remove_coordinator(by, number, &login, how, crate::environment::now())).await?;
    Ok(Redirect::to("/console/coordinators").into_response())
}
