//! The HTTP interface: the phones' endpoints and the health endpoints.

mod arrival;
mod described;
mod gate;
mod limiter;
mod nudge;
mod phones;
mod places;
mod plain;
mod problem;
mod rooms;
mod state;
mod status;
mod transfer;
mod unsent;
mod web_app;
mod with;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use arrival::read_body;
pub(crate) use gate::{Gate, Kept};
pub(crate) use limiter::Origin;
pub(crate) use places::{Place, Places};
pub(crate) use problem::{not_found, refuse};
pub(crate) use rooms::Held;
pub(crate) use state::{BrowserLink, Counts, Exported, Occupied, PublicAddress, Shared};
pub(crate) use transfer::Transfers;
pub(crate) use unsent::UnsentForm;
pub(crate) use web_app::WebApp;
pub(crate) use with::With;

/// The routes of the phone in the browser.
pub(crate) fn web_app_router() -> Router<Shared> {
    web_app::router()
}

/// The routes of phones and of health checks, each with its description.
pub(crate) fn described() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(phones::sync))
        .routes(routes!(phones::progress))
        .routes(routes!(phones::preview))
        .routes(routes!(phones::enrol))
        .routes(routes!(phones::reinstate))
        .routes(routes!(phones::import_outbox))
        .routes(routes!(status::health))
        .routes(routes!(status::ready))
        .route("/live", get(nudge::listen))
}

/// The same without descriptions.
pub(crate) fn router() -> Router<Shared> {
    described().into()
}

/// What is served on loopback over plain HTTP: the app, and the routes that it speaks to. A page of another site can bring a
/// browser here under a name of its own, so others' names are refused.
pub(crate) fn plain_router() -> Router<Shared> {
    router().merge(web_app::router()).layer(from_fn(plain::refuse_other_names))
}

/// The routes for whoever watches the server, on a listener of their own.
pub(crate) fn monitor_router() -> Router<Shared> {
    Router::new()
        .route("/health", get(status::health))
        .route("/ready", get(status::ready))
        .route("/metrics", get(status::metrics))
        .route("/counts", get(status::counts))
}
