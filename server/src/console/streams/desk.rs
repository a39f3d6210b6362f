//! What a live-stream's page shows of its hour: before it what is free and granted, while it is on large figures, after it what came of
//! it. All of it is without forms, so that it is put in place while somebody writes beside it.

use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::StreamCode;
use granary_client_core::schema::stream::Stream;
use granary_client_core::trade;
use maud::{Markup, html};

use super::Hour;
use super::plan::sku_words;
use crate::console::charts::{self, MinuteWords};
use crate::console::i18n::{Locale, grouped, money};
use crate::console::names::Names;
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedIn;
use crate::trade::{Desk, DeskOffer};

/// What is counted of a stream now.
pub(super) struct Figures {
    /// None before the server has read the stream.
    live: Option<Desk>,
    /// Grams that are free of what each offered SKU is of, before the stream.
    free: Vec<(String, i64)>,
}

impl Figures {
    pub(super) async fn of(
        signed: &SignedIn,
        names: &Names,
        code: &StreamCode,
        (stream, hour, now): (&Stream, Hour, Instant),
    ) -> Result<Self, Refused> {
        let (granary, number, name) = (signed.granary.clone(), signed.cooperative.number(), code.clone());
        let live = signed.work(move || granary.desk(number, &name, now)).await?;
        let mut free = Vec::new();
        if hour == Hour::Before {
            let skus = names.catalogue.skus.clone();
            let stock = signed.read(move |models| Ok(trade::derive(&models.stock_facts(&skus)?))).await?;
            for sku in stream.offers.keys() {
                let Some(of) = names.catalogue.skus.get(sku) else { continue };
                free.push((sku.clone(), stock.free(&of.product, &of.grade, Day::in_china(now), 0)));
            }
        }
        Ok(Self { live, free })
    }

    fn offer(&self, sku: &str) -> Option<&DeskOffer> {
        self.live.as_ref()?.offers.iter().find(|offer| offer.pool.sku == sku)
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
            h2.unseen { (locale.t("stream-packs-left")) }
            div.offers { @for sku in stream.offers.keys() { (offer(locale, names, stream, figures, (sku, hour))) } }
        }
        @if hour != Hour::Before {
            section { h2 { (locale.t("stream-by-minute")) } (minutes(locale, stream, figures, (hour, now))) }
            p.small { (locale.with("stream-as-of", &[("time", now.in_china())])) }
        }
    }
}

fn sums(locale: Locale, figures: &Figures, (hour, now): (Hour, Instant)) -> Markup {
    let Some(live) = &figures.live else { return html! { p.notice { (locale.t("stream-not-granted")) } } };
    let sum = |packs: fn(&DeskOffer) -> u64| live.offers.iter().map(packs).fold(0, u64::saturating_add);
    let (packs, left) = (sum(|offer| offer.pool.accepted), sum(|offer| offer.pool.left));
    let since = live.last_told_at.map(|at| now.millis_since(at));
    let is_slow = live.is_feed_slow && left > 0;
    let tile =
        |name: &str, figure: String| html! { div.tile { span.name { (locale.t(name)) } span.figure { (figure) } } };
    html! {
        div.figures {
            (tile("stream-orders", grouped(live.orders)))
            (tile("stream-fen", money(live.fen)))
            (tile("stream-packs", grouped(packs)))
            div.tile { span.name { (locale.t("stream-over")) }
                span.figure { (grouped(live.over)) @if live.over > 0 { " " span.bad { (locale.t("stream-oversold")) } } } }
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

fn offer(locale: Locale, names: &Names, stream: &Stream, figures: &Figures, (sku, hour): (&str, Hour)) -> Markup {
    let Some(offer) = stream.offers.get(sku) else { return html! {} };
    let counted = figures.offer(sku);
    let pool = counted.map(|counted| &counted.pool);
    let granted = pool.and_then(|pool| pool.granted);
    let (left, accepted) = pool.map_or((0, 0), |pool| (pool.left, pool.accepted));
    let is_gone = hour == Hour::During && granted.is_some_and(|granted| granted > 0) && left == 0;
    let pace = counted.filter(|_| hour == Hour::During).and_then(|counted| counted.sold_out_in_minutes);
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
    let named = |minute: i64| -> String {
        let at = Instant(minute.saturating_mul(60_000)).in_china();
        at.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let count = |packs: u64| i64::try_from(packs).unwrap_or(i64::MAX);
    let start = stream.starts_at.map_or(0, |at| at.0.div_euclid(60_000));
    // Afterwards those that were written down for good; until then, and while it is on, the last ones.
    let bars: Vec<(String, i64)> = if hour == Hour::After && !stream.minutes.is_empty() {
        (start..).zip(&stream.minutes).map(|(minute, packs)| (named(minute), i64::from(*packs))).collect()
    } else {
        let lately = figures.live.as_ref().map(|live| live.by_minute.as_slice()).unwrap_or_default();
        let last = now.0.div_euclid(60_000);
        let first = last.saturating_sub(i64::try_from(lately.len()).unwrap_or(0)).saturating_add(1);
        (first..)
            .zip(lately)
            .filter(|(minute, _)| *minute >= start)
            .map(|(minute, packs)| (named(minute), count(*packs)))
            .collect()
    };
    charts::by_minute(&bars, &words)
}
