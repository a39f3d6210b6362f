//! Stock and plans by examples; what must hold of all of them stands in `properties`.

mod properties;

use super::*;
use crate::ids::HouseholdId;
use crate::quantities::{Day, Grams, GramsDelta, Instant};
use crate::schema::stock_book::{Count, Deed, Entry, GoodsIn};
use crate::schema::{Book, DocumentKey, EntryId, HoldingId, LotId, OrderName, Season, StockMonth};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn grams(grams: i64) -> Grams {
    Grams::new(grams).unwrap()
}

fn delta(grams: i64) -> GramsDelta {
    GramsDelta::new(grams).unwrap()
}

fn month(number: u8) -> StockMonth {
    StockMonth::first("main", 2026, number).unwrap()
}

fn entry_id(month_number: u8, counter: u32, actor: u8) -> EntryId {
    let key = format!("{counter}@{actor:02x}").parse().unwrap();
    EntryId::in_book(&DocumentKey::StockBook(month(month_number)), key).unwrap()
}

fn lot(number: u32) -> LotId {
    let book = DocumentKey::HarvestBook(Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap()));
    LotId::in_book(&book, format!("{number}@0a").parse().unwrap()).unwrap()
}

fn received(grams: i64, day_text: &str) -> ReceivedLot {
    let day = Some(day(day_text));
    ReceivedLot { product: "millet".into(), grade: "A".into(), grams, day, merged_into: None }
}

fn entry(deed: Deed) -> Entry {
    Entry { at: Instant(0), deed: Some(deed), is_withdrawn: false, damaged: vec![] }
}

fn count_of(holding: &HoldingId, counted: i64, computed: i64, knew: &[&EntryId]) -> Entry {
    let knew = knew.iter().map(|entry| (*entry).clone()).collect();
    entry(Deed::Count(Count { holding: holding.clone(), counted: delta(counted), computed: delta(computed), knew }))
}

fn one_lot(grams: i64) -> (Facts, HoldingId) {
    let facts = Facts { lots: [(lot(1), received(grams, "2026-10-03"))].into(), ..Facts::default() };
    (facts, HoldingId::Lot(lot(1)))
}

#[test]
fn of_two_counts_that_did_not_know_of_each_other_one_applies_and_both_are_shown() {
    let (mut facts, holding) = one_lot(10_000);
    let (one, other) = (entry_id(11, 5, 1), entry_id(11, 5, 2));
    facts.entries.insert(one.clone(), count_of(&holding, 9_000, 10_000, &[]));
    facts.entries.insert(other.clone(), count_of(&holding, 9_400, 10_000, &[]));
    let stock = derive(&facts);
    assert_eq!(stock.holdings[&holding].present(), 9_400, "the highest (counter, actor), not both differences");
    let case = StockCase::CountedTwice {
        holding: holding.clone(),
        counts: vec![(other.clone(), 9_400), (one.clone(), 9_000)],
    };
    assert_eq!(stock.cases, std::slice::from_ref(&case));
    assert_eq!(case.sources(), [Source::Entry(other.clone()), Source::Entry(one.clone())]);
    assert!(case.to_string().contains("9.4 kg, 9 kg"), "{case}");

    // Another movement still applies.
    let loss = Deed::Loss { holding: holding.clone(), quantity: grams(400), reason: "mice".into(), bin: String::new() };
    facts.entries.insert(entry_id(11, 9, 1), entry(loss));
    assert_eq!(derive(&facts).holdings[&holding].present(), 9_000);

    // Whoever counts again knows both, and that closes the case.
    facts.entries.insert(entry_id(11, 11, 1), count_of(&holding, 8_800, 9_000, &[&other, &one]));
    let stock = derive(&facts);
    assert_eq!((stock.holdings[&holding].present(), stock.cases.len()), (8_800, 0));
    assert_eq!(stock.holdings[&holding].counts, [entry_id(11, 11, 1)]);
}

/// Each counted twice: what was found last is found against the author's own first count.
#[test]
fn the_chain_of_one_author_applies_and_not_links_of_both() {
    let (mut facts, holding) = one_lot(10_000);
    let (a1, b1) = (entry_id(11, 5, 1), entry_id(11, 6, 2));
    facts.entries.insert(a1.clone(), count_of(&holding, 9_000, 10_000, &[]));
    facts.entries.insert(entry_id(11, 8, 1), count_of(&holding, 8_500, 9_000, &[&a1]));
    facts.entries.insert(b1.clone(), count_of(&holding, 9_900, 10_000, &[]));
    facts.entries.insert(entry_id(11, 9, 2), count_of(&holding, 9_700, 9_900, &[&b1]));
    let stock = derive(&facts);
    assert_eq!(stock.holdings[&holding].present(), 9_700);
    assert_eq!(stock.cases.len(), 1);
}

#[test]
fn move_changes_bins_and_no_sum_and_two_moves_of_the_same_sacks_are_a_case() {
    let (mut facts, holding) = one_lot(10_000);
    let moved = |from: &str, to: &str| {
        entry(Deed::Move { holding: holding.clone(), quantity: grams(8_000), from: from.into(), to: to.into() })
    };
    facts.entries.insert(entry_id(11, 5, 1), moved("", "A1"));
    let stock = derive(&facts);
    assert_eq!(stock.holdings[&holding].by_bin, [(String::new(), 2_000), ("A1".into(), 8_000)].into());
    facts.entries.insert(entry_id(11, 9, 1), moved("A1", "B1"));
    facts.entries.insert(entry_id(11, 9, 2), moved("A1", "B2"));
    let stock = derive(&facts);
    assert_eq!(stock.holdings[&holding].present(), 10_000);
    assert_eq!(stock.holdings[&holding].by_bin.values().sum::<i64>(), 10_000);
    let [StockCase::BinBelowNothing { bin, grams, sources, .. }] = stock.cases.as_slice() else {
        panic!("{:?}", stock.cases)
    };
    assert_eq!((bin.as_str(), *grams, sources.len()), ("A1", -8_000, 2));
}

#[test]
fn goods_in_one_bin_go_out_of_that_bin_and_of_several_nobody_knows_which() {
    let (mut facts, holding) = one_lot(10_000);
    let moved = |grams_moved, to: &str| {
        entry(Deed::Move { holding: holding.clone(), quantity: grams(grams_moved), from: String::new(), to: to.into() })
    };
    let lost = |bin: &str| {
        let reason = "wet".into();
        entry(Deed::Loss { holding: holding.clone(), quantity: grams(1_000), reason, bin: bin.into() })
    };
    facts.entries.insert(entry_id(11, 1, 1), moved(10_000, "A1"));
    facts.entries.insert(entry_id(11, 2, 1), lost(""));
    let of = |facts: &Facts| {
        let holding = derive(facts).holdings[&holding].clone();
        (holding.by_bin, holding.unplaced)
    };
    assert_eq!(of(&facts), ([("A1".into(), 9_000)].into(), 0));
    let half = Deed::Move { holding: holding.clone(), quantity: grams(4_000), from: "A1".into(), to: "A2".into() };
    facts.entries.insert(entry_id(11, 3, 1), entry(half));
    assert_eq!(of(&facts), ([("A1".into(), 6_000), ("A2".into(), 4_000)].into(), -1_000));
    facts.entries.insert(entry_id(11, 4, 1), lost("A2"));
    assert_eq!(of(&facts), ([("A1".into(), 6_000), ("A2".into(), 3_000)].into(), -1_000));
}

#[test]
fn recalled_expired_and_sold_goods_are_not_free() {
    let (mut facts, holding) = one_lot(10_000);
    let bought = |expiry: Option<&str>| {
        entry(Deed::In(GoodsIn {
            product: "millet".into(),
            grade: "A".into(),
            quantity: grams(5_000),
            day: day("2026-11-01"),
            expiry: expiry.map(day),
            from: "Li".into(),
            bin: String::new(),
        }))
    };
    facts.entries.insert(entry_id(11, 1, 1), bought(None));
    facts.entries.insert(entry_id(11, 2, 1), bought(Some("2026-11-20")));
    let today = day("2026-11-21");
    let free = |facts: &Facts| derive(facts).free("millet", "A", today, 0);
    assert_eq!(free(&facts), 15_000, "what expired yesterday is not sold");
    assert_eq!(derive(&facts).free("millet", "B", today, 0), 0);
    let order = OrderName::of("douyin", "1");
    let takes = [(holding.clone(), 2_500)].into();
    let sold = OrderFacts { takes, unplanned: vec![("millet".into(), "A".into(), 500)], ..OrderFacts::default() };
    facts.orders.insert(order.clone(), sold);
    assert_eq!(free(&facts), 12_000, "planned or not, what is sold is not free");
    assert_eq!(derive(&facts).free("millet", "A", today, 1_000), 11_000);
    let recall = Deed::Recall { holding: holding.clone(), reason: "mould".into() };
    facts.entries.insert(entry_id(11, 3, 1), entry(recall));
    assert_eq!(free(&facts), 4_500);
    let stock = derive(&facts);
    assert_eq!(stock.cases, [StockCase::RecalledPlanned { holding: holding.clone(), orders: vec![order.clone()] }]);
    // A recall that was a mistake is taken back.
    facts.entries.get_mut(&entry_id(11, 3, 1)).unwrap().is_withdrawn = true;
    assert_eq!(free(&facts), 12_000);
    // What was packed is gone, and is planned for nobody.
    facts.orders.get_mut(&order).unwrap().is_packed = true;
    let holding = derive(&facts).holdings[&holding].clone();
    assert_eq!((holding.allocated, holding.taken, holding.on_hand()), (0, 2_500, 7_500));
}

#[test]
fn lots_that_are_one_count_once_and_goods_nobody_received_are_a_case() {
    let (mut facts, holding) = one_lot(10_000);
    facts.lots.insert(lot(2), ReceivedLot { merged_into: Some(lot(1)), ..received(9_990, "2026-10-03") });
    facts.lots.insert(lot(3), ReceivedLot { merged_into: Some(lot(9)), ..received(4_000, "2026-10-03") });
    let stock = derive(&facts);
    let there: Vec<&HoldingId> = stock.holdings.keys().collect();
    assert_eq!(there, [&holding, &HoldingId::Lot(lot(3))], "the receipt that stands alone tells of goods");
    let unknown = HoldingId::Lot(lot(7));
    let loss = Deed::Loss { holding: unknown.clone(), quantity: grams(1), reason: "mice".into(), bin: String::new() };
    facts.entries.insert(entry_id(11, 5, 1), entry(loss));
    let damaged = Entry { deed: None, damaged: vec!["grams".into()], ..count_of(&holding, 1, 1, &[]) };
    facts.entries.insert(entry_id(11, 6, 1), damaged);
    let sources = vec![Source::Entry(entry_id(11, 5, 1))];
    assert_eq!(
        derive(&facts).cases,
        [
            StockCase::BelowNothing { holding: unknown.clone(), on_hand: -1, sources: sources.clone() },
            StockCase::Unknown { holding: unknown, sources },
            StockCase::Damaged { entry: entry_id(11, 6, 1), fields: vec!["grams".into()] },
        ]
    );
}

#[test]
fn history_of_a_holding_adds_up_to_what_lies_there() {
    let (mut facts, holding) = one_lot(10_000);
    let (one, other) = (entry_id(11, 5, 1), entry_id(11, 5, 2));
    facts.entries.insert(one, count_of(&holding, 9_000, 10_000, &[]));
    facts.entries.insert(other, count_of(&holding, 9_400, 10_000, &[]));
    let flow = |kind| Flow { kind, name: "P1".into(), holding: holding.clone() };
    facts.flows.insert(flow(FlowKind::Parcel), 2_500);
    facts.flows.insert(flow(FlowKind::Restocked), 2_500);
    let events = history(&facts, &holding);
    let sum: i64 = events.iter().filter(|event| event.counts).map(|event| event.grams).sum();
    assert_eq!(sum, derive(&facts).holdings[&holding].present());
    let told: Vec<&str> = events.iter().map(|event| event.what).collect();
    assert_eq!(told, ["in", "count", "count", "parcel", "return"]);
}

fn wanted(order: &str, pack: i64, packs: u32, rule: Rule) -> Wanted {
    let (product, grade, line) = ("millet".into(), "A".into(), "1".into());
    Wanted { order: OrderName::of("douyin", order), line, product, grade, pack: grams(pack), packs, rule }
}

fn takes_of(planned: &Planned) -> Vec<(String, i64)> {
    planned.takes.iter().map(|take| (take.holding.to_string(), take.grams)).collect()
}

#[test]
fn oldest_goods_go_first_and_a_pack_is_mixed_only_of_a_remainder() {
    let mut facts = Facts::default();
    for (number, (weight, day)) in
        [(6_000, "2026-10-05"), (4_000, "2026-10-03"), (9_000, "2026-10-05")].iter().enumerate()
    {
        facts.lots.insert(lot(u32::try_from(number).unwrap()), received(*weight, day));
    }
    let stock = derive(&facts);
    let [zero, one, two] = [0, 1, 2].map(|number| HoldingId::Lot(lot(number)).to_string());
    let lines =
        [wanted("a", 2_500, 2, Rule::Oldest), wanted("b", 2_500, 5, Rule::Oldest), wanted("c", 2_500, 1, Rule::Oldest)];
    let plan = allocate(&stock, &lines, day("2026-11-01"));
    assert_eq!(takes_of(&plan.lines[0]), [(one, 4_000), (zero.clone(), 1_000)], "a remainder of 1.5 kg is mixed");
    assert_eq!(takes_of(&plan.lines[1]), [(zero, 5_000), (two, 7_500)]);
    assert_eq!((plan.lines[2].takes.len(), plan.lines[2].short), (0, 1), "1.5 kg are no pack");
    assert_eq!(check(&stock, &lines, &plan, day("2026-11-01")), []);
}

#[test]
fn what_expires_first_goes_first_and_a_stream_takes_its_own_lots_alone() {
    let mut facts = Facts::default();
    let bought = |expiry: Option<&str>| {
        let (product, grade) = ("millet".into(), "A".into());
        let expiry = expiry.map(day);
        let from = String::new();
        entry(Deed::In(GoodsIn {
            product,
            grade,
            quantity: grams(1_000),
            day: day("2026-11-01"),
            expiry,
            from,
            bin: String::new(),
        }))
    };
    for (counter, expiry) in [(1, None), (2, Some("2027-01-01")), (3, Some("2026-12-01")), (4, Some("2026-11-01"))] {
        facts.entries.insert(entry_id(11, counter, 1), bought(expiry));
    }
    let stock = derive(&facts);
    let holding = |counter| HoldingId::In(entry_id(11, counter, 1));
    let today = day("2026-11-02");
    let by = |rule| {
        let plan = allocate(&stock, &[wanted("a", 500, 9, rule)], today);
        let order: Vec<HoldingId> = plan.lines[0].takes.iter().map(|take| take.holding.clone()).collect();
        (order, plan.lines[0].short)
    };
    assert_eq!(by(Rule::Expiry), (vec![holding(3), holding(2), holding(1)], 3), "none of what expired");
    assert_eq!(by(Rule::Oldest), (vec![holding(1), holding(2), holding(3)], 3));
    assert_eq!(by(Rule::Fixed(vec![holding(2), holding(4), holding(9), holding(2)])), (vec![holding(2)], 7));
}

#[test]
fn wrong_plan_is_found() {
    let (facts, holding) = one_lot(10_000);
    let stock = derive(&facts);
    let lines = [wanted("a", 2_500, 2, Rule::Oldest)];
    let today = day("2026-11-01");
    let planned = |takes: Vec<(HoldingId, i64)>| {
        let takes = takes.into_iter().map(|(holding, grams)| Take { holding, grams }).collect();
        Plan { lines: vec![Planned { order: lines[0].order.clone(), line: "1".into(), takes, short: 0 }] }
    };
    let found = |plan: &Plan| check(&stock, &lines, plan, today);
    assert_eq!(found(&planned(vec![(holding.clone(), 5_000)])), []);
    assert!(matches!(found(&planned(vec![(holding.clone(), 4_000)]))[..], [PlanFault::OtherSum { taken: 4_000, .. }]));
    let elsewhere = found(&planned(vec![(HoldingId::Lot(lot(9)), 5_000)]));
    assert!(matches!(elsewhere[..], [PlanFault::NotUsable { .. }, PlanFault::OtherSum { .. }]));
    assert_eq!(check(&stock, &[], &planned(vec![]), today), [PlanFault::OtherLines]);
    let mut more = facts.clone();
    more.lots.insert(lot(2), received(10_000, "2026-10-09"));
    let split = planned(vec![(holding.clone(), 2_000), (HoldingId::Lot(lot(2)), 3_000)]);
    assert!(matches!(check(&derive(&more), &lines, &split, today)[..], [PlanFault::Split { .. }]));
    let (little, _) = one_lot(4_000);
    let faults = check(&derive(&little), &lines, &planned(vec![(holding, 5_000)]), today);
    assert!(matches!(faults[..], [PlanFault::TooMuch { taken: 5_000, on_hand: 4_000, .. }]));
}
