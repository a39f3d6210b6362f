//! When the platform knew what a file tells: the time of the export, where it can be read.

use granary_client_core::quantities::{Day, Instant};

use super::cells::written_time;
use super::text::folded;

const SECOND: u64 = 1000;
const DAY: u64 = 86_400 * SECOND;

/// The time of the export from a notice above the headings or from the file's name; else when it was brought. What lies before the
/// file's latest order, or after its coming, is another time.
pub(super) fn told_at(file_name: &str, notices: &[String], latest: Option<Instant>, uploaded_at: Instant) -> Instant {
    let is_possible = |at: &Instant| *at <= uploaded_at && latest.is_none_or(|latest| *at >= latest);
    let noticed = notices.iter().filter_map(|text| of_notice(text, uploaded_at));
    let named = of_name(file_name, uploaded_at);
    noticed.chain(named).find(is_possible).unwrap_or(uploaded_at)
}

/// `导出时间：2026-11-12 09:30:00`.
fn of_notice(text: &str, uploaded_at: Instant) -> Option<Instant> {
    let text = folded(text);
    let says_so =
        ["导出时间", "下载时间", "生成时间", "导出日期", "截至", "截止"].iter().any(|word| text.contains(word));
    if says_so { of_text(&text, uploaded_at) } else { None }
}

fn of_name(name: &str, uploaded_at: Instant) -> Option<Instant> {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    of_text(&folded(stem), uploaded_at)
}

/// The last day in a text, with the time of day behind it; without one it is told by that day's end.
fn of_text(text: &str, uploaded_at: Instant) -> Option<Instant> {
    // Numbers, and what stands before each.
    let mut groups: Vec<&str> =
        text.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    groups.truncate(40);
    let digits: Vec<String> = groups.into_iter().flat_map(pieces).collect();
    let mut found = None;
    for at in 0..digits.len() {
        let piece = |offset: usize| digits.get(at.saturating_add(offset)).map(String::as_str);
        let is_two = |piece: Option<&str>| piece.filter(|piece| piece.len() <= 2).map(|piece| format!("{piece:0>2}"));
        let (Some(year), Some(month), Some(day)) = (piece(0), is_two(piece(1)), is_two(piece(2))) else { continue };
        if year.len() != 4 || !year.starts_with("20") {
            continue;
        }
        let day = format!("{year}-{month}-{day}");
        let Some(begins) = day.parse::<Day>().ok().map(Day::begins_in_china) else { continue };
        let time = match (is_two(piece(3)), is_two(piece(4)), is_two(piece(5))) {
            (Some(hour), Some(minute), second) => {
                let second = second.unwrap_or_else(|| "00".to_owned());
                written_time(&format!("{day} {hour}:{minute}:{second}"))
            }
            _ => None,
        };
        found =
            Some(time.unwrap_or_else(|| begins.plus_millis(DAY.saturating_sub(SECOND)).min(uploaded_at.max(begins))));
    }
    found
}

/// A run of digits as the parts of a time: `20261112093000` is a year and five pairs.
fn pieces(group: &str) -> Vec<String> {
    let is_day = matches!(group.len(), 8 | 12 | 14) && group.starts_with("20");
    let is_time = group.len() == 6;
    if !is_day && !is_time {
        return vec![group.to_owned()];
    }
    let (year, rest) = group.split_at_checked(if is_day { 4 } else { 0 }).unwrap_or(("", group));
    let pairs = rest.as_bytes().chunks(2).map(|pair| String::from_utf8_lossy(pair).into_owned());
    Some(year.to_owned()).filter(|year| !year.is_empty()).into_iter().chain(pairs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        written_time(text).unwrap()
    }

    #[test]
    fn the_time_of_the_export_is_read_from_the_name_or_a_notice() {
        let brought = at("2026-11-20 08:00:00");
        let placed = Some(at("2026-11-11 20:00:00"));
        let told = |name: &str, notices: &[&str]| {
            let notices: Vec<String> = notices.iter().map(|text| (*text).to_owned()).collect();
            told_at(name, &notices, placed, brought)
        };
        for (name, time) in [
            ("订单_20261112093000.csv", "2026-11-12 09:30:00"),
            ("orders-2026-11-12 09_30_05.xlsx", "2026-11-12 09:30:05"),
            ("导出20261112_093000(1).csv", "2026-11-12 09:30:00"),
            ("2026年11月12日9时30分.xls", "2026-11-12 09:30:00"),
            // A day alone: told by its end.
            ("orders 2026-11-12.csv", "2026-11-12 23:59:59"),
            ("20261101-20261112.csv", "2026-11-12 23:59:59"),
            // Today's export was made before it was brought.
            ("20261120.csv", "2026-11-20 08:00:00"),
            // Before the latest order, or to come: another time.
            ("20261101.csv", "2026-11-20 08:00:00"),
            ("20261221101010.csv", "2026-11-20 08:00:00"),
            ("export(3).csv", "2026-11-20 08:00:00"),
            ("20261341.csv", "2026-11-20 08:00:00"),
            ("ExportOrderList202611121234.csv", "2026-11-12 12:34:00"),
        ] {
            assert_eq!(told(name, &[]), at(time), "{name}");
        }
        assert_eq!(told("a.csv", &["说明", "导出时间：2026-11-13 10:00:00"]), at("2026-11-13 10:00:00"));
        assert_eq!(told("a.csv", &["统计 2026-11-13 10:00:00"]), brought);
        assert_eq!(told("20261114.csv", &["导出时间 2026-11-13 10:00"]), at("2026-11-13 10:00:00"));
    }
}
