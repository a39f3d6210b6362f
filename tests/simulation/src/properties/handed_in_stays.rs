//! The lots that came by a file stay.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "handed_in_stays"
    }

    /// Excused after a restoration: somebody may have handed in the only file there was.
    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        if world.was_restored() {
            return Ok(());
        }
        let here = world.notes_of_coordinator(coop);
        match world.handed_in.iter().find(|(of, note, _)| *of == coop && !here.contains(note)) {
            Some((_, note, household)) => Err(format!("{note} of {household} was handed in as a file, and it is lost")),
            None => Ok(()),
        }
    }
}
