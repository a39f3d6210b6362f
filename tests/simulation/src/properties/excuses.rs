//! Exceptions of several properties. Each is data of which no copy exists any more; see RELIABILITY.md.

use std::collections::BTreeSet;

use granary_client_core::ids::DocumentId;
use granary_client_core::schema::DocumentKey;

use crate::world::World;

/// Documents of which a damage and a restoration may have destroyed both copies of a change. Changes that build on it
/// stay orphans.
pub(super) struct LostTwice(BTreeSet<DocumentId>);

impl LostTwice {
    pub(super) fn of(world: &World, coop: usize) -> Self {
        let phones = world.phones.iter().filter(|phone| phone.coop == coop && world.was_restored());
        Self(phones.flat_map(|phone| phone.damaged.iter().copied()).collect())
    }

    pub(super) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    pub(super) fn contains(&self, world: &World, coop: usize, key: &DocumentKey) -> bool {
        let cooperative = world.phones[world.coordinator(coop)].cooperative;
        self.0.contains(&key.id(cooperative))
    }
}
