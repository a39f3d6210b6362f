//! Refusals as pages.

use axum::response::{IntoResponse, Response};
use granary_client_core::words::Words;
use maud::html;

use super::i18n::{Language, Locale};
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

/// As [`refused`], with values in the message's places.
pub(super) fn refused_with(locale: Locale, status: u16, name: &str, values: &[(&str, String)]) -> Refused {
    Refused { locale, status, sentence: locale.with(name, values), links: Vec::new() }
}

/// A refusal of what was typed into the field of this label.
pub(super) fn wrong(locale: Locale, label: &str, fault: &dyn Words) -> Refused {
    let values = [("field", locale.t(label)), ("why", fault.words(locale.language))];
    Refused { locale, status: 400, sentence: locale.with("field-wrong", &values), links: Vec::new() }
}

fn nothing_changed(locale: Locale, fault: &dyn Words) -> Refused {
    say(locale, 400, locale.with("nothing-changed", &[("why", fault.words(locale.language))]))
}

/// A refusal for an error of the domain. It hides details of errors that the person did not cause.
pub(super) fn refuse(locale: Locale, error: &Error) -> Refused {
    match error {
        Error::Document(fault) => nothing_changed(locale, fault),
        Error::Quantity(fault) => nothing_changed(locale, fault),
        Error::EditRefused { reason } | Error::ImportRefused { reason, .. } => nothing_changed(locale, reason),
        Error::EditQuarantined { .. } => refused(locale, 400, "edit-does-harm"),
        Error::InvalidInput { field: "password", .. } => refused(locale, 400, "password-wrong"),
        Error::InvalidInput { field: "login", .. } => refused(locale, 400, "login-wrong"),
        Error::InvalidInput { .. } | Error::Protected { .. } | Error::Typed { .. } => {
            refused(locale, 400, "form-field-wrong")
        }
        Error::Denied(_) => refused(locale, 403, "access-ended"),
        Error::NotFound { .. } => refused(locale, 404, "not-found"),
        Error::Refused { kind, detail } => {
            let sentence = match locale.language {
                Language::Chinese => format!("{}。", kind.chinese()),
                Language::English => detail.clone(),
            };
            say(locale, error.problem().status, sentence)
        }
        other => {
            tracing::error!(error = %other, "a page failed");
            refused(locale, 500, "server-failed")
        }
    }
}
