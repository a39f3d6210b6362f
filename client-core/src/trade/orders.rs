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

/// What a line that waits is sold of, and how much of it is planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SoldLine {
    pub(crate) sku: Option<String>,
    pub(crate) packs: u32,
    /// Of an order from before there were SKUs: the product and the grams.
    pub(crate) by_weight: Option<(String, i64)>,
    /// Grams.
    pub(crate) planned: i64,
}

impl SoldLine {
    /// The product, its grade, and the grams that nobody has planned yet; none where there are none, or nobody knows what it is.
    pub(crate) fn unplanned(&self, skus: &BTreeMap<String, Sku>) -> Option<(String, String, i64)> {
        let (product, grade, grams) = match (&self.by_weight, self.sku.as_ref().and_then(|sku| skus.get(sku))) {
            (Some((product, grams)), _) => (product.clone(), String::new(), *grams),
            (None, Some(sku)) => (sku.product.clone(), sku.grade.clone(), sku.grams_of(self.packs)),
            (None, None) => return None,
        };
        let open = grams.saturating_sub(self.planned);
        (open > 0).then_some((product, grade, open))
    }
}

impl LineGoods {
    fn sold(&self) -> SoldLine {
        SoldLine {
            sku: self.sku.clone(),
            packs: self.packs,
            by_weight: self.by_weight.clone(),
            planned: self.takes.iter().map(|(_, grams)| *grams).fold(0, i64::saturating_add),
        }
    }
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
        is_plain.then(|| self.planned())
    }

    /// True where it says something that is wrong, or that is more than sums can tell.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_odd(&self) -> bool {
        self.is_packed || self.is_foreign || !self.damaged.is_empty()
    }

    /// The grams that are planned, or taken, of each holding.
    pub(crate) fn planned(&self) -> BTreeMap<HoldingId, i64> {
        let mut planned: BTreeMap<HoldingId, i64> = BTreeMap::new();
        for (holding, grams) in self.lines.iter().flat_map(|line| &line.takes) {
            let sum = planned.entry(holding.clone()).or_default();
            *sum = sum.saturating_add(*grams);
        }
        planned
    }

    /// The lines of which it is known what they are sold of.
    pub(crate) fn sold_lines(&self) -> impl Iterator<Item = SoldLine> + '_ {
        self.lines.iter().filter(|line| line.sku.is_some() || line.by_weight.is_some()).map(LineGoods::sold)
    }

    fn facts(&self, skus: &BTreeMap<String, Sku>) -> OrderFacts {
        OrderFacts {
            is_packed: self.is_packed,
            takes: self.planned(),
            unplanned: self.sold_lines().filter_map(|line| line.unplanned(skus)).collect(),
            is_foreign: self.is_foreign,
        }
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
