//! The figures of a live-stream's desk: what is left, what was sold by the minute, how fast, and whether the feed is slow.

use std::collections::BTreeMap;

use granary_client_core::quantities::Instant;
use granary_client_core::schema::StreamCode;
use granary_client_core::schema::stream::{MINUTES_MAX, Stream};

use super::feed::minute_of;
use super::pools::{PoolFigures, is_over};
use super::rows;
use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;

/// Minutes that the desk shows while a stream is on.
pub const DESK_MINUTES: usize = 60;
/// A feed that told nothing for so many seconds while the stream is on is slow.
pub const SLOW_SECONDS: u64 = 30;
/// Minutes over which the pace is taken, the running one with them.
const PACE_MINUTES: i64 = 5;
/// A pace of less time than this would jump.
const PACE_MILLIS_MIN: u64 = 60_000;

/// One offer on the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskOffer {
    /// Its pool.
    pub pool: PoolFigures,
    /// Packs sold so far, with those that were called off later.
    pub sold: u64,
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
    /// The first minute of [`Self::by_minute`], counted from 1970.
    pub first_minute: i64,
    /// Packs of all offers by minute of order times. While it is on: [`DESK_MINUTES`], from its start until they are full, then
    /// the last ones. Once it is over: all of its minutes.
    pub by_minute: Vec<u64>,
    /// Orders so far, with those that were called off.
    pub orders: u64,
    /// Their packs.
    pub packs: u64,
    /// What they cost, in fen.
    pub fen: i64,
    /// Packs sold above what is granted.
    pub over: u64,
    /// When the last order was told.
    pub last_told_at: Option<Instant>,
    /// True where the stream is on and no order was told for [`SLOW_SECONDS`].
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
        let (first_minute, count) = window(&stream, now);
        let totals = rows::totals(self.store(), number, code.as_str())?;
        let mut desk = Desk {
            code: code.clone(),
            offers: Vec::new(),
            first_minute,
            by_minute: vec![0; count],
            orders: totals.orders,
            packs: 0,
            fen: totals.fen,
            over: 0,
            last_told_at: (totals.orders > 0).then_some(Instant(totals.last_told_millis)),
            is_feed_slow: false,
            is_over: is_over(&stream, now),
            as_of: now,
            stream,
        };
        for (name, pool) in rows::pools_of(self.store(), number, code.as_str())? {
            let sold = rows::minutes(self.store(), number, &name, 0)?;
            for (place, sum) in (first_minute..).zip(desk.by_minute.iter_mut()) {
                *sum = sum.saturating_add(sold.get(&place).map_or(0, |sold| sold.packs));
            }
            let offer = offer(PoolFigures::of(&name, &pool), &sold, &desk.stream, now);
            desk.packs = desk.packs.saturating_add(offer.sold);
            desk.over = desk.over.saturating_add(offer.pool.over);
            desk.offers.push(offer);
        }
        let has_begun = desk.stream.starts_at.is_some_and(|starts| starts <= now);
        // An order that was told before the start says nothing of the feed since.
        let since = desk.last_told_at.max(desk.stream.starts_at).map_or(0, |last| now.millis_since(last));
        desk.is_feed_slow = has_begun && !desk.is_over && since > SLOW_SECONDS.saturating_mul(1_000);
        Ok(Some(desk))
    }
}

/// The minutes that are shown: the first, and how many.
fn window(stream: &Stream, now: Instant) -> (i64, usize) {
    let shown = i64::try_from(DESK_MINUTES).unwrap_or(i64::MAX);
    let last = minute_of(now);
    let lately = last.saturating_sub(shown).saturating_add(1);
    let Some(start) = stream.starts_at.map(minute_of).filter(|start| *start <= last) else {
        return (lately, DESK_MINUTES);
    };
    if !is_over(stream, now) {
        return (start.max(lately), DESK_MINUTES);
    }
    let end = stream.ended_at.or(stream.ends_at).map_or(last, minute_of);
    let count = usize::try_from(end.saturating_sub(start).saturating_add(1)).unwrap_or(0);
    (start, count.clamp(1, MINUTES_MAX))
}

fn offer(pool: PoolFigures, sold: &BTreeMap<i64, rows::Sold>, stream: &Stream, now: Instant) -> DeskOffer {
    let begins = stream.offers.get(&pool.sku).and_then(|offer| offer.begins_at);
    let from = begins.max(stream.starts_at).unwrap_or(Instant(0));
    let sold_out_in_minutes = pace(pool.left, sold, from, now);
    DeskOffer {
        sold: sold.values().map(|sold| sold.packs).fold(0, u64::saturating_add),
        fen: sold.values().map(|sold| sold.fen).fold(0, i64::saturating_add),
        pool,
        sold_out_in_minutes,
    }
}

/// Minutes until so many packs are sold, rounded up, as fast as in the last minutes since it began.
fn pace(left: u64, sold: &BTreeMap<i64, rows::Sold>, from: Instant, now: Instant) -> Option<u64> {
    let last = minute_of(now);
    let first = last.saturating_sub(PACE_MINUTES).saturating_add(1).max(minute_of(from));
    let begins = Instant(first.saturating_mul(60_000)).max(from);
    let elapsed = now.millis_since(begins);
    let packs = (first..=last).filter_map(|minute| sold.get(&minute)).map(|sold| sold.packs);
    let packs = packs.fold(0, u64::saturating_add);
    if left == 0 || elapsed < PACE_MILLIS_MIN || packs == 0 {
        return None;
    }
    Some(left.saturating_mul(elapsed).div_ceil(packs.saturating_mul(60_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_that_of_the_time_in_which_it_was_sold() {
        let minute = |minute: i64, packs| (minute, rows::Sold { packs, fen: 0 });
        let at = |minute: i64, seconds: i64| Instant(minute * 60_000 + seconds * 1_000);
        let sold: BTreeMap<_, _> = [minute(100, 30), minute(101, 15)].into();
        // 45 packs in a minute and a half: 30 a minute.
        assert_eq!(pace(60, &sold, at(100, 0), at(101, 30)), Some(2));
        assert_eq!(pace(61, &sold, at(100, 0), at(101, 30)), Some(3));
        assert_eq!(pace(60, &sold, at(101, 0), at(101, 30)), None, "half a minute says nothing");
        assert_eq!(pace(0, &sold, at(100, 0), at(101, 30)), None);
        assert_eq!(pace(60, &sold, at(90, 0), at(120, 0)), None, "nothing was sold for long");
        // What was sold before the window is no pace.
        assert_eq!(pace(30, &sold, at(0, 0), at(105, 0)), Some(8));
    }

    #[test]
    fn minutes_fill_from_the_start_and_stay_where_they_are_for_an_hour() {
        let starts_at = Some(Instant(1_000 * 60_000));
        let stream = Stream { starts_at, ends_at: Some(Instant(1_200 * 60_000)), ..Stream::default() };
        let at = |minute: i64| window(&stream, Instant(minute * 60_000));
        assert_eq!((at(1_000), at(1_059), at(1_060)), ((1_000, 60), (1_000, 60), (1_001, 60)));
        assert_eq!(at(1_500), (1_000, 201), "all of it, once it is over");
        assert_eq!(at(990), (931, 60));
    }
}
