//! Pools, stock and shipments, as shops' programs read them and are told of them.

use granary_client_core::quantities::Fen;
use granary_client_core::schema::DocumentKey;
use serde_json::json;

use super::orders::{ALL, JSON, bring, order, places, told, verdicts, world};
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn pools_stock_and_shipments_are_read_and_packs_are_wanted() {
    use granary_client_core::schema::StreamCode;
    use granary_client_core::schema::order::ship;
    use granary_client_core::schema::stream::{Offer, StreamPlan, offer, plan};
    let (world, key) = world();
    let code: StreamCode = "autumn".parse().unwrap();
    let now = crate::environment::now();
    let planned = StreamPlan {
        host: "Zhang".into(),
        platform: "douyin".into(),
        shop: "east".into(),
        starts_at: now,
        ends_at: None,
    };
    let edit =
        |edit: crate::Edit| world.granary.edit(world.coop, &DocumentKey::Stream(code.clone()), now, edit).unwrap();
    edit(Box::new(move |doc| plan(doc, &planned)));
    edit(Box::new(|doc| offer(doc, "XM-05", &Offer::new(Fen::new(3_990)?, 0))));
    let put = async |key: &str, code: &str, body: Value| {
        world.ask(Method::PUT, &format!("/v1/pools/{code}/wanted"), key, &[JSON], body.to_string()).await
    };
    let wanted = json!({ "sku": "XM-05", "packs": 7 });
    assert_eq!(put(&key, "autumn", wanted.clone()).await.json(), wanted);
    let document = world.granary.document(world.coop, &DocumentKey::Stream(code.clone())).unwrap().unwrap();
    let server = crate::log::Cooperative::server_device(world.granary.cooperative(world.coop).unwrap().id());
    let read = granary_client_core::schema::stream::read(&document, server);
    assert_eq!(read.offers["XM-05"].wanted, 7);
    let (_, west) = world.key("west", ALL);
    assert_eq!(put(&west, "autumn", wanted.clone()).await.text, put(&west, "no-such", wanted.clone()).await.text);
    assert_eq!(places(&put(&key, "autumn", json!({ "sku": "NO", "packs": 1 })).await), ["- - sku sku-not-offered"]);
    assert_eq!(places(&put(&key, "autumn", json!({ "sku": "XM-05", "packs": -1 })).await), ["- - packs quantity-bad"]);
    let mut body = told(vec![order("a"), order("b")]);
    body["orders"][0]["pool"] = json!("autumn");
    verdicts(&bring(&world, &key, &body).await);
    let pools = world.get("/v1/pools", &key).await.json();
    let autumn = pools["pools"].as_array().unwrap().iter().find(|pool| pool["pool"] == "autumn").unwrap().clone();
    assert_eq!((autumn["accepted"].as_u64(), autumn["over"].as_u64()), (Some(2), Some(0)), "{pools}");
    assert!(!world.get("/v1/pools", &west).await.text.contains("autumn"));
    assert_eq!(world.get("/v1/stock", &key).await.status, 200);
    assert_eq!(world.get("/v1/shipments", &key).await.json()["shipments"], json!([]));
    let name = granary_client_core::schema::OrderName {
        platform: "douyin".into(),
        shop: "east".into(),
        outside_id: "b".into(),
    };
    world.granary.edit(world.coop, &DocumentKey::Order(name), now, |doc| ship(doc, "SF1234567")).unwrap();
    let shipped = world.get("/v1/shipments", &key).await.json();
    assert_eq!(shipped["shipments"][0]["tracking"], "SF1234567", "{shipped}");
    let (_, narrow) = world.key("east", &[Scope::OrdersWrite]);
    for path in ["/v1/pools", "/v1/stock", "/v1/shipments", "/v1/orders"] {
        assert_eq!(world.get(path, &narrow).await.problem(), "may-not", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_told_at_most_once_a_second_and_the_last_always() {
    let (world, key) = world();
    let (port, mut tells) = super::webhooks::receiver(&[]).await;
    let hook = json!({ "url": format!("http://127.0.0.1:{port}/"), "events": ["pool.changed"] });
    assert_eq!(world.ask(Method::POST, "/v1/webhooks", &key, &[JSON], hook.to_string()).await.status, 201);
    let running = super::webhooks::hooks(&world);
    for id in 0..5 {
        verdicts(&bring(&world, &key, &told(vec![order(&id.to_string())])).await);
    }
    world.granary.tick_trade(crate::environment::now()).unwrap();
    let (_, body) = tells.recv().await.unwrap();
    assert_eq!(body["type"], "pool.changed");
    let mut told = body["data"].clone();
    while told["accepted"] != json!(10) {
        world.granary.tick_trade(crate::environment::now()).unwrap();
        told = tells.recv().await.unwrap().1["data"].clone();
    }
    assert_eq!((told["pool"].as_str(), told["sku"].as_str()), (Some("douyin"), Some("XM-05")));
    running.abort();
}
