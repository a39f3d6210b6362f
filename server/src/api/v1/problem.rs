//! Refusals under `/v1`: problem+json (RFC 9457), with each place of the request that is wrong.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::store::StoreFault;
use serde::Serialize;
use utoipa::{IntoResponses, ToSchema};

use crate::engine::ImportFault;
use crate::error::Error;

/// Places that one answer names at most.
const FAULTS_MAX: usize = 1_000;

/// What is wrong with one place of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fault {
    /// The order, counted from 0; none where it is of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<u32>,
    /// The line of that order, counted from 0; none where it is of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<u32>,
    /// The field.
    pub(crate) field: String,
    /// What is wrong, for programs.
    pub(crate) code: String,
    /// What is wrong, for people.
    pub(crate) detail: String,
}

/// A refusal: RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// What it is, for programs: an address below `/v1/docs` that explains it.
    pub(crate) r#type: String,
    /// The same in a few words.
    pub(crate) title: String,
    /// The HTTP status, again.
    pub(crate) status: u16,
    /// What happened and what to do, for people.
    pub(crate) detail: String,
    /// Each place of the request that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) errors: Vec<Fault>,
    /// After so many seconds the same may be tried again.
    #[serde(skip)]
    pub(crate) retry_after: Option<u32>,
}

/// What a problem is, with its status and title.
pub(crate) struct Kind(pub(crate) &'static str, u16, &'static str);

pub(crate) const MALFORMED: Kind = Kind("malformed", 400, "The body can't be read");
pub(crate) const NO_KEY: Kind = Kind("no-key", 401, "No key that works");
pub(crate) const MAY_NOT: Kind = Kind("may-not", 403, "The key may not do this");
pub(crate) const NOT_FOUND: Kind = Kind("not-found", 404, "There is nothing here");
pub(crate) const WRONG_METHOD: Kind = Kind("wrong-method", 405, "The address has no such method");
pub(crate) const TIMEOUT: Kind = Kind("timeout", 408, "The body came too slowly");
pub(crate) const STILL_RUNNING: Kind = Kind("still-running", 409, "The same request is still worked on");
pub(crate) const CONFLICT: Kind = Kind("conflict", 409, "It can't be done as things stand");
pub(crate) const CURSOR_GONE: Kind = Kind("cursor-gone", 410, "The cursor is of another log");
pub(crate) const TOO_LARGE: Kind = Kind("too-large", 413, "The body is too large");
pub(crate) const WRONG_TYPE: Kind = Kind("wrong-content-type", 415, "The body is of another kind");
pub(crate) const INVALID: Kind = Kind("invalid", 422, "Something in the request is wrong");
pub(crate) const KEY_REUSED: Kind =
    Kind("idempotency-key-reused", 422, "The idempotency key was used for another body");
pub(crate) const TOO_OFTEN: Kind = Kind("too-often", 429, "Too often");
pub(crate) const INTERNAL: Kind = Kind("internal", 500, "The server failed");
pub(crate) const UNAVAILABLE: Kind = Kind("unavailable", 503, "The server takes nothing for now");

/// All kinds, for the page that explains them.
pub(crate) const KINDS: [Kind; 16] = [
    MALFORMED,
    NO_KEY,
    MAY_NOT,
    NOT_FOUND,
    WRONG_METHOD,
    TIMEOUT,
    STILL_RUNNING,
    CONFLICT,
    CURSOR_GONE,
    TOO_LARGE,
    WRONG_TYPE,
    INVALID,
    KEY_REUSED,
    TOO_OFTEN,
    INTERNAL,
    UNAVAILABLE,
];

impl Kind {
    pub(crate) fn status(&self) -> u16 {
        self.1
    }

    pub(crate) fn title(&self) -> &'static str {
        self.2
    }

    /// A problem of this kind.
    pub(crate) fn because(&self, detail: impl Into<String>) -> Problem {
        Problem {
            r#type: format!("/v1/docs#{}", self.0),
            title: self.2.to_owned(),
            status: self.1,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// The same with the places that are wrong.
    pub(crate) fn at(&self, detail: impl Into<String>, mut errors: Vec<Fault>) -> Problem {
        errors.truncate(FAULTS_MAX);
        Problem { errors, ..self.because(detail) }
    }
}

impl Fault {
    /// A fault of the request itself.
    pub(crate) fn of_request(field: &str, code: &str, detail: impl Into<String>) -> Self {
        Self { order: None, line: None, field: field.to_owned(), code: code.to_owned(), detail: detail.into() }
    }
}

impl Problem {
    pub(crate) fn after_seconds(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The name of its kind.
    pub(crate) fn name(&self) -> &str {
        self.r#type.split_once('#').map_or("", |(_, name)| name)
    }

    /// One wrong field.
    pub(crate) fn field(field: &str, code: &str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        INVALID.at(detail.clone(), vec![Fault::of_request(field, code, detail)])
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let detail = error.to_string();
        match &error {
            Error::Refused { kind, .. } => match kind {
                ProblemKind::Malformed | ProblemKind::UnknownVersion => MALFORMED.because(detail),
                ProblemKind::TooLarge => TOO_LARGE.because(detail),
                ProblemKind::Timeout => TIMEOUT.because(detail),
                ProblemKind::NotFound => NOT_FOUND.because(NOTHING),
                ProblemKind::Busy => TOO_OFTEN.because(detail).after_seconds(1),
                ProblemKind::ShareUsed => TOO_OFTEN.because(detail).after_seconds(3600),
                ProblemKind::NoRoom => UNAVAILABLE.because(detail).after_seconds(600),
                ProblemKind::BadSignature
                | ProblemKind::UnknownDevice
                | ProblemKind::DeviceRevoked
                | ProblemKind::BadInvitation => MAY_NOT.because(MAY_NOT_DETAIL),
                ProblemKind::Internal => INTERNAL.because(FAILED),
            },
            Error::NotFound { .. } => NOT_FOUND.because(NOTHING),
            Error::OrderFile(fault) => Self::field("file", fault.code(), detail),
            Error::Import(fault) => match fault {
                ImportFault::Gone => NOT_FOUND.because(detail),
                ImportFault::Taken { .. } | ImportFault::BeingTaken => CONFLICT.because(detail),
                ImportFault::NoRoom => UNAVAILABLE.because(detail).after_seconds(600),
                ImportFault::ProfileUnknown(_) => Self::field("profile", fault.code(), detail),
                _ => Self::field("file", fault.code(), detail),
            },
            Error::Stopping => UNAVAILABLE.because(detail).after_seconds(5),
            Error::Store(StoreFault::Full) => UNAVAILABLE.because(FAILED).after_seconds(600),
            Error::InvalidInput { field, .. } => Self::field(field, "invalid", detail),
            Error::Decided(_) | Error::Protected { .. } => CONFLICT.because(detail),
            Error::Denied(_) => MAY_NOT.because(MAY_NOT_DETAIL),
            _ => {
                tracing::error!(%error, "a request of /v1 failed");
                INTERNAL.because(FAILED)
            }
        }
    }
}

pub(crate) const NOTHING: &str = "there is nothing of this name that this key could see";
pub(crate) const MAY_NOT_DETAIL: &str = "this key may not do this: it is of another shop, or lacks the scope";
const FAILED: &str = "the server failed; try again later, with the same idempotency key or the same ids";

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(Told(self.name().to_owned()));
        response
    }
}

/// The name of the problem that a response tells, for counting.
#[derive(Debug, Clone)]
pub(super) struct Told(pub(super) String);

/// What every request under `/v1` can be refused with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description")]
pub(crate) enum Refusals {
    /// The request can't be read.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(#[to_schema] Problem),
    /// No key, or one that does not work.
    #[response(status = 401, content_type = "application/problem+json")]
    NoKey(#[to_schema] Problem),
    /// The key is of another shop, or lacks the scope.
    #[response(status = 403, content_type = "application/problem+json")]
    MayNot(#[to_schema] Problem),
    /// The address has no such method; `Allow` says which there are.
    #[response(status = 405, content_type = "application/problem+json")]
    WrongMethod(#[to_schema] Problem),
    /// Too often: wait for what `Retry-After` says.
    #[response(status = 429, content_type = "application/problem+json", headers(("retry-after" = u32, description = "Seconds.")))]
    TooOften(#[to_schema] Problem),
    /// The server failed.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(#[to_schema] Problem),
    /// The server stops, or its disk is nearly full.
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(#[to_schema] Problem),
}

/// What a request under `/v1` with a body can be refused with, besides [`Refusals`].
#[derive(IntoResponses)]
#[expect(dead_code, reason = "for the description")]
pub(crate) enum BodyRefusals {
    /// The body came too slowly.
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(#[to_schema] Problem),
    /// The same request is still worked on, or it can't be done as things stand.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(#[to_schema] Problem),
    /// The body is too large.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(#[to_schema] Problem),
    /// The body is of another kind.
    #[response(status = 415, content_type = "application/problem+json")]
    WrongType(#[to_schema] Problem),
    /// Something in the request is wrong; `errors` names each place.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(#[to_schema] Problem),
}
