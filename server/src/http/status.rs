//! Health, description and metrics of the server.

use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::described::OkLine;
use super::state::Shared;

/// `GET /health`: 200 while the process answers.
#[utoipa::path(
    get, path = "/health", operation_id = "health", tag = "watching", summary = "The process answers", description = "",
    responses((status = 200, description = "It does.", body = OkLine, content_type = "text/plain"))
)]
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /ready`: 200 while the store accepts writes and its disk has room for them.
#[utoipa::path(
    get, path = "/ready", operation_id = "ready", tag = "watching", summary = "The store accepts writes", description = "",
    responses(
        (status = 200, description = "It does.", body = String, content_type = "text/plain"),
        (status = 503, description = "It does not; the body says why.", body = String, content_type = "text/plain")
    )
)]
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    let wrong = match (shared.granary.is_ready(), shared.granary.has_room()) {
        (true, true) => return "ready\n".into_response(),
        (false, _) => "the store does not answer\n",
        (true, false) => "the disk has less room than its floor: nothing new is taken, reading goes on\n",
    };
    (axum::http::StatusCode::SERVICE_UNAVAILABLE, wrong).into_response()
}

/// `GET /metrics`: the metrics, for Prometheus; on the listener for them.
pub(super) async fn metrics(State(shared): State<Shared>) -> Response {
    let text = tokio::task::spawn_blocking(move || shared.counts.metrics.text(&shared.granary)).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(axum::http::header::CONTENT_TYPE, kind)], text.unwrap_or_default()).into_response()
}

/// `GET /counts`: requests served and refused since the start, as JSON; on the listener for metrics.
pub(super) async fn counts(State(shared): State<Shared>) -> Response {
    let refused = shared.counts.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let (syncs, enrolled, refused_documents) = shared.counts.metrics.counts();
    axum::Json(serde_json::json!({
        "syncs": syncs,
        "enrolled": enrolled,
        "refused": refused,
        "refused-documents": refused_documents,
    }))
    .into_response()
}
