//! What several properties are excused by. Each excuse is a thing that is known and not mended, see RELIABILITY.md.

use std::collections::BTreeSet;

use granary_client_core::documents::DocumentKey;
use granary_client_core::ids::DocumentId;

use crate::phone::SimPhone;
use crate::world::World;

/// The actor of documents' first changes (`genesis`), in hexadecimal.
const BEGINNING: &str = "67656e65736973";

/// A copy may have used numbers that what a restoration took had as well.
pub(super) fn has_two_pasts(world: &World) -> bool {
    world.was_restored() && world.has_copies()
}

/// Documents of which a restoration and a damage may have taken the same change. It holds back what builds on it.
pub(super) struct LostTwice(BTreeSet<DocumentId>);

impl LostTwice {
    pub(super) fn of(world: &World, coop: usize) -> Self {
        let phones = world.phones.iter().filter(|phone| phone.coop == coop && world.was_restored());
        Self(phones.flat_map(|phone| phone.damaged.iter().copied()).collect())
    }

    pub(super) fn contains(&self, world: &World, coop: usize, key: &DocumentKey) -> bool {
        let cooperative = world.phones[world.coordinator(coop)].cooperative;
        self.0.contains(&key.id(cooperative))
    }
}

/// What only phones that may not write a document still have of a phone that was revoked, or has lost it too, is not
/// given back after a restoration: nobody could tell it from a forgery. True when the changes that a phone has and the
/// coordinator lacks are all of this kind.
pub(super) fn cannot_be_given_back(world: &World, coop: usize, changes: &[&String]) -> bool {
    let is_gone = |one: &&SimPhone| one.coop == coop && (one.is_gone() || one.was_ever_damaged);
    let gone: Vec<String> = world.phones.iter().filter(is_gone).map(|one| one.device.to_string()).collect();
    let is_of_gone = |change: &&String| {
        change.starts_with(BEGINNING) || gone.iter().any(|device| change.starts_with(device.as_str()))
    };
    world.was_restored() && changes.iter().all(is_of_gone)
}
