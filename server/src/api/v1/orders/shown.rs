//! Orders as programs tell them, and what they are answered.

use serde::Serialize;
use utoipa::ToSchema;

use crate::api::v1::problem::Fault;
use crate::trade::{Answer, Verdict};

/// Orders that are asked for or told. The shop is that of the key.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description; the fields are read one by one")]
pub(in crate::api::v1) struct OrdersTold {
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
pub(in crate::api::v1) enum ModeWord {
    Ask,
    Tell,
}

#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "for the description")]
pub(in crate::api::v1) enum StatusWord {
    ToShip,
    PartShipped,
    Shipped,
    Done,
    Closed,
}

#[derive(ToSchema)]
#[schema(rename_all = "kebab-case")]
#[expect(dead_code, reason = "for the description")]
pub(in crate::api::v1) enum AfterSaleWord {
    None,
    Asked,
    PartRefunded,
    Refunded,
}

/// An order as it is told.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description")]
pub(in crate::api::v1) struct OrderTold {
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
pub(in crate::api::v1) struct LineTold {
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
pub(in crate::api::v1) struct ReceiverTold {
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
pub(in crate::api::v1) struct OrdersAnswered {
    /// One for each order, in their order.
    pub(super) results: Vec<OrderAnswered>,
    /// What is wrong with those that were refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(super) errors: Vec<Fault>,
}

/// What became of an order.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api::v1) struct OrderAnswered {
    /// Its place in the request, from 0.
    pub(super) order: u32,
    outside_id: String,
    /// `accepted`, `over` (taken, with packs above what was set aside), `known` (nothing new), `updated`, `sold-out`, `over-limit`,
    /// `try-later` (decide nothing, ask again) or `refused`.
    #[schema(example = "accepted")]
    pub(super) verdict: String,
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
pub(in crate::api::v1) struct LeftShown {
    sku: String,
    packs: u32,
}

impl OrderAnswered {
    pub(super) fn refused(order: u32, outside_id: String) -> Self {
        Self { order, outside_id, verdict: "refused".into(), sequence: None, over: None, left: Vec::new() }
    }

    pub(super) fn of(order: u32, outside_id: String, answer: Answer, faults: &mut Vec<Fault>) -> Self {
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

pub(super) fn explained(code: &str) -> &'static str {
    match code {
        "sku-unknown" => "a line names a SKU that the catalogue does not have",
        "known-with-others" => "this order was asked for before, with other lines",
        "order-called-off" => "this order was called off, and its packs went back; ask under another id",
        "order-written-by-hand" => "a coordinator wrote an order of this id by hand",
        _ => "this order can't be taken as it is",
    }
}

/// That an order was called off.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "for the description")]
pub(in crate::api::v1) struct CancelTold {
    /// When the platform knew it.
    #[schema(format = DateTime)]
    told_at: String,
}
