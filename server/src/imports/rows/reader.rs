//! Reads a row's cells by what they mean: the order, its money, its receiver, and the lines of a joined row.

use granary_client_core::quantities::{Day, Instant};

use super::{Judge, LINES_MAX, plain, unknown};
use crate::imports::cells::{FEN_MAX, Value};
use crate::imports::fault::Why;
use crate::imports::gather::FoundOrder;
use crate::imports::profile::{AfterSaleWord, Joined, Meaning, State};
use crate::imports::sheet::Row;
use crate::imports::text;

/// Reads a row's cells by what they mean.
pub(super) struct RowReader<'a> {
    pub(super) judge: &'a Judge<'a>,
    pub(super) row: &'a Row,
}

/// A line of a joined row.
pub(super) struct Part {
    pub(super) line_id: String,
    pub(super) code: String,
    pub(super) title: String,
    pub(super) fen: Option<u64>,
}

impl RowReader<'_> {
    /// The first cell of a meaning that has something.
    pub(super) fn value(&self, meaning: Meaning) -> Value<'_> {
        let profile = self.judge.headings.profile;
        let is_shown = |column: &usize| {
            !(self.row.covered.contains(column) && meaning.is_of_one_row() && !profile.merged.contains(&meaning))
        };
        let columns = self.judge.headings.columns(meaning).iter().filter(|column| is_shown(column));
        let values = columns.filter_map(|column| self.row.cells.get(*column)).map(plain);
        values.into_iter().find(|value| !value.is_empty() && !self.judge.is_mark(*value)).unwrap_or(Value::Empty)
    }

    pub(super) fn text(&self, meaning: Meaning) -> String {
        self.value(meaning).text()
    }

    pub(super) fn after_sale(&self) -> Result<AfterSaleWord, Why> {
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
    pub(super) fn line_money(&self, packs: u32) -> Result<Option<u64>, Why> {
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

    pub(super) fn is_joined(&self, joined: &Joined) -> bool {
        self.text(Meaning::LineId).contains(joined.separator.as_str())
    }

    /// A joined row as lines of one pack each: where all joined columns have as many parts as there are packs.
    pub(super) fn split(&self, joined: &Joined, packs: u32, fen: Option<u64>) -> Result<Vec<Part>, Why> {
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
    pub(super) fn order(&self, order_id: String, state: State) -> Result<FoundOrder, Why> {
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
    pub(super) fn receive(&self, order: &mut FoundOrder) -> bool {
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
