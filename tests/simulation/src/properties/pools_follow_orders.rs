//! I1: what a pool has sold is what its orders want, and each pack above what was granted is marked on exactly one
//! order.

use std::collections::BTreeMap;

use granary_client_core::schema::order::{AfterSale, Order, OrderStatus, ToldStatus};

use super::Property;
use crate::world::{Setting, World};

pub(super) struct Holds;

/// What the documents say of one pool, in packs.
#[derive(Debug, Default)]
struct Said {
    /// What its orders want for sure, and at most.
    least: u64,
    most: u64,
    marked: u64,
}

/// What an order wants of each SKU, for sure and at most. The server keeps what it saw go out once, whatever the document says later.
fn wanted(order: &Order, may_have_gone_out: bool) -> Vec<(&str, u64, u64)> {
    let is_packed = matches!(order.status, Some(OrderStatus::Packed | OrderStatus::Shipped))
        || matches!(order.told, Some(ToldStatus::Shipped | ToldStatus::Done));
    let is_off = order.status == Some(OrderStatus::Cancelled) || order.told == Some(ToldStatus::Closed);
    let lines = order.lines.iter().filter_map(|line| {
        let (sku, packs) = (line.sku.as_deref()?, u64::from(line.packs?));
        let is_wanted = is_packed || (!is_off && line.after_sale != AfterSale::Refunded);
        let least = if is_wanted { packs } else { 0 };
        Some((sku, least, if may_have_gone_out { packs } else { least }))
    });
    lines.collect()
}

fn said(orders: impl IntoIterator<Item = (Order, bool)>) -> BTreeMap<(String, String), Said> {
    let mut all: BTreeMap<(String, String), Said> = BTreeMap::new();
    for (order, may_have_gone_out) in orders {
        let Some(channel) = order.pool.clone() else { continue };
        for (sku, least, most) in wanted(&order, may_have_gone_out) {
            let said = all.entry((channel.clone(), sku.to_owned())).or_default();
            (said.least, said.most) = (said.least + least, said.most + most);
        }
        for line in order.lines.iter().filter(|line| line.over > 0) {
            let sku = line.sku.clone().unwrap_or_default();
            all.entry((channel.clone(), sku)).or_default().marked += u64::from(line.over);
        }
    }
    all
}

impl Property for Holds {
    fn name(&self) -> &'static str {
        "pools_follow_orders"
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        if world.setting != Setting::Trade {
            return Ok(());
        }
        if world.trade.lacks_orders {
            return Err("not all orders could be told again".into());
        }
        let orders = world.orders()?;
        let mut said = said(orders.into_iter().map(|(name, order)| {
            let may_have_gone_out = world.may_have_gone_out(&name);
            (order, may_have_gone_out)
        }));
        let number = world.coops[coop];
        let pools = world.server()?.pools(number).map_err(|error| error.to_string())?;
        for pool in pools {
            let of = said.remove(&(pool.channel.clone(), pool.sku.clone())).unwrap_or_default();
            if !(of.least..=of.most).contains(&pool.accepted) {
                return Err(format!("{pool:?} has sold another number of packs than its orders say: {of:?}"));
            }
            if of.marked != pool.over {
                return Err(format!("{pool:?} counts another number of packs above the grant than are marked: {of:?}"));
            }
            if let Some(granted) = pool.granted
                && pool.accepted.saturating_sub(granted) != of.marked
            {
                return Err(format!(
                    "{pool:?} has sold above the grant what is not marked, or has marks on what is not"
                ));
            }
        }
        match said.into_iter().find(|(_, said)| said.least > 0 || said.marked > 0) {
            Some((name, said)) => Err(format!("no pool counts {name:?}, of which orders say {said:?}")),
            None => Ok(()),
        }
    }
}
