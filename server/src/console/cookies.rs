//! The console's cookies: session and language.

use axum::http::{HeaderMap, header};

use super::i18n::{Language, Locale, accepted};

/// The cookie of a session. The prefix makes browsers insist on TLS and on this host (RFC 6265bis).
pub(super) const SESSION_COOKIE: &str = "__Host-granary";
pub(super) const LANGUAGE_COOKIE: &str = "granary-language";

/// The value of a cookie of this name.
pub(super) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

/// The language of the answer to a request.
pub(super) fn locale_of(headers: &HeaderMap) -> Locale {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(|code| Language::from_code(&code));
    let header = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Locale { language: chosen.unwrap_or_else(|| accepted(header)) }
}
