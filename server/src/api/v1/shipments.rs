//! Shipments: the carriers' numbers that go back to the platform.

use axum::Json;
use axum::extract::Query;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::orders::{PageAsked, page};
use super::problem::{Problem, Refusals};
use crate::access::api_keys::Scope;

/// A shipment to hand back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShipmentShown {
    platform: String,
    shop: String,
    /// The order's own id.
    outside_id: String,
    /// The carrier's number.
    tracking: String,
    /// Where the order stands.
    #[schema(example = "shipped")]
    state: Option<&'static str>,
}

/// A page of shipments.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShipmentsPage {
    shipments: Vec<ShipmentShown>,
    /// Where the next page begins. Keep it: what is shipped later comes behind it.
    next: String,
    /// True while there is more behind it now.
    more: bool,
}

/// `GET /v1/shipments`
#[utoipa::path(
    get, path = "/v1/shipments", operation_id = "listShipments", tag = "shipments", summary = "Tracking numbers to hand back",
    description = "Orders of this shop that have a carrier's number, in the order in which they changed last; one that changes again \
        comes again.",
    security(("key" = ["ship:read"])), params(PageAsked),
    responses(
        (status = 200, description = "A page.", body = ShipmentsPage),
        (status = 410, description = "The cursor is of another log, as after a restoration: begin without one.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "The cursor or the limit is wrong.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn list(caller: Caller, Query(asked): Query<PageAsked>) -> Result<Json<ShipmentsPage>, Problem> {
    caller.must(Scope::ShipRead)?;
    let found = page(&caller, &asked, |order| order.tracking.is_some()).await?;
    let shipment = |order: crate::engine::OrderView| {
        let (platform, shop, outside_id, state) = (order.platform, order.shop, order.outside_id, order.state);
        Some(ShipmentShown { platform, shop, outside_id, tracking: order.tracking?, state })
    };
    let shipments = found.orders.into_iter().filter_map(shipment).collect();
    Ok(Json(ShipmentsPage { shipments, next: found.next, more: found.more }))
}
