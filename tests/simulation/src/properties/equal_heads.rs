//! Each phone has the documents that it may read with the heads that the coordinator has.

use std::collections::BTreeMap;

use granary_client_core::schema::DocumentKey;

use super::Property;
use super::excuses::LostTwice;
use crate::world::World;

pub(super) struct Holds;

impl Property for Holds {
    fn name(&self) -> &'static str {
        "equal_heads"
    }

    fn after_recovery(&mut self, world: &mut World, coop: usize) -> Result<(), String> {
        let coordinator = world.coordinator(coop);
        for phone in world.living(coop) {
            let Some(key) = differing(world, coop, phone) else { continue };
            let (theirs, own) = (world.phones[coordinator].changes(&key), world.phones[phone].changes(&key));
            let (lacks, extra): (Vec<_>, Vec<_>) =
                (theirs.difference(&own).collect(), own.difference(&theirs).collect());
            let (orphans, one) = (world.orphans(coop)?, &world.phones[phone]);
            return Err(format!(
                "the server has {orphans} orphans; phone {phone} ({}, device {}) differs in {key:?} from the \
                 coordinator's: it lacks {lacks:?}, and has {extra:?} more",
                one.role, one.device
            ));
        }
        Ok(())
    }
}

/// The first document that a phone may read and has otherwise than the coordinator. Excused: a document of which a
/// restoration and a damage may both have taken a change.
fn differing(world: &mut World, coop: usize, phone: usize) -> Option<DocumentKey> {
    let coordinator = world.coordinator(coop);
    let mut wanted = world.phones[coordinator].heads();
    let role = world.phones[phone].role;
    wanted.retain(|key, _| role.may_read(key));
    let own = world.phones[phone].heads();
    let mut keys = BTreeMap::from_iter(wanted.keys().chain(own.keys()).map(|key| (key, ()))).into_keys();
    let lost_twice = LostTwice::of(world, coop);
    keys.find(|key| wanted.get(key) != own.get(key) && !lost_twice.contains(world, coop, key)).cloned()
}
