//! Orders that shops' programs bring and read.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::sku::{Certificate, Sku, set_sku};
use granary_client_core::schema::{DocumentKey, Part, catalogue};
use serde_json::json;

use super::*;

pub(super) const JSON: (&str, &str) = ("content-type", "application/json");
pub(super) const ALL: &[Scope] = &Scope::ALL;

/// A world whose catalogue has XM-05, and a key of the east shop.
pub(super) fn world() -> (World, String) {
    let world = World::new();
    let edit = |edit: crate::Edit| {
        let key = DocumentKey::Catalogue(Part::FIRST);
        world.granary.edit(world.coop, &key, crate::environment::now(), edit).unwrap();
    };
    edit(Box::new(|doc| catalogue::name_product(doc, "millet", "小米", "Millet")));
    edit(Box::new(|doc| catalogue::set_price(doc, "millet", &"A".parse().unwrap(), Fen::new(760)?)));
    edit(Box::new(|doc| {
        let sku = Sku {
            code: "XM-05".into(),
            product: "millet".into(),
            grade: "A".into(),
            grams: Grams::new(2_500)?,
            codes: Default::default(),
            names: Default::default(),
            shelf_days: None,
            certificate: Certificate::No,
            ended: false,
        };
        set_sku(doc, &sku).map(drop)
    }));
    let (_, key) = world.key("east", ALL);
    (world, key)
}

pub(super) fn line() -> Value {
    json!({ "line_id": "1", "sku": "XM-05", "packs": 2, "fen": 7980 })
}

pub(super) fn order(id: &str) -> Value {
    json!({ "outside_id": id, "placed_at": "2026-10-03T08:00:00Z", "status": "to-ship", "lines": [line()] })
}

pub(super) fn told(orders: Vec<Value>) -> Value {
    json!({ "mode": "tell", "told_at": "2026-10-03T09:00:00+08:00", "orders": orders })
}

pub(super) async fn bring(world: &World, key: &str, body: &Value) -> Answer {
    world.ask(Method::POST, "/v1/orders", key, &[JSON], body.to_string()).await
}

/// Each fault as `order line field code`.
pub(super) fn places(answer: &Answer) -> Vec<String> {
    let number = |value: &Value| value.as_u64().map_or("-".to_owned(), |number| number.to_string());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|it| {
            format!("{} {} {} {}", number(&it["order"]), number(&it["line"]), text(&it["field"]), text(&it["code"]))
        })
        .collect()
}

pub(super) fn verdicts(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["results"].as_array().unwrap().iter().map(|it| it["verdict"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_place_is_named_and_nothing_is_taken() {
    let (world, key) = world();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut order = order("bad");
        change(&mut order);
        order
    };
    let cases: Vec<(Value, &[&str])> = vec![
        (changed(&|it| it["colour"] = json!("red")), &["0 - colour unknown-field"]),
        (changed(&|it| it["lines"][0]["colour"] = json!(1)), &["0 0 colour unknown-field"]),
        (changed(&|it| it["outside_id"] = json!(6_912_345_678_901_234_567u64)), &["0 - outside_id id-lost-digits"]),
        (changed(&|it| it["outside_id"] = json!("a b")), &["0 - outside_id id-bad"]),
        (changed(&|it| it["lines"][0]["packs"] = json!("2")), &["0 0 packs wrong-type"]),
        (changed(&|it| it["lines"][0]["packs"] = json!(0)), &["0 0 packs quantity-bad"]),
        (changed(&|it| it["lines"][0]["packs"] = json!(1_000_000)), &["0 0 packs quantity-bad"]),
        (changed(&|it| it["lines"][0]["packs"] = json!(2.5)), &["0 0 packs quantity-bad"]),
        (changed(&|it| it["lines"][0]["fen"] = json!(-1)), &["0 0 fen money-bad"]),
        (changed(&|it| it["lines"][0]["fen"] = json!(100_000_000_001i64)), &["0 0 fen money-bad"]),
        (
            changed(&|it| {
                let half = |id: &str| json!({ "line_id": id, "sku": "XM-05", "packs": 1, "fen": 60_000_000_000i64 });
                it["lines"] = json!([half("1"), half("2")]);
            }),
            &["0 - lines money-bad"],
        ),
        (changed(&|it| it["lines"] = json!([])), &["0 - lines no-lines"]),
        (changed(&|it| it["lines"] = json!(vec![json!(1); 101])), &["0 - lines too-many-lines"]),
        (changed(&|it| it["lines"] = json!([line(), line()])), &["0 1 line_id repeated-line"]),
        (changed(&|it| it["placed_at"] = json!("2019-12-31T23:59:59Z")), &["0 - placed_at time-bad"]),
        (changed(&|it| it["placed_at"] = json!("2099-01-01T00:00:00Z")), &["0 - placed_at time-bad"]),
        (changed(&|it| it["placed_at"] = json!("2026-10-03 08:00")), &["0 - placed_at time-bad"]),
        (changed(&|it| it["lines"][0]["title"] = json!("小米\u{7}")), &["0 0 title control-characters"]),
        (changed(&|it| it["receiver"] = json!({ "name": "a\u{202e}b" })), &["0 - receiver.name control-characters"]),
        (changed(&|it| it["receiver"] = json!("Li")), &["0 - receiver wrong-type"]),
        (changed(&|it| it["status"] = json!("unpaid")), &["0 - status status-unknown"]),
        (changed(&|it| drop(it.as_object_mut().unwrap().remove("status"))), &["0 - status missing"]),
        (changed(&|it| it["lines"][0]["after_sale"] = json!("maybe")), &["0 0 after_sale status-unknown"]),
        (json!("order"), &["0 -  wrong-type"]),
    ];
    for (order, wanted) in cases {
        let answer = bring(&world, &key, &told(vec![order.clone()])).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{order}: {}", answer.text);
        let found = places(&answer);
        let found: Vec<&str> = found.iter().map(String::as_str).filter(|it| !it.ends_with("1 - wrong-type")).collect();
        assert!(wanted.iter().all(|place| found.contains(place)), "{order}: {found:?}");
    }
    assert_eq!(world.get("/v1/orders", &key).await.json()["orders"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_the_request_itself_takes_nothing() {
    let (world, key) = world();
    let post =
        async |headers: &[(&str, &str)], body: String| world.ask(Method::POST, "/v1/orders", &key, headers, body).await;
    for (body, status, kind) in [
        ("{".to_owned(), 400, "malformed"),
        (r#"{"mode": "tell", "mode": "ask"}"#.to_owned(), 400, "malformed"),
        ("[]".to_owned(), 422, "invalid"),
        (" ".repeat(1024 * 1024 + 1), 413, "too-large"),
        (told(vec![order("a"); 501]).to_string(), 422, "invalid"),
        (json!({ "mode": "tell", "orders": [order("a")] }).to_string(), 422, "invalid"),
        (
            json!({ "mode": "tell", "told_at": "2026-10-03T09:00:00Z", "orders": [], "x": 1 }).to_string(),
            422,
            "invalid",
        ),
        (json!({ "mode": "wish", "orders": 5 }).to_string(), 422, "invalid"),
    ] {
        let answer = post(&[JSON], body.clone()).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, kind),
            "{}: {}",
            &body[..body.len().min(80)],
            answer.text
        );
    }
    assert_eq!(places(&post(&[JSON], told(vec![order("a"); 501]).to_string()).await), ["- - orders too-many-orders"]);
    let wish = places(&post(&[JSON], json!({ "mode": "wish", "orders": 5, "x": 1 }).to_string()).await);
    assert_eq!(wish, ["- - x unknown-field", "- - mode mode-unknown", "- - orders wrong-type"]);
    assert_eq!(post(&[], told(vec![order("a")]).to_string()).await.problem(), "wrong-content-type");
    assert_eq!(world.get("/v1/orders", &key).await.json()["orders"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn good_orders_are_taken_beside_bad_ones_unless_all_or_nothing() {
    let (world, key) = world();
    let mut body = told(vec![order("a"), order("b"), order("c"), order("c")]);
    body["orders"][1]["lines"][0]["packs"] = json!(0);
    body["all_or_nothing"] = json!(true);
    let answer = bring(&world, &key, &body).await;
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(
        places(&answer),
        ["1 0 packs quantity-bad", "2 - outside_id repeated-order", "3 - outside_id repeated-order"]
    );
    assert_eq!(world.get("/v1/orders/douyin/a", &key).await.status, 404);
    body["all_or_nothing"] = json!(false);
    let answer = bring(&world, &key, &body).await;
    assert_eq!(verdicts(&answer), ["accepted", "refused", "refused", "refused"]);
    assert_eq!(places(&answer).len(), 3);
    assert_eq!(world.get("/v1/orders/douyin/a", &key).await.status, 200);
    assert_eq!(
        verdicts(&bring(&world, &key, &told(vec![order("a")])).await),
        ["accepted"],
        "a retry is answered as before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_sku_is_refused_in_ask_and_waits_for_a_coordinator_in_tell() {
    let (world, key) = world();
    let mut unknown = order("u");
    unknown["lines"][0]["sku"] = json!("NO-01");
    let mut asked = json!({ "mode": "ask", "orders": [unknown.clone()] });
    let answer = bring(&world, &key, &asked).await;
    assert_eq!((answer.status, places(&answer)), (422, vec!["0 - sku sku-unknown".to_owned()]), "{}", answer.text);
    asked["all_or_nothing"] = json!(true);
    assert_eq!(places(&bring(&world, &key, &asked).await), ["0 0 sku sku-unknown"]);
    verdicts(&bring(&world, &key, &told(vec![unknown])).await);
    let shown = world.get("/v1/orders/douyin/u", &key).await.json();
    assert_eq!(shown["lines"][0]["sku"], Value::Null, "unmapped: {shown}");
    let asked = bring(&world, &key, &json!({ "mode": "ask", "orders": [order("s")] })).await;
    assert_eq!(verdicts(&asked), ["sold-out"]);
    assert_eq!(asked.json()["results"][0]["left"], json!([{ "sku": "XM-05", "packs": 0 }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_others_get_one_answer_whether_the_order_is_there_or_not() {
    let (world, key) = world();
    verdicts(&bring(&world, &key, &told(vec![order("a")])).await);
    let other_coop = world.granary.create_cooperative("Other", crate::environment::now()).unwrap();
    let (_, other_tenant) = world.key_of(other_coop, "east", ALL);
    let (_, other_shop) = world.key("west", ALL);
    let (_, reader) = world.key("east", &[Scope::StockRead]);
    for path in ["/v1/orders/douyin/a", "/v1/orders/douyin/nothing"] {
        for (key, status) in [(&other_tenant, 404), (&other_shop, 404), (&reader, 403)] {
            let answer = world.get(path, key).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
        }
    }
    for key in [&other_tenant, &other_shop, &reader] {
        let [here, nowhere] = ["/v1/orders/douyin/a", "/v1/orders/douyin/nothing"];
        assert_eq!(world.get(here, key).await.text, world.get(nowhere, key).await.text);
    }
    let [here, nowhere] = ["/v1/orders/kuaishou/a", "/v1/orders/kuaishou/nothing"];
    let (here, nowhere) = (world.get(here, &key).await, world.get(nowhere, &key).await);
    assert_eq!((here.status, here.text), (403, nowhere.text), "another platform");
    assert_eq!(bring(&world, &reader, &told(vec![order("b")])).await.problem(), "may-not");
    assert_eq!(world.get("/v1/orders", &other_shop).await.json()["orders"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_read_in_pages_and_come_again_when_they_change() {
    let (world, key) = world();
    verdicts(&bring(&world, &key, &told((0..5).map(|id| order(&id.to_string())).collect())).await);
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = world.get(&format!("/v1/orders?limit=2{after}"), &key).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let page = page.json();
        seen.extend(page["orders"].as_array().unwrap().iter().map(|it| it["outside_id"].as_str().unwrap().to_owned()));
        after = format!("&after={}", page["next"].as_str().unwrap());
        // What was answered is durable; its place in the log may come a moment later.
        if seen.len() >= 5 {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, ["0", "1", "2", "3", "4"]);
    let cancel = json!({ "told_at": "2026-10-03T10:00:00Z" }).to_string();
    let cancelled = world.ask(Method::POST, "/v1/orders/douyin/3/cancel", &key, &[JSON], cancel.clone()).await;
    assert_eq!((cancelled.status, cancelled.json()["verdict"].as_str()), (200, Some("updated")), "{}", cancelled.text);
    let page = world.get(&format!("/v1/orders?limit=5{after}"), &key).await.json();
    assert_eq!(page["orders"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(
        (page["orders"][0]["outside_id"].as_str(), page["orders"][0]["told"].as_str()),
        (Some("3"), Some("closed"))
    );
    let mut backwards = told(vec![order("3")]);
    backwards["told_at"] = json!("2026-10-03T09:30:00Z");
    let answer = bring(&world, &key, &backwards).await;
    assert_eq!(verdicts(&answer), ["known"], "an older telling changes nothing");
    let audit = world.granary.audit_log(world.coop, 10).unwrap();
    let left = audit.iter().filter(|line| line.action == crate::access::AuditAction::ToldBackwards);
    assert_eq!(left.map(|line| line.detail.as_str()).collect::<Vec<_>>(), ["douyin 1"], "and a line says so");
    assert_eq!(world.get("/v1/orders/douyin/3", &key).await.json()["told"], "closed");
    let missing = world.ask(Method::POST, "/v1/orders/douyin/none/cancel", &key, &[JSON], cancel).await;
    assert_eq!(missing.problem(), "not-found");
    for (cursor, wanted) in
        [("limit=0", "invalid"), ("limit=501", "invalid"), ("limit=x", "malformed"), ("after=abc", "invalid")]
    {
        assert_eq!(world.get(&format!("/v1/orders?{cursor}"), &key).await.problem(), wanted, "{cursor}");
    }
    let (_, west) = world.key("west", ALL);
    assert_eq!(
        world.get(&format!("/v1/orders?limit=5{after}"), &west).await.problem(),
        "invalid",
        "another shop's cursor"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_of_a_log_that_was_lost_is_told_so() {
    let (world, key) = world();
    verdicts(&bring(&world, &key, &told(vec![order("a")])).await);
    let shop = world.granary.api_key(&key, crate::environment::now()).unwrap();
    let beyond = crate::api::v1::cursor::write(&world.granary, &shop, 1_000_000).unwrap();
    let answer = world.get(&format!("/v1/orders?after={beyond}"), &key).await;
    assert_eq!((answer.status, answer.problem().as_str()), (410, "cursor-gone"));
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_key_is_answered_as_before_and_only_for_the_same_body() {
    let (world, key) = world();
    let post = async |name: &str, body: &Value| {
        world.ask(Method::POST, "/v1/orders", &key, &[JSON, ("idempotency-key", name)], body.to_string()).await
    };
    let body = told(vec![order("a")]);
    let first = post("one", &body).await;
    assert_eq!((first.status, first.headers.get("idempotent-replayed")), (200, None), "{}", first.text);
    let again = post("one", &body).await;
    assert_eq!((again.status, &again.text), (200, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = post("one", &told(vec![order("b")])).await;
    assert_eq!((other.status, other.problem().as_str()), (422, "idempotency-key-reused"));
    let mut wrong = body.clone();
    wrong["orders"][0]["lines"] = json!([]);
    let refused = post("two", &wrong).await;
    let again = post("two", &wrong).await;
    assert_eq!((again.status, &again.text, again.problem().as_str()), (422, &refused.text, "invalid"));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    for name in [&"x".repeat(65), "a b", ""] {
        assert_eq!(post(name, &body).await.problem(), "invalid", "{name}");
    }
    let id = world.granary.list_api_keys(world.coop)[0].id;
    let running = world.granary.run_once(id, "three").unwrap();
    let busy = post("three", &body).await;
    assert_eq!((busy.status, busy.problem().as_str()), (409, "still-running"));
    drop(running);
    assert_eq!(post("three", &body).await.status, 200);
    let later = crate::environment::now().plus_millis(8 * 24 * 3_600_000);
    world.granary.drop_old_answers(later).unwrap();
    assert_eq!(post("one", &told(vec![order("b")])).await.status, 200, "a week later it is free");
}

// I7.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_receiver_is_in_anything_that_leaves() {
    let (world, key) = world();
    let (port, mut tells) = super::webhooks::receiver(&[]).await;
    let hook = json!({ "url": format!("http://127.0.0.1:{port}/"), "events": ["order.changed", "pool.changed"] });
    let made = world.ask(Method::POST, "/v1/webhooks", &key, &[JSON], hook.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let running = super::webhooks::hooks(&world);
    let secrets = ["ZhaoXiulan", "13900008888", "DongpoLane12", "LeaveAtTheDoor", "RegularBuyer", "TokenOfBuyer77"];
    let mut body = told(vec![order("a"), order("b")]);
    for at in 0..2 {
        body["orders"][at]["receiver"] = json!({
            "name": secrets[0], "phone": secrets[1], "address": secrets[2], "buyer_note": secrets[3], "seller_note": secrets[4],
        });
        body["orders"][at]["buyer_token"] = json!(secrets[5]);
    }
    let mut left: Vec<(String, String)> = Vec::new();
    for headers in [&[JSON][..], &[JSON, ("idempotency-key", "one")], &[JSON, ("idempotency-key", "one")]] {
        let answer = world.ask(Method::POST, "/v1/orders", &key, headers, body.to_string()).await;
        left.push(("POST /v1/orders".into(), answer.text));
    }
    let mut wrong = body.clone();
    wrong["orders"][0]["receiver"]["phone"] = json!(format!("{}\u{7}", secrets[1]));
    wrong["orders"][1]["receiver"]["name"] = json!(secrets[0].repeat(200));
    left.push(("a refusal".into(), bring(&world, &key, &wrong).await.text));
    let described = world.get("/openapi.json", "").await.json();
    for (path, methods) in described["paths"].as_object().unwrap() {
        if path.starts_with("/v1/") && methods.get("get").is_some() {
            let path = path.replace("{platform}", "douyin").replace("{id}", "a");
            left.push((path.clone(), world.get(&path, &key).await.text));
        }
    }
    let cancel = json!({ "told_at": "2026-10-03T10:00:00Z" }).to_string();
    left.push((
        "cancel".into(),
        world.ask(Method::POST, "/v1/orders/douyin/a/cancel", &key, &[JSON], cancel).await.text,
    ));
    for _ in 0..2 {
        let (head, body) = tells.recv().await.unwrap();
        left.push(("a webhook".into(), format!("{head}{body}")));
    }
    running.abort();
    assert!(left.len() > 10 && left.iter().any(|(_, text)| text.contains("\"outside_id\":\"a\"")));
    for (what, text) in left {
        for secret in secrets {
            assert!(!text.contains(secret), "{what} has {secret}: {text}");
        }
    }
}
