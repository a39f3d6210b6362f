//! Lots of imported outbox files stay.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "imported_lots_stay"
    }

    /// Excused after a restoration: the imported file may have been the only copy.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        if world.was_restored() {
            return Ok(());
        }
        let here = world.coordinator_notes(coop);
        match world.imported.iter().find(|(of, note, _)| *of == coop && !here.contains(note)) {
            Some((_, note, household)) => {
                Err(format!("{note} of {household} was in an imported outbox file, and is lost"))
            }
            None => Ok(()),
        }
    }
}
