//! The server has no orphans left.

use super::Property;
use super::excuses::LostTwice;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "no_orphans_left"
    }

    /// Excused after a restoration: orphans that build on lost changes of a phone that broke, was revoked or got another
    /// grant, or on changes that a damage destroyed too.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let orphans = world.orphans(coop)?;
        let is_gone = world.was_restored() && world.phones_of(coop).any(|phone| world.phones[phone].is_gone());
        if orphans > 0 && !is_gone && !LostTwice::of(world, coop).is_any() {
            return Err(format!("the server still has {orphans} orphans"));
        }
        Ok(())
    }
}
