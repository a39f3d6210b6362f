//! The prices of a product over time, as SVG: one step line for each grade. A line holds from a price's first day until the next
//! one's, and breaks where a price was ended. The table beside it says the same in words.

use std::collections::BTreeSet;

use granary_client_core::quantities::Day;
use granary_client_core::schema::catalogue::Product;
use maud::{Markup, html};

use crate::console::i18n::{Locale, money};

/// Narrow, so that its text stays readable on a phone.
const WIDTH: i64 = 420;
const HEIGHT: i64 = 220;
const LEFT: i64 = 64;
const RIGHT: i64 = 12;
const TOP: i64 = 14;
const BOTTOM: i64 = 30;
/// Days that are drawn before the first change and after the last one.
const DAYS_AROUND: i32 = 30;
/// Days that are drawn at most: what is longer ago is in the table.
const DAYS_MAX: i64 = 730;
/// How the lines of grades are told apart without colour.
const DASHES: [&str; 4] = ["none", "8 4", "2 4", "10 4 2 4"];

/// A stretch of days on which one price holds.
struct Step {
    from: i64,
    to: i64,
    fen: i64,
}

/// See the module.
pub(super) fn draw(locale: Locale, product: &Product, today: Day) -> Markup {
    let days = product.price_by_grade.keys().filter_map(|name| name.from).chain(product.price_until.values().copied());
    let days: BTreeSet<Day> = days.chain([today]).collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return html! {} };
    let (first, last) = (first.plus_days(DAYS_AROUND.saturating_neg()), last.plus_days(DAYS_AROUND));
    let span = last.days_since(first).clamp(1, DAYS_MAX);
    let first = last.plus_days(i32::try_from(span).unwrap_or(0).saturating_neg());
    let grades: BTreeSet<&str> = product.price_by_grade.keys().map(|name| name.grade.as_str()).collect();
    let lines: Vec<(&str, Vec<Step>)> =
        grades.into_iter().map(|grade| (grade, steps(product, grade, first, span))).collect();
    let fens = || lines.iter().flat_map(|(_, steps)| steps.iter().map(|step| step.fen));
    let (Some(least), Some(most)) = (fens().min(), fens().max()) else { return html! {} };
    let room = (most.saturating_sub(least) / 8).max(20);
    let (floor, ceiling) = (least.saturating_sub(room).max(0), most.saturating_add(room));
    let x = |day: i64| LEFT.saturating_add(share(day, span, WIDTH - LEFT - RIGHT));
    let y = |fen: i64| {
        let up = share(fen.saturating_sub(floor), ceiling.saturating_sub(floor), HEIGHT - TOP - BOTTOM);
        (HEIGHT - BOTTOM).saturating_sub(up)
    };
    let now = today.days_since(first);
    let label = |grade: &str| format!("{} {grade}", locale.t("grade"));
    html! {
        figure.chart {
            svg role="img" aria-label=(locale.t("price-chart")) viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } width="100%" {
                g fill="none" stroke="currentColor" {
                    path d={ "M" (LEFT) " " (TOP) "V" (HEIGHT - BOTTOM) "H" (WIDTH - RIGHT) } stroke-opacity="0.5" {}
                    path d={ "M" (x(now)) " " (TOP) "V" (HEIGHT - BOTTOM) } stroke-opacity="0.4" stroke-dasharray="3 3" {}
                    @for ((grade, steps), dash) in lines.iter().zip(DASHES.iter().cycle()) {
                        path d=(path(steps, &x, &y)) stroke-width="2.5" stroke-dasharray=(dash) { title { (label(grade)) } }
                    }
                }
                g fill="currentColor" font-size="13" {
                    @for fen in BTreeSet::from([least, most]) {
                        text x=(LEFT - 6) y=(y(fen).saturating_add(4)) text-anchor="end" { (money(fen)) }
                    }
                    text x=(LEFT) y=(HEIGHT - 8) { (first) }
                    text x=(WIDTH - RIGHT) y=(HEIGHT - 8) text-anchor="end" { (last) }
                    @for (grade, steps) in &lines { @if let Some(step) = steps.last() {
                        text x=(x(step.to).saturating_sub(4)) y=(y(step.fen).saturating_sub(6)) text-anchor="end" { (label(grade)) }
                    } }
                }
            }
            figcaption.small { (locale.with("price-chart-says", &[("days", format!("{first} – {last}"))])) " "
                @for (grade, steps) in &lines {
                    (label(grade)) ": "
                    @for (place, step) in steps.iter().enumerate() {
                        @if place > 0 { ", " }
                        (day_at(first, step.from)) " " (money(step.fen))
                    }
                    ". "
                } }
        }
    }
}

fn day_at(first: Day, days: i64) -> Day {
    first.plus_days(i32::try_from(days).unwrap_or(0))
}

/// So much of `length` as `part` is of `whole`.
fn share(part: i64, whole: i64, length: i64) -> i64 {
    part.saturating_mul(length).checked_div(whole).unwrap_or(0).clamp(0, length)
}

/// The stretches on which each price of a grade holds, day by day.
fn steps(product: &Product, grade: &str, first: Day, span: i64) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for day in 0..=span {
        let Some(fen) = product.price_on(grade, day_at(first, day)) else { continue };
        match steps.last_mut() {
            Some(step) if step.fen == fen.get() && step.to == day => step.to = day.saturating_add(1),
            _ => steps.push(Step { from: day, to: day.saturating_add(1), fen: fen.get() }),
        }
    }
    steps
}

/// A line through the steps; it stands still where one follows the other, and jumps over days without a price.
fn path(steps: &[Step], x: &impl Fn(i64) -> i64, y: &impl Fn(i64) -> i64) -> String {
    let mut path = String::new();
    let mut last = None;
    for step in steps {
        let (from, to, height) = (x(step.from), x(step.to), y(step.fen));
        let begin = match last {
            Some(end) if end == step.from => format!("V{height}"),
            _ => format!("M{from} {height}"),
        };
        path.push_str(&format!("{begin}H{to}"));
        last = Some(step.to);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::i18n::Language;
    use granary_client_core::quantities::Fen;

    #[test]
    fn a_price_that_was_ended_leaves_a_gap_and_the_text_says_each_step() {
        let price = |name: &str, fen| (name.parse().unwrap(), Fen::new(fen).unwrap());
        let product = Product {
            code: "millet".into(),
            name_zh: None,
            name_en: None,
            price_by_grade: [price("A", 620), price("A@2026-11-10", 650), price("B", 500)].into(),
            price_conflicts: Default::default(),
            surplus_tolerated: None,
            price_until: [("B".parse().unwrap(), "2026-11-05".parse().unwrap())].into(),
            ended: None,
            damaged: Vec::new(),
        };
        let first: Day = "2026-11-01".parse().unwrap();
        let of =
            |grade: &str| steps(&product, grade, first, 20).iter().map(|s| (s.from, s.to, s.fen)).collect::<Vec<_>>();
        assert_eq!(of("A"), [(0, 9, 620), (9, 21, 650)]);
        assert_eq!(of("B"), [(0, 5, 500)]);
        let locale = Locale { language: Language::English };
        let drawn = draw(locale, &product, "2026-11-15".parse().unwrap()).into_string();
        assert!(drawn.contains("2026-11-10 ¥6.50") && drawn.contains("role=\"img\""), "{drawn}");
        assert!(!drawn.contains("style="), "the content policy forbids it");
        // In SVG nothing closes by itself: a path within another one is not drawn.
        assert_eq!(drawn.matches("<path").count(), drawn.matches("</path>").count(), "{drawn}");
    }
}
