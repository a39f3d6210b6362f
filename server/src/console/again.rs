//! A refused form comes back on the page that it was sent from, with what was typed and the fault beside its field: whoever
//! typed it changes one thing and sends it again. Every form names its page; the page is asked for anew, so all else on it is as
//! it is now.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tower::ServiceExt;

use super::forms::Form;
use super::inputs::FAULT;
use super::page::Page;
use super::refusal::Refused;
use super::signed_in::SignedIn;
use crate::http::Shared;

/// The hidden field with the address of the form's page.
pub(super) const PAGE: &str = "page";
/// The longest address of a page.
const ADDRESS_BYTES_MAX: usize = 4_000;

/// A form that was refused.
#[derive(Debug)]
pub(super) struct Again {
    /// The address that it was sent to.
    pub(super) action: String,
    /// As it was sent.
    pub(super) form: Form,
    pub(super) refused: Refused,
    /// True once the form is on the page again.
    is_shown: AtomicBool,
}

impl Again {
    pub(super) fn is_shown(&self) -> bool {
        self.is_shown.load(Ordering::Relaxed)
    }

    pub(super) fn note_shown(&self) {
        self.is_shown.store(true, Ordering::Relaxed);
    }

    /// What there is to say of the form, at the head of its page, with the way to its place in the form.
    pub(super) fn told(&self) -> Markup {
        let refused = &self.refused;
        html! {
            @if let Some(asked) = &refused.asked { div.notice role="alert" {
                (refused.sentence)
                ul { @for (mark, _, said) in asked.all() { li { a href={ "#" (mark) } { (said) } } } }
            } } @else { div.error role="alert" {
                @if self.is_shown() { a href={ "#" (FAULT) } { (refused.sentence) } } @else { (refused.sentence) }
                (refused.choices())
            } }
        }
    }
}

/// What a request turned out to be, for when it is refused: who made it, and with which form.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    by: Option<(Shared, SignedIn)>,
    form: Option<Form>,
}

impl Asked {
    pub(super) fn by(&self, shared: Shared, signed: SignedIn) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by = Some((shared, signed));
    }

    pub(super) fn with(&self, form: Form) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).form = Some(form);
    }

    /// Who asked, and with which form.
    pub(super) fn known(&self) -> Option<(SignedIn, Form)> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.by.as_ref().map(|(_, signed)| signed.clone()).zip(known.form.clone())
    }

    fn take(&self) -> Known {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The page that a form names; none for what is no page of the console.
pub(super) fn page_of(form: &Form) -> Option<String> {
    own_page(form.get(PAGE))
}

/// An address, if it is one of the console's pages and can stand in a header.
pub(super) fn own_page(page: &str) -> Option<String> {
    let is_own = page == "/console" || page.starts_with("/console/") || page.starts_with("/console?");
    let is_address = page.len() <= ADDRESS_BYTES_MAX && page.bytes().all(|byte| byte.is_ascii_graphic());
    (is_own && is_address).then(|| page.to_owned())
}

/// Shows a refused form again, and any other refusal to somebody who is signed in within the console's frame.
pub(super) async fn show_refused_again(mut request: Request, next: Next) -> Response {
    let asked = Asked::default();
    request.extensions_mut().insert(asked.clone());
    let (headers, action) = (request.headers().clone(), format!("/console{}", request.uri().path()));
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().copied();
    let response = next.run(request).await;
    let Some(refused) = response.extensions().get::<Refused>().cloned() else { return response };
    // Whoever may not do it any more gets no page with it.
    if refused.status == StatusCode::FORBIDDEN.as_u16() {
        return response;
    }
    let Known { by: Some((shared, signed)), form } = asked.take() else { return response };
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = form.clone().and_then(|form| Some((page_of(&form)?, form)));
    if let Some(page) = page
        && let Some(mut shown) = filled(shared, page, &action, refused.clone(), &headers, peer).await
    {
        *shown.status_mut() = status;
        return shown;
    }
    let page = match (&refused.asked, form) {
        (Some(asked), Some(form)) => {
            let main = asked.apart(signed.locale, &action, &form);
            Page { title: signed.locale.t("unusual-title"), part: "", main }
        }
        _ => Page { title: refused_title(&signed), part: "", main: refused.words() },
    };
    let mut response = page.show(&signed);
    *response.status_mut() = status;
    response.into_response()
}

/// A form's page with the form filled as it was sent to this address, and what there is to say of it; none where the page can't be
/// shown.
pub(super) async fn filled(
    shared: Shared,
    (page, form): (String, Form),
    action: &str,
    refused: Refused,
    headers: &HeaderMap,
    peer: Option<ConnectInfo<SocketAddr>>,
) -> Option<Response> {
    let refused = refused.on(&form);
    let must_show_form = refused.asked.is_some();
    let again = Arc::new(Again { action: action.to_owned(), form, refused, is_shown: AtomicBool::new(false) });
    let mut request = Request::get(page);
    for name in [header::COOKIE, header::ACCEPT_LANGUAGE, header::HOST] {
        if let Some(value) = headers.get(&name) {
            request = request.header(name, value);
        }
    }
    let mut request = request.body(Body::empty()).ok()?;
    request.extensions_mut().insert(Arc::clone(&again));
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    // The router can't fail.
    let shown = super::pages().with_state(shared).oneshot(request).await;
    let shown = shown.unwrap_or_else(|never| match never {});
    // A question without its form can't be answered.
    (shown.status() == StatusCode::OK && (again.is_shown() || !must_show_form)).then_some(shown)
}

fn refused_title(signed: &SignedIn) -> String {
    signed.locale.t("refused")
}
