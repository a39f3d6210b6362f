//! Orders: bringing them, reading them, calling them off.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use granary_client_core::schema::OrderName;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::caller::Caller;
use super::check;
use super::cursor;
use super::idempotency::once;
use super::json::{Faults, Fields, Place, read};
use super::problem::{BodyRefusals, CONFLICT, Fault, NOT_FOUND, NOTHING, Problem, Refusals};
use crate::access::api_keys::Scope;
use crate::engine::OrderView;
use crate::trade::{Answer, ToldOrder, Verdict};

/// Bytes of a request of orders.
const BYTES_MAX: usize = 1024 * 1024;
/// Orders of a page, where nothing else is asked for, and at most.
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;
/// Positions of the log that one page walks over.
const POSITIONS_MAX: usize = 20_000;

/// Orders that are asked for or told. The shop is that of the key.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description; the fields are read one by one")]
pub(super) struct OrdersTold {
    mode: ModeWord,
    /// When the platform knew what it tells; an order never goes back to an older one. Without it, now; `tell` must have it.
    #[schema(format = DateTime, example = "2026-11-27T08:00:00Z")]
    told_at: Option<String>,
    /// True where no order is to be taken when something of any of them is wrong. What is sold out is decided order by order all the same.
    all_or_nothing: Option<bool>,
    #[schema(min_items = 1, max_items = 500)]
    orders: Vec<OrderTold>,
}

/// `ask` before the sale: an order is taken whole or refused. `tell` after it: every order is taken, and packs above what was set
/// aside are marked.
#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "for the description")]
enum ModeWord {
    Ask,
    Tell,
}

#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "for the description")]
enum StatusWord {
    ToShip,
    PartShipped,
    Shipped,
    Done,
    Closed,
}

#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "for the description")]
enum AfterSaleWord {
    None,
    Asked,
    PartRefunded,
    Refunded,
}

/// An order as it is told.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description")]
struct OrderTold {
    /// The platform's id.
    #[schema(pattern = "^[0-9A-Za-z_-]{1,64}$", example = "6912345678901234567")]
    outside_id: String,
    /// When it was placed.
    #[schema(format = DateTime, example = "2026-11-27T07:59:00Z")]
    placed_at: String,
    /// When it was paid.
    #[schema(format = DateTime)]
    paid_at: Option<String>,
    /// Until when the shop promised to ship.
    #[schema(format = DateTime)]
    promised_at: Option<String>,
    /// When the platform knew this; that of the request where it is not said.
    #[schema(format = DateTime)]
    told_at: Option<String>,
    /// What the platform says of its state; must be there in `tell`.
    status: Option<StatusWord>,
    /// The channel whose packs it takes: a live-stream's code. Where it is not said, the stream that was on, or the platform.
    #[schema(max_length = 64)]
    pool: Option<String>,
    /// The platform's token of the buyer, for offers of which one buyer may have so many.
    #[schema(max_length = 256)]
    buyer_token: Option<String>,
    /// What the buyer paid for all of it.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    total_fen: Option<i64>,
    /// What of it is for the way.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    freight_fen: Option<i64>,
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<LineTold>,
    /// Who gets it. It is never given back.
    receiver: Option<ReceiverTold>,
}

/// A line as it is told.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description")]
struct LineTold {
    #[schema(pattern = "^[0-9A-Za-z_-]{1,64}$", example = "1")]
    line_id: String,
    /// The SKU's code; must be known in `ask`. In `tell` an unknown one is taken and waits for a coordinator.
    #[schema(max_length = 32, example = "XM-05")]
    sku: Option<String>,
    /// The merchant's code as the shop wrote it.
    #[schema(max_length = 200)]
    code: Option<String>,
    /// The goods' name as the shop wrote it.
    #[schema(max_length = 200)]
    title: Option<String>,
    #[schema(minimum = 1, maximum = 999_999)]
    packs: u32,
    /// What the line costs, all packs together.
    #[schema(minimum = 0, maximum = 100_000_000_000_i64)]
    fen: i64,
    /// True for a gift.
    gift: Option<bool>,
    after_sale: Option<AfterSaleWord>,
    #[schema(format = DateTime)]
    after_sale_at: Option<String>,
}

/// Who gets an order, in plain words or as the platform's sealed tokens.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description")]
struct ReceiverTold {
    name: Option<String>,
    phone: Option<String>,
    address: Option<String>,
    /// True where name, phone and address are tokens that only the platform can read.
    sealed: Option<bool>,
    buyer_note: Option<String>,
    seller_note: Option<String>,
    #[schema(format = DateTime)]
    address_changed_at: Option<String>,
}

/// What became of the orders of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrdersAnswered {
    /// One for each order, in their order.
    results: Vec<OrderAnswered>,
    /// What is wrong with those that were refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<Fault>,
}

/// What became of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderAnswered {
    /// Its place in the request, from 0.
    order: u32,
    outside_id: String,
    /// `accepted`, `over` (taken, with packs above what was set aside), `known` (nothing new), `updated`, `sold-out`, `over-limit`,
    /// `try-later` (decide nothing, ask again) or `refused`.
    #[schema(example = "accepted")]
    verdict: String,
    /// Its place in the order of acceptance; none for one that was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
    /// Packs above what was set aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<u32>,
    /// What is left of each SKU of an order that is sold out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    left: Vec<LeftShown>,
}

/// What is left of a SKU.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LeftShown {
    sku: String,
    packs: u32,
}

impl OrderAnswered {
    fn refused(order: u32, outside_id: String) -> Self {
        Self { order, outside_id, verdict: "refused".into(), sequence: None, over: None, left: Vec::new() }
    }

    fn of(order: u32, outside_id: String, answer: Answer, faults: &mut Vec<Fault>) -> Self {
        let mut shown = Self { sequence: answer.sequence, ..Self::refused(order, outside_id) };
        let verdict = match answer.verdict {
            Verdict::Accepted => "accepted",
            Verdict::AcceptedOver(over) => {
                shown.over = Some(over);
                "over"
            }
            Verdict::Known => "known",
            Verdict::Updated => "updated",
            Verdict::SoldOut { left } => {
                shown.left = left.into_iter().map(|(sku, packs)| LeftShown { sku, packs }).collect();
                "sold-out"
            }
            Verdict::OverLimit => "over-limit",
            Verdict::TryLater => "try-later",
            Verdict::Refused { field, code } => {
                let detail = explained(code).to_owned();
                faults.push(Fault { order: Some(order), line: None, field: field.into(), code: code.into(), detail });
                "refused"
            }
        };
        verdict.clone_into(&mut shown.verdict);
        shown
    }
}

fn explained(code: &str) -> &'static str {
    match code {
        "sku-unknown" => "a line names a SKU that the catalogue does not have",
        "known-with-others" => "this order was asked for before, with other lines",
        "order-called-off" => "this order was called off, and its packs went back; ask under another id",
        "order-written-by-hand" => "a coordinator wrote an order of this id by hand",
        _ => "this order can't be taken as it is",
    }
}

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

/// That an order was called off.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description")]
pub(super) struct CancelTold {
    /// When the platform knew it.
    #[schema(format = DateTime)]
    told_at: String,
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
