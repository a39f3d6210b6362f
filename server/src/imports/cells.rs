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
mod tests;
