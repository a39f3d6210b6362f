//! The frame around every page, the pages that refuse, and the headers that keep browsers careful.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::assets;
use super::i18n::{Language, Words};
use super::signed::{Signed, words_of};
use crate::error::Error;
use crate::http::Shared;

/// What is in the frame.
pub(super) struct Page<'a> {
    /// The page's name, for its title.
    pub(super) title: String,
    /// Which part of the navigation it belongs to.
    pub(super) part: &'a str,
    /// The page itself.
    pub(super) main: Markup,
}

const PARTS: [(&str, &str); 8] = [
    ("overview", "/console"),
    ("harvests", "/console/harvests"),
    ("cases", "/console/cases"),
    ("orders", "/console/orders"),
    ("catalogue", "/console/catalogue"),
    ("households", "/console/households"),
    ("phones", "/console/phones"),
    ("export", "/console/export"),
];

/// An answer with a page in it.
fn answer(status: u16, page: Markup) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, page.into_string()).into_response()
}

fn head(words: Words, title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            title { (title) " · Granary" }
            link rel="stylesheet" href=(assets::style());
            link rel="icon" href="data:,";
            script src=(assets::script()) defer data-live=(words.t("live-new")) data-lost=(words.t("live-lost")) {}
        }
    }
}

fn language_switch(words: Words) -> Markup {
    let other = match words.language {
        Language::Chinese => ("en", "English"),
        Language::English => ("zh", "中文"),
    };
    html! {
        form.inline method="post" action="/console/language" {
            button.quiet name="language" value=(other.0) lang=(other.0) { (other.1) }
        }
    }
}

impl Page<'_> {
    /// The page for a signed-in coordinator.
    pub(super) fn show(self, signed: &Signed) -> Response {
        let words = signed.words;
        let behind = signed.lists().map(|lists| lists.behind()).unwrap_or(0);
        let markup = html! {
            (DOCTYPE)
            html lang=(words.language.code()) {
                (head(words, &self.title))
                body data-session="yes" {
                    a.skip href="#main" { (words.t("skip")) }
                    header {
                        div.brand { strong { (signed.cooperative.name()) } }
                        nav aria-label=(words.t("navigation")) {
                            @for (part, address) in PARTS {
                                a href=(address) aria-current=[(part == self.part).then_some("page")] { (words.of("part", part)) }
                            }
                        }
                        div.who {
                            span { (signed.session.name) }
                            (language_switch(words))
                            form.inline method="post" action="/console/sign-out" {
                                (token(signed))
                                button.quiet { (words.t("sign-out")) }
                                button.quiet name="everywhere" value="yes" { (words.t("sign-out-everywhere")) }
                            }
                        }
                    }
                    p #live.live role="status" aria-live="polite" {}
                    main #main tabindex="-1" {
                        @if behind > 0 { p.notice { (words.with("lists-behind", &[("count", behind.to_string())])) } }
                        h1 { (self.title) }
                        (self.main)
                    }
                }
            }
        };
        answer(200, markup)
    }
}

/// A page for someone who is not signed in.
pub(super) fn bare(words: Words, status: u16, title: &str, main: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(words.language.code()) {
            (head(words, title))
            body {
                header { div.brand { strong { "Granary" } } div.who { (language_switch(words)) } }
                main #main tabindex="-1" { h1 { (title) } (main) }
            }
        }
    };
    answer(status, markup)
}

/// The hidden field that makes a form believed.
pub(super) fn token(signed: &Signed) -> Markup {
    html! { input type="hidden" name="token" value=(signed.session.csrf); }
}

/// A page that refuses.
#[derive(Debug)]
pub(super) struct Refused {
    words: Words,
    status: u16,
    sentence: String,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let back = html! {
            p { (self.sentence) }
            p { a href="/console" { (self.words.t("back-to-overview")) } }
        };
        bare(self.words, self.status, &self.words.t("refused"), &back)
    }
}

/// A refusal with words of this name.
pub(super) fn refused(words: Words, status: u16, name: &str) -> Refused {
    Refused { words, status, sentence: words.t(name) }
}

/// A refusal for an error of the domain. What is not the person's doing is not told.
pub(super) fn refuse(words: Words, error: &Error) -> Refused {
    match error {
        Error::Document(fault) => Refused { words, status: 400, sentence: fault.to_string() },
        Error::Usage(sentence) => Refused { words, status: 400, sentence: sentence.clone() },
        Error::NotFound { .. } => refused(words, 404, "not-found"),
        Error::Refused { detail, .. } => Refused { words, status: error.problem().status, sentence: detail.clone() },
        other => {
            tracing::error!(error = %other, "a page failed");
            refused(words, 500, "server-failed")
        }
    }
}

/// Anything that no page is for.
pub(super) async fn not_found(request: Request) -> Response {
    refused(words_of(request.headers()), 404, "not-found").into_response()
}

/// Turns plain refusals of the framework (a bad address, a wrong method) into pages.
pub(super) async fn with_language(State(_): State<Shared>, request: Request, next: Next) -> Response {
    let words = words_of(request.headers());
    let is_page = request.uri().path().starts_with("/console");
    let response = next.run(request).await;
    let has_type = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes().starts_with(b"text/html") || kind.as_bytes().starts_with(b"application/problem")
    });
    let name = match response.status().as_u16() {
        400 | 405 | 415 | 422 => "form-field-wrong",
        404 => "not-found",
        413 => "form-too-large",
        _ => return response,
    };
    if is_page && !has_type { refused(words, response.status().as_u16(), name).into_response() } else { response }
}

const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What every page tells browsers.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        ("content-security-policy", CONTENT_POLICY),
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Links to the pages of a long list.
pub(super) fn paging(words: Words, address: &str, page: u64, per_page: u64, total: u64) -> Markup {
    let pages = total.div_ceil(per_page.max(1)).max(1);
    let separator = if address.contains('?') { '&' } else { '?' };
    html! {
        nav.paging aria-label=(words.t("pages")) {
            @if page > 1 { a rel="prev" href={ (address) (separator) "page=" (page.saturating_sub(1)) } { (words.t("page-before")) } }
            span { (words.with("page-of", &[("page", page.to_string()), ("pages", pages.to_string())])) }
            @if page < pages { a rel="next" href={ (address) (separator) "page=" (page.saturating_add(1)) } { (words.t("page-after")) } }
        }
    }
}
