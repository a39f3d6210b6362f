//! A phone says how many changes it has to send, and as many lie in its store.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "unsent_count_is_right"
    }

    fn after_event(&mut self, world: &mut World, phone: usize) -> Result<(), String> {
        let one = &world.phones[phone];
        let (there, told) = (one.unsent_rows(), one.replica.pending());
        if there == told { Ok(()) } else { Err(format!("phone {phone} has {there} changes to send, and says {told}")) }
    }
}
