//! Which goods an order is served from. Orders are planned one after the other, each line from holdings in the order of its rule.
//! Packs are laid end to end over these: one pack stands on two holdings only where less than a pack is left of the first.

use std::collections::BTreeMap;

use super::stock::{Holding, Stock};
use crate::quantities::{Day, Grams};
use crate::schema::{HoldingId, OrderName};

/// In which order holdings are used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// What came in first; equal days by the holding's id.
    Oldest,
    /// What expires first; what keeps comes last, and equal days as under [`Self::Oldest`].
    Expiry,
    /// These alone, in this order.
    Fixed(Vec<HoldingId>),
}

/// A line to plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Of which order.
    pub order: OrderName,
    /// The line's id.
    pub line: String,
    /// The product's code.
    pub product: String,
    /// The grade; goods of another one are never taken.
    pub grade: String,
    /// What a pack weighs.
    pub pack: Grams,
    /// How many packs.
    pub packs: u32,
    /// From which holdings.
    pub rule: Rule,
}

impl Wanted {
    /// What all its packs weigh, in grams.
    pub fn grams(&self) -> i64 {
        self.pack.get().saturating_mul(i64::from(self.packs))
    }
}

/// What a line takes of one holding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// Of which.
    pub holding: HoldingId,
    /// How much, in grams.
    pub grams: i64,
}

/// A line as it was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Of which order.
    pub order: OrderName,
    /// The line's id.
    pub line: String,
    /// From which holdings, in the order in which packs are filled.
    pub takes: Vec<Take>,
    /// The packs for which nothing was there.
    pub short: u32,
}

/// A plan, in the order of what was wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// The lines.
    pub lines: Vec<Planned>,
}

/// True for goods that may be used: known, not recalled, not expired.
pub fn is_usable(holding: &Holding, today: Day) -> bool {
    holding.is_known && !holding.is_recalled && !holding.is_expired(today) && !holding.product.is_empty()
}

/// The holdings that a line may use, in the order of its rule.
fn in_order<'a>(stock: &'a Stock, wanted: &Wanted, today: Day) -> Vec<&'a HoldingId> {
    let fits = |holding: &Holding| {
        holding.product == wanted.product && holding.grade == wanted.grade && is_usable(holding, today)
    };
    if let Rule::Fixed(named) = &wanted.rule {
        let mut found: Vec<&HoldingId> = Vec::new();
        for (id, holding) in named.iter().filter_map(|id| stock.holdings.get_key_value(id)) {
            // One that is named twice is one.
            if fits(holding) && !found.contains(&id) {
                found.push(id);
            }
        }
        return found;
    }
    let by_expiry = wanted.rule == Rule::Expiry;
    let mut found: Vec<(&HoldingId, &Holding)> = stock.holdings.iter().filter(|(_, holding)| fits(holding)).collect();
    found.sort_by_key(|(id, holding)| {
        // None comes before all days: what keeps comes last, and what has no day is the oldest.
        let expiry = by_expiry.then_some((holding.expiry.is_none(), holding.expiry));
        (expiry, holding.received_on, *id)
    });
    found.into_iter().map(|(id, _)| id).collect()
}

/// Plans these lines from what is on hand, which holds nothing that was planned for them before. Never takes more of a holding
/// than is on hand; equal arguments give equal plans.
pub fn allocate(stock: &Stock, wanted: &[Wanted], today: Day) -> Plan {
    let mut left: BTreeMap<&HoldingId, i64> =
        stock.holdings.iter().map(|(id, holding)| (id, holding.on_hand())).collect();
    // Orders of one product share the list of what serves them.
    let mut orders: Vec<(&Wanted, Vec<&HoldingId>)> = Vec::new();
    let mut lines = Vec::with_capacity(wanted.len());
    for line in wanted {
        let same = |(of, _): &&(&Wanted, Vec<&HoldingId>)| {
            (&of.product, &of.grade, &of.rule) == (&line.product, &line.grade, &line.rule)
        };
        let place = match orders.iter().position(|entry| same(&entry)) {
            Some(place) => place,
            None => {
                orders.push((line, in_order(stock, line, today)));
                orders.len().saturating_sub(1)
            }
        };
        let serving = orders.get_mut(place).map(|(_, serving)| serving);
        lines.push(plan(line, serving.unwrap_or(&mut Vec::new()), &mut left));
    }
    Plan { lines }
}

fn plan<'a>(line: &Wanted, serving: &mut Vec<&'a HoldingId>, left: &mut BTreeMap<&'a HoldingId, i64>) -> Planned {
    serving.retain(|id| left.get(id).is_some_and(|grams| *grams > 0));
    let mut open = line.grams();
    let mut takes: Vec<Take> = Vec::new();
    for id in serving.iter() {
        let Some(grams) = left.get_mut(id).filter(|_| open > 0) else { break };
        let taken = open.min(*grams);
        *grams = grams.saturating_sub(taken);
        open = open.saturating_sub(taken);
        takes.push(Take { holding: (*id).clone(), grams: taken });
    }
    // Of a pack that can't be filled nothing is taken.
    let pack = line.pack.get();
    let short = open.saturating_add(pack.saturating_sub(1)).checked_div(pack).unwrap_or(0);
    let mut back = short.saturating_mul(pack).saturating_sub(open);
    while back > 0 {
        let Some(mut take) = takes.pop() else { break };
        let returned = back.min(take.grams);
        back = back.saturating_sub(returned);
        take.grams = take.grams.saturating_sub(returned);
        if let Some(grams) = left.get_mut(&take.holding) {
            *grams = grams.saturating_add(returned);
        }
        if take.grams > 0 {
            takes.push(take);
        }
    }
    let short = u32::try_from(short).unwrap_or(u32::MAX);
    Planned { order: line.order.clone(), line: line.line.clone(), takes, short }
}

/// What is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanFault {
    /// It has another line than is wanted, or one too few or too many.
    #[error("the plan has other lines than are wanted")]
    OtherLines,
    /// It uses goods that may not be used: unknown, recalled, expired, of another product or grade, or not among those of the
    /// stream.
    #[error("line {line} of {order} uses {holding}, which it may not use")]
    NotUsable {
        /// Of which order.
        order: OrderName,
        /// Which line.
        line: String,
        /// Which holding.
        holding: HoldingId,
    },
    /// What it takes and what is missing are not what is wanted.
    #[error("line {line} of {order} takes {taken} g, and should take {wanted} g")]
    OtherSum {
        /// Of which order.
        order: OrderName,
        /// Which line.
        line: String,
        /// What it takes, in grams.
        taken: i64,
        /// What it should take.
        wanted: i64,
    },
    /// One pack stands on two holdings although a whole one fits the first.
    #[error("line {line} of {order} splits a pack over {holding} and the next, of which a whole pack is left")]
    Split {
        /// Of which order.
        order: OrderName,
        /// Which line.
        line: String,
        /// The first of the two.
        holding: HoldingId,
    },
    /// All lines together take more of a holding than is on hand.
    #[error("the plan takes {taken} g of {holding}, of which {on_hand} g are on hand")]
    TooMuch {
        /// Of which.
        holding: HoldingId,
        /// What all lines take, in grams.
        taken: i64,
        /// What is on hand.
        on_hand: i64,
    },
}

/// Checks a plan against what is on hand without it. It need not be the one that [`allocate`] makes: goods may have come or gone
/// since.
pub fn check(stock: &Stock, wanted: &[Wanted], plan: &Plan, today: Day) -> Vec<PlanFault> {
    if wanted.len() != plan.lines.len()
        || wanted.iter().zip(&plan.lines).any(|(one, other)| (&one.order, &one.line) != (&other.order, &other.line))
    {
        return vec![PlanFault::OtherLines];
    }
    let mut faults = Vec::new();
    let mut left: BTreeMap<&HoldingId, i64> = BTreeMap::new();
    for (line, planned) in wanted.iter().zip(&plan.lines) {
        let (order, name) = (&line.order, &line.line);
        let usable = in_order(stock, line, today);
        let mut laid = 0i64;
        for (place, take) in planned.takes.iter().enumerate() {
            if take.grams <= 0 || !usable.contains(&&take.holding) {
                let holding = take.holding.clone();
                faults.push(PlanFault::NotUsable { order: order.clone(), line: name.clone(), holding });
                continue;
            }
            laid = laid.saturating_add(take.grams);
            let on_hand = stock.holdings.get(&take.holding).map_or(0, Holding::on_hand);
            let rest = left.entry(&take.holding).or_insert(on_hand);
            *rest = rest.saturating_sub(take.grams);
            let is_last = place.saturating_add(1) == planned.takes.len();
            let begun = laid.checked_rem(line.pack.get()).unwrap_or(0);
            if begun > 0 && !is_last && rest.saturating_add(begun) >= line.pack.get() {
                let holding = take.holding.clone();
                faults.push(PlanFault::Split { order: order.clone(), line: name.clone(), holding });
            }
        }
        let missing = line.pack.get().saturating_mul(i64::from(planned.short));
        let should = line.grams().saturating_sub(missing);
        if laid != should {
            let (order, line) = (order.clone(), name.clone());
            faults.push(PlanFault::OtherSum { order, line, taken: laid, wanted: should });
        }
    }
    for (holding, rest) in left.into_iter().filter(|(_, rest)| *rest < 0) {
        let on_hand = stock.holdings.get(holding).map_or(0, Holding::on_hand);
        let taken = on_hand.saturating_sub(rest);
        faults.push(PlanFault::TooMuch { holding: holding.clone(), taken, on_hand });
    }
    faults
}
