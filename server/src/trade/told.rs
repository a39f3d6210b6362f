//! Orders as shops and platforms tell of them, the answers, and what is wrong with one before anything is decided.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::OrderName;
use granary_client_core::schema::order::TakenOrder;
use granary_client_core::schema::receiver::Receiver;

/// Orders of one call at most.
pub const ORDERS_MAX: usize = 500;
/// The longest token of a buyer, in bytes.
const BUYER_BYTES_MAX: usize = 256;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;

/// Whether an order can still be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The shop asks before it sells: the order is taken whole, or refused.
    Ask,
    /// The buyer has paid elsewhere: the order is taken, and what is above the grant is marked.
    Tell,
}

/// An order that a shop asks for, or that a platform tells of.
#[derive(Debug, Clone)]
pub struct ToldOrder {
    /// Platform, shop, and the platform's id.
    pub name: OrderName,
    /// Whether it can be refused.
    pub mode: Mode,
    /// What it says.
    pub order: TakenOrder,
    /// Who gets it, if that was told.
    pub receiver: Option<Receiver>,
    /// The platform's token of the buyer, for offers of which one buyer may have so many.
    pub buyer_token: Option<String>,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken, now or before by the same request.
    Accepted,
    /// It was taken, and so many of its packs are above the grant.
    AcceptedOver(u32),
    /// It was known, and what was told changes nothing: it is the same, or older than what is known.
    Known,
    /// It was known, and what was told changed it.
    Updated,
    /// It was not taken: its pools lack packs; what is left of each, by SKU.
    SoldOut {
        /// The SKU's code, and the packs left.
        left: Vec<(String, u32)>,
    },
    /// It was not taken: the buyer would have more than the offer's limit.
    OverLimit,
    /// Nothing was decided: the server was restored and does not know all orders yet, or has no room. The same request can be made again.
    TryLater,
    /// It was not taken: a field is wrong.
    Refused {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        code: &'static str,
    },
}

/// The answer to one told order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What became of it.
    pub verdict: Verdict,
    /// Its place in the order of acceptance; none for one that was not taken.
    pub sequence: Option<u64>,
}

impl Answer {
    pub(super) fn without_sequence(verdict: Verdict) -> Self {
        Self { verdict, sequence: None }
    }

    pub(super) fn refused(field: &'static str, code: &'static str) -> Self {
        Self::without_sequence(Verdict::Refused { field, code })
    }
}

/// What is wrong with an order before it is written, if anything is: the field, and a code.
pub(super) fn fault(told: &ToldOrder, now: Instant) -> Option<(&'static str, &'static str)> {
    let ToldOrder { name, order, buyer_token, .. } = told;
    if !name.is_valid() {
        return Some(("outside_id", "text-unreadable"));
    }
    if let Err(fault) = order.check() {
        return Some((fault.field, fault.code));
    }
    let latest = now.0.saturating_add(DAY_MILLIS);
    let times = [("placed_at", Some(order.placed_at)), ("paid_at", order.paid_at), ("told_at", Some(order.told_at))];
    if let Some((field, _)) = times.into_iter().find(|(_, at)| at.is_some_and(|at| at.0 > latest)) {
        return Some((field, "time-ahead"));
    }
    if buyer_token.as_ref().is_some_and(|token| token.is_empty() || token.len() > BUYER_BYTES_MAX) {
        return Some(("buyer_token", "text-length"));
    }
    None
}
