//! No recorded lot exists twice.

use std::collections::BTreeSet;

use super::Property;
use crate::phone::first_note;
use crate::world::{World, household};

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "each_lot_is_there_once"
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let coordinator = world.coordinator(coop);
        let mut here = BTreeSet::new();
        for number in 1..=world.setting.households() {
            for lot in world.phones[coordinator].lots(household(number)) {
                let note = lot.note.as_deref().map(first_note);
                if let Some(note) = note.filter(|note| !here.insert(note.clone())) {
                    return Err(format!("{note} is there twice"));
                }
            }
        }
        Ok(())
    }
}
