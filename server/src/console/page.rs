//! The frame around a signed-in coordinator's page, and the security headers.

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::again::PAGE;
use super::cookies::locale_of;
use super::i18n::{Locale, grouped};
use super::layout::{answer, head, language_switch};
use super::parts::toast;
use super::refusal::refused;
use super::signed_in::SignedIn;
use super::unsent::{AUTHOR, author};

/// The content of the frame.
pub(super) struct Page<'a> {
    /// The page's name, for its title.
    pub(super) title: String,
    /// Its part of the navigation.
    pub(super) part: &'a str,
    /// The page's content.
    pub(super) main: Markup,
}

/// What is worked in every day stands in the bar.
const PARTS: [(&str, &str); 7] = [
    ("overview", "/console"),
    ("harvests", "/console/harvests"),
    ("cases", "/console/cases"),
    ("orders", "/console/orders"),
    ("catalogue", "/console/catalogue"),
    ("households", "/console/households"),
    ("phones", "/console/phones"),
];
/// The rest is below one heading.
const MORE: [(&str, &str); 12] = [
    ("stock", "/console/stock"),
    ("streams", "/console/streams"),
    ("questions", "/console/questions"),
    ("unusual", "/console/unusual"),
    ("set-aside", "/console/set-aside"),
    ("activity", "/console/activity"),
    ("invitations", "/console/invitations"),
    ("coordinators", "/console/coordinators"),
    ("api", "/console/api"),
    ("cooperative", "/console/cooperative"),
    ("import", "/console/import"),
    ("export", "/console/export"),
];

/// Pages of a part with pages of their own below them.
const WITHIN: [(&str, &str); 1] = [("/console/orders/files", "order-files")];

fn is_below(path: &str, address: &str) -> bool {
    path.strip_prefix(address).is_some_and(|rest| rest.starts_with('/'))
}

/// Seconds after which a page that is behind is asked for again.
const BEHIND_RELOAD_SECONDS: u32 = 3;

impl Page<'_> {
    /// The page for a signed-in coordinator.
    pub(super) fn show(self, signed: &SignedIn) -> Response {
        self.show_anew(signed, None)
    }

    /// As [`Self::show`], of something that moves on by itself: a browser without script asks for the page again after so many
    /// seconds, and one with script does as its parts say.
    pub(super) fn show_anew(self, signed: &SignedIn, reload: Option<u32>) -> Response {
        let locale = signed.locale;
        let behind = signed.read_models().map(|models| models.behind()).unwrap_or(0);
        let markup = html! {
            (DOCTYPE)
            html lang=(locale.language.code()) {
                (head(locale, &self.title, signed.is_behind.then_some(BEHIND_RELOAD_SECONDS), reload))
                body data-session="yes" {
                    a.skip href="#main" { (locale.t("skip")) }
                    (self.bar(signed))
                    p #live.live role="status" aria-live="polite" {}
                    main #main tabindex="-1" {
                        @if !signed.granary.has_room() { p.notice role="alert" { (locale.t("no-room")) } }
                        @if signed.is_behind { p.notice role="alert" { (locale.t("page-behind")) } }
                        @else if behind > 0 { p.notice { (locale.with("lists-behind", &[("count", grouped(behind))])) } }
                        (self.head(signed))
                        @if let Some(again) = &signed.again { (again.told()) }
                        // A page without what was just saved offers no form: its old values would overwrite the new ones.
                        @if signed.is_behind { fieldset.behind disabled { (self.main) } } @else { (self.main) }
                    }
                    (toast::show(signed))
                    (keys(locale))
                }
            }
        };
        answer(200, markup)
    }

    /// The part of the console that the page is in, with its address.
    fn home(&self) -> Option<(&'static str, &'static str)> {
        PARTS.into_iter().chain(MORE).find(|(part, _)| *part == self.part)
    }

    /// The bar above the page: its parts, the search, who is signed in. On a narrow screen the parts are behind one button.
    fn bar(&self, signed: &SignedIn) -> Markup {
        let locale = signed.locale;
        let link = |(part, address): (&str, &str)| {
            html! { a href=(address) aria-current=[(part == self.part).then_some("page")] { (locale.of("part", part)) } }
        };
        html! {
            header.bar {
                button.menu.quiet popovertarget="parts" aria-label=(locale.t("navigation")) { "☰" }
                a.brand href="/console" { (signed.cooperative.name()) }
                nav.parts #parts popover aria-label=(locale.t("navigation")) {
                    (find(locale))
                    @for part in PARTS { (link(part)) }
                    details.drop.left { summary { (locale.t("more")) } div { @for part in MORE { (link(part)) } } }
                }
                (find(locale))
                details.drop { summary { (signed.session.name) }
                    div {
                        a href="/console/password" { (locale.t("account")) }
                        (language_switch(locale, Some(&signed.page)))
                        form.inline method="post" action="/console/sign-out" {
                            (token(signed))
                            button.quiet { (locale.t("sign-out")) }
                            button.quiet name="everywhere" value="yes" { (locale.t("sign-out-everywhere")) }
                        }
                    }
                }
            }
        }
    }

    /// The page's name, and the way to it.
    fn head(&self, signed: &SignedIn) -> Markup {
        let path = signed.page.split('?').next().unwrap_or_default();
        let above = self.home().filter(|(_, address)| *address != path && *address != "/console");
        html! {
            @if let Some((part, address)) = above {
                nav.trail aria-label=(signed.locale.t("trail")) {
                    a href=(address) { (signed.locale.of("part", part)) } " › "
                    @if let Some((address, part)) = WITHIN.into_iter().find(|(address, _)| is_below(path, address)) {
                        a href=(address) { (signed.locale.of("part", part)) } " › "
                    }
                }
            }
            div.head { h1 { (self.title) } }
        }
    }
}

/// The search for everything.
fn find(locale: Locale) -> Markup {
    html! {
        form.find method="get" action="/console/search" role="search" {
            input type="search" name="q" aria-label=(locale.t("find")) placeholder=(locale.t("find")) autocomplete="off" data-find;
        }
    }
}

/// What the keyboard can do, shown by `?`.
fn keys(locale: Locale) -> Markup {
    html! {
        dialog #keys aria-label=(locale.t("keys")) {
            h2 { (locale.t("keys")) }
            dl.pair { @for (key, name) in [("/", "search"), ("j k", "move"), ("↵", "open"), ("1–9", "choose"), ("s", "do"), ("u", "undo"), ("x", "tick"), ("?", "help")] {
                div { dt { kbd { (key) } } dd { (locale.of("key", name)) } }
            } }
            form method="dialog" { button { (locale.t("close")) } }
        }
    }
}

/// The hidden fields of every form: the session's form token (CSRF), the page that the form is on, and whose it is.
pub(super) fn token(signed: &SignedIn) -> Markup {
    html! {
        input type="hidden" name="token" value=(signed.form_token);
        input type="hidden" name=(PAGE) value=(signed.page);
        input type="hidden" name=(AUTHOR) value=(author(signed.session.cooperative, signed.session.device));
    }
}

/// The page for unknown addresses.
pub(super) async fn not_found(_signed: Result<SignedIn, Response>, request: Request) -> Response {
    // Whoever is signed in gets it in the console's frame (`again`).
    refused(locale_of(request.headers()), 404, "not-found").into_response()
}

/// Turns the framework's plain refusals (a bad address, a wrong method) into pages.
pub(super) async fn with_language(request: Request, next: Next) -> Response {
    let locale = locale_of(request.headers());
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
    if is_page && !has_type { refused(locale, response.status().as_u16(), name).into_response() } else { response }
}

const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The headers of every page.
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
pub(super) fn paging(locale: Locale, address: &str, page: u64, per_page: u64, total: u64) -> Markup {
    let pages = total.div_ceil(per_page.max(1)).max(1);
    let separator = if address.contains('?') { '&' } else { '?' };
    html! {
        nav.paging aria-label=(locale.t("pages")) {
            @if page > 1 { a rel="prev" href={ (address) (separator) "page=" (page.saturating_sub(1)) } { (locale.t("page-before")) } }
            span { (locale.with("page-of", &[("page", grouped(page)), ("pages", grouped(pages))])) }
            @if page < pages { a rel="next" href={ (address) (separator) "page=" (page.saturating_add(1)) } { (locale.t("page-after")) } }
        }
    }
}
