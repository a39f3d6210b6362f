//! Which connected phones a change concerns, found without asking each of them: ten thousand idle phones must
//! cost nothing when one of them syncs.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use granary_client_core::documents::DocumentKey;
use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::access::{Grants, Role};
use tokio::sync::Notify;

use crate::log::CooperativeNumber;

/// Names a listener.
type Seat = u64;

struct Listener {
    device: DeviceId,
    grants: Grants,
    bell: Arc<Notify>,
}

#[derive(Default)]
struct Room {
    listeners: HashMap<Seat, Listener>,
    /// Those that read little: the books of their households, and what everyone reads.
    of_household: HashMap<HouseholdId, BTreeSet<Seat>>,
    /// Those that read most of what there is.
    broad: BTreeSet<Seat>,
}

#[derive(Default)]
struct State {
    rooms: HashMap<CooperativeNumber, Room>,
    last_seat: Seat,
}

/// See the module.
#[derive(Clone, Default)]
pub(crate) struct Rooms {
    state: Arc<Mutex<State>>,
}

/// A connected phone, until it is dropped.
pub(crate) struct Seated {
    rooms: Rooms,
    cooperative: CooperativeNumber,
    seat: Seat,
    bell: Arc<Notify>,
}

impl Seated {
    /// Waits until there is something that the phone may read. What came before is not missed.
    pub(crate) async fn called(&self) {
        self.bell.notified().await;
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        let mut state = self.rooms.state();
        if let Some(room) = state.rooms.get_mut(&self.cooperative) {
            room.leave(self.seat);
        }
    }
}

impl Room {
    fn enter(&mut self, seat: Seat, listener: Listener) {
        for role in &listener.grants.roles {
            match role {
                Role::Household(household) => {
                    self.of_household.entry(*household).or_default().insert(seat);
                }
                Role::Coordinator | Role::Packer => {
                    self.broad.insert(seat);
                }
            }
        }
        self.listeners.insert(seat, listener);
    }

    fn leave(&mut self, seat: Seat) -> Option<Listener> {
        let listener = self.listeners.remove(&seat)?;
        self.broad.remove(&seat);
        for role in &listener.grants.roles {
            if let Role::Household(household) = role
                && let Some(seats) = self.of_household.get_mut(household)
            {
                seats.remove(&seat);
                if seats.is_empty() {
                    self.of_household.remove(household);
                }
            }
        }
        Some(listener)
    }

    fn call<'a>(&self, seats: impl Iterator<Item = &'a Seat>, key: &DocumentKey) {
        for listener in seats.filter_map(|seat| self.listeners.get(seat)) {
            if listener.grants.may_read(key) {
                listener.bell.notify_one();
            }
        }
    }
}

impl Rooms {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A phone with these grants listens from now on.
    pub(crate) fn sit_down(&self, cooperative: CooperativeNumber, device: DeviceId, grants: Grants) -> Seated {
        let bell = Arc::new(Notify::new());
        let mut state = self.state();
        state.last_seat = state.last_seat.wrapping_add(1);
        let seat = state.last_seat;
        let listener = Listener { device, grants, bell: Arc::clone(&bell) };
        state.rooms.entry(cooperative).or_default().enter(seat, listener);
        Seated { rooms: self.clone(), cooperative, seat, bell }
    }

    /// There is something new about this document.
    pub(crate) fn admitted(&self, cooperative: CooperativeNumber, key: &DocumentKey) {
        let state = self.state();
        let Some(room) = state.rooms.get(&cooperative) else { return };
        room.call(room.broad.iter(), key);
        match (key, key.household()) {
            (_, Some(household)) => room.call(room.of_household.get(&household).into_iter().flatten(), key),
            (DocumentKey::Order(_), None) => {}
            (_, None) => room.call(room.listeners.keys(), key),
        }
    }

    /// What a device may do has changed.
    pub(crate) fn granted(&self, cooperative: CooperativeNumber, device: DeviceId, grants: &Grants) {
        let mut state = self.state();
        let Some(room) = state.rooms.get_mut(&cooperative) else { return };
        let seats: Vec<Seat> =
            room.listeners.iter().filter(|(_, listener)| listener.device == device).map(|(seat, _)| *seat).collect();
        for seat in seats {
            if let Some(listener) = room.leave(seat) {
                listener.bell.notify_one();
                room.enter(seat, Listener { grants: grants.clone(), ..listener });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use granary_client_core::documents::Season;

    use super::*;

    const COOP: CooperativeNumber = CooperativeNumber(1);

    fn grants(role: Role) -> Grants {
        Grants { version: 1, roles: [role].into() }
    }

    fn book(household: u8) -> DocumentKey {
        DocumentKey::HarvestBook(HouseholdId::from_bytes([household; 16]), Season::new(2026).unwrap())
    }

    /// Whether each was called since this was last asked.
    fn called(seated: &[&Seated]) -> Vec<bool> {
        use std::future::Future;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        seated.iter().map(|seated| std::pin::pin!(seated.called()).as_mut().poll(&mut context).is_ready()).collect()
    }

    #[test]
    fn only_those_who_may_read_are_called() {
        let rooms = Rooms::default();
        let household = |number: u8| grants(Role::Household(HouseholdId::from_bytes([number; 16])));
        let device = |number: u8| DeviceId::from_bytes([number; 8]);
        let li = rooms.sit_down(COOP, device(1), household(1));
        let wang = rooms.sit_down(COOP, device(2), household(2));
        let coordinator = rooms.sit_down(COOP, device(3), grants(Role::Coordinator));
        let elsewhere = rooms.sit_down(CooperativeNumber(2), device(4), grants(Role::Coordinator));
        let all = [&li, &wang, &coordinator, &elsewhere];
        rooms.admitted(COOP, &book(1));
        assert_eq!(called(&all), [true, false, true, false]);
        rooms.admitted(COOP, &DocumentKey::Catalogue);
        assert_eq!(called(&all), [true, true, true, false]);
        rooms.granted(COOP, device(2), &household(1));
        assert_eq!(called(&all), [false, true, false, false]);
        rooms.admitted(COOP, &book(1));
        assert_eq!(called(&all), [true, true, true, false]);
        rooms.admitted(COOP, &book(2));
        assert_eq!(called(&all), [false, false, true, false]);
    }
}
