//! Charts as SVG. They need no colour: each bar has its figure; recorded is an outline, received is filled. Columns and rows tell
//! their figures when they are touched, and a table below holds them all.

use granary_client_core::quantities::Day;
use maud::{Markup, html};

use super::i18n::grouped;

/// A bar: its name, and the recorded and received weight in grams.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) recorded: i64,
    pub(super) received: i64,
}

/// What a chart is called, and what its figures are called.
pub(super) struct Words<'a> {
    pub(super) title: String,
    pub(super) recorded: String,
    pub(super) received: String,
    /// The heading of the table's first column.
    pub(super) name: String,
    /// The line that opens the table.
    pub(super) as_table: String,
    /// A weight for people.
    pub(super) figure: &'a dyn Fn(i64) -> String,
}

impl Words<'_> {
    fn said(&self, bar: &Bar) -> String {
        let (recorded, received) = ((self.figure)(bar.recorded), (self.figure)(bar.received));
        format!("{} · {} {recorded} · {} {received}", bar.name, self.recorded, self.received)
    }

    fn frame(&self, svg: &Markup, bars: &[Bar]) -> Markup {
        html! {
            figure.chart {
                (svg)
                output aria-hidden="true" {}
                details { summary { (self.as_table) }
                    table aria-label=(self.title) {
                        thead { tr { th scope="col" { (self.name) } th.number scope="col" { (self.recorded) } th.number scope="col" { (self.received) } } }
                        tbody { @for bar in bars { tr { td { (bar.name) } td.number { ((self.figure)(bar.recorded)) } td.number { ((self.figure)(bar.received)) } } } }
                    }
                }
            }
        }
    }
}

/// Narrow, so that its text keeps its size on a phone.
const WIDTH: i64 = 340;
const ROW: i64 = 40;
/// The height of a row's bars, and where they begin below its name.
const BAR: i64 = 14;

fn most(bars: &[Bar]) -> i64 {
    bars.iter().map(|bar| bar.recorded.max(bar.received)).max().unwrap_or(1).max(1)
}

fn scaled(grams: i64, most: i64, length: i64) -> i64 {
    grams.max(0).saturating_mul(length) / most.max(1)
}

/// One row for each bar: its name and figure, the bars below.
pub(super) fn rows(bars: &[Bar], words: &Words<'_>) -> Markup {
    let count = i64::try_from(bars.len()).unwrap_or(0);
    let most = most(bars);
    let svg = html! {
        svg viewBox={ "0 0 " (WIDTH) " " (count.saturating_mul(ROW).max(ROW)) } role="img" aria-label=(words.title) {
            @for (place, bar) in bars.iter().enumerate() {
                @let top = i64::try_from(place).unwrap_or(0).saturating_mul(ROW);
                g data-said=(words.said(bar)) {
                    title { (words.said(bar)) }
                    text x="0" y=(top.saturating_add(13)) { (bar.name) }
                    text x=(WIDTH) y=(top.saturating_add(13)) text-anchor="end" { ((words.figure)(bar.recorded)) }
                    rect.filled x="0.5" y=(top.saturating_add(19)) width=(scaled(bar.received, most, WIDTH.saturating_sub(1))) height=(BAR) {}
                    rect.outline x="0.5" y=(top.saturating_add(19)) width=(scaled(bar.recorded, most, WIDTH.saturating_sub(1)).max(1)) height=(BAR) {}
                }
            }
        }
    };
    words.frame(&svg, bars)
}

/// Where the columns stand, and their greatest height.
const FLOOR: i64 = 150;
const TALL: i64 = 124;

/// Days from the first to the last, those without a lot too.
fn every_day(days: &[(Day, i64, i64)]) -> Vec<(Day, i64, i64)> {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return Vec::new() };
    let mut all = Vec::new();
    let mut day = first.0;
    let mut given = days.iter().peekable();
    while day <= last.0 && all.len() < DAYS_MAX {
        let of_day = given.next_if(|(given, ..)| *given == day);
        all.push(of_day.copied().unwrap_or((day, 0, 0)));
        day = day.plus_days(1);
    }
    all
}

/// The room that a day's name takes.
const LABEL: i64 = 42;

/// Days in a chart at most.
const DAYS_MAX: usize = 400;

/// Recorded and received by day, as columns from left to right; a day without a lot is an empty place. `days` are in order.
pub(super) fn by_day(days: &[(Day, i64, i64)], words: &Words<'_>) -> Markup {
    let bars: Vec<Bar> = every_day(days)
        .into_iter()
        .map(|(day, recorded, received)| Bar { name: day.to_string(), recorded, received })
        .collect();
    let most = most(&bars);
    let count = i64::try_from(bars.len()).unwrap_or(0).max(1);
    let at = |place: usize| i64::try_from(place).unwrap_or(0).saturating_mul(WIDTH) / count;
    let slot = WIDTH / count;
    let wide = slot.saturating_sub(1).clamp(1, 40);
    // A column stands in the middle of its day, and the day's name below it: few days are spread over the whole width.
    let inset = slot.saturating_sub(wide) / 2;
    let is_wide = slot >= LABEL;
    let short = |name: &str| name.get(5..).unwrap_or(name).to_owned();
    let svg = html! {
        svg viewBox={ "0 0 " (WIDTH) " 172" } role="img" aria-label=(words.title) {
            text x="0" y="12" { ((words.figure)(most)) }
            line.axis x1="0" x2=(WIDTH) y1=(FLOOR.saturating_sub(TALL)) y2=(FLOOR.saturating_sub(TALL)) {}
            line.axis x1="0" x2=(WIDTH) y1=(FLOOR.saturating_sub(TALL / 2)) y2=(FLOOR.saturating_sub(TALL / 2)) {}
            line.axis x1="0" x2=(WIDTH) y1=(FLOOR) y2=(FLOOR) {}
            @for (place, bar) in bars.iter().enumerate() {
                @let (received, recorded) = (scaled(bar.received, most, TALL), scaled(bar.recorded, most, TALL));
                g data-said=(words.said(bar)) {
                    title { (words.said(bar)) }
                    // All of the column's place can be touched.
                    rect x=(at(place)) y="0" width=(slot) height=(FLOOR) fill="transparent" {}
                    rect.filled x=(at(place).saturating_add(inset)) y=(FLOOR.saturating_sub(received)) width=(wide) height=(received) {}
                    rect.outline x=(at(place).saturating_add(inset)) y=(FLOOR.saturating_sub(recorded)) width=(wide) height=(recorded) {}
                }
            }
            @if is_wide { @for (place, bar) in bars.iter().enumerate() {
                text x=(at(place).saturating_add(slot / 2)) y="167" text-anchor="middle" { (short(&bar.name)) } } }
            @else if let Some(first) = bars.first() { text x="0" y="167" { (short(&first.name)) } }
            @if let Some(middle) = bars.get(bars.len() / 2).filter(|_| bars.len() > 8) {
                text x=(at(bars.len() / 2)) y="167" text-anchor="middle" { (short(&middle.name)) } }
            @if let Some(last) = bars.last().filter(|_| !is_wide) { text x=(WIDTH) y="167" text-anchor="end" { (short(&last.name)) } }
        }
    };
    words.frame(&svg, &bars)
}

/// What a chart of minutes is called.
pub(super) struct MinuteWords {
    pub(super) title: String,
    /// The heading of the table's first column.
    pub(super) minute: String,
    /// What is counted.
    pub(super) count: String,
    /// The line that opens the table.
    pub(super) as_table: String,
}

/// Columns of a chart of minutes at most: of a longer time each column is several minutes.
const COLUMNS_MAX: usize = 120;

/// Several minutes as one, where there are more than [`COLUMNS_MAX`].
fn together(minutes: &[(String, i64)]) -> Vec<(String, i64)> {
    let each = minutes.len().div_ceil(COLUMNS_MAX).max(1);
    let name = |some: &[(String, i64)]| match some {
        [(first, _), .., (last, _)] => format!("{first}–{last}"),
        [(one, _)] => one.clone(),
        [] => String::new(),
    };
    let sum = |some: &[(String, i64)]| some.iter().map(|(_, count)| *count).fold(0, i64::saturating_add);
    minutes.chunks(each).map(|some| (name(some), sum(some))).collect()
}

/// A count for each minute as columns from left to right, the latest last. A minute without any is an empty place.
pub(super) fn by_minute(minutes: &[(String, i64)], words: &MinuteWords) -> Markup {
    let ends = [minutes.first(), minutes.last()].map(|end| end.map(|(name, _)| name.clone()).unwrap_or_default());
    let minutes = &together(minutes);
    let most = minutes.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let count = i64::try_from(minutes.len()).unwrap_or(0).max(1);
    let at = |place: usize| i64::try_from(place).unwrap_or(0).saturating_mul(WIDTH) / count;
    let wide = (WIDTH / count).saturating_sub(1).clamp(1, 24);
    let said = |(name, count): &(String, i64)| format!("{name} · {count} {}", words.count);
    html! {
        figure.chart {
            svg viewBox={ "0 0 " (WIDTH) " 172" } role="img" aria-label=(words.title) {
                text x="0" y="12" { (grouped(most.unsigned_abs())) }
                line.axis x1="0" x2=(WIDTH) y1=(FLOOR.saturating_sub(TALL)) y2=(FLOOR.saturating_sub(TALL)) {}
                line.axis x1="0" x2=(WIDTH) y1=(FLOOR) y2=(FLOOR) {}
                @for (place, minute) in minutes.iter().enumerate() {
                    @let tall = scaled(minute.1, most, TALL);
                    g data-said=(said(minute)) {
                        title { (said(minute)) }
                        rect x=(at(place)) y="0" width=(wide.saturating_add(1)) height=(FLOOR) fill="transparent" {}
                        rect.filled x=(at(place)) y=(FLOOR.saturating_sub(tall)) width=(wide) height=(tall) {}
                    }
                }
                text x="0" y="167" { (ends[0]) }
                @if minutes.len() > 1 { text x=(WIDTH) y="167" text-anchor="end" { (ends[1]) } }
            }
            output aria-hidden="true" {}
            details { summary { (words.as_table) }
                table aria-label=(words.title) {
                    thead { tr { th scope="col" { (words.minute) } th.number scope="col" { (words.count) } } }
                    tbody { @for (name, count) in minutes.iter().filter(|(_, count)| *count > 0) {
                        tr { td { (name) } td.number { (grouped(count.unsigned_abs())) } } } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_without_any_keeps_its_place_and_the_table_leaves_it_out() {
        let words = MinuteWords {
            title: "Sold".into(),
            minute: "Minute".into(),
            count: "packs".into(),
            as_table: "As a table".into(),
        };
        let minutes = [("20:00".to_owned(), 8), ("20:01".to_owned(), 0), ("20:02".to_owned(), 4)];
        let chart = by_minute(&minutes, &words).into_string();
        assert_eq!(chart.matches("<rect class=\"filled\"").count(), 3);
        assert!(chart.contains("20:02 · 4 packs") && !chart.contains("<td>20:01</td>"), "{chart}");
        assert!(by_minute(&[], &words).into_string().contains("<svg"));
        // Of a long stream each column is several minutes, and nothing of it is left out.
        let long: Vec<(String, i64)> = (0..300).map(|minute| (format!("m{minute}"), 1)).collect();
        let columns = together(&long);
        assert_eq!((columns.len(), columns[0].clone()), (100, ("m0–m2".to_owned(), 3)));
    }

    // Two days stood at the left, the second's column in the middle and its name at the right end.
    #[test]
    fn few_days_are_spread_over_the_whole_width_with_their_names_below() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let figure = |grams: i64| grams.to_string();
        let words = Words {
            title: "By day".into(),
            recorded: "recorded".into(),
            received: "weighed".into(),
            name: "day".into(),
            as_table: "As a table".into(),
            figure: &figure,
        };
        let chart = by_day(&[(day("2026-10-01"), 5, 0), (day("2026-10-02"), 7, 7)], &words).into_string();
        for (column, name) in [("x=\"65\"", "x=\"85\""), ("x=\"235\"", "x=\"255\"")] {
            assert!(chart.contains(&format!("<rect class=\"outline\" {column}")), "{column}: {chart}");
            assert!(chart.contains(&format!("<text {name} y=\"167\" text-anchor=\"middle\"")), "{name}: {chart}");
        }
    }

    #[test]
    fn days_without_a_lot_keep_their_place() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        let all = every_day(&[(day("2026-09-29"), 5, 0), (day("2026-10-02"), 7, 7)]);
        let days: Vec<String> = all.iter().map(|(day, ..)| day.to_string()).collect();
        assert_eq!(days, ["2026-09-29", "2026-09-30", "2026-10-01", "2026-10-02"]);
        assert_eq!(all[1].1, 0);
        // Two days far apart make no endless chart.
        assert_eq!(every_day(&[(day("1990-01-01"), 1, 0), (day("2026-01-01"), 1, 0)]).len(), DAYS_MAX);
    }
}
