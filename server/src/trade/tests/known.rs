use granary_client_core::schema::order::{OrderStatus, map_line, set_status};
use granary_client_core::schema::receiver::{self, Receiver};

use super::*;

fn later(id: &str, minutes: i64, change: impl FnOnce(&mut TakenOrder)) -> ToldOrder {
    let mut order = told(id, vec![line("1", "A", 2), line("2", "B", 1)]);
    order.order.told_at = Instant(order.order.told_at.0 + minutes * MINUTE);
    change(&mut order.order);
    order
}

impl World {
    fn edit_order(
        &self,
        id: &str,
        edit: impl FnOnce(&mut granary_client_core::automerge::AutoCommit) + Send + 'static,
    ) {
        let key = DocumentKey::Order(OrderName::of("douyin", id));
        let edit = move |doc: &mut _| {
            edit(doc);
            Ok(())
        };
        self.granary.edit(self.coop, &key, NOW, edit).unwrap();
        self.settle();
    }
}

#[test]
fn what_is_told_later_moves_an_order_on_and_what_was_known_earlier_never_back() {
    let world = World::with(&[("A", 9), ("B", 9)]);
    world.one(later("1", 0, |_| {}));
    let shipped = |order: &mut TakenOrder| order.told = ToldStatus::Shipped;
    let updated = world.one(later("1", 20, shipped));
    assert_eq!((updated.verdict, updated.sequence), (Verdict::Updated, Some(1)));
    assert_eq!(world.order("1").told, Some(ToldStatus::Shipped));
    for (minutes, expected) in [(20, Verdict::Accepted), (25, Verdict::Known)] {
        assert_eq!(world.one(later("1", minutes, shipped)).verdict, expected);
    }
    // A file from before comes after one that says more.
    let older = world.one(later("1", 10, |order| order.told = ToldStatus::ToShip));
    assert_eq!(older.verdict, Verdict::Known);
    // This one lies between two that say the same.
    let between = world.one(later("1", 22, |order| order.told = ToldStatus::ToShip));
    assert_eq!(between.verdict, Verdict::Known);
    assert_eq!(world.order("1").told, Some(ToldStatus::Shipped));
}

#[test]
fn what_is_called_off_before_packing_goes_back_and_what_went_out_does_not() {
    let world = World::with(&[("A", 4), ("B", 4)]);
    world.one(later("1", 0, |_| {}));
    world.one(later("2", 0, |_| {}));
    assert_eq!((world.pool("A").left, world.pool("B").left), (0, 2));
    // A line is paid back before it was packed.
    let refunded = |order: &mut TakenOrder| order.lines[0].after_sale = AfterSale::Refunded;
    assert_eq!(world.one(later("1", 5, refunded)).verdict, Verdict::Updated);
    assert_eq!((world.pool("A").left, world.pool("B").left), (2, 2));
    // A packer calls the order off, and takes that back.
    world.edit_order("2", |doc| set_status(doc, OrderStatus::Cancelled).unwrap());
    assert_eq!((world.pool("A").left, world.pool("B").left), (4, 3));
    world.edit_order("2", |doc| set_status(doc, OrderStatus::Placed).unwrap());
    assert_eq!((world.pool("A").left, world.pool("B").left), (2, 2));
    // It goes out, and the money goes back: the packs are gone all the same.
    world.one(later("2", 6, |order| order.told = ToldStatus::Shipped));
    world.one(later("2", 7, |order| order.told = ToldStatus::Closed));
    world.settle();
    assert_eq!((world.pool("A").left, world.pool("B").left), (2, 2));
}

#[test]
fn packs_over_are_covered_in_the_order_of_acceptance_once_there_is_room() {
    let world = World::with(&[("A", 2)]);
    for id in ["1", "2", "3"] {
        world.one(told(id, vec![line("1", "A", 2)]));
    }
    assert_eq!((world.order("2").over(), world.order("3").over()), (2, 2));
    world.settle();
    world.edit_order("1", |doc| set_status(doc, OrderStatus::Cancelled).unwrap());
    assert_eq!((world.order("2").over(), world.order("3").over()), (0, 2));
    let pool = world.pool("A");
    assert_eq!((pool.accepted, pool.over, pool.left), (4, 2, 0));
}

#[test]
fn line_that_is_mapped_takes_of_its_pool_from_then_on() {
    let world = World::with(&[("A", 2)]);
    let unknown = TakenLine { sku: None, title: Some("谷子".into()), ..line("1", "A", 3) };
    world.one(told("1", vec![unknown]));
    world.settle();
    world.edit_order("1", |doc| map_line(doc, "1", "A").unwrap());
    let pool = world.pool("A");
    assert_eq!((pool.accepted, pool.over), (3, 1));
    assert_eq!(world.order("1").over(), 1, "the order says so itself");
}

#[test]
fn receiver_is_written_beside_the_order_and_follows_what_is_told_later() {
    let world = World::with(&[("A", 9), ("B", 9)]);
    let of = |minutes, address: &str| {
        let receiver = Receiver { address: Some(address.into()), ..Receiver::default() };
        ToldOrder { receiver: Some(receiver), ..later("1", minutes, |_| {}) }
    };
    let address = || {
        let key = DocumentKey::Receiver(OrderName::of("douyin", "1"));
        world.granary.settle(&world.granary.cooperative(world.coop).unwrap());
        receiver::read(&world.granary.document(world.coop, &key).unwrap().unwrap()).address.unwrap()
    };
    world.one(of(0, "临县"));
    assert_eq!(address(), "临县");
    assert_eq!(world.one(of(5, "太原")).verdict, Verdict::Updated);
    assert_eq!(address(), "太原");
    assert_eq!(world.one(of(3, "北京")).verdict, Verdict::Known);
    assert_eq!(address(), "太原");
}

#[test]
fn ledger_is_made_anew_from_orders_where_its_rows_are_gone() {
    let world = World::with(&[("A", 3)]);
    let orders = || vec![told("1", vec![line("1", "A", 2)]), told("2", vec![line("1", "A", 2)])];
    let first = world.take(orders());
    world.settle();
    let coop = world.coop;
    world.granary.write(move |group| rows::remove_all(group, coop)).unwrap();
    let world = world.reopened();
    world.settle();
    let pool = world.pool("A");
    assert_eq!((pool.accepted, pool.over), (4, 1));
    let again = world.take(orders());
    assert_eq!(again.iter().map(|answer| answer.sequence).collect::<Vec<_>>(), [Some(1), Some(2)]);
    assert_eq!(first.iter().map(|answer| answer.sequence).collect::<Vec<_>>(), [Some(1), Some(2)]);
}

#[test]
fn request_made_again_is_answered_as_before_though_the_catalogue_knows_more_by_now() {
    let world = World::with(&[("A", 3)]);
    let unknown = || told("1", vec![TakenLine { sku: None, title: Some("谷子".into()), ..line("1", "A", 3) }]);
    let first = world.one(unknown());
    let key = DocumentKey::Catalogue(Part::FIRST);
    let name = |doc: &mut _| granary_client_core::schema::sku::map_name(doc, "A", "谷子");
    world.granary.edit(world.coop, &key, NOW, name).unwrap();
    assert_eq!((first.verdict.clone(), world.one(unknown())), (Verdict::Accepted, first));
}

/// A restored server grants again what it had granted, and takes orders; then a phone gives back one that it had forgotten.
#[test]
fn order_that_is_given_back_above_the_grant_is_marked() {
    let world = World::with(&[("A", 3)]);
    world.one(told("1", vec![line("1", "A", 2)]));
    world.settle();
    let coop = world.coop;
    world.granary.write(move |group| rows::remove_all(group, coop)).unwrap();
    world.set_aside(&[("A", 3)]);
    assert_eq!(world.one(told("2", vec![line("1", "A", 2)])).verdict, Verdict::Accepted);
    let world = world.reopened();
    world.settle();
    let pool = world.pool("A");
    assert_eq!((pool.granted, pool.accepted, pool.over), (Some(3), 4, 1));
    assert_eq!(world.order("1").over() + world.order("2").over(), 1);
}
