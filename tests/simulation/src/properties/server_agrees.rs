//! The server has each document as the coordinator has it.

use super::Property;
use super::excuses::LostTwice;
use crate::phone::change_names;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "server_agrees"
    }

    /// Excused: a document of which a restoration and a damage may both have taken a change.
    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (coordinator, number) = (world.coordinator(coop), world.coops[coop]);
        let lost_twice = LostTwice::of(world, coop);
        for (key, heads) in world.phones[coordinator].heads() {
            if lost_twice.contains(world, coop, &key) {
                continue;
            }
            let mut document = world.server()?.document(number, &key).map_err(|error| error.to_string())?;
            if document.as_mut().map(|document| document.heads()).as_ref() != Some(&heads) {
                let theirs = document.map(|mut document| change_names(&mut document)).unwrap_or_default();
                let own = world.phones[coordinator].changes(&key);
                let (lacks, extra): (Vec<_>, Vec<_>) =
                    (theirs.difference(&own).collect(), own.difference(&theirs).collect());
                return Err(format!(
                    "the coordinator's {key:?} lacks {lacks:?} of the server's, and has {extra:?} more"
                ));
            }
        }
        Ok(())
    }
}
