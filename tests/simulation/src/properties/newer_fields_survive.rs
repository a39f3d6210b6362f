//! What a phone of a version ahead wrote besides, in fields that this version does not know, is where its lot is.

use std::collections::BTreeSet;

use super::Property;
use crate::world::{World, household};

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "newer_fields_survive"
    }

    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (coordinator, households) = (world.coordinator(coop), world.setting.households());
        let here = world.notes_of_coordinator(coop);
        let of_newer: BTreeSet<String> =
            (1..=households).flat_map(|number| world.phones[coordinator].new_fields(household(number))).collect();
        for phone in world.living(coop) {
            if !world.phones[phone].is_newer {
                continue;
            }
            let mut recorded = world.phones[phone].recorded.keys();
            if let Some(note) = recorded.find(|note| !of_newer.contains(*note) && here.contains(*note)) {
                return Err(format!("what a newer phone {phone} wrote of {note} besides is lost"));
            }
        }
        Ok(())
    }
}
