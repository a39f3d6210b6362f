//! Splits one document's changes into entries that can be admitted independently. An entry is admitted whole, so
//! changes with different missing dependencies must not share one: the log may have lost some of the dependencies, and
//! the phone that sends a page does not know which.

use std::collections::{BTreeMap, HashMap};

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::ChangeHash;
use granary_client_core::protocol::bundle::DocumentChanges;

/// The transitive dependencies of a change outside its page: a bit for each of the first 63, and the last bit for all
/// others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Outside(u64);

impl Outside {
    fn of(place: usize) -> Self {
        Self(1 << place.min(63))
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Groups the changes of a page by their outside dependencies, into at most `at_most` groups but at least one. The
/// dependencies of a group are in it, in a group before it, or outside. A linear page makes one group.
pub(super) fn split_by_outside_dependencies(document: DocumentChanges, at_most: usize) -> Vec<DocumentChanges> {
    let DocumentChanges { key, changes } = document;
    let mut outside: HashMap<ChangeHash, usize> = HashMap::new();
    let mut inside: HashMap<ChangeHash, Outside> = HashMap::new();
    // A change has at least the outside dependencies of those it builds on, so it sorts after them.
    let mut groups: BTreeMap<(u32, Outside), Vec<VerifiedChange>> = BTreeMap::new();
    for change in changes {
        let needed = change.record().dependencies.iter().fold(Outside::default(), |needed, hash| {
            let next = outside.len();
            needed.and(match inside.get(hash) {
                Some(through) => *through,
                None => Outside::of(*outside.entry(*hash).or_insert(next)),
            })
        });
        inside.insert(change.hash(), needed);
        groups.entry((needed.0.count_ones(), needed)).or_default().push(change);
    }
    let mut groups: Vec<Vec<VerifiedChange>> = groups.into_values().collect();
    let rest = groups.split_off(groups.len().min(at_most.saturating_sub(1)));
    groups.push(rest.concat());
    groups.retain(|changes| !changes.is_empty());
    groups.into_iter().map(|changes| DocumentChanges { key: key.clone(), changes }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use granary_client_core::automerge::{ROOT, transaction::Transactable};
    use granary_client_core::ids::{DeviceId, Incarnation};
    use granary_client_core::quantities::Instant;
    use granary_client_core::schema::{Document, DocumentKey, Part};

    const KEY: DocumentKey = DocumentKey::Catalogue(Part::FIRST);

    fn writes(document: &mut Document, device: u8, what: i64) -> VerifiedChange {
        let actor = DeviceId::from_bytes([device; 8]).actor(Incarnation::new(0));
        document.edit(&actor, Instant(0), |doc| Ok(doc.put(ROOT, "n", what)?)).unwrap().1.unwrap()
    }

    fn split(changes: &[&VerifiedChange], at_most: usize) -> Vec<Vec<ChangeHash>> {
        let changes = changes.iter().map(|change| (*change).clone()).collect();
        let groups = split_by_outside_dependencies(DocumentChanges { key: KEY, changes }, at_most);
        groups.iter().map(|group| group.changes.iter().map(VerifiedChange::hash).collect()).collect()
    }

    #[test]
    fn changes_with_outside_dependencies_form_own_groups() {
        let (first, mut here) = (Document::first_change(&KEY).unwrap(), Document::new(KEY).unwrap());
        let own = writes(&mut here, 1, 1);
        writes(&mut here, 2, 2);
        let (ahead, further) = (writes(&mut here, 1, 3), writes(&mut here, 1, 4));
        let [a, b, c, d] = [&first, &own, &ahead, &further].map(VerifiedChange::hash);
        assert_eq!(split(&[&first, &own, &ahead, &further], 9), [vec![a, b], vec![c, d]]);
        assert_eq!(split(&[&first, &own], 9), [vec![a, b]]);
        assert_eq!(split(&[&own, &ahead], 9), [vec![b], vec![c]], "the log may have the dependencies of one");
        assert_eq!(split(&[&ahead, &further], 9), [vec![c, d]]);
    }

    #[test]
    fn merging_change_sorts_after_both_branches() {
        let mut here = Document::new(KEY).unwrap();
        let mut there = here.clone();
        let (lost, other) = (writes(&mut here, 1, 1), writes(&mut there, 2, 2));
        let (on_lost, on_other) = (writes(&mut here, 3, 3), writes(&mut there, 4, 4));
        here.apply(&[other, on_other.clone()]).unwrap();
        let joins = writes(&mut here, 5, 5);
        let [a, b, c] = [&on_lost, &on_other, &joins].map(VerifiedChange::hash);
        assert_eq!(split(&[&on_lost, &on_other, &joins], 9), [[a], [b], [c]]);
        // Beyond the limit the last groups are joined; no change is lost.
        assert_eq!(split(&[&on_lost, &on_other, &joins], 2), [vec![a], vec![b, c]]);
        assert_eq!(split(&[&on_lost, &on_other, &joins], 1), [[a, b, c]]);
        assert_eq!(split(&[&lost, &on_lost], 0), [vec![lost.hash(), on_lost.hash()]]);
    }

    #[test]
    fn split_keeps_every_change_beyond_64_dependencies() {
        let base = Document::new(KEY).unwrap();
        let apart: Vec<VerifiedChange> = (1..=100)
            .map(|device| {
                let mut document = base.clone();
                writes(&mut document, device, 1);
                writes(&mut document, device, 2)
            })
            .collect();
        let groups = split(&apart.iter().collect::<Vec<_>>(), 1000);
        assert_eq!(groups.len(), 64);
        assert_eq!(groups.concat().len(), 100);
    }
}
