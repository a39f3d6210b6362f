//! Stock: what lies in the warehouse, and what of it may be sold.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
use super::problem::{Problem, Refusals};
use crate::access::api_keys::Scope;
use crate::engine::stock_view::StockView;

/// Stock.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StockShown {
    /// When this was so.
    as_of: String,
    /// By product and grade.
    stock: Vec<StockView>,
}

/// `GET /v1/stock`
#[utoipa::path(
    get, path = "/v1/stock", operation_id = "showStock", tag = "stock", summary = "What is in the warehouse",
    description = "All weights are grams. It follows from what warehouse phones have synced by now.", security(("key" = ["stock:read"])),
    responses((status = 200, description = "By product and grade.", body = StockShown), Refusals)
)]
pub(super) async fn show(caller: Caller) -> Result<Json<StockShown>, Problem> {
    caller.must(Scope::StockRead)?;
    let (number, now) = (caller.key.cooperative, caller.now);
    let stock = caller.work(move |granary| granary.stock_view(number, now)).await?;
    Ok(Json(StockShown { as_of: now.to_string(), stock }))
}
