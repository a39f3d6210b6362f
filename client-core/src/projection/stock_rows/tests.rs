use super::*;
use crate::ids::{ActorId, CooperativeId, HouseholdId, Incarnation};
use crate::projection::MemoryLists;
use crate::quantities::{Fen, Grams, GramsDelta, Instant};
use crate::schema::harvest::{LotDraft, record, set_merged, withdraw};
use crate::schema::order::{
    AfterSale, Allocated, Allocation, OrderStatus, TakenLine, TakenOrder, ToldStatus, set_allocation, set_status, take,
};
use crate::schema::receipt::{Outcome, receive};
use crate::schema::stock_book::{Balance, Count, Deed, GoodsIn, open, write};
use crate::schema::{Book, EntryId, HoldingId, OrderName, Season};
use crate::trade::{FactsOfDocuments, StockCase, derive, openings};

pub(in crate::projection) fn server() -> DeviceId {
    CooperativeId::from_bytes([5; 16]).server_device()
}

pub(in crate::projection) fn actor(device: DeviceId) -> ActorId {
    device.actor(Incarnation::new(1))
}

fn grams(grams: i64) -> Grams {
    Grams::new(grams).unwrap()
}

fn book_key(year: u16, month: u8) -> DocumentKey {
    DocumentKey::StockBook(StockMonth::first("main", year, month).unwrap())
}

/// A warehouse: four lots of one household, goods bought in, a count, orders in several states.
pub(in crate::projection) fn warehouse() -> (Vec<Document>, BTreeMap<String, Sku>) {
    let packer = actor(DeviceId::from_bytes([2; 8]));
    let (now, day) = (Instant(0), "2026-10-03".parse().unwrap());
    let household = Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
    let mut harvest = Document::new(DocumentKey::HarvestBook(household)).unwrap();
    let mut receipts = Document::new(DocumentKey::ReceiptBook(household)).unwrap();
    let mut lots = Vec::new();
    for weight in [10_000, 20_000, 30_000, 40_000] {
        let draft = LotDraft { grade: "B".into(), ..LotDraft::new("millet", grams(weight), day) };
        let (key, _) = harvest.edit(&packer, now, |doc| record(doc, &draft)).unwrap();
        let lot = LotId::in_book(harvest.key(), key).unwrap();
        let grade = if weight == 10_000 { "A".into() } else { String::new() };
        let outcome = Outcome::Received { weighed: grams(weight - 500), grade };
        receipts.edit(&packer, now, |doc| receive(doc, &lot, &outcome, day)).unwrap();
        lots.push(lot);
    }
    harvest.edit(&packer, now, |doc| set_merged(doc, lots[2].key(), Some(lots[1].key()))).unwrap();
    harvest.edit(&packer, now, |doc| withdraw(doc, lots[3].key())).unwrap();

    let mut stock = Document::new(book_key(2026, 11)).unwrap();
    let holding = HoldingId::Lot(lots[0].clone());
    let bought = Deed::In(GoodsIn {
        product: "noodles".into(),
        grade: String::new(),
        quantity: grams(5_000),
        day,
        expiry: "2027-01-01".parse().ok(),
        from: "Shi".into(),
        bin: "A1".into(),
    });
    let count = Deed::Count(Count {
        holding: holding.clone(),
        counted: GramsDelta::new(9_000).unwrap(),
        computed: GramsDelta::new(9_500).unwrap(),
        knew: vec![],
    });
    let mut keys = Vec::new();
    for deed in [bought, count] {
        keys.push(stock.edit(&packer, now, |doc| write(doc, &deed, now)).unwrap().0);
    }
    let noodles = HoldingId::In(EntryId::in_book(stock.key(), keys[0].clone()).unwrap());

    let line = |line_id: &str, sku: Option<&str>, packs, after_sale| TakenLine {
        line_id: line_id.into(),
        sku: sku.map(str::to_owned),
        code: None,
        title: None,
        packs,
        fen: Fen::new(100).unwrap(),
        is_gift: false,
        after_sale,
        after_sale_at: None,
    };
    let told = |told, lines| TakenOrder {
        placed_at: Instant(1_760_000_000_000),
        paid_at: None,
        promised_at: None,
        told_at: Instant(1_760_000_000_000),
        told,
        total_fen: None,
        freight_fen: None,
        pool: "douyin".into(),
        stream: None,
        lines,
    };
    let allocated = |holding: &HoldingId, weight| {
        let one = Allocated { holding: holding.to_string(), grams: grams(weight) };
        Allocation([("1".to_owned(), vec![one])].into())
    };
    let mut orders = Vec::new();
    for (id, state, status, author) in [
        ("planned", ToldStatus::ToShip, None, server()),
        ("packed", ToldStatus::ToShip, Some(OrderStatus::Packed), server()),
        ("gone", ToldStatus::Done, None, server()),
        ("closed", ToldStatus::Closed, None, server()),
        ("foreign", ToldStatus::ToShip, None, DeviceId::from_bytes([2; 8])),
    ] {
        let mut order = Document::new(DocumentKey::Order(OrderName::of("douyin", id))).unwrap();
        let lines = vec![
            line("1", Some("XM-05"), 2, AfterSale::None),
            line("2", Some("MT-500"), 3, AfterSale::None),
            line("3", Some("MT-500"), 50, AfterSale::Refunded),
            line("4", None, 1, AfterSale::None),
        ];
        order.edit(&packer, now, |doc| take(doc, &told(state, lines.clone()))).unwrap();
        let holding = if id == "gone" { &noodles } else { &holding };
        let weight = if id == "gone" { 1_000 } else { 2_500 };
        order.edit(&actor(author), now, |doc| set_allocation(doc, &allocated(holding, weight))).unwrap();
        if let Some(status) = status {
            order.edit(&packer, now, |doc| set_status(doc, status)).unwrap();
        }
        orders.push(order);
    }
    let skus = [Sku::new("XM-05", "millet", "A", grams(2_500)), Sku::new("MT-500", "noodles", "", grams(500))];
    let documents = [harvest, receipts, stock].into_iter().chain(orders).collect();
    (documents, skus.into_iter().map(|sku| (sku.code.clone(), sku)).collect())
}

pub(in crate::projection) fn facts_of_documents(documents: &[Document], skus: &BTreeMap<String, Sku>) -> Facts {
    let mut facts = FactsOfDocuments::new(server());
    documents.iter().for_each(|document| facts.add(document));
    facts.facts(skus)
}

#[test]
fn rows_lists_in_memory_and_documents_tell_the_same_facts() {
    let (mut documents, skus) = warehouse();
    let facts = facts_of_documents(&documents, &skus);
    let mut rows = ReadModel::in_memory().unwrap();
    let mut lists = MemoryLists::in_memory().unwrap();
    rows.trust(server());
    lists.trust(server());
    for document in &mut documents {
        rows.write(document, 1).unwrap();
        lists.write(document, 1).unwrap();
    }
    let mut named = rows.stock_facts(&skus).unwrap();
    assert_eq!((named.packed.len(), derive(&named)), (2, derive(&facts)), "the sums of what was packed are enough");
    for holding in derive(&facts).holdings.keys() {
        rows.name_packed(&mut named, holding).unwrap();
    }
    assert_eq!(named, facts);
    assert_eq!(lists.stock_facts(&skus).unwrap(), facts);
    documents.reverse();
    assert_eq!(facts_of_documents(&documents, &skus), facts, "in whatever order");

    let stock = derive(&facts);
    let of = |product: &str, grade: &str| {
        let found = stock.holdings.values().filter(|holding| holding.product == product && holding.grade == grade);
        found.map(|of| (of.present(), of.allocated, of.taken)).collect::<Vec<_>>()
    };
    // Counted as 9 kg, 2.5 kg packed, 2.5 kg planned.
    assert_eq!(of("millet", "A"), [(6_500, 2_500, 2_500)]);
    assert_eq!(of("millet", "B"), [(19_500, 0, 0)], "two lots that are one count once, by the one that was kept");
    assert_eq!(of("noodles", ""), [(4_000, 0, 1_000)]);
    assert_eq!(of("", ""), [(39_500, 0, 0)], "of a lot that was withdrawn the goods are there");
    // One order lacks 2.5 of 5 kg, the one whose plan does not count all 5; both lack noodles; what was paid back takes none.
    let unplanned: Vec<_> = stock.unplanned.values().copied().collect();
    assert_eq!(unplanned, [7_500, 3_000]);
    let cases: Vec<&str> = stock.cases.iter().map(StockCase::code).collect();
    assert_eq!(cases, ["without-product", "written-by-others"]);

    // What is forgotten is told by nobody.
    for document in &documents {
        rows.forget(document.key()).unwrap();
        lists.forget(document.key()).unwrap();
    }
    assert_eq!(rows.stock_facts(&skus).unwrap(), Facts::default());
    assert_eq!(lists.stock_facts(&skus).unwrap(), Facts::default());
}

#[test]
fn opening_counts_only_by_the_server_and_is_checked_against_the_documents() {
    let (mut documents, skus) = warehouse();
    let december = StockMonth::first("main", 2026, 12).unwrap();
    let right = openings(&facts_of_documents(&documents, &skus), &december);
    let mut book = Document::new(book_key(2026, 12)).unwrap();
    let packer = actor(DeviceId::from_bytes([2; 8]));
    let forged: BTreeMap<HoldingId, Balance> = [(HoldingId::Batch("b1".into()), Balance::default())].into();
    let wrong: BTreeMap<HoldingId, Balance> = right
        .iter()
        .map(|(id, balance)| (id.clone(), Balance { grams: balance.grams - 1, ..balance.clone() }))
        .collect();
    for (author, balances, expected) in
        [(&packer, &forged, 0), (&actor(server()), &wrong, 4), (&actor(server()), &right, 0)]
    {
        book.edit(author, Instant(0), |doc| open(doc, balances)).unwrap();
        documents.retain(|document| document.key() != book.key());
        documents.push(book.clone());
        let facts = facts_of_documents(&documents, &skus);
        let differing = crate::trade::differing(&facts);
        assert_eq!(differing.len(), expected, "{differing:?}");
    }
    let facts = facts_of_documents(&documents, &skus);
    assert_eq!(facts.openings[&december], right);
    let again = book.edit(&actor(server()), Instant(0), |doc| open(doc, &right)).unwrap().1;
    assert!(again.is_none(), "what stands there is not written again");
}

#[test]
fn orders_that_took_more_than_was_there_are_named() {
    let (mut documents, skus) = warehouse();
    // Without its receipts the lot never came in, and a packed order took of it.
    documents.retain(|document| !matches!(document.key(), DocumentKey::ReceiptBook(_)));
    let mut rows = ReadModel::in_memory().unwrap();
    rows.trust(server());
    documents.iter_mut().for_each(|document| rows.write(document, 1).unwrap());
    let stock = rows.stock(&skus).unwrap();
    assert_eq!(stock, derive(&facts_of_documents(&documents, &skus)));
    let below = stock.cases.iter().find(|case| case.code() == "below-nothing").unwrap();
    let sources: Vec<String> = below.sources().iter().map(ToString::to_string).collect();
    assert!(
        sources.contains(&"douyin/packed".to_owned()) && sources.contains(&"douyin/planned".to_owned()),
        "{sources:?}"
    );
}

/// Measures; run with `--ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn five_thousand_holdings_and_their_orders() {
    let now = Instant(0);
    let packer = actor(DeviceId::from_bytes([2; 8]));
    let mut rows = ReadModel::in_memory().unwrap();
    rows.trust(server());
    let day = "2026-10-03".parse().unwrap();
    let mut holdings = Vec::new();
    for household in 0..100u8 {
        let of = Book::first(HouseholdId::from_bytes([household; 16]), Season::new(2026).unwrap());
        let mut harvest = Document::new(DocumentKey::HarvestBook(of)).unwrap();
        let mut receipts = Document::new(DocumentKey::ReceiptBook(of)).unwrap();
        for weight in 0..50 {
            let draft = LotDraft::new("millet", grams(50_000 + weight), day);
            let (key, _) = harvest.edit(&packer, now, |doc| record(doc, &draft)).unwrap();
            let lot = LotId::in_book(harvest.key(), key).unwrap();
            let outcome = Outcome::Received { weighed: grams(50_000 + weight), grade: "A".into() };
            receipts.edit(&packer, now, |doc| receive(doc, &lot, &outcome, day)).unwrap();
            holdings.push(HoldingId::Lot(lot));
        }
        rows.write_many([(&mut harvest, 1), (&mut receipts, 1)]).unwrap();
    }
    let mut book = Document::new(book_key(2026, 11)).unwrap();
    for holding in holdings.iter().take(2_000) {
        let deed =
            Deed::Move { holding: holding.clone(), quantity: grams(1_000), from: String::new(), to: "A1".into() };
        book.edit(&packer, now, |doc| write(doc, &deed, now)).unwrap();
    }
    rows.write(&mut book, 1).unwrap();
    let none = BTreeMap::new();
    for orders in [0u32, 3_000, 30_000, 100_000] {
        let known: u32 = rows
            .connection
            .query_row("SELECT (SELECT count(*) FROM order_goods) + (SELECT count(*) FROM packed_goods)", [], |row| {
                row.get(0)
            })
            .unwrap();
        for number in known..orders {
            let key = DocumentKey::Order(OrderName::of("douyin", &format!("69{number:017}"))).to_bytes();
            let holding = &holdings[number as usize % holdings.len()];
            if number < 3_000 {
                let said = format!(
                    "{{\"is_packed\":false,\"lines\":[{{\"sku\":null,\"packs\":0,\"by_weight\":null,\"takes\":[[\"{holding}\",2500]]}}],\
                     \"is_foreign\":false,\"damaged\":[]}}"
                );
                rows.connection.execute("INSERT INTO order_goods VALUES (?1, ?2, 0)", params![key, said]).unwrap();
            } else {
                let values = params![key, holding.to_string(), 2_500];
                rows.connection.execute("INSERT INTO packed_goods VALUES (?1, ?2, ?3)", values).unwrap();
            }
        }
        let begun = std::time::Instant::now();
        let facts = rows.stock_facts(&none).unwrap();
        let gathered = begun.elapsed();
        let stock = derive(&facts);
        println!(
            "{orders} orders, {} holdings: facts {gathered:?}, derived {:?}",
            stock.holdings.len(),
            begun.elapsed() - gathered
        );
    }
}
