//! A live-stream to watch: a stream is planned with the demo's goods, and a simulated shop tells its orders through the programs'
//! interface, with a key of its own, as a shop's program would. It sells what the platform has of each pack, a little more of the
//! first one, since platforms do.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use granary_client_core::quantities::{Fen, Grams, Instant};
use granary_client_core::schema::sku::{self, Sku};
use granary_client_core::schema::stream::{self, Offer, StreamPlan};
use granary_client_core::schema::{DocumentKey, Part, StreamCode, catalogue};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Dice;
use crate::access::Principal;
use crate::access::api_keys::{KeyDraft, KeyId, Scope};
use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::error::Error;
use crate::http::Shared;
use crate::log::{Cooperative, CooperativeNumber};

/// How many orders in how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    orders: u32,
    seconds: u32,
}

impl Run {
    /// Of an evening: 3,000 orders in ten minutes.
    const FULL: Self = Self { orders: 3_000, seconds: 600 };
    /// For who has no time.
    const SHORT: Self = Self { orders: 300, seconds: 30 };

    /// The one of this name: `full` or `short`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "full" => Some(Self::FULL),
            "short" => Some(Self::SHORT),
            _ => None,
        }
    }
}

/// What is sold: the code, the demo's product, grams of a pack, its price, its name in the shop, and its share of all packs.
struct Sold {
    code: &'static str,
    product: &'static str,
    grams: i64,
    fen: i64,
    name: &'static str,
    percent: u32,
}

const SOLD: [Sold; 3] = [
    Sold { code: "XM-05", product: "millet", grams: 2_500, fen: 3_990, name: "临县小米 5斤装", percent: 40 },
    Sold { code: "HZ-500", product: "red-date", grams: 500, fen: 1_590, name: "吕梁红枣 500克", percent: 35 },
    Sold { code: "HT-500", product: "walnut", grams: 500, fen: 2_290, name: "山核桃 500克", percent: 25 },
];
/// Packs that the platform sells of the first one although they are gone.
const OVERSOLD: u32 = 3;
/// Of a hundred orders, so many have one pack, two, three.
const PACKS_PERCENT: [u64; 3] = [80, 95, 100];
/// Packs of a hundred orders.
const PACKS_OF_HUNDRED: u32 = 125;
/// A minute before its end nobody buys any more.
const AFTER_MILLIS: u64 = 5 * 60_000;
/// Tries of one request.
const TRIES_MAX: u32 = 20;
/// Waits for what is granted.
const GRANT_TRIES: u32 = 50;

fn packs_of(run: Run, sold: &Sold) -> u32 {
    run.orders.saturating_mul(PACKS_OF_HUNDRED).saturating_mul(sold.percent) / 10_000
}

/// The SKUs of the demo, those that are not there yet.
pub(super) fn skus(granary: &Granary, number: CooperativeNumber, now: Instant) -> Result<(), Error> {
    let here = catalogue::read_parts(&granary.parts(number, &DocumentKey::Catalogue(Part::FIRST))?).skus;
    for sold in SOLD.iter().filter(|sold| !here.contains_key(sold.code)) {
        let names = vec![sold.name.to_owned()];
        let sku = Sku { names, ..Sku::new(sold.code, sold.product, "A", Grams::new(sold.grams)?) };
        granary.edit(number, &DocumentKey::Catalogue(Part::FIRST), now, move |doc| sku::set_sku(doc, &sku))?;
    }
    Ok(())
}

/// Plans a stream that is on now, and makes the shop's key.
fn plan(
    granary: &Granary,
    number: CooperativeNumber,
    run: Run,
    now: Instant,
) -> Result<(StreamCode, KeyId, String), Error> {
    skus(granary, number, now)?;
    let name = format!("demo-{}", now.seconds());
    let code: StreamCode = name.parse().map_err(|_| Error::invalid("stream", name))?;
    let starts_at = Instant(now.0.div_euclid(60_000).saturating_mul(60_000));
    let millis = u64::from(run.seconds).saturating_mul(1_000).saturating_add(AFTER_MILLIS);
    let plan = StreamPlan {
        host: "阿珍 (demo)".to_owned(),
        platform: "douyin".to_owned(),
        shop: String::new(),
        starts_at,
        ends_at: Some(now.plus_millis(millis)),
    };
    let mut offers = Vec::new();
    for sold in &SOLD {
        offers.push((sold.code, Offer::new(Fen::new(sold.fen)?, packs_of(run, sold))));
    }
    let write = move |doc: &mut granary_client_core::automerge::AutoCommit| {
        stream::plan(doc, &plan)?;
        offers.iter().try_for_each(|(sku, offer)| stream::offer(doc, sku, offer))
    };
    let server = Cooperative::server_device(granary.cooperative(number)?.id());
    granary.edit_as(number, server, now, vec![Edits::one(DocumentKey::Stream(code.clone()), write)])?;
    let draft = KeyDraft {
        name: "demo shop".to_owned(),
        platform: "douyin".to_owned(),
        shop: String::new(),
        scopes: [Scope::OrdersWrite].into(),
    };
    let (id, key) = granary.add_api_key(Principal::Operator, number, draft, now)?;
    Ok((code, id, key))
}

/// Starts a stream; it goes on by itself. Gives its code.
pub(crate) async fn begin(shared: Shared, number: CooperativeNumber, run: Run) -> Result<StreamCode, Error> {
    let granary = std::sync::Arc::clone(&shared.granary);
    let planned = tokio::task::spawn_blocking(move || plan(&granary, number, run, crate::environment::now())).await;
    let (code, id, key) = planned.map_err(|error| Error::WorkFailed { reason: error.to_string() })??;
    let line = crate::api::router(&shared).with_state(shared.clone());
    let shop = Shop { line, key, stream: code.clone(), run };
    tokio::spawn(async move {
        granted(&shared, number, &shop.stream).await;
        if let Err(reason) = shop.sell().await {
            tracing::warn!(reason, "the demo's shop stopped");
        }
        let granary = std::sync::Arc::clone(&shared.granary);
        let over = move || granary.revoke_api_key(Principal::Operator, number, id, crate::environment::now());
        if let Ok(Err(error)) = tokio::task::spawn_blocking(over).await {
            tracing::warn!(%error, "the demo's key stays");
        }
    });
    Ok(code)
}

/// Waits until packs are set aside, as a shop does before it begins to sell.
async fn granted(shared: &Shared, number: CooperativeNumber, stream: &StreamCode) {
    for _ in 0..GRANT_TRIES {
        let (granary, channel) = (std::sync::Arc::clone(&shared.granary), stream.to_string());
        let look = move || {
            let pools = granary.pools(number).unwrap_or_default();
            pools.iter().filter(|pool| pool.channel == channel && pool.granted.is_some()).count()
        };
        if tokio::task::spawn_blocking(look).await.is_ok_and(|granted| granted == SOLD.len()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The simulated shop.
struct Shop {
    line: Router,
    key: String,
    stream: StreamCode,
    run: Run,
}

impl Shop {
    /// Sells, second by second, until all orders are told or nothing is left.
    async fn sell(&self) -> Result<(), String> {
        let mut dice = Dice(super::SEED);
        let mut left: Vec<u32> = SOLD.iter().map(|sold| packs_of(self.run, sold)).collect();
        if let Some(first) = left.first_mut() {
            *first = first.saturating_add(OVERSOLD);
        }
        let mut clock = tokio::time::interval(Duration::from_secs(1));
        let mut told = 0u32;
        for second in 0..self.run.seconds {
            clock.tick().await;
            let until = share(self.run, second.saturating_add(1));
            let orders: Vec<Value> =
                (told..until).filter_map(|count| self.order(count, &mut dice, &mut left)).collect();
            told = until;
            if !orders.is_empty() {
                self.tell(second, &orders).await?;
            }
        }
        Ok(())
    }

    fn order(&self, count: u32, dice: &mut Dice, left: &mut [u32]) -> Option<Value> {
        let total: u32 = left.iter().sum();
        let mut place = dice.roll(u64::from(total));
        let roll = dice.roll(100);
        let wanted = PACKS_PERCENT.iter().position(|percent| roll < *percent).unwrap_or(0).saturating_add(1);
        for (sold, left) in SOLD.iter().zip(left) {
            if place >= u64::from(*left) {
                place = place.saturating_sub(u64::from(*left));
                continue;
            }
            let packs = u32::try_from(wanted).unwrap_or(1).min(*left);
            *left = left.saturating_sub(packs);
            let now = crate::environment::now().to_string();
            let id = format!("{}{count:06}", self.stream.as_str().trim_start_matches("demo-"));
            let fen = sold.fen.saturating_mul(i64::from(packs));
            return Some(json!({
                "outside_id": id, "placed_at": now, "paid_at": now, "status": "to-ship", "pool": self.stream.as_str(),
                "buyer_token": format!("##{:x}", dice.roll(u64::MAX)),
                "lines": [{"line_id": "1", "sku": sold.code, "title": sold.name, "packs": packs, "fen": fen}],
                "receiver": {"name": format!("##{:x}", dice.roll(u64::MAX)), "address": format!("$${:x}", dice.roll(u64::MAX)), "sealed": true},
            }));
        }
        None
    }

    /// Tells orders until they are taken; the same request again changes nothing.
    async fn tell(&self, second: u32, orders: &[Value]) -> Result<(), String> {
        let told_at = crate::environment::now().to_string();
        let body = json!({"mode": "tell", "told_at": told_at, "orders": orders}).to_string();
        for _ in 0..TRIES_MAX {
            let request = Request::post("/v1/orders")
                .header(header::AUTHORIZATION, format!("Bearer {}", self.key))
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", format!("{}-{second}", self.stream))
                .body(Body::from(body.clone()))
                .map_err(|error| error.to_string())?;
            // The router can't fail.
            let answer = self.line.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
            match answer.status() {
                status if status.is_success() => return Ok(()),
                StatusCode::TOO_MANY_REQUESTS | StatusCode::CONFLICT | StatusCode::SERVICE_UNAVAILABLE => {}
                status => return Err(format!("the interface answered {status}")),
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        Err("the interface has no room".to_owned())
    }
}

/// Orders that are told by the end of this second: three waves, as a host calls them out.
fn share(run: Run, second: u32) -> u32 {
    let (orders, seconds) = (u64::from(run.orders), u64::from(run.seconds.max(1)));
    let second = u64::from(second).min(seconds);
    let even = orders.saturating_mul(second) / seconds;
    // Within each third, more comes at its beginning.
    let third = seconds.div_euclid(3).max(1);
    let within = second % third;
    let wave = within.saturating_mul(third.saturating_sub(within)).saturating_mul(orders)
        / (seconds.saturating_mul(third).saturating_mul(2)).max(1);
    u32::try_from(even.saturating_add(wave).min(orders)).unwrap_or(run.orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_told_once_and_none_before_the_one_before() {
        for run in [Run::FULL, Run::SHORT] {
            let shares: Vec<u32> = (0..=run.seconds).map(|second| share(run, second)).collect();
            assert_eq!((shares.first(), shares.last()), (Some(&0), Some(&run.orders)));
            assert!(shares.is_sorted(), "{shares:?}");
            let packs: u32 = SOLD.iter().map(|sold| packs_of(run, sold)).sum();
            assert!(packs <= run.orders * PACKS_OF_HUNDRED / 100 && packs > run.orders, "{packs}");
        }
    }
}
