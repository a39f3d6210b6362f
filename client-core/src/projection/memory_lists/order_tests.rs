//! The lists of orders in memory answer as those of SQLite do.

use proptest::prelude::*;
use proptest::sample::select;

use super::MemoryLists;
use crate::ids::{DeviceId, Incarnation};
use crate::projection::{OrderCursor, OrderFilter, OrderRow, ReadModel, UnmappedLine};
use crate::quantities::{Fen, Grams, Instant};
use crate::schema::order::{
    AfterSale, OrderState, OrderStatus, PlainLine, TakenLine, TakenOrder, ToldStatus, mark_over, place, set_status,
    take,
};
use crate::schema::receiver::{self, Receiver};
use crate::schema::{Document, DocumentKey, OrderName};

const SERVER: DeviceId = DeviceId::from_bytes([9; 8]);
const BEGIN: i64 = 1_790_000_000_000;

/// An order of a test: most of what a list can ask for.
#[derive(Debug, Clone)]
struct Given {
    name: OrderName,
    placed: i64,
    told: ToldStatus,
    status: OrderStatus,
    sku: Option<&'static str>,
    packs: u32,
    over: u32,
    after_sale: AfterSale,
    promised: Option<i64>,
    pool: &'static str,
    /// Whether the server marks what is over.
    is_by_server: bool,
    /// One by weight, that no platform told of.
    is_plain: bool,
}

fn given() -> impl Strategy<Value = Given> {
    let name =
        (select(vec!["douyin", "kuaishou"]), select(vec!["", "乙店"]), 0u8..30).prop_map(|(platform, shop, id)| {
            OrderName { shop: shop.into(), ..OrderName::of(platform, &format!("6912{id}")) }
        });
    let told = (select(ToldStatus::ALL.to_vec()), select(AfterSale::ALL.to_vec()));
    let status = select(vec![OrderStatus::Placed, OrderStatus::Packed, OrderStatus::Shipped, OrderStatus::Cancelled]);
    let goods = (select(vec![None, Some("XM-05"), Some("LJ-200")]), 1u32..5, 0u32..3, select(vec!["free", "eleven"]));
    (name, 0i64..5, told, status, goods, prop::option::of(0i64..5), any::<bool>(), prop::bool::weighted(0.2)).prop_map(
        |(name, placed, (told, after_sale), status, (sku, packs, over, pool), promised, is_by_server, is_plain)| {
            Given {
                name,
                placed,
                told,
                status,
                sku,
                packs,
                over: over.min(packs),
                after_sale,
                promised,
                pool,
                is_by_server,
                is_plain,
            }
        },
    )
}

fn document(given: &Given) -> Document {
    let line = TakenLine {
        line_id: "1".into(),
        sku: given.sku.map(str::to_owned),
        code: None,
        title: Some("黄小米".into()),
        packs: given.packs,
        fen: Fen::new(i64::from(given.packs) * 2_990).unwrap(),
        is_gift: false,
        after_sale: given.after_sale,
        after_sale_at: None,
    };
    let order = TakenOrder {
        placed_at: Instant(BEGIN + given.placed),
        paid_at: None,
        promised_at: given.promised.map(|at| Instant(BEGIN + at)),
        told_at: Instant(BEGIN + 9),
        told: given.told,
        total_fen: None,
        freight_fen: None,
        pool: given.pool.into(),
        stream: given.pool.parse().ok().filter(|_| given.pool == "eleven"),
        lines: vec![line],
    };
    let mut document = Document::new(DocumentKey::Order(given.name.clone())).unwrap();
    let server = SERVER.actor(Incarnation::new(1));
    let write = |doc: &mut automerge::AutoCommit| {
        if given.is_plain {
            let (quantity, price) = (Grams::new(2_000).unwrap(), Fen::new(4_560).unwrap());
            place(doc, &[PlainLine { product: "millet".into(), quantity, price }])?;
        } else {
            take(doc, &order)?;
        }
        set_status(doc, given.status)
    };
    document.edit(&server, Instant(0), write).unwrap();
    let marker = if given.is_by_server { server } else { DeviceId::from_bytes([3; 8]).actor(Incarnation::new(1)) };
    if given.over > 0 && !given.is_plain {
        document.edit(&marker, Instant(0), |doc| mark_over(doc, "1", given.over)).unwrap();
    }
    document
}

fn filter() -> impl Strategy<Value = OrderFilter> {
    let texts = (
        prop::option::of(select(vec!["douyin".to_owned(), "kuaishou".to_owned()])),
        prop::option::of(select(vec![String::new(), "乙店".to_owned()])),
        prop::option::of(select(OrderState::ALL.to_vec())),
        prop::option::of(select(vec!["free".to_owned(), "eleven".to_owned()])),
        prop::option::of(select(vec!["2".to_owned(), "691".to_owned(), "%".to_owned(), " ".to_owned()])),
    );
    let truths = prop::array::uniform5(prop::bool::weighted(0.2));
    (texts, truths, prop::option::weighted(0.3, 0i64..6)).prop_map(|(texts, truths, late)| {
        let (platform, shop, state, pool, search) = texts;
        let [only_over, only_unmapped, only_after_sale, only_trespassed, in_stream] = truths;
        OrderFilter {
            platform,
            shop,
            state,
            pool,
            stream: in_stream.then(|| "eleven".to_owned()),
            only_over,
            only_unmapped,
            only_after_sale,
            only_trespassed,
            late_at: late.map(|late| Instant(BEGIN + late)),
            search,
            ..OrderFilter::default()
        }
    })
}

fn both(orders: &[Given]) -> (ReadModel, MemoryLists) {
    let (mut sqlite, mut memory) = (ReadModel::in_memory().unwrap(), MemoryLists::in_memory().unwrap());
    sqlite.trust(SERVER);
    memory.trust(SERVER);
    for (place, order) in orders.iter().enumerate() {
        let mut document = document(order);
        sqlite.write(&mut document, place as u64 + 1).unwrap();
        memory.write(&mut document, place as u64 + 1).unwrap();
        if place % 2 == 0 {
            let mut who = Document::new(DocumentKey::Receiver(order.name.clone())).unwrap();
            let named = Receiver { name: Some(format!("何{place}")), ..Receiver::default() };
            let actor = SERVER.actor(Incarnation::new(1));
            who.edit(&actor, Instant(0), |doc| receiver::set(doc, &named)).unwrap();
            sqlite.write(&mut who, 1).unwrap();
            memory.write(&mut who, 1).unwrap();
        }
    }
    (sqlite, memory)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn orders_are_listed_alike(orders in prop::collection::vec(given(), 0..12), filter in filter(), forgotten in any::<prop::sample::Index>()) {
        let (mut sqlite, mut memory) = both(&orders);
        for _ in 0..2 {
            let whole = OrderFilter { limit: 1_000, ..filter.clone() };
            let page = sqlite.order_page(&whole).unwrap();
            prop_assert_eq!(&page, &memory.order_page(&whole).unwrap());
            prop_assert!(page.iter().all(|row| filter.passes(row)));
            prop_assert_eq!(sqlite.count_order_page(&filter).unwrap(), page.len() as u64);
            prop_assert_eq!(memory.count_order_page(&filter).unwrap(), page.len() as u64);
            // Page by page it is the same list, without one twice or left out.
            let mut walked: Vec<OrderRow> = Vec::new();
            loop {
                let after = walked.last().map(|row| OrderCursor::of(row).to_string().parse().unwrap());
                let part = OrderFilter { limit: 2, after, ..filter.clone() };
                let rows = sqlite.order_page(&part).unwrap();
                prop_assert_eq!(&rows, &memory.order_page(&part).unwrap());
                if rows.is_empty() {
                    break;
                }
                walked.extend(rows);
            }
            prop_assert_eq!(&walked, &page);
            let late_at = Instant(BEGIN + 3);
            let counts = sqlite.order_counts(late_at).unwrap();
            prop_assert_eq!(&counts, &memory.order_counts(late_at).unwrap());
            let late = OrderFilter { late_at: Some(late_at), ..OrderFilter::default() };
            prop_assert_eq!(counts.late, sqlite.count_order_page(&late).unwrap());
            prop_assert_eq!(sqlite.order_shops().unwrap(), memory.order_shops().unwrap());
            prop_assert_eq!(sqlite.unmapped_lines(50).unwrap(), memory.unmapped_lines(50).unwrap());
            if !orders.is_empty() {
                let key = DocumentKey::Order(forgotten.get(&orders).name.clone());
                sqlite.forget(&key).unwrap();
                memory.forget(&key).unwrap();
            }
        }
    }
}

#[test]
fn a_row_says_what_a_list_shows() {
    let order = Given {
        name: OrderName::of("douyin", "6912"),
        placed: 1,
        told: ToldStatus::ToShip,
        status: OrderStatus::Placed,
        sku: None,
        packs: 3,
        over: 2,
        after_sale: AfterSale::Asked,
        promised: Some(5),
        pool: "eleven",
        is_by_server: true,
        is_plain: false,
    };
    let (sqlite, _) =
        both(&[order.clone(), Given { name: OrderName::of("douyin", "6913"), is_by_server: false, ..order }]);
    let rows = sqlite.order_page(&OrderFilter::default()).unwrap();
    let [first, second] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(
        (first.state, first.packs, first.over, first.unmapped, first.fen),
        (Some(OrderState::ToPack), 3, 2, 1, 8_970)
    );
    assert_eq!((first.receiver.as_str(), first.pool.as_str(), first.stream.as_str()), ("何0", "eleven", "eleven"));
    assert!(first.is_after_sale_asked && !first.is_trespassed && !first.is_damaged);
    assert!(second.is_trespassed && second.over == 0, "somebody else than the server marked it");
    let line =
        UnmappedLine { order: first.name.clone(), line: "1".into(), code: String::new(), title: "黄小米".into() };
    assert_eq!(sqlite.unmapped_lines(1).unwrap(), [line]);
    for wrong in ["", "1", "x/douyin/1", "1/douyin", "01/douyin/1"] {
        assert!(wrong.parse::<OrderCursor>().is_err(), "{wrong}");
    }
}
