use automerge::ScalarValue;
use proptest::prelude::*;

use super::*;
use crate::crdt::change::VerifiedChange;
use crate::ids::{ActorId, DeviceId, Incarnation};
use crate::schema::receiver::{self, Receiver};
use crate::schema::{Document, DocumentKey, OrderName};

const SERVER: DeviceId = DeviceId::from_bytes([9; 8]);
/// The first told time, in milliseconds.
const BEGIN: i64 = 1_790_000_000_000;

fn actor(device: u8) -> ActorId {
    DeviceId::from_bytes([device; 8]).actor(Incarnation::new(1))
}

fn line(id: &str) -> TakenLine {
    TakenLine {
        line_id: id.into(),
        sku: Some("XM-05".into()),
        code: Some("XM-05".into()),
        title: Some("临县小米 5斤装".into()),
        packs: 2,
        fen: Fen::new(6_000).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    }
}

fn taken(lines: &[&str]) -> TakenOrder {
    TakenOrder {
        placed_at: Instant(BEGIN - 60_000),
        paid_at: Some(Instant(BEGIN - 30_000)),
        promised_at: Some(Instant(BEGIN + 172_800_000)),
        told_at: Instant(BEGIN),
        told: ToldStatus::ToShip,
        total_fen: Some(Fen::new(12_000).unwrap()),
        freight_fen: None,
        pool: "double-eleven".into(),
        stream: "double-eleven".parse().ok(),
        lines: lines.iter().map(|id| line(id)).collect(),
    }
}

fn new_order() -> Document {
    Document::new(DocumentKey::Order(OrderName::of("douyin", "6912"))).unwrap()
}

fn edit<R>(document: &mut Document, by: u8, edit: impl FnOnce(&mut AutoCommit) -> Result<R, DocumentFault>) -> R {
    document.edit(&actor(by), Instant(BEGIN), edit).unwrap().0
}

fn order_of(lines: &[&str]) -> Document {
    let mut document = new_order();
    assert!(edit(&mut document, 9, |doc| take(doc, &taken(lines))));
    document
}

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
fn older_message_never_moves_an_order_back() {
    let mut document = order_of(&["a"]);
    let told = |at: i64, told, after_sale| TakenOrder {
        told,
        told_at: Instant(BEGIN + at),
        lines: vec![TakenLine { after_sale, ..line("a") }],
        ..taken(&[])
    };
    let shown = |document: &Document| {
        let order = read(document, SERVER);
        (order.told.unwrap(), order.lines[0].after_sale)
    };
    assert!(edit(&mut document, 9, |doc| tell(doc, &told(10, ToldStatus::Shipped, AfterSale::Asked))));
    assert!(!edit(&mut document, 9, |doc| tell(doc, &told(5, ToldStatus::ToShip, AfterSale::None))));
    assert_eq!(shown(&document), (ToldStatus::Shipped, AfterSale::Asked));
    assert!(read(&document, SERVER).is_after_sale_asked());
    // What was asked for is withdrawn, and a file from before that comes last.
    assert!(edit(&mut document, 9, |doc| tell(doc, &told(20, ToldStatus::Shipped, AfterSale::None))));
    assert!(!edit(&mut document, 9, |doc| tell(doc, &told(15, ToldStatus::Shipped, AfterSale::Asked))));
    assert_eq!(shown(&document), (ToldStatus::Shipped, AfterSale::None));
    assert!(edit(&mut document, 9, |doc| tell(doc, &told(20, ToldStatus::Done, AfterSale::None))), "one time, further");
    assert_eq!(read(&document, SERVER).state(), Some(OrderState::Done));
    assert!(read(&document, SERVER).says(&told(30, ToldStatus::Done, AfterSale::None)), "only the time would be later");
    assert!(!read(&document, SERVER).says(&told(30, ToldStatus::Closed, AfterSale::None)));
}

#[test]
fn where_an_order_stands_is_the_further_of_told_and_done() {
    for (told, status, state) in [
        (None, OrderStatus::Packed, OrderState::Packed),
        (Some(ToldStatus::ToShip), OrderStatus::Packed, OrderState::Packed),
        (Some(ToldStatus::PartShipped), OrderStatus::Placed, OrderState::ToPack),
        (Some(ToldStatus::Shipped), OrderStatus::Placed, OrderState::Shipped),
        (Some(ToldStatus::ToShip), OrderStatus::Shipped, OrderState::Shipped),
        (Some(ToldStatus::Closed), OrderStatus::Packed, OrderState::Closed),
        (Some(ToldStatus::Done), OrderStatus::Cancelled, OrderState::Cancelled),
    ] {
        assert_eq!(Order { told, status: Some(status), ..Order::default() }.state(), Some(state));
    }
    assert_eq!(Order::default().state(), None);
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

/// `over` and `allocation` decide what is sent to whom: anybody who may write the order could write them.
#[test]
fn what_only_the_server_decides_counts_from_nobody_else() {
    let mut document = order_of(&["a"]);
    let allocation = Allocation(
        [("a".to_owned(), vec![Allocated { holding: "in:7@09".into(), grams: Grams::new(5_000).unwrap() }])].into(),
    );
    edit(&mut document, 3, |doc| {
        mark_over(doc, "a", 1)?;
        set_allocation(doc, &allocation)
    });
    let order = read(&document, SERVER);
    assert_eq!((order.over(), &order.allocation), (0, &Allocation::default()));
    let named = [("allocation", actor(3)), ("over", actor(3))];
    let mut found: Vec<_> = order.trespasses.into_iter().map(|one| (one.field, one.actor.unwrap())).collect();
    found.sort();
    assert_eq!(found, named);
    assert_eq!(crate::conflicts::trespasses(&document, SERVER).len(), 2);

    // Beside what the server wrote at once, somebody else's value is ignored too.
    let mut one = order_of(&["a"]);
    let mut two = one.clone();
    edit(&mut one, 9, |doc| mark_over(doc, "a", 2));
    let other = two.edit(&actor(3), Instant(0), |doc| mark_over(doc, "a", 1)).unwrap().1.unwrap();
    one.apply(&[other]).unwrap();
    let order = read(&one, SERVER);
    assert_eq!((order.over(), order.trespasses.len()), (2, 1));
}

/// Before there were SKUs, a line named a product and a weight.
#[test]
fn order_from_before_skus_is_still_read() {
    let mut document = new_order();
    let plain =
        PlainLine { product: "millet".into(), quantity: Grams::new(2_000).unwrap(), price: Fen::new(4_560).unwrap() };
    edit(&mut document, 9, |doc| {
        place(doc, std::slice::from_ref(&plain))?;
        ship(doc, "SF1234")
    });
    let order = read(&document, SERVER);
    assert_eq!((order.damaged.as_slice(), order.state()), (&[][..], Some(OrderState::Shipped)));
    let line = &order.lines[0];
    assert_eq!(
        (line.product.as_deref(), line.grams.map(Grams::get), line.fen.get()),
        (Some("millet"), Some(2_000), 4_560)
    );
    assert_eq!((line.line_id.as_str(), line.packs, line.is_unmapped()), ("0", None, false));
    // A platform's file may tell of it too.
    assert!(edit(&mut document, 9, |doc| tell(doc, &TakenOrder { told: ToldStatus::Done, ..taken(&["x"]) })));
    assert_eq!(read(&document, SERVER).state(), Some(OrderState::Done));
}

#[test]
fn hostile_fields_are_damaged_and_the_rest_is_read() {
    let hostile: [(&str, ScalarValue, &str); 13] = [
        ("told", "1790000000000".into(), "told"),
        ("told", "1 shipped".into(), "told"),
        ("told", ScalarValue::Int(7), "told"),
        ("placed", ScalarValue::Int(-1), "placed"),
        ("placed", "yesterday".into(), "placed"),
        ("total", ScalarValue::Int(-1), "total"),
        ("freight", ScalarValue::Int(i64::MAX), "freight"),
        ("pool", ScalarValue::Boolean(true), "pool"),
        ("stream", "NOT A CODE".into(), "stream"),
        ("item/x", "no map".into(), "lines"),
        ("sku/a", ScalarValue::Int(3), "sku"),
        ("over/a", ScalarValue::Int(-3), "over"),
        ("over/a", ScalarValue::Int(3), "over"),
    ];
    for (field, value, damaged) in hostile {
        let mut document = order_of(&["a"]);
        edit(&mut document, 9, |doc| Ok(doc.put(ROOT, field, value.clone())?));
        let order = read(&document, SERVER);
        assert_eq!(order.damaged, [damaged], "{field} {value:?}");
        assert_eq!(order.lines.len(), 1);
    }
    for (field, value) in [
        ("packs", ScalarValue::Int(0)),
        ("packs", ScalarValue::Int(-5)),
        ("packs", ScalarValue::Uint(u64::MAX)),
        ("fen", ScalarValue::Int(-1)),
        ("fen", ScalarValue::F64(1.5)),
        ("sku", ScalarValue::Null),
        ("title", "a\u{202e}b".into()),
        ("gift", "yes".into()),
    ] {
        let mut document = order_of(&["a", "b"]);
        edit(&mut document, 3, |doc| {
            let (_, item) = doc.get(ROOT, "item/a")?.unwrap();
            Ok(doc.put(&item, field, value.clone())?)
        });
        let order = read(&document, SERVER);
        assert_eq!((order.damaged.as_slice(), order.lines.len()), (&["lines"][..], 1), "{field} {value:?}");
    }
    let mut crowded = order_of(&["a"]);
    edit(&mut crowded, 3, |doc| (0..300).try_for_each(|id| super::taken::fill_line(doc, &line(&format!("b{id}")))));
    let order = read(&crowded, SERVER);
    assert_eq!((order.damaged.as_slice(), order.lines.len()), (&["lines"][..], LINES_MAX));
}

/// I7: nothing of a receiver stands in the order.
#[test]
fn no_field_of_a_receiver_is_in_an_orders_bytes() {
    let who = Receiver {
        name: Some("测试收件人甲".into()),
        phone: Some("13812345678".into()),
        address: Some("山西省临县某村 12 号".into()),
        is_sealed: true,
        buyer_note: Some("放门口谢谢".into()),
        seller_note: Some("老客户加急".into()),
        address_changed_at: Some(Instant(BEGIN)),
        damaged: vec![],
    };
    let mut document = Document::new(DocumentKey::Receiver(OrderName::of("douyin", "6912"))).unwrap();
    assert!(edit(&mut document, 9, |doc| receiver::set(doc, &who)));
    assert_eq!(receiver::read(&document), who);
    let mut order = order_of(&["a", "b"]);
    edit(&mut order, 9, |doc| tell(doc, &TakenOrder { told_at: Instant(BEGIN + 9), ..taken(&["a"]) }));
    let (order, receiver) = (order.save(), document.save());
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
    for text in [&who.name, &who.phone, &who.address, &who.buyer_note, &who.seller_note].into_iter().flatten() {
        assert!(has(&receiver, text) && !has(&order, text), "{text}");
    }
}

#[derive(Debug, Clone)]
struct Message {
    at: i64,
    told: ToldStatus,
    lines: Vec<(u8, AfterSale)>,
}

impl Message {
    fn order(&self) -> TakenOrder {
        let line = |(id, after_sale): &(u8, AfterSale)| TakenLine { after_sale: *after_sale, ..line(&id.to_string()) };
        TakenOrder {
            told: self.told,
            told_at: Instant(BEGIN + self.at),
            lines: self.lines.iter().map(line).collect(),
            ..taken(&[])
        }
    }
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let told = proptest::sample::select(ToldStatus::ALL.to_vec());
    let after_sale = proptest::sample::select(AfterSale::ALL.to_vec());
    let lines = prop::collection::btree_map(0u8..4, after_sale, 1..4);
    let message =
        (0i64..6, told, lines).prop_map(|(at, told, lines)| Message { at, told, lines: lines.into_iter().collect() });
    prop::collection::vec(message, 1..7)
}

fn told_in_order<'m>(messages: impl IntoIterator<Item = &'m Message>) -> Order {
    let mut document = order_of(&["0", "1", "2"]);
    for message in messages {
        edit(&mut document, 9, |doc| tell(doc, &message.order()));
    }
    read(&document, SERVER)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// In whatever order messages come, and however often, an order ends the same.
    #[test]
    fn order_told_in_any_order_ends_the_same((told, shuffled) in messages().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle()))) {
        let once = told_in_order(&told);
        prop_assert_eq!(&once, &told_in_order(&shuffled));
        prop_assert_eq!(&once, &told_in_order(shuffled.iter().chain(&told).chain(&shuffled)), "repeats are harmless");
        let last = told.iter().map(|message| (Instant(BEGIN + message.at), message.told)).max().unwrap();
        let expected = last.max((Instant(BEGIN), ToldStatus::ToShip));
        prop_assert_eq!((once.told_at, once.told), (Some(expected.0), Some(expected.1)));
    }

    /// Two replicas that were told different things at once show the same once they have each other's changes: what one replica that
    /// was told all of it shows.
    #[test]
    fn replicas_that_were_told_at_once_converge(mine in messages(), theirs in messages(), after in messages()) {
        let mut one = order_of(&["0", "1", "2"]);
        let mut two = one.clone();
        let told = |document: &mut Document, by: u8, messages: &[Message]| -> Vec<VerifiedChange> {
            let change = |message: &Message| document.edit(&actor(by), Instant(BEGIN), |doc| tell(doc, &message.order())).unwrap().1;
            messages.iter().filter_map(change).collect()
        };
        let first = told(&mut one, 9, &mine);
        let second = told(&mut two, 8, &theirs);
        one.apply(&second).unwrap();
        two.apply(&first).unwrap();
        prop_assert_eq!(one.heads(), two.heads());
        prop_assert_eq!(read(&one, SERVER), read(&two, SERVER));
        prop_assert_eq!(read(&one, SERVER), told_in_order(mine.iter().chain(&theirs)));
        let further = told(&mut one, 9, &after);
        two.apply(&further).unwrap();
        prop_assert_eq!(read(&two, SERVER), told_in_order(mine.iter().chain(&theirs).chain(&after)));
    }

    #[test]
    fn any_text_is_read_as_told_or_rejected(text in "([0-9]{1,14} [a-z-]{1,9}\n?){0,3}|\\PC{0,40}") {
        if let Ok(told) = text.parse::<super::told::Told>() {
            prop_assert_eq!(told.to_string().parse::<super::told::Told>(), Ok(told));
        }
    }

    #[test]
    fn any_text_is_read_as_an_allocation_or_rejected(text in "[\\[\\]{}\":,a0-9-]{0,30}|\\PC{0,30}") {
        if let Some(read) = Allocation::from_text(&text) {
            prop_assert_eq!(Allocation::from_text(&read.to_text()), Some(read));
        }
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

#[test]
fn what_others_wrote_in_the_servers_place_is_taken_out_and_its_own_value_stays() {
    use crate::schema::{DocumentKind, reclaim};
    let mut document = order_of(&["a"]);
    let mut other = document.clone();
    edit(&mut document, 9, |doc| mark_over(doc, "a", 2));
    let foreign = other.edit(&actor(3), Instant(0), |doc| {
        doc.put(ROOT, "allocation", "{}")?;
        mark_over(doc, "a", 1)
    });
    document.apply(&[foreign.unwrap().1.unwrap()]).unwrap();
    assert_eq!(read(&document, SERVER).trespasses.len(), 2);
    let mut take_out =
        || document.edit(&actor(9), Instant(0), |doc| reclaim(doc, DocumentKind::Order, SERVER)).unwrap().0;
    assert!(take_out() && !take_out(), "then there is nothing left to take out");
    let order = read(&document, SERVER);
    assert_eq!((order.trespasses.as_slice(), order.over()), (&[][..], 2));
}
