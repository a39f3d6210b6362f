//! What an order takes of the goods that lie in the warehouse.
//!
//! While an order is to be packed, its plan is allocated, and what is sold without a plan is unplanned. Once it is packed or on its
//! way, the plan is what was taken. Called off, or paid back before it was packed, it takes nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::facts::{Facts, OrderFacts};
use crate::schema::order::{AfterSale, Order, OrderState};
use crate::schema::sku::Sku;
use crate::schema::{HoldingId, OrderName};

/// What an order's document says of goods. What is in a pack, the catalogue says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderGoods {
    is_packed: bool,
    lines: Vec<LineGoods>,
    is_foreign: bool,
    /// Holdings of the plan whose names can't be read.
    damaged: Vec<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct LineGoods {
    sku: Option<String>,
    packs: u32,
    /// Of an order from before there were SKUs: the product and the grams.
    by_weight: Option<(String, i64)>,
    takes: Vec<(HoldingId, i64)>,
}

impl OrderGoods {
    /// What an order says; none for one that takes nothing and says nothing wrong.
    pub fn of(order: &Order) -> Option<Self> {
        let (is_open, is_packed) = match order.state() {
            Some(OrderState::ToPack) => (true, false),
            Some(OrderState::Packed | OrderState::Shipped | OrderState::Done) => (false, true),
            Some(OrderState::Closed | OrderState::Cancelled) | None => (false, false),
        };
        let mut goods = Self {
            is_packed,
            is_foreign: order.trespasses.iter().any(|trespass| trespass.field == "allocation"),
            ..Self::default()
        };
        for line in &order.lines {
            if !(is_packed || (is_open && line.after_sale != AfterSale::Refunded)) {
                continue;
            }
            let mut of = LineGoods::default();
            for one in order.allocation.0.get(&line.line_id).into_iter().flatten() {
                match one.holding.parse() {
                    Ok(holding) => of.takes.push((holding, one.grams.get())),
                    Err(_) => goods.damaged.push(one.holding.chars().take(160).collect()),
                }
            }
            if is_open {
                of.sku.clone_from(&line.sku);
                of.packs = line.packs.unwrap_or(0);
                of.by_weight = line.product.clone().zip(line.grams).map(|(product, grams)| (product, grams.get()));
            }
            if of != LineGoods::default() {
                goods.lines.push(of);
            }
        }
        let says_nothing = goods.lines.is_empty() && !goods.is_foreign && goods.damaged.is_empty();
        (!says_nothing).then_some(goods)
    }

    /// What a packed order took, where it says nothing else.
    #[cfg(feature = "sqlite")]
    pub(crate) fn only_packed(&self) -> Option<BTreeMap<HoldingId, i64>> {
        let is_plain = self.is_packed && !self.is_foreign && self.damaged.is_empty();
        is_plain.then(|| self.facts(&BTreeMap::new()).takes)
    }

    fn facts(&self, skus: &BTreeMap<String, Sku>) -> OrderFacts {
        let mut facts = OrderFacts { is_packed: self.is_packed, is_foreign: self.is_foreign, ..OrderFacts::default() };
        for line in &self.lines {
            let mut planned = 0i64;
            for (holding, grams) in &line.takes {
                planned = planned.saturating_add(*grams);
                let takes = facts.takes.entry(holding.clone()).or_default();
                *takes = takes.saturating_add(*grams);
            }
            let sold = match (&line.by_weight, line.sku.as_ref().and_then(|sku| skus.get(sku))) {
                (Some((product, grams)), _) => Some((product.clone(), String::new(), *grams)),
                (None, Some(sku)) => Some((sku.product.clone(), sku.grade.clone(), sku.grams_of(line.packs))),
                (None, None) => None,
            };
            let open = sold.map(|(product, grade, grams)| (product, grade, grams.saturating_sub(planned)));
            facts.unplanned.extend(open.filter(|(_, _, grams)| *grams > 0));
        }
        facts
    }
}

impl Facts {
    /// Adds what a packed order took of one holding.
    #[cfg(feature = "sqlite")]
    pub(crate) fn add_packed(&mut self, name: OrderName, holding: HoldingId, grams: i64) {
        let order = self.orders.entry(name).or_insert_with(|| OrderFacts { is_packed: true, ..OrderFacts::default() });
        order.takes.insert(holding, grams);
    }

    /// Adds what an order says.
    pub fn add_order(&mut self, name: OrderName, goods: &OrderGoods, skus: &BTreeMap<String, Sku>) {
        self.orders.insert(name, goods.facts(skus));
    }
}
