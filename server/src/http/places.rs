//! Places that are taken and given back: so many for each name, so many in all.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

struct Taken<N> {
    by_name: HashMap<N, usize>,
    all: usize,
}

/// See the module. The table holds the names that have a place now, so it is bounded by the places.
pub(crate) struct Places<N: Hash + Eq + Clone> {
    taken: Mutex<Taken<N>>,
    of_one: usize,
    of_all: usize,
}

/// Places of one name; dropping it gives them back.
pub(crate) struct Place<N: Hash + Eq + Clone> {
    places: Arc<Places<N>>,
    name: N,
    count: usize,
    /// True where the name stands for many, and has no share of its own.
    is_shared: bool,
}

impl<N: Hash + Eq + Clone> Places<N> {
    pub(crate) fn new(of_one: usize, of_all: usize) -> Arc<Self> {
        Arc::new(Self { taken: Mutex::new(Taken { by_name: HashMap::new(), all: 0 }), of_one, of_all })
    }

    /// A place for this name; none when it has its share, or all are taken.
    pub(crate) fn take(self: &Arc<Self>, name: N) -> Option<Place<N>> {
        let mut place = Place { places: Arc::clone(self), name, count: 0, is_shared: false };
        place.grow_to(1).then_some(place)
    }

    /// As [`Self::take`] for a name that stands for many, as a proxy does: none when all are taken.
    pub(crate) fn take_for_many(self: &Arc<Self>, name: N) -> Option<Place<N>> {
        let mut place = Place { places: Arc::clone(self), name, count: 0, is_shared: true };
        place.grow_to(1).then_some(place)
    }
}

impl<N: Hash + Eq + Clone> Place<N> {
    /// Takes more places, until there are `count` of them; false when there are not so many.
    pub(crate) fn grow_to(&mut self, count: usize) -> bool {
        let more = count.saturating_sub(self.count);
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.by_name.get(&self.name).copied().unwrap_or(0).saturating_add(more);
        let all = taken.all.saturating_add(more);
        if (own > self.places.of_one && !self.is_shared) || all > self.places.of_all {
            return false;
        }
        taken.by_name.insert(self.name.clone(), own);
        taken.all = all;
        self.count = self.count.saturating_add(more);
        true
    }
}

impl<N: Hash + Eq + Clone> Drop for Place<N> {
    fn drop(&mut self) {
        if self.count == 0 {
            return;
        }
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(self.count);
        match taken.by_name.get_mut(&self.name) {
            Some(own) if *own > self.count => *own = own.saturating_sub(self.count),
            _ => {
                taken.by_name.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_each_name_and_in_all_and_come_back() {
        let places = Places::new(2, 3);
        let held: Vec<_> = ["a", "a", "b"].into_iter().map(|name| places.take(name).unwrap()).collect();
        assert!(places.take("c").is_none(), "all are taken");
        drop(held);
        let _two = (places.take("a").unwrap(), places.take("a").unwrap());
        assert!(places.take("a").is_none(), "it has its share");
        assert!(places.take("c").is_some());
        assert!(places.take_for_many("a").is_some(), "it stands for many");
        assert_eq!(places.taken.lock().unwrap().by_name.len(), 1);
        let mut grows = Places::new(10, 12).take("a").unwrap();
        assert!(grows.grow_to(10) && !grows.grow_to(11) && grows.grow_to(4));
        let places = Arc::clone(&grows.places);
        drop(grows);
        assert_eq!(places.taken.lock().unwrap().all, 0);
    }
}
