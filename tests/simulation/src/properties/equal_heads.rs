//! Whoever may read a document has it as the coordinator has it.

use std::collections::BTreeMap;

use granary_client_core::documents::DocumentKey;

use super::Property;
use super::excuses::{LostTwice, cannot_be_given_back};
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "equal_heads"
    }

    fn once_healed(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let coordinator = world.coordinator(coop);
        for phone in world.living(coop) {
            let Some(key) = differing(world, coop, phone) else { continue };
            if is_excused(world, coop, phone) {
                continue;
            }
            let (theirs, own) = (world.phones[coordinator].changes(&key), world.phones[phone].changes(&key));
            let (lacks, besides): (Vec<_>, Vec<_>) =
                (theirs.difference(&own).collect(), own.difference(&theirs).collect());
            let (waits, one) = (world.orphans(coop)?, &world.phones[phone]);
            return Err(format!(
                "{waits} entries wait on the server; phone {phone} ({}, device {}) differs in {key:?} from the \
                 coordinator's: it lacks {lacks:?}, and has besides {besides:?}",
                one.role, one.device
            ));
        }
        Ok(())
    }
}

/// Excused: a phone that has more than the coordinator, and nothing of it can be given back.
pub(super) fn is_excused(world: &mut World, coop: usize, phone: usize) -> bool {
    let Some(key) = differing(world, coop, phone) else { return false };
    let coordinator = world.coordinator(coop);
    let (theirs, own) = (world.phones[coordinator].changes(&key), world.phones[phone].changes(&key));
    let besides: Vec<&String> = own.difference(&theirs).collect();
    theirs.is_subset(&own) && cannot_be_given_back(world, coop, &besides)
}

/// The first document that a phone may read and has otherwise than the coordinator.
fn differing(world: &mut World, coop: usize, phone: usize) -> Option<DocumentKey> {
    let (coordinator, lost_twice) = (world.coordinator(coop), LostTwice::of(world, coop));
    let mut wanted = world.phones[coordinator].heads();
    let role = world.phones[phone].role;
    wanted.retain(|key, _| role.may_read(key));
    let own = world.phones[phone].heads();
    let mut keys = BTreeMap::from_iter(wanted.keys().chain(own.keys()).map(|key| (key, ()))).into_keys();
    keys.find(|key| !lost_twice.contains(world, coop, key) && wanted.get(key) != own.get(key)).cloned()
}
