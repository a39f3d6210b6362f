//! Charts as SVG. They need no colour: each bar has its figure; recorded is an outline, received is filled.

use plotters::prelude::*;

/// A bar: its name, and the recorded and received weight in grams.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) recorded: i64,
    pub(super) received: i64,
}

const INK: RGBColor = RGBColor(0x2b, 0x3a, 0x2f);
const FILL: RGBColor = RGBColor(0x6f, 0x8f, 0x3a);
/// Narrow, so that its text stays readable on a phone.
const WIDTH: u32 = 420;
const ROW: u32 = 34;
/// The start of the bars, and their greatest length.
const BARS_FROM: i32 = 110;
const BAR_MAX: i64 = 200;

/// One row for each bar, names at the left, figures at the right.
pub(super) fn rows(bars: &[Bar], figure: impl Fn(i64) -> String) -> String {
    let mut svg = String::new();
    let height = u32::try_from(bars.len()).unwrap_or(0).saturating_mul(ROW).max(ROW);
    let most = bars.iter().map(|bar| bar.recorded.max(bar.received)).max().unwrap_or(1).max(1);
    let scale = |grams: i64| i32::try_from(grams.max(0).saturating_mul(BAR_MAX) / most).unwrap_or(0);
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        let text = ("sans-serif", 14).into_font().color(&INK);
        for (index, bar) in bars.iter().enumerate() {
            let top = i32::try_from(index).unwrap_or(0).saturating_mul(34);
            let drawn = [
                area.draw(&Text::new(bar.name.clone(), (4, top.saturating_add(9)), text.clone())),
                area.draw(&Rectangle::new(
                    [
                        (BARS_FROM, top.saturating_add(6)),
                        (scale(bar.received).saturating_add(BARS_FROM), top.saturating_add(28)),
                    ],
                    FILL.filled(),
                )),
                area.draw(&Rectangle::new(
                    [
                        (BARS_FROM, top.saturating_add(6)),
                        (scale(bar.recorded).saturating_add(BARS_FROM), top.saturating_add(28)),
                    ],
                    INK.stroke_width(1),
                )),
                area.draw(&Text::new(
                    figure(bar.recorded),
                    (
                        scale(bar.recorded.max(bar.received)).saturating_add(BARS_FROM).saturating_add(6),
                        top.saturating_add(9),
                    ),
                    text.clone(),
                )),
            ];
            if let Some(Err(error)) = drawn.into_iter().find(Result::is_err) {
                tracing::warn!(%error, "a chart could not be drawn");
            }
        }
        // The backend writes to a string, so presenting can't fail.
        let _ = area.present();
    }
    svg
}

/// Recorded and received by day, as columns from left to right.
pub(super) fn by_day(bars: &[Bar], figure: impl Fn(i64) -> String) -> String {
    let mut svg = String::new();
    let count = i32::try_from(bars.len()).unwrap_or(0).max(1);
    let most = bars.iter().map(|bar| bar.recorded.max(bar.received)).max().unwrap_or(1).max(1);
    let (left, floor, tall) = (10, 180, 150);
    let step = (400 / count).clamp(4, 60);
    let scale = |grams: i64| i32::try_from(grams.max(0).saturating_mul(i64::from(tall)) / most).unwrap_or(0);
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, 210)).into_drawing_area();
        let text = ("sans-serif", 12).into_font().color(&INK);
        let mut drawn = vec![
            area.draw(&PathElement::new(vec![(left, floor), (412, floor)], INK.stroke_width(1))),
            area.draw(&Text::new(figure(most), (left, 8), text.clone())),
        ];
        for (index, bar) in bars.iter().enumerate() {
            let from = i32::try_from(index).unwrap_or(0).saturating_mul(step).saturating_add(left);
            let to = from.saturating_add(step.saturating_sub(2));
            drawn.push(area.draw(&Rectangle::new(
                [(from, floor.saturating_sub(scale(bar.received))), (to, floor)],
                FILL.filled(),
            )));
            drawn.push(area.draw(&Rectangle::new(
                [(from, floor.saturating_sub(scale(bar.recorded))), (to, floor)],
                INK.stroke_width(1),
            )));
        }
        for (bar, at) in [bars.first().map(|bar| (bar, left)), bars.last().map(|bar| (bar, 340))].into_iter().flatten()
        {
            drawn.push(area.draw(&Text::new(bar.name.clone(), (at, floor.saturating_add(8)), text.clone())));
        }
        if let Some(Err(error)) = drawn.into_iter().find(Result::is_err) {
            tracing::warn!(%error, "a chart could not be drawn");
        }
        let _ = area.present();
    }
    svg
}
