//! From which goods orders are served: planned by the server's device alone, in the order of acceptance, and planned anew where a
//! plan became wrong before it was packed. Only with all rows at hand: a plan made from a part of them could take goods twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use granary_client_core::quantities::{Day, Grams, Instant};
use granary_client_core::schema::order::{self, AfterSale, Allocated, Allocation, Order, OrderState};
use granary_client_core::schema::sku::Sku;
use granary_client_core::schema::{DocumentKey, HoldingId, LotId, OrderName};
use granary_client_core::trade::{Facts, OrderFacts, Planned, Rule, Stock, Wanted, allocate, derive, is_usable};

use super::ledger::PoolName;
use super::pools::Free;
use super::rows;
use crate::engine::Granary;
use crate::engine::own_edits::Edits;
use crate::engine::trading::{InSequence, TradeContext};
use crate::error::Error;
use crate::log::Cooperative;

/// Orders that are planned in one go.
const TOGETHER: usize = 256;

/// An order to plan.
struct Open {
    name: OrderName,
    order: Order,
}

impl Granary {
    /// True once the rows have all that was accepted by now.
    pub(super) fn is_caught_up(&self, cooperative: &Cooperative) -> Result<bool, Error> {
        if cooperative.has_undecided() {
            return Ok(false);
        }
        // The rows are told of an entry before it counts as decided, so what they lack of those that are is counted here.
        Ok(self.read_models_behind(cooperative.number())? == 0)
    }

    /// What stock follows from, without what these orders take.
    pub(super) fn stock_sums(
        &self,
        cooperative: &Cooperative,
        context: &TradeContext,
        without: &BTreeSet<OrderName>,
    ) -> Result<Facts, Error> {
        let models = self.read_models(cooperative.number())?;
        Ok(models.read(|models| models.stock_sums(&context.catalogue.skus, without))?)
    }

    /// What is free of each product and grade that a SKU is of: there, not promised to any order, and not set aside.
    pub(super) fn free_stock(
        &self,
        cooperative: &Cooperative,
        context: &TradeContext,
        now: Instant,
    ) -> Result<Free, Error> {
        self.free_in(&derive(&self.stock_sums(cooperative, context, &BTreeSet::new())?), cooperative, context, now)
    }

    /// As [`Self::free_stock`], of stock that was derived already.
    pub(super) fn free_in(
        &self,
        stock: &Stock,
        cooperative: &Cooperative,
        context: &TradeContext,
        now: Instant,
    ) -> Result<Free, Error> {
        let mut reserved: BTreeMap<(String, String), i64> = BTreeMap::new();
        for (PoolName { sku, .. }, pool) in rows::pools(self.store(), cooperative.number())? {
            let Some(sku) = context.catalogue.skus.get(&sku) else { continue };
            let packs = i64::try_from(pool.left()).unwrap_or(i64::MAX);
            let grams = reserved.entry((sku.product.clone(), sku.grade.clone())).or_default();
            *grams = grams.saturating_add(packs.saturating_mul(sku.grams.get()));
        }
        let today = Day::in_china(now);
        let of = |sku: &Sku| {
            let name = (sku.product.clone(), sku.grade.clone());
            let reserved = reserved.get(&name).copied().unwrap_or(0);
            let free = stock.free(&sku.product, &sku.grade, today, reserved).max(0);
            (name, free)
        };
        Ok(context.catalogue.skus.values().map(of).collect())
    }

    /// Plans these orders, and with `has_stock` all whose plan lacks something or became wrong, those that were accepted first before
    /// others. Gives those that are left for the next time.
    pub(super) fn plan_orders(
        &self,
        cooperative: &Arc<Cooperative>,
        mut names: BTreeSet<InSequence>,
        has_stock: bool,
        now: Instant,
    ) -> Result<BTreeSet<InSequence>, Error> {
        let (number, today) = (cooperative.number(), Day::in_china(now));
        let context = self.trade_context(cooperative)?;
        if has_stock {
            for name in self.to_plan_anew(cooperative, &context, today)? {
                if let Some(known) = rows::known(self.store(), number, &name)? {
                    names.insert((known.sequence, name));
                }
            }
        }
        let server = Cooperative::server_device(cooperative.id());
        let mut open = Vec::new();
        while open.len() < TOGETHER {
            let Some((_, name)) = names.pop_first() else { break };
            let Some(document) = self.document(number, &DocumentKey::Order(name.clone()))? else { continue };
            let order = order::read(&document, server);
            if order.state() == Some(OrderState::ToPack) {
                open.push(Open { name, order });
            }
        }
        if open.is_empty() {
            return Ok(names);
        }
        let without = open.iter().map(|open| open.name.clone()).collect();
        let facts = self.stock_sums(cooperative, &context, &without)?;
        let wanted: Vec<Wanted> = open.iter().flat_map(|open| wanted(&context, open)).collect();
        let plan = allocate(&derive(&facts), &wanted, today);
        let mut planned: BTreeMap<OrderName, Vec<Planned>> = BTreeMap::new();
        for line in plan.lines {
            planned.entry(line.order.clone()).or_default().push(line);
        }
        let mut edits = Vec::new();
        for open in open {
            let allocation = allocation(planned.remove(&open.name).unwrap_or_default());
            if allocation != open.order.allocation {
                edits.push(Edits::one(DocumentKey::Order(open.name), move |automerge| {
                    order::set_allocation(automerge, &allocation)
                }));
            }
        }
        if !edits.is_empty() {
            self.edit_as(number, server, now, edits)?;
        }
        Ok(names)
    }

    /// The orders whose plan lacks something, or has goods that may not be used or that are not there.
    fn to_plan_anew(
        &self,
        cooperative: &Cooperative,
        context: &TradeContext,
        today: Day,
    ) -> Result<BTreeSet<OrderName>, Error> {
        let facts = self.stock_sums(cooperative, context, &BTreeSet::new())?;
        let stock = derive(&facts);
        let is_right = |id: &HoldingId| {
            stock.holdings.get(id).is_some_and(|holding| is_usable(holding, today) && holding.on_hand() >= 0)
        };
        let skus = &context.catalogue.skus;
        let models = self.read_models(cooperative.number())?;
        let mut found = models.read(|models| models.orders_to_plan(skus, is_right))?;
        let is_wrong = |order: &OrderFacts| !order.unplanned.is_empty() || order.takes.keys().any(|id| !is_right(id));
        let odd = facts.orders.iter().filter(|(_, order)| !order.is_packed && is_wrong(order));
        found.extend(odd.map(|(name, _)| name.clone()));
        Ok(found)
    }
}

/// What an order's lines are to be served with.
fn wanted(context: &TradeContext, open: &Open) -> Vec<Wanted> {
    let stream = open.order.stream.as_ref().and_then(|code| context.streams.get(code));
    let line = |line: &order::OrderLine| {
        let sku = context.catalogue.skus.get(line.sku.as_deref()?)?;
        let lots = stream.and_then(|stream| stream.offers.get(&sku.code)).map(|offer| offer.lots.as_slice());
        let rule = match lots {
            Some(lots) if !lots.is_empty() => Rule::Fixed(lots.iter().cloned().map(holding_of).collect()),
            _ if sku.shelf_days.is_some() => Rule::Expiry,
            _ => Rule::Oldest,
        };
        Some(Wanted {
            order: open.name.clone(),
            line: line.line_id.clone(),
            product: sku.product.clone(),
            grade: sku.grade.clone(),
            pack: sku.grams,
            packs: line.packs?,
            rule,
        })
    };
    open.order.lines.iter().filter(|line| line.after_sale != AfterSale::Refunded).filter_map(line).collect()
}

fn holding_of(lot: LotId) -> HoldingId {
    HoldingId::Lot(lot)
}

fn allocation(lines: Vec<Planned>) -> Allocation {
    let of = |line: Planned| {
        let takes = line.takes.into_iter().filter_map(|take| {
            Some(Allocated { holding: take.holding.to_string(), grams: Grams::new(take.grams).ok()? })
        });
        (line.line, takes.collect::<Vec<_>>())
    };
    Allocation(lines.into_iter().map(of).filter(|(_, takes)| !takes.is_empty()).collect())
}
