//! The HTTP interface: what phones call, and what says that the server is well.

mod limits;
mod live;
mod parts;
mod phones;
mod refusal;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

pub(crate) use limits::Gate;
pub use limits::Limits;
pub(crate) use parts::Parts;
pub(crate) use refusal::{frame_refusal, refuse};

use crate::granary::Granary;

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

/// What was served since the start.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) syncs: AtomicU64,
    pub(crate) enrolled: AtomicU64,
    /// Documents of otherwise accepted requests that were refused.
    pub(crate) refused_documents: AtomicU64,
    /// Refused requests, by kind.
    pub(crate) refused: std::sync::Mutex<std::collections::BTreeMap<String, u64>>,
}

pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/s", post(phones::sync))
        .route("/k/{key}/{have}", get(phones::how_far))
        .route("/enrol", post(phones::enrol))
        .route("/reinstate", post(phones::reinstate))
        .route("/health", get(health))
        .route("/counts", get(counts))
        .route("/live", get(live::listen))
        .route("/automerge", get(crate::interop::connect))
        .fallback(refusal::not_found)
        .merge(crate::console::router(shared.clone()))
        .with_state(shared)
}

/// `GET /health`: the process answers.
async fn health() -> &'static str {
    "ok\n"
}

/// `GET /counts`: what was served and refused since the start, as JSON; for whoever asks on this machine.
async fn counts(State(shared): State<Shared>, ConnectInfo(from): ConnectInfo<SocketAddr>) -> Response {
    if !from.ip().is_loopback() {
        return refusal::not_found(State(shared)).await;
    }
    let refused = shared.counts.refused.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    axum::Json(serde_json::json!({
        "syncs": shared.counts.syncs.load(Ordering::Relaxed),
        "enrolled": shared.counts.enrolled.load(Ordering::Relaxed),
        "refused": refused,
        "refused-documents": shared.counts.refused_documents.load(Ordering::Relaxed),
    }))
    .into_response()
}
