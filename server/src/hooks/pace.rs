//! How often a thing that changes all the time is told: at most once a second, and always its last state. A state machine without
//! clock.

use std::collections::{BTreeMap, BTreeSet};

use granary_client_core::quantities::Instant;

/// The least time between two of one thing, in milliseconds.
const LEAST: u64 = 1_000;

/// See the module.
#[derive(Debug)]
pub(crate) struct Pace<K> {
    told: BTreeMap<K, Instant>,
    changed: BTreeSet<K>,
}

impl<K> Default for Pace<K> {
    fn default() -> Self {
        Self { told: BTreeMap::new(), changed: BTreeSet::new() }
    }
}

impl<K: Ord + Clone> Pace<K> {
    /// Notes that a thing changed.
    pub(crate) fn changed(&mut self, thing: K) {
        self.changed.insert(thing);
    }

    fn due_of(&self, thing: &K) -> Instant {
        self.told.get(thing).map_or(Instant(i64::MIN), |told| told.plus_millis(LEAST))
    }

    /// The things that are to be told now, as they are now.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<K> {
        let due: Vec<K> = self.changed.iter().filter(|thing| self.due_of(thing) <= now).cloned().collect();
        for thing in &due {
            self.changed.remove(thing);
            self.told.insert(thing.clone(), now);
        }
        // What was told long ago holds nothing back.
        self.told.retain(|_, told| told.plus_millis(LEAST) > now);
        due
    }

    /// When the next thing is to be told.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        self.changed.iter().map(|thing| self.due_of(thing)).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_second_and_always_the_last() {
        let mut pace = Pace::default();
        let (mut left, mut told) = (100, Vec::new());
        for now in (0..3_050).step_by(10).map(Instant) {
            left -= 1;
            pace.changed("XM-05");
            told.extend(pace.due(now).into_iter().map(|_| (now.0, left)));
        }
        assert_eq!(told.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1_000, 2_000, 3_000]);
        assert_eq!(pace.due_at(), Some(Instant(4_000)), "the last change is told too");
        assert_eq!(pace.due(Instant(3_999)), Vec::<&str>::new());
        assert_eq!(pace.due(Instant(4_000)), ["XM-05"]);
        assert_eq!(pace.due_at(), None);
        pace.changed("LJ-01");
        assert_eq!(pace.due(Instant(4_001)), ["LJ-01"], "another pool has its own second");
    }
}
