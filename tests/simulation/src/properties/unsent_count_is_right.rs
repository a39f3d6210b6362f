//! A phone says how many changes are unsent, and as many lie in its outbox; more while the server is known to lack some.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "unsent_count_is_right"
    }

    fn after_event(&mut self, world: &mut World, phone: usize) -> Result<(), String> {
        let one = &world.phones[phone];
        let (there, told) = (one.unsent_rows(), one.replica.unsent());
        if there == told || (there < told && one.has_backfill()) {
            Ok(())
        } else {
            Err(format!("phone {phone} has {there} changes to send, and says {told}"))
        }
    }
}
