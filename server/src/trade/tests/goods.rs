//! What is set aside, and from where orders are served, by what lies in the warehouse.

use granary_client_core::quantities::Day;
use granary_client_core::schema::order::OrderStatus;
use granary_client_core::schema::stock_book::{self, Deed, GoodsIn};
use granary_client_core::schema::stream::{self, Offer, Stream, StreamPlan};
use granary_client_core::schema::{HoldingId, MAIN_WAREHOUSE, StockMonth, StreamCode};

use super::*;

const START: Instant = Instant(NOW.0 - 10 * MINUTE);
const END: Instant = Instant(NOW.0 + 60 * MINUTE);

fn code() -> StreamCode {
    "live".parse().unwrap()
}

impl World {
    /// Goods of millet, grade A: so many packs of 2,500 g.
    fn bring_in(&self, packs: i64) {
        let day = Day::in_china(NOW);
        let key = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, day).unwrap());
        let goods = GoodsIn {
            product: "millet".into(),
            grade: "A".into(),
            quantity: Grams::new(packs * 2_500).unwrap(),
            day,
            expiry: None,
            from: String::new(),
            bin: String::new(),
        };
        self.granary
            .edit(self.coop, &key, NOW, move |doc| stock_book::write(doc, &Deed::In(goods), NOW).map(drop))
            .unwrap();
    }

    fn edit_stream(
        &self,
        edit: impl FnOnce(
            &mut granary_client_core::automerge::AutoCommit,
        ) -> Result<(), granary_client_core::crdt::DocumentFault>
        + Send
        + 'static,
    ) {
        self.granary.edit(self.coop, &DocumentKey::Stream(code()), NOW, edit).unwrap();
    }

    fn plan_stream(&self, wanted: u32) {
        self.edit_stream(move |doc| {
            let plan = StreamPlan {
                host: "李主播".into(),
                platform: "douyin".into(),
                shop: String::new(),
                starts_at: START,
                ends_at: Some(END),
            };
            stream::plan(doc, &plan)?;
            stream::offer(doc, "A", &Offer { limit: Some(4), ..Offer::new(Fen::new(1_990)?, wanted) })
        });
    }

    fn stream(&self) -> Stream {
        let cooperative = self.granary.cooperative(self.coop).unwrap();
        let document = self.granary.document(self.coop, &DocumentKey::Stream(code())).unwrap().unwrap();
        stream::read(&document, Cooperative::server_device(cooperative.id()))
    }
}

fn without_rows() -> World {
    World::with(&[])
}

#[test]
fn packs_are_granted_as_far_as_they_are_there_and_more_when_more_comes() {
    let world = without_rows();
    world.plan_stream(10);
    world.settle_at(NOW);
    assert_eq!((world.pool("A").granted, world.pool("A").told_left), (Some(0), 0));
    world.bring_in(6);
    world.settle_at(NOW);
    assert_eq!((world.pool("A").granted, world.pool("A").left, world.pool("A").told_left), (Some(6), 6, 5));
    let served = world.stream().served["A"];
    assert_eq!((served.granted, served.accepted, served.left, served.as_of), (6, 0, 5, NOW));
    world.bring_in(6);
    world.settle_at(NOW);
    assert_eq!(world.pool("A").granted, Some(10));
    // What a second stream wants is no more there.
    world
        .granary
        .edit(world.coop, &DocumentKey::Stream("other".parse().unwrap()), NOW, |doc| {
            let plan = StreamPlan {
                host: "王".into(),
                platform: "douyin".into(),
                shop: "2".into(),
                starts_at: START,
                ends_at: None,
            };
            stream::plan(doc, &plan)?;
            stream::offer(doc, "B", &Offer::new(Fen::new(1_990)?, 10))
        })
        .unwrap();
    world.settle_at(NOW);
    assert_eq!(world.pool("B").granted, Some(2));
}

#[test]
fn lowering_stops_at_what_was_accepted_and_the_margin_may_be_0() {
    let world = without_rows();
    world.bring_in(100);
    world.plan_stream(50);
    world.settle_at(NOW);
    for order in 0..5 {
        assert_eq!(world.one(asked(&order.to_string(), vec![line("1", "A", 2)])).verdict, Verdict::Accepted);
    }
    world.edit_stream(|doc| stream::want(doc, "A", 3));
    world.settle_at(NOW);
    assert_eq!((world.pool("A").granted, world.pool("A").left), (Some(10), 0));
    world.edit_stream(|doc| {
        let margin = granary_client_core::quantities::Permille::NONE;
        stream::offer(doc, "A", &Offer { margin, ..Offer::new(Fen::new(1_990)?, 30) })
    });
    world.settle_at(NOW);
    assert_eq!((world.pool("A").granted, world.pool("A").left, world.pool("A").told_left), (Some(30), 20, 20));
}

#[test]
fn what_is_left_at_the_end_is_free_again_and_orders_told_late_take_of_it() {
    let world = without_rows();
    world.bring_in(20);
    world.plan_stream(20);
    world.settle_at(NOW);
    world.one(told("1", vec![line("1", "A", 5)]));
    let after = Instant(END.0 + MINUTE);
    world.settle_at(after);
    let pool = world.pool("A");
    assert_eq!((pool.granted, pool.accepted, pool.left, pool.is_closed), (Some(5), 5, 0, true));
    assert!(matches!(world.one(asked("2", vec![line("1", "A", 1)])).verdict, Verdict::SoldOut { .. }));
    // It was placed while packs were there.
    assert_eq!(world.one(told("3", vec![line("1", "A", 15)])).verdict, Verdict::Accepted);
    assert_eq!(world.one(told("4", vec![line("1", "A", 1)])).verdict, Verdict::AcceptedOver(1));
    world.settle_at(Instant(END.0 + 40 * MINUTE));
    let minutes = world.stream().minutes;
    // They were placed two minutes ago, eight minutes after the start.
    assert_eq!((minutes.len(), minutes.iter().sum::<u32>(), minutes[8]), (71, 21, 21));
}

#[test]
fn order_of_the_streams_shop_and_time_belongs_to_it_without_being_told_so() {
    let world = without_rows();
    world.bring_in(20);
    world.plan_stream(20);
    world.settle_at(NOW);
    let at = |id: &str, placed: Instant| {
        let mut order = told(id, vec![line("1", "A", 1)]);
        order.order.pool = "douyin".into();
        order.order.placed_at = placed;
        order
    };
    world.one(at("1", Instant(START.0 + MINUTE)));
    world.one(at("2", Instant(START.0 - MINUTE)));
    assert_eq!(world.order("1").stream, Some(code()));
    assert_eq!((world.order("2").stream, world.order("2").pool.as_deref()), (None, Some("douyin")));
    assert_eq!(world.granary.pools(world.coop).unwrap().iter().map(|pool| pool.accepted).sum::<u64>(), 2);
}

#[test]
fn desk_counts_by_the_minute_in_which_orders_were_placed_and_says_when_it_is_sold_out() {
    let world = without_rows();
    world.bring_in(100);
    world.plan_stream(100);
    world.settle_at(NOW);
    for (id, minutes_ago, packs) in [("1", 2, 4), ("2", 2, 4), ("3", 1, 2), ("4", 90, 1)] {
        let mut order = told(id, vec![line("1", "A", packs)]);
        order.order.placed_at = Instant(NOW.0 - minutes_ago * MINUTE);
        world.one(order);
    }
    let desk = world.granary.desk(world.coop, &code(), NOW).unwrap().unwrap();
    assert_eq!((desk.orders, desk.fen, desk.over, desk.last_told_at), (4, 11 * 1_990, 0, Some(NOW)));
    // From its start on; what was placed before is no part of it.
    assert_eq!(desk.first_minute, START.0 / MINUTE);
    assert_eq!((desk.by_minute.len(), &desk.by_minute[7..12]), (DESK_MINUTES, [0, 8, 2, 0, 0].as_slice()));
    // 89 are left, and 10 were sold in four minutes.
    assert_eq!((desk.packs, desk.offers[0].sold_out_in_minutes), (11, Some(36)));
    assert!(!desk.is_feed_slow);
    let later = world.granary.desk(world.coop, &code(), Instant(NOW.0 + 31_000)).unwrap().unwrap();
    assert!(later.is_feed_slow && !later.is_over);
}

#[test]
fn orders_are_planned_in_the_order_of_acceptance_and_anew_when_goods_are_recalled() {
    let world = without_rows();
    world.bring_in(3);
    world.plan_stream(3);
    world.settle_at(NOW);
    for id in ["1", "2"] {
        world.one(told(id, vec![line("1", "A", 2)]));
    }
    world.settle_at(NOW);
    let packs_of = |id: &str| {
        let takes = world.order(id).allocation.0.remove("1").unwrap_or_default();
        takes.iter().map(|take| take.grams.get() / 2_500).sum::<i64>()
    };
    assert_eq!((packs_of("1"), packs_of("2")), (2, 1));
    let first: HoldingId = world.order("1").allocation.0["1"][0].holding.parse().unwrap();
    world.bring_in(5);
    world.settle_at(NOW);
    assert_eq!((packs_of("1"), packs_of("2")), (2, 2));
    let key = DocumentKey::StockBook(StockMonth::of(MAIN_WAREHOUSE, Day::in_china(NOW)).unwrap());
    let recalled = first.clone();
    world
        .granary
        .edit(world.coop, &key, NOW, move |doc| {
            let recall = Deed::Recall { holding: recalled, reason: "潮".into() };
            stock_book::write(doc, &recall, NOW).map(drop)
        })
        .unwrap();
    world.settle_at(NOW);
    let takes = |id: &str| world.order(id).allocation.0["1"].clone();
    assert_eq!((packs_of("1"), packs_of("2")), (2, 2));
    assert!(takes("1").iter().chain(&takes("2")).all(|take| take.holding != first.to_string()));
}

#[test]
fn restored_server_promises_nothing_until_an_operator_says_that_all_orders_are_here() {
    let world = World::with(&[("A", 9)]);
    crate::log::mark_restored(world.store.as_ref(), NOW.0 - MINUTE).unwrap();
    let world = world.reopened();
    assert_eq!(world.one(asked("1", vec![line("1", "A", 1)])).verdict, Verdict::TryLater);
    assert_eq!(world.one(told("2", vec![line("1", "A", 1)])).verdict, Verdict::Accepted);
    world.granary.orders_are_complete(world.coop, NOW).unwrap();
    assert_eq!(world.one(asked("1", vec![line("1", "A", 1)])).verdict, Verdict::Accepted);
}

#[test]
fn the_desk_counts_what_is_mapped_later_once_and_all_of_it_again_in_a_ledger_that_is_made_anew() {
    let world = without_rows();
    world.bring_in(100);
    world.plan_stream(100);
    world.settle_at(NOW);
    let unknown = TakenLine { sku: None, code: Some("old-name".into()), ..line("2", "A", 3) };
    world.one(told("1", vec![line("1", "A", 2), unknown.clone()]));
    world.one(told("2", vec![TakenLine { line_id: "1".into(), ..unknown }]));
    world.one(told("3", vec![line("1", "A", 1)]));
    world.settle_at(NOW);
    let desk = |world: &World| {
        let desk = world.granary.desk(world.coop, &code(), NOW).unwrap().unwrap();
        (desk.orders, desk.packs, desk.fen, desk.by_minute.iter().sum::<u64>())
    };
    assert_eq!(desk(&world), (2, 3, 3 * 1_990, 3), "nobody knows yet what the others are");
    let map = |id: &str, line: &'static str| {
        let key = DocumentKey::Order(OrderName::of("douyin", id));
        world.granary.edit(world.coop, &key, NOW, move |doc| order::map_line(doc, line, "A")).unwrap();
    };
    map("1", "2");
    map("2", "1");
    world.settle_at(NOW);
    let all = (3, 9, 9 * 1_990, 9);
    assert_eq!(desk(&world), all);
    // What is called off stays counted, and is not counted again.
    for status in [OrderStatus::Cancelled, OrderStatus::Placed] {
        let key = DocumentKey::Order(OrderName::of("douyin", "1"));
        world.granary.edit(world.coop, &key, NOW, move |doc| order::set_status(doc, status)).unwrap();
        world.settle_at(NOW);
        assert_eq!(desk(&world), all);
    }
    // As after a restoration: the ledger follows from documents alone.
    let coop = world.coop;
    world.granary.write(move |group| crate::trade::rows::remove_all(group, coop)).unwrap();
    let world = world.reopened();
    world.granary.resume_trade().unwrap();
    world.settle_at(NOW);
    assert_eq!(desk(&world), all);
}

#[test]
fn what_there_is_for_each_offer_is_said_before_a_stream_in_the_order_of_granting() {
    let world = without_rows();
    world.bring_in(10);
    world.edit_stream(|doc| {
        let plan = StreamPlan {
            host: "李主播".into(),
            platform: "douyin".into(),
            shop: String::new(),
            starts_at: END,
            ends_at: None,
        };
        stream::plan(doc, &plan)?;
        for sku in ["A", "B"] {
            stream::offer(doc, sku, &Offer::new(Fen::new(0)?, 8))?;
        }
        Ok(())
    });
    let there = |world: &World| -> Vec<(u64, u64, u64)> {
        let stock = world.granary.offer_stock(world.coop, &code(), NOW).unwrap();
        stock.iter().map(|offer| (offer.wanted, offer.granted, offer.there)).collect()
    };
    world.settle_at(NOW);
    assert_eq!(there(&world), [(8, 8, 8), (8, 2, 2)], "both are of the same goods");
    world.bring_in(4);
    world.settle_at(NOW);
    assert_eq!(there(&world), [(8, 8, 8), (8, 6, 6)]);
    assert_eq!(world.granary.offer_stock(world.coop, &"none".parse().unwrap(), NOW).unwrap(), []);
}

#[test]
fn what_is_named_once_is_mapped_in_all_orders_however_many_there_are() {
    let world = without_rows();
    let unknown = |id: u32| {
        let line = TakenLine { sku: None, code: Some("old".into()), ..line("1", "A", 1) };
        ToldOrder { name: OrderName::of("douyin", &id.to_string()), ..told("0", vec![line]) }
    };
    for some in (0..600).collect::<Vec<_>>().chunks(300) {
        world.take(some.iter().map(|id| unknown(*id)).collect());
    }
    world.settle_at(NOW);
    let unmapped = |world: &World| {
        let models = world.granary.read_models(world.coop).unwrap();
        models.read(|models| models.order_counts(NOW)).unwrap().unmapped
    };
    assert_eq!(unmapped(&world), 600);
    let key = DocumentKey::Catalogue(Part::FIRST);
    world
        .granary
        .edit(world.coop, &key, NOW, |doc| granary_client_core::schema::sku::map_code(doc, "A", "old"))
        .unwrap();
    // Each step does a bounded part of it.
    let cooperative = world.granary.cooperative(world.coop).unwrap();
    world.granary.settle(&cooperative);
    world.granary.tick_trade(NOW).unwrap();
    assert!(world.granary.trading().has_work());
    world.settle_at(NOW);
    assert_eq!(unmapped(&world), 0);
    assert_eq!(world.order("599").lines[0].sku.as_deref(), Some("A"));
}
