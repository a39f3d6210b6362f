//! I7: what is known of the person who gets an order stands in its receiver's document alone, which only coordinators and packers
//! read.

use automerge::{ROOT, ReadDoc};
use granary_client_core::schema::{Document, DocumentKey};

use super::Property;
use crate::world::{BUYER, Setting, World};

pub(super) struct Holds;

/// True where any text of a document, or of its history's last state, names a buyer.
fn names_a_buyer(document: &Document) -> bool {
    format!("{:?}", document.automerge().hydrate(ROOT, None)).contains(BUYER)
}

impl Property for Holds {
    fn name(&self) -> &'static str {
        "receivers_stay_apart"
    }

    fn is_leak(&self) -> bool {
        true
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        if world.setting != Setting::Trade {
            return Ok(());
        }
        let number = world.coops[coop];
        let keys = world.server()?.cooperative(number).map_err(|error| error.to_string())?.documents();
        for key in keys.into_iter().filter(|key| !matches!(key, DocumentKey::Receiver(_))) {
            if world.document(coop, &key)?.is_some_and(|document| names_a_buyer(&document)) {
                return Err(format!("{key:?} names a buyer"));
            }
        }
        for phone in world.living(coop) {
            let one = &world.phones[phone];
            let has_receiver = one.replica.documents().iter().any(|(key, _)| matches!(key, DocumentKey::Receiver(_)));
            if has_receiver && !one.is_of_warehouse() {
                return Err(format!("phone {phone} of a {} has a receiver", one.role));
            }
        }
        Ok(())
    }
}
