//! Nothing waits on the server for what does not come.

use super::Property;
use super::excuses::LostTwice;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "no_orphans_left"
    }

    /// Excused after a restoration: what builds on what it took of a phone that broke, was revoked or may do something
    /// else now before it synced again, or on what a damage took as well.
    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let waits = world.orphans(coop)?;
        let is_gone = world.was_restored() && world.phones_of(coop).any(|phone| world.phones[phone].is_gone());
        if waits > 0 && !is_gone && !LostTwice::of(world, coop).is_any() {
            return Err(format!("{waits} entries wait on the server for what does not come"));
        }
        Ok(())
    }
}
