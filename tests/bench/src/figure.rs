//! Draws the rows of the slow line from the JSON lines of `peers`: bytes at the left, seconds at the right, both on
//! logarithmic scales. The bar of an aborted workload is pale and labelled.

use std::error::Error;
use std::ops::RangeInclusive;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::line::SLOW;
use crate::peers::{WORKLOADS, peer_names};
use crate::table::Row;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), Box<dyn Error>>;

const WIDTH: i32 = 1_000;
const BAR: i32 = 16;
const BAR_STEP: i32 = 20;
/// A heading and the space above it.
const HEADING: i32 = 36;
const HEAD: i32 = 92;
const FOOT: i32 = 84;
/// Peers' names end here.
const NAMES_TO: i32 = 200;

const INK: RGBColor = RGBColor(0x26, 0x2d, 0x28);
const QUIET: RGBColor = RGBColor(0x5c, 0x66, 0x5f);
const GRID: RGBColor = RGBColor(0xdd, 0xe2, 0xdc);
const OURS: RGBColor = RGBColor(0x3f, 0x6b, 0x2f);
const OURS_TLS: RGBColor = RGBColor(0xa9, 0xc4, 0x9a);
const THEIRS: RGBColor = RGBColor(0x8a, 0x93, 0x9b);
const GIVEN_UP: RGBColor = RGBColor(0xec, 0xe6, 0xe0);
const WARNING: RGBColor = RGBColor(0xa3, 0x3b, 0x20);

/// One of the two columns of bars.
struct Panel {
    title: &'static str,
    pixels: RangeInclusive<i32>,
    values: RangeInclusive<f64>,
    ticks: &'static [(f64, &'static str)],
}

const PANELS: [Panel; 2] = [
    Panel {
        title: "Bytes up and down (logarithmic scale)",
        pixels: 210..=536,
        values: 100.0..=30e6,
        ticks: &[(1e2, "100 B"), (1e3, "1 kB"), (1e4, "10 kB"), (1e5, "100 kB"), (1e6, "1 MB"), (1e7, "10 MB")],
    },
    Panel {
        title: "Seconds (logarithmic scale)",
        pixels: 646..=896,
        values: 1.0..=240.0,
        ticks: &[(1.0, "1 s"), (3.0, "3 s"), (10.0, "10 s"), (30.0, "30 s"), (100.0, "100 s"), (240.0, "240 s")],
    },
];

impl Panel {
    fn place(&self, value: f64) -> i32 {
        let (least, most) = (self.values.start().ln(), self.values.end().ln());
        let share = (value.max(*self.values.start()).ln() - least) / (most - least);
        let width = f64::from(self.pixels.end() - self.pixels.start());
        self.pixels.start() + (share.min(1.0) * width).round() as i32
    }
}

/// Reads the JSON lines in `from` and writes the picture.
pub(crate) fn run(from: &Path, to: &Path) -> Drawn {
    std::fs::write(to, draw(&read(from)?)?)?;
    Ok(())
}

fn read(from: &Path) -> Result<Vec<Row>, Box<dyn Error>> {
    let text = std::fs::read_to_string(from)?;
    let rows: Vec<Row> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let rows: Vec<Row> = rows.into_iter().filter(|row| row.line == SLOW.name).collect();
    if rows.is_empty() {
        return Err(format!("{} has no rows of the line {:?}", from.display(), SLOW.name).into());
    }
    Ok(rows)
}

fn draw(rows: &[Row]) -> Result<String, Box<dyn Error>> {
    let group = HEADING + BAR_STEP * i32::try_from(peer_names().len())?;
    let floor = HEAD + group * i32::try_from(WORKLOADS.len())?;
    let mut svg = String::new();
    {
        let size = (u32::try_from(WIDTH)?, u32::try_from(floor + FOOT)?);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE)?;
        write(&area, "One sync on a slow line: 50 kbit/s, 300 ms each way", (20, 26), &bold(22, INK))?;
        write(
            &area,
            "The phone has just been started. Shorter bars are better; each line of bytes is ten times the one before.",
            (20, 50),
            &plain(15, QUIET),
        )?;
        for panel in &PANELS {
            scale(&area, panel, floor)?;
        }
        for (index, workload) in WORKLOADS.iter().enumerate() {
            let top = HEAD + group * i32::try_from(index)?;
            let name = workload.split_once(": ").map_or(*workload, |(_, name)| name);
            write(&area, name, (20, top + 24), &bold(17, INK))?;
            for (place, peer) in peer_names().iter().enumerate() {
                let row = rows.iter().find(|row| row.workload == *workload && row.peer == *peer);
                bars(&area, peer, row, top + HEADING + BAR_STEP * i32::try_from(place)?)?;
            }
        }
        legend(&area, floor + 36)?;
        area.present()?;
    }
    Ok(svg)
}

fn scale(area: &Area<'_>, panel: &Panel, floor: i32) -> Drawn {
    write(area, panel.title, (*panel.pixels.start(), 76), &bold(15, INK))?;
    for (value, name) in panel.ticks {
        let at = panel.place(*value);
        area.draw(&PathElement::new(vec![(at, HEAD + 8), (at, floor + 4)], GRID.stroke_width(1)))?;
        write(area, name, (at, HEAD), &plain(14, QUIET).pos(Pos::new(HPos::Center, VPos::Center)))?;
    }
    Ok(())
}

/// A peer's name, its bar of bytes and its bar of seconds.
fn bars(area: &Area<'_>, peer: &str, row: Option<&Row>, top: i32) -> Drawn {
    let is_ours = peer == "granary";
    let style = if is_ours { bold(15, OURS) } else { plain(15, INK) };
    let middle = top + BAR / 2;
    write(area, peer, (NAMES_TO, middle), &style.pos(Pos::new(HPos::Right, VPos::Center)))?;
    let [of_bytes, of_seconds] = &PANELS;
    let Some(row) = row else {
        for panel in &PANELS {
            write(area, "not measured", (panel.pixels.start() + 6, middle), &plain(14, QUIET))?;
        }
        return Ok(());
    };
    let content = row.bytes_up + row.bytes_down;
    let all = content + row.tls_bytes_up + row.tls_bytes_down;
    let fill = match (row.ok, is_ours) {
        (false, _) => GIVEN_UP,
        (true, true) => OURS,
        (true, false) => THEIRS,
    };
    let bar = |panel: &Panel, from: i32, to: f64, fill: RGBColor| -> Drawn {
        let corners = [(from, top), (panel.place(to), top + BAR)];
        area.draw(&Rectangle::new(corners, fill.filled()))?;
        if !row.ok {
            area.draw(&Rectangle::new(corners, THEIRS.stroke_width(1)))?;
        }
        Ok(())
    };
    let start = *of_bytes.pixels.start();
    bar(of_bytes, start, content as f64, fill)?;
    if all > content {
        bar(of_bytes, of_bytes.place(content as f64), all as f64, OURS_TLS)?;
    }
    let mut label =
        if all > content { format!("{} + {} TLS", bytes(content), bytes(all - content)) } else { bytes(content) };
    if !row.ok {
        label.push_str(" so far");
    }
    let end = of_bytes.place(all as f64);
    write(area, &label, (end + 6, middle), &plain(14, if row.ok { INK } else { QUIET }))?;
    if row.ok {
        bar(of_seconds, *of_seconds.pixels.start(), row.seconds, fill)?;
        let end = of_seconds.place(row.seconds);
        write(area, &format!("{:.1} s", row.seconds), (end + 6, middle), &plain(14, INK))?;
    } else {
        bar(of_seconds, *of_seconds.pixels.start(), *of_seconds.values.end(), fill)?;
        write(area, &row.why, (of_seconds.pixels.start() + 8, middle), &bold(14, WARNING))?;
    }
    Ok(())
}

fn legend(area: &Area<'_>, middle: i32) -> Drawn {
    let entries = [
        (OURS, "Granary, HTTP included", (20, middle)),
        (OURS_TLS, "its TLS, handshake included; the peers speak without TLS", (20, middle + 24)),
        (THEIRS, "peer, HTTP and WebSocket included", (520, middle)),
        (GIVEN_UP, "given up after 240 s, with the bytes until then", (520, middle + 24)),
    ];
    for (fill, name, (from, middle)) in entries {
        let corners = [(from, middle - 7), (from + 14, middle + 7)];
        area.draw(&Rectangle::new(corners, fill.filled()))?;
        if fill == GIVEN_UP {
            area.draw(&Rectangle::new(corners, THEIRS.stroke_width(1)))?;
        }
        write(area, name, (from + 22, middle), &plain(15, INK))?;
    }
    Ok(())
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), style: &TextStyle<'_>) -> Drawn {
    area.draw(&Text::new(text.to_owned(), at, style.clone()))?;
    Ok(())
}

fn plain(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&colour).pos(Pos::new(HPos::Left, VPos::Center))
}

fn bold(size: i32, colour: RGBColor) -> TextStyle<'static> {
    ("sans-serif", size, FontStyle::Bold).into_font().color(&colour).pos(Pos::new(HPos::Left, VPos::Center))
}

fn bytes(count: u64) -> String {
    let count = count as f64;
    match count {
        ..1e3 => format!("{count:.0} B"),
        ..1e4 => format!("{:.1} kB", count / 1e3),
        ..1e6 => format!("{:.0} kB", count / 1e3),
        _ => format!("{:.1} MB", count / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figure_shows_rows_given_up_and_missing() {
        let row = |peer: &str, ok: bool| Row {
            workload: WORKLOADS[0].into(),
            peer: peer.into(),
            line: SLOW.name.into(),
            bytes_up: 341_052,
            seconds: 82.03,
            ok,
            why: if ok { String::new() } else { "not done in 240 s".into() },
            ..Row::default()
        };
        let svg = draw(&[row("granary", true), row("pouchdb", false)]).unwrap();
        for shown in ["341 kB", "82.0 s", "341 kB so far", "not done in 240 s", "not measured", "logarithmic"] {
            assert!(svg.contains(shown), "{shown}");
        }
    }

    #[test]
    fn committed_figure_shows_committed_rows() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/figures");
        let drawn = draw(&read(&folder.join("peers.json")).unwrap()).unwrap();
        let kept = std::fs::read_to_string(folder.join("peers.svg")).unwrap();
        assert!(drawn == kept, "draw it again: cargo run -p granary-bench -- figure");
    }

    #[test]
    fn scale_is_logarithmic() {
        let panel = &PANELS[0];
        let step = |from: f64| panel.place(from * 10.0) - panel.place(from);
        assert!((step(1e2) - step(1e5)).abs() <= 1);
        assert_eq!((panel.place(0.0), panel.place(1e12)), (*panel.pixels.start(), *panel.pixels.end()));
    }
}
