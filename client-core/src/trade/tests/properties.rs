//! What must hold of stock and plans whatever is written: the sums of each holding, equality on all replicas, plans within what
//! is there.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ids::{ActorId, DeviceId};
use crate::schema::{Document, stock_book};

/// Something that a person, the server or a parcel does.
#[derive(Debug, Clone)]
enum Step {
    Lot(i64, u8),
    Bought(i64, u8),
    Loss(usize, i64, u8),
    Count(usize, i64, bool),
    Move(usize, i64, u8, u8),
    Recall(usize),
    Withdraw(usize),
    Order(u8, usize, i64, bool),
    Flow(u8, usize, i64, FlowKind),
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![Just(FlowKind::Parcel), Just(FlowKind::BatchInput), Just(FlowKind::Restocked)];
    prop_oneof![
        3 => (1i64..9_000, 1u8..28).prop_map(|(grams, day)| Step::Lot(grams, day)),
        2 => (1i64..9_000, 1u8..28).prop_map(|(grams, day)| Step::Bought(grams, day)),
        2 => (0usize..9, 1i64..4_000, 0u8..4).prop_map(|(of, grams, bin)| Step::Loss(of, grams, bin)),
        4 => (0usize..9, 0i64..9_000, any::<bool>()).prop_map(|(of, grams, knows)| Step::Count(of, grams, knows)),
        2 => (0usize..9, 1i64..9_000, 0u8..4, 0u8..4).prop_map(|(of, grams, from, to)| Step::Move(of, grams, from, to)),
        1 => (0usize..9).prop_map(Step::Recall),
        1 => (0usize..30).prop_map(Step::Withdraw),
        2 => (0u8..9, 0usize..9, 1i64..4_000, any::<bool>()).prop_map(|(order, of, grams, packed)| Step::Order(order, of, grams, packed)),
        2 => (0u8..9, 0usize..9, 1i64..4_000, kind).prop_map(|(name, of, grams, kind)| Step::Flow(name, of, grams, kind)),
    ]
}

/// The facts after these steps, by three people over four months, who see each other's counts or do not.
fn facts_of(steps: &[(u8, u8, Step)]) -> Facts {
    let mut facts = Facts::default();
    let bin = |number: u8| if number == 0 { String::new() } else { format!("B{number}") };
    for (number, (by, in_month, step)) in steps.iter().enumerate() {
        let counter = u32::try_from(number).unwrap().saturating_add(2);
        let id = entry_id(9 + in_month, counter, *by);
        let stock = derive(&facts);
        let known: Vec<HoldingId> = stock.holdings.keys().cloned().collect();
        let holding = |of: &usize| known.get(of % known.len().max(1)).cloned().unwrap_or(HoldingId::Lot(lot(99_999)));
        let of_month = |day_number: &u8| day(&format!("2026-{:02}-{day_number:02}", 9 + in_month));
        match step {
            Step::Lot(grams, on) => {
                let received = ReceivedLot { day: Some(of_month(on)), ..received(*grams, "2026-10-03") };
                facts.lots.insert(lot(counter), received);
            }
            Step::Bought(weight, on) => {
                let (product, grade, from) = ("millet".into(), "A".into(), String::new());
                let (day, quantity) = (of_month(on), grams(*weight));
                let goods = GoodsIn { product, grade, quantity, day, expiry: None, from, bin: bin(on % 3) };
                facts.entries.insert(id, entry(Deed::In(goods)));
            }
            Step::Loss(of, weight, from) => {
                let (holding, quantity, reason) = (holding(of), grams(*weight), "mice".into());
                facts.entries.insert(id, entry(Deed::Loss { holding, quantity, reason, bin: bin(*from) }));
            }
            Step::Count(of, counted, knows) => {
                let holding = holding(of);
                let of = stock.holdings.get(&holding).cloned().unwrap_or_default();
                // One who does not know counts against what came in.
                let computed = if *knows { of.present() } else { of.came_in };
                let knew: Vec<&EntryId> = if *knows { of.counts.iter().collect() } else { vec![] };
                facts.entries.insert(id, count_of(&holding, *counted, computed, &knew));
            }
            Step::Move(of, weight, from, to) => {
                let (holding, quantity) = (holding(of), grams(*weight));
                facts.entries.insert(id, entry(Deed::Move { holding, quantity, from: bin(*from), to: bin(*to) }));
            }
            Step::Recall(of) => {
                facts.entries.insert(id, entry(Deed::Recall { holding: holding(of), reason: "mould".into() }));
            }
            Step::Withdraw(of) => {
                let entries = facts.entries.len().max(1);
                if let Some(entry) = facts.entries.values_mut().nth(of % entries) {
                    entry.is_withdrawn = true;
                }
            }
            Step::Order(order, of, weight, packed) => {
                let sold = facts.orders.entry(OrderName::of("douyin", &order.to_string())).or_default();
                *sold.takes.entry(holding(of)).or_default() += weight;
                sold.is_packed |= packed;
            }
            Step::Flow(name, of, weight, kind) => {
                let flow = Flow { kind: *kind, name: name.to_string(), holding: holding(of) };
                *facts.flows.entry(flow).or_default() += weight;
            }
        }
    }
    facts
}

fn story() -> impl Strategy<Value = Vec<(u8, u8, Step)>> {
    proptest::collection::vec((1u8..4, 0u8..4, step()), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// I2: in = on hand + allocated + taken + batch inputs + losses − restocked ± counts, counted here from the facts by themselves;
    /// and below 0 there is a case that names what took.
    #[test]
    fn each_holding_adds_up_and_below_nothing_there_is_a_case(steps in story()) {
        let facts = facts_of(&steps);
        let stock = derive(&facts);
        for (id, holding) in &stock.holdings {
            let live = facts.entries.values().filter(|entry| !entry.is_withdrawn).filter_map(|entry| entry.deed.as_ref());
            let lost: i64 = live.filter_map(|deed| match deed {
                Deed::Loss { holding, quantity, .. } if holding == id => Some(quantity.get()),
                _ => None,
            }).sum();
            let came_in: i64 = match id {
                HoldingId::Lot(lot) => facts.lots.get(lot).map_or(0, |lot| lot.grams),
                HoldingId::In(entry) => facts.entries.get(entry).filter(|entry| !entry.is_withdrawn).map_or(0, |entry| {
                    let Some(Deed::In(goods)) = &entry.deed else { return 0 };
                    goods.quantity.get()
                }),
                HoldingId::Batch(_) => 0,
            };
            let of_kind = |kind| -> i64 {
                facts.flows.iter().filter(|(flow, _)| flow.kind == kind && flow.holding == *id).map(|(_, grams)| grams).sum()
            };
            let of_orders = |packed| -> i64 {
                facts.orders.values().filter(|order| order.is_packed == packed).filter_map(|order| order.takes.get(id)).sum()
            };
            let taken = of_kind(FlowKind::Parcel) + of_orders(true);
            let out = holding.on_hand() + of_orders(false) + taken + of_kind(FlowKind::BatchInput) + lost;
            prop_assert_eq!(came_in, out - of_kind(FlowKind::Restocked) - holding.counted);
            prop_assert_eq!(holding.by_bin.values().sum::<i64>() + holding.unplaced, holding.present());
            let named = stock.cases.iter().find(|case| {
                matches!(case, StockCase::BelowNothing { holding, on_hand, .. } if holding == id && *on_hand < 0)
            });
            prop_assert_eq!(named.is_some(), holding.on_hand() < 0);
            if let Some(case) = named {
                prop_assert!(!case.sources().is_empty(), "it names what took");
            }
            let counted: i64 = history(&facts, id).iter().filter(|event| event.counts).map(|event| event.grams).sum();
            // The history tells a plan as something that goes out.
            prop_assert_eq!(counted, holding.on_hand());
        }
    }

    /// Counting says what is there: right after a count that knew all, what was counted lies there.
    #[test]
    fn what_was_counted_last_lies_there(steps in story(), counted in 0i64..9_000) {
        let mut facts = facts_of(&steps);
        let stock = derive(&facts);
        let Some((id, holding)) = stock.holdings.iter().find(|(_, holding)| holding.is_known) else { return Ok(()) };
        let knew: Vec<&EntryId> = holding.counts.iter().collect();
        facts.entries.insert(entry_id(12, 1_000, 1), count_of(id, counted, holding.present(), &knew));
        let after = derive(&facts);
        prop_assert_eq!(after.holdings[id].present(), counted);
        let twice = |case: &StockCase| matches!(case, StockCase::CountedTwice { holding, .. } if holding == id);
        prop_assert!(!after.cases.iter().any(twice), "it closes the case");
    }

    /// I3: replicas that came to the same facts in whatever order have the same stock; and I1 as far as stock goes: what is free is
    /// never more than what lies there for nobody.
    #[test]
    fn stock_is_equal_whatever_the_order(steps in story(), seed: u64) {
        let facts = facts_of(&steps);
        let mut entries: Vec<_> = facts.entries.clone().into_iter().collect();
        let mut state = seed | 1;
        for place in (1..entries.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            entries.swap(place, usize::try_from(state >> 33).unwrap() % (place + 1));
        }
        let mut shuffled = Facts { entries: BTreeMap::new(), ..facts.clone() };
        shuffled.entries.extend(entries);
        prop_assert_eq!(derive(&shuffled), derive(&facts));
        let stock = derive(&facts);
        let today = day("2026-12-31");
        let usable = stock.holdings.values().filter(|holding| !holding.is_recalled && holding.product == "millet");
        let there: i64 = usable.map(Holding::on_hand).sum();
        prop_assert!(stock.free("millet", "A", today, 0) <= there);
        prop_assert_eq!(stock.free("millet", "A", today, 700), stock.free("millet", "A", today, 0) - 700);
    }

    /// A phone that has only what was after an opening comes to the same as one that has everything.
    #[test]
    fn from_an_opening_on_stock_is_the_same(steps in story(), from in 9u8..14) {
        let mut facts = facts_of(&steps);
        let month = StockMonth::first("main", 2026, from.min(12)).unwrap();
        facts.openings.insert(month.clone(), openings(&facts, &month));
        prop_assert_eq!(differing(&facts), []);
        let (whole, short) = (derive(&facts), derive(&covered(&facts, &month).unwrap()));
        let plain = |stock: &Stock| -> Vec<_> {
            let of = |(id, holding): (&HoldingId, &Holding)| {
                let holding = holding.clone();
                let said = (holding.present(), holding.on_hand(), holding.is_recalled, holding.received_on);
                (id.clone(), said, holding.by_bin, holding.unplaced)
            };
            stock.holdings.iter().filter(|(_, holding)| holding.is_known).map(of).filter(|(_, said, bins, _)| (said.0, said.1) != (0, 0) || !bins.is_empty()).collect()
        };
        prop_assert_eq!(plain(&whole), plain(&short));
    }

    /// A plan takes nothing that is not on hand, uses nothing that may not be used, and is the same wherever it is made.
    #[test]
    fn plan_stays_within_what_is_there(
        steps in story(),
        lines in proptest::collection::vec((1i64..3_000, 1u32..6, 0u8..3), 1..20),
    ) {
        let stock = derive(&facts_of(&steps));
        let named: Vec<HoldingId> = stock.holdings.keys().rev().step_by(2).cloned().collect();
        let rule = |number| match number {
            0 => Rule::Oldest,
            1 => Rule::Expiry,
            _ => Rule::Fixed(named.clone()),
        };
        let lines: Vec<Wanted> = lines.iter().enumerate()
            .map(|(number, (pack, packs, of))| wanted(&number.to_string(), *pack, *packs, rule(*of))).collect();
        let today = day("2026-12-31");
        let plan = allocate(&stock, &lines, today);
        prop_assert_eq!(&allocate(&stock, &lines, today), &plan);
        prop_assert_eq!(check(&stock, &lines, &plan, today), []);
        let mut taken: BTreeMap<&HoldingId, i64> = BTreeMap::new();
        for (line, planned) in lines.iter().zip(&plan.lines) {
            let sum: i64 = planned.takes.iter().map(|take| take.grams).sum();
            prop_assert_eq!(sum, line.pack.get() * i64::from(line.packs - planned.short));
            for take in &planned.takes {
                *taken.entry(&take.holding).or_default() += take.grams;
                prop_assert!(is_usable(&stock.holdings[&take.holding], today));
            }
        }
        for (id, grams) in taken {
            prop_assert!(grams <= stock.holdings[id].on_hand());
        }
        // Nobody is left without while a whole pack is on hand.
        let rest = stock.holdings.values().filter(|holding| is_usable(holding, today)).map(|holding| holding.on_hand().max(0)).sum::<i64>();
        let all: i64 = plan.lines.iter().flat_map(|line| &line.takes).map(|take| take.grams).sum();
        for (line, _) in lines.iter().zip(&plan.lines).filter(|(line, planned)| planned.short > 0 && line.rule == Rule::Oldest) {
            prop_assert!(rest - all < line.pack.get());
        }
    }

    /// Whatever stands in a document, it is read without harm, and what was written by someone who may not is not counted.
    #[test]
    fn hostile_books_are_read(values in proptest::collection::vec((0usize..14, 0u8..7, any::<i64>()), 0..40)) {
        use crate::automerge::transaction::Transactable;
        use crate::automerge::{ObjType, ROOT, ReadDoc};
        const FIELDS: [&str; 14] = ["what", "at", "holding", "grams", "product", "grade", "day", "expiry", "from", "to", "counted", "computed", "knew", "withdrawn"];
        let mut document = Document::new(DocumentKey::StockBook(month(11))).unwrap();
        let actor = ActorId::from_bytes(&[7; 12]).unwrap();
        document.edit(&actor, Instant(0), |automerge| {
            let (_, list) = automerge.get(ROOT, "entries")?.unwrap();
            let mut entry = automerge.insert_object(&list, 0, ObjType::Map)?;
            for (field, kind, number) in &values {
                let field = FIELDS[*field];
                match kind {
                    0 => automerge.put(&entry, field, *number)?,
                    1 => automerge.put(&entry, field, ["in", "loss", "count", "move", "recall", "other"][number.unsigned_abs() as usize % 6])?,
                    2 => automerge.put(&entry, field, 0.5)?,
                    3 => drop(automerge.put_object(&entry, field, ObjType::List)?),
                    4 => automerge.put(&entry, field, format!("in:main.2026-11.{}@aa", number.unsigned_abs() % 99))?,
                    5 => automerge.put(&entry, field, "2026-11-09")?,
                    _ => entry = automerge.insert_object(&list, 0, ObjType::Map)?,
                }
            }
            let (_, opening) = automerge.get(ROOT, "opening")?.unwrap();
            automerge.put(&opening, "in:main.2026-11.7@aa", "[true,\"millet\",\"A\",null,null,false,500000,{}]")?;
            automerge.put(&opening, "x", 1)?;
            Ok(())
        }).unwrap();
        let book = stock_book::read(&document, DeviceId::from_bytes([1; 8]));
        prop_assert_eq!((book.opening.len(), book.foreign.len()), (0, 2));
        let own = stock_book::read(&document, DeviceId::from_bytes([7; 8]));
        prop_assert_eq!((own.opening.len(), own.foreign.len(), own.damaged.len()), (1, 0, 1));
        for entry in book.entries.values() {
            prop_assert!(entry.deed.is_some() || !entry.damaged.is_empty(), "what does not count is said");
        }
        let facts = Facts { entries: book.entries, ..Facts::default() };
        let damaged = derive(&facts).cases.iter().filter(|case| matches!(case, StockCase::Damaged { .. })).count();
        let unread = facts.entries.values().filter(|entry| entry.deed.is_none() && !entry.is_withdrawn).count();
        prop_assert_eq!(damaged, unread);
    }
}
