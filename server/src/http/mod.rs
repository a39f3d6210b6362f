//! The HTTP interface: the phones' endpoints and the health endpoints.

mod gate;
mod limiter;
mod nudge;
mod phones;
mod places;
mod problem;
mod rooms;
mod state;
mod status;
mod transfer;
mod with;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use gate::{Gate, Kept};
pub(crate) use limiter::Origin;
pub(crate) use phones::read_body;
pub(crate) use places::{Place, Places};
pub(crate) use problem::{not_found, refuse};
pub(crate) use rooms::Held;
pub(crate) use state::{Counts, Exported, Occupied, PublicAddress, Shared};
pub(crate) use transfer::Transfers;
pub(crate) use with::With;

/// The routes of phones and of health checks.
pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/s", post(phones::sync))
        .route("/k/{key}/{have}", get(phones::progress))
        .route("/invitation", post(phones::preview))
        .route("/enrol", post(phones::enrol))
        .route("/reinstate", post(phones::reinstate))
        .route("/carried", post(phones::import_outbox))
        .route("/live", get(nudge::listen))
        .route("/health", get(status::health))
        .route("/ready", get(status::ready))
        .route("/openapi.json", get(status::described))
}

/// The routes for whoever watches the server, on a listener of their own.
pub(crate) fn monitor_router() -> Router<Shared> {
    Router::new()
        .route("/health", get(status::health))
        .route("/ready", get(status::ready))
        .route("/metrics", get(status::metrics))
        .route("/counts", get(status::counts))
}
