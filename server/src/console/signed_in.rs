//! The extractor of a signed-in coordinator. A form is accepted only with the session's form token in it (CSRF).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::{ConnectInfo, FromRef, FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{Method, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::schema::{Document, DocumentKey};
use granary_client_core::store::StoreFault;
use tokio::sync::OwnedMutexGuard;

use super::again::{Again, Asked, page_of};
use super::cookies::{SESSION_COOKIE, cookie, locale_of};
use super::form_token::{is_masked, masked};
use super::forms::{Form, discard};
use super::i18n::Locale;
use super::parts::toast::Toasts;
use super::refusal::{Refused, refuse, refused};
use super::second_factor;
use super::sign_in::{self, SIGN_IN};
use super::turns::{self, Turns};
use super::unsent;
use crate::access::{By, Session};
use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::engine::own_words::{PAGE_WAIT, REPLY_WAIT};
use crate::engine::read_models::CooperativeReadModels;
use crate::error::Error;
use crate::http::{Origin, Shared};
use crate::log::Cooperative;

/// The header of an open page that loads its content again.
const REFRESH_HEADER: &str = "x-refresh";

/// A signed-in coordinator.
#[derive(Clone)]
pub(super) struct SignedIn {
    pub(super) granary: Arc<Granary>,
    pub(super) cooperative: Arc<Cooperative>,
    pub(super) session: Session,
    pub(super) locale: Locale,
    pub(super) token: String,
    /// What the forms of this page carry.
    pub(super) form_token: String,
    /// True when a page may not show yet what was written in this session.
    pub(super) is_behind: bool,
    /// Host and port for invitations, and the authority's fingerprint.
    pub(super) public_address: Arc<crate::http::PublicAddress>,
    /// The address of the page that is asked for.
    pub(super) page: String,
    /// The form that was refused, which this page shows again.
    pub(super) again: Option<Arc<Again>>,
    /// What pages say of what was done before; none where a page only loads its content again.
    pub(super) toasts: Option<Arc<Toasts>>,
    has_written: Arc<AtomicBool>,
    /// Held while a form is worked on.
    turn: Option<Arc<OwnedMutexGuard<()>>>,
}

impl SignedIn {
    /// Who it is, for what shops' programs may do as well.
    pub(super) fn by(&self) -> By {
        By::Principal(self.session.principal())
    }

    /// Refuses a token that is not the session's.
    pub(super) fn must_own_token(&self, given: &str) -> Result<(), Refused> {
        let same = is_masked(given, &self.session.csrf);
        if same { Ok(()) } else { Err(refused(self.locale, 403, "form-not-yours")) }
    }

    /// Leads back to the page that a form was on, with its filter, to the place of this name on it.
    pub(super) fn back_to(&self, place: &str) -> Response {
        let page = self.page.split('#').next().unwrap_or_default();
        let place = if place.is_empty() { String::new() } else { format!("#{place}") };
        Redirect::to(&format!("{page}{place}")).into_response()
    }

    /// True while the session has not ended.
    pub(super) async fn is_open(&self) -> bool {
        let (granary, token) = (Arc::clone(&self.granary), self.token.clone());
        let asked = tokio::task::spawn_blocking(move || granary.is_session_open(&token, crate::environment::now()));
        asked.await.unwrap_or(false)
    }

    /// Notes that something was done for this person, which the next page says.
    pub(super) fn note_written(&self) {
        self.has_written.store(true, Ordering::Relaxed);
    }

    /// True once something was done for this person in this request.
    pub(super) fn has_written(&self) -> bool {
        self.has_written.load(Ordering::Relaxed)
    }

    /// The co-operative's read model.
    pub(super) fn read_models(&self) -> Result<Arc<CooperativeReadModels>, Refused> {
        self.granary.read_models(self.cooperative.number()).map_err(|error| refuse(self.locale, &error))
    }

    /// Reads from the read model, off the threads that serve connections.
    pub(super) async fn read<R: Send + 'static>(
        &self,
        read: impl FnOnce(&granary_client_core::projection::ReadModel) -> Result<R, StoreFault> + Send + 'static,
    ) -> Result<R, Refused> {
        let models = self.read_models()?;
        self.work(move || Ok(models.read(read)?)).await
    }

    /// A document in its present state.
    pub(super) async fn document(&self, key: DocumentKey) -> Result<Option<Document>, Refused> {
        let (granary, number) = (Arc::clone(&self.granary), self.cooperative.number());
        self.work(move || granary.document(number, &key)).await
    }

    /// The parts of a document, in their order.
    pub(super) async fn parts(&self, of: DocumentKey) -> Result<Vec<Document>, Refused> {
        let (granary, number) = (Arc::clone(&self.granary), self.cooperative.number());
        self.work(move || granary.parts(number, &of)).await
    }

    /// Edits documents as this person, all of them or none.
    pub(super) async fn edit(&self, edits: Vec<Edits>) -> Result<(), Refused> {
        let (granary, number) = (Arc::clone(&self.granary), self.cooperative.number());
        let person = (self.session.device, Some(self.session.generation));
        let token = self.token.clone();
        let has_written = Arc::clone(&self.has_written);
        self.work(move || {
            let awaited = granary.edit_in_session(number, person, crate::environment::now(), edits)?;
            // A form of which nothing was changed saved nothing.
            if !awaited.is_empty() {
                has_written.store(true, Ordering::Relaxed);
            }
            // The next page shows what was saved here, or says that it does not yet.
            granary.edited_in(number, &token, awaited, REPLY_WAIT)
        })
        .await
    }

    /// Runs blocking work on the pool for it.
    pub(super) async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Refused> {
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(error)) => Err(refuse(self.locale, &error)),
            Err(error) => Err(refuse(self.locale, &Error::WorkFailed { reason: error.to_string() })),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn
where
    Shared: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let shared = Shared::from_ref(state);
        let locale = locale_of(&parts.headers);
        let wanted = (parts.method == Method::GET).then(|| page_address(&parts.uri));
        let to_sign_in = || sign_in::lead_to(wanted.as_deref()).into_response();
        let token = cookie(&parts.headers, SESSION_COOKIE).ok_or_else(to_sign_in)?;
        let granary = Arc::clone(&shared.granary);
        let looked_up = {
            let token = token.clone();
            let look_up = move || -> Result<Option<(Session, bool)>, Error> {
                let Some(session) = granary.session(&token, crate::environment::now())? else { return Ok(None) };
                let is_behind = granary.is_behind(session.cooperative, &token, PAGE_WAIT)?;
                Ok(Some((session, is_behind)))
            };
            tokio::task::spawn_blocking(look_up).await
        };
        let (session, is_behind) = match looked_up {
            Ok(Ok(found)) => found.ok_or_else(to_sign_in)?,
            Ok(Err(error)) => return Err(refuse(locale, &error).into_response()),
            Err(error) => return Err(refuse(locale, &Error::WorkFailed { reason: error.to_string() }).into_response()),
        };
        // The console's routes are nested, so the beginning of their address is not in it.
        if session.must_set_up_second && !["/second-factor", "/sign-out"].contains(&parts.uri.path()) {
            return Err(Redirect::to(second_factor::ADDRESS).into_response());
        }
        let cooperative =
            shared.granary.cooperative(session.cooperative).map_err(|error| refuse(locale, &error).into_response())?;
        let form_token = masked(&session.csrf).map_err(|error| refuse(locale, &error).into_response())?;
        let signed = Self {
            granary: Arc::clone(&shared.granary),
            cooperative,
            session,
            form_token,
            locale,
            token,
            is_behind,
            public_address: Arc::clone(&shared.public_address),
            page: page_address(&parts.uri),
            again: parts.extensions.get::<Arc<Again>>().cloned(),
            toasts: parts
                .extensions
                .get::<Arc<Toasts>>()
                .filter(|_| !parts.headers.contains_key(REFRESH_HEADER))
                .cloned(),
            has_written: Arc::default(),
            turn: None,
        };
        if let Some(asked) = parts.extensions.get::<Asked>() {
            asked.by(shared, signed.clone());
        }
        Ok(signed)
    }
}

/// The address of a page, which the console's router has without its beginning.
fn page_address(uri: &Uri) -> String {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("/console{}{query}", uri.path().trim_end_matches('/'))
}

/// A form of a signed-in coordinator, with the session's own token in it.
pub(super) struct SignedInForm(pub(super) SignedIn, pub(super) Form);

impl<S: Send + Sync> FromRequest<S> for SignedInForm
where
    Shared: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|address| address.0.ip());
        let from = Origin::from(from.unwrap_or(IpAddr::from([0; 4])));
        let gate = Shared::from_ref(state).gate;
        let action = format!("/console{}", parts.uri.path());
        let mut signed = match SignedIn::from_request_parts(&mut parts, state).await {
            Ok(signed) => signed,
            Err(refusal) if leads_to(&refusal, SIGN_IN) => {
                let locale = locale_of(&parts.headers);
                return Err(unsent::ask_to_sign_in(locale, &gate, from, &action, body).await);
            }
            Err(refusal) => {
                discard(body).await;
                return Err(refusal);
            }
        };
        let form = Form::read(signed.locale, &gate, from, body).await.map_err(IntoResponse::into_response)?;
        let asked = parts.extensions.get::<Asked>();
        if let Err(refused_token) = signed.must_own_token(form.get("token")) {
            if !unsent::is_of_earlier_session(&signed, &action, &form) {
                return Err(refused_token.into_response());
            }
            // Typed before the same person signed in anew: shown again, with this session's token.
            if let Some(asked) = asked {
                asked.with(form);
            }
            return Err(refused(signed.locale, 409, "unsent-form").into_response());
        }
        if let Some(turns) = parts.extensions.get::<Arc<Turns>>() {
            signed.turn = Some(Arc::new(turns.take(signed.cooperative.number()).await));
            if let Some(to) = turns.led_to(&turns::sent(&signed.token, &action, &form)) {
                return Err(Redirect::to(&to).into_response());
            }
        }
        // What is shown in answer to a form leads back to the form's page: its own address shows nothing.
        signed.page = page_of(&form).unwrap_or_else(|| "/console".to_owned());
        if let Some(asked) = asked {
            asked.with(form.clone());
        }
        Ok(Self(signed, form))
    }
}

/// True for an answer that leads to this address.
fn leads_to(answer: &Response, address: &str) -> bool {
    answer.headers().get(header::LOCATION).is_some_and(|to| to == address)
}
