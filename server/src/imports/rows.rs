//! What a row says: an order and its lines; or why it is refused, or passed over.

use granary_client_core::quantities::{Day, Instant};
use ring::digest::{Context, SHA256};

use super::cells::{Cell, FEN_MAX, Value};
use super::fault::{Skipped, Why};
use super::gather::{FoundLine, FoundOrder};
use super::headings::Headings;
use super::profile::{AfterSaleWord, Grain, Joined, Meaning, State, Titles};
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

/// Reads a row's cells by what they mean.
struct RowReader<'a> {
    judge: &'a Judge<'a>,
    row: &'a Row,
}

/// A line of a joined row.
struct Part {
    line_id: String,
    code: String,
    title: String,
    fen: Option<u64>,
}

impl RowReader<'_> {
    /// The first cell of a meaning that has something.
    fn value(&self, meaning: Meaning) -> Value<'_> {
        let profile = self.judge.headings.profile;
        let is_shown = |column: &usize| {
            !(self.row.covered.contains(column) && meaning.is_of_one_row() && !profile.merged.contains(&meaning))
        };
        let columns = self.judge.headings.columns(meaning).iter().filter(|column| is_shown(column));
        let values = columns.filter_map(|column| self.row.cells.get(*column)).map(plain);
        values.into_iter().find(|value| !value.is_empty() && !self.judge.is_mark(*value)).unwrap_or(Value::Empty)
    }

    fn text(&self, meaning: Meaning) -> String {
        self.value(meaning).text()
    }

    fn after_sale(&self) -> Result<AfterSaleWord, Why> {
        if self.judge.headings.columns(Meaning::AfterSale).is_empty() {
            return Ok(AfterSaleWord::None);
        }
        let shown = self.text(Meaning::AfterSale);
        let word = text::key(&shown);
        match self.judge.headings.profile.after_sales.get(&word) {
            Some(state) => Ok(*state),
            None if word.is_empty() => Ok(AfterSaleWord::None),
            None => Err(unknown(&shown)),
        }
    }

    /// The money of the row's line; none where the export has it by order alone.
    fn line_money(&self, packs: u32) -> Result<Option<u64>, Why> {
        let must = |meaning| self.judge.headings.profile.must.contains(&meaning);
        match self.value(Meaning::LineFen) {
            Value::Empty if must(Meaning::LineFen) => return Err(Why::MoneyBad),
            Value::Empty => {}
            value => return value.fen().map(Some),
        }
        match self.value(Meaning::UnitFen) {
            Value::Empty if must(Meaning::UnitFen) => Err(Why::MoneyBad),
            Value::Empty => Ok(None),
            value => {
                let fen = value.fen()?.checked_mul(u64::from(packs)).filter(|fen| *fen <= FEN_MAX);
                fen.map(Some).ok_or(Why::MoneyBad)
            }
        }
    }

    fn is_joined(&self, joined: &Joined) -> bool {
        self.text(Meaning::LineId).contains(joined.separator.as_str())
    }

    /// A joined row as lines of one pack each: where all joined columns have as many parts as there are packs.
    fn split(&self, joined: &Joined, packs: u32, fen: Option<u64>) -> Result<Vec<Part>, Why> {
        let count = usize::try_from(packs).map_err(|_| Why::MergedLines)?;
        if count > LINES_MAX {
            return Err(Why::MergedLines);
        }
        let parts = |meaning: Meaning| -> Result<Option<Vec<String>>, Why> {
            if !joined.columns.contains(&meaning) || self.judge.headings.columns(meaning).is_empty() {
                return Ok(None);
            }
            let text = self.text(meaning);
            let parts: Vec<String> =
                text.split(joined.separator.as_str()).map(|part| text::clean(part).to_owned()).collect();
            if parts.len() == count { Ok(Some(parts)) } else { Err(Why::MergedLines) }
        };
        for meaning in &joined.columns {
            parts(*meaning)?;
        }
        let line_ids = parts(Meaning::LineId)?.ok_or(Why::MergedLines)?;
        let (codes, titles) = (parts(Meaning::MerchantCode)?, parts(Meaning::Title)?);
        let of = |texts: &Option<Vec<String>>, place: usize, whole: Meaning| match texts {
            Some(texts) => texts.get(place).cloned().unwrap_or_default(),
            None => self.text(whole),
        };
        let mut split = Vec::with_capacity(count);
        for (place, line_id) in line_ids.into_iter().enumerate() {
            let value = if line_id.is_empty() { Value::Empty } else { Value::Text(&line_id) };
            let code = of(&codes, place, Meaning::MerchantCode);
            let is_mark = self.judge.is_mark(Value::Text(&code));
            let share = fen.map(|fen| {
                let packs = u64::from(packs.max(1));
                let rest = if place == 0 { fen.checked_rem(packs) } else { None };
                fen.checked_div(packs).unwrap_or(0).saturating_add(rest.unwrap_or(0))
            });
            split.push(Part {
                line_id: value.id()?,
                code: if is_mark { String::new() } else { code },
                title: of(&titles, place, Meaning::Title),
                fen: share,
            });
        }
        Ok(split)
    }

    /// The order without lines and receiver.
    fn order(&self, order_id: String, state: State) -> Result<FoundOrder, Why> {
        let must = |meaning| self.judge.headings.profile.must.contains(&meaning);
        let total_fen = match self.value(Meaning::OrderFen) {
            Value::Empty if must(Meaning::OrderFen) => return Err(Why::MoneyBad),
            Value::Empty => None,
            value if must(Meaning::OrderFen) => Some(value.fen()?),
            value => value.fen().ok(),
        };
        let is_from_1904 = self.judge.is_from_1904;
        let paid_at = match self.value(Meaning::PaidAt).time(is_from_1904) {
            Err(why) if must(Meaning::PaidAt) => return Err(why),
            paid_at => paid_at.ok(),
        };
        Ok(FoundOrder {
            placed_at: self.placed_at()?,
            paid_at,
            promised_at: self.value(Meaning::PromisedAt).time(is_from_1904).ok(),
            total_fen,
            freight_fen: self.value(Meaning::FreightFen).fen().ok(),
            host_id: self.text(Meaning::HostId),
            tracking: self.text(Meaning::Tracking),
            carrier: self.text(Meaning::Carrier),
            ..FoundOrder::new(order_id, state, self.row.number)
        })
    }

    /// When the order was placed; none where the export leaves that to another file.
    fn placed_at(&self) -> Result<Option<Instant>, Why> {
        let profile = self.judge.headings.profile;
        if !profile.columns.contains_key(&Meaning::PlacedAt) {
            return Ok(None);
        }
        match self.value(Meaning::PlacedAt) {
            Value::Empty => self.day().map(|day| Some(day.begins_in_china())).ok_or(Why::TimeBad),
            value => value.time(self.judge.is_from_1904).map(Some),
        }
    }

    /// The day that stands in another column, as in Pinduoduo's numbers of orders.
    fn day(&self) -> Option<Day> {
        let from = self.judge.headings.profile.day_from.as_ref()?;
        let text = self.text(from.column);
        let found = from.pattern.captures(&text)?;
        let number = |group: usize| found.get(group)?.as_str().parse::<i16>().ok();
        let year = number(1)?;
        let year = if year < 100 { year.checked_add(2000)? } else { year };
        let day = Day::new(year, i8::try_from(number(2)?).ok()?, i8::try_from(number(3)?).ok()?).ok()?;
        (2000..2100).contains(&year).then_some(day)
    }

    /// Puts the receiver into an order. True where hidden letters were taken out.
    fn receive(&self, order: &mut FoundOrder) -> bool {
        let mut is_changed = false;
        let mut shown = |meaning| {
            let (text, changed) = text::shown(&self.text(meaning));
            is_changed |= changed;
            text
        };
        order.receiver_name = shown(Meaning::ReceiverName);
        order.receiver_phone = shown(Meaning::ReceiverPhone);
        let address = shown(Meaning::Address);
        let changed = shown(Meaning::ChangedAddress);
        let sealed = &self.judge.headings.profile.sealed;
        let is_sealed = |text: &str| sealed.iter().any(|mark| text.contains(mark.as_str()));
        order.is_sealed =
            [&order.receiver_name, &order.receiver_phone, &address, &changed].into_iter().any(|text| is_sealed(text));
        // Parts of the address that the address itself does not begin with.
        let parts = [Meaning::Province, Meaning::City, Meaning::County, Meaning::Street].map(&mut shown);
        let last = if changed.is_empty() { address } else { changed };
        let mut whole = String::new();
        for part in parts.iter().filter(|part| !part.is_empty() && !last.contains(part.as_str())) {
            whole.push_str(part);
        }
        whole.push_str(&last);
        order.address = whole;
        order.buyer_note = shown(Meaning::BuyerNote);
        order.seller_note = shown(Meaning::SellerNote);
        is_changed
    }
}
