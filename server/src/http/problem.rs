//! Refusals: problem+json (RFC 9457), counted by kind.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use granary_client_core::protocol::problem::ProblemKind;

use super::state::{Counts, Shared};
use crate::error::Error;

/// Counts a refusal and answers with it.
pub(crate) fn answer(counts: &Counts, error: &Error) -> Response {
    let problem = error.problem();
    if problem.kind == ProblemKind::Internal {
        tracing::error!(%error, "request failed");
    }
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let kind = serde_json::to_value(problem.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
    let kind = kind.unwrap_or_default();
    counts.metrics.refused(&kind);
    let mut refused = counts.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let count = refused.entry(kind).or_default();
    *count = count.saturating_add(1);
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
    if let Some(seconds) = retry_after_seconds(problem.kind) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// After how many seconds the same may be tried again, where it takes somebody to make room, or another day.
fn retry_after_seconds(kind: ProblemKind) -> Option<u16> {
    match kind {
        ProblemKind::NoRoom => Some(600),
        ProblemKind::ShareUsed => Some(3600),
        _ => None,
    }
}

/// As [`answer`], for handlers outside this module.
pub(crate) fn refuse(shared: &Shared, error: &Error) -> Response {
    answer(&shared.counts, error)
}

/// The answer for unknown paths.
pub(crate) async fn not_found(axum::extract::State(shared): axum::extract::State<Shared>) -> Response {
    answer(&shared.counts, &Error::refused(ProblemKind::NotFound, "there is nothing at this address"))
}
