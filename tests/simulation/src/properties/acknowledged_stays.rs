//! The lots that the server has acknowledged stay, whoever brought them, and whatever became of their phone.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "acknowledged_stays"
    }

    /// Excused after a restoration: the phones that live give back what they have.
    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        if world.was_restored() {
            return Ok(());
        }
        let here = world.notes_of_coordinator(coop);
        let of_coop = world.phones.iter().filter(|phone| phone.coop == coop);
        match of_coop.flat_map(|phone| &phone.acknowledged).find(|(note, _)| !here.contains(*note)) {
            Some((note, household)) => Err(format!("{note} of {household} was acknowledged, and it is lost")),
            None => Ok(()),
        }
    }
}
