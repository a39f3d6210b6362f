//! The pages that refuse.

use axum::response::{IntoResponse, Response};
use maud::html;

use super::i18n::Words;
use super::layout::bare;
use crate::error::Error;

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
