//! Fields of a newer version, which this version does not know, survive in every lot.

use std::collections::BTreeSet;

use super::Property;
use crate::world::{World, household};

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "newer_fields_survive"
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (coordinator, households) = (world.coordinator(coop), world.setting.households());
        let here = world.coordinator_notes(coop);
        let of_newer: BTreeSet<String> =
            (1..=households).flat_map(|number| world.phones[coordinator].new_fields(household(number))).collect();
        for phone in world.living(coop) {
            if !world.phones[phone].is_newer {
                continue;
            }
            let mut recorded = world.phones[phone].recorded.keys();
            if let Some(note) = recorded.find(|note| !of_newer.contains(*note) && here.contains(*note)) {
                return Err(format!("the newer fields of {note}, by phone {phone}, are lost"));
            }
        }
        Ok(())
    }
}
