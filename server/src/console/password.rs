//! A coordinator's own password.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::response::Response;
use maud::html;

use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::second_factor;
use super::sign_in::signed_in;
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::passwords::check_new;
use crate::http::Shared;

/// `GET /console/password`
pub(super) async fn show(signed: SignedIn) -> Response {
    page(&signed, None)
}

fn page(signed: &SignedIn, wrong: Option<&str>) -> Response {
    let locale = signed.locale;
    let main = html! {
        @if let Some(wrong) = wrong { p.error role="alert" { (locale.t(wrong)) } }
        form.card method="post" action="/console/password" {
            (token(signed))
            label { (locale.t("password-present"))
                input name="present" type="password" autocomplete="current-password" required; }
            label { (locale.t("password-new"))
                input name="new" type="password" autocomplete="new-password" minlength="10" required; }
            label { (locale.t("password-again"))
                input name="again" type="password" autocomplete="new-password" minlength="10" required; }
            button { (locale.t("password-change")) }
        }
        p.small { (locale.t("password-help")) }
        p { a href=(second_factor::ADDRESS) { (locale.t("second-factor")) } }
    };
    Page { title: locale.t("password-change"), part: "", main }.show(signed)
}

/// `POST /console/password`: everything else that was signed in ends; this browser goes on.
pub(super) async fn change(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, session, now) = (signed.locale, signed.session.clone(), crate::environment::now());
    let (present, new) = (form.get("present").to_owned(), form.get("new").to_owned());
    if new != form.get("again") {
        return Ok(page(&signed, Some("password-differs")));
    }
    if let Err(fault) = check_new(&new, &session.login) {
        return Ok(page(&signed, Some(fault.code())));
    }
    let account = format!("{}/{}", session.cooperative.0, session.login);
    if shared.gate.sign_in(address.ip(), &account, now).is_err() {
        return Err(refused(locale, 429, "sign-in-too-often"));
    }
    // Held until the passwords were hashed.
    let Ok(_pass) = shared.gate.password().await else {
        return Err(refused(locale, 429, "sign-in-too-often"));
    };
    let granary = signed.granary.clone();
    match signed.work(move || granary.change_password(&session, &present, &new, now)).await? {
        Some(token) => Ok(signed_in(&token)),
        None => Ok(page(&signed, Some("password-not-yours"))),
    }
}
