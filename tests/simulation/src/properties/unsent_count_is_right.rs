//! The unsent count of a phone is the number of its outbox rows; with a noted backfill it is higher.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "unsent_count_is_right"
    }

    fn after_event(&mut self, world: &mut World, phone: usize) -> Result<(), String> {
        let one = &world.phones[phone];
        let (rows, unsent) = (one.unsent_rows(), one.replica.unsent());
        if rows == unsent || (rows < unsent && one.has_backfill()) {
            Ok(())
        } else {
            Err(format!("phone {phone} has {rows} outbox rows, and counts {unsent} unsent changes"))
        }
    }
}
