//! Trade in a world: what the shops sell, the streams, the server's rounds, and what an operator does after a restoration.

use std::collections::BTreeSet;

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::{Grams, Instant};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::order::{self, ToldStatus};
use granary_client_core::schema::sku::{Sku, set_sku};
use granary_client_core::schema::{DocumentKey, OrderName, Part};
use granary_server::Edits;

use super::shops::{Call, Shop};
use super::{Line, Setting, World, settle};

/// Rows that a backup does not hold: the server makes them anew.
const ROW_OF_TRADE: u8 = b'q';
/// Where a row's key says of which kind it is, behind its co-operative.
const KIND: usize = 4;
/// What every text about a buyer has in it, and no other text.
pub(crate) const BUYER: &str = "买家";
/// Waits for the rows of lists, of a tenth of a millisecond each.
const WAITS_MAX: u32 = 100_000;

/// What a world knows of trade.
#[derive(Default)]
pub(crate) struct Trade {
    pub(crate) shops: Vec<Shop>,
    /// Calls that the line delivers once more.
    pub(crate) late: Vec<Call>,
    /// True from a restoration until an operator has said that the orders are complete.
    pub(crate) lacks_orders: bool,
    /// Orders that a phone has packed or shipped, whatever they are now.
    pub(crate) packed: BTreeSet<OrderName>,
    /// Orders that are numbered so far.
    pub(crate) numbered: u32,
}

/// SKUs: two of one product, and one that expires.
fn skus() -> Vec<Sku> {
    let sku = |code: &str, product: &str, grams| Sku::new(code, product, "", Grams::new(grams).unwrap());
    let noodles = Sku { shelf_days: Some(180), ..sku("C", "noodles", 400) };
    let mut millet = sku("A", "millet", 500);
    millet.names = vec!["黄小米1斤".into()];
    vec![millet, sku("B", "millet", 1_000), noodles]
}

impl World {
    /// Opens the shops, and puts the SKUs into the catalogue.
    pub(super) fn begin_trade(&mut self) -> Result<(), String> {
        if self.setting != Setting::Trade {
            return Ok(());
        }
        self.enrol(0, Role::Packer)?;
        self.trade.shops = vec![Shop::new("douyin", false), Shop::new("youzan", true)];
        let (number, now, coops, person) =
            (self.coops[0], Instant(self.now), self.coops.clone(), self.people[0].device);
        let edits =
            Edits::one(DocumentKey::Catalogue(Part::FIRST), |doc| skus().iter().try_for_each(|sku| set_sku(doc, sku)));
        let server = self.server()?;
        let edited = server.edit_as(number, person, now, vec![edits]);
        settle(server, &coops);
        edited.map_err(|error| error.to_string())
    }

    /// The device of the first co-operative's server.
    pub(crate) fn server_device(&self) -> DeviceId {
        self.phones[0].cooperative.server_device()
    }

    /// One round of what follows acceptance, and what is done once a second. True unless a fault cut it off.
    pub(crate) fn trade_round(&mut self) -> Result<bool, String> {
        let (number, now, coops) = (self.coops[0], Instant(self.now), self.coops.clone());
        let server = self.server()?;
        let round = || {
            // What was admitted is noted once the jobs of the writer before this one are done.
            server.take_orders(number, Vec::new(), now)?;
            while server.follow_trade(now)? {}
            settle(server, &coops);
            server.take_orders(number, Vec::new(), now)?;
            for _ in 0..WAITS_MAX {
                if server.read_models_behind(number)? == 0 {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_micros(100));
            }
            server.tick_trade(now)
        };
        let done = round();
        settle(server, &coops);
        let is_faulty = self.disk.has_stopped() || self.disk.was_full();
        if is_faulty {
            self.crash_server();
        }
        match done {
            Ok(()) => Ok(!is_faulty),
            Err(_) if is_faulty => Ok(false),
            Err(error) => Err(format!("a round of trade failed without a fault: {error}")),
        }
    }

    /// The server writes the balances at the beginning of the month.
    pub(crate) fn keep_openings(&mut self) -> Result<(), String> {
        let (now, coops) = (Instant(self.now), self.coops.clone());
        let server = self.server()?;
        let kept = server.keep_openings(now);
        settle(server, &coops);
        kept.map(drop).map_err(|error| error.to_string())
    }

    /// Every shop tells all its orders again, as an export of its platform does.
    pub(crate) fn export_shops(&mut self, line: Line) -> Result<(), String> {
        for shop in 0..self.trade.shops.len() {
            let call = Call { shop, orders: self.trade.shops[shop].export() };
            let is_whole = self.call_feed(&call, line)?;
            self.trade.shops[shop].is_exported |= is_whole;
        }
        Ok(())
    }

    /// An operator says that all orders are here again, once every shop has told its own. True when it was said.
    pub(crate) fn say_complete(&mut self) -> Result<bool, String> {
        if !self.trade.lacks_orders || self.trade.shops.iter().any(|shop| !shop.is_exported) {
            return Ok(false);
        }
        let (number, now) = (self.coops[0], Instant(self.now));
        self.server()?.orders_are_complete(number, now).map_err(|error| error.to_string())?;
        self.trade.lacks_orders = false;
        self.count("orders said to be complete");
        Ok(true)
    }

    /// Once the disk is that of a backup. A backup holds no rows of trade; an older copy of the whole folder does.
    pub(super) fn trade_was_restored(&mut self) {
        if self.setting != Setting::Trade {
            return;
        }
        if self.dice.percent(60) {
            let is_of_trade = |key: &[u8]| key.get(KIND) == Some(&ROW_OF_TRADE);
            while self.disk.lose_row(0, is_of_trade).is_some() {}
        }
        self.trade.lacks_orders = true;
        self.trade.shops.iter_mut().for_each(Shop::server_was_restored);
    }

    /// Ends what is under way in trade, for the recovery: exports, the rounds that follow, and the operator's word.
    pub(crate) fn recover_trade(&mut self) -> Result<(), String> {
        if self.setting != Setting::Trade {
            return Ok(());
        }
        self.deliver_late_calls()?;
        self.export_shops(Line::Whole)?;
        for _ in 0..3 {
            self.trade_round()?;
        }
        self.say_complete().map(drop)
    }

    /// True for an order that may have gone out once, whatever its document says now.
    pub(crate) fn may_have_gone_out(&self, name: &OrderName) -> bool {
        let states =
            self.trade.shops.iter().filter_map(|shop| shop.sold.get(&name.outside_id)).flat_map(|sold| &sold.states);
        let mut told = states.filter(|state| state.name == *name).map(|state| state.order.told);
        self.trade.packed.contains(name) || told.any(|told| matches!(told, ToldStatus::Shipped | ToldStatus::Done))
    }

    /// The orders that the server has, as they are read.
    pub(crate) fn orders(&mut self) -> Result<Vec<(OrderName, order::Order)>, String> {
        let (number, device) = (self.coops[0], self.server_device());
        let cooperative = self.server()?.cooperative(number).map_err(|error| error.to_string())?;
        let mut orders = Vec::new();
        for key in cooperative.documents() {
            if let DocumentKey::Order(name) = &key
                && let Some(document) = self.document(0, &key)?
            {
                orders.push((name.clone(), order::read(&document, device)));
            }
        }
        Ok(orders)
    }
}
