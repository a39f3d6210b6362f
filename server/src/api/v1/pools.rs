//! Pools: packs of a SKU that are set aside for a channel.

use axum::Json;
use axum::body::Body;
use axum::extract::Path;
use axum::http::HeaderMap;
use granary_client_core::schema::order::PACKS_MAX;
use granary_client_core::schema::{DocumentKey, StreamCode, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::json::{Faults, Fields, Place, read};
use super::problem::{BodyRefusals, NOT_FOUND, NOTHING, Problem, Refusals};
use crate::access::api_keys::Scope;
use crate::engine::pool_view::{PoolView, is_of_shop};

/// The pools of the key's shop.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PoolsShown {
    /// When this was so.
    as_of: String,
    pools: Vec<PoolView>,
}

/// `GET /v1/pools`
#[utoipa::path(
    get, path = "/v1/pools", operation_id = "listPools", tag = "stock", summary = "What is left of each pool now",
    description = "Of this shop's live-streams and standing shares. `left` is what a platform may be told: the margin is off already.",
    security(("key" = ["stock:read"])), responses((status = 200, description = "All of them.", body = PoolsShown), Refusals)
)]
pub(super) async fn list(caller: Caller) -> Result<Json<PoolsShown>, Problem> {
    caller.must(Scope::StockRead)?;
    let (key, now) = (caller.key.clone(), caller.now);
    let pools = caller.work(move |granary| granary.pool_views(key.cooperative, (&key.platform, &key.shop))).await?;
    Ok(Json(PoolsShown { as_of: now.to_string(), pools }))
}

/// How many packs a pool is wanted to have.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description")]
pub(super) struct Wanted {
    /// A SKU that the stream offers.
    #[schema(max_length = 32, example = "XM-05")]
    sku: String,
    #[schema(minimum = 0, maximum = 999_999)]
    packs: u32,
}

/// What is wanted.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WantedSet {
    sku: String,
    packs: u32,
}

/// `PUT /v1/pools/{code}/wanted`
#[utoipa::path(
    put, path = "/v1/pools/{code}/wanted", operation_id = "wantPacks", tag = "stock", summary = "Say how many packs a pool is wanted to have",
    description = "As much as is free of it is granted in a moment: `GET /v1/pools` says how many.", security(("key" = ["pools:write"])),
    params(("code" = String, Path, description = "The live-stream's code.")),
    request_body(content = Wanted, description = "The SKU, and how many."),
    responses(
        (status = 200, description = "It is written down.", body = WantedSet),
        (status = 404, description = "This shop has no stream of this code.", body = Problem, content_type = "application/problem+json"),
        Refusals, BodyRefusals
    )
)]
pub(super) async fn want(
    caller: Caller,
    Path(code): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<WantedSet>, Problem> {
    caller.must(Scope::PoolsWrite)?;
    let body = read(&caller, &headers, body, 16 * 1024).await?;
    let mut faults = Faults::default();
    let mut fields = Fields { map: &body.fields, place: Place::default(), faults: &mut faults };
    fields.known(&["sku", "packs"]);
    let sku = fields.required("sku", |fields| fields.text("sku", 32));
    let packs = fields.required("packs", |fields| fields.integer("packs", (0, PACKS_MAX.into()), "quantity-bad"));
    faults.none()?;
    let (sku, packs) = (sku.unwrap_or_default(), packs.and_then(|packs| u32::try_from(packs).ok()).unwrap_or(0));
    let code: StreamCode = code.parse().map_err(|_| NOT_FOUND.because(NOTHING))?;
    let (key, now, wanted) = (caller.key.clone(), caller.now, sku.clone());
    let found = caller
        .work(move |granary| {
            let cooperative = granary.cooperative(key.cooperative)?;
            let context = granary.trade_context(&cooperative)?;
            let of_shop = context.streams.get(&code).filter(|stream| is_of_shop(stream, &key.platform, &key.shop));
            let Some(stream) = of_shop else { return Ok(None) };
            if !stream.offers.contains_key(&wanted) {
                return Ok(Some(false));
            }
            let edit = move |doc: &mut _| stream::want(doc, &wanted, packs);
            granary.edit(key.cooperative, &DocumentKey::Stream(code), now, edit)?;
            Ok(Some(true))
        })
        .await?;
    match found {
        None => Err(NOT_FOUND.because(NOTHING)),
        Some(false) => Err(Problem::field("sku", "sku-not-offered", "the stream does not offer this SKU")),
        Some(true) => Ok(Json(WantedSet { sku, packs })),
    }
}
