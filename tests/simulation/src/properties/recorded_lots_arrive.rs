//! The lots whose recording returned are with the coordinator.

use super::Property;
use super::excuses::LostTwice;
use crate::phone::book;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "recorded_lots_arrive"
    }

    /// Excused:
    /// - a phone that may do something else now: what it may no longer write is refused;
    /// - a document of which a restoration and a damage may both have taken a change.
    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (here, lost_twice) = (world.notes_of_coordinator(coop), LostTwice::of(world, coop));
        for phone in world.living(coop) {
            let one = &world.phones[phone];
            if one.was_granted_otherwise {
                continue;
            }
            let mut lost = one.recorded.iter().filter(|(note, _)| !here.contains(*note));
            let lost = lost.find(|(_, of)| !lost_twice.contains(world, coop, &book(**of)));
            if let Some((note, of)) = lost {
                return Err(format!("phone {phone} recorded {note} in {:?}, and it is lost", book(*of)));
            }
        }
        Ok(())
    }
}
