//! What a cell says: a number of an order, an amount, packs, a time. Nothing is repaired or guessed at.

use granary_client_core::quantities::{Day, Instant};

use super::fault::Why;
use super::text::folded;

/// A cell as the file has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Cell {
    #[default]
    Empty,
    Text(String),
    Number(f64),
    Bool(bool),
}

/// A cell's content, cleaned; what the profile counts as empty is [`Value::Empty`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Empty,
    Text(&'a str),
    Number(f64),
    Bool(bool),
}

/// A spreadsheet keeps 15 digits of a number.
const WHOLE_MAX: f64 = 1e15;
/// The largest amount, in fen: a thousand million yuan.
pub(super) const FEN_MAX: u64 = 100_000_000_000;
const ID_LETTERS_MAX: usize = 64;

impl Value<'_> {
    pub(super) fn is_empty(self) -> bool {
        self == Self::Empty
    }

    /// As a text for people.
    pub(super) fn text(self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.to_owned(),
            Self::Number(number) => format!("{number}"),
            Self::Bool(is) => if is { "TRUE" } else { "FALSE" }.to_owned(),
        }
    }

    /// A number of an order or line: 1 to 64 of `0-9A-Za-z_-`.
    pub(super) fn id(self) -> Result<String, Why> {
        match self {
            Self::Empty => Err(Why::IdMissing),
            Self::Number(number) if number.abs() >= WHOLE_MAX => Err(Why::IdLostDigits),
            Self::Number(number) if number.fract() == 0.0 && number >= 0.0 => Ok(format!("{number}")),
            Self::Number(_) | Self::Bool(_) => Err(Why::IdBad),
            Self::Text(text) if has_lost_digits(text) => Err(Why::IdLostDigits),
            Self::Text(text) if text.contains([';', '；']) => Err(Why::MergedLines),
            Self::Text(text) => {
                let is_usual = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
                let is_id = !text.is_empty() && text.len() <= ID_LETTERS_MAX && text.chars().all(is_usual);
                if is_id { Ok(text.to_owned()) } else { Err(Why::IdBad) }
            }
        }
    }

    /// An amount in yuan, as fen.
    pub(super) fn fen(self) -> Result<u64, Why> {
        let fen = match self {
            Self::Text(text) => fen_of_text(text),
            // A number of a spreadsheet is a float: 49.9 may stand there as 49.900000000000006.
            Self::Number(number) if number.abs() < WHOLE_MAX => fen_of_digits(&format!("{number:.10}")),
            _ => None,
        };
        fen.filter(|fen| *fen <= FEN_MAX).ok_or(Why::MoneyBad)
    }

    /// A whole number of packs, from 1 to 999,999.
    pub(super) fn packs(self) -> Result<u32, Why> {
        let packs = match self {
            Self::Text(text) => whole(&folded(text)),
            Self::Number(number) if number.fract() == 0.0 && (1.0..1e6).contains(&number) => {
                whole(&format!("{number}"))
            }
            _ => None,
        };
        packs.filter(|packs| (1..=999_999).contains(packs)).ok_or(Why::QuantityBad)
    }

    /// A moment, in China's time: as people write it, or as a spreadsheet counts days.
    pub(super) fn time(self, is_from_1904: bool) -> Result<Instant, Why> {
        let found = match self {
            Self::Text(text) => {
                let text = folded(text);
                written_time(&text).or_else(|| {
                    text.parse().ok().filter(|_| is_decimal(&text)).and_then(|days| serial(days, is_from_1904))
                })
            }
            Self::Number(days) => serial(days, is_from_1904),
            _ => None,
        };
        found.ok_or(Why::TimeBad)
    }
}

/// True for `6.9E+18`, and for `6917926768800000000.0`, which went through a float.
fn has_lost_digits(text: &str) -> bool {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if let Some((mantissa, power)) = text.split_once(['e', 'E']) {
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let is_scientific =
            is_digits(whole) && is_digits(fraction) && is_digits(power.strip_prefix('+').unwrap_or(power));
        return is_scientific && (mantissa.contains('.') || power.starts_with('+'));
    }
    let zeros = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte == b'0');
    text.split_once('.').is_some_and(|(whole, fraction)| is_digits(whole) && whole.len() > 15 && zeros(fraction))
}

fn is_decimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn whole(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_whole = !whole.is_empty() && !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    if is_whole && whole.bytes().all(|byte| byte.is_ascii_digit()) { whole.parse().ok() } else { None }
}

fn fen_of_text(text: &str) -> Option<u64> {
    let text = folded(text);
    let text = text.trim();
    let text = text.strip_prefix(['¥', '￥', '\u{ffe5}']).unwrap_or(text).trim_start();
    let text = text.strip_suffix('元').unwrap_or(text).trim_end();
    let (yuan, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() {
        return None;
    }
    if !yuan.contains(',') {
        return fen_of_digits(text);
    }
    // Thousands: three digits behind each comma, one to three before the first.
    let mut groups = yuan.split(',');
    let is_first = groups.next().is_some_and(|first| (1..=3).contains(&first.len()));
    if !is_first || !groups.all(|group| group.len() == 3) {
        return None;
    }
    fen_of_digits(&format!("{}.{fraction}", yuan.replace(',', "")))
}

/// `49.90`: digits, and at most two decimals, trailing zeros apart.
fn fen_of_digits(text: &str) -> Option<u64> {
    let (yuan, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    if yuan.is_empty() || !is_digits(yuan) || !is_digits(fraction) || fraction.len() > 2 {
        return None;
    }
    let cents: u64 = format!("{fraction:0<2}").parse().ok()?;
    yuan.parse::<u64>().ok()?.checked_mul(100)?.checked_add(cents)
}

/// Days since the end of 1899, or since 1904, with the time of day as a fraction.
fn serial(days: f64, is_from_1904: bool) -> Option<Instant> {
    if !(1.0..100_000.0).contains(&days) {
        return None;
    }
    let (year, month, day) = if is_from_1904 { (1904, 1, 1) } else { (1899, 12, 30) };
    let seconds = (days.fract() * 86_400.0).round();
    // Within bounds: both were checked to be small.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let (days, seconds) = (days.trunc() as i32, seconds as u64);
    moment(Day::new(year, month, day).ok()?.plus_days(days), seconds)
}

fn moment(day: Day, seconds: u64) -> Option<Instant> {
    if !(2000..2100).contains(&day.year()) {
        return None;
    }
    Some(day.begins_in_china().plus_millis(seconds.checked_mul(1000)?))
}

/// `2026-11-11 20:01:07`, with `/`, `.` or 年月日, with or without seconds or a time of day.
pub(super) fn written_time(text: &str) -> Option<Instant> {
    let mut rest = Digits(text.trim());
    let year = rest.number(4..=4)?;
    let mark = rest.one_of(&['-', '/', '.', '年'])?;
    let month = rest.number(1..=2)?;
    rest.one_of(if mark == '年' { &['月'] } else { std::slice::from_ref(mark_of(mark)) })?;
    let day = rest.number(1..=2)?;
    if mark == '年' {
        rest.one_of(&['日', '号'])?;
    }
    let day = Day::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    if rest.0.trim().is_empty() {
        return moment(day, 0);
    }
    let blanks = rest.0.len();
    rest.0 = rest.0.trim_start();
    let is_apart = rest.0.len() < blanks || mark == '年' || rest.one_of(&['T', 't']).is_some();
    let hour = rest.number(1..=2).filter(|_| is_apart)?;
    let mark = rest.one_of(&[':', '时', '点'])?;
    let minute = rest.number(2..=2)?;
    let mut second = 0;
    if mark == ':' {
        if rest.one_of(&[':']).is_some() {
            second = rest.number(2..=2)?;
            rest.fraction()?;
        }
    } else {
        rest.one_of(&['分'])?;
        if let Some(found) = rest.number(1..=2) {
            second = found;
            rest.one_of(&['秒'])?;
        }
    }
    // A time that says that it is China's.
    let is_done = matches!(rest.0.trim(), "" | "+08:00" | "+0800");
    if !is_done || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let hours = u64::from(hour).checked_mul(3600)?;
    moment(day, hours.checked_add(u64::from(minute).checked_mul(60)?)?.checked_add(u64::from(second))?)
}

fn mark_of(mark: char) -> &'static char {
    match mark {
        '-' => &'-',
        '/' => &'/',
        _ => &'.',
    }
}

/// What is left of a text that begins with digits.
struct Digits<'a>(&'a str);

impl Digits<'_> {
    fn number(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.0.split_at_checked(count).filter(|_| digits.contains(&count))?;
        self.0 = rest;
        number.parse().ok()
    }

    fn one_of(&mut self, marks: &[char]) -> Option<char> {
        let mark = self.0.chars().next().filter(|letter| marks.contains(letter))?;
        self.0 = self.0.get(mark.len_utf8()..)?;
        Some(mark)
    }

    /// Parts of a second, which are dropped.
    fn fraction(&mut self) -> Option<()> {
        if self.one_of(&['.']).is_some() {
            self.number(1..=9)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Value::{Bool, Empty, Number, Text};
    use super::*;

    #[test]
    fn an_id_that_lost_digits_is_told_from_a_bad_one() {
        for id in ["6917926768800000011", "261111-1000", "E2026_a", "1", "2E10", &"9".repeat(64)] {
            assert_eq!(Text(id).id().as_deref(), Ok(id));
        }
        for lost in ["6.91793E+18", "6.9e+18", "7E+18", "6.9E18", "6917926768800000000.0"] {
            assert_eq!(Text(lost).id(), Err(Why::IdLostDigits), "{lost}");
        }
        for bad in ["订单1", "12 34", "１２３", "=A2", "1.5", &"9".repeat(65), "123.0", "#N/A"] {
            assert_eq!(Text(bad).id(), Err(Why::IdBad), "{bad}");
        }
        assert_eq!(Text("1;2").id(), Err(Why::MergedLines));
        assert_eq!(Empty.id(), Err(Why::IdMissing));
        assert_eq!(Number(1e15).id(), Err(Why::IdLostDigits));
        assert_eq!(Number(999_999_999_999_999.0).id().as_deref(), Ok("999999999999999"));
        for bad in [Number(1.5), Number(-7.0), Bool(true)] {
            assert_eq!(bad.id(), Err(Why::IdBad));
        }
        for lost in [Number(6.917_926_768_8e18), Number(-1e18), Number(f64::INFINITY)] {
            assert_eq!(lost.id(), Err(Why::IdLostDigits));
        }
        assert_eq!(Number(f64::NAN).id(), Err(Why::IdBad));
    }

    #[test]
    fn money_is_yuan_with_two_decimals() {
        for (text, fen) in [
            ("49.90", 4990),
            ("49.9", 4990),
            ("49", 4900),
            ("49.9000", 4990),
            ("1,280.00", 128_000),
            ("1,234,567.8", 123_456_780),
            ("¥49.90", 4990),
            ("￥ 49.90 元", 4990),
            ("４９．９０", 4990),
            ("１，２８０元", 128_000),
            ("0.00", 0),
            ("1000000000", FEN_MAX),
        ] {
            assert_eq!(Text(text).fen(), Ok(fen), "{text}");
        }
        for text in [
            "-49.90",
            "49.905",
            "49,90",
            "1,28",
            "12,34,567",
            ",100",
            "1,,000",
            "四十九",
            "42.9O",
            "",
            "5.",
            ".5",
            "+1",
            "1e3",
            "1 280",
            "49.90.1",
            "1000000000.01",
            "99999999999999999999",
            "1,280.0,0",
            "免费",
            "--",
            "¥¥5",
            "¥",
        ] {
            assert_eq!(Text(text).fen(), Err(Why::MoneyBad), "{text}");
        }
        assert_eq!(Number(49.900_000_000_000_006).fen(), Ok(4990));
        assert_eq!(Number(0.1 + 0.2).fen(), Ok(30));
        assert_eq!(Number(1280.0).fen(), Ok(128_000));
        for bad in [Number(49.905), Number(-1.0), Number(f64::NAN), Number(1e300), Bool(true), Empty] {
            assert_eq!(bad.fen(), Err(Why::MoneyBad));
        }
    }

    #[test]
    fn packs_are_whole() {
        for (value, packs) in [
            (Text("2"), 2),
            (Text("2.0"), 2),
            (Text("２"), 2),
            (Number(2.0), 2),
            (Text("999999"), 999_999),
            (Text("02"), 2),
        ] {
            assert_eq!(value.packs(), Ok(packs));
        }
        for bad in [
            Text("0"),
            Text("-1"),
            Text("1.5"),
            Text("1000000"),
            Text("两"),
            Text("2."),
            Text("1e2"),
            Empty,
            Bool(true),
            Number(0.0),
            Number(1.5),
            Number(1e6),
            Number(f64::NAN),
            Number(-1.0),
            Text("2件"),
        ] {
            assert_eq!(bad.packs(), Err(Why::QuantityBad), "{bad:?}");
        }
    }

    #[test]
    fn times_are_chinas() {
        let at = |seconds: i64| Ok(Instant::from_seconds(seconds));
        // 2026-11-11 20:01:07 in China.
        let (full, minute, day) = (1_794_398_467, 1_794_398_460, 1_794_326_400);
        for text in [
            "2026-11-11 20:01:07",
            "2026/11/11 20:01:07",
            "2026.11.11 20:01:07",
            "2026年11月11日 20:01:07",
            "2026年11月11日20:01:07",
            "2026年11月11日20时01分07秒",
            "2026-11-11T20:01:07",
            "2026-11-11 20:01:07.000",
            "2026-11-11T20:01:07+08:00",
            "２０２６-１１-１１　２０：０１：０７",
            "2026-11-11   20:01:07",
        ] {
            assert_eq!(Text(text).time(false), at(full), "{text}");
        }
        assert_eq!(Text("2026/11/11 20:01").time(false), at(minute));
        assert_eq!(Text("2026年11月11日20时01分").time(false), at(minute));
        assert_eq!(Text("2026-11-11").time(false), at(day));
        assert_eq!(Text("2026/1/5 9:03").time(false), at(1_767_574_980));
        let serial = 46_337.0 + f64::from(20 * 3600 + 67) / 86_400.0;
        assert_eq!(Number(serial).time(false), at(full));
        assert_eq!(Number(serial - 1462.0).time(true), at(full));
        assert_eq!(Text("46337").time(false), at(day));
        for bad in [
            "昨天晚上",
            "2026-13-01",
            "2026-02-30 10:00",
            "2026-11-11 24:00:00",
            "2026-11-11 20:60",
            "11/11/2026",
            "26-11-11",
            "2026-11/11",
            "2026-11-11 20",
            "2026-11-11 20:1",
            "20261111",
            "2026-11-1120:01",
            "1999-12-31",
            "",
            "2026-11-11 20:01:07Z",
            "2026-11-11 下午8:01",
            "0",
            "46337.5.1",
            "1e5",
        ] {
            assert_eq!(Text(bad).time(false), Err(Why::TimeBad), "{bad}");
        }
        for bad in [Number(0.5), Number(-1.0), Number(1e12), Number(f64::NAN), Bool(false), Empty] {
            assert_eq!(bad.time(false), Err(Why::TimeBad));
        }
    }
}
