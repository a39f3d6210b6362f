//! Who asks: a signed-in coordinator, in their language. Forms are believed only with the session's own
//! token in them.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::documents::{Document, DocumentKey};
use granary_client_core::store::StoreFault;

use super::forms::Form;
use super::i18n::{Language, Words};
use super::page::{Refused, refuse};
use crate::access::Session;
use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::engine::read_models::CooperativeLists;
use crate::error::Error;
use crate::http::Shared;
use crate::log::Cooperative;

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

/// The language that a request is answered in.
pub(super) fn words_of(headers: &HeaderMap) -> Words {
    let chosen = cookie(headers, LANGUAGE_COOKIE).and_then(|code| Language::from_code(&code));
    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    Words { language: chosen.unwrap_or_else(|| Language::accepted(accepted)) }
}

/// A signed-in coordinator.
#[derive(Clone)]
pub(super) struct Signed {
    pub(super) granary: Arc<Granary>,
    pub(super) cooperative: Arc<Cooperative>,
    pub(super) session: Session,
    pub(super) words: Words,
    pub(super) token: String,
    /// Host and port for invitations, and the authority's fingerprint.
    pub(super) reach: Arc<crate::http::Reach>,
}

impl Signed {
    /// The co-operative's lists.
    pub(super) fn lists(&self) -> Result<Arc<CooperativeLists>, Refused> {
        self.granary.lists(self.cooperative.number()).map_err(|error| refuse(self.words, &error))
    }

    /// Reads from the lists, off the threads that serve connections.
    pub(super) async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&granary_client_core::projection::ReadModel) -> Result<R, StoreFault> + Send + 'static,
    ) -> Result<R, Refused> {
        let lists = self.lists()?;
        self.work(move || Ok(lists.read(read)?)).await
    }

    /// A document as it is now.
    pub(super) async fn document(&self, key: DocumentKey) -> Result<Option<Document>, Refused> {
        let (granary, number) = (Arc::clone(&self.granary), self.cooperative.number());
        self.work(move || granary.document(number, &key)).await
    }

    /// Edits documents as this person, all of them or none.
    pub(super) async fn edit(&self, edits: Vec<Edits>) -> Result<(), Refused> {
        let (granary, number, device) = (Arc::clone(&self.granary), self.cooperative.number(), self.session.device);
        self.work(move || granary.edit_as(number, device, crate::now(), edits)).await
    }

    /// Runs work that waits for the store where it does not hold up others.
    pub(super) async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Refused> {
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(refuse(self.words, &error)),
            Err(error) => {
                tracing::error!(%error, "a page's work failed");
                Err(refuse(self.words, &Error::Usage("the page's work failed".into())))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Signed
where
    Shared: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let shared = Shared::from_ref(state);
        let words = words_of(&parts.headers);
        let to_sign_in = || Redirect::to("/console/sign-in").into_response();
        let token = cookie(&parts.headers, SESSION_COOKIE).ok_or_else(to_sign_in)?;
        let granary = Arc::clone(&shared.granary);
        let looked_up = {
            let token = token.clone();
            tokio::task::spawn_blocking(move || granary.session(&token, crate::now())).await
        };
        let session = match looked_up {
            Ok(Ok(session)) => session.ok_or_else(to_sign_in)?,
            Ok(Err(error)) => return Err(refuse(words, &error).into_response()),
            Err(error) => return Err(refuse(words, &Error::Usage(error.to_string())).into_response()),
        };
        let cooperative =
            shared.granary.cooperative(session.cooperative).map_err(|error| refuse(words, &error).into_response())?;
        Ok(Self { granary: shared.granary, cooperative, session, words, token, reach: shared.reach })
    }
}

/// A form of a signed-in coordinator, with the session's own token in it.
pub(super) struct SignedForm(pub(super) Signed, pub(super) Form);

impl<S: Send + Sync> FromRequest<S> for SignedForm
where
    Shared: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, state).await?;
        let form = Form::read(signed.words, body).await.map_err(IntoResponse::into_response)?;
        form.check_token(&signed).map_err(IntoResponse::into_response)?;
        Ok(Self(signed, form))
    }
}
