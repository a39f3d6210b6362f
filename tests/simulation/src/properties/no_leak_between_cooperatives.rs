//! No lot of another co-operative is visible.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "no_leak_between_cooperatives"
    }

    fn is_leak(&self) -> bool {
        true
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let here = world.coordinator_notes(coop);
        let strangers = world.phones.iter().filter(|phone| phone.coop != coop);
        match strangers.flat_map(|phone| phone.recorded.keys()).find(|note| here.contains(*note)) {
            Some(note) => Err(format!("{note} into another co-operative")),
            None => Ok(()),
        }
    }
}
