//! A phone has the lots whose recording returned.

use std::collections::BTreeSet;

use granary_client_core::ids::HouseholdId;

use super::Property;
use crate::phone::book;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "has_what_it_recorded"
    }

    /// Excused:
    /// - a revoked phone, a damaged phone until it has recovered, and a phone whose grant was changed;
    /// - a document that lost changes to both a restoration and a damage.
    fn after_event(&mut self, world: &mut World, phone: usize) -> Result<(), String> {
        let was_restored = world.was_restored();
        let one = &mut world.phones[phone];
        if one.is_revoked || one.was_damaged || one.grant_was_changed {
            return Ok(());
        }
        let grants = one.replica.grants().clone();
        let households: BTreeSet<HouseholdId> = one.recorded.values().copied().collect();
        for household in households.into_iter().filter(|household| grants.may_read(&book(*household))) {
            let notes: BTreeSet<String> = one.notes(household).into_iter().collect();
            let gone = one.recorded.iter().find(|(note, of)| **of == household && !notes.contains(*note));
            let lost_twice = was_restored && one.damaged.contains(&book(household).id(one.cooperative));
            if let Some((note, _)) = gone.filter(|_| !lost_twice) {
                return Err(format!("phone {phone} recorded {note}, and has it no more"));
            }
        }
        Ok(())
    }
}
