//! The frame of pages, and the page for someone who is not signed in.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use super::i18n::{Language, Locale};
use super::{assets, bidi};

/// An answer with a page in it.
pub(super) fn answer(status: u16, page: Markup) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, bidi::shown(page.into_string())).into_response()
}

/// The head of a page; it is asked for again after `reload` seconds, where that is given, and after `plain_reload` seconds by a
/// browser without script.
pub(super) fn head(locale: Locale, title: &str, reload: Option<u32>, plain_reload: Option<u32>) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            @if let Some(seconds) = reload { meta http-equiv="refresh" content=(seconds); }
            @if let Some(seconds) = plain_reload { noscript { meta http-equiv="refresh" content=(seconds); } }
            title { (title) " · Granary" }
            link rel="stylesheet" href=(assets::style());
            link rel="icon" href="data:,";
            script src=(assets::script()) defer data-live=(locale.t("live-new")) data-lost=(locale.t("live-lost")) {}
        }
    }
}

/// The button of the other language; it leads back to `page`, or to where the browser says that it was.
pub(super) fn language_switch(locale: Locale, page: Option<&str>) -> Markup {
    let other = match locale.language {
        Language::Chinese => ("en", "English"),
        Language::English => ("zh", "中文"),
    };
    html! {
        form.inline method="post" action="/console/language" {
            @if let Some(page) = page { input type="hidden" name="page" value=(page); }
            button.quiet name="language" value=(other.0) lang=(other.0) { (other.1) }
        }
    }
}

/// A page that anybody may read, in English.
pub(crate) fn reading_page(title: &str, main: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            (head(Locale { language: Language::English }, title, None, None))
            body {
                header.bar { strong.brand { "Granary" } }
                main #main tabindex="-1" { h1 { (title) } (main) }
            }
        }
    };
    answer(200, markup)
}

/// A page for someone who is not signed in.
pub(super) fn bare(locale: Locale, status: u16, title: &str, main: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang=(locale.language.code()) {
            (head(locale, title, None, None))
            body {
                header.bar { strong.brand { "Granary" } (language_switch(locale, None)) }
                main #main tabindex="-1" { h1 { (title) } (main) }
            }
        }
    };
    answer(status, markup)
}
