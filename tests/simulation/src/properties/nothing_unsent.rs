//! No phone that can sync has unsent changes.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "nothing_unsent"
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        for phone in world.living(coop) {
            let unsent = world.phones[phone].replica.unsent();
            if unsent > 0 {
                return Err(format!("phone {phone} still has {unsent} changes to send"));
            }
        }
        Ok(())
    }
}
