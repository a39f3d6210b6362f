//! Webhooks, over a real socket to a receiver of this test's own.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::order::{PlainLine, place};
use granary_client_core::schema::{DocumentKey, OrderName};
use ring::hmac;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::access::webhooks::Failed;

/// A receiver that answers each request with the next of these answers, then with 200; gives heads and bodies.
pub(super) async fn receiver(answers: &[&'static str]) -> (u16, mpsc::UnboundedReceiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, (told, tells)) = (listener.local_addr().unwrap().port(), mpsc::unbounded_channel());
    let mut answers = std::collections::VecDeque::from(answers.to_vec());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut text = String::new();
            let (head, body) = loop {
                let mut part = [0; 4096];
                let read = stream.read(&mut part).await.unwrap();
                text.push_str(std::str::from_utf8(&part[..read]).unwrap());
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.to_lowercase().split("content-length: ").nth(1).unwrap().to_owned();
                let length: usize = length.lines().next().unwrap().parse().unwrap();
                if body.len() >= length {
                    break (head.to_owned(), serde_json::from_str(body).unwrap());
                }
                assert!(read > 0);
            };
            told.send((head, body)).unwrap();
            let answer = answers.pop_front().unwrap_or("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (port, tells)
}

pub(super) fn hooks(world: &World) -> tokio::task::JoinHandle<()> {
    crate::hooks::start(Arc::clone(&world.granary), Arc::clone(&world.shared.counts)).unwrap()
}

const JSON: (&str, &str) = ("content-type", "application/json");

async fn made(world: &World, key: &str, url: &str) -> Value {
    let body = json!({ "url": url, "events": ["order.changed"] }).to_string();
    let answer = world.ask(Method::POST, "/v1/webhooks", key, &[JSON], body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

fn order(world: &World, shop: &str, outside: &str) {
    let name = OrderName { platform: "douyin".into(), shop: shop.into(), outside_id: outside.into() };
    let line =
        PlainLine { product: "millet".into(), quantity: Grams::new(2_500).unwrap(), price: Fen::new(3_990).unwrap() };
    let edit = move |doc: &mut _| place(doc, &[line]);
    world.granary.edit(world.coop, &DocumentKey::Order(name), crate::environment::now(), edit).unwrap();
}

fn is_signed(head: &str, secret: &str, body: &Value) -> bool {
    let header = head.lines().find_map(|line| line.strip_prefix("granary-signature: ")).unwrap();
    let mut parts = header.split(',');
    let at = parts.next().unwrap().strip_prefix("t=").unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    // Bodies are written by the same program that reads them here, so they read back to the same bytes.
    let code = crate::environment::hex(hmac::sign(&key, format!("{at}.{body}").as_bytes()).as_ref());
    parts.any(|part| part == format!("v1={code}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn order_that_changes_is_told_signed_and_to_its_own_shop_alone() {
    let world = World::new();
    let (_, key) = world.key("east", &[Scope::OrdersRead]);
    order(&world, "east", "before");
    let (port, mut tells) = receiver(&[]).await;
    let hook = made(&world, &key, &format!("http://127.0.0.1:{port}/hook?x=1")).await;
    let running = hooks(&world);
    order(&world, "west", "others");
    order(&world, "east", "6912");
    let (head, body) = tells.recv().await.unwrap();
    assert!(head.starts_with("POST /hook?x=1 HTTP/1.1"), "{head}");
    assert_eq!(body["type"], "order.changed");
    assert_eq!(body["data"]["outside_id"], "6912");
    assert_eq!(body["id"], format!("evt_{}_1", hook["id"].as_str().unwrap()));
    let secret = hook["secret"].as_str().unwrap();
    assert!(is_signed(&head, secret, &body), "{head}");

    let path = format!("/v1/webhooks/{}", hook["id"].as_str().unwrap());
    let rotated = world.ask(Method::POST, &format!("{path}/rotate"), &key, &[], Body::empty()).await.json();
    assert_ne!(rotated["secret"], hook["secret"]);
    assert_eq!(world.ask(Method::POST, &format!("{path}/test"), &key, &[], Body::empty()).await.status, 202);
    let (head, body) = tells.recv().await.unwrap();
    assert_eq!(body["type"], "test");
    assert!(is_signed(&head, secret, &body), "the old secret signs too: {head}");
    assert!(is_signed(&head, rotated["secret"].as_str().unwrap(), &body), "{head}");
    let listed = world.get("/v1/webhooks", &key).await;
    assert!(!listed.text.contains("whsec_") && listed.json()["webhooks"][0]["old_secret_until"].is_string());
    let (_, other) = world.key("west", &[Scope::OrdersRead]);
    assert_eq!(world.get("/v1/webhooks", &other).await.json(), json!({ "webhooks": [] }));
    assert_eq!(world.ask(Method::DELETE, &path, &other, &[], Body::empty()).await.status, 404);
    assert_eq!(world.ask(Method::DELETE, &path, &key, &[], Body::empty()).await.status, 204);
    assert_eq!(world.get("/v1/webhooks", &key).await.json(), json!({ "webhooks": [] }));
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_waits_in_the_store_and_what_was_given_up_goes_again() {
    let world = World::new();
    let (id, key) = world.key("east", &[Scope::OrdersRead]);
    let (port, mut tells) =
        receiver(&["HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"]).await;
    let hook = made(&world, &key, &format!("http://127.0.0.1:{port}/")).await;
    let running = hooks(&world);
    order(&world, "east", "6912");
    tells.recv().await.unwrap();
    let record = loop {
        let waiting = world.granary.waiting_deliveries(world.coop).unwrap();
        match waiting.first() {
            Some((_, record)) if record.attempts > 0 => break waiting[0].clone(),
            _ => tokio::task::yield_now().await,
        }
    };
    assert_eq!(record.1.fault, Some(Failed::Answered(302)), "no redirect is followed");
    running.abort();

    // A day later: the store has it, and a new process gives it up.
    let (delivery, mut old) = record;
    let long_ago = crate::environment::now().0 - 24 * 3_600_000 - 1;
    (old.since_millis, old.due_millis) = (long_ago, long_ago);
    world.granary.put_waiting(world.coop, delivery, old).unwrap();
    let dead_path = format!("/v1/webhooks/{}/dead", hook["id"].as_str().unwrap());
    let refused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let path = format!("/v1/webhooks/{}", hook["id"].as_str().unwrap());
    let to = |port: u16| json!({ "url": format!("http://127.0.0.1:{port}/"), "events": ["order.changed"] }).to_string();
    assert_eq!(world.ask(Method::PUT, &path, &key, &[JSON], to(refused)).await.status, 200);
    let running = hooks(&world);
    let dead = loop {
        let dead = world.get(&dead_path, &key).await.json();
        if dead["dead"][0].is_object() {
            break dead["dead"][0].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(dead["fault"].as_str().unwrap().starts_with("the line broke"), "{dead}");
    assert_eq!(dead["body"]["data"]["outside_id"], "6912");
    assert_eq!(world.ask(Method::PUT, &path, &key, &[JSON], to(port)).await.status, 200);
    let again = format!("{dead_path}/{}/again", dead["number"]);
    assert_eq!(world.ask(Method::POST, &again, &key, &[], Body::empty()).await.status, 202);
    let (_, body) = tells.recv().await.unwrap();
    assert_eq!(body, dead["body"], "the same, byte for byte");
    assert_eq!(world.ask(Method::POST, &again, &key, &[], Body::empty()).await.status, 404, "once");

    // Nothing more comes once its key is revoked.
    world.granary.revoke_api_key(Principal::Operator, world.coop, id, crate::environment::now()).unwrap();
    let (_, key) = world.key("east", &[Scope::OrdersRead]);
    let (port, mut after) = receiver(&[]).await;
    made(&world, &key, &format!("http://127.0.0.1:{port}/")).await;
    order(&world, "east", "6913");
    assert_eq!(after.recv().await.unwrap().1["data"]["outside_id"], "6913");
    assert!(tells.try_recv().is_err());
    running.abort();
}

#[tokio::test]
async fn bad_webhooks_are_refused_with_each_place() {
    let world = World::new();
    let (_, key) = world.key("east", &[Scope::StockRead]);
    let set = async |body: Value| world.ask(Method::POST, "/v1/webhooks", &key, &[JSON], body.to_string()).await;
    let answer = set(json!({ "url": "ftp://x", "events": ["order.gone"], "secret": "mine" })).await;
    assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"));
    let codes: Vec<String> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| format!("{} {}", it["field"], it["code"]))
        .collect();
    assert_eq!(codes, ["\"secret\" \"unknown-field\"", "\"events\" \"event-unknown\"", "\"url\" \"url-bad\""]);
    // Where nothing may be sent is told now, not at the first attempt.
    for (url, detail) in [("http://1.1.1.1/", "without https"), ("https://10.1.2.3/", "a private address")] {
        let answer = set(json!({ "url": url, "events": ["pool.changed"] })).await;
        let error = &answer.json()["errors"][0];
        assert_eq!((answer.status, error["code"].as_str()), (422, Some("url-forbidden")), "{url}: {}", answer.text);
        assert!(error["detail"].as_str().unwrap().contains(detail), "{error}");
    }
    let answer = set(json!({ "url": "https://shop.example/", "events": ["order.changed"] })).await;
    assert_eq!((answer.status, answer.problem().as_str()), (403, "may-not"), "it may not read orders");
    let answer = world.ask(Method::POST, "/v1/webhooks", &key, &[], "{}").await;
    assert_eq!((answer.status, answer.problem().as_str()), (415, "wrong-content-type"));
    let answer = world.ask(Method::POST, "/v1/webhooks", &key, &[JSON], "x").await;
    assert_eq!((answer.status, answer.problem().as_str()), (400, "malformed"));
    let answer = world.ask(Method::POST, "/v1/webhooks", &key, &[JSON], " ".repeat(17 * 1024)).await;
    assert_eq!((answer.status, answer.problem().as_str()), (413, "too-large"));
    assert_eq!(world.get("/v1/webhooks/xyz/dead", &key).await.problem(), "not-found");
}
