use std::collections::BTreeMap;
use std::sync::Mutex;

use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::receiver::Receiver;

use super::*;

#[test]
fn asked_orders_are_taken_until_the_pool_is_empty_and_told_ones_beyond_it_are_marked() {
    let world = World::with(&[("A", 3)]);
    let answers = world.take(vec![
        asked("1", vec![line("1", "A", 2)]),
        asked("2", vec![line("1", "A", 2)]),
        told("3", vec![line("1", "A", 2), line("2", "A", 1)]),
        told("4", vec![line("1", "A", 1)]),
    ]);
    let verdicts: Vec<&Verdict> = answers.iter().map(|answer| &answer.verdict).collect();
    let sold_out = Verdict::SoldOut { left: vec![("A".into(), 1)] };
    assert_eq!(verdicts, [&Verdict::Accepted, &sold_out, &Verdict::AcceptedOver(2), &Verdict::AcceptedOver(1)]);
    assert_eq!(answers.iter().map(|answer| answer.sequence).collect::<Vec<_>>(), [Some(1), None, Some(2), Some(3)]);
    let pool = world.pool("A");
    assert_eq!((pool.granted, pool.accepted, pool.over, pool.left), (Some(3), 6, 3, 0));
    let marked: Vec<u32> = world.order("3").lines.iter().map(|line| line.over).collect();
    assert_eq!((marked, world.order("4").over(), world.order("1").over()), (vec![1, 1], 1, 0));
    let nothing = DocumentKey::Order(OrderName::of("douyin", "2"));
    assert!(world.granary.document(world.coop, &nothing).unwrap().is_none(), "nothing of a refused order is kept");
}

#[test]
fn request_that_is_made_again_is_answered_as_before_also_after_a_start() {
    let world = World::with(&[("A", 3)]);
    let orders = || {
        vec![
            told("1", vec![line("1", "A", 2)]),
            told("2", vec![line("1", "A", 2)]),
            asked("3", vec![line("1", "B", 1)]),
        ]
    };
    world.set_aside(&[("B", 1)]);
    let first = world.take(orders());
    assert_eq!(first[1].verdict, Verdict::AcceptedOver(1));
    assert_eq!(world.take(orders()), first);
    let world = world.reopened();
    assert_eq!(world.take(orders()), first);
    world.settle();
    assert_eq!(world.take(orders()), first);
    assert_eq!((world.pool("A").accepted, world.pool("B").accepted), (4, 1));
    // The same order twice in one request is one order.
    let twice = world.take(vec![told("9", vec![line("1", "A", 1)]), told("9", vec![line("1", "A", 1)])]);
    assert_eq!(twice[0], twice[1]);
    // Another order under the id of one that was asked for is not it.
    let other = world.one(asked("3", vec![line("1", "B", 2)]));
    assert_eq!(other.verdict, Verdict::Refused { field: "lines", code: "known-with-others" });
}

#[test]
fn unknown_sku_is_refused_where_it_is_asked_for_and_taken_unmapped_where_it_is_told() {
    let world = World::with(&[("A", 9)]);
    let with = |sku: Option<&str>, title: Option<&str>| {
        let title = title.map(str::to_owned);
        vec![TakenLine { sku: sku.map(str::to_owned), title, ..line("1", "A", 1) }]
    };
    let refused = Verdict::Refused { field: "sku", code: "sku-unknown" };
    assert_eq!(world.one(asked("1", with(Some("X"), None))).verdict, refused);
    assert_eq!(world.one(told("2", with(Some("X"), None))).verdict, Verdict::Accepted);
    let unmapped = world.order("2");
    assert_eq!((unmapped.lines[0].sku.as_deref(), unmapped.lines[0].code.as_deref()), (None, Some("X")));
    assert_eq!(world.one(told("3", with(None, Some("黄小米 A")))).verdict, Verdict::Accepted);
    assert_eq!(world.order("3").lines[0].sku.as_deref(), Some("A"));
    assert_eq!(world.pool("A").accepted, 1, "what nobody knows takes of no pool");
}

#[test]
fn one_wrong_order_does_not_sink_the_others_and_is_named() {
    let world = World::with(&[("A", 9)]);
    let wrong = |change: fn(&mut ToldOrder)| {
        let mut order = told("wrong", vec![line("1", "A", 1)]);
        change(&mut order);
        order
    };
    let answers = world.take(vec![
        wrong(|order| order.order.lines.clear()),
        wrong(|order| order.order.lines[0].packs = 0),
        wrong(|order| order.order.lines.push(line("1", "B", 1))),
        wrong(|order| order.order.placed_at = Instant(NOW.0 + 2 * 24 * 60 * MINUTE)),
        wrong(|order| order.name.outside_id = "a\u{200b}".into()),
        wrong(|order| order.buyer_token = Some(String::new())),
        told("right", vec![line("1", "A", 1)]),
    ]);
    let fields: Vec<&str> = answers
        .iter()
        .filter_map(|answer| match &answer.verdict {
            Verdict::Refused { field, .. } => Some(*field),
            _ => None,
        })
        .collect();
    assert_eq!(fields, ["lines", "packs", "line_id", "placed_at", "outside_id", "buyer_token"]);
    assert_eq!(answers[6].verdict, Verdict::Accepted);
}

#[test]
fn nothing_about_a_person_is_in_the_order_or_in_rows() {
    let world = World::with(&[("A", 9)]);
    let mut order = told("1", vec![line("1", "A", 1)]);
    order.receiver =
        Some(Receiver { name: Some("张三丰".into()), phone: Some("13800138000".into()), ..Receiver::default() });
    order.buyer_token = Some("token-of-zhang".into());
    world.one(order);
    world.settle();
    for row in world.store.scan_all(&[]).unwrap() {
        let (kind, value) = (row.key[4], row.value.unwrap_or_default());
        for text in ["张三丰", "13800138000", "token-of-zhang"] {
            let is_there = |bytes: &[u8]| bytes.windows(text.len()).any(|bytes| bytes == text.as_bytes());
            assert!(kind != b'q' || (!is_there(&row.key) && !is_there(&value)), "{text} in a row of trade");
        }
    }
    let key = |key: DocumentKey| world.granary.document(world.coop, &key).unwrap().unwrap().save();
    let name = OrderName::of("douyin", "1");
    let is_there = |bytes: &[u8]| bytes.windows(11).any(|bytes| bytes == b"13800138000");
    assert!(!is_there(&key(DocumentKey::Order(name.clone()))));
    assert!(is_there(&key(DocumentKey::Receiver(name))));
}

/// Eight feeders, half of whom ask, each telling some orders of others too: what is accepted is what is granted, to the pack.
#[test]
fn parallel_feeders_sell_exactly_what_is_granted() {
    const FEEDERS: u32 = 8;
    const ORDERS: u32 = 40;
    let world = World::with(&[("A", 200)]);
    let answered: Mutex<BTreeMap<String, Answer>> = Mutex::default();
    std::thread::scope(|scope| {
        for feeder in 0..FEEDERS {
            let (world, answered) = (&world, &answered);
            scope.spawn(move || {
                for order in 0..ORDERS {
                    // Every third order is told by the next feeder too.
                    for feeder in
                        [Some(feeder), (order % 3 == 0).then_some((feeder + 1) % FEEDERS)].into_iter().flatten()
                    {
                        let id = format!("{feeder}-{order}");
                        let lines = vec![line("1", "A", 1 + order % 3)];
                        let order = if feeder % 2 == 0 { asked(&id, lines) } else { told(&id, lines) };
                        let answer = world.one(order);
                        let mut answered = answered.lock().unwrap();
                        let before = answered.entry(id).or_insert_with(|| answer.clone());
                        // Packs that nobody wanted may be asked for again: what was refused was never there.
                        assert!(*before == answer || matches!(before.verdict, Verdict::SoldOut { .. }));
                    }
                }
            });
        }
    });
    world.settle();
    let pool = world.pool("A");
    let orders: Vec<Order> = answered
        .into_inner()
        .unwrap()
        .into_iter()
        .filter(|(_, answer)| answer.sequence.is_some())
        .map(|(id, _)| world.order(&id))
        .collect();
    let packs: u64 = orders.iter().map(Order::packs).sum();
    let over: u64 = orders.iter().map(Order::over).sum();
    assert_eq!((pool.accepted, pool.over), (packs, over));
    assert_eq!(packs - over, 200, "what was granted was sold, no pack more and no pack less");
}

#[test]
fn order_that_was_just_taken_is_edited_at_once() {
    let world = World::with(&[("A", 1_000)]);
    let orders = (0..300).map(|id| told(&id.to_string(), vec![line("1", "A", 1)])).collect();
    world.take(orders);
    let key = DocumentKey::Order(OrderName::of("douyin", "299"));
    world.granary.edit(world.coop, &key, NOW, |doc| order::ship(doc, "SF1234567")).unwrap();
    let order = world.order("299");
    assert_eq!((order.shipment.as_deref(), order.lines.len()), (Some("SF1234567"), 1));
}
