//! Who calls: the key of a request, within its rate.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header;
use axum::http::request::Parts;
use granary_client_core::quantities::Instant;

use super::problem::{INTERNAL, MAY_NOT, MAY_NOT_DETAIL, NO_KEY, Problem, TOO_OFTEN};
use crate::access::By;
use crate::access::api_keys::{ApiKey, Scope};
use crate::engine::Granary;
use crate::error::Error;
use crate::http::{Held, Origin, Shared, read_body};

const NO_KEY_DETAIL: &str = "send `Authorization: Bearer grn_…` with a key that was not revoked";

/// The caller of a request.
pub(crate) struct Caller {
    pub(crate) key: ApiKey,
    pub(crate) shared: Shared,
    pub(crate) now: Instant,
    origin: Origin,
}

impl Caller {
    /// Who it is, for what people may do as well.
    pub(crate) fn by(&self) -> By {
        By::Key(self.key.clone())
    }

    /// An error when the key lacks this scope. It is asked before anything is looked for, so the answer says nothing of what is
    /// there.
    pub(crate) fn must(&self, scope: Scope) -> Result<(), Problem> {
        if self.key.scopes.contains(&scope) { Ok(()) } else { Err(MAY_NOT.because(MAY_NOT_DETAIL)) }
    }

    /// An error for a platform that is not the key's.
    pub(crate) fn must_be_of(&self, platform: &str) -> Result<(), Problem> {
        if self.key.platform == platform { Ok(()) } else { Err(MAY_NOT.because(MAY_NOT_DETAIL)) }
    }

    /// Reads a body within the limits of all bodies.
    pub(crate) async fn body(&self, body: Body, bytes_max: usize) -> Result<(Vec<u8>, Held), Problem> {
        Ok(read_body(&self.shared.gate, self.origin, body, bytes_max).await?)
    }

    /// Runs blocking work on the pool for it, as many at once as of phones.
    pub(crate) async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Granary) -> Result<R, Error> + Send + 'static,
    ) -> Result<R, Problem> {
        let _room = self.shared.gate.room().await?;
        let granary = Arc::clone(&self.shared.granary);
        match tokio::task::spawn_blocking(move || work(&granary)).await {
            Ok(result) => Ok(result?),
            Err(error) => {
                tracing::error!(%error, "a request's work failed");
                Err(INTERNAL.because("the server failed; try again later"))
            }
        }
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let now = crate::environment::now();
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|address| address.0.ip());
        let origin = Origin::from(address.unwrap_or(IpAddr::from([0; 4])));
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok());
        // One text for all: none, a wrong one, an unknown one and a revoked one do the same work.
        let text = given.and_then(|given| given.strip_prefix("Bearer ")).unwrap_or_default().trim();
        let Some(key) = shared.granary.api_key(text, now) else {
            shared.gate.wrong_key(origin, now).map_err(|_| {
                TOO_OFTEN
                    .because("too many requests without a key that works came from here; wait a minute")
                    .after_seconds(60)
            })?;
            return Err(NO_KEY.because(NO_KEY_DETAIL));
        };
        shared.gate.api_key(key.id, now).map_err(|_| {
            TOO_OFTEN.because("this key asks too often; up to 500 orders go in one request").after_seconds(1)
        })?;
        Ok(Self { key, shared: shared.clone(), now, origin })
    }
}
