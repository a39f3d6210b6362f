//! Writes a change again as another actor's. Two phones that came from one backup are one actor to everyone
//! else; when they have both used a number, one of them takes another actor and says again what it said.

use std::collections::{BTreeMap, HashMap};

use super::{ChangeFault, ChangeRecord, Key, Object, OperationId, VerifiedChange};
use crate::ids::{ActorId, ChangeHash};

/// Changes of one document that are written again, one after the other.
#[derive(Default)]
pub struct Reauthor {
    hashes: HashMap<ChangeHash, ChangeHash>,
    /// For each old actor, the first and the one after the last operation of each change, and its new actor.
    moved: HashMap<ActorId, Vec<(u64, u64, ActorId)>>,
    /// What each old change builds on among those that are written again.
    grounds: HashMap<ChangeHash, Ground>,
}

/// For each old actor, the first operation that is not among those that a change builds on. Only what a change
/// builds on is meant by its ids: a twin's operations have the same.
type Ground = HashMap<ActorId, u64>;

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
        let dependencies = record.dependencies.iter().map(|hash| self.hashes.get(hash).copied().unwrap_or(*hash));
        let mut dependencies: Vec<ChangeHash> = dependencies.collect();
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
        let record = old.record();
        let mut ground = self.ground_of(record);
        ground.insert(record.actor.clone(), record.next_operation());
        let moved = (record.start_operation, record.next_operation(), written.record().actor.clone());
        self.moved.entry(record.actor.clone()).or_default().push(moved);
        self.hashes.insert(old.hash(), written.hash());
        self.grounds.insert(old.hash(), ground);
    }

    fn ground_of(&self, record: &ChangeRecord) -> Ground {
        let mut ground = Ground::new();
        for (actor, after) in record.dependencies.iter().filter_map(|hash| self.grounds.get(hash)).flatten() {
            let known = ground.entry(actor.clone()).or_default();
            *known = (*known).max(*after);
        }
        ground
    }

    /// Whose operation an id means now: `own` is the change that is being written, with its new actor.
    fn new_actor(&self, own: (&ChangeRecord, &ActorId), ground: &Ground, counter: u64, actor: &ActorId) -> ActorId {
        let (record, new) = own;
        if *actor == record.actor && counter >= record.start_operation {
            return new.clone();
        }
        let is_ground = ground.get(actor).is_some_and(|after| counter < *after);
        let mut ranges = self.moved.get(actor).into_iter().flatten();
        match ranges.find(|(first, after, _)| (*first..*after).contains(&counter)) {
            Some((_, _, moved)) if is_ground => moved.clone(),
            _ => actor.clone(),
        }
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
