//! A coordinator's own sessions: since when, where from; ending one that is not hers any more.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::Instant;
use maud::{Markup, html};

use super::page::token;
use super::parts::{Column, Row, Table};
use super::refusal::Refused;
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::Granary;

/// Programs by what their browsers say of themselves; the first that fits, since most also say what they are made from.
const PROGRAMS: [(&str, &str); 8] = [
    ("MicroMessenger/", "WeChat"),
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("UCBrowser/", "UC"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];
const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
];

/// Where a request is from, for the list of sessions: its address and its browser.
pub(super) fn origin(address: IpAddr, headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let of =
        |known: &[(&str, &'static str)]| known.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name);
    let parts = [Some(address.to_string()), of(&PROGRAMS).map(str::to_owned), of(&SYSTEMS).map(str::to_owned)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Notes where a new session is from. It works without; only the list says less.
pub(super) fn note(granary: &Granary, token: &str, from: &str) {
    if let Err(error) = granary.note_session(token, from) {
        tracing::warn!(%error, "where a session is from could not be noted");
    }
}

/// The person's open sessions.
pub(super) async fn list(signed: &SignedIn) -> Result<Markup, Refused> {
    let locale = signed.locale;
    let (granary, session, this) = (signed.granary.clone(), signed.session.clone(), signed.token.clone());
    let lines = signed.work(move || granary.sessions(&session, &this, crate::environment::now())).await?;
    let heads = ["session-from", "session-since", "session-last", "session-end"];
    let columns = heads.map(|head| Column::text(locale.t(head))).into();
    let moment = |at: Instant| locale.moment(at);
    let rows = lines.into_iter().map(|line| {
        let from = if line.from.is_empty() { "—".to_owned() } else { line.from };
        Row::of(vec![
            html! { (from) },
            html! { (moment(line.since)) },
            html! { (moment(line.last)) },
            html! { @if line.is_this { (locale.t("session-this")) } @else {
            form.inline method="post" action="/console/sessions/end" {
                (token(signed)) input type="hidden" name="session" value=(line.id);
                button.quiet { (locale.t("session-end")) }
            } } },
        ])
    });
    Ok(Table::of(locale.t("sessions"), columns).show(rows.collect()))
}

/// `POST /console/sessions/end`
pub(super) async fn end(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let (granary, session, id) = (signed.granary.clone(), signed.session.clone(), form.get("session").to_owned());
    signed.work(move || granary.end_session(&session, &id, crate::environment::now())).await?;
    Ok(Redirect::to("/console/password").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart() {
        let of = |agent: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::USER_AGENT, agent.parse().unwrap());
            origin(IpAddr::from([10, 0, 0, 1]), &headers)
        };
        let edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0";
        assert_eq!(of(edge), "10.0.0.1 · Edge · Windows");
        assert_eq!(
            of("Mozilla/5.0 (Linux; Android 14) Chrome/130.0 MicroMessenger/8.0"),
            "10.0.0.1 · WeChat · Android"
        );
        assert_eq!(of("curl/8"), "10.0.0.1");
    }
}
