//! Refusals: what was wrong, in the reader's language, and with which field. A refused form comes back on its page
//! ([`super::again`]); others are pages of their own.

use axum::response::{IntoResponse, Response};
use granary_client_core::words::Words;
use maud::{Markup, html};

use super::asked_back::AskedBack;
use super::forms::Form;
use super::i18n::{Language, Locale};
use super::layout::bare;
use crate::engine::ImportFault;
use crate::error::Error;

/// A refusal as a page.
#[derive(Debug, Clone)]
pub(super) struct Refused {
    locale: Locale,
    pub(super) status: u16,
    pub(super) sentence: String,
    /// The field of the form that is wrong; none where it is no one field.
    pub(super) field: Option<String>,
    /// True where the field shows again what is there now: its author has not seen it before.
    pub(super) is_seen_anew: bool,
    /// What is asked about the form, where nothing is wrong with it.
    pub(super) asked: Option<Box<AskedBack>>,
    /// Addresses to choose from, with their words.
    links: Vec<(String, String)>,
}

impl Refused {
    /// The same, with addresses to choose from.
    pub(super) fn with_links(self, links: Vec<(String, String)>) -> Self {
        Self { links, ..self }
    }

    /// The same, of this field of the form.
    pub(super) fn at(self, field: &str) -> Self {
        Self { field: self.field.or_else(|| Some(field.to_owned())), ..self }
    }

    /// The same, of this form: a field that it does not have is not named.
    pub(super) fn on(self, form: &Form) -> Self {
        Self { field: self.field.filter(|field| form.has(field)), ..self }
    }

    /// The same; the form is shown with what its field holds now.
    pub(super) fn seen_anew(self) -> Self {
        Self { is_seen_anew: true, ..self }
    }

    /// The addresses to choose from.
    pub(super) fn choices(&self) -> Markup {
        html! { @if !self.links.is_empty() { ul { @for (address, words) in &self.links { li { a href=(address) { (words) } } } } } }
    }

    /// The refusal as the content of a page.
    pub(super) fn words(&self) -> Markup {
        html! {
            p { (self.sentence) }
            (self.choices())
            p { a href="/console" { (self.locale.t("back-to-overview")) } }
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = bare(self.locale, self.status, &self.locale.t("refused"), &self.words());
        response.extensions_mut().insert(self);
        response
    }
}

/// A refusal with the message of this name.
pub(super) fn refused(locale: Locale, status: u16, name: &str) -> Refused {
    say(locale, status, locale.t(name))
}

fn say(locale: Locale, status: u16, sentence: String) -> Refused {
    Refused { locale, status, sentence, field: None, is_seen_anew: false, asked: None, links: Vec::new() }
}

/// A form that is asked back: nothing is wrong with it, and nothing is saved before it is confirmed.
pub(super) fn asked(locale: Locale, asked: AskedBack) -> Refused {
    Refused { asked: Some(Box::new(asked)), ..refused(locale, 200, "unusual-ask") }
}

/// As [`refused`], with values in the message's places.
pub(super) fn refused_with(locale: Locale, status: u16, name: &str, values: &[(&str, String)]) -> Refused {
    say(locale, status, locale.with(name, values))
}

/// A refusal of what was typed into the field of this label.
pub(super) fn wrong(locale: Locale, label: &str, fault: &dyn Words) -> Refused {
    let values = [("field", locale.t(label)), ("why", fault.words(locale.language))];
    say(locale, 400, locale.with("field-wrong", &values))
}

fn nothing_changed(locale: Locale, fault: &dyn Words) -> Refused {
    say(locale, 400, locale.with("nothing-changed", &[("why", begun(&fault.words(locale.language)))]))
}

/// A text as a sentence begins.
fn begun(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().collect::<String>() + letters.as_str()).unwrap_or_default()
}

/// A refusal of what was typed into a field whose value is parsed; the fault says what is wrong with it.
pub(super) fn unreadable(locale: Locale, field: &str, fault: &dyn Words) -> Refused {
    nothing_changed(locale, fault).at(field)
}

/// A refusal for an error of the domain. It hides details of errors that the person did not cause.
pub(super) fn refuse(locale: Locale, error: &Error) -> Refused {
    match error {
        Error::Document(fault) => nothing_changed(locale, fault),
        Error::Quantity(fault) => nothing_changed(locale, fault),
        Error::EditRefused { reason } | Error::ImportRefused { reason, .. } => nothing_changed(locale, reason),
        Error::EditQuarantined { reason } => nothing_changed(locale, reason),
        Error::Decided(decided) => Refused { status: 409, ..nothing_changed(locale, decided) },
        Error::InvalidInput { field, reason } => nothing_changed(locale, reason).at(field),
        Error::Typed { field, fault } => nothing_changed(locale, fault).at(field),
        Error::Import(fault @ ImportFault::Gone) => say(locale, 404, begun(&fault.words(locale.language))),
        Error::Import(fault @ ImportFault::BeingTaken) => say(locale, 409, begun(&fault.words(locale.language))),
        Error::Import(fault) => nothing_changed(locale, fault).at("file"),
        Error::Protected { .. } => nothing_changed(locale, error),
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
