//! The HTTP interface: what phones call, and what says that the server is well.

mod limits;
mod nudge;
mod phones;
mod problem;
mod transfer;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

pub(crate) use limits::Gate;
pub use limits::Limits;
pub(crate) use problem::{frame_refusal, refuse};
pub(crate) use transfer::Parts;

use crate::engine::Granary;
use crate::metrics::Metrics;

/// Handles that every handler shares.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) granary: Arc<Granary>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) counts: Arc<Counts>,
    pub(crate) parts: Arc<Parts>,
    pub(crate) reach: Arc<Reach>,
}

/// How phones reach this server, for invitations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Host and port.
    pub(crate) address: String,
    /// SHA-256 of the authority's certificate.
    pub(crate) fingerprint: String,
}

/// What was refused since the start, by kind, and everything that is measured.
pub(crate) struct Counts {
    pub(crate) metrics: Metrics,
    pub(crate) refused: std::sync::Mutex<std::collections::BTreeMap<String, u64>>,
}

impl Counts {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { metrics, refused: std::sync::Mutex::default() }
    }
}

pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/s", post(phones::sync))
        .route("/k/{key}/{have}", get(phones::how_far))
        .route("/enrol", post(phones::enrol))
        .route("/reinstate", post(phones::reinstate))
        .route("/carried", get(phones::carrying_key).post(phones::carried))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics))
        .route("/counts", get(counts))
        .route("/openapi.json", get(described))
        .route("/live", get(nudge::listen))
        .route("/automerge", get(crate::interop::connect))
        .fallback(problem::not_found)
        .merge(crate::console::router(shared.clone()))
        .with_state(shared)
}

/// `GET /health`: the process answers.
async fn health() -> &'static str {
    "ok\n"
}

/// `GET /openapi.json`: what is here, for programs (OpenAPI 3.1).
async fn described() -> Response {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

/// `GET /ready`: the store takes what comes.
async fn ready(State(shared): State<Shared>) -> Response {
    match shared.granary.is_ready() {
        true => "ready\n".into_response(),
        false => (axum::http::StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response(),
    }
}

/// `GET /metrics`: everything that is measured, for Prometheus; for whoever asks on this machine.
async fn metrics(State(shared): State<Shared>, ConnectInfo(from): ConnectInfo<SocketAddr>) -> Response {
    if !from.ip().is_loopback() {
        return problem::not_found(State(shared)).await;
    }
    let gathered = tokio::task::spawn_blocking(move || shared.counts.metrics.text(&shared.granary)).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(axum::http::header::CONTENT_TYPE, kind)], gathered.unwrap_or_default()).into_response()
}

/// `GET /counts`: what was served and refused since the start, as JSON; for whoever asks on this machine.
async fn counts(State(shared): State<Shared>, ConnectInfo(from): ConnectInfo<SocketAddr>) -> Response {
    if !from.ip().is_loopback() {
        return problem::not_found(State(shared)).await;
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
