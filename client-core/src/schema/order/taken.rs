//! An order as a platform tells it, and how it is written: taken once, told anew as often as somebody tells.

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT, ReadDoc};
use serde::{Deserialize, Serialize};

use super::told::{Told, told_of};
use super::{AfterSale, Allocation, LINES_MAX, OrderStatus, PACKS_MAX, ToldStatus};
use crate::crdt::change::VerifiedChange;
use crate::crdt::{DocumentFault, Fill, NewChange};
use crate::ids::ActorId;
use crate::quantities::{Fen, Instant, QuantityFault, TextField, checked_text};
use crate::schema::StreamCode;
use crate::schema::sku::checked_code;
use crate::words::Phrase;

/// The longest text of an allocation, in bytes.
pub(super) const ALLOCATION_BYTES_MAX: usize = 64 * 1024;
/// The most that all lines of an order cost together, in fen.
const SUM_MAX: i64 = 100_000_000_000;

/// An order as a platform or a shop tells it. It says nothing about a person: that stands in its receiver's document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenOrder {
    /// When it was placed.
    pub placed_at: Instant,
    /// When it was paid; none where that is not told.
    pub paid_at: Option<Instant>,
    /// Until when the shop promised to ship.
    pub promised_at: Option<Instant>,
    /// When the platform knew this: the told time.
    pub told_at: Instant,
    /// What the platform says of its state.
    pub told: ToldStatus,
    /// What the buyer paid for all of it; none where only lines have prices.
    pub total_fen: Option<Fen>,
    /// What of it is for the way.
    pub freight_fen: Option<Fen>,
    /// The channel whose packs it takes, such as `douyin` or a live-stream's code; 1 to 64 letters.
    pub pool: String,
    /// The live-stream that it was placed in, where that is known.
    pub stream: Option<StreamCode>,
    /// Its lines: 1 to 100, each with another id.
    pub lines: Vec<TakenLine>,
}

/// A line of an order as a platform or a shop tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenLine {
    /// The platform's id for the line; 1 to 64 letters.
    pub line_id: String,
    /// The SKU; none for a line that nobody has mapped yet.
    pub sku: Option<String>,
    /// The merchant's code as the shop wrote it.
    pub code: Option<String>,
    /// The goods' name as the shop wrote it.
    pub title: Option<String>,
    /// How many packs; 1 to 999,999.
    pub packs: u32,
    /// What the line costs, all packs together.
    pub fen: Fen,
    /// True for a gift.
    pub is_gift: bool,
    /// What the buyer asked for afterwards.
    pub after_sale: AfterSale,
    /// When the platform knew that; none for the order's told time.
    pub after_sale_at: Option<Instant>,
}

/// What is wrong with a told order, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderFault {
    /// The place of the line, from 0; none for the order itself.
    pub line: Option<usize>,
    /// The field, such as `packs`.
    pub field: &'static str,
    /// The name of what is wrong, for programs.
    pub code: &'static str,
    fault: DocumentFault,
}

impl From<OrderFault> for DocumentFault {
    fn from(fault: OrderFault) -> Self {
        fault.fault
    }
}

const LINES_NONE: Phrase = Phrase::new("lines-none", "an order has at least one line", "订单至少有一行");
const LINES_TOO_MANY: Phrase = Phrase::new("lines-too-many", "an order has at most 100 lines", "订单最多 100 行");
const LINE_TWICE: Phrase = Phrase::new("line-twice", "two lines of the order have one id", "订单里有两行的编号相同");
const PACKS: Phrase =
    Phrase::new("quantity-bad", "a line has 1 to 999,999 packs", "每行的数量必须在 1 到 999,999 之间");
const TIME: Phrase =
    Phrase::new("time-bad", "a time lies between the years 2020 and 2099", "时间必须在 2020 年到 2099 年之间");
const SUM: Phrase =
    Phrase::new("money-out-of-range", "an order costs at most ¥1,000,000,000", "订单金额最多 ¥1,000,000,000");
const UNKNOWN: Phrase = Phrase::new("order-unknown", "this order was never taken", "没有收过这个订单");
const ALLOCATION: Phrase = Phrase::new("allocation-too-long", "the allocation is too long", "分配方案太长");

impl TakenOrder {
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), OrderFault> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// All that is wrong with it: what is out of its range, a text that is empty, too long or has hidden characters, two lines of
    /// one id.
    pub fn faults(&self) -> Vec<OrderFault> {
        let mut found = Vec::new();
        let mut add = |line, field, fault: DocumentFault| {
            found.push(OrderFault { line, field, code: fault.code(), fault });
        };
        let times = [
            ("placed_at", Some(self.placed_at)),
            ("paid_at", self.paid_at),
            ("promised_at", self.promised_at),
            ("told_at", Some(self.told_at)),
        ];
        for (field, at) in times {
            if at.is_some_and(|at| Instant::told(at.0).is_none()) {
                add(None, field, DocumentFault::NotNow(TIME));
            }
        }
        if let Err(fault) = as_it_is(TextField::Pool, &self.pool) {
            add(None, "pool", fault);
        }
        match self.lines.len() {
            0 => add(None, "lines", DocumentFault::NotNow(LINES_NONE)),
            lines if lines > LINES_MAX => add(None, "lines", DocumentFault::NotNow(LINES_TOO_MANY)),
            _ => {}
        }
        let mut ids = std::collections::BTreeSet::new();
        let mut sum = self.freight_fen.map_or(0, Fen::get);
        for (place, line) in self.lines.iter().take(LINES_MAX).enumerate() {
            sum = sum.saturating_add(line.fen.get());
            for (field, fault) in line.faults() {
                add(Some(place), field, fault);
            }
            if !ids.insert(&line.line_id) {
                add(Some(place), "line_id", DocumentFault::NotNow(LINE_TWICE));
            }
        }
        if sum > SUM_MAX {
            add(None, "lines", DocumentFault::NotNow(SUM));
        }
        found
    }
}

impl TakenLine {
    fn faults(&self) -> Vec<(&'static str, DocumentFault)> {
        let mut found = Vec::new();
        let mut check = |field, checked: Result<(), DocumentFault>| {
            if let Err(fault) = checked {
                found.push((field, fault));
            }
        };
        check("line_id", as_it_is(TextField::LineId, &self.line_id));
        if let Some(sku) = &self.sku {
            let read = checked_code(sku);
            let same = read.and_then(|read| if read == *sku { Ok(()) } else { Err(unreadable(TextField::SkuCode)) });
            check("sku", same);
        }
        for (field, text) in [("code", &self.code), ("title", &self.title)] {
            if let Some(text) = text {
                check(field, checked_text(TextField::ShopText, text).map(drop).map_err(Into::into));
            }
        }
        if !(1..=PACKS_MAX).contains(&self.packs) {
            check("packs", Err(DocumentFault::NotNow(PACKS)));
        }
        if self.after_sale_at.is_some_and(|at| Instant::told(at.0).is_none()) {
            check("after_sale_at", Err(DocumentFault::NotNow(TIME)));
        }
        found
    }
}

fn unreadable(field: TextField) -> DocumentFault {
    QuantityFault::TextUnreadable(field).into()
}

/// Checks a text that names something: it must be as it would be kept.
fn as_it_is(field: TextField, text: &str) -> Result<(), DocumentFault> {
    if checked_text(field, text)? == text { Ok(()) } else { Err(unreadable(field)) }
}

/// Writes a whole order into its new document, as one change. Nothing is written where the order was taken before: then
/// [`tell`] says what is new of it. Gives whether it was written.
pub fn take(automerge: &mut AutoCommit, order: &TakenOrder) -> Result<bool, DocumentFault> {
    order.check()?;
    if is_here(automerge)? {
        return Ok(false);
    }
    fill(automerge, order)?;
    Ok(true)
}

/// The change that takes an order, as [`take`] makes it of a document with its first change alone.
pub fn taken_change(
    first: &VerifiedChange,
    order: &TakenOrder,
    actor: &ActorId,
    now: Instant,
) -> Result<VerifiedChange, DocumentFault> {
    order.check()?;
    let mut change = NewChange::after(first, actor, now);
    fill(&mut change, order)?;
    change.finish()?.ok_or(DocumentFault::Damaged("status"))
}

/// The change that marks lines of an order with the packs that are above what its pool had, as [`mark_over`] makes it right after
/// [`taken_change`]; none where there are none. The lines must be the order's, each once.
pub fn over_change(
    taken: &VerifiedChange,
    over: &[(String, u32)],
    actor: &ActorId,
    now: Instant,
) -> Result<Option<VerifiedChange>, DocumentFault> {
    let mut change = NewChange::after(taken, actor, now);
    let root = change.root();
    over.iter().try_for_each(|(line, packs)| change.fill(&root, &over_field(line), i64::from(*packs).into()))?;
    change.finish()
}

fn fill(new: &mut impl Fill, order: &TakenOrder) -> Result<(), DocumentFault> {
    let root = new.root();
    new.fill(&root, "status", OrderStatus::Placed.name().into())?;
    new.fill(&root, "placed", order.placed_at.0.into())?;
    for (field, at) in [("paid", order.paid_at), ("promised", order.promised_at)] {
        if let Some(at) = at {
            new.fill(&root, field, at.0.into())?;
        }
    }
    for (field, fen) in [("total", order.total_fen), ("freight", order.freight_fen)] {
        if let Some(fen) = fen {
            new.fill(&root, field, fen.get().into())?;
        }
    }
    new.fill(&root, "pool", order.pool.as_str().into())?;
    if let Some(stream) = &order.stream {
        new.fill(&root, "stream", stream.as_str().into())?;
    }
    for line in &order.lines {
        fill_line(new, line)?;
    }
    new.fill(&root, "told", Told::by(order).to_string().into())
}

pub(super) fn fill_line(new: &mut impl Fill, line: &TakenLine) -> Result<(), DocumentFault> {
    let item = new.fill_map(&format!("item/{}", line.line_id))?;
    new.fill(&item, "packs", i64::from(line.packs).into())?;
    new.fill(&item, "fen", line.fen.get().into())?;
    if let Some(sku) = &line.sku {
        new.fill(&item, "sku", sku.as_str().into())?;
    }
    for (field, text) in [("code", &line.code), ("title", &line.title)] {
        if let Some(text) = text {
            new.fill(&item, field, checked_text(TextField::ShopText, text)?.into())?;
        }
    }
    if line.is_gift {
        new.fill(&item, "gift", true.into())?;
    }
    Ok(())
}

fn over_field(line: &str) -> String {
    format!("over/{line}")
}

/// Adds lines that an order that was taken has not: a later file may have more of them. Gives the ids of those that were added.
pub fn add_lines(automerge: &mut AutoCommit, lines: &[TakenLine]) -> Result<Vec<String>, DocumentFault> {
    must_be_here(automerge)?;
    let known = automerge.keys(ROOT).filter(|key| key.starts_with("item/")).count();
    let mut added: Vec<String> = Vec::new();
    for line in lines {
        if let Some((_, fault)) = line.faults().into_iter().next() {
            return Err(fault);
        }
        if automerge.get(ROOT, format!("item/{}", line.line_id))?.is_some() {
            continue;
        }
        if known.saturating_add(added.len()) >= LINES_MAX {
            return Err(DocumentFault::NotNow(LINES_TOO_MANY));
        }
        fill_line(automerge, line)?;
        added.push(line.line_id.clone());
    }
    Ok(added)
}

/// Says what is told of an order that was taken: its state and what buyers asked for afterwards, each only forward in told time; of
/// one time the further state counts. So an order ends the same in whatever order it is told, and told again it changes nothing.
/// A later time is written also where the state is the same, since an older message may still come ([`super::Order::says`] tells
/// whether more than the time would change). Lines that the order has not are passed over ([`add_lines`]). Gives whether anything
/// was written.
pub fn tell(automerge: &mut AutoCommit, order: &TakenOrder) -> Result<bool, DocumentFault> {
    order.check()?;
    must_be_here(automerge)?;
    let (known, values) = told_of(automerge);
    let here: Vec<String> =
        automerge.keys(ROOT).filter_map(|key| Some(key.strip_prefix("item/")?.to_owned())).collect();
    let new = Told::by(&TakenOrder {
        lines: order.lines.iter().filter(|line| here.contains(&line.line_id)).cloned().collect(),
        ..order.clone()
    });
    let unsaid = here.into_iter().filter(|id| order.lines.iter().all(|line| line.line_id != *id));
    let merged = match &known {
        Some(known) => known.clone().after(new, unsaid),
        None => new,
    };
    if values == 1 && known.as_ref() == Some(&merged) {
        return Ok(false);
    }
    automerge.put(ROOT, "told", merged.to_string())?;
    Ok(true)
}

/// Says which SKU a line is of, where the shop's own words did not.
pub fn map_line(automerge: &mut AutoCommit, line: &str, sku: &str) -> Result<(), DocumentFault> {
    line_must_be_here(automerge, line)?;
    automerge.put(ROOT, format!("sku/{line}"), checked_code(sku)?)?;
    Ok(())
}

/// Says how many packs of a line are above what its pool had; 0 takes it back. Only what the server writes counts.
pub fn mark_over(automerge: &mut AutoCommit, line: &str, packs: u32) -> Result<(), DocumentFault> {
    line_must_be_here(automerge, line)?;
    automerge.put(ROOT, over_field(line), i64::from(packs))?;
    Ok(())
}

/// Says which holdings the order is to be served from, in place of what was said before. Only what the server writes counts.
pub fn set_allocation(automerge: &mut AutoCommit, allocation: &Allocation) -> Result<(), DocumentFault> {
    must_be_here(automerge)?;
    let text = allocation.to_text();
    if text.len() > ALLOCATION_BYTES_MAX {
        return Err(DocumentFault::NotNow(ALLOCATION));
    }
    automerge.put(ROOT, "allocation", text)?;
    Ok(())
}

fn is_here(automerge: &AutoCommit) -> Result<bool, DocumentFault> {
    Ok(automerge.get(ROOT, "status")?.is_some() || automerge.get(ROOT, "placed")?.is_some())
}

fn must_be_here(automerge: &AutoCommit) -> Result<(), DocumentFault> {
    if is_here(automerge)? { Ok(()) } else { Err(DocumentFault::NotNow(UNKNOWN)) }
}

fn line_must_be_here(automerge: &AutoCommit, line: &str) -> Result<(), DocumentFault> {
    match automerge.get(ROOT, format!("item/{line}"))? {
        Some(_) => Ok(()),
        None => Err(DocumentFault::NotFound {
            what: Phrase::new("order-line", "line", "订单行"),
            name: line.chars().take(64).collect(),
        }),
    }
}
