//! A lot that was recorded once is there once.

use std::collections::BTreeSet;

use granary_client_core::conflicts::twins;
use granary_client_core::documents::harvest::LotId;

use super::Property;
use super::excuses::has_two_pasts;
use crate::phone::first_note;
use crate::world::{World, household};

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "each_lot_is_there_once"
    }

    /// Excused where a phone was copied and the server restored: a lot that had got another name may come back by both,
    /// as a case of one harvest recorded twice, which somebody may have settled.
    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let (coordinator, has_two_pasts) = (world.coordinator(coop), has_two_pasts(world));
        let mut here = BTreeSet::new();
        for number in 1..=world.setting.households() {
            let lots = world.phones[coordinator].lots(household(number));
            let mut cases: BTreeSet<LotId> =
                twins(&lots).into_iter().flat_map(|pair| [pair.first, pair.second]).collect();
            cases.extend(lots.iter().filter_map(|lot| Some([lot.id.clone(), lot.merged_into.clone()?])).flatten());
            for lot in lots {
                let is_case = has_two_pasts && cases.contains(&lot.id);
                let note = lot.note.as_deref().map(first_note);
                if let Some(note) = note.filter(|note| !here.insert(note.clone()) && !is_case) {
                    return Err(format!("{note} is there twice"));
                }
            }
        }
        Ok(())
    }
}
