//! After a live-stream: what was sold, called off and paid back, and what is to be packed. Returns come after the stream, so all of it
//! is counted anew whenever the page is asked for.

use granary_client_core::quantities::{Day, Instant, decimal};
use granary_client_core::schema::StreamCode;
use granary_client_core::schema::stream::Stream;
use maud::{Markup, html};

use super::desk::{Figures, tile};
use crate::console::i18n::{Locale, grouped, money};
use crate::console::parts::{Column, Row, Table};

/// Days after the stream at whose end the share of returns is told.
const RETURN_DAYS: [i32; 4] = [0, 1, 7, 15];

pub(super) fn sums(locale: Locale, code: &StreamCode, figures: &Figures) -> Markup {
    let sums = &figures.sums;
    let over = figures.live.as_ref().map_or(0, |live| live.over);
    let orders = |state: &str, count: u64| {
        let count = locale.with("stream-count-orders", &[("count", grouped(count))]);
        html! { " " small { a href={ "/console/orders?" (state) "&stream=" (code) } { (count) } } }
    };
    let plain = |count: u64| html! { " " small { (locale.with("stream-count-orders", &[("count", grouped(count))])) } };
    html! {
        div.figures {
            (tile(locale, "stream-orders", &grouped(sums.orders), html! {}))
            (tile(locale, "stream-fen", &money(sums.fen), html! {}))
            (tile(locale, "stream-packs", &grouped(sums.packs), html! {}))
            (tile(locale, "stream-over", &grouped(over), html! { @if over > 0 { " " span.bad { (locale.t("stream-oversold")) } } }))
            (tile(locale, "stream-called-off", &money(sums.called_off_fen), plain(sums.called_off)))
            (tile(locale, "stream-returned", &share(sums.returned_permille(None)), html! { " " small { (money(sums.refunded_fen(None))) } (plain(sums.refunded)) }))
            (tile(locale, "stream-to-pack", &grouped(sums.to_pack_packs), orders("state=to-pack", sums.to_pack)))
            @if sums.asked > 0 { (tile(locale, "stream-asked", &grouped(sums.asked), orders("only=after-sale", sums.asked))) }
        }
    }
}

fn share(permille: i64) -> String {
    format!("{} %", decimal(permille, 10))
}

fn days_later(locale: Locale, days: i32) -> String {
    match days {
        0 => locale.t("stream-returned-same-day"),
        1 => locale.t("stream-returned-next-day"),
        _ => locale.with("stream-returned-after", &[("days", days.to_string())]),
    }
}

/// The share of what was sold that was paid back, by day: those that are past, and now.
pub(super) fn returned(locale: Locale, stream: &Stream, figures: &Figures, now: Instant) -> Markup {
    let sums = &figures.sums;
    let Some(start) = stream.starts_at.filter(|_| sums.orders > 0) else { return html! {} };
    let row = |name: String, until: Option<Instant>| {
        Row::of(vec![
            html! { (name) },
            html! { (money(sums.refunded_fen(until))) },
            html! { (share(sums.returned_permille(until))) },
        ])
    };
    let ends = RETURN_DAYS.map(|days| (days, Day::in_china(start).plus_days(days.saturating_add(1)).begins_in_china()));
    let past = ends.into_iter().filter(|(_, end)| *end <= now);
    let mut rows: Vec<Row> = past.map(|(days, end)| row(days_later(locale, days), Some(end))).collect();
    rows.push(row(locale.with("stream-returned-now", &[("time", now.in_china())]), None));
    let columns = vec![
        Column::text(locale.t("stream-returned-until")),
        Column::number(locale.t("stream-fen")),
        Column::number(locale.t("stream-returned")),
    ];
    html! {
        section { h2 { (locale.t("stream-returns")) }
            p.small { (locale.t("stream-returns-help")) }
            (Table::of(locale.t("stream-returns"), columns).show(rows))
            @if sums.part_refunded > 0 {
                p.small { (locale.with("stream-part-refunded", &[("count", grouped(sums.part_refunded))])) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::i18n::Language;

    #[test]
    fn the_first_days_after_a_stream_are_called_by_name() {
        let english = Locale { language: Language::English };
        assert_eq!(days_later(english, 0), "the end of the day of the stream");
        assert_eq!(days_later(english, 1), "a day later");
        assert_eq!(days_later(english, 7), "7 days later");
        assert_eq!(days_later(Locale { language: Language::Chinese }, 0), "直播当天结束");
    }
}
