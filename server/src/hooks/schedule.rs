//! When each delivery goes: a state machine without clock, socket and store. Deliveries of one subject (an order, a pool) go one after
//! the other, so their order is kept; those of other subjects go beside them. One that fails is tried again after a minute, then
//! after twice as long, for a day, and then given up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use granary_client_core::quantities::Instant;

use crate::access::webhooks::WebhookId;

/// The wait after the first failure, in milliseconds.
const FIRST_WAIT: u64 = 60_000;
/// A delivery that could not be made for so long is given up, in milliseconds.
pub(crate) const GIVEN_UP_AFTER: u64 = 24 * 3_600_000;
/// Deliveries of one webhook at once, and of all.
const AT_ONCE: usize = 4;
const ALL_AT_ONCE: usize = 32;
/// A wait is this much shorter or longer, in thousandths, so that what failed together does not come back together.
const JITTER: u64 = 200;

/// Names a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DeliveryId {
    pub(crate) webhook: WebhookId,
    pub(crate) number: u64,
}

/// A delivery that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// What it is about; one after the other of one subject.
    pub(crate) subject: String,
    /// When it may go.
    pub(crate) due: Instant,
    /// How often it failed.
    pub(crate) attempts: u32,
    /// When it was to go first.
    pub(crate) since: Instant,
}

/// What follows on an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// It was made.
    Done,
    /// It goes again then.
    Again { at: Instant, attempts: u32 },
    /// It is given up.
    Dead,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Schedule {
    known: BTreeMap<DeliveryId, Waiting>,
    lanes: BTreeMap<(WebhookId, String), VecDeque<u64>>,
    /// The first of each lane that is not on its way, by the time at which it may go.
    heads: BTreeMap<WebhookId, BTreeSet<(Instant, u64)>>,
    flying: BTreeSet<DeliveryId>,
}

impl Schedule {
    /// Takes a delivery in; nothing for one that is known. Numbers of a webhook rise.
    pub(crate) fn add(&mut self, id: DeliveryId, waiting: Waiting) {
        if self.known.contains_key(&id) {
            return;
        }
        let lane = self.lanes.entry((id.webhook, waiting.subject.clone())).or_default();
        let before = lane.front().copied();
        // One that was given up and goes again has an earlier number than those that came since.
        let place = lane.iter().position(|number| *number > id.number).unwrap_or(lane.len());
        let flies_first = before.is_some_and(|number| self.flying.contains(&DeliveryId { number, ..id }));
        let place = if flies_first { place.max(1) } else { place };
        lane.insert(place, id.number);
        let due = waiting.due;
        self.known.insert(id, waiting);
        if place == 0 {
            let heads = self.heads.entry(id.webhook).or_default();
            let old = before.and_then(|number| Some((self.known.get(&DeliveryId { number, ..id })?.due, number)));
            old.map(|old| heads.remove(&old));
            heads.insert((due, id.number));
        }
    }

    fn flying_of(&self, webhook: WebhookId) -> usize {
        let all = DeliveryId { webhook, number: 0 }..=DeliveryId { webhook, number: u64::MAX };
        self.flying.range(all).count()
    }

    /// The next delivery that may go now, which is on its way from here on.
    pub(crate) fn next(&mut self, now: Instant) -> Option<DeliveryId> {
        if self.flying.len() >= ALL_AT_ONCE {
            return None;
        }
        let free = |webhook: &WebhookId| self.flying_of(*webhook) < AT_ONCE;
        let first = self.heads.iter().filter(|(webhook, _)| free(webhook));
        let first = first.filter_map(|(webhook, heads)| Some((*heads.first()?, *webhook))).min()?;
        let ((due, number), webhook) = first;
        if due > now {
            return None;
        }
        let id = DeliveryId { webhook, number };
        self.heads.get_mut(&webhook)?.remove(&(due, number));
        self.flying.insert(id);
        Some(id)
    }

    /// When the next delivery may go that is not held back by those on their way.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        if self.flying.len() >= ALL_AT_ONCE {
            return None;
        }
        let free = self.heads.iter().filter(|(webhook, _)| self.flying_of(**webhook) < AT_ONCE);
        free.filter_map(|(_, heads)| heads.first().map(|(due, _)| *due)).min()
    }

    /// Notes the end of an attempt. `chance` is any number.
    pub(crate) fn ended(&mut self, id: DeliveryId, is_made: bool, now: Instant, chance: u16) -> Next {
        self.flying.remove(&id);
        let Some(waiting) = self.known.get_mut(&id) else { return Next::Done };
        let ends = waiting.since.plus_millis(GIVEN_UP_AFTER);
        if is_made || now >= ends {
            self.remove(id);
            return if is_made { Next::Done } else { Next::Dead };
        }
        let wait = FIRST_WAIT.saturating_mul(1u64.checked_shl(waiting.attempts.min(20)).unwrap_or(u64::MAX));
        let span = JITTER.saturating_mul(2).saturating_add(1);
        let share = 1_000u64.saturating_sub(JITTER).saturating_add(u64::from(chance).checked_rem(span).unwrap_or(0));
        let at = now.plus_millis(wait.saturating_mul(share) / 1_000).min(ends);
        waiting.attempts = waiting.attempts.saturating_add(1);
        waiting.due = at;
        let attempts = waiting.attempts;
        self.heads.entry(id.webhook).or_default().insert((at, id.number));
        Next::Again { at, attempts }
    }

    /// Takes a delivery out; the next of its lane may go when it is due.
    pub(crate) fn remove(&mut self, id: DeliveryId) {
        self.flying.remove(&id);
        let Some(waiting) = self.known.remove(&id) else { return };
        if let Some(heads) = self.heads.get_mut(&id.webhook) {
            heads.remove(&(waiting.due, id.number));
        }
        let lane_key = (id.webhook, waiting.subject);
        let Some(lane) = self.lanes.get_mut(&lane_key) else { return };
        let was_first = lane.front() == Some(&id.number);
        lane.retain(|number| *number != id.number);
        match lane.front().copied() {
            None => drop(self.lanes.remove(&lane_key)),
            Some(number) if was_first => {
                if let Some(next) = self.known.get(&DeliveryId { number, ..id }) {
                    self.heads.entry(id.webhook).or_default().insert((next.due, number));
                }
            }
            Some(_) => {}
        }
    }

    /// Forgets all deliveries of a webhook, those on their way too.
    pub(crate) fn forget(&mut self, webhook: WebhookId) {
        let of_it: Vec<DeliveryId> = self.known.keys().filter(|id| id.webhook == webhook).copied().collect();
        of_it.into_iter().for_each(|id| self.remove(id));
        self.heads.remove(&webhook);
    }

    /// The webhooks that have deliveries here.
    pub(crate) fn webhooks(&self) -> BTreeSet<WebhookId> {
        self.known.keys().map(|id| id.webhook).collect()
    }

    /// Deliveries of a subject that are not on their way: what a later one makes needless.
    pub(crate) fn waiting_of(&self, webhook: WebhookId, subject: &str) -> Vec<DeliveryId> {
        let lane = self.lanes.get(&(webhook, subject.to_owned())).into_iter().flatten();
        lane.map(|number| DeliveryId { webhook, number: *number }).filter(|id| !self.flying.contains(id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHOP: WebhookId = WebhookId(1);

    fn id(number: u64) -> DeliveryId {
        DeliveryId { webhook: SHOP, number }
    }

    fn waiting(subject: &str, due: i64) -> Waiting {
        Waiting { subject: subject.into(), due: Instant(due), attempts: 0, since: Instant(due) }
    }

    #[test]
    fn events_of_one_order_keep_their_order_and_others_do_not_wait() {
        let mut schedule = Schedule::default();
        schedule.add(id(1), waiting("order a", 0));
        schedule.add(id(2), waiting("order a", 0));
        schedule.add(id(3), waiting("order b", 0));
        assert_eq!(schedule.next(Instant(0)), Some(id(1)));
        assert_eq!(schedule.next(Instant(0)), Some(id(3)));
        assert_eq!(schedule.next(Instant(0)), None, "the second waits for the first");
        let Next::Again { at, attempts: 1 } = schedule.ended(id(1), false, Instant(0), 0) else { panic!() };
        assert_eq!(at, Instant(48_000), "a minute less the jitter");
        assert_eq!(schedule.next(Instant(47_999)), None, "it keeps waiting while the first is tried again");
        assert_eq!(schedule.due_at(), Some(Instant(48_000)));
        assert_eq!(schedule.next(Instant(48_000)), Some(id(1)));
        assert_eq!(schedule.ended(id(1), true, Instant(48_001), 0), Next::Done);
        assert_eq!(schedule.next(Instant(48_001)), Some(id(2)));
    }

    #[test]
    fn waits_double_with_jitter_until_a_day_is_over_then_it_is_given_up() {
        let mut schedule = Schedule::default();
        schedule.add(id(1), waiting("order a", 0));
        let (mut now, mut waits) = (Instant(0), Vec::new());
        loop {
            assert_eq!(schedule.next(now), Some(id(1)));
            match schedule.ended(id(1), false, now, 200) {
                Next::Again { at, .. } => {
                    waits.push(at.millis_since(now) / 60_000);
                    now = at;
                }
                Next::Dead => break,
                Next::Done => panic!(),
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 417], "minutes, the last until the day is over");
        assert_eq!(now, Instant(24 * 3_600_000));
        assert_eq!(schedule.next(Instant(i64::MAX)), None);
    }

    #[test]
    fn one_webhook_has_four_on_their_way_and_holds_nobody_up() {
        let mut schedule = Schedule::default();
        for number in 0..10 {
            schedule.add(id(number), waiting(&format!("order {number}"), 0));
        }
        let other = DeliveryId { webhook: WebhookId(2), number: 1 };
        schedule.add(other, waiting("order a", 5));
        let first: Vec<_> = std::iter::from_fn(|| schedule.next(Instant(0))).collect();
        assert_eq!(first, [0, 1, 2, 3].map(id));
        assert_eq!(schedule.due_at(), Some(Instant(5)), "the other webhook's");
        assert_eq!(schedule.next(Instant(5)), Some(other));
        schedule.forget(SHOP);
        assert_eq!(schedule.webhooks(), [WebhookId(2)].into());
        assert_eq!(schedule.ended(id(0), false, Instant(6), 0), Next::Done, "a webhook that is gone");
    }

    #[test]
    fn what_goes_again_comes_before_what_came_since() {
        let mut schedule = Schedule::default();
        schedule.add(id(5), waiting("order a", 0));
        schedule.add(id(2), waiting("order a", 0));
        assert_eq!(schedule.next(Instant(0)), Some(id(2)));
        schedule.add(id(1), waiting("order a", 0));
        assert_eq!(schedule.next(Instant(0)), None, "one at a time");
        schedule.ended(id(2), true, Instant(1), 0);
        assert_eq!(schedule.next(Instant(1)), Some(id(1)));
        assert_eq!(schedule.waiting_of(SHOP, "order a"), vec![id(5)]);
    }

    proptest! {
        // Whatever happens, what is known ends once, each lane has one on its way, and numbers of a lane go in their order.
        #[test]
        fn every_delivery_ends_and_lanes_keep_their_order(
            lanes in proptest::collection::vec(0u8..3, 1..40),
            made in proptest::collection::vec(any::<bool>(), 200),
        ) {
            let mut schedule = Schedule::default();
            for (number, lane) in lanes.iter().enumerate() {
                schedule.add(id(number as u64), waiting(&lane.to_string(), 0));
            }
            let (mut now, mut ended) = (Instant(0), Vec::new());
            let mut made = made.into_iter().chain(std::iter::repeat(true));
            while let Some(due) = schedule.due_at() {
                now = now.max(due);
                let flying: Vec<_> = std::iter::from_fn(|| schedule.next(now)).collect();
                let subjects: BTreeSet<_> = flying.iter().map(|id| lanes[id.number as usize]).collect();
                prop_assert_eq!(subjects.len(), flying.len());
                for id in flying {
                    if !matches!(schedule.ended(id, made.next().unwrap(), now, 7), Next::Again { .. }) {
                        ended.push(id.number);
                    }
                }
            }
            prop_assert_eq!(ended.len(), lanes.len());
            for lane in 0u8..3 {
                let of_lane: Vec<_> = ended.iter().filter(|number| lanes[**number as usize] == lane).collect();
                prop_assert!(of_lane.is_sorted(), "{:?}", of_lane);
            }
        }
    }
}
