//! Places that are taken and given back: so many for each name, so many in all. Some holders give way: when a newcomer
//! finds no place, the first of them that came loses its own, so that who holds without use keeps nobody out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;

struct Holder<N> {
    name: N,
    count: usize,
    /// It never gives way any more.
    is_kept: bool,
    /// Closed when the places are given away: every waiter learns of it, whenever it waits.
    told: Arc<Semaphore>,
}

#[derive(Default)]
struct Share {
    count: usize,
    gives_way: BTreeSet<u64>,
}

struct Taken<N> {
    /// By the order in which they came.
    holders: BTreeMap<u64, Holder<N>>,
    gives_way: BTreeSet<u64>,
    by_name: HashMap<N, Share>,
    all: usize,
    next: u64,
}

/// See the module. The tables hold who has a place now, so they are bounded by the places.
pub(crate) struct Places<N: Hash + Eq + Clone> {
    taken: Mutex<Taken<N>>,
    of_one: usize,
    of_all: usize,
}

/// Places of one holder; dropping it gives them back.
pub(crate) struct Place<N: Hash + Eq + Clone> {
    places: Arc<Places<N>>,
    name: N,
    serial: u64,
    told: Arc<Semaphore>,
    /// True where the name stands for many, and has no share of its own.
    is_shared: bool,
}

impl<N: Hash + Eq + Clone> Taken<N> {
    fn remove(&mut self, serial: u64) {
        let Some(holder) = self.holders.remove(&serial) else { return };
        self.gives_way.remove(&serial);
        self.all = self.all.saturating_sub(holder.count);
        if let Some(share) = self.by_name.get_mut(&holder.name) {
            share.gives_way.remove(&serial);
            share.count = share.count.saturating_sub(holder.count);
            if share.count == 0 {
                self.by_name.remove(&holder.name);
            }
        }
        holder.told.close();
    }

    /// Takes the places of this holder; false when there is none.
    fn take_from(&mut self, first: Option<u64>) -> bool {
        first.map(|serial| self.remove(serial)).is_some()
    }
}

fn first_but(serials: &BTreeSet<u64>, own: u64) -> Option<u64> {
    serials.iter().find(|serial| **serial != own).copied()
}

impl<N: Hash + Eq + Clone> Places<N> {
    pub(crate) fn new(of_one: usize, of_all: usize) -> Arc<Self> {
        let taken =
            Taken { holders: BTreeMap::new(), gives_way: BTreeSet::new(), by_name: HashMap::new(), all: 0, next: 0 };
        Arc::new(Self { taken: Mutex::new(taken), of_one, of_all })
    }

    fn taken(&self) -> MutexGuard<'_, Taken<N>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for this name; none when it has its share, or all are taken, and nobody gives way.
    pub(crate) fn take(self: &Arc<Self>, name: N) -> Option<Place<N>> {
        self.take_as(name, false)
    }

    /// As [`Self::take`] for a name that stands for many, as a proxy does: it has no share of its own.
    pub(crate) fn take_for_many(self: &Arc<Self>, name: N) -> Option<Place<N>> {
        self.take_as(name, true)
    }

    fn take_as(self: &Arc<Self>, name: N, is_shared: bool) -> Option<Place<N>> {
        let told = Arc::new(Semaphore::new(0));
        let serial = {
            let mut taken = self.taken();
            let serial = taken.next;
            taken.next = serial.wrapping_add(1);
            let holder = Holder { name: name.clone(), count: 0, is_kept: false, told: Arc::clone(&told) };
            taken.holders.insert(serial, holder);
            serial
        };
        let place = Place { places: Arc::clone(self), name, serial, told, is_shared };
        place.resize(1).then_some(place)
    }
}

impl<N: Hash + Eq + Clone> Place<N> {
    /// Has `count` places from now on; false when there are not so many, and then it has as many as before. False too when
    /// its places were given away.
    pub(crate) fn resize(&self, count: usize) -> bool {
        let of_one = if self.is_shared { usize::MAX } else { self.places.of_one };
        let of_all = self.places.of_all;
        let mut taken = self.places.taken();
        let Some(had) = taken.holders.get(&self.serial).map(|holder| holder.count) else { return false };
        let (more, less) = (count.saturating_sub(had), had.saturating_sub(count));
        if more > of_one || more > of_all {
            return false;
        }
        let own = |taken: &Taken<N>| taken.by_name.get(&self.name).map_or(0, |share| share.count);
        while more > 0 && own(&taken).saturating_add(more) > of_one {
            let first = taken.by_name.get(&self.name).and_then(|share| first_but(&share.gives_way, self.serial));
            if !taken.take_from(first) {
                return false;
            }
        }
        while more > 0 && taken.all.saturating_add(more) > of_all {
            let first = first_but(&taken.gives_way, self.serial);
            if !taken.take_from(first) {
                return false;
            }
        }
        taken.all = taken.all.saturating_add(more).saturating_sub(less);
        let share = taken.by_name.entry(self.name.clone()).or_default();
        share.count = share.count.saturating_add(more).saturating_sub(less);
        if let Some(holder) = taken.holders.get_mut(&self.serial) {
            holder.count = count;
        }
        true
    }

    /// Takes more places, until there are `count` of them; false as with [`Self::resize`].
    pub(crate) fn grow_to(&self, count: usize) -> bool {
        let had = self.places.taken().holders.get(&self.serial).map(|holder| holder.count);
        had.is_some_and(|had| count <= had || self.resize(count))
    }

    /// Whether it gives its places up to a newcomer.
    pub(crate) fn gives_way(&self, gives_way: bool) {
        let mut taken = self.places.taken();
        let Some(holder) = taken.holders.get(&self.serial) else { return };
        let gives_way = gives_way && !holder.is_kept;
        let Taken { gives_way: all, by_name, .. } = &mut *taken;
        let mut sets = [Some(all), by_name.get_mut(&self.name).map(|share| &mut share.gives_way)];
        for set in sets.iter_mut().flatten() {
            match gives_way {
                true => set.insert(self.serial),
                false => set.remove(&self.serial),
            };
        }
    }

    /// Keeps its places until it is dropped.
    pub(crate) fn keep(&self) {
        if let Some(holder) = self.places.taken().holders.get_mut(&self.serial) {
            holder.is_kept = true;
        }
        self.gives_way(false);
    }

    /// Waits until its places were given away, or given back.
    pub(crate) fn given_away(&self) -> impl Future<Output = ()> + Send + use<N> {
        let told = Arc::clone(&self.told);
        async move {
            // It has no permits, so this ends when it is closed.
            let _closed = told.acquire().await;
        }
    }
}

impl<N: Hash + Eq + Clone> Drop for Place<N> {
    fn drop(&mut self) {
        self.places.taken().remove(self.serial);
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
        assert_eq!(places.taken().by_name.len(), 1);
        let grows = Places::new(10, 12).take("a").unwrap();
        assert!(grows.grow_to(10) && !grows.grow_to(11) && grows.grow_to(4));
        let other = grows.places.take("b").unwrap();
        assert!(!other.resize(3) && grows.resize(4) && other.resize(8), "what is given back can be taken");
        let places = Arc::clone(&grows.places);
        drop((grows, other));
        let taken = places.taken();
        assert_eq!((taken.all, taken.holders.len(), taken.by_name.len()), (0, 0, 0));
    }

    #[tokio::test]
    async fn who_gives_way_and_came_first_loses_the_place_to_a_newcomer() {
        let places = Places::new(3, 4);
        let (first, second, firm) = (places.take("a").unwrap(), places.take("a").unwrap(), places.take("a").unwrap());
        [&first, &second, &firm].iter().for_each(|place| place.gives_way(true));
        second.gives_way(false);
        firm.keep();
        firm.gives_way(true);
        let newcomer = places.take("a").unwrap();
        first.given_away().await;
        assert!(!first.grow_to(2), "it has nothing any more");
        assert!(places.take("a").is_none(), "the others are of use");
        let _fourth = places.take("b").unwrap();
        assert!(places.take("c").is_none());
        newcomer.gives_way(true);
        let _another = places.take("c").unwrap();
        newcomer.given_away().await;
        drop((first, newcomer));
        assert_eq!(places.taken().all, 4, "what was given away is not given back twice");
    }

    #[test]
    fn nobody_gives_way_to_itself() {
        let places = Places::new(2, 2);
        let one = places.take("a").unwrap();
        one.gives_way(true);
        assert!(one.grow_to(2) && !one.grow_to(3) && one.grow_to(2));
    }
}
