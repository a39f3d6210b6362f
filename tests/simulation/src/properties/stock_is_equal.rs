//! I2 and I3: replicas with equal heads derive equal stock, in which each holding's sums fit, and what is below nothing has a case.

use std::collections::BTreeMap;

use granary_client_core::ids::ChangeHash;
use granary_client_core::schema::{DocumentKey, DocumentKind};
use granary_client_core::trade::{Stock, StockCase};

use super::Property;
use crate::world::{Setting, World};

pub(super) struct Holds;

/// The heads of what stock follows from.
fn heads(world: &mut World, phone: usize) -> BTreeMap<DocumentKey, Vec<ChangeHash>> {
    let mut heads = world.phones[phone].heads();
    heads.retain(|key, _| {
        let kind = key.kind();
        let is_of_stock = [
            DocumentKind::Catalogue,
            DocumentKind::HarvestBook,
            DocumentKind::ReceiptBook,
            DocumentKind::Order,
            DocumentKind::StockBook,
        ];
        is_of_stock.contains(&kind)
    });
    heads
}

/// What is wrong with the sums of a stock.
fn fault(stock: &Stock) -> Option<String> {
    for (id, holding) in &stock.holdings {
        let on_hand = holding.came_in + holding.brought + holding.counted + holding.restocked
            - holding.lost
            - holding.taken
            - holding.used
            - holding.allocated;
        if on_hand != holding.on_hand() {
            return Some(format!("{id} has {} on hand, and its sums say {on_hand}", holding.on_hand()));
        }
        let is_told = |case: &StockCase| matches!(case, StockCase::BelowNothing { holding, sources, .. } if holding == id && !sources.is_empty());
        if on_hand < 0 && !stock.cases.iter().any(is_told) {
            return Some(format!("{id} has {on_hand} on hand, and no case names what took it"));
        }
        let placed: i64 = holding.by_bin.values().sum();
        if placed + holding.unplaced != holding.present() {
            return Some(format!(
                "the bins of {id} hold {placed} and {} nowhere, of {}",
                holding.unplaced,
                holding.present()
            ));
        }
    }
    None
}

impl Property for Holds {
    fn name(&self) -> &'static str {
        "stock_is_equal"
    }

    fn after_event(&mut self, world: &mut World, phone: usize) -> Result<(), String> {
        if world.setting != Setting::Trade || !world.phones[phone].is_of_warehouse() {
            return Ok(());
        }
        fault(&world.phones[phone].stock()).map_or(Ok(()), |why| Err(format!("on phone {phone}: {why}")))
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        if world.setting != Setting::Trade {
            return Ok(());
        }
        let mut known: Vec<(usize, BTreeMap<DocumentKey, Vec<ChangeHash>>, Stock)> = Vec::new();
        for phone in world.living(coop) {
            if !world.phones[phone].is_of_warehouse() {
                continue;
            }
            let (heads, stock) = (heads(world, phone), world.phones[phone].stock());
            for (other, of_other, its_stock) in &known {
                if *of_other == heads && *its_stock != stock {
                    return Err(format!(
                        "phones {other} and {phone} have equal heads, and {its_stock:?} and {stock:?}"
                    ));
                }
            }
            known.push((phone, heads, stock));
        }
        Ok(())
    }
}
