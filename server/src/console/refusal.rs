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
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let back = html! {
            p { (self.sentence) }
            p { a href="/console" { (self.locale.t("back-to-overview")) } }
        };
        bare(self.locale, self.status, &self.locale.t("refused"), &back)
    }
}

/// A refusal with the message of this name.
pub(super) fn refused(locale: Locale, status: u16, name: &str) -> Refused {
    Refused { locale, status, sentence: locale.t(name) }
}

/// A refusal for an error of the domain. It hides details of errors that the person did not cause.
pub(super) fn refuse(locale: Locale, error: &Error) -> Refused {
    match error {
        Error::Document(fault) => Refused { locale, status: 400, sentence: fault.to_string() },
        Error::InvalidInput { .. }
        | Error::Quantity(_)
        | Error::Protected { .. }
        | Error::ImportRefused { .. }
        | Error::EditRefused { .. }
        | Error::EditQuarantined { .. } => Refused { locale, status: 400, sentence: error.to_string() },
        Error::NotFound { .. } => refused(locale, 404, "not-found"),
        Error::Refused { detail, .. } => Refused { locale, status: error.problem().status, sentence: detail.clone() },
        other => {
            tracing::error!(error = %other, "a page failed");
            refused(locale, 500, "server-failed")
        }
    }
}
