//! The lots whose recording returned are with the coordinator.

use super::excuses::{LostTwice, has_two_pasts};
use super::{Property, equal_heads};
use crate::phone::book;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "recorded_lots_arrive"
    }

    /// Excused:
    /// - a phone that may do something else now: what it may no longer write is refused;
    /// - a phone that is excused of having what the coordinator has;
    /// - a document of which a restoration and a damage may both have taken a change;
    /// - what waits for what only a copy had that is gone for good, and whose number another copy has used.
    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (here, lost_twice) = (world.notes_of_coordinator(coop), LostTwice::of(world, coop));
        let may_wait = has_two_pasts(world)
            && world.phones_of(coop).any(|phone| world.phones[phone].is_gone() && world.is_a_copy(phone))
            && world.orphans(coop)? > 0;
        for phone in world.living(coop) {
            let one = &world.phones[phone];
            if one.was_granted_otherwise || (may_wait && one.orphan_rows() > 0) {
                continue;
            }
            let mut lost = one.recorded.iter().filter(|(note, _)| !here.contains(*note));
            let lost = lost.find(|(_, of)| !lost_twice.contains(world, coop, &book(**of)));
            let Some((note, of)) = lost.map(|(note, of)| (note.clone(), *of)) else { continue };
            if !equal_heads::is_excused(world, coop, phone) {
                return Err(format!("phone {phone} recorded {note} in {:?}, and it is lost", book(of)));
            }
        }
        Ok(())
    }
}
