//! What a live-stream's page shows of its hour: before it what is free and granted, while it is on large figures, after it what came of
//! it. All of it is without forms, so that it is put in place while somebody writes beside it.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::stream::Stream;
use maud::{Markup, html};

use super::Hour;
use super::plan::sku_words;
use crate::console::charts::{self, MinuteWords};
use crate::console::i18n::{Locale, grouped, money};
use crate::console::names::Names;

/// Minutes in the chart while a stream is on.
const MINUTES_SHOWN: i64 = 60;
/// Minutes by which the pace is told.
const PACE_MINUTES: i64 = 5;
/// After so long without an order, while the stream is on and something is left, the feed may have stopped.
const SLOW_MILLIS: u64 = 60_000;

/// What is counted of one SKU in a stream. All of it is packs.
struct PoolNow {
    sku: String,
    granted: Option<u64>,
    accepted: u64,
    over: u64,
    left: u64,
    told_left: u64,
}

/// Packs that were sold of a SKU in a minute since 1970, by the time of the order.
struct SoldIn {
    sku: String,
    minute: i64,
    packs: u64,
}

#[derive(Default)]
struct Live {
    orders: u64,
    fen: i64,
    last_told: Option<Instant>,
    pools: Vec<PoolNow>,
    minutes: Vec<SoldIn>,
}

/// What is counted of a stream now.
pub(super) struct Figures {
    live: Live,
    /// Grams that are free of what each offered SKU is of, before the stream.
    free: Vec<(String, i64)>,
}

impl Figures {
    pub(super) fn of(stream: &Stream) -> Self {
        let pools = stream.served.iter().map(|(sku, served)| PoolNow {
            sku: sku.clone(),
            granted: Some(u64::from(served.granted)),
            accepted: u64::from(served.accepted),
            over: u64::from(served.over),
            left: u64::from(served.granted.saturating_sub(served.accepted)),
            told_left: u64::from(served.left),
        });
        Self { live: Live { pools: pools.collect(), ..Live::default() }, free: Vec::new() }
    }

    fn pool(&self, sku: &str) -> Option<&PoolNow> {
        self.live.pools.iter().find(|pool| pool.sku == sku)
    }

    /// Packs that were sold of a SKU in the whole minutes before this moment.
    fn lately(&self, sku: &str, now: Instant) -> u64 {
        let minute = now.0.div_euclid(60_000);
        let from = minute.saturating_sub(PACE_MINUTES);
        let lately = self.live.minutes.iter().filter(|sold| sold.sku == sku && (from..minute).contains(&sold.minute));
        lately.map(|sold| sold.packs).sum()
    }

    /// Minutes after which nothing is left, if it goes on as in the last ones; none where nothing goes.
    fn sold_out_in(&self, sku: &str, left: u64, now: Instant) -> Option<u64> {
        let lately = self.lately(sku, now);
        let minutes = left.saturating_mul(PACE_MINUTES.unsigned_abs()).checked_div(lately)?;
        (left > 0).then_some(minutes)
    }

    fn over(&self) -> u64 {
        self.live.pools.iter().map(|pool| pool.over).sum()
    }
}

/// See the module.
pub(super) fn show(
    locale: Locale,
    names: &Names,
    stream: &Stream,
    figures: &Figures,
    (hour, now): (Hour, Instant),
) -> Markup {
    html! {
        @if hour != Hour::Before { (sums(locale, figures, (hour, now))) }
        @if !stream.offers.is_empty() {
            div.offers { @for sku in stream.offers.keys() { (offer(locale, names, stream, figures, (sku, hour, now))) } }
        }
        @if hour != Hour::Before {
            section { h2 { (locale.t("stream-by-minute")) } (minutes(locale, stream, figures, (hour, now))) }
            p.small { (locale.with("stream-as-of", &[("time", now.in_china())])) }
        }
    }
}

fn sums(locale: Locale, figures: &Figures, (hour, now): (Hour, Instant)) -> Markup {
    let live = &figures.live;
    let over = figures.over();
    let left: u64 = live.pools.iter().map(|pool| pool.left).sum();
    let since = live.last_told.map(|at| now.millis_since(at));
    let is_slow = hour == Hour::During && left > 0 && since.is_none_or(|since| since > SLOW_MILLIS);
    let tile =
        |name: &str, figure: String| html! { div.tile { span.name { (locale.t(name)) } span.figure { (figure) } } };
    html! {
        div.figures {
            (tile("stream-orders", grouped(live.orders)))
            (tile("stream-fen", money(live.fen)))
            (tile("stream-packs", grouped(live.pools.iter().map(|pool| pool.accepted).sum())))
            div.tile { span.name { (locale.t("stream-over")) }
                span.figure { (grouped(over)) @if over > 0 { " " span.bad { (locale.t("stream-oversold")) } } } }
            @if hour == Hour::During { div.tile { span.name { (locale.t("stream-last-told")) }
                span.figure { @match since {
                    Some(since) => (ago(locale, since)),
                    None => (locale.t("stream-none-told")),
                } @if is_slow && since.is_some() { " " span.bad { (locale.t("stream-slow")) } } } } }
        }
        @if is_slow { p.notice { (locale.t("stream-slow-help")) } }
    }
}

/// How long ago, in few letters.
fn ago(locale: Locale, millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..=119 => locale.with("seconds-ago", &[("count", seconds.to_string())]),
        120..=7_199 => locale.with("minutes-ago", &[("count", (seconds / 60).to_string())]),
        _ => locale.with("hours-ago", &[("count", grouped(seconds / 3_600))]),
    }
}

fn offer(
    locale: Locale,
    names: &Names,
    stream: &Stream,
    figures: &Figures,
    (sku, hour, now): (&str, Hour, Instant),
) -> Markup {
    let Some(offer) = stream.offers.get(sku) else { return html! {} };
    let pool = figures.pool(sku);
    let granted = pool.and_then(|pool| pool.granted);
    let (left, accepted) = pool.map_or((0, 0), |pool| (pool.left, pool.accepted));
    let is_gone = hour == Hour::During && granted.is_some_and(|granted| granted > 0) && left == 0;
    let pace = (hour == Hour::During).then(|| figures.sold_out_in(sku, left, now)).flatten();
    let wanted = u64::from(offer.wanted);
    html! {
        article.offer.gone[is_gone] {
            h3 { (sku) " · " (sku_words(names, sku)) }
            @if hour == Hour::After {
                strong.left { (grouped(accepted)) } span { (locale.t("stream-packs-sold")) }
            } @else if is_gone {
                strong.left { "0" } span { (locale.t("stream-sold-out")) }
            } @else {
                strong.left { (grouped(left)) } span { (locale.t("stream-packs-left")) }
            }
            @if let Some(granted) = granted.filter(|granted| *granted > 0) {
                meter min="0" max=(granted) value=(left) aria-label=(locale.t("stream-packs-left")) {}
            }
            p.small {
                @match granted {
                    None => (locale.t("stream-not-granted")),
                    Some(granted) => (locale.with("stream-of-granted", &[("granted", grouped(granted)), ("sold", grouped(accepted))])),
                }
                @if granted.is_some_and(|granted| granted < wanted) && hour != Hour::After && !offer.ended {
                    " · " (locale.with("stream-granted-less", &[("wanted", grouped(wanted))])) }
            }
            @if let Some(pool) = pool.filter(|pool| pool.told_left != pool.left && hour == Hour::During) {
                p.small { (locale.with("stream-told-left", &[("left", grouped(pool.told_left))])) } }
            @if let Some(pool) = pool.filter(|pool| pool.over > 0) {
                p { span.bad { (locale.with("stream-oversold-by", &[("packs", grouped(pool.over))])) } } }
            @if let Some(minutes) = pace {
                p { (locale.with("stream-pace", &[("minutes", grouped(minutes.max(1)))])) } }
            @if let Some((_, grams)) = figures.free.iter().find(|(of, _)| of == sku) {
                p.small { (locale.with("stream-free", &[("weight", locale.kilograms(*grams)), ("packs", packs_of(names, sku, *grams))])) } }
            @if offer.ended { p { span.mark { (locale.t("stream-offer-ended")) } } }
        }
    }
}

/// How many packs a weight makes.
fn packs_of(names: &Names, sku: &str, grams: i64) -> String {
    let pack = names.catalogue.skus.get(sku).map_or(0, |sku| sku.grams.get());
    grouped(grams.max(0).checked_div(pack).unwrap_or(0).unsigned_abs())
}

/// Sold by minute: the last sixty while it is on, all of them afterwards.
fn minutes(locale: Locale, stream: &Stream, figures: &Figures, (hour, now): (Hour, Instant)) -> Markup {
    let words = MinuteWords {
        title: locale.t("stream-by-minute"),
        minute: locale.t("minute"),
        count: locale.t("packs"),
        as_table: locale.t("chart-table"),
    };
    let start = stream.starts_at.map_or(0, |at| at.0.div_euclid(60_000));
    let (first, last) = match hour {
        Hour::Before | Hour::During => {
            let now = now.0.div_euclid(60_000);
            (start.max(now.saturating_sub(MINUTES_SHOWN.saturating_sub(1))).min(now), now)
        }
        Hour::After => {
            let kept = i64::try_from(stream.minutes.len()).unwrap_or(0);
            let sold = figures.live.minutes.iter().map(|sold| sold.minute).max().unwrap_or(start);
            let last = if kept > 0 { start.saturating_add(kept).saturating_sub(1) } else { sold.max(start) };
            (start, last.min(start.saturating_add(719)))
        }
    };
    let count_of = |minute: i64| -> i64 {
        let place = usize::try_from(minute.saturating_sub(start)).ok();
        let kept = place.filter(|_| hour == Hour::After).and_then(|place| stream.minutes.get(place));
        let live: u64 = figures.live.minutes.iter().filter(|sold| sold.minute == minute).map(|sold| sold.packs).sum();
        kept.map_or_else(|| i64::try_from(live).unwrap_or(i64::MAX), |kept| i64::from(*kept))
    };
    let bars: Vec<(String, i64)> = (first..=last)
        .map(|minute| {
            let at = Instant(minute.saturating_mul(60_000)).in_china();
            (at.split(' ').nth(1).unwrap_or_default().to_owned(), count_of(minute))
        })
        .collect();
    charts::by_minute(&bars, &words)
}
