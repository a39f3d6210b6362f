//! An order is taken once and whole, with or without its document.

use super::*;

#[test]
fn order_is_read_as_it_was_taken_and_taken_once() {
    let mut document = order_of(&["a", "b"]);
    let order = read(&document, SERVER);
    assert_eq!((order.damaged.as_slice(), order.trespasses.as_slice()), (&[][..], &[][..]));
    assert_eq!(order.lines.iter().map(|line| line.line_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let first = &order.lines[0];
    assert_eq!((first.sku.as_deref(), first.packs, first.fen.get()), (Some("XM-05"), Some(2), 6_000));
    assert_eq!((order.state(), order.told), (Some(OrderState::ToPack), Some(ToldStatus::ToShip)));
    assert_eq!((order.fen(), order.packs(), order.over(), order.unmapped()), (12_000, 4, 0, 0));
    assert_eq!(order.stream.as_ref().map(StreamCode::as_str), Some("double-eleven"));
    assert!(order.says(&taken(&["a", "b"])));
    let heads = document.heads();
    assert!(!edit(&mut document, 9, |doc| take(doc, &taken(&["a", "b", "c"]))), "it was taken before");
    assert!(!edit(&mut document, 9, |doc| tell(doc, &taken(&["a", "b"]))), "told again");
    assert_eq!(document.heads(), heads);
    assert_eq!(document.change_count(), 2, "the first change, and the whole order in one");
    assert_eq!(edit(&mut document, 9, |doc| add_lines(doc, &taken(&["b", "c"]).lines)), ["c"]);
    assert_eq!(read(&document, SERVER).lines.len(), 3);
}

/// What is wrong with an order that was told is named with its place, and nothing of it is written.
#[test]
fn order_out_of_bounds_is_refused() {
    let with = |change: &dyn Fn(&mut TakenOrder)| {
        let mut order = taken(&["a", "b"]);
        change(&mut order);
        order
    };
    for (order, line, field, code) in [
        (with(&|order| order.lines.clear()), None, "lines", "lines-none"),
        (
            with(&|order| order.lines = (0..101).map(|id| self::line(&id.to_string())).collect()),
            None,
            "lines",
            "lines-too-many",
        ),
        (with(&|order| order.lines[1].packs = 0), Some(1), "packs", "quantity-bad"),
        (with(&|order| order.lines[1].packs = 1_000_000), Some(1), "packs", "quantity-bad"),
        (with(&|order| order.lines[1].line_id = "a".into()), Some(1), "line_id", "line-twice"),
        (with(&|order| order.lines[0].line_id = String::new()), Some(0), "line_id", "text-missing"),
        (with(&|order| order.lines[0].line_id = "a\u{200b}b".into()), Some(0), "line_id", "text-unreadable"),
        (with(&|order| order.lines[0].title = Some("\u{202e}x\u{7}y".into())), Some(0), "title", "text-unreadable"),
        (with(&|order| order.lines[0].sku = Some("XM 05".into())), Some(0), "sku", "text-unreadable"),
        (with(&|order| order.placed_at = Instant(0)), None, "placed_at", "time-bad"),
        (with(&|order| order.told_at = Instant(i64::MAX)), None, "told_at", "time-bad"),
        (with(&|order| order.pool = String::new()), None, "pool", "text-missing"),
        (
            with(&|order| order.lines.iter_mut().for_each(|line| line.fen = Fen::new(60_000_000_000).unwrap())),
            None,
            "lines",
            "money-out-of-range",
        ),
    ] {
        let fault = order.check().unwrap_err();
        assert_eq!((fault.line, fault.field, fault.code), (line, field, code));
        let mut document = new_order();
        let heads = document.heads();
        assert!(document.edit(&actor(9), Instant(0), |doc| take(doc, &order)).is_err());
        assert_eq!(document.heads(), heads);
    }
    let mut unknown = new_order();
    assert!(unknown.edit(&actor(9), Instant(0), |doc| tell(doc, &taken(&["a"]))).is_err(), "it was never taken");
}

#[test]
fn lines_are_mapped_and_marked() {
    let mut document = new_order();
    let unmapped = TakenOrder { lines: vec![TakenLine { sku: None, ..line("a") }], ..taken(&[]) };
    edit(&mut document, 9, |doc| take(doc, &unmapped));
    assert_eq!(read(&document, SERVER).unmapped(), 1);
    edit(&mut document, 3, |doc| map_line(doc, "a", "XM-10"));
    let allocation = Allocation(
        [("a".to_owned(), vec![Allocated { holding: "in:7@09".into(), grams: Grams::new(10_000).unwrap() }])].into(),
    );
    edit(&mut document, 9, |doc| {
        mark_over(doc, "a", 2)?;
        set_allocation(doc, &allocation)
    });
    let order = read(&document, SERVER);
    assert_eq!((order.lines[0].sku.as_deref(), order.unmapped(), order.over()), (Some("XM-10"), 0, 2));
    assert_eq!((order.allocation, order.damaged), (allocation, vec![]));
    for wrong in ["b", ""] {
        assert!(document.edit(&actor(9), Instant(0), |doc| mark_over(doc, wrong, 1)).is_err(), "{wrong:?}");
    }
}

/// A told order of any shape that may come.
fn any_taken() -> impl Strategy<Value = TakenOrder> {
    let text = || proptest::option::of("[临小米a-z0-9 ]{0,3}米[a-z]{0,30}");
    let moment = || (BEGIN - 10_000_000..BEGIN).prop_map(Instant);
    let line =
        (text(), text(), 1u32..=PACKS_MAX, 0i64..100_000, any::<bool>(), 0usize..4, proptest::option::of(moment()));
    let lines = proptest::collection::vec(line, 1..8);
    let times = (moment(), proptest::option::of(moment()), proptest::option::of(moment()), moment());
    let money = (proptest::option::of(0i64..1_000_000), proptest::option::of(0i64..1_000));
    (lines, times, money, 0usize..5, any::<bool>()).prop_map(|(lines, times, money, told, in_stream)| TakenOrder {
        placed_at: times.0,
        paid_at: times.1,
        promised_at: times.2,
        told_at: times.3,
        told: ToldStatus::ALL[told],
        total_fen: money.0.map(|fen| Fen::new(fen).unwrap()),
        freight_fen: money.1.map(|fen| Fen::new(fen).unwrap()),
        stream: if in_stream { "double-eleven".parse().ok() } else { None },
        lines: lines
            .into_iter()
            .enumerate()
            .map(|(place, (code, title, packs, fen, is_gift, after_sale, after_sale_at))| TakenLine {
                line_id: format!("{place}"),
                sku: if packs % 3 == 0 { None } else { Some("XM-05".into()) },
                code,
                title,
                packs,
                fen: Fen::new(fen).unwrap(),
                is_gift,
                after_sale: AfterSale::ALL[after_sale],
                after_sale_at,
            })
            .collect(),
        ..taken(&["1"])
    })
}

proptest! {
    /// Changes that are made without a document are those that Automerge makes, byte for byte.
    #[test]
    fn change_of_a_new_order_is_that_of_its_document(order in any_taken(), over in proptest::collection::vec(1u32..9, 0..8)) {
        let mut document = new_order();
        let first = document.changes_since(&[]).unwrap().remove(0);
        let (was_written, by_document) = document.edit(&actor(9), Instant(BEGIN), |doc| take(doc, &order)).unwrap();
        prop_assert!(was_written);
        let taken = taken_change(&first, &order, &actor(9), Instant(BEGIN)).unwrap();
        prop_assert_eq!(Some(&taken), by_document.as_ref());
        let over: Vec<(String, u32)> =
            order.lines.iter().map(|line| line.line_id.clone()).zip(over).collect();
        let (_, by_document) = document
            .edit(&actor(9), Instant(BEGIN), |doc| over.iter().try_for_each(|(line, packs)| mark_over(doc, line, *packs)))
            .unwrap();
        prop_assert_eq!(over_change(&taken, &over, &actor(9), Instant(BEGIN)).unwrap(), by_document);
    }
}
