//! The figures of a live-stream's desk: what is left, what was sold by the minute, how fast, and whether the feed is slow.

use std::collections::BTreeMap;

use granary_client_core::quantities::Instant;
use granary_client_core::schema::StreamCode;
use granary_client_core::schema::stream::Stream;

use super::feed::minute_of;
use super::pools::{PoolFigures, is_over};
use super::rows;
use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// Minutes that the desk shows.
pub const DESK_MINUTES: usize = 60;
/// Minutes over which the pace is taken.
const PACE_MINUTES: i64 = 5;
/// A feed that told nothing for so long while the stream is on is slow.
const SLOW_MILLIS: u64 = 30_000;

/// One offer on the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskOffer {
    /// Its pool.
    pub pool: PoolFigures,
    /// Packs sold in each of the last [`DESK_MINUTES`] minutes of order times, the running one last.
    pub by_minute: Vec<u64>,
    /// Fen of all orders so far.
    pub fen: i64,
    /// Minutes until it is sold out at the pace of the last five; none while nothing is sold, or nothing is left.
    pub sold_out_in_minutes: Option<u64>,
}

/// A live-stream as it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// Its code.
    pub code: StreamCode,
    /// What its document says.
    pub stream: Stream,
    /// Its offers, by SKU.
    pub offers: Vec<DeskOffer>,
    /// Packs of all offers in each of the last [`DESK_MINUTES`] minutes.
    pub by_minute: Vec<u64>,
    /// Orders so far, with those that were called off.
    pub orders: u64,
    /// What they cost, in fen.
    pub fen: i64,
    /// Packs sold above what is granted.
    pub over: u64,
    /// When the last order was told.
    pub last_told_at: Option<Instant>,
    /// True where the stream is on and no order was told for a while.
    pub is_feed_slow: bool,
    /// True once it is over.
    pub is_over: bool,
    /// The moment of these figures.
    pub as_of: Instant,
}

impl Granary {
    /// The figures of a live-stream's desk; none where there is no such stream. They are those that are durable.
    pub fn desk(&self, number: CooperativeNumber, code: &StreamCode, now: Instant) -> Result<Option<Desk>, Error> {
        let cooperative = self.cooperative(number)?;
        let context = self.trade_context(&cooperative)?;
        let Some(stream) = context.streams.get(code).cloned() else { return Ok(None) };
        let pools = rows::pools_of(self.store(), number, code.as_str())?;
        let last = minute_of(now);
        let first = last.saturating_sub(i64::try_from(DESK_MINUTES).unwrap_or(0)).saturating_add(1);
        let mut desk = Desk {
            code: code.clone(),
            offers: Vec::with_capacity(pools.len()),
            by_minute: vec![0; DESK_MINUTES],
            orders: 0,
            fen: 0,
            over: 0,
            last_told_at: None,
            is_feed_slow: false,
            is_over: is_over(&stream, now),
            as_of: now,
            stream,
        };
        for (name, pool) in pools {
            let sold = rows::minutes(self.store(), number, &name, 0)?;
            let offer = offer(PoolFigures::of(&name, &pool), &sold, (first, last));
            for (sum, packs) in desk.by_minute.iter_mut().zip(&offer.by_minute) {
                *sum = sum.saturating_add(*packs);
            }
            desk.over = desk.over.saturating_add(offer.pool.over);
            desk.offers.push(offer);
        }
        let totals = rows::totals(self.store(), number, code.as_str())?;
        (desk.orders, desk.fen) = (totals.orders, totals.fen);
        desk.last_told_at = (totals.orders > 0).then_some(Instant(totals.last_told_millis));
        let has_begun = desk.stream.starts_at.is_some_and(|starts| starts <= now);
        let since = desk.last_told_at.or(desk.stream.starts_at).map_or(0, |last| now.millis_since(last));
        desk.is_feed_slow = has_begun && !desk.is_over && since > SLOW_MILLIS;
        Ok(Some(desk))
    }
}

fn offer(pool: PoolFigures, sold: &BTreeMap<i64, rows::Sold>, (first, last): (i64, i64)) -> DeskOffer {
    let in_minute = |minute: &i64| sold.get(minute).map_or(0, |sold| sold.packs);
    let by_minute = (first..=last).map(|minute| in_minute(&minute)).collect();
    let fen = sold.values().map(|sold| sold.fen).fold(0, i64::saturating_add);
    // The running minute is not over, so it would make the pace look slow.
    let paced = (last.saturating_sub(PACE_MINUTES)..last).map(|minute| in_minute(&minute));
    let packs = paced.fold(0, u64::saturating_add);
    let minutes = pool.left.saturating_mul(PACE_MINUTES.unsigned_abs()).checked_div(packs);
    let sold_out_in_minutes = minutes.filter(|_| pool.left > 0);
    DeskOffer { pool, by_minute, fen, sold_out_in_minutes }
}
