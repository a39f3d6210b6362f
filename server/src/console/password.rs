//! A coordinator's own password.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;
use serde::Deserialize;

use super::inputs::{Inputs, Kind};
use super::page::Page;
use super::refusal::{Refused, refused};
use super::second_factor;
use super::sessions;
use super::sign_in::signed_in;
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::passwords::check_new;
use crate::http::Shared;

const CHANGE: &str = "/console/password";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PasswordQuery {
    done: String,
}

/// `GET /console/password`
pub(super) async fn show(signed: SignedIn, Query(query): Query<PasswordQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let form = Inputs::of(&signed, CHANGE, &[]);
    let new = Kind::password("new-password");
    let main = html! {
        @if query.done == "yes" { p.notice role="status" { (locale.t("password-changed")) } }
        h2 { (locale.t("password-change")) }
        form.card method="post" action=(CHANGE) {
            (form.hidden())
            label { (locale.t("password-present")) (form.empty("present", Kind::password("current-password"))) }
            label { (locale.t("password-new")) (form.empty("new", new)) }
            label { (locale.t("password-again")) (form.empty("again", new)) }
            button { (locale.t("password-change")) }
        }
        p.small { (locale.t("password-help")) }
        p { a href=(second_factor::ADDRESS) { (locale.t("second-factor")) } }
        section #sessions { h2 { (locale.t("sessions")) }
            p.small { (locale.t("sessions-help")) }
            (sessions::list(&signed).await?) }
    };
    Ok(Page { title: locale.t("account"), part: "", main }.show(&signed))
}

/// `POST /console/password`: everything else that was signed in ends; this browser goes on.
pub(super) async fn change(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, session, now) = (signed.locale, signed.session.clone(), crate::environment::now());
    let (present, new) = (form.get("present").to_owned(), form.get("new").to_owned());
    if new != form.get("again") {
        return Err(refused(locale, 400, "password-differs").at("again"));
    }
    if let Err(fault) = check_new(&new, &session.login) {
        return Err(refused(locale, 400, fault.code()).at("new"));
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
    let from = sessions::origin(address.ip(), &headers);
    let change = move || {
        let token = granary.change_password(&session, &present, &new, now)?;
        token.iter().for_each(|token| sessions::note(&granary, token, &from));
        Ok(token)
    };
    match signed.work(change).await? {
        Some(token) => Ok(signed_in(&token, "/console/password?done=yes")),
        None => Err(refused(locale, 400, "password-not-yours").at("present")),
    }
}
