//! The key itself.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::problem::Refusals;

/// A key as it sees itself.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct KeyShown {
    /// Its id, which is no secret.
    id: String,
    /// The co-operative's number.
    cooperative: u32,
    /// The platform whose orders it brings.
    platform: String,
    /// The shop on that platform; empty where there is one alone.
    shop: String,
    /// What it may do.
    scopes: Vec<&'static str>,
}

/// `GET /v1/key`
#[utoipa::path(
    get, path = "/v1/key", operation_id = "showKey", tag = "key", summary = "Whose key this is, and what it may do",
    description = "To see that a key works.", security(("key" = [])),
    responses((status = 200, description = "It works.", body = KeyShown), Refusals)
)]
pub(super) async fn show(caller: Caller) -> Json<KeyShown> {
    let key = caller.key;
    Json(KeyShown {
        id: key.id.to_string(),
        cooperative: key.cooperative.0,
        platform: key.platform,
        shop: key.shop,
        scopes: key.scopes.iter().map(|scope| scope.name()).collect(),
    })
}
