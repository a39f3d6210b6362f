//! Documents of trade from other clients hold whatever somebody wrote: they are read, or named as damaged, and listed; never more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value};
use granary_client_core::crdt::DocumentFault;
use granary_client_core::ids::{DeviceId, Incarnation};
use granary_client_core::projection::{MemoryLists, OrderFilter, ReadModel};
use granary_client_core::protocol::bundle::{DocumentChanges, write_bundle};
use granary_client_core::quantities::{Fen, Instant};
use granary_client_core::schema::order::{self, AfterSale, TakenLine, TakenOrder, ToldStatus};
use granary_client_core::schema::receiver::{self, Receiver};
use granary_client_core::schema::sku::{self, Sku};
use granary_client_core::schema::stream::{self, Offer, StreamPlan};
use granary_client_core::schema::{Document, DocumentKey, OrderName, Part, StockMonth, catalogue, stock_book};
use proptest::prelude::*;
use proptest::sample::select;

const SERVER: DeviceId = DeviceId::from_bytes([9; 8]);
const BEGIN: i64 = 1_790_000_000_000;

/// Names that documents of trade have, and some that none has.
const NAMES: [&str; 46] = [
    "status",
    "lines",
    "told",
    "placed",
    "paid",
    "promised",
    "total",
    "freight",
    "pool",
    "stream",
    "allocation",
    "item/1",
    "item/",
    "item/1/2",
    "sku/1",
    "sku/",
    "over/1",
    "over/",
    "settled",
    "shipment",
    "name",
    "phone",
    "address",
    "sealed",
    "buyer_note",
    "address_changed",
    "offers",
    "served",
    "minutes",
    "starts",
    "ends",
    "host",
    "platform",
    "XM-05",
    "XM-05/fen",
    "XM-05/lots",
    "XM-05/limit",
    "/fen",
    "sku/XM-05/grams",
    "sku/XM-05/name/小米",
    "sku//grams",
    "packs",
    "fen",
    "gift",
    "entries",
    "opening",
];

/// One thing that somebody writes: a value, an object, or nothing in the place of what stood there.
#[derive(Debug, Clone)]
enum Writing {
    Value(ScalarValue),
    Object(ObjType),
    Nothing,
}

fn writing() -> impl Strategy<Value = Writing> {
    let texts = select(vec![
        "",
        " ",
        "1",
        "1790000000000 shipped",
        "1790000000000 done\nasked 1790000000000 1",
        "{\"1\":[[\"in:1\",-5]]}",
        "[]",
        "1 2 3 4 5",
        "-1",
        "placed",
        "\u{202e}x",
        "\u{0}",
        "小米",
    ]);
    let value = prop_oneof![
        any::<i64>().prop_map(ScalarValue::Int),
        (-2i64..3).prop_map(ScalarValue::Int),
        any::<u64>().prop_map(ScalarValue::Uint),
        any::<f64>().prop_map(ScalarValue::F64),
        any::<bool>().prop_map(ScalarValue::Boolean),
        Just(ScalarValue::Null),
        any::<i64>().prop_map(ScalarValue::counter),
        any::<i64>().prop_map(ScalarValue::Timestamp),
        any::<Vec<u8>>().prop_map(ScalarValue::Bytes),
        texts.prop_map(ScalarValue::from),
        "\\PC{0,20}".prop_map(|text| ScalarValue::from(text.as_str())),
        Just(ScalarValue::from("x".repeat(70_000).as_str())),
    ];
    prop_oneof![
        8 => value.prop_map(Writing::Value),
        2 => select(vec![ObjType::Map, ObjType::List, ObjType::Text, ObjType::Table]).prop_map(Writing::Object),
        1 => Just(Writing::Nothing),
    ]
}

fn taken(lines: usize) -> TakenOrder {
    let line = |place: usize| TakenLine {
        line_id: if lines == 1 { "1".into() } else { format!("69121234567890{place:04}") },
        sku: Some("XM-05".into()),
        code: Some("XM-05".into()),
        title: Some("临县小米 5斤装".into()),
        packs: 1 + u32::try_from(place).unwrap() % 3,
        fen: Fen::new(2_990).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    };
    TakenOrder {
        placed_at: Instant(BEGIN),
        paid_at: None,
        promised_at: Some(Instant(BEGIN + 172_800_000)),
        told_at: Instant(BEGIN + 60_000),
        told: ToldStatus::ToShip,
        total_fen: None,
        freight_fen: None,
        pool: "double-eleven".into(),
        stream: "double-eleven".parse().ok(),
        lines: (0..lines).map(line).collect(),
    }
}

/// Documents of each kind, each with something in it.
fn documents() -> Vec<Document> {
    let name = OrderName::of("douyin", "6912");
    let keys = [
        DocumentKey::Order(name.clone()),
        DocumentKey::Receiver(name),
        DocumentKey::Stream("double-eleven".parse().unwrap()),
        DocumentKey::Catalogue(Part::FIRST),
        DocumentKey::StockBook(StockMonth::first("main", 2026, 11).unwrap()),
    ];
    let millet = Sku::new("XM-05", "millet", "A", granary_client_core::quantities::Grams::new(2_500).unwrap());
    keys.into_iter()
        .map(|key| {
            let mut document = Document::new(key.clone()).unwrap();
            let write = |doc: &mut AutoCommit| match key {
                DocumentKey::Order(_) => order::take(doc, &taken(1)).map(drop),
                DocumentKey::Receiver(_) => {
                    receiver::set(doc, &Receiver { name: Some("何".into()), ..Receiver::default() }).map(drop)
                }
                DocumentKey::Stream(_) => {
                    let (host, platform, shop) = ("张".into(), "douyin".into(), String::new());
                    stream::plan(doc, &StreamPlan { host, platform, shop, starts_at: Instant(BEGIN), ends_at: None })?;
                    stream::offer(doc, "XM-05", &Offer::new(Fen::new(1).unwrap(), 5))
                }
                DocumentKey::Catalogue(_) => sku::set_sku(doc, &millet),
                _ => Ok(()),
            };
            document.edit(&SERVER.actor(Incarnation::new(1)), Instant(0), write).unwrap();
            document
        })
        .collect()
}

/// Writes something at a name of the root, or of the maps and lists that stand there.
fn write(doc: &mut AutoCommit, depth: usize, name: &str, what: &Writing) -> Result<(), DocumentFault> {
    let mut object = ROOT;
    for _ in 0..depth {
        let next = NAMES.iter().filter_map(|name| match doc.get(&object, *name) {
            Ok(Some((Value::Object(_), id))) => Some(id),
            _ => None,
        });
        let next: Option<ObjId> = next.into_iter().next();
        object = next.unwrap_or(object);
    }
    let is_list = doc.object_type(&object).is_ok_and(|kind| kind.is_sequence());
    // The library can't write into tables.
    if !doc.object_type(&object).is_ok_and(|kind| matches!(kind, ObjType::Map | ObjType::List)) {
        return Ok(());
    }
    match (what, is_list) {
        (Writing::Value(value), false) => doc.put(&object, name, value.clone())?,
        (Writing::Value(value), true) => drop(doc.insert(&object, 0, value.clone())),
        (Writing::Object(kind), false) => drop(doc.put_object(&object, name, *kind)?),
        (Writing::Object(kind), true) => drop(doc.insert_object(&object, 0, *kind)),
        (Writing::Nothing, false) => drop(doc.delete(&object, name)),
        (Writing::Nothing, true) => drop(doc.delete(&object, 0)),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_stands_in_a_document_is_read_and_listed(
        writings in prop::collection::vec((0usize..5, 0usize..3, select(NAMES.to_vec()), writing(), any::<bool>()), 1..24),
    ) {
        let mut documents = documents();
        for (place, depth, name, what, is_server) in &writings {
            let device = if *is_server { SERVER } else { DeviceId::from_bytes([3; 8]) };
            let actor = device.actor(Incarnation::new(1));
            documents[*place].edit(&actor, Instant(0), |doc| write(doc, *depth, name, what)).unwrap();
        }
        let (mut sqlite, mut memory) = (ReadModel::in_memory().unwrap(), MemoryLists::in_memory().unwrap());
        sqlite.trust(SERVER);
        memory.trust(SERVER);
        for document in &mut documents {
            let order = order::read(document, SERVER);
            prop_assert!(order.lines.len() <= order::LINES_MAX);
            prop_assert!(order.lines.iter().all(|line| line.packs.is_none_or(|packs| line.over <= packs)));
            let stream = stream::read(document, SERVER);
            prop_assert!(stream.minutes.len() <= stream::MINUTES_MAX && stream.offers.len() <= stream::OFFERS_MAX);
            let _ = (receiver::read(document), catalogue::read(document), stock_book::read(document, SERVER));
            sqlite.write(document, 1).unwrap();
            memory.write(document, 1).unwrap();
        }
        let all = OrderFilter::default();
        prop_assert_eq!(sqlite.order_page(&all).unwrap(), memory.order_page(&all).unwrap());
    }
}

/// A packer's phone gets every order over a poor line: what one costs there is held small.
#[test]
fn orders_take_few_bytes_on_the_line() {
    let bundled = |orders: usize, lines: usize| {
        let document = |number: usize| {
            let key = DocumentKey::Order(OrderName::of("douyin", &format!("6912000000{number:08}")));
            let mut document = Document::new(key.clone()).unwrap();
            let told = TakenOrder { placed_at: Instant(BEGIN + i64::try_from(number).unwrap() * 211), ..taken(lines) };
            let actor = SERVER.actor(Incarnation::new(1));
            document.edit(&actor, Instant(BEGIN), |doc| order::take(doc, &told)).unwrap();
            DocumentChanges { key, changes: document.changes_since(&[]).unwrap() }
        };
        let bundle = write_bundle(&(0..orders).map(document).collect::<Vec<_>>());
        bundle.len() / orders
    };
    let (one, three) = (bundled(500, 1), bundled(500, 3));
    println!("an order of one line takes {one} bytes of a bundle, of three lines {three}");
    assert!(one < 110 && three < 260, "{one} {three}");
}
