//! What a row says: an order and its lines; or why it is refused, or passed over.

mod reader;

use ring::digest::{Context, SHA256};

use self::reader::RowReader;
use super::cells::{Cell, Value};
use super::fault::{Skipped, Why};
use super::gather::{FoundLine, FoundOrder};
use super::headings::Headings;
use super::profile::{Grain, Meaning, State, Titles};
use super::sheet::Row;
use super::skus::SkuNames;
use super::text;

/// More lines are no order of a household.
pub(super) const LINES_MAX: usize = 100;
/// Letters of a state that is not known, as it is shown.
const WORD_LETTERS_MAX: usize = 40;

/// Sixteen bytes of a digest: equal for equal texts, for no others.
pub(super) type Digest = [u8; 16];

/// What became of a row.
pub(super) enum Judged {
    /// Nothing is in it.
    Blank,
    Refused(Why),
    Skipped(Skipped),
    Found(Box<Found>),
}

/// A row that says something.
pub(super) struct Found {
    /// The order, with the lines of this row.
    pub(super) order: FoundOrder,
    /// What each line is known by, in their order; an order's number where the row has no lines.
    pub(super) keys: Vec<Digest>,
    /// All that the row has.
    pub(super) content: Digest,
    /// True where hidden letters were taken out of a text.
    pub(super) is_changed: bool,
}

/// Judges rows by their headings.
pub(super) struct Judge<'a> {
    pub(super) headings: Headings<'a>,
    pub(super) skus: &'a SkuNames,
    pub(super) is_from_1904: bool,
}

fn digest(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&part.len().to_le_bytes());
        context.update(part);
    }
    context.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

/// A state that no profile lists, as far as it is shown.
fn unknown(word: &str) -> Why {
    let shown: String = text::shown(word).0.trim().chars().take(WORD_LETTERS_MAX).collect();
    Why::StatusUnknown((!shown.is_empty()).then(|| shown.into()))
}

/// A name of a line that has no number: the same in each export.
fn name_of(parts: &[&str]) -> String {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    digest(&parts).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

impl Judge<'_> {
    pub(super) fn judge(&self, row: &Row) -> Judged {
        let values: Vec<Value<'_>> = row.cells.iter().map(plain).collect();
        if values.iter().all(|value| value.is_empty()) {
            return Judged::Blank;
        }
        if self.is_sum(row, &values) {
            return Judged::Skipped(Skipped::SumRow);
        }
        match self.found(row, &values) {
            Ok(Some(found)) => Judged::Found(Box::new(found)),
            Ok(None) => Judged::Skipped(Skipped::Unpaid),
            Err(why) => Judged::Refused(why),
        }
    }

    /// None for a row that nobody has paid.
    fn found(&self, row: &Row, values: &[Value<'_>]) -> Result<Option<Found>, Why> {
        self.check_width(row, values)?;
        let reader = RowReader { judge: self, row };
        let profile = self.headings.profile;
        let order_id = reader.value(Meaning::OrderId).id()?;
        let joined = profile.joined.as_ref().filter(|joined| reader.is_joined(joined));
        let line_id = match reader.value(Meaning::LineId) {
            Value::Empty if !profile.must.contains(&Meaning::LineId) => None,
            _ if joined.is_some() => None,
            value => Some(value.id()?),
        };
        let status = reader.text(Meaning::Status);
        let state = *profile.states.get(&text::key(&status)).ok_or_else(|| unknown(&status))?;
        if state == State::Unpaid {
            return Ok(None);
        }
        let mut order = reader.order(order_id, state)?;
        let after_sale = reader.after_sale()?;
        let line = |code: String, title: String, packs, fen: Option<u64>, line_id: String| FoundLine {
            sku: self.skus.find(&code, &title).map(str::to_owned),
            line_id,
            code,
            title,
            packs,
            fen,
            is_gift: fen == Some(0),
            state,
            after_sale,
            record: row.number,
        };
        let mut is_changed = false;
        let mut shown = |text: String| {
            let (text, changed) = text::shown(&text);
            is_changed |= changed;
            text
        };
        let mut keys = Vec::new();
        if let (Some(titles), true) = (&profile.titles, profile.columns.contains_key(&Meaning::Titles)) {
            for (number, (title, packs)) in (1..).zip(titles_of(titles, &reader.text(Meaning::Titles))?) {
                order.lines.push(line(String::new(), shown(title), packs, None, format!("{number}")));
            }
        } else if let Some(joined) = joined {
            let packs = reader.value(Meaning::Packs).packs()?;
            let fen = reader.line_money(packs)?;
            for part in reader.split(joined, packs, fen)? {
                keys.push(digest(&[b"line", part.line_id.as_bytes()]));
                order.lines.push(line(part.code, shown(part.title), 1, part.fen, part.line_id));
            }
        } else if profile.columns.contains_key(&Meaning::Packs) {
            let packs = reader.value(Meaning::Packs).packs()?;
            let fen = reader.line_money(packs)?;
            let (code, title) = (reader.text(Meaning::MerchantCode), shown(reader.text(Meaning::Title)));
            let (spec, product) = (reader.text(Meaning::Spec), reader.text(Meaning::OutsideProduct));
            match line_id {
                Some(line_id) => {
                    keys.push(digest(&[b"line", line_id.as_bytes()]));
                    order.lines.push(line(code, title, packs, fen, line_id));
                }
                None if profile.grain == Grain::Order => {
                    order.lines.push(line(code, title, packs, fen, "1".to_owned()))
                }
                // A line without a number is known by its goods; a gift of the same goods is another.
                None => {
                    let gift = if fen == Some(0) { "gift" } else { "" };
                    let name = name_of(&[&code, &title, &spec, &product, gift]);
                    keys.push(digest(&[b"goods", order.order_id.as_bytes(), name.as_bytes()]));
                    order.lines.push(line(code, title, packs, fen, name));
                }
            }
        }
        let gift = shown(reader.text(Meaning::GiftTitle));
        if !gift.is_empty() && !order.lines.is_empty() {
            let packs = reader.value(Meaning::GiftPacks).packs()?;
            order.lines.push(line(String::new(), gift, packs, Some(0), "gift".to_owned()));
        }
        if order.lines.len() > LINES_MAX {
            return Err(Why::TooManyLines);
        }
        if keys.is_empty() {
            keys.push(digest(&[b"order", order.order_id.as_bytes()]));
        }
        is_changed |= reader.receive(&mut order);
        Ok(Some(Found { order, keys, content: content(values), is_changed }))
    }

    /// Fewer cells than headings, or more that have something in them.
    fn check_width(&self, row: &Row, values: &[Value<'_>]) -> Result<(), Why> {
        let width = self.headings.width;
        let is_short = !row.is_sparse && values.len() < width;
        let beyond = values.iter().skip(width).filter(|value| !self.is_mark(**value));
        if is_short || beyond.into_iter().any(|value| !value.is_empty()) { Err(Why::RowRagged) } else { Ok(()) }
    }

    fn is_mark(&self, value: Value<'_>) -> bool {
        matches!(value, Value::Text(text) if self.headings.profile.empties.iter().any(|mark| mark == text))
    }

    /// A row of sums begins so, and has no order's number.
    fn is_sum(&self, row: &Row, values: &[Value<'_>]) -> bool {
        let reader = RowReader { judge: self, row };
        let order = reader.value(Meaning::OrderId);
        let first = values.iter().copied().find(|value| !value.is_empty()).unwrap_or(Value::Empty);
        let sums = |value: Value<'_>| {
            let key = text::key(&value.text());
            key.starts_with("合计") || key.starts_with("总计")
        };
        order.id().is_err() && (sums(first) || sums(order))
    }
}

/// A cell's cleaned content, whatever the profile calls empty.
fn plain(cell: &Cell) -> Value<'_> {
    match cell {
        Cell::Empty => Value::Empty,
        Cell::Text(text) => Some(text::clean(text)).filter(|text| !text.is_empty()).map_or(Value::Empty, Value::Text),
        Cell::Number(number) => Value::Number(*number),
        Cell::Bool(is) => Value::Bool(*is),
    }
}

fn content(values: &[Value<'_>]) -> Digest {
    let end = values.iter().rposition(|value| !value.is_empty()).map_or(0, |last| last.saturating_add(1));
    let texts: Vec<String> = values.iter().take(end).map(|value| value.text()).collect();
    let parts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    digest(&parts)
}

/// The names and packs of a list of goods, such as `小米(1件);面条(2件)`.
fn titles_of(titles: &Titles, text: &str) -> Result<Vec<(String, u32)>, Why> {
    let mut parts: Vec<&str> = text.split(|letter| titles.separators.contains(&letter)).map(text::clean).collect();
    if parts.len() > 1 && parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    if parts.len() > LINES_MAX {
        return Err(Why::TooManyLines);
    }
    let part = |part: &str| {
        let found = titles.pattern.captures(part).ok_or(Why::LinesUnreadable)?;
        let (title, packs) = (found.get(1).ok_or(Why::LinesUnreadable)?, found.get(2).ok_or(Why::LinesUnreadable)?);
        Ok((text::clean(title.as_str()).to_owned(), Value::Text(packs.as_str()).packs()?))
    };
    parts.into_iter().map(part).collect()
}
