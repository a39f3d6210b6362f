//! Coordinators: who may work in the console, with which phones; removing one.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::TextField;
use maud::html;

use super::inputs::{Inputs, REQUIRED, erases_name, names_of, sure};
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refuse, refused};
use super::second_factor;
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::AuditAction;
use crate::access::accounts::normal_login;
use crate::engine::Removal;
use crate::error::Error;

const INVITE: &str = "/console/coordinators/invite";

/// `GET /console/coordinators`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let find = move || {
        let signed_in = granary.last_of(number, AuditAction::SignedIn)?;
        Ok((granary.coordinators(number)?, granary.demands_second(number)?, signed_in))
    };
    let ((people, phones_of_nobody), is_demanded, signed_in) = signed.work(find).await?;
    let last = |device: DeviceId| match signed_in.get(&device.to_string()) {
        Some(at) => locale.moment(*at),
        None => locale.t("never-signed-in"),
    };
    let new = Inputs::of(&signed, INVITE, &[]);
    let names = Names::of(&signed).await?;
    let main = html! {
        p { a href="/console/phones" { (locale.t("part-phones")) } " · "
            a href="/console/invitations" { (locale.t("invitations")) } }
        div.scroll tabindex="0" role="region" aria-label=(locale.t("coordinators")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("name")) } th scope="col" { (locale.t("login")) }
                    th scope="col" { (locale.t("last-sign-in")) } th scope="col" { (locale.t("part-phones")) } th scope="col" { span.unseen { (locale.t("actions")) } } } }
                tbody { @for line in &people { tr {
                    td { (line.name) @if line.denied.is_some() { " " span.mark { (locale.t("revoked")) } } }
                    td data-label=(locale.t("login")) { (line.login) @if line.has_second { " " span.small { (locale.t("second-has")) } } }
                    td data-label=(locale.t("last-sign-in")) { (last(line.device)) }
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
        section #invite { h2 { (locale.t("add-coordinator")) }
            form.card method="post" action=(INVITE) {
                (new.hidden())
                label { (locale.t("name")) (new.empty("name", REQUIRED)) }
                label { (locale.t("login")) (new.empty("login", REQUIRED.at_most(40))) }
                p.small { (locale.t("add-coordinator-help")) }
                button { (locale.t("add")) }
            } }
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
    Ok(Page { title: locale.t("coordinators"), part: "coordinators", main }.show(&signed))
}

/// `POST /console/coordinators/invite`: makes an account, and shows its first password once.
pub(super) async fn invite(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let name = form.text(locale, "name", TextField::PersonName)?;
    let login = normal_login(form.get("login")).map_err(|error| refuse(locale, &error).at("login"))?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let (typed, now) = (login.clone(), crate::environment::now());
    let invited = signed
        .work(move || match granary.invite_coordinator(by, number, (&typed, &name), now) {
            Err(Error::AccountExists { .. }) => Ok(None),
            other => other.map(Some),
        })
        .await
        .map_err(|refused| refused.at("login"))?;
    let password = invited.ok_or_else(|| refused(locale, 409, "login-taken").at("login"))?;
    let address = format!("https://{}/console/sign-in?coop={}", signed.public_address.address, number.0);
    let main = html! {
        p.notice role="status" { (locale.t("coordinator-added")) }
        div.sheet {
            p { (locale.t("sign-in-at")) " " a href=(address) { (address) } }
            p { (locale.t("login")) ": " strong.code { (login) } }
            p { (locale.t("first-password")) ": " strong.code { (password) } }
            p.small { (locale.t("first-password-help")) }
        }
        p { a href="/console/coordinators" { (locale.t("coordinators")) } }
    };
    Ok(Page { title: locale.t("add-coordinator"), part: "coordinators", main }.show(&signed))
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
