//! Nothing waits on the server for what does not come.

use super::Property;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "no_orphans_left"
    }

    /// Excused:
    /// - worlds with restorations or copies: what waits under a name that its author has given up stays there;
    /// - what a damage took from a phone that then broke, was revoked or may do something else now.
    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let waits = world.orphans(coop)?;
        let of_coop = world.phones_of(coop).map(|phone| &world.phones[phone]);
        let is_gone = of_coop.into_iter().any(|one| one.was_ever_damaged && one.is_gone());
        if waits > 0 && !world.was_restored() && !world.has_copies() && !is_gone {
            return Err(format!("{waits} entries wait on the server for what does not come"));
        }
        Ok(())
    }
}
