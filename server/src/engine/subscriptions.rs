//! Finds the connected phones that a change concerns without a scan over all: ten thousand idle phones must cost
//! nothing when one syncs.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::{Grants, Role};
use tokio::sync::Notify;

use crate::log::CooperativeNumber;

/// The id of a subscriber.
type SubscriberId = u64;

struct Subscriber {
    device: DeviceId,
    grants: Grants,
    notify: Arc<Notify>,
    has_ended: Arc<AtomicBool>,
}

#[derive(Default)]
struct CooperativeSubscribers {
    all: HashMap<SubscriberId, Subscriber>,
    /// Subscribers by household.
    of_household: HashMap<HouseholdId, BTreeSet<SubscriberId>>,
    /// Subscribers that read most documents: coordinators and packers.
    broad: BTreeSet<SubscriberId>,
    /// Recorders: which households they have depends on what households' documents say, which they may not read.
    recorders: BTreeSet<SubscriberId>,
}

#[derive(Default)]
struct State {
    by_cooperative: HashMap<CooperativeNumber, CooperativeSubscribers>,
    last_id: SubscriberId,
}

/// All connected phones.
#[derive(Clone, Default)]
pub(crate) struct Subscriptions {
    state: Arc<Mutex<State>>,
}

/// Keeps a connected phone subscribed until it is dropped.
pub(crate) struct Subscription {
    subscriptions: Subscriptions,
    cooperative: CooperativeNumber,
    id: SubscriberId,
    notify: Arc<Notify>,
    has_ended: Arc<AtomicBool>,
}

impl Subscription {
    /// True once the device may not act any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst)
    }

    /// Waits for a change that the phone may read; one since the last wait counts.
    pub(crate) async fn notified(&self) {
        self.notify.notified().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.subscriptions.state();
        if let Some(subscribers) = state.by_cooperative.get_mut(&self.cooperative) {
            subscribers.remove(self.id);
        }
    }
}

impl CooperativeSubscribers {
    fn add(&mut self, id: SubscriberId, subscriber: Subscriber) {
        for role in &subscriber.grants.roles {
            match role {
                Role::Household(household) | Role::RecorderFor(household) => {
                    self.of_household.entry(*household).or_default().insert(id);
                }
                Role::Coordinator | Role::Packer => {
                    self.broad.insert(id);
                }
                Role::Recorder => {
                    self.recorders.insert(id);
                }
            }
        }
        self.all.insert(id, subscriber);
    }

    fn remove(&mut self, id: SubscriberId) -> Option<Subscriber> {
        let subscriber = self.all.remove(&id)?;
        self.broad.remove(&id);
        self.recorders.remove(&id);
        for role in &subscriber.grants.roles {
            if let Role::Household(household) | Role::RecorderFor(household) = role
                && let Some(ids) = self.of_household.get_mut(household)
            {
                ids.remove(&id);
                if ids.is_empty() {
                    self.of_household.remove(household);
                }
            }
        }
        Some(subscriber)
    }

    fn notify<'a>(&self, ids: impl Iterator<Item = &'a SubscriberId>, key: &DocumentKey) {
        for subscriber in ids.filter_map(|id| self.all.get(id)) {
            if subscriber.grants.may_read(key) {
                subscriber.notify.notify_one();
            }
        }
    }
}

impl Subscriptions {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes a phone with these grants.
    pub(crate) fn subscribe(&self, cooperative: CooperativeNumber, device: DeviceId, grants: Grants) -> Subscription {
        let (notify, has_ended) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let mut state = self.state();
        state.last_id = state.last_id.wrapping_add(1);
        let id = state.last_id;
        let subscriber = Subscriber { device, grants, notify: Arc::clone(&notify), has_ended: Arc::clone(&has_ended) };
        state.by_cooperative.entry(cooperative).or_default().add(id, subscriber);
        Subscription { subscriptions: self.clone(), cooperative, id, notify, has_ended }
    }

    /// Notifies the phones that may read this document, after an admission.
    pub(crate) fn admitted(&self, cooperative: CooperativeNumber, key: &DocumentKey) {
        let state = self.state();
        let Some(subscribers) = state.by_cooperative.get(&cooperative) else { return };
        subscribers.notify(subscribers.broad.iter(), key);
        if let DocumentKey::Household(_) = key {
            // The household may have come into a village of theirs, or left it: that is decided when they ask.
            let recorders = subscribers.recorders.iter().filter_map(|id| subscribers.all.get(id));
            recorders.for_each(|subscriber| subscriber.notify.notify_one());
        }
        match (key, key.household()) {
            (_, Some(household)) => {
                subscribers.notify(subscribers.of_household.get(&household).into_iter().flatten(), key)
            }
            (DocumentKey::Order(_) | DocumentKey::Receiver(_) | DocumentKey::StockBook(_), None) => {}
            (_, None) => subscribers.notify(subscribers.all.keys(), key),
        }
    }

    /// Ends the connections of a device that may not act any more.
    pub(crate) fn ended(&self, cooperative: CooperativeNumber, device: DeviceId) {
        let state = self.state();
        let Some(subscribers) = state.by_cooperative.get(&cooperative) else { return };
        for subscriber in subscribers.all.values().filter(|subscriber| subscriber.device == device) {
            subscriber.has_ended.store(true, Ordering::SeqCst);
            subscriber.notify.notify_one();
        }
    }

    /// Changes the grants of a connected device, and notifies it.
    pub(crate) fn granted(&self, cooperative: CooperativeNumber, device: DeviceId, grants: &Grants) {
        let mut state = self.state();
        let Some(subscribers) = state.by_cooperative.get_mut(&cooperative) else { return };
        let ids: Vec<SubscriberId> =
            subscribers.all.iter().filter(|(_, subscriber)| subscriber.device == device).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(subscriber) = subscribers.remove(id) {
                subscriber.notify.notify_one();
                subscribers.add(id, Subscriber { grants: grants.clone(), ..subscriber });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use granary_client_core::schema::Season;
    use granary_client_core::schema::{Book, Part};

    use super::*;

    const COOP: CooperativeNumber = CooperativeNumber(1);

    fn grants(role: Role) -> Grants {
        Grants { version: 1, roles: [role].into() }
    }

    fn book(household: u8) -> DocumentKey {
        DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([household; 16]), Season::new(2026).unwrap()))
    }

    /// Whether each was notified since the last call.
    fn notified(subscriptions: &[&Subscription]) -> Vec<bool> {
        use std::future::Future;
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        subscriptions
            .iter()
            .map(|subscription| std::pin::pin!(subscription.notified()).as_mut().poll(&mut context).is_ready())
            .collect()
    }

    #[test]
    fn subscriptions_notify_only_readers() {
        let subscriptions = Subscriptions::default();
        let household = |number: u8| grants(Role::Household(HouseholdId::from_bytes([number; 16])));
        let device = |number: u8| DeviceId::from_bytes([number; 8]);
        let li = subscriptions.subscribe(COOP, device(1), household(1));
        let wang = subscriptions.subscribe(COOP, device(2), household(2));
        let coordinator = subscriptions.subscribe(COOP, device(3), grants(Role::Coordinator));
        let elsewhere = subscriptions.subscribe(CooperativeNumber(2), device(4), grants(Role::Coordinator));
        let all = [&li, &wang, &coordinator, &elsewhere];
        subscriptions.admitted(COOP, &book(1));
        assert_eq!(notified(&all), [true, false, true, false]);
        subscriptions.admitted(COOP, &DocumentKey::Catalogue(Part::FIRST));
        assert_eq!(notified(&all), [true, true, true, false]);
        subscriptions.granted(COOP, device(2), &household(1));
        assert_eq!(notified(&all), [false, true, false, false]);
        subscriptions.admitted(COOP, &book(1));
        assert_eq!(notified(&all), [true, true, true, false]);
        subscriptions.admitted(COOP, &book(2));
        assert_eq!(notified(&all), [false, false, true, false]);
    }
}
