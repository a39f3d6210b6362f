//! What says that the server is well, and what it is.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};

use super::problem::not_found;
use super::state::Shared;

/// `GET /health`: the process answers.
pub(super) async fn health() -> &'static str {
    "ok\n"
}

/// `GET /openapi.json`: what is here, for programs (OpenAPI 3.1).
pub(super) async fn described() -> Response {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

/// `GET /ready`: the store takes what comes.
pub(super) async fn ready(State(shared): State<Shared>) -> Response {
    match shared.granary.is_ready() {
        true => "ready\n".into_response(),
        false => (axum::http::StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response(),
    }
}

/// `GET /metrics`: everything that is measured, for Prometheus; for whoever asks on this machine.
pub(super) async fn metrics(State(shared): State<Shared>, ConnectInfo(from): ConnectInfo<SocketAddr>) -> Response {
    if !from.ip().is_loopback() {
        return not_found(State(shared)).await;
    }
    let gathered = tokio::task::spawn_blocking(move || shared.counts.metrics.text(&shared.granary)).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(axum::http::header::CONTENT_TYPE, kind)], gathered.unwrap_or_default()).into_response()
}

/// `GET /counts`: what was served and refused since the start, as JSON; for whoever asks on this machine.
pub(super) async fn counts(State(shared): State<Shared>, ConnectInfo(from): ConnectInfo<SocketAddr>) -> Response {
    if !from.ip().is_loopback() {
        return not_found(State(shared)).await;
    }
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
