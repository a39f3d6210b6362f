use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn want(line: &str, sku: &str, packs: u32) -> Want {
    Want { line: line.into(), pool: PoolName::new("live", sku), packs }
}

fn with(granted: &[(&str, u64)]) -> Ledger {
    let mut ledger = Ledger::default();
    for (sku, packs) in granted {
        ledger.grant(&PoolName::new("live", sku), *packs);
    }
    ledger
}

#[test]
fn asked_order_is_taken_whole_or_not_at_all() {
    let mut ledger = with(&[("A", 5), ("B", 1)]);
    let before = ledger.clone();
    let order = [want("1", "A", 2), want("2", "B", 2), want("3", "A", 1)];
    assert_eq!(ledger.ask(&order, None, 0), Err(Refusal::SoldOut { left: vec![("B".into(), 1)] }));
    assert_eq!(ledger, before, "nothing was taken of A either");
    // Two lines of one pool count together.
    let order = [want("1", "A", 3), want("2", "A", 3)];
    assert_eq!(ledger.ask(&order, None, 0), Err(Refusal::SoldOut { left: vec![("A".into(), 5)] }));
    let held = ledger.ask(&[want("1", "A", 5), want("2", "B", 1)], None, 0).unwrap();
    assert!(held.iter().all(|line| line.over == 0));
    assert_eq!(ledger.pool(&PoolName::new("live", "A")).left(), 0);
}

#[test]
fn told_order_is_taken_and_its_packs_above_the_grant_are_marked() {
    let mut ledger = with(&[("A", 5)]);
    assert_eq!(ledger.tell(&[want("1", "A", 4)], None)[0].over, 0);
    let held = ledger.tell(&[want("1", "A", 2), want("2", "A", 3)], None);
    assert_eq!((held[0].over, held[1].over), (1, 3));
    let pool = ledger.pool(&PoolName::new("live", "A"));
    assert_eq!((pool.accepted, pool.over, pool.left(), pool.short()), (9, 4, 0, 4));
}

#[test]
fn pool_that_nobody_granted_counts_told_orders_and_refuses_asked_ones() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.tell(&[want("1", "A", 4)], None)[0].over, 0);
    assert_eq!(ledger.ask(&[want("1", "A", 1)], None, 0), Err(Refusal::SoldOut { left: vec![("A".into(), 0)] }));
}

#[test]
fn released_packs_can_be_asked_for_again_and_what_was_over_goes_first() {
    let mut ledger = with(&[("A", 5)]);
    let first = ledger.tell(&[want("1", "A", 4)], None);
    let second = ledger.tell(&[want("1", "A", 3)], None);
    assert_eq!(second[0].over, 2);
    // One pack of the second order is refunded: it was over.
    let second = ledger.hold(&second, &[want("1", "A", 2)], None);
    assert_eq!((second[0].packs, second[0].over), (2, 1));
    // The first is called off: there is room, and the second order's mark can go.
    assert!(ledger.hold(&first, &[], None).is_empty());
    let mut line = second[0].clone();
    assert_eq!((ledger.cover(&mut line), line.over, ledger.cover(&mut line)), (1, 0, 0));
    let pool = ledger.pool(&PoolName::new("live", "A"));
    assert_eq!((pool.accepted, pool.over, pool.left()), (2, 0, 3));
}

#[test]
fn buyer_may_have_so_many_packs_of_an_offer_and_told_ones_count_too() {
    let mut ledger = with(&[("A", 50)]);
    ledger.set_terms(&PoolName::new("live", "A"), Terms { limit: Some(3), ..Terms::default() });
    let (one, other) = (Some([1; 16]), Some([2; 16]));
    let held = ledger.tell(&[want("1", "A", 2)], one);
    assert_eq!(ledger.ask(&[want("1", "A", 2)], one, 0), Err(Refusal::OverLimit));
    assert!(ledger.ask(&[want("1", "A", 1)], one, 0).is_ok());
    assert!(ledger.ask(&[want("1", "A", 3)], other, 0).is_ok());
    // A platform that gives no token can't be held to it.
    assert!(ledger.ask(&[want("1", "A", 4)], None, 0).is_ok());
    ledger.hold(&held, &[], one);
    assert!(ledger.ask(&[want("1", "A", 2)], one, 0).is_ok());
}

#[test]
fn flash_sale_takes_asked_orders_within_its_time_alone() {
    let mut ledger = with(&[("A", 5)]);
    let terms = Terms { begins: Some(100), ends: Some(200), ..Terms::default() };
    ledger.set_terms(&PoolName::new("live", "A"), terms);
    let order = [want("1", "A", 1)];
    let not_now = Err(Refusal::SoldOut { left: vec![("A".into(), 0)] });
    assert_eq!(ledger.ask(&order, None, 99), not_now);
    assert!(ledger.ask(&order, None, 100).is_ok());
    assert_eq!(ledger.ask(&order, None, 200), not_now);
}

#[test]
fn margin_is_a_share_of_the_grant_at_least_one_and_none_where_it_is_0() {
    let pool = |granted, margin_permille| Pool {
        granted: Some(granted),
        accepted: 1,
        terms: Terms { margin_permille, ..Terms::default() },
        ..Pool::default()
    };
    assert_eq!(pool(500, 20).told_left(), 489);
    assert_eq!(pool(10, 20).told_left(), 8);
    assert_eq!(pool(1, 20).told_left(), 0);
    assert_eq!(pool(10, 0).told_left(), 9);
}

#[test]
fn grant_goes_below_nothing_that_was_accepted_within_it() {
    let mut ledger = with(&[("A", 5)]);
    ledger.tell(&[want("1", "A", 4)], None);
    assert_eq!(ledger.grant(&PoolName::new("live", "A"), 2), 4);
    ledger.tell(&[want("1", "A", 4)], None);
    assert_eq!(ledger.grant(&PoolName::new("live", "A"), 6), 6);
    assert_eq!(ledger.pool(&PoolName::new("live", "A")).coverable(), 2);
}

/// What happens to a ledger.
#[derive(Debug, Clone)]
enum Step {
    Ask(usize),
    Tell(usize),
    /// The order's document now says that so many packs of each of its lines stay wanted.
    Keep(usize, u32),
    Grant(u8, u64),
    Cover(usize),
}

const ORDERS: usize = 12;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let order = 0..ORDERS;
    let step = prop_oneof![
        3 => order.clone().prop_map(Step::Ask),
        3 => order.clone().prop_map(Step::Tell),
        2 => (order.clone(), 0u32..8).prop_map(|(order, keep)| Step::Keep(order, keep)),
        1 => (0u8..2, 0u64..30).prop_map(|(sku, packs)| Step::Grant(sku, packs)),
        1 => order.prop_map(Step::Cover),
    ];
    proptest::collection::vec(step, 0..60)
}

fn lines(order: usize) -> Vec<Want> {
    let packs = |by: usize| u32::try_from(order % by).unwrap() + 1;
    vec![want("1", "A", packs(5)), want("2", "B", packs(3)), want("3", "A", packs(2))]
}

/// A feed over the ledger, which answers a retry as before.
#[derive(Default)]
struct Feed {
    ledger: Ledger,
    known: BTreeMap<usize, (Vec<HeldLine>, Vec<u32>)>,
}

impl Feed {
    fn step(&mut self, step: &Step) -> Option<Vec<u32>> {
        let buyer = |order: usize| Some([u8::try_from(order % 3).unwrap(); 16]);
        match step {
            Step::Ask(order) | Step::Tell(order) => {
                if let Some((_, answer)) = self.known.get(order) {
                    return Some(answer.clone());
                }
                let held = match step {
                    Step::Ask(_) => self.ledger.ask(&lines(*order), buyer(*order), 0).ok()?,
                    _ => self.ledger.tell(&lines(*order), buyer(*order)),
                };
                let answer: Vec<u32> = held.iter().map(|line| line.over).collect();
                self.known.insert(*order, (held, answer.clone()));
                Some(answer)
            }
            Step::Keep(order, most) => {
                let (held, _) = self.known.get_mut(order)?;
                let wants: Vec<Want> = lines(*order)
                    .into_iter()
                    .map(|want| Want { packs: want.packs.min(*most), ..want })
                    .filter(|want| want.packs > 0)
                    .collect();
                *held = self.ledger.hold(held, &wants, buyer(*order));
                None
            }
            Step::Grant(sku, packs) => {
                let sku = if *sku == 0 { "A" } else { "B" };
                self.ledger.grant(&PoolName::new("live", sku), *packs);
                None
            }
            Step::Cover(order) => {
                let (held, _) = self.known.get_mut(order)?;
                held.iter_mut().for_each(|line| _ = self.ledger.cover(line));
                None
            }
        }
    }

    fn check(&self) {
        for sku in ["A", "B"] {
            let name = PoolName::new("live", sku);
            let pool = self.ledger.pool(&name);
            let of_pool = || self.known.values().flat_map(|(held, _)| held).filter(|line| line.pool == name);
            let accepted: u64 = of_pool().map(|line| u64::from(line.packs)).sum();
            let over: u64 = of_pool().map(|line| u64::from(line.over)).sum();
            assert_eq!((pool.accepted, pool.over), (accepted, over), "the sums are those of the orders");
            assert!(of_pool().all(|line| line.over <= line.packs));
            if let Some(granted) = pool.granted {
                // Told before anything was granted, and granted less since: those are held, and within the grant.
                assert!(accepted - over <= granted, "{accepted} − {over} packs of {granted}");
            }
            for buyer in 0u8..3 {
                let of_buyer = self.known.iter().filter(|(order, _)| **order % 3 == usize::from(buyer));
                let lines = of_buyer.flat_map(|(_, (held, _))| held).filter(|line| line.pool == name);
                let packs: u64 = lines.map(|line| u64::from(line.packs)).sum();
                let counted = self.ledger.buyers.get(&(name.clone(), [buyer; 16])).map_or(0, |packs| packs.0);
                assert_eq!(counted, packs);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// I1, after every step.
    #[test]
    fn accepted_stays_within_the_grant_unless_marked_over(steps in steps()) {
        let mut feed = Feed::default();
        for step in &steps {
            feed.step(step);
            feed.check();
        }
    }

    /// Orders told again, at any later moment, change nothing and get the same answer.
    #[test]
    fn retries_in_between_change_nothing(steps in steps(), again in proptest::collection::vec((0usize..60, 0usize..60), 0..60)) {
        let (mut once, mut with_retries) = (Feed::default(), Feed::default());
        let mut answered: Vec<(Step, Vec<u32>)> = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let answer = once.step(step);
            prop_assert_eq!(&with_retries.step(step), &answer);
            if let Some(answer) = answer {
                answered.push((step.clone(), answer));
            }
            for (_, which) in again.iter().filter(|(at, _)| *at == place) {
                if !answered.is_empty() {
                    let (step, answer) = &answered[which % answered.len()];
                    prop_assert_eq!(&with_retries.step(step), &Some(answer.clone()));
                }
            }
        }
        prop_assert_eq!(once.ledger.pools, with_retries.ledger.pools);
    }

    /// Orders that only ask never come above the grant, and feeders of any order sell the same number when each wants one.
    #[test]
    fn orders_that_ask_sell_what_is_granted_and_no_more(
        granted in 0u64..20,
        mut who in Just((0usize..40).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let mut ledger = with(&[("A", granted)]);
        who.truncate(30);
        let accepted = who.iter().filter(|_| ledger.ask(&[want("1", "A", 1)], None, 0).is_ok()).count();
        prop_assert_eq!(accepted as u64, granted.min(30));
        prop_assert_eq!(ledger.pool(&PoolName::new("live", "A")).over, 0);
    }
}
