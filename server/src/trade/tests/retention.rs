use granary_client_core::schema::receiver::Receiver;

use super::*;

const DAY: i64 = 24 * 60 * MINUTE;

#[test]
fn receiver_is_forgotten_90_days_after_the_order_was_done_and_comes_back_by_no_older_file() {
    let world = World::with(&[("A", 9)]);
    let of = |id: &str, told_status: ToldStatus| {
        let mut order = told(id, vec![line("1", "A", 1)]);
        order.order.told = told_status;
        order.receiver = Some(Receiver { address: Some("临县".into()), ..Receiver::default() });
        order
    };
    world.take(vec![of("done", ToldStatus::Done), of("closed", ToldStatus::Closed), of("open", ToldStatus::ToShip)]);
    world.settle();
    let has = |id: &str| {
        let key = DocumentKey::Receiver(OrderName::of("douyin", id));
        world.granary.document(world.coop, &key).unwrap().is_some()
    };
    let told_at = NOW.0 - MINUTE;
    assert_eq!(world.granary.forget_due_receivers(Instant(told_at + 90 * DAY - 1)).unwrap(), 0);
    assert_eq!(world.granary.forget_due_receivers(Instant(told_at + 90 * DAY)).unwrap(), 2);
    assert_eq!((has("done"), has("closed"), has("open")), (false, false, true));
    assert_eq!(world.granary.forget_due_receivers(Instant(told_at + 91 * DAY)).unwrap(), 0);
    // Of one that went out nobody may ever tell that it arrived, and one may never go out.
    assert_eq!(world.granary.forget_due_receivers(Instant(told_at + 180 * DAY - 1)).unwrap(), 0);
    assert_eq!(world.granary.forget_due_receivers(Instant(told_at + 180 * DAY)).unwrap(), 1);
    assert!(!has("open"));
    // The order stays, and what is told of it once more brings nobody back.
    assert_eq!(world.order("done").told, Some(ToldStatus::Done));
    let mut again = of("done", ToldStatus::Closed);
    again.order.told_at = NOW;
    assert_eq!(world.one(again).verdict, Verdict::Updated);
    assert!(!has("done"));
}

#[test]
fn receiver_of_what_went_out_and_was_never_told_done_is_forgotten_90_days_after_the_last_news_of_it() {
    let world = World::with(&[("A", 9)]);
    let mut order = told("out", vec![line("1", "A", 1)]);
    order.order.told = ToldStatus::Shipped;
    order.receiver = Some(Receiver { address: Some("临县".into()), ..Receiver::default() });
    world.one(order);
    world.settle();
    // Its document came after the platform knew of it: from then on nothing was heard.
    assert_eq!(world.granary.forget_due_receivers(Instant(NOW.0 + 90 * DAY - 1)).unwrap(), 0);
    assert_eq!(world.granary.forget_due_receivers(Instant(NOW.0 + 90 * DAY)).unwrap(), 1);
}

#[test]
fn receiver_of_an_order_that_is_not_here_does_not_stay_for_ever() {
    let world = World::with(&[]);
    let key = DocumentKey::Receiver(OrderName::of("douyin", "lost"));
    let receiver = Receiver { address: Some("临县".into()), ..Receiver::default() };
    world
        .granary
        .edit(world.coop, &key, NOW, move |doc| granary_client_core::schema::receiver::set(doc, &receiver).map(drop))
        .unwrap();
    world.settle();
    assert_eq!(world.granary.forget_due_receivers(Instant(NOW.0 + 180 * DAY - 1)).unwrap(), 0);
    assert_eq!(world.granary.forget_due_receivers(Instant(NOW.0 + 180 * DAY)).unwrap(), 1);
}
