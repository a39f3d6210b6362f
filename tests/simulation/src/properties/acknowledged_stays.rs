//! Acknowledged lots stay, also if their phone is lost.

use super::Property;
use super::excuses::LostTwice;
use crate::phone::book;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "acknowledged_stays"
    }

    /// Excused after a restoration: lots of a phone that broke, was revoked or got another grant, and lots that a damage
    /// destroyed too.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (was_restored, lost_twice) = (world.was_restored(), LostTwice::of(world, coop));
        let here = world.coordinator_notes(coop);
        let of_coop = world.phones.iter().filter(|phone| phone.coop == coop && !(was_restored && phone.is_gone()));
        let mut lost = of_coop.flat_map(|phone| &phone.acknowledged).filter(|(note, _)| !here.contains(*note));
        match lost.find(|(_, household)| !lost_twice.contains(world, coop, &book(**household))) {
            Some((note, household)) => Err(format!("{note} of {household} was acknowledged, and it is lost")),
            None => Ok(()),
        }
    }
}
