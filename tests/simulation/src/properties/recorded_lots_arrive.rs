//! The coordinator has every lot whose `record` returned.

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
    /// - a phone whose grant was changed, since the server refuses what it may no longer write;
    /// - a document that lost changes to both a restoration and a damage.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (here, lost_twice) = (world.coordinator_notes(coop), LostTwice::of(world, coop));
        for phone in world.living(coop) {
            let one = &world.phones[phone];
            if one.grant_was_changed {
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
