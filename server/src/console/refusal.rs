//! Refusals as pages.

use axum::response::{IntoResponse, Response};
use maud::html;

use super::i18n::Locale;
use super::layout::bare;
use crate::error::Error;

/// A refusal as a page.
#[derive(Debug)]
pub(super) struct Refused {
    locale: Locale,
    status: u16,
    sentence: String,
    /// Addresses to choose from, with their words.
    links: Vec<(String, String)>,
}

impl Refused {
    /// The same, with addresses to choose from.
    pub(super) fn with_links(self, links: Vec<(String, String)>) -> Self {
        Self { links, ..self }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let back = html! {
            p { (self.sentence) }
            @if !self.links.is_empty() { ul { @for (address, words) in &self.links { li { a href=(address) { (words) } } } } }
            p { a href="/console" { (self.locale.t("back-to-overview")) } }
        };
        bare(self.locale, self.status, &self.locale.t("refused"), &back)
    }
}

/// A refusal with the message of this name.
pub(super) fn refused(locale: Locale, status: u16, name: &str) -> Refused {
    say(locale, status, locale.t(name))
}

fn say(locale: Locale, status: u16, sentence: String) -> Refused {
    Refused { locale, status, sentence, links: Vec::new() }
}

/// A refusal for an error of the domain. It hides details of errors that the person did not cause.
pub(super) fn refuse(locale: Locale, error: &Error) -> Refused {
    match error {
        Error::Document(fault) => say(locale, 400, fault.to_string()),
        Error::InvalidInput { .. }
        | Error::Quantity(_)
        | Error::Protected { .. }
        | Error::ImportRefused { .. }
        | Error::EditRefused { .. }
        | Error::EditQuarantined { .. } => say(locale, 400, error.to_string()),
        Error::Denied(_) => refused(locale, 403, "access-ended"),
        Error::NotFound { .. } => refused(locale, 404, "not-found"),
        Error::Refused { detail, .. } => say(locale, error.problem().status, detail.clone()),
        other => {
            tracing::error!(error = %other, "a page failed");
            refused(locale, 500, "server-failed")
        }
    }
}
