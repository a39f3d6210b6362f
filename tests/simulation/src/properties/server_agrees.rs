//! The server has each document as the coordinator has it.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "server_agrees"
    }

    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (coordinator, number) = (world.coordinator(coop), world.coops[coop]);
        for (key, heads) in world.phones[coordinator].heads() {
            let document = world.server()?.document(number, &key).map_err(|error| error.to_string())?;
            let there = document.map(|mut document| document.heads());
            if there.as_ref() != Some(&heads) {
                return Err(format!("the server differs in {key:?}"));
            }
        }
        Ok(())
    }
}
