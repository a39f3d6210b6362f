//! Orders: bringing them, reading them, calling them off.

mod shown;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use granary_client_core::schema::OrderName;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::shown::{CancelTold, OrderAnswered, OrdersAnswered, OrdersTold, explained};
use super::caller::Caller;
use super::check;
use super::cursor;
use super::idempotency::once;
use super::json::{Faults, Fields, Place, read};
use super::problem::{BodyRefusals, CONFLICT, Fault, NOT_FOUND, NOTHING, Problem, Refusals};
use crate::access::api_keys::Scope;
use crate::engine::OrderView;
use crate::trade::ToldOrder;

/// Bytes of a request of orders.
const BYTES_MAX: usize = 1024 * 1024;
/// Orders of a page, where nothing else is asked for, and at most.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;
/// Positions of the log that one page walks over.
const POSITIONS_MAX: usize = 20_000;

/// `POST /v1/orders`
#[utoipa::path(
    post, path = "/v1/orders", operation_id = "bringOrders", tag = "orders", summary = "Ask for orders, or tell of them",
    description = "Up to 500 orders and 1 MiB. One bad order does not sink the others: those that are right are taken, unless \
        all_or_nothing is true. What is answered is durable; the same request can be made again, since an order that is known is \
        answered as before. 422 when no order was taken because of what is wrong.",
    security(("key" = ["orders:write"])), request_body(content = OrdersTold, description = "The orders."),
    params(("idempotency-key" = Option<String>, Header, min_length = 1, max_length = 64, pattern = "^[!-~]{1,64}$",
        description = "Kept for 7 days: the same request under it is answered as before, with `Idempotent-Replayed: true`.")),
    responses((status = 200, description = "What became of each.", body = OrdersAnswered), Refusals, BodyRefusals)
)]
pub(super) async fn bring(caller: Caller, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    caller.must(Scope::OrdersWrite)?;
    let body = read(&caller, &headers, body, BYTES_MAX).await?;
    once(&caller, &headers, "POST /v1/orders", &body.bytes, async {
        let told = check::read(&caller.key, &body.fields, caller.now).map_err(Faults::problem)?;
        let mut faults = told.faults.0;
        let is_refused = told.orders.is_empty() || (told.all_or_nothing && !faults.is_empty());
        if is_refused {
            return Err(Faults(faults).problem());
        }
        let (number, now, all_or_nothing) = (caller.key.cooperative, caller.now, told.all_or_nothing);
        let (places, orders): (Vec<u32>, Vec<ToldOrder>) = told.orders.into_iter().unzip();
        let answers = caller
            .work(move |granary| {
                let unknown = match all_or_nothing {
                    true => granary.unknown_skus(number, &orders)?,
                    false => Vec::new(),
                };
                if unknown.is_empty() { Ok(Ok(granary.take_orders(number, orders, now)?)) } else { Ok(Err(unknown)) }
            })
            .await?;
        let id_of =
            |place: u32| told.ids.get(usize::try_from(place).unwrap_or(usize::MAX)).cloned().unwrap_or_default();
        let answers = match answers {
            Ok(answers) => answers,
            Err(unknown) => {
                let fault = |(place, line): (usize, usize)| Fault {
                    order: places.get(place).copied(),
                    line: u32::try_from(line).ok(),
                    field: "sku".into(),
                    code: "sku-unknown".into(),
                    detail: explained("sku-unknown").into(),
                };
                return Err(Faults(unknown.into_iter().map(fault).collect()).problem());
            }
        };
        let mut results: Vec<OrderAnswered> =
            told.wrong.iter().map(|place| OrderAnswered::refused(*place, id_of(*place))).collect();
        for (place, answer) in places.into_iter().zip(answers) {
            results.push(OrderAnswered::of(place, id_of(place), answer, &mut faults));
        }
        if results.iter().all(|result| result.verdict == "refused") {
            return Err(Faults(faults).problem());
        }
        results.sort_by_key(|result| result.order);
        Ok((StatusCode::OK, OrdersAnswered { results, errors: faults }))
    })
    .await
}

/// Which page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageAsked {
    /// The cursor of the page before; none for the beginning.
    after: Option<String>,
    /// Orders of a page, 100 where it is not said.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A page of orders, in the order in which they changed last.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrdersPage {
    pub(super) orders: Vec<OrderView>,
    /// Where the next page begins. Keep it: what changes later comes behind it.
    pub(super) next: String,
    /// True while there is more behind it now.
    pub(super) more: bool,
}

/// `GET /v1/orders`
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "listOrders", tag = "orders", summary = "Orders of this shop that changed",
    description = "Each order comes once, at its last change; one that changes again comes again behind the cursor.",
    security(("key" = ["orders:read"])), params(PageAsked),
    responses(
        (status = 200, description = "A page.", body = OrdersPage),
        (status = 410, description = "The cursor is of another log, as after a restoration: begin without one.", body = Problem,
            content_type = "application/problem+json"),
        (status = 422, description = "The cursor or the limit is wrong.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn list(caller: Caller, Query(asked): Query<PageAsked>) -> Result<Json<OrdersPage>, Problem> {
    caller.must(Scope::OrdersRead)?;
    page(&caller, &asked, |_| true).await.map(Json)
}

/// A page of the orders of the key's shop that are wanted.
pub(super) async fn page(
    caller: &Caller,
    asked: &PageAsked,
    is_wanted: impl Fn(&OrderView) -> bool + Send + 'static,
) -> Result<OrdersPage, Problem> {
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::field("limit", "limit-bad", format!("a page has 1 to {PAGE_MAX}")));
    }
    let key = caller.key.clone();
    let after = match &asked.after {
        Some(text) => cursor::read(&caller.shared.granary, &key, text)?,
        None => 0,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    caller
        .work(move |granary| {
            let cooperative = granary.cooperative(key.cooperative)?;
            let is_own = |name: &OrderName| name.platform == key.platform && name.shop == key.shop;
            let (mut orders, mut reached, mut walked) = (Vec::new(), after, 0usize);
            let more = loop {
                let before = reached;
                let (found, through) = granary.changed_orders(&cooperative, before, 512, &is_own)?;
                if through == before {
                    break false;
                }
                reached = through;
                walked = walked.saturating_add(512);
                let mut is_full = false;
                for (position, name) in found {
                    let order = granary.order_view(key.cooperative, &name)?;
                    orders.extend(order.filter(|order| is_wanted(order)));
                    if orders.len() >= limit {
                        reached = position;
                        is_full = true;
                        break;
                    }
                }
                if is_full || walked >= POSITIONS_MAX {
                    break reached < cooperative.statistics().positions;
                }
            };
            Ok(OrdersPage { orders, next: cursor::write(granary, &key, reached)?, more })
        })
        .await
}

/// `GET /v1/orders/{platform}/{id}`
#[utoipa::path(
    get, path = "/v1/orders/{platform}/{id}", operation_id = "showOrder", tag = "orders", summary = "One order", description = "",
    security(("key" = ["orders:read"])),
    params(("platform" = String, Path, description = "The key's own platform."), ("id" = String, Path, description = "The platform's id.")),
    responses(
        (status = 200, description = "The order.", body = OrderView),
        (status = 404, description = "There is none of this id in this shop.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn show(
    caller: Caller,
    Path((platform, id)): Path<(String, String)>,
) -> Result<Json<OrderView>, Problem> {
    caller.must(Scope::OrdersRead)?;
    caller.must_be_of(&platform)?;
    let (number, name) = (caller.key.cooperative, caller.name_of(id)?);
    let found = caller.work(move |granary| granary.settled_order_view(number, &name)).await?;
    found.map(Json).ok_or_else(|| NOT_FOUND.because(NOTHING))
}

impl Caller {
    /// The name of an order of the key's shop.
    fn name_of(&self, outside_id: String) -> Result<OrderName, Problem> {
        let name = OrderName { platform: self.key.platform.clone(), shop: self.key.shop.clone(), outside_id };
        if name.is_valid() { Ok(name) } else { Err(NOT_FOUND.because(NOTHING)) }
    }
}

/// `POST /v1/orders/{platform}/{id}/cancel`
#[utoipa::path(
    post, path = "/v1/orders/{platform}/{id}/cancel", operation_id = "cancelOrder", tag = "orders", summary = "Tell that an order was called off",
    description = "As telling it with the status `closed`. What is not packed yet goes back to its pool.",
    security(("key" = ["orders:write"])),
    params(("platform" = String, Path, description = "The key's own platform."), ("id" = String, Path, description = "The platform's id.")),
    request_body(content = CancelTold, description = "When."),
    responses(
        (status = 200, description = "What became of it: `updated`, or `known` where it says nothing new.", body = OrderAnswered),
        (status = 404, description = "There is none of this id in this shop.", body = Problem, content_type = "application/problem+json"),
        Refusals, BodyRefusals
    )
)]
pub(super) async fn cancel(
    caller: Caller,
    Path((platform, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<OrderAnswered>, Problem> {
    caller.must(Scope::OrdersWrite)?;
    caller.must_be_of(&platform)?;
    let body = read(&caller, &headers, body, 16 * 1024).await?;
    let mut faults = Faults::default();
    let mut fields = Fields { map: &body.fields, place: Place::default(), faults: &mut faults };
    fields.known(&["told_at"]);
    let told_at = fields.required("told_at", |fields| check::time(fields, "told_at", caller.now));
    faults.none()?;
    let (number, now, name) = (caller.key.cooperative, caller.now, caller.name_of(id.clone())?);
    let told_at = told_at.unwrap_or(now);
    let answer = caller.work(move |granary| granary.close_order(number, &name, told_at, now)).await?;
    let answer = answer.ok_or_else(|| NOT_FOUND.because(NOTHING))?;
    let mut faults = Vec::new();
    let shown = OrderAnswered::of(0, id, answer, &mut faults);
    Faults(faults).none()?;
    Ok(Json(shown))
}

/// `DELETE /v1/holds/{id}`
#[utoipa::path(
    delete, path = "/v1/holds/{id}", operation_id = "releaseHold", tag = "orders", summary = "Give back an order that was asked for",
    description = "Within 15 minutes of its acceptance, as when the buyer did not pay; later it is told as cancelled.",
    security(("key" = ["orders:write"])), params(("id" = String, Path, description = "The order's own id, as it was asked for.")),
    responses(
        (status = 204, description = "Its packs are back."),
        (status = 404, description = "No order of this id was asked for in this shop.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The 15 minutes are over, or it was told and not asked for.", body = Problem, content_type = "application/problem+json"),
        Refusals
    )
)]
pub(super) async fn release(caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    caller.must(Scope::OrdersWrite)?;
    let (number, now, name) = (caller.key.cooperative, caller.now, caller.name_of(id)?);
    let released = caller.work(move |granary| granary.release_hold(number, &name, now)).await?;
    match released {
        None => Err(NOT_FOUND.because(NOTHING)),
        Some(true) => Ok(StatusCode::NO_CONTENT),
        Some(false) => {
            Err(CONFLICT.because("the 15 minutes are over, or it was not asked for; tell that it was called off"))
        }
    }
}
