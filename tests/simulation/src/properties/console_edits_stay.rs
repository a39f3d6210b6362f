//! Edits that the console acknowledged stay in the server's documents.

use super::Property;
use crate::phone::SimPhone;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "console_edits_stay"
    }

    /// Excused: an edit that a restoration lost while no phone held it that can still give it back. A phone can't if it
    /// broke, was revoked, got another grant, or has damage in that document.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let edits = std::mem::take(&mut world.console_edits);
        let lost = edits.iter().filter(|edit| edit.coop == coop).try_for_each(|edit| {
            if world.server_has(coop, &edit.key, &edit.changes)? {
                return Ok(());
            }
            let gives_back = |one: &SimPhone| !one.is_gone() && !one.damaged.contains(&edit.key.id(one.cooperative));
            let is_nowhere = |held: &Vec<usize>| !held.iter().any(|phone| gives_back(&world.phones[*phone]));
            if edit.holders.iter().any(is_nowhere) {
                return Ok(());
            }
            let had = edit.holders.iter().map(|held| format!("phones {held:?} had it")).collect::<Vec<_>>().join(", ");
            Err(format!("{} was acknowledged in {:?}, and it is lost; at restorations: [{had}]", edit.text, edit.key))
        });
        world.console_edits = edits;
        lost
    }
}
