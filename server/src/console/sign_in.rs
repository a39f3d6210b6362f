//! Signing in and out, and choosing the language.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use super::again::{own_page, page_of};
use super::cookies::{LANGUAGE_COOKIE, SESSION_COOKIE, locale_of};
use super::forms::{Form, encode};
use super::i18n::{Language, Locale};
use super::layout::bare;
use super::refusal::{refuse, refused};
use super::sessions;
use super::signed_in::SignedInForm;
use super::unsent::{self, Carried};
use crate::access::accounts::{SignIn, normal_login};
use crate::access::second_factor::Code;
use crate::error::Error;
use crate::http::Shared;
use crate::log::CooperativeNumber;

/// Where people sign in.
pub(super) const SIGN_IN: &str = "/console/sign-in";

#[derive(Deserialize)]
pub(super) struct Which {
    #[serde(default)]
    coop: Option<u32>,
    /// The page that was asked for.
    #[serde(default)]
    to: String,
}

/// To the sign-in page, and from there on to the page that was asked for.
pub(super) fn lead_to(page: Option<&str>) -> Redirect {
    match page.and_then(own_page).filter(|page| page != "/console") {
        Some(page) => Redirect::to(&format!("{SIGN_IN}?to={}", encode(&page))),
        None => Redirect::to(SIGN_IN),
    }
}

/// `GET /console/sign-in`
pub(super) async fn show(headers: HeaderMap, Query(which): Query<Which>) -> Response {
    Asked { to: own_page(&which.to), ..Asked::new(which.coop.unwrap_or(1), "") }.page(locale_of(&headers), 200, None)
}

/// The sign-in page for somebody whose session ended before a form was sent; it carries the form.
pub(super) fn ask_with(locale: Locale, coop: u32, unsent: &Carried) -> Response {
    Asked { unsent: Some(unsent.clone()), ..Asked::new(coop, "") }.page(locale, 403, None)
}

/// Letters of a login that was typed, as it is shown again; no login has more.
const LOGIN_SHOWN: usize = 40;

/// Whom the sign-in page asks, as far as that was typed.
struct Asked {
    coop: u32,
    login: String,
    /// A form of an ended session.
    unsent: Option<Carried>,
    /// The page that was asked for.
    to: Option<String>,
}

impl Asked {
    fn new(coop: u32, login: &str) -> Self {
        Self { coop, login: login.chars().take(LOGIN_SHOWN).collect(), unsent: None, to: None }
    }

    fn page(&self, locale: Locale, status: u16, wrong: Option<&str>) -> Response {
        let form = html! {
            @if self.unsent.is_some() { p.notice role="status" { (locale.t("unsent-sign-in")) } }
            @if let Some(wrong) = wrong { p.error role="alert" { (locale.t(wrong)) } }
            form.card method="post" action=(SIGN_IN) {
                @if let Some(unsent) = &self.unsent { (unsent.hidden()) }
                @if let Some(to) = &self.to { input type="hidden" name="to" value=(to); }
                label { (locale.t("cooperative-number")) input name="coop" inputmode="numeric" required value=(self.coop); }
                label { (locale.t("login")) input name="login" autocomplete="username" required value=(self.login) autofocus; }
                label { (locale.t("password")) input name="password" type="password" autocomplete="current-password" required; }
                label { (locale.t("second-code")) " " span.small { (locale.t("second-code-if")) }
                    input name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="7"; }
                button { (locale.t("sign-in")) }
            }
            p.small { (locale.t("sign-in-help")) }
        };
        bare(locale, status, &locale.t("sign-in"), &form)
    }
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Goes on to a page, signed in.
pub(super) fn signed_in(token: &str, to: &str) -> Response {
    let cookie = format!("{SESSION_COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=43200");
    with_cookie(Redirect::to(to).into_response(), &cookie)
}

/// `POST /console/sign-in`
pub(super) async fn sign_in(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let locale = locale_of(&headers);
    let form = match Form::read(locale, &shared.gate, address.ip().into(), body).await {
        Ok(form) => form,
        Err(refused) => return refused.into_response(),
    };
    let coop = form.get("coop").parse().unwrap_or(0);
    let login = form.get("login").to_owned();
    let asked = Asked { unsent: Carried::read(&form), to: own_page(form.get("to")), ..Asked::new(coop, &login) };
    let now = crate::environment::now();
    // One person's name has one rate, however it is typed.
    let account = normal_login(&login).unwrap_or_default();
    if shared.gate.sign_in(address.ip(), &format!("{coop}/{account}"), now).is_err() {
        return asked.page(locale, 429, Some("sign-in-too-often"));
    }
    let granary = Arc::clone(&shared.granary);
    let (password, code) = (form.get("password").to_owned(), form.get("code").to_owned());
    let work = {
        let (login, from) = (login.clone(), sessions::origin(address.ip(), &headers));
        move || {
            let outcome = granary.sign_in(CooperativeNumber(coop), &login, (&password, &code), now)?;
            if let SignIn::In(token) = &outcome {
                sessions::note(&granary, token, &from);
            }
            Ok::<_, Error>(outcome)
        }
    };
    // Held until the password was checked.
    let Ok(_pass) = shared.gate.password().await else {
        return asked.page(locale, 429, Some("sign-in-too-often"));
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(SignIn::In(token))) => {
            let has_unsent = asked.unsent.is_some_and(|unsent| unsent.keep_for(&shared, &token));
            let to = asked.to.as_deref().unwrap_or("/console");
            signed_in(&token, if has_unsent { unsent::ADDRESS } else { to })
        }
        Ok(Ok(SignIn::Wrong)) => asked.page(locale, 403, Some("sign-in-wrong")),
        Ok(Ok(SignIn::Code(Code::Missing))) => asked.page(locale, 403, Some("second-code-missing")),
        Ok(Ok(SignIn::Code(_))) => asked.page(locale, 403, Some("second-code-wrong")),
        Ok(Err(error)) => refuse(locale, &error).into_response(),
        Err(error) => refuse(locale, &Error::WorkFailed { reason: error.to_string() }).into_response(),
    }
}

/// `GET /console/once/{token}`: a link that signs in once shows a button. Chat programs and mail filters look at links
/// before people do, so looking redeems nothing and tells nothing.
pub(super) async fn show_once(headers: HeaderMap, Path(token): Path<String>) -> Response {
    let locale = locale_of(&headers);
    let form = html! {
        form.card method="post" action={ "/console/once/" (encode(&token)) } {
            p { (locale.t("link-help")) }
            button autofocus { (locale.t("sign-in")) }
        }
    };
    bare(locale, 200, &locale.t("sign-in"), &form)
}

/// `POST /console/once/{token}`: signs in.
pub(super) async fn redeem_once(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(token): Path<String>,
) -> Response {
    let locale = locale_of(&headers);
    let now = crate::environment::now();
    // A link has 192 random bits, so nobody's wrong links need to hold back others'.
    if shared.gate.link(address.ip(), now).is_err() {
        return refused(locale, 429, "sign-in-too-often").into_response();
    }
    let granary = Arc::clone(&shared.granary);
    let from = sessions::origin(address.ip(), &headers);
    let redeem = move || {
        let session = granary.redeem_once(&token, now)?;
        session.iter().for_each(|session| sessions::note(&granary, session, &from));
        Ok::<_, Error>(session)
    };
    match tokio::task::spawn_blocking(redeem).await {
        Ok(Ok(Some(token))) => signed_in(&token, "/console"),
        Ok(Ok(None)) => refused(locale, 403, "link-used").into_response(),
        Ok(Err(error)) => refuse(locale, &error).into_response(),
        Err(error) => refuse(locale, &Error::WorkFailed { reason: error.to_string() }).into_response(),
    }
}

/// `POST /console/sign-out`: here, or everywhere.
pub(super) async fn sign_out(SignedInForm(signed, form): SignedInForm) -> Response {
    let (granary, token) = (Arc::clone(&signed.granary), signed.token.clone());
    let everywhere = form.get("everywhere") == "yes";
    if let Err(refused) = signed.work(move || granary.sign_out(&token, everywhere, crate::environment::now())).await {
        return refused.into_response();
    }
    let gone = format!("{SESSION_COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    with_cookie(Redirect::to("/console/sign-in").into_response(), &gone)
}

/// `POST /console/language`: sets the browser's language cookie.
pub(super) async fn language(
    State(shared): State<Shared>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let locale = locale_of(&headers);
    let form = match Form::read(locale, &shared.gate, address.ip().into(), body).await {
        Ok(form) => form,
        Err(refused) => return refused.into_response(),
    };
    let language = Language::from_code(form.get("language")).unwrap_or(locale.language);
    let back = page_of(&form).or_else(|| referring(&headers)).unwrap_or_else(|| "/console".to_owned());
    let cookie =
        format!("{LANGUAGE_COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000", language.code());
    with_cookie(Redirect::to(&back).into_response(), &cookie)
}

/// The page of the console that a browser says it was on.
fn referring(headers: &HeaderMap) -> Option<String> {
    headers
        .get(header::REFERER)
        .and_then(|referer| referer.to_str().ok())
        .and_then(|referer| referer.split_once("/console"))
        .and_then(|(_, rest)| own_page(&format!("/console{rest}")))
}
