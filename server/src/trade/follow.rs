//! What an order holds of its pools follows from its document: what was called off, refunded before it was packed, or mapped to
//! another SKU goes back, and what comes anew is taken as told. Nothing releases packs in any other way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use granary_client_core::ids::DeviceId;
use granary_client_core::planted;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::order::{self, AfterSale, Order, OrderState, OrderStatus, ToldStatus};
use granary_client_core::schema::{DocumentKey, OrderName};
use granary_client_core::store::StoreFault;

use super::feed::minute_of;
use super::ledger::{HeldLine, PoolName, Want};
use super::prepare::asked_of;
use super::rows::{Book, Known};
use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber};

/// Documents that are marked in one go.
const TOGETHER: usize = 64;

/// What was told of an order last, for its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct LastTold {
    pub(super) millis: i64,
    pub(super) digest: u64,
}

/// An order as its document has it.
struct Read {
    name: OrderName,
    wants: Vec<Want>,
    /// What of it is sold of which pool, whether or not it was called off since.
    sold: Vec<SoldLine>,
    placed_at: Instant,
    /// Packs above the grant, by line, as they are marked.
    marked: BTreeMap<String, u32>,
    told_millis: i64,
    is_packed: bool,
    last_told: Option<LastTold>,
}

/// A line as the desk counts it.
struct SoldLine {
    line: String,
    pool: PoolName,
    packs: u32,
    fen: i64,
    /// True where nobody knew the SKU when the order was accepted.
    is_mapped_later: bool,
}

/// Lines whose mark is to be another one.
type Marks = Vec<(OrderName, Vec<(String, u32)>)>;

/// What an order wants of its channel, as its document says: nothing once it was called off, and no line that was paid back before
/// it was packed. What is packed is out of the pool for good, also where its money went back.
fn wants_of(order: &Order) -> Vec<Want> {
    let Some(channel) = order.pool.as_deref() else { return Vec::new() };
    let is_packed = is_packed(order);
    let is_off = order.status == Some(OrderStatus::Cancelled) || order.told == Some(ToldStatus::Closed);
    if is_off && !is_packed && !planted!("order_called_off_keeps_its_packs") {
        return Vec::new();
    }
    let lines = order.lines.iter().filter(|line| is_packed || line.after_sale != AfterSale::Refunded);
    let want = |line: &order::OrderLine| {
        let (sku, packs) = (line.sku.as_deref()?, line.packs?);
        Some(Want { line: line.line_id.clone(), pool: PoolName::new(channel, sku), packs })
    };
    lines.filter_map(want).collect()
}

/// All lines whose SKU is known, whatever came of them.
fn sold_of(order: &Order) -> Vec<SoldLine> {
    let Some(channel) = order.pool.as_deref() else { return Vec::new() };
    let line = |line: &order::OrderLine| {
        let (sku, packs) = (line.sku.as_deref()?, line.packs?);
        let pool = PoolName::new(channel, sku);
        let is_mapped_later = line.is_mapped_later;
        Some(SoldLine { line: line.line_id.clone(), pool, packs, fen: line.fen.get(), is_mapped_later })
    };
    order.lines.iter().filter_map(line).collect()
}

/// True where an order is to be packed and has a line that nobody planned for.
fn lacks_plan(order: &Order) -> bool {
    let lacks = |line: &order::OrderLine| {
        line.sku.is_some() && line.after_sale != AfterSale::Refunded && !order.allocation.0.contains_key(&line.line_id)
    };
    order.state() == Some(OrderState::ToPack) && order.lines.iter().any(lacks)
}

/// True where an order is packed, or the platform says that it went out.
fn is_packed(order: &Order) -> bool {
    matches!(order.status, Some(OrderStatus::Packed | OrderStatus::Shipped))
        || matches!(order.told, Some(ToldStatus::Shipped | ToldStatus::Done))
}

impl Read {
    fn of(name: &OrderName, order: &Order, last_told: Option<LastTold>) -> Self {
        let marked = order.lines.iter().filter(|line| line.over > 0).map(|line| (line.line_id.clone(), line.over));
        Self {
            name: name.clone(),
            wants: wants_of(order),
            sold: sold_of(order),
            placed_at: order.placed_at.or(order.told_at).unwrap_or(Instant(0)),
            marked: marked.collect(),
            told_millis: order.told_at.map_or(0, |at| at.0),
            is_packed: is_packed(order),
            last_told,
        }
    }

    /// What an order holds that was accepted before this ledger: as it is marked.
    fn held(&self) -> Vec<HeldLine> {
        let line = |want: &Want| {
            let over = self.marked.get(&want.line).copied().unwrap_or(0).min(want.packs);
            HeldLine { line: want.line.clone(), pool: want.pool.clone(), packs: want.packs, over }
        };
        self.wants.iter().map(line).collect()
    }
}

/// The lines whose marks differ from what they hold above the grant.
fn marks(held: &[HeldLine], marked: &BTreeMap<String, u32>) -> Vec<(String, u32)> {
    let over = |line: &str| held.iter().find(|held| held.line == line).map_or(0, |held| held.over);
    let lines: BTreeSet<&str> =
        held.iter().map(|held| held.line.as_str()).chain(marked.keys().map(String::as_str)).collect();
    let differs = |line: &&str| marked.get(*line).copied().unwrap_or(0) != over(line);
    lines.into_iter().filter(differs).map(|line| (line.to_owned(), over(line))).collect()
}

impl Granary {
    /// Makes what these orders hold follow their documents, and the marks in documents follow what they hold.
    pub(super) fn follow_orders(
        &self,
        cooperative: &Arc<Cooperative>,
        names: &[(OrderName, Option<LastTold>)],
        now: Instant,
    ) -> Result<(), Error> {
        let _one_at_a_time = self.trading().following.lock().unwrap_or_else(PoisonError::into_inner);
        let (number, server) = (cooperative.number(), Cooperative::server_device(cooperative.id()));
        let (mut orders, mut lacking) = (Vec::with_capacity(names.len()), BTreeSet::new());
        for (name, last_told) in names {
            let Some(document) = self.document(number, &DocumentKey::Order(name.clone()))? else { continue };
            let order = order::read(&document, server);
            if lacks_plan(&order) {
                lacking.insert(name.clone());
            }
            if order.pool.is_some() {
                orders.push(Read::of(name, &order, *last_told));
            }
        }
        if orders.is_empty() {
            return Ok(());
        }
        let (marks, channels, unplanned) = self.write(move |group| {
            let mut book = Book::open(group, number);
            let (mut marks, mut unplanned) = (Marks::new(), Vec::new());
            for order in orders {
                let sequence = follow(&mut book, &order, &mut marks)?;
                if lacking.contains(&order.name) {
                    unplanned.push((sequence, order.name));
                }
            }
            cover_all(&mut book, &mut marks)?;
            let channels: BTreeSet<String> = book.close().into_iter().map(|(name, _)| name.channel).collect();
            Ok((marks, channels, unplanned))
        })?;
        self.pools_changed(cooperative, channels);
        self.trading().plan_later(number, unplanned);
        self.mark(number, server, marks, now)
    }

    /// Writes marks into their orders.
    pub(super) fn mark(
        &self,
        number: CooperativeNumber,
        server: DeviceId,
        marks: Marks,
        now: Instant,
    ) -> Result<(), Error> {
        for some in marks.chunks(TOGETHER) {
            let edits = some.iter().cloned().map(|(name, lines)| {
                Edits::one(DocumentKey::Order(name), move |automerge| {
                    lines.iter().try_for_each(|(line, packs)| order::mark_over(automerge, line, *packs))
                })
            });
            self.edit_as(number, server, now, edits.collect())?;
        }
        Ok(())
    }
}

/// Gives the order's place in the order of acceptance.
fn follow(book: &mut Book<'_, '_>, order: &Read, marks: &mut Marks) -> Result<u64, StoreFault> {
    let known = book.known(&order.name)?;
    let buyer = known.as_ref().and_then(|known| known.buyer);
    let before: Vec<HeldLine> = known.as_ref().map(|known| known.held.clone()).unwrap_or_default();
    let pools: BTreeSet<&PoolName> =
        before.iter().map(|line| &line.pool).chain(order.wants.iter().map(|want| &want.pool)).collect();
    for pool in &pools {
        book.load(pool, buyer)?;
    }
    let now = match &known {
        Some(known) => {
            let mut wants = order.wants.clone();
            if known.is_gone {
                // The document may say by now that it was closed, and no longer that it had gone out.
                let kept = known.held.iter().filter(|line| !wants.iter().any(|want| want.line == line.line));
                let kept =
                    kept.map(|line| Want { line: line.line.clone(), pool: line.pool.clone(), packs: line.packs });
                wants.extend(kept.collect::<Vec<_>>());
            }
            let held = book.ledger.hold(&known.held, &wants, buyer);
            let is_gone = known.is_gone || order.is_packed;
            let (told_millis, digest) = match order.last_told {
                Some(told) if told.millis >= known.told_millis => (told.millis, told.digest),
                _ => (known.told_millis, known.digest),
            };
            Known { told_millis, digest, is_gone, held, ..known.clone() }
        }
        None => {
            let mut held = order.held();
            let answered_over = held.iter().map(|line| line.over).fold(0, u32::saturating_add);
            book.ledger.adopt(&mut held, None);
            let told = order.last_told.unwrap_or(LastTold { millis: order.told_millis, digest: 0 });
            let sequence = book.next_sequence()?;
            Known {
                sequence,
                accepted_millis: order.told_millis,
                was_asked: false,
                answered_over,
                told_millis: told.millis,
                digest: told.digest,
                asked: asked_of(&order.wants),
                buyer: None,
                is_gone: order.is_packed,
                held,
            }
        }
    };
    count_late(book, order, known.as_ref())?;
    if known.as_ref() != Some(&now) {
        book.put_known(&order.name, &now);
    }
    let known = now;
    let changed = self::marks(&known.held, &order.marked);
    if changed.is_empty() {
        for pool in pools {
            if !known.held.iter().any(|line| line.pool == *pool && line.over > 0) {
                book.remove_over(pool, known.sequence);
            }
        }
    } else {
        marks.push((order.name.clone(), changed));
    }
    Ok(known.sequence)
}

/// Counts for the desk what was not counted when the order was accepted: lines that were mapped since, and all lines of an order that
/// was accepted before this ledger.
fn count_late(book: &mut Book<'_, '_>, order: &Read, known: Option<&Known>) -> Result<(), StoreFault> {
    if known.is_some() && !order.sold.iter().any(|line| line.is_mapped_later) {
        return Ok(());
    }
    let before = book.counted_late(&order.name)?;
    let is_counted = |line: &SoldLine| before.as_ref().is_some_and(|lines| lines.contains(&line.line));
    let late: Vec<&SoldLine> =
        order.sold.iter().filter(|line| (known.is_none() || line.is_mapped_later) && !is_counted(line)).collect();
    let Some(first) = late.first() else { return Ok(()) };
    // The order itself was counted when it was accepted, unless it had no line then of which anybody knew what it is.
    let had_lines = known.is_some_and(|known| known.asked != asked_of(&[]));
    let orders = u64::from(!had_lines && before.is_none());
    let minute = minute_of(order.placed_at);
    for line in &late {
        book.count_sold(&line.pool, minute, line.packs, line.fen)?;
    }
    let fen = late.iter().map(|line| line.fen).fold(0, i64::saturating_add);
    book.count_orders(&first.pool.channel, (orders, fen), order.told_millis)?;
    let lines: Vec<String> = before.into_iter().flatten().chain(late.iter().map(|line| line.line.clone())).collect();
    book.put_counted_late(&order.name, &lines);
    Ok(())
}

/// Takes the marks off orders whose packs are covered by now, those that were accepted first before others.
pub(super) fn cover_all(book: &mut Book<'_, '_>, marks: &mut Marks) -> Result<(), StoreFault> {
    let coverable: Vec<PoolName> =
        book.ledger.touched().filter(|(_, pool)| pool.coverable() > 0).map(|(name, _)| name.clone()).collect();
    for pool in coverable {
        for name in book.over(&pool)? {
            if book.ledger.pool(&pool).coverable() == 0 {
                break;
            }
            let Some(mut known) = book.known(&name)? else { continue };
            let mut changed = Vec::new();
            for line in known.held.iter_mut().filter(|line| line.pool == pool) {
                if book.ledger.cover(line) > 0 {
                    changed.push((line.line.clone(), line.over));
                }
            }
            if changed.is_empty() {
                continue;
            }
            book.put_known(&name, &known);
            match marks.iter_mut().find(|(marked, _)| *marked == name) {
                Some((_, lines)) => {
                    lines.retain(|(line, _)| changed.iter().all(|(other, _)| other != line));
                    lines.extend(changed);
                }
                None => marks.push((name, changed)),
            }
        }
    }
    Ok(())
}
