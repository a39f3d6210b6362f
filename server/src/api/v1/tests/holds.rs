//! Orders that are asked for again, given back, and answered as before by a server that was killed in between.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::OrderName;
use serde_json::json;

use super::orders::{ALL, JSON, bring, line, order, places, told, verdicts, world};
use super::*;
use crate::trade::{Mode, set_aside};

fn asked(id: &str, packs: u32) -> Value {
    let lines = json!([{ "line_id": "1", "sku": "XM-05", "packs": packs, "fen": 3_990 }]);
    json!({ "mode": "ask", "orders": [{ "outside_id": id, "placed_at": "2026-11-20T08:00:00Z", "pool": "live", "lines": lines }] })
}

async fn release(world: &World, key: &str, id: &str) -> Answer {
    world.ask(Method::DELETE, &format!("/v1/holds/{id}"), key, &[], Body::empty()).await
}

fn left(world: &World) -> u64 {
    world.granary.pools(world.coop).unwrap().iter().find(|pool| pool.channel == "live").unwrap().left
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_order_is_given_back_once_and_its_packs_are_sold_again() {
    let (world, key) = world();
    set_aside(&world.granary, world.coop, &[("XM-05", 3)]);
    assert_eq!(verdicts(&bring(&world, &key, &asked("a", 2)).await), ["accepted"]);
    assert_eq!(verdicts(&bring(&world, &key, &asked("b", 2)).await), ["sold-out"]);
    let (_, west) = world.key("west", ALL);
    assert_eq!(release(&world, &west, "a").await.problem(), "not-found", "another shop's");
    let (_, reader) = world.key("east", &[Scope::OrdersRead]);
    assert_eq!(release(&world, &reader, "a").await.problem(), "may-not");
    for _ in 0..2 {
        let released = release(&world, &key, "a").await;
        assert_eq!((released.status, released.text.as_str()), (204, ""), "a retry is harmless");
        assert_eq!(left(&world), 3, "all packs are back, once");
    }
    assert_eq!(world.get("/v1/orders/douyin/a", &key).await.json()["told"], "closed");
    assert_eq!(verdicts(&bring(&world, &key, &asked("b", 2)).await), ["accepted"]);
    // Whoever asks for it again is not told that it is still held.
    let again = bring(&world, &key, &asked("a", 2)).await;
    assert_eq!((again.status, places(&again)), (422, vec!["0 - outside_id order-called-off".to_owned()]));
    assert_eq!(left(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_or_asked_for_long_ago_is_not_given_back() {
    let (world, key) = world();
    set_aside(&world.granary, world.coop, &[("XM-05", 9)]);
    verdicts(&bring(&world, &key, &told(vec![order("told")])).await);
    for (id, kind) in [("told", "conflict"), ("none", "not-found"), ("not an id", "not-found")] {
        let path = id.replace(' ', "%20");
        assert_eq!(release(&world, &key, &path).await.problem(), kind, "{id}");
    }
    // Asked for sixteen minutes ago, by a clock that went on.
    let now = crate::environment::now();
    for (id, minutes, status) in [("late", 16, 409), ("early", 14, 204)] {
        let then = Instant(now.0 - minutes * 60_000);
        let name = OrderName { platform: "douyin".into(), shop: "east".into(), outside_id: id.into() };
        let request = asked(id, 2);
        let caller = world.granary.api_key(&key, now).unwrap();
        let read = super::super::check::read(&caller, request.as_object().unwrap(), then).unwrap();
        let orders: Vec<_> = read.orders.into_iter().map(|(_, order)| order).collect();
        assert_eq!((orders[0].mode, &orders[0].name), (Mode::Ask, &name));
        world.granary.take_orders(world.coop, orders, then).unwrap();
        let answer = release(&world, &key, id).await;
        assert_eq!(answer.status, status, "{id}: {}", answer.text);
    }
    assert_eq!(left(&world), 7, "the late one keeps its packs");
}

// An answer is kept in a batch of its own, behind that of the orders. A server that is killed between the two has answered nobody yet;
// the retry under the same key decides again, and says the same.
#[tokio::test(flavor = "multi_thread")]
async fn retry_after_a_kill_before_the_answer_was_kept_is_answered_the_same() {
    let (world, key) = world();
    set_aside(&world.granary, world.coop, &[("XM-05", 3)]);
    let mut both = told(vec![order("a"), order("b"), order("c")]);
    for at in 0..3 {
        both["orders"][at]["pool"] = json!("live");
    }
    both["orders"][2]["lines"] = json!([line(), line()]);
    let ask = asked("d", 1);
    let post = async |world: &World, name: &str, body: &Value| {
        world.ask(Method::POST, "/v1/orders", &key, &[JSON, ("idempotency-key", name)], body.to_string()).await
    };
    let first = [post(&world, "one", &both).await, post(&world, "two", &ask).await];
    assert_eq!(verdicts(&first[0]), ["accepted", "over", "refused"]);
    assert_eq!(verdicts(&first[1]), ["sold-out"]);
    let later = crate::environment::now().plus_millis(8 * 24 * 3_600_000);
    world.granary.drop_old_answers(later).unwrap();
    let world = world.restarted();
    let again = [post(&world, "one", &both).await, post(&world, "two", &ask).await];
    for (first, again) in first.iter().zip(&again) {
        assert_eq!(
            (again.headers.get("idempotent-replayed"), &again.text),
            (None, &first.text),
            "verdicts and sequences"
        );
    }
    assert_eq!(left(&world), 0);
}
