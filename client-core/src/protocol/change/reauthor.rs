//! Writes a change again as another actor's. Two phones that came from one backup are one actor to everyone
//! else; when they have both used a number, one of them takes another actor and says again what it said.

use std::collections::{BTreeMap, HashMap};

use super::{ChangeFault, ChangeRecord, Key, Object, OperationId, VerifiedChange};
use crate::ids::{ActorId, ChangeHash};

/// Changes of one document that are written again, one after the other.
#[derive(Default)]
pub struct Reauthor {
    /// What each old change became.
    written: HashMap<ChangeHash, Written>,
    /// What each old change builds on among those that are written again, itself included.
    grounds: HashMap<ChangeHash, Ground>,
}

/// For each old actor its last change that is built on. Those before it are found from there: what a change builds
/// on has one change of a number, while among all that are written again, twins may have used it twice.
type Ground = HashMap<ActorId, ChangeHash>;

/// What a change became.
struct Written {
    hash: ChangeHash,
    /// Its new actor, with its sequence there.
    number: (ActorId, u64),
    /// Its first operation, and the one after its last.
    operations: (u64, u64),
    /// The change of its old actor before it, where that was written again.
    previous: Option<ChangeHash>,
}

impl Reauthor {
    /// The change as this actor's, with this sequence. Those that it builds on must have been written again
    /// and kept before it, or stay as they are.
    pub fn write(&self, old: &VerifiedChange, actor: &ActorId, sequence: u64) -> Result<VerifiedChange, ChangeFault> {
        let record = old.record();
        let ground = self.ground_of(record);
        let mut actors = BTreeMap::new();
        for_each_id(record, |id| {
            if let Some(actor) =
                record.actor_at(id.actor).map(|of| self.new_actor((record, actor), &ground, id.counter, of))
            {
                actors.insert(actor, 0u32);
            }
        });
        actors.remove(actor);
        for (number, index) in (1u32..).zip(actors.values_mut()) {
            *index = number;
        }
        let place = |id: OperationId| -> OperationId {
            let actor = record.actor_at(id.actor).map(|of| self.new_actor((record, actor), &ground, id.counter, of));
            let index = actor.and_then(|actor| actors.get(&actor).copied()).unwrap_or(0);
            OperationId { counter: id.counter, actor: index }
        };
        let mut operations = record.operations.clone();
        for operation in &mut operations {
            if let Object::Made(id) = &mut operation.object {
                *id = place(*id);
            }
            if let Key::Element(id) = &mut operation.key {
                *id = place(*id);
            }
            operation.predecessors.iter_mut().for_each(|id| *id = place(*id));
        }
        let other_actors: Vec<ActorId> = actors.into_keys().collect();
        let name = |id: &OperationId| match id.actor.checked_sub(1).and_then(|index| usize::try_from(index).ok()) {
            None => Some(actor.clone()),
            Some(index) => other_actors.get(index).cloned(),
        };
        for operation in &mut operations {
            operation.predecessors.sort_by_key(|id| (id.counter, name(id)));
        }
        let mut dependencies: Vec<ChangeHash> =
            record.dependencies.iter().map(|hash| self.written.get(hash).map_or(*hash, |to| to.hash)).collect();
        dependencies.sort_unstable();
        VerifiedChange::from_record(ChangeRecord {
            dependencies,
            actor: actor.clone(),
            sequence,
            other_actors,
            operations,
            ..record.clone()
        })
    }

    /// Those that are written from now on may build on this one.
    pub fn keep(&mut self, old: &VerifiedChange, written: &VerifiedChange) {
        let (record, new) = (old.record(), written.record());
        let mut ground = self.ground_of(record);
        let previous = ground.insert(record.actor.clone(), old.hash());
        let written = Written {
            hash: written.hash(),
            number: (new.actor.clone(), new.sequence),
            operations: (record.start_operation, record.next_operation()),
            previous,
        };
        self.written.insert(old.hash(), written);
        self.grounds.insert(old.hash(), ground);
    }

    /// True when a change builds on one that has become another.
    pub fn must_write(&self, change: &VerifiedChange) -> bool {
        change.record().dependencies.iter().any(|hash| self.written.get(hash).is_some_and(|to| to.hash != *hash))
    }

    /// The actor and sequence that the change of the same actor has now on which this one builds; none when that
    /// one stays as it is.
    pub fn previous(&self, change: &VerifiedChange) -> Option<(ActorId, u64)> {
        let ground = self.ground_of(change.record());
        Some(self.written.get(ground.get(&change.record().actor)?)?.number.clone())
    }

    fn ground_of(&self, record: &ChangeRecord) -> Ground {
        let mut ground = Ground::new();
        let after = |hash: &ChangeHash| self.written.get(hash).map_or(0, |written| written.operations.1);
        for (actor, hash) in record.dependencies.iter().filter_map(|hash| self.grounds.get(hash)).flatten() {
            let known = ground.entry(actor.clone()).or_insert(*hash);
            if after(hash) > after(known) {
                *known = *hash;
            }
        }
        ground
    }

    /// Whose operation an id means now: `own` is the change that is being written, with its new actor.
    fn new_actor(&self, own: (&ChangeRecord, &ActorId), ground: &Ground, counter: u64, actor: &ActorId) -> ActorId {
        let (record, new) = own;
        if *actor == record.actor && counter >= record.start_operation {
            return new.clone();
        }
        let mut at = ground.get(actor);
        while let Some(written) = at.and_then(|hash| self.written.get(hash)) {
            let (first, after) = written.operations;
            if (first..after).contains(&counter) {
                return written.number.0.clone();
            }
            at = written.previous.as_ref();
        }
        actor.clone()
    }
}

fn for_each_id(record: &ChangeRecord, mut each: impl FnMut(OperationId)) {
    for operation in &record.operations {
        if let Object::Made(id) = operation.object {
            each(id);
        }
        if let Key::Element(id) = operation.key {
            each(id);
        }
        operation.predecessors.iter().copied().for_each(&mut each);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::harvest::{self, LotDraft, LotEdit};
    use crate::documents::{Document, DocumentKey, Season};
    use crate::ids::{DeviceId, HouseholdId};
    use crate::quantities::{Grams, Instant};

    #[test]
    fn what_was_said_is_said_again_beside_what_the_twin_said() {
        let key = DocumentKey::HarvestBook(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
        let device = DeviceId::from_bytes([4; 8]);
        let (actor, day) = (device.actor(0), "2026-10-03".parse().unwrap());
        let grams = |grams: i64| Grams::new(grams).unwrap();
        let mut before = Document::new(key).unwrap();
        let draft = |weight: i64| LotDraft::new("millet", grams(weight), day);
        let (first, _) = before.edit(&actor, Instant(0), |doc| harvest::record(doc, &draft(1_000))).unwrap();
        let (mut one, mut twin) = (before.clone(), before.clone());
        one.edit(&actor, Instant(0), |doc| harvest::record(doc, &draft(2_000))).unwrap();
        // The twin corrects what both had, records a lot, and corrects that.
        let mut said = Vec::new();
        let edit = LotEdit::Quantity(grams(1_500));
        said.extend(twin.edit(&actor, Instant(0), |doc| harvest::correct(doc, &first, &edit)).unwrap().1);
        let (lot, change) = twin.edit(&actor, Instant(0), |doc| harvest::record(doc, &draft(3_000))).unwrap();
        said.extend(change);
        let edit = LotEdit::Note("twice".into());
        said.extend(twin.edit(&actor, Instant(0), |doc| harvest::correct(doc, &lot, &edit)).unwrap().1);

        let mut again = Reauthor::default();
        let mut changes = Vec::new();
        for (sequence, change) in (1..).zip(&said) {
            let written = again.write(change, &device.actor(77), sequence).unwrap();
            again.keep(change, &written);
            changes.push(written);
        }
        let together = one.trial(&changes).unwrap();
        let lots = harvest::lots(&together);
        let mut weights: Vec<i64> = lots.iter().filter_map(|lot| lot.quantity.map(Grams::get)).collect();
        weights.sort_unstable();
        assert_eq!(weights, [1_500, 2_000, 3_000]);
        assert!(lots.iter().any(|lot| lot.note.as_deref() == Some("twice")));
        assert!(lots.iter().all(|lot| !lot.in_conflict && lot.damaged.is_empty()));
    }
}
