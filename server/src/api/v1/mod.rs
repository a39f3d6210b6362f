//! `/v1`: a file for each resource.

mod caller;
mod check;
mod cursor;
mod docs;
mod idempotency;
mod imports;
mod json;
mod key;
mod orders;
mod pools;
mod problem;
mod shipments;
mod stock;
#[cfg(test)]
mod tests;
mod webhooks;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::problem::{MALFORMED, NOT_FOUND, NOTHING, TOO_LARGE, Told, WRONG_METHOD, WRONG_TYPE};
use crate::http::Shared;

/// All routes that are described.
pub(super) fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default()
        .routes(routes!(key::show))
        .routes(routes!(orders::bring, orders::list))
        .routes(routes!(orders::show))
        .routes(routes!(orders::cancel))
        .routes(routes!(orders::release))
        .routes(routes!(imports::bring, imports::list))
        .routes(routes!(imports::show))
        .routes(routes!(imports::take))
        .routes(routes!(pools::list))
        .routes(routes!(pools::want))
        .routes(routes!(stock::show))
        .routes(routes!(shipments::list))
        .routes(routes!(webhooks::list, webhooks::add))
        .routes(routes!(webhooks::change, webhooks::remove))
        .routes(routes!(webhooks::rotate))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::dead))
        .routes(routes!(webhooks::again))
        .routes(routes!(docs::show))
}

/// All routes.
pub(super) fn router(shared: &Shared) -> Router<Shared> {
    Router::from(routes()).route("/v1/{*rest}", any(nothing)).layer(from_fn_with_state(shared.clone(), tell))
}

async fn nothing() -> Response {
    NOT_FOUND.because("there is nothing at this address; /v1/docs lists what there is").into_response()
}

/// Makes problems of the framework's plain refusals (a bad path, a wrong method), and counts what was answered.
async fn tell(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_told = response.extensions().get::<Told>().is_some();
    let response = match status {
        _ if is_told || !(status.is_client_error() || status.is_server_error()) => response,
        StatusCode::METHOD_NOT_ALLOWED => {
            let allowed = response.headers().get(header::ALLOW).cloned();
            let mut told = WRONG_METHOD.because("the header `Allow` says which there are").into_response();
            told.headers_mut().extend(allowed.map(|allowed| (header::ALLOW, allowed)));
            told
        }
        StatusCode::PAYLOAD_TOO_LARGE => TOO_LARGE.because("the body is too large").into_response(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => WRONG_TYPE.because("the body is of another kind").into_response(),
        StatusCode::NOT_FOUND => NOT_FOUND.because(NOTHING).into_response(),
        _ => MALFORMED.because("a part of the address or a header can't be read").into_response(),
    };
    shared.counts.metrics.api_answered(response.status().as_u16());
    if let Some(Told(kind)) = response.extensions().get() {
        shared.counts.metrics.refused(kind);
    }
    response
}
