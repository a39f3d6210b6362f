//! What a live-stream's page shows of its hour: before it whether it is ready ([`super::ready`]), while it is on large figures, after
//! it what came of it ([`super::after`]). All of it is without forms, so that it is put in place while somebody writes beside it.

use granary_client_core::projection::{OrderFilter, StreamSums};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::StreamCode;
use granary_client_core::schema::stream::{Offer, Stream};
use maud::{Markup, html};

use super::plan::sku_words;
use super::{Hour, after, ready};
use crate::console::charts::{self, MinuteWords};
use crate::console::i18n::{Locale, grouped, money};
use crate::console::names::Names;
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedIn;
use crate::trade::{Desk, DeskOffer, OfferStock, SLOW_SECONDS};

/// What is counted of a stream now.
pub(super) struct Figures {
    /// None before the server has read the stream.
    pub(super) live: Option<Desk>,
    /// What there is for each offer, before the stream.
    pub(super) stock: Vec<OfferStock>,
    /// What came of its orders, once it is over.
    pub(super) sums: StreamSums,
    /// Orders with goods that nobody has mapped yet: their packs are in no figure.
    unmapped: u64,
}

impl Figures {
    pub(super) async fn of(
        signed: &SignedIn,
        code: &StreamCode,
        (hour, now): (Hour, Instant),
    ) -> Result<Self, Refused> {
        let (granary, number, name) = (signed.granary.clone(), signed.cooperative.number(), code.clone());
        let (live, stock) = signed
            .work(move || {
                let live = granary.desk(number, &name, now)?;
                let stock = match hour {
                    Hour::Before => granary.offer_stock(number, &name, now)?,
                    Hour::During | Hour::After => Vec::new(),
                };
                Ok((live, stock))
            })
            .await?;
        let name = code.to_string();
        let (sums, unmapped) = signed
            .read(move |models| match hour {
                Hour::After => models.stream_sums(&name).map(|sums| (sums.clone(), sums.unmapped)),
                Hour::Before | Hour::During => {
                    let unmapped = OrderFilter { stream: Some(name), only_unmapped: true, ..OrderFilter::default() };
                    Ok((StreamSums::default(), models.count_order_page(&unmapped)?))
                }
            })
            .await?;
        Ok(Self { live, stock, sums, unmapped })
    }

    fn offer(&self, sku: &str) -> Option<&DeskOffer> {
        self.live.as_ref()?.offers.iter().find(|offer| offer.pool.sku == sku)
    }

    /// What the stream offers, and what was sold in it without an offer.
    fn skus<'a>(&'a self, stream: &'a Stream) -> Vec<&'a str> {
        let counted = self.live.iter().flat_map(|live| &live.offers).map(|offer| offer.pool.sku.as_str());
        let mut skus: Vec<&str> = stream.offers.keys().map(String::as_str).collect();
        skus.extend(counted.filter(|sku| !stream.offers.contains_key(*sku)));
        skus
    }
}

/// See the module.
pub(super) fn show(
    locale: Locale,
    names: &Names,
    (code, stream): (&StreamCode, &Stream),
    figures: &Figures,
    (hour, now): (Hour, Instant),
) -> Markup {
    let skus = figures.skus(stream);
    let is_slow = hour == Hour::During && figures.live.as_ref().is_some_and(is_worryingly_slow);
    html! {
        @match hour {
            Hour::Before => {}
            Hour::During => (sums(locale, figures, now)),
            Hour::After => (after::sums(locale, code, figures)),
        }
        @if !skus.is_empty() {
            h2.unseen { (locale.t(match hour {
                Hour::Before => "stream-packs-set-aside",
                Hour::During => "stream-packs-left",
                Hour::After => "stream-packs-sold",
            })) }
            div.offers { @for sku in skus { (offer(locale, names, stream, figures, (sku, hour, now))) } }
        }
        @if figures.unmapped > 0 {
            p.notice { (locale.with("stream-unmapped", &[("count", grouped(figures.unmapped))])) " "
                a href={ "/console/orders?only=unmapped&stream=" (code) } { (locale.t("stream-unmapped-see")) } }
        }
        @match hour {
            Hour::Before => (ready::checks(locale, names, stream, &figures.stock)),
            Hour::During | Hour::After => {
                section { h2 { (locale.t("stream-by-minute")) } (minutes(locale, stream, figures, hour)) }
                @if hour == Hour::After { (after::returned(locale, stream, figures, now)) }
                p.small { (locale.with("stream-as-of", &[("time", now.in_china())])) }
            }
        }
        @if is_slow { p.notice { (locale.with("stream-slow-help", &[("seconds", SLOW_SECONDS.to_string())])) } }
    }
}

/// A feed that is slow where there is something left to sell.
fn is_worryingly_slow(live: &Desk) -> bool {
    live.is_feed_slow && live.offers.iter().any(|offer| offer.pool.left > 0)
}

/// A figure with its name above it, and beside it a mark.
pub(super) fn tile(locale: Locale, name: &str, figure: &str, beside: Markup) -> Markup {
    html! { div.tile { span.name { (locale.t(name)) } span.figure { (figure) (beside) } } }
}

fn sums(locale: Locale, figures: &Figures, now: Instant) -> Markup {
    let Some(live) = &figures.live else { return html! { p.notice { (locale.t("stream-not-granted")) } } };
    let kept = live.offers.iter().map(|offer| offer.pool.accepted).fold(0, u64::saturating_add);
    let called_off = live.packs.saturating_sub(kept);
    let told = live.last_told_at.map_or_else(|| locale.t("stream-none-told"), |at| ago(locale, now.millis_since(at)));
    let bad = |name: &str| html! { " " span.bad { (locale.t(name)) } };
    html! {
        div.figures {
            (tile(locale, "stream-orders", &grouped(live.orders), html! {}))
            (tile(locale, "stream-fen", &money(live.fen), html! {}))
            (tile(locale, "stream-packs", &grouped(live.packs), html! {
                @if called_off > 0 { " " small { (locale.with("stream-packs-off", &[("packs", grouped(called_off))])) } } }))
            (tile(locale, "stream-over", &grouped(live.over), if live.over > 0 { bad("stream-oversold") } else { html! {} }))
            (tile(locale, "stream-last-told", &told, if is_worryingly_slow(live) { bad("stream-slow") } else { html! {} }))
        }
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
    let counted = figures.offer(sku);
    let pool = counted.map(|counted| &counted.pool);
    let offered = stream.offers.get(sku);
    let granted = pool.and_then(|pool| pool.granted);
    let (left, accepted) = pool.map_or((0, 0), |pool| (pool.left, pool.accepted));
    let is_gone = hour == Hour::During && granted.is_some_and(|granted| granted > 0) && left == 0;
    let pace = counted.filter(|_| hour == Hour::During && !is_gone).and_then(|counted| counted.sold_out_in_minutes);
    let wanted = offered.map_or(0, |offer| u64::from(offer.wanted));
    let is_short = granted.is_some_and(|granted| granted < wanted) && offered.is_some_and(|offer| !offer.ended);
    let (figure, unit) = match hour {
        Hour::Before => (granted.unwrap_or(0), "stream-packs-set-aside"),
        Hour::During if is_gone => (0, "stream-sold-out"),
        Hour::During if offered.is_none() => (accepted, "stream-packs-sold"),
        Hour::During => (left, "stream-packs-left"),
        Hour::After => (counted.map_or(0, |counted| counted.sold), "stream-packs-sold"),
    };
    html! {
        article.offer.gone[is_gone] {
            h3 { (sku_words(names, sku)) " " span.small { (sku) } }
            @if let Some(offer) = offered { (terms(locale, offer, (hour, now))) }
            p.left { strong { (grouped(figure)) } " " span { (locale.t(unit)) } }
            @if hour == Hour::During {
                // A line that is always there: nothing below it moves when a pace is known, or not any more.
                p.pace { @match pace {
                    Some(minutes) => (locale.with("stream-pace", &[("minutes", grouped(minutes.max(1)))])),
                    None => "\u{a0}",
                } }
            }
            @if let Some(granted) = granted.filter(|granted| *granted > 0 && hour != Hour::After) {
                meter min="0" max=(granted) value=(left) aria-label=(locale.t("stream-packs-left")) {}
            }
            p.small {
                @match granted {
                    None if offered.is_none() => (locale.t("stream-not-offered")),
                    None => (locale.t("stream-not-granted")),
                    Some(granted) => (locale.with("stream-of-granted", &[("granted", grouped(granted)), ("sold", grouped(accepted))])),
                }
                @if is_short && hour != Hour::After { " · " (locale.with("stream-granted-less", &[("wanted", grouped(wanted))])) }
            }
            @if let Some(pool) = pool.filter(|pool| pool.told_left != pool.left && hour == Hour::During) {
                p.small { (locale.with("stream-told-left", &[("left", grouped(pool.told_left))])) } }
            @if let Some(pool) = pool.filter(|pool| pool.over > 0) {
                p { span.bad { (locale.with("stream-oversold-by", &[("packs", grouped(pool.over))])) } } }
        }
    }
}

/// What is special about an offer: a gift, a flash sale, a limit, its end.
fn terms(locale: Locale, offer: &Offer, (hour, now): (Hour, Instant)) -> Markup {
    let times = [offer.begins_at, offer.ends_at].map(|at| at.map(clock).unwrap_or_default());
    let state = match hour {
        Hour::After => None,
        _ if offer.ended => None,
        _ if offer.begins_at.is_some_and(|begins| now < begins) => Some("flash-before"),
        _ if offer.ends_at.is_some_and(|ends| ends <= now) => Some("flash-after"),
        Hour::During => Some("flash-on"),
        Hour::Before => None,
    };
    let is_flash = offer.begins_at.is_some() || offer.ends_at.is_some();
    html! {
        p.terms {
            @if offer.fen.get() == 0 { span.good { (locale.t("stream-gift")) } " " } @else { span.small { (money(offer.fen.get())) } " " }
            @if let Some(limit) = offer.limit { span.small { (locale.with("stream-limit-short", &[("packs", grouped(u64::from(limit)))])) } " " }
            @if is_flash {
                span.mark { (locale.t("stream-flash")) " " (times.join("–")) } " "
                @if let Some(state) = state { span.small { (locale.t(&format!("stream-{state}"))) } " " }
            }
            @if offer.ended { span.mark { (locale.t("stream-offer-ended")) } }
        }
    }
}

/// The time of day in China.
pub(super) fn clock(at: Instant) -> String {
    at.in_china().split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Sold by minute: the last sixty while it is on, all of them afterwards, as they were written down for good or are counted so far.
fn minutes(locale: Locale, stream: &Stream, figures: &Figures, hour: Hour) -> Markup {
    let words = MinuteWords {
        title: locale.t("stream-by-minute"),
        minute: locale.t("minute"),
        count: locale.t("packs"),
        as_table: locale.t("chart-table"),
    };
    let Some(live) = &figures.live else { return html! {} };
    let bar = |(minute, packs): (i64, u64)| {
        (clock(Instant(minute.saturating_mul(60_000))), i64::try_from(packs).unwrap_or(i64::MAX))
    };
    let start = stream.starts_at.map_or(live.first_minute, |at| at.0.div_euclid(60_000));
    let bars: Vec<(String, i64)> = if hour == Hour::After && !stream.minutes.is_empty() {
        (start..).zip(stream.minutes.iter().map(|packs| u64::from(*packs))).map(bar).collect()
    } else {
        (live.first_minute..).zip(live.by_minute.iter().copied()).map(bar).collect()
    };
    charts::by_minute(&bars, &words)
}
