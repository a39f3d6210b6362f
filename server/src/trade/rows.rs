//! The rows of trade, all under the letter `q`. They are derived: a restored server makes them anew from orders and streams.

use std::collections::BTreeMap;

use granary_client_core::planted;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::schema::{DocumentKey, OrderName};
use granary_client_core::store::{Row, Store, StoreFault};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use super::ledger::{BuyerMark, BuyerPacks, HeldLine, Ledger, Pool, PoolName};
use crate::log::CooperativeNumber;
use crate::log::keys::{key, rest};
use crate::log::rows::{each_row, parse};
use crate::log::writer::GroupCommit;

const KIND: u8 = b'q';
const POOL: u8 = b'p';
const BUYER: u8 = b'b';
const KNOWN: u8 = b'k';
const MINUTE: u8 = b'm';
const TOTALS: u8 = b't';
const OVER: u8 = b'o';
const SEQUENCE: u8 = b's';
const THROUGH: u8 = b'd';
const COMPLETE: u8 = b'c';
const COUNTED: u8 = b'n';

/// An order that was accepted: what it was answered, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Known {
    /// Rises in the order of acceptance.
    pub(crate) sequence: u64,
    /// When it was accepted, in milliseconds since 1970.
    pub(crate) accepted_millis: i64,
    /// True where the shop asked first: it may release it again for a while.
    pub(crate) was_asked: bool,
    /// Packs that were over when it was accepted, as it was answered.
    pub(crate) answered_over: u32,
    /// When the platform knew what it told last, in milliseconds since 1970.
    pub(crate) told_millis: i64,
    /// The checksum of what was told last.
    pub(crate) digest: u64,
    /// The checksum of the lines that were accepted.
    pub(crate) asked: u64,
    pub(crate) buyer: Option<BuyerMark>,
    /// True once it was packed or shipped: its packs are out of the pool for good.
    pub(crate) is_gone: bool,
    pub(crate) held: Vec<HeldLine>,
}

/// What was sold of a pool in one minute of order times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Sold {
    pub(crate) packs: u64,
    pub(crate) fen: i64,
}

/// Sums of a channel since it began. Nothing is taken off when an order is called off later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub(crate) struct Totals {
    pub(crate) orders: u64,
    pub(crate) fen: i64,
    /// When the last order was told here, in milliseconds since 1970.
    pub(crate) last_told_millis: i64,
}

fn row(number: CooperativeNumber, what: u8, rest: &[u8]) -> Vec<u8> {
    let mut after = Vec::with_capacity(rest.len().saturating_add(1));
    after.push(what);
    after.extend_from_slice(rest);
    key(number, KIND, &after)
}

/// The channel behind its length, so that no channel's rows are among another's.
fn channel_bytes(channel: &str) -> Vec<u8> {
    let length = u8::try_from(channel.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![length];
    bytes.extend_from_slice(channel.as_bytes().get(..usize::from(length)).unwrap_or_default());
    bytes
}

fn pool_bytes(name: &PoolName) -> Vec<u8> {
    let mut bytes = channel_bytes(&name.channel);
    bytes.push(u8::try_from(name.sku.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(name.sku.as_bytes());
    bytes
}

fn read_pool(bytes: &[u8]) -> Option<(PoolName, &[u8])> {
    let (channel, rest) = split_text(bytes)?;
    let (sku, rest) = split_text(rest)?;
    Some((PoolName::new(channel, sku), rest))
}

fn split_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

fn pool_row(number: CooperativeNumber, name: &PoolName) -> Vec<u8> {
    row(number, POOL, &pool_bytes(name))
}

fn buyer_row(number: CooperativeNumber, name: &PoolName, buyer: BuyerMark) -> Vec<u8> {
    row(number, BUYER, &[pool_bytes(name).as_slice(), &buyer].concat())
}

pub(super) fn known_row(number: CooperativeNumber, name: &OrderName) -> Vec<u8> {
    row(number, KNOWN, &DocumentKey::Order(name.clone()).to_bytes())
}

fn counted_row(number: CooperativeNumber, name: &OrderName) -> Vec<u8> {
    row(number, COUNTED, &DocumentKey::Order(name.clone()).to_bytes())
}

fn minute_row(number: CooperativeNumber, name: &PoolName, minute: i64) -> Vec<u8> {
    // Order times are from 1970 on: as bytes they sort by time.
    row(number, MINUTE, &[pool_bytes(name).as_slice(), &minute.max(0).to_be_bytes()].concat())
}

fn over_row(number: CooperativeNumber, pool: &PoolName, sequence: u64) -> Vec<u8> {
    row(number, OVER, &[pool_bytes(pool).as_slice(), &sequence.to_be_bytes()].concat())
}

fn totals_row(number: CooperativeNumber, channel: &str) -> Vec<u8> {
    row(number, TOTALS, &channel_bytes(channel))
}

fn read<M: serde::de::DeserializeOwned>(group: &GroupCommit<'_>, row: &[u8]) -> Result<Option<M>, StoreFault> {
    match group.get(row)? {
        Some(bytes) => read_message(&bytes).map(Some).map_err(|_| StoreFault::Damaged(row.to_vec())),
        None => Ok(None),
    }
}

/// The rows of trade in a job of the writer: read once, changed in memory, and written at the job's end, so that an order of
/// many costs its share of the rows that they have in common.
pub(super) struct Book<'a, 'b> {
    group: &'a mut GroupCommit<'b>,
    number: CooperativeNumber,
    pub(super) ledger: Ledger,
    minutes: BTreeMap<(PoolName, i64), Sold>,
    totals: BTreeMap<String, Totals>,
    sequence: Option<u64>,
}

impl<'a, 'b> Book<'a, 'b> {
    pub(super) fn open(group: &'a mut GroupCommit<'b>, number: CooperativeNumber) -> Self {
        let (minutes, totals) = (BTreeMap::new(), BTreeMap::new());
        Self { group, number, ledger: Ledger::default(), minutes, totals, sequence: None }
    }

    pub(super) fn group(&mut self) -> &mut GroupCommit<'b> {
        self.group
    }

    /// Reads a pool's row, and the buyer's with it, before they are decided on.
    pub(super) fn load(&mut self, name: &PoolName, buyer: Option<BuyerMark>) -> Result<(), StoreFault> {
        if !self.ledger.has_pool(name) {
            let pool: Option<Pool> = read(self.group, &pool_row(self.number, name))?;
            self.ledger.put_pool(name.clone(), pool.unwrap_or_default());
        }
        if let Some(buyer) = buyer
            && !self.ledger.has_buyer(name, buyer)
        {
            let packs: Option<BuyerPacks> = read(self.group, &buyer_row(self.number, name, buyer))?;
            self.ledger.put_buyer(name.clone(), buyer, packs.unwrap_or_default());
        }
        Ok(())
    }

    pub(super) fn known(&self, name: &OrderName) -> Result<Option<Known>, StoreFault> {
        read(self.group, &known_row(self.number, name))
    }

    /// The lines of an order that were counted after it was accepted, or before this ledger; none where none were.
    pub(super) fn counted_late(&self, name: &OrderName) -> Result<Option<Vec<String>>, StoreFault> {
        read(self.group, &counted_row(self.number, name))
    }

    pub(super) fn put_counted_late(&mut self, name: &OrderName, lines: &[String]) {
        self.group.put_visible(counted_row(self.number, name), write_message(&lines));
    }

    /// The next place in the order of acceptance.
    pub(super) fn next_sequence(&mut self) -> Result<u64, StoreFault> {
        let last = match self.sequence {
            Some(last) => last,
            None => read(self.group, &row(self.number, SEQUENCE, &[]))?.unwrap_or(0),
        };
        let next = last.saturating_add(1);
        self.sequence = Some(next);
        Ok(next)
    }

    /// Writes what is known of an order, and lists it with each pool of which it holds packs above the grant.
    pub(super) fn put_known(&mut self, name: &OrderName, known: &Known) {
        self.group.put_visible(known_row(self.number, name), write_message(known));
        for line in known.held.iter().filter(|line| line.over > 0) {
            let key = DocumentKey::Order(name.clone()).to_bytes();
            self.group.put_visible(over_row(self.number, &line.pool, known.sequence), key);
        }
    }

    /// Takes an order off a pool's list: it holds nothing above the grant, and its document says so.
    pub(super) fn remove_over(&mut self, pool: &PoolName, sequence: u64) {
        let row = over_row(self.number, pool, sequence);
        if self.group.get(&row).is_ok_and(|found| found.is_some()) {
            self.group.remove_visible(row);
        }
    }

    /// The orders that hold packs above a pool's grant, in the order of acceptance.
    pub(super) fn over(&self, pool: &PoolName) -> Result<Vec<OrderName>, StoreFault> {
        let rows = self.group.scan_all(&row(self.number, OVER, &pool_bytes(pool)))?;
        rows.iter().map(order_of).collect()
    }

    /// Adds to the figures of the desk.
    pub(super) fn count_sold(&mut self, pool: &PoolName, minute: i64, packs: u32, fen: i64) -> Result<(), StoreFault> {
        let place = (pool.clone(), minute);
        let mut sold = match self.minutes.get(&place) {
            Some(sold) => *sold,
            None => read(self.group, &minute_row(self.number, pool, minute))?.unwrap_or_default(),
        };
        sold.packs = sold.packs.saturating_add(u64::from(packs));
        sold.fen = sold.fen.saturating_add(fen);
        self.minutes.insert(place, sold);
        Ok(())
    }

    /// Adds to the sums of a channel: so many orders of so many fen, of which the last was told then.
    pub(super) fn count_orders(
        &mut self,
        channel: &str,
        (orders, fen): (u64, i64),
        told_millis: i64,
    ) -> Result<(), StoreFault> {
        let mut totals = match self.totals.get(channel) {
            Some(totals) => *totals,
            None => read(self.group, &totals_row(self.number, channel))?.unwrap_or_default(),
        };
        totals.orders = totals.orders.saturating_add(orders);
        totals.fen = totals.fen.saturating_add(fen);
        totals.last_told_millis = totals.last_told_millis.max(told_millis);
        self.totals.insert(channel.to_owned(), totals);
        Ok(())
    }

    /// Writes what was changed; gives the pools of it.
    pub(super) fn close(self) -> Vec<(PoolName, Pool)> {
        let Self { group, number, ledger, minutes, totals, sequence } = self;
        let mut pools = Vec::new();
        if let Some(sequence) = sequence {
            group.put_visible(row(number, SEQUENCE, &[]), write_message(&sequence));
        }
        for (name, pool) in ledger.touched() {
            if planted!("pools_row_is_not_written") && pool.accepted.is_multiple_of(3) {
                continue;
            }
            group.put_visible(pool_row(number, name), write_message(pool));
            pools.push((name.clone(), pool.clone()));
        }
        for ((name, buyer), packs) in ledger.touched_buyers() {
            group.put_visible(buyer_row(number, name, *buyer), write_message(&packs));
        }
        for ((name, minute), sold) in minutes {
            group.put_visible(minute_row(number, &name, minute), write_message(&sold));
        }
        for (channel, sums) in totals {
            group.put_visible(totals_row(number, &channel), write_message(&sums));
        }
        pools
    }
}

fn order_of(row: &Row) -> Result<OrderName, StoreFault> {
    match row.value.as_deref().map(DocumentKey::from_bytes) {
        Some(Ok(DocumentKey::Order(name))) => Ok(name),
        _ => Err(StoreFault::Damaged(row.key.clone())),
    }
}

/// All orders that hold packs above a grant, or did.
pub(super) fn over(store: &dyn Store, number: CooperativeNumber) -> Result<Vec<OrderName>, StoreFault> {
    store.scan_all(&row(number, OVER, &[]))?.iter().map(order_of).collect()
}

/// All pools, as they are durable.
pub(super) fn pools(store: &dyn Store, number: CooperativeNumber) -> Result<BTreeMap<PoolName, Pool>, StoreFault> {
    pools_from(store, &row(number, POOL, &[]))
}

/// The pools of a channel, as they are durable.
pub(super) fn pools_of(
    store: &dyn Store,
    number: CooperativeNumber,
    channel: &str,
) -> Result<BTreeMap<PoolName, Pool>, StoreFault> {
    pools_from(store, &row(number, POOL, &channel_bytes(channel)))
}

fn pools_from(store: &dyn Store, prefix: &[u8]) -> Result<BTreeMap<PoolName, Pool>, StoreFault> {
    let mut pools = BTreeMap::new();
    each_row(store, prefix, |found| {
        let (name, _) = read_pool(rest(&found.key).get(1..).unwrap_or_default())
            .ok_or_else(|| StoreFault::Damaged(found.key.clone()))?;
        pools.insert(name, parse(&found.key, found.value.as_deref())?);
        Ok(())
    })?;
    Ok(pools)
}

/// What was sold of a pool from this minute on, by minute.
pub(super) fn minutes(
    store: &dyn Store,
    number: CooperativeNumber,
    pool: &PoolName,
    from: i64,
) -> Result<BTreeMap<i64, Sold>, StoreFault> {
    let mut minutes = BTreeMap::new();
    let prefix = row(number, MINUTE, &pool_bytes(pool));
    let after = (from > 0).then(|| minute_row(number, pool, from.saturating_sub(1)));
    crate::log::rows::each_row_after(store, &prefix, after, &mut |found| {
        let damaged = || StoreFault::Damaged(found.key.clone());
        let minute = found.key.get(prefix.len()..).and_then(|bytes| bytes.try_into().ok()).ok_or_else(damaged)?;
        minutes.insert(i64::from_be_bytes(minute), parse(&found.key, found.value.as_deref())?);
        Ok(())
    })?;
    Ok(minutes)
}

/// The sums of a channel.
pub(super) fn totals(store: &dyn Store, number: CooperativeNumber, channel: &str) -> Result<Totals, StoreFault> {
    one(store, row(number, TOTALS, &channel_bytes(channel))).map(Option::unwrap_or_default)
}

/// An order as it is known, and durable.
pub(super) fn known(
    store: &dyn Store,
    number: CooperativeNumber,
    name: &OrderName,
) -> Result<Option<Known>, StoreFault> {
    one(store, known_row(number, name))
}

/// The position of the log through which the ledger follows; 0 where nothing was read yet.
pub(super) fn through(store: &dyn Store, number: CooperativeNumber) -> Result<u64, StoreFault> {
    one(store, row(number, THROUGH, &[])).map(Option::unwrap_or_default)
}

/// When an operator said that the orders are complete, in milliseconds since 1970.
pub(super) fn complete_since(store: &dyn Store, number: CooperativeNumber) -> Result<Option<i64>, StoreFault> {
    one(store, complete_row(number))
}

pub(super) fn through_row(number: CooperativeNumber) -> Vec<u8> {
    row(number, THROUGH, &[])
}

pub(super) fn complete_row(number: CooperativeNumber) -> Vec<u8> {
    row(number, COMPLETE, &[])
}

/// Removes what was derived, so that it is made anew; an operator's word stays.
pub(super) fn remove_all(group: &mut GroupCommit<'_>, number: CooperativeNumber) -> Result<(), StoreFault> {
    for row in group.scan_all(&key(number, KIND, &[]))? {
        if row.key != complete_row(number) {
            group.remove_visible(row.key);
        }
    }
    Ok(())
}

fn one<M: serde::de::DeserializeOwned>(store: &dyn Store, row: Vec<u8>) -> Result<Option<M>, StoreFault> {
    store.get(&row)?.map(|bytes| parse(&row, Some(&bytes))).transpose()
}
