//! What programs of others call: `/v1`, by API keys. `v1` has a file for each resource; its routes describe themselves, and with the
//! phones' they are the server's description at `/openapi.json`.

mod v1;

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{self, Shared};

const ABOUT: &str = "What shops' programs call (`/v1`, by an API key; docs/API.md leads through it), and what phones, operators and \
    carriers call. Two WebSockets are not in it: /live nudges a phone whose log grew, /automerge speaks the automerge-repo protocol. \
    Neither are the coordinators' pages, below /console.";
/// The name of the scheme by which `/v1` is called.
pub(crate) const KEY_SCHEME: &str = "key";

/// `GET /openapi.json`: the interface as OpenAPI 3.1.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "described", tag = "watching", summary = "This description", description = "",
    responses((status = 200, description = "OpenAPI 3.1.", body = serde_json::Value, content_type = "application/json"))
)]
async fn described() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION.as_str()).into_response()
}

fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::default().routes(routes!(described)).merge(v1::routes())
}

/// The routes of `/v1` and of the description.
pub(crate) fn router(shared: &Shared) -> Router<Shared> {
    v1::router(shared).merge(Router::from(OpenApiRouter::default().routes(routes!(described))))
}

/// All that is described.
pub(crate) fn description() -> OpenApi {
    let mut all = http::described().merge(routes()).into_openapi();
    all.info = InfoBuilder::new()
        .title("Granary")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let key = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("grn_<id>_<secret>")
        .description(Some("An API key, as `granary key add` or the console's page of keys shows it once."))
        .build();
    let components = all.components.get_or_insert_with(|| ComponentsBuilder::new().build());
    components.add_security_scheme(KEY_SCHEME, SecurityScheme::Http(key));
    all
}

static DESCRIPTION: LazyLock<String> = LazyLock::new(|| description().to_json().unwrap_or_default());
