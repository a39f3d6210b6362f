//! Each order that was acknowledged is there, and says what its platform told of it last.

use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::order;

use super::Property;
use crate::world::{Setting, World, says};

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "told_orders_stay"
    }

    /// The last thing before was an export of every shop.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        if world.setting != Setting::Trade {
            return Ok(());
        }
        let server = world.server_device();
        let shops = std::mem::take(&mut world.trade.shops);
        let mut looked = Ok(());
        'all: for shop in &shops {
            for (id, state, _) in shop.export() {
                let told = &shop.sold[&id].states[state];
                let document = world.document(coop, &DocumentKey::Order(told.name.clone()))?;
                let Some(document) = document else {
                    looked = Err(format!("order {} was acknowledged, and is not there", told.name));
                    break 'all;
                };
                let order = order::read(&document, server);
                if !says(&order, &told.order) {
                    looked = Err(format!("order {} was told as {:?}, and is {order:?}", told.name, told.order));
                    break 'all;
                }
                if !order.damaged.is_empty() {
                    looked = Err(format!("order {} can't be read: {:?}", told.name, order.damaged));
                    break 'all;
                }
            }
        }
        world.trade.shops = shops;
        looked
    }
}
