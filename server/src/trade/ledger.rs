//! What is set aside for each channel, and what of it is sold: a pure state machine. Who calls it decides in one place, one order
//! after the other; the writer's job does. Nothing here is counted up and later forgotten: what an order holds of a pool follows
//! from the order alone, and [`Ledger::hold`] moves the pools by the difference.
//!
//! For each pool whose grant is known: `over` is at least `accepted − granted`, and what is `over` stands on exactly one order
//! each.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::planted;
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// Packs that an order or a pool counts at most; sums of them can't overflow.
pub(crate) const PACKS_MAX: u64 = 1_000_000_000_000;

/// A channel, such as a stream's code, and a SKU.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct PoolName {
    /// At most 255 bytes.
    pub(crate) channel: String,
    pub(crate) sku: String,
}

impl PoolName {
    pub(crate) fn new(channel: &str, sku: &str) -> Self {
        Self { channel: channel.to_owned(), sku: sku.to_owned() }
    }
}

/// A buyer, by a mark of the platform's token that nobody can turn back into it.
pub(crate) type BuyerMark = [u8; 16];

/// The rules of a pool: an offer of a stream, a shop's standing share.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Terms {
    /// Packs that one buyer may have.
    pub(crate) limit: Option<u32>,
    /// Of what is granted, so many thousandths are held back from what the platform is told.
    pub(crate) margin_permille: u16,
    /// Asked orders are taken from here on, in milliseconds since 1970.
    pub(crate) begins: Option<i64>,
    /// Asked orders are taken before this instant.
    pub(crate) ends: Option<i64>,
    /// True once the stream or the offer was ended: what was left is free again.
    pub(crate) is_closed: bool,
}

/// One pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Pool {
    /// Packs set aside; none where nobody ever set any aside: told orders then count, and none is over.
    pub(crate) granted: Option<u64>,
    /// Packs of the orders that hold any.
    pub(crate) accepted: u64,
    /// Of them, packs that are marked on told orders.
    pub(crate) over: u64,
    /// Packs that were left when it was closed. Orders that were placed before and are told later take of them first.
    pub(crate) given_back: u64,
    pub(crate) terms: Terms,
}

impl Pool {
    /// Packs that can still be asked for.
    pub(crate) fn left(&self) -> u64 {
        self.granted.unwrap_or(0).saturating_sub(self.accepted)
    }

    /// Packs that are held back from what the platform is told: rounded up, so at least one unless none are to be.
    pub(crate) fn margin(&self) -> u64 {
        let granted = self.granted.unwrap_or(0);
        granted.saturating_mul(u64::from(self.terms.margin_permille)).div_ceil(1_000).min(granted)
    }

    /// Packs that the platform is told are left.
    pub(crate) fn told_left(&self) -> u64 {
        self.left().saturating_sub(self.margin())
    }

    /// Packs that were sold and are not there.
    pub(crate) fn short(&self) -> u64 {
        self.granted.map_or(0, |granted| self.accepted.saturating_sub(granted))
    }

    /// Packs marked over that are covered by now, since others were released or more was granted.
    pub(crate) fn coverable(&self) -> u64 {
        // Before anybody granted, as in a ledger that is made anew, what is marked stays so.
        self.granted.map_or(0, |_| self.over.saturating_sub(self.short()))
    }

    /// Accepts what is already sold, and gives how many of the packs are over the grant.
    fn take(&mut self, packs: u32) -> u32 {
        let before = self.short();
        self.accepted = self.accepted.saturating_add(u64::from(packs));
        let again = self.short().min(self.given_back);
        if again > 0 {
            self.given_back = self.given_back.saturating_sub(again);
            self.granted = self.granted.map(|granted| granted.saturating_add(again));
        }
        let over = self.short().saturating_sub(before).min(u64::from(packs));
        let over = if planted!("pack_over_is_not_marked") { 0 } else { over };
        self.over = self.over.saturating_add(over);
        u32::try_from(over).unwrap_or(packs)
    }

    /// Gives back packs, of which so many were over.
    fn release(&mut self, packs: u32, over: u32) {
        self.accepted = self.accepted.saturating_sub(u64::from(packs));
        self.over = self.over.saturating_sub(u64::from(over));
    }
}

/// A line that wants packs of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Want {
    pub(crate) line: String,
    pub(crate) pool: PoolName,
    pub(crate) packs: u32,
}

/// A line that holds packs of a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct HeldLine {
    pub(crate) line: String,
    pub(crate) pool: PoolName,
    pub(crate) packs: u32,
    /// Of them, packs above the grant.
    pub(crate) over: u32,
}

/// Why an asked order is not taken. Nothing is changed then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// What is left of each pool that lacks packs.
    SoldOut { left: Vec<(String, u64)> },
    /// The buyer would have more than the pool's limit.
    OverLimit,
}

/// Packs of a pool that a buyer holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct BuyerPacks(pub(crate) u64);

/// The pools of one decision. Rows are put in before they are decided on, and what was touched is written back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    pools: BTreeMap<PoolName, Pool>,
    buyers: BTreeMap<(PoolName, BuyerMark), BuyerPacks>,
    touched: BTreeSet<PoolName>,
    touched_buyers: BTreeSet<(PoolName, BuyerMark)>,
}

impl Ledger {
    pub(crate) fn has_pool(&self, name: &PoolName) -> bool {
        self.pools.contains_key(name)
    }

    pub(crate) fn put_pool(&mut self, name: PoolName, pool: Pool) {
        self.pools.insert(name, pool);
    }

    pub(crate) fn has_buyer(&self, name: &PoolName, buyer: BuyerMark) -> bool {
        self.buyers.contains_key(&(name.clone(), buyer))
    }

    pub(crate) fn put_buyer(&mut self, name: PoolName, buyer: BuyerMark, packs: BuyerPacks) {
        self.buyers.insert((name, buyer), packs);
    }

    /// A pool as it stands.
    pub(crate) fn pool(&self, name: &PoolName) -> Pool {
        self.pools.get(name).cloned().unwrap_or_default()
    }

    /// The pools that were changed since they were put in.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (&PoolName, &Pool)> {
        self.touched.iter().filter_map(|name| self.pools.get_key_value(name))
    }

    /// The buyers' counts that were changed since they were put in.
    pub(crate) fn touched_buyers(&self) -> impl Iterator<Item = (&(PoolName, BuyerMark), BuyerPacks)> {
        self.touched_buyers.iter().filter_map(|name| Some((name, *self.buyers.get(name)?)))
    }

    fn pool_mut(&mut self, name: &PoolName) -> &mut Pool {
        self.touched.insert(name.clone());
        self.pools.entry(name.clone()).or_default()
    }

    fn count_buyer(&mut self, pool: &PoolName, buyer: Option<BuyerMark>, change: impl FnOnce(u64) -> u64) {
        let Some(buyer) = buyer else { return };
        let name = (pool.clone(), buyer);
        let packs = self.buyers.entry(name.clone()).or_default();
        packs.0 = change(packs.0);
        self.touched_buyers.insert(name);
    }

    /// An order that asks: all of its lines fit and are taken, or nothing changes.
    pub(crate) fn ask(
        &mut self,
        wants: &[Want],
        buyer: Option<BuyerMark>,
        at_millis: i64,
    ) -> Result<Vec<HeldLine>, Refusal> {
        let mut sums: BTreeMap<&PoolName, u64> = BTreeMap::new();
        for want in wants {
            let sum = sums.entry(&want.pool).or_default();
            *sum = sum.saturating_add(u64::from(want.packs));
        }
        let mut left = Vec::new();
        for (name, packs) in &sums {
            let pool = self.pool(name);
            let terms = &pool.terms;
            let is_on = !terms.is_closed
                && terms.begins.is_none_or(|begins| at_millis >= begins)
                && terms.ends.is_none_or(|ends| at_millis < ends);
            let there = if is_on { pool.left() } else { 0 };
            if *packs > there {
                left.push((name.sku.clone(), there));
            }
        }
        if !left.is_empty() {
            return Err(Refusal::SoldOut { left });
        }
        for (name, packs) in &sums {
            let has = buyer.and_then(|buyer| self.buyers.get(&((*name).clone(), buyer))).map_or(0, |packs| packs.0);
            let limit = self.pool(name).terms.limit.filter(|_| buyer.is_some());
            if limit.is_some_and(|limit| has.saturating_add(*packs) > u64::from(limit)) {
                return Err(Refusal::OverLimit);
            }
        }
        Ok(self.tell(wants, buyer))
    }

    /// An order that is told was paid for elsewhere: it is taken, and what is above the grant is marked.
    pub(crate) fn tell(&mut self, wants: &[Want], buyer: Option<BuyerMark>) -> Vec<HeldLine> {
        wants.iter().map(|want| self.take(want, buyer)).collect()
    }

    fn take(&mut self, want: &Want, buyer: Option<BuyerMark>) -> HeldLine {
        let over = self.pool_mut(&want.pool).take(want.packs);
        self.count_buyer(&want.pool, buyer, |packs| packs.saturating_add(u64::from(want.packs)));
        HeldLine { line: want.line.clone(), pool: want.pool.clone(), packs: want.packs, over }
    }

    fn release(&mut self, held: &HeldLine, packs: u32, buyer: Option<BuyerMark>) -> u32 {
        // What is over goes first: the order still wants the rest.
        let over = held.over.min(packs);
        self.pool_mut(&held.pool).release(packs, over);
        self.count_buyer(&held.pool, buyer, |had| had.saturating_sub(u64::from(packs)));
        over
    }

    /// Moves the pools from what an order held to what it wants now, as its document says: packs are released that were called
    /// off, refunded or mapped to another SKU, and taken as told that it wants anew.
    pub(crate) fn hold(&mut self, held: &[HeldLine], wants: &[Want], buyer: Option<BuyerMark>) -> Vec<HeldLine> {
        let mut kept: BTreeMap<&str, HeldLine> = BTreeMap::new();
        // All that goes back does so before anything is taken.
        for line in held {
            let want = wants.iter().find(|want| want.line == line.line && want.pool == line.pool);
            let stays = want.map_or(0, |want| want.packs).min(line.packs);
            let over = self.release(line, line.packs.saturating_sub(stays), buyer);
            let stays = HeldLine { packs: stays, over: line.over.saturating_sub(over), ..line.clone() };
            if stays.packs > 0 {
                kept.insert(line.line.as_str(), stays);
            }
        }
        let mut now = Vec::with_capacity(wants.len());
        for want in wants {
            let kept = kept.remove(want.line.as_str()).filter(|kept| kept.pool == want.pool);
            let (has, over) = kept.as_ref().map_or((0, 0), |kept| (kept.packs, kept.over));
            let more = want.packs.saturating_sub(has);
            let taken = if more > 0 { self.take(&Want { packs: more, ..want.clone() }, buyer).over } else { 0 };
            let over = over.saturating_add(taken);
            now.push(HeldLine { line: want.line.clone(), pool: want.pool.clone(), packs: want.packs, over });
        }
        now.retain(|line| line.packs > 0);
        now
    }

    /// Counts an order that was accepted before, as its document says: with the packs that are marked on it. What it has above the
    /// grant by now is marked too: others were taken meanwhile, by a server that did not know of it.
    pub(crate) fn adopt(&mut self, held: &mut [HeldLine], buyer: Option<BuyerMark>) {
        for line in held {
            line.over = line.over.min(line.packs);
            let pool = self.pool_mut(&line.pool);
            pool.accepted = pool.accepted.saturating_add(u64::from(line.packs));
            let unmarked = pool.short().saturating_sub(pool.over.saturating_add(u64::from(line.over)));
            let more = u32::try_from(unmarked).unwrap_or(u32::MAX).min(line.packs.saturating_sub(line.over));
            let more = if planted!("order_given_back_is_not_marked") { 0 } else { more };
            line.over = line.over.saturating_add(more);
            pool.over = pool.over.saturating_add(u64::from(line.over));
            self.count_buyer(&line.pool, buyer, |packs| packs.saturating_add(u64::from(line.packs)));
        }
    }

    /// Takes the mark from as many packs of a line as are covered by now; gives how many those are.
    pub(crate) fn cover(&mut self, line: &mut HeldLine) -> u32 {
        let covered = u32::try_from(self.pool(&line.pool).coverable()).unwrap_or(u32::MAX).min(line.over);
        if covered > 0 {
            line.over = line.over.saturating_sub(covered);
            self.pool_mut(&line.pool).release(0, covered);
        }
        covered
    }

    /// Sets how many packs are set aside: never fewer than were accepted within the grant. Gives what is granted then.
    pub(crate) fn grant(&mut self, name: &PoolName, packs: u64) -> u64 {
        let pool = self.pool_mut(name);
        let within = pool.accepted.saturating_sub(pool.over);
        let granted = packs.max(within).min(PACKS_MAX);
        pool.granted = Some(granted);
        pool.given_back = 0;
        granted
    }

    /// Closes a pool: what is left of it is free again. Gives how many packs those are.
    pub(crate) fn close(&mut self, name: &PoolName) -> u64 {
        let pool = self.pool_mut(name);
        let left = pool.left();
        pool.terms.is_closed = true;
        pool.granted = pool.granted.map(|granted| granted.saturating_sub(left));
        pool.given_back = pool.given_back.saturating_add(left);
        left
    }

    pub(crate) fn set_terms(&mut self, name: &PoolName, terms: Terms) {
        if self.pool(name).terms != terms {
            self.pool_mut(name).terms = terms;
        }
    }
}

#[cfg(test)]
mod tests;
