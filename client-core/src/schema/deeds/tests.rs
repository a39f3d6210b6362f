use super::*;
use crate::crdt::change::VerifiedChange;
use crate::ids::HouseholdId;
use crate::quantities::Fen;
use crate::schema::catalogue::{self, PriceName};
use crate::schema::{Document, Part, household};

fn told(document: &mut Document) -> Vec<(DeedKind, String, String, String)> {
    let changes: Vec<VerifiedChange> = document.changes_since(&[]).unwrap();
    let records = changes.iter().map(|change| (Instant(0), change.record()));
    let deeds = deeds(&document.key().clone(), records);
    deeds.into_iter().map(|deed| (deed.kind, deed.field, deed.before, deed.after)).collect()
}

fn deed(kind: DeedKind, field: &str, before: &str, after: &str) -> (DeedKind, String, String, String) {
    (kind, field.into(), before.into(), after.into())
}

#[test]
fn a_price_has_a_before_and_an_after_also_where_two_wrote_at_once() {
    let mut one = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
    let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 12]).unwrap());
    let name: PriceName = "A".parse().unwrap();
    let set = |document: &mut Document, actor: usize, fen| {
        let price = Fen::new(fen).unwrap();
        document.edit(&actors[actor], Instant(0), |doc| catalogue::set_price(doc, "millet", &name, price)).unwrap().1
    };
    set(&mut one, 0, 700);
    let mut two = one.clone();
    set(&mut one, 0, 760);
    let other = set(&mut two, 1, 780).unwrap();
    one.apply(&[other]).unwrap();
    set(&mut one, 0, 760);
    let expected = [
        deed(DeedKind::Price, "A", "", "700"),
        deed(DeedKind::Price, "A", "700", "760"),
        deed(DeedKind::Price, "A", "700", "780"),
    ];
    let told = told(&mut one);
    assert_eq!(told[..3], expected);
    let (.., before, after) = &told[3];
    assert!(before == "760 / 780" || before == "780 / 760", "{before}");
    assert_eq!(after, "760");
}

#[test]
fn what_is_done_to_a_pack_that_shops_sell_is_of_the_pack() {
    use crate::quantities::Grams;
    use crate::schema::sku::{self, Sku};
    let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
    let actor = ActorId::from_bytes(&[1; 12]).unwrap();
    let pack = |grams| Sku::new("XM-05", "millet", "A", Grams::new(grams).unwrap());
    document.edit(&actor, Instant(0), |doc| sku::set_sku(doc, &pack(2_500))).unwrap();
    let before = told(&mut document).len();
    document.edit(&actor, Instant(0), |doc| sku::set_sku(doc, &pack(5_000))).unwrap();
    document.edit(&actor, Instant(0), |doc| sku::map_name(doc, "XM-05", "小米/5斤")).unwrap();
    let after = told(&mut document).split_off(before);
    assert_eq!(
        after,
        [
            deed(DeedKind::Product, "sku-grams", "2500", "5000"),
            deed(DeedKind::Product, "sku-name/小米/5斤", "", "true"),
        ]
    );
}

#[test]
fn a_households_deeds_show_no_account_and_name_who_was_taken_out() {
    let mut document = Document::new(DocumentKey::Household(HouseholdId::from_bytes([1; 16]))).unwrap();
    let actor = ActorId::from_bytes(&[1; 12]).unwrap();
    let mut edit = |edit: &dyn Fn(&mut automerge::AutoCommit) -> Result<(), crate::crdt::DocumentFault>| {
        document.edit(&actor, Instant(0), |doc| edit(doc)).unwrap();
    };
    edit(&|doc| household::set_name(doc, "Li", "dongpo"));
    edit(&|doc| household::set_payment(doc, "ICBC 6222 0000 1111 2345 Li Ming"));
    edit(&|doc| household::set_payment(doc, "ICBC 6222 0000 9999 2345 Li Ming"));
    edit(&household::clear_payment);
    edit(&|doc| household::add_member(doc, "Hu"));
    let key = household::read(&document).people[0].key.clone();
    let mut edit = |edit: &dyn Fn(&mut automerge::AutoCommit) -> Result<(), crate::crdt::DocumentFault>| {
        document.edit(&actor, Instant(0), |doc| edit(doc)).unwrap();
    };
    edit(&|doc| household::remove_member(doc, &key, "2026-10-01".parse().unwrap()));
    edit(&|doc| household::put_back_member(doc, &key));
    let told = told(&mut document);
    assert_eq!(
        told,
        [
            deed(DeedKind::Household, "name", "", "Li"),
            deed(DeedKind::Household, "village", "", "dongpo"),
            deed(DeedKind::Payment, "payment", "", "…2345"),
            deed(DeedKind::Payment, "payment", "…2345", "…2345*"),
            deed(DeedKind::Payment, "payment", "…2345", ""),
            deed(DeedKind::Household, "member", "", "Hu"),
            deed(DeedKind::Household, "member", "Hu", ""),
            deed(DeedKind::Household, "member", "", "Hu"),
        ]
    );
    assert!(!format!("{told:?}").contains("6222"));
    let accounts =
        ["１２３４５６７８９０１", "账号六二一七〇一二三", "wangerhuwx12", "wxid-abcdefg"].map(without_account);
    assert_eq!(accounts, ["…８９０１", "…〇一二三", "…wx12", "…defg"]);
    let shown = ["cash", "现金", "fan@example.org", "12345678", "微信 1234"].map(without_account);
    assert_eq!(shown, ["cash", "现金", "….org", "…5678", "…1234"]);
}

// A price that was changed from today stood there as if the product had had none before.
#[test]
fn a_price_from_a_day_on_takes_the_place_of_the_one_that_held_until_then() {
    let mut document = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
    let actor = ActorId::from_bytes(&[1; 12]).unwrap();
    let mut set = |name: &str, fen: i64| {
        let (name, price) = (name.parse::<PriceName>().unwrap(), Fen::new(fen).unwrap());
        document.edit(&actor, Instant(0), |doc| catalogue::set_price(doc, "millet", &name, price)).unwrap();
    };
    set("A@2026-11-20", 750);
    set("B", 500);
    set("A", 700);
    set("A@2026-11-27", 760);
    set("A@2026-11-27", 770);
    let ended = |doc: &mut automerge::AutoCommit| {
        let name: PriceName = "A@2026-11-27".parse().unwrap();
        catalogue::end_price(doc, "millet", &name, Some("2026-11-28".parse().unwrap()))
    };
    document.edit(&actor, Instant(0), ended).unwrap();
    let name: PriceName = "A@2026-12-01".parse().unwrap();
    document
        .edit(&actor, Instant(0), |doc| catalogue::set_price(doc, "millet", &name, Fen::new(800).unwrap()))
        .unwrap();
    assert_eq!(
        told(&mut document),
        [
            deed(DeedKind::Price, "A@2026-11-20", "", "750"),
            deed(DeedKind::Price, "B", "", "500"),
            deed(DeedKind::Price, "A", "", "700"),
            deed(DeedKind::Price, "A@2026-11-27", "750", "760"),
            deed(DeedKind::Price, "A@2026-11-27", "760", "770"),
            deed(DeedKind::Price, "until/A@2026-11-27", "", "2026-11-28"),
            // The one before had ended.
            deed(DeedKind::Price, "A@2026-12-01", "", "800"),
        ]
    );
}

// Neither a receipt nor a correction of a lot was in any activity.
#[test]
fn corrections_and_receipts_of_lots_are_told_and_what_is_recorded_is_not() {
    use crate::conflicts::SETTLING;
    use crate::quantities::Grams;
    use crate::schema::harvest::{LotDraft, LotEdit, correct, record, withdraw};
    use crate::schema::receipt::{Outcome, receive};
    use crate::schema::{Book, LotId, Season};

    let book = Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
    let actor = ActorId::from_bytes(&[1; 12]).unwrap();
    let grams = |grams| Grams::new(grams).unwrap();
    let mut harvest = Document::new(DocumentKey::HarvestBook(book)).unwrap();
    let draft = LotDraft::new("millet", grams(12_500), "2026-10-03".parse().unwrap());
    let key = harvest.edit(&actor, Instant(0), |doc| record(doc, &draft)).unwrap().0;
    let lot = LotId::in_book(harvest.key(), key.clone()).unwrap();
    let weight = |grams_of| LotEdit::Quantity(grams(grams_of));
    harvest.edit(&actor, Instant(0), |doc| correct(doc, &key, &weight(12_800))).unwrap();
    harvest.edit_saying(Some(SETTLING), &actor, Instant(0), |doc| correct(doc, &key, &weight(12_900))).unwrap();
    harvest.edit(&actor, Instant(0), |doc| correct(doc, &key, &LotEdit::Grade("A".into()))).unwrap();
    harvest.edit(&actor, Instant(0), |doc| withdraw(doc, &key)).unwrap();
    let field = |name: &str| format!("2026 {}{name}", lot.season_name());
    assert_eq!(
        told(&mut harvest),
        [
            deed(DeedKind::Lot, &field(" grams"), "12500", "12800"),
            deed(DeedKind::Lot, &field(" grade"), "", "A"),
            deed(DeedKind::Lot, &field(" withdrawn"), "12900", ""),
        ]
    );

    let mut receipts = Document::new(DocumentKey::ReceiptBook(book)).unwrap();
    let received = Outcome::Received { weighed: grams(12_300), grade: "B".into() };
    let rejected = Outcome::Rejected { reason: "too wet".into() };
    for (outcome, day) in [(&received, "2026-10-20"), (&received, "2026-10-20"), (&rejected, "2026-10-21")] {
        receipts.edit(&actor, Instant(0), |doc| receive(doc, &lot, outcome, day.parse().unwrap())).unwrap();
    }
    let first = "received 2026-10-20 12300 B";
    assert_eq!(
        told(&mut receipts),
        [
            deed(DeedKind::Receipt, &field(""), "", first),
            deed(DeedKind::Receipt, &field(""), first, "rejected 2026-10-21 too wet"),
        ]
    );
}

#[test]
fn what_is_done_to_a_stream_is_of_the_stream_and_what_the_server_counts_is_no_deed() {
    use crate::schema::stream::{self, Offer, Served};
    let mut document = Document::new(DocumentKey::Stream("eleven".parse().unwrap())).unwrap();
    let actor = ActorId::from_bytes(&[1; 12]).unwrap();
    let offer = Offer::new(Fen::new(3_990).unwrap(), 100);
    document.edit(&actor, Instant(0), |doc| stream::offer(doc, "XM-05", &offer)).unwrap();
    let before = told(&mut document).len();
    document.edit(&actor, Instant(0), |doc| stream::want(doc, "XM-05", 150)).unwrap();
    let served = Served { granted: 100, accepted: 1, over: 0, left: 99, as_of: Instant(1_800_000_000_000) };
    document.edit(&actor, Instant(0), |doc| stream::serve(doc, "XM-05", &served)).unwrap();
    let after = told(&mut document).split_off(before);
    assert_eq!(after, [deed(DeedKind::Promotion, "stream-offer-wanted/XM-05", "100", "150")]);
}

#[test]
fn an_orders_arrival_is_no_deed_and_a_mapped_line_is_one() {
    use crate::schema::OrderName;
    use crate::schema::order::{self, AfterSale, TakenLine, TakenOrder, ToldStatus};

    let actor = ActorId::from_bytes(&[1; 12]).unwrap();
    let line = TakenLine {
        line_id: "1".into(),
        sku: None,
        code: None,
        title: Some("黄小米".into()),
        packs: 2,
        fen: Fen::new(5_980).unwrap(),
        is_gift: false,
        after_sale: AfterSale::None,
        after_sale_at: None,
    };
    let at = Instant(1_790_000_000_000);
    let taken = TakenOrder {
        placed_at: at,
        paid_at: None,
        promised_at: None,
        told_at: at,
        told: ToldStatus::ToShip,
        total_fen: None,
        freight_fen: None,
        pool: "free".into(),
        stream: None,
        lines: vec![line],
    };
    let mut document = Document::new(DocumentKey::Order(OrderName::of("douyin", "6912"))).unwrap();
    document.edit(&actor, at, |doc| order::take(doc, &taken)).unwrap();
    let shipped = TakenOrder { told: ToldStatus::Shipped, ..taken };
    document.edit(&actor, at, |doc| order::tell(doc, &shipped)).unwrap();
    assert!(told(&mut document).is_empty());
    document.edit(&actor, at, |doc| order::map_line(doc, "1", "XM-05")).unwrap();
    document.edit(&actor, at, |doc| order::ship(doc, "SF1")).unwrap();
    assert_eq!(
        told(&mut document),
        [
            deed(DeedKind::Order, "sku/1", "", "XM-05"),
            deed(DeedKind::Order, "shipment", "", "SF1"),
            deed(DeedKind::Order, "status", "placed", "shipped"),
        ]
    );
}

#[test]
fn entries_of_a_stock_book_are_told_as_they_were_written_and_taken_back() {
    use crate::quantities::{Grams, GramsDelta};
    use crate::schema::stock_book::{Count, Deed as Entry, GoodsIn, withdraw, write};
    use crate::schema::{EntryId, HoldingId, MAIN_WAREHOUSE, StockMonth};

    let day = "2026-11-27".parse().unwrap();
    let book = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, day).unwrap());
    let mut document = Document::new(book.clone()).unwrap();
    let actor = ActorId::from_bytes(&[1; 12]).unwrap();
    let grams = |grams| Grams::new(grams).unwrap();
    let mut enter = |entry: Entry| document.edit(&actor, Instant(0), |doc| write(doc, &entry, Instant(0))).unwrap().0;
    let goods = GoodsIn {
        product: "millet".into(),
        grade: "A".into(),
        quantity: grams(50_000),
        day,
        expiry: None,
        from: "Mill".into(),
        bin: String::new(),
    };
    let key = enter(Entry::In(goods));
    let holding = HoldingId::In(EntryId::in_book(&book, key).unwrap());
    let loss =
        Entry::Loss { holding: holding.clone(), quantity: grams(500), reason: "wet bag".into(), bin: String::new() };
    let lost = enter(loss);
    let delta = |grams| GramsDelta::new(grams).unwrap();
    enter(Entry::Count(Count {
        holding: holding.clone(),
        counted: delta(49_000),
        computed: delta(49_500),
        knew: vec![],
    }));
    enter(Entry::Move { holding: holding.clone(), quantity: grams(2_000), from: String::new(), to: "A-1".into() });
    enter(Entry::Recall { holding: holding.clone(), reason: "weevils".into() });
    document.edit(&actor, Instant(0), |doc| withdraw(doc, &lost)).unwrap();
    let stock = |field, before, after| deed(DeedKind::Stock, field, before, after);
    assert_eq!(
        told(&mut document),
        [
            stock("in", "", "50000 millet A"),
            stock("loss", "", "500 wet bag"),
            stock("count", "49500", "49000"),
            stock("move", "", "2000 A-1"),
            stock("recall", "", "weevils"),
            stock("taken-back loss", "500 wet bag", ""),
        ]
    );
    let changes: Vec<VerifiedChange> = document.changes_since(&[]).unwrap();
    let deeds = deeds(&book, changes.iter().map(|change| (Instant(0), change.record())));
    assert!(deeds.iter().all(|deed| deed.thing == format!("holding:{holding}")), "{deeds:?}");
}
