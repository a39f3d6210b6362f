//! A log never ends earlier after a crash than before it. Only a restoration may shorten it.

use std::collections::BTreeMap;

use granary_server::log::CooperativeNumber;

use super::Property;
use crate::world::World;

#[derive(Default)]
pub(super) struct Holds {
    /// How far each log was seen to reach, since so many restorations.
    reached: BTreeMap<CooperativeNumber, u64>,
    restorations: u32,
}

impl Property for Holds {
    fn name(&self) -> &'static str {
        "logs_do_not_go_back"
    }

    fn after_event(&mut self, world: &mut World, _phone: usize) -> Result<(), String> {
        if std::mem::replace(&mut self.restorations, world.restorations()) != self.restorations {
            self.reached.clear();
        }
        let Some(server) = world.running_server() else { return Ok(()) };
        for number in &world.coops {
            let cooperative = server.cooperative(*number).map_err(|error| error.to_string())?;
            let now = cooperative.statistics().positions;
            let before = self.reached.insert(*number, now).unwrap_or(0);
            if now < before {
                return Err(format!("the log of co-operative {} went back from {before} to {now}", number.0));
            }
        }
        Ok(())
    }
}
