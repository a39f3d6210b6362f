//! Order files that shops' programs bring, look at and take.

use serde_json::json;

use super::orders::world;
use super::*;

const FILE: (&str, &str) = ("content-type", "application/octet-stream");
const ALL: &[Scope] = &Scope::ALL;
const HEADS: &str = "主订单编号,子订单编号,商品数量,商家编码,订单应付金额,订单提交时间,订单状态,收件人,买家留言\n";

fn row(id: &str, packs: &str, code: &str, state: &str) -> String {
    format!("{id},{id},{packs},{code},39.90,2026-11-20 20:00:00,{state},ZhaoXiulan,LeaveAtTheDoor\n")
}

/// Two orders, a row with no packs, one that nobody paid; the second order's goods are unknown.
fn file() -> String {
    [
        HEADS,
        &row("7001", "2", "XM-05", "待发货"),
        &row("7002", "1", "HT-001", "待发货"),
        &row("7003", "0", "XM-05", "待发货"),
        &row("7004", "1", "XM-05", "待支付"),
    ]
    .concat()
}

fn sample(name: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/orders");
    std::fs::read(folder.join(name)).unwrap()
}

async fn bring_as(world: &World, key: &str, query: &str, body: impl Into<Body>) -> Answer {
    world.ask(Method::POST, &format!("/v1/imports{query}"), key, &[FILE], body).await
}

async fn bring(world: &World, key: &str, body: impl Into<Body>) -> Answer {
    bring_as(world, key, "?file_name=orders_20261121080000.csv", body).await
}

async fn take(world: &World, key: &str, id: &str) -> Answer {
    world.ask(Method::POST, &format!("/v1/imports/{id}/take"), key, &[], Body::empty()).await
}

fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn first_fault(answer: &Answer) -> String {
    let fault = answer.json()["errors"][0].clone();
    format!("{} {}", fault["field"].as_str().unwrap(), fault["code"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_at_and_taken_once() {
    let (world, key) = world();
    let brought = bring(&world, &key, file()).await;
    let id = id_of(&brought);
    assert_eq!(brought.headers["location"], format!("/v1/imports/{id}").as_str());
    let shown = brought.json();
    assert_eq!((shown["state"].as_str(), shown["shop"].as_str()), (Some("waits"), Some("east")));
    let preview = &shown["preview"];
    for (name, value) in [
        ("records", json!(4)),
        ("orders", json!(2)),
        ("lines", json!(2)),
        ("packs", json!(3)),
        ("total_fen", json!(7_980)),
        ("lines_by_status", json!({ "to-ship": 2 })),
        ("refused_rows", json!(1)),
        ("skipped_rows", json!(1)),
        ("unmapped", json!([{ "what": "HT-001", "is_code": true, "rows": [3] }])),
        ("told_at", json!("2026-11-21T00:00:00Z")),
    ] {
        assert_eq!(preview[name], value, "{name}: {preview}");
    }
    assert_eq!((&preview["refused"][0]["code"], &preview["refused"][0]["rows"]), (&json!("quantity-bad"), &json!([4])));
    assert_eq!((&preview["skipped"][0]["code"], &preview["skipped"][0]["rows"]), (&json!("unpaid"), &json!([5])));
    assert_eq!(world.get(&format!("/v1/imports/{id}"), &key).await.json(), shown);
    assert_eq!(id_of(&bring(&world, &key, file()).await), id, "the same file again waits once");
    let listed = world.get("/v1/imports", &key).await.json();
    assert_eq!((listed["waiting"][0]["id"].as_str(), listed["taken"].clone()), (Some(id.as_str()), json!([])));
    assert_eq!(world.get("/v1/orders/douyin/7001", &key).await.status, 404, "nothing is taken yet");

    let taken = take(&world, &key, &id).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let outcome = taken.json()["outcome"].clone();
    assert_eq!((&outcome["accepted"], &outcome["refused_rows"]), (&json!(2), &json!(1)), "{outcome}");
    let order = world.get("/v1/orders/douyin/7002", &key).await.json();
    assert_eq!((&order["shop"], &order["lines"][0]["sku"]), (&json!("east"), &Value::Null), "{order}");
    assert_eq!(take(&world, &key, &id).await.json(), taken.json(), "a retry is answered alike");
    assert_eq!(world.get(&format!("/v1/imports/{id}"), &key).await.json(), taken.json());
    let again = bring(&world, &key, file()).await;
    assert_eq!(
        (id_of(&again), &again.json()["state"], &again.json()["outcome"]),
        (id.clone(), &json!("taken"), &outcome)
    );
    assert_eq!(take(&world, &key, &id).await.json()["outcome"], outcome);
    assert_eq!(world.get("/v1/imports", &key).await.json()["taken"][0]["id"], json!(id));
    for answer in [&brought, &taken, &again] {
        assert!(!answer.text.contains("ZhaoXiulan") && !answer.text.contains("LeaveAtTheDoor"), "{}", answer.text);
    }
    let audit = world.granary.audit_log(world.coop, 10).unwrap();
    assert!(audit.iter().any(|line| line.who.starts_with("key:") && line.detail == "orders douyin +2 ~0"), "{audit:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_of_this_platform_is_refused_with_a_code() {
    let (world, key) = world();
    for (query, body, wanted) in [
        ("?file_name=a.csv", Vec::new(), "file file-empty"),
        ("?file_name=a.csv", b"one,two\n1,2\n".to_vec(), "file no-profile"),
        ("?file_name=a.bin", vec![0xff, 0xfe, 0, 1, 2, 3, 0xd8, 0xd8], "file encoding-unknown"),
        ("?file_name=a.xlsx", sample("douyin-product.csv")[..0].to_vec(), "file file-empty"),
        ("?file_name=a.csv", sample("youzan.csv"), "file other-platform"),
        ("?file_name=a.csv&profile=youzan", sample("youzan.csv"), "profile profile-unknown"),
        ("", file().into_bytes(), "file_name missing"),
        ("?file_name=%20", file().into_bytes(), "file_name missing"),
        ("?file_name=a%07b.csv", file().into_bytes(), "file_name control-characters"),
        ("?file_name=a%E2%80%AEb.csv", file().into_bytes(), "file_name control-characters"),
    ] {
        let answer = bring_as(&world, &key, query, body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, "invalid"), "{query}: {}", answer.text);
        assert_eq!(first_fault(&answer), wanted, "{query}: {}", answer.text);
    }
    let long = format!("?file_name={}.csv", "a".repeat(200));
    assert_eq!(first_fault(&bring_as(&world, &key, &long, file()).await), "file_name too-long");
    let large = bring(&world, &key, vec![b' '; crate::imports::BYTES_MAX + 1]).await;
    assert_eq!((large.status, large.problem().as_str()), (413, "too-large"));
    // As large as a file may be: it has room, and is looked at.
    let whole = bring(&world, &key, vec![b' '; crate::imports::BYTES_MAX]).await;
    assert_eq!((whole.status, whole.problem().as_str()), (422, "invalid"), "{}", whole.text);
    for kind in ["application/json", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"] {
        let answer =
            world.ask(Method::POST, "/v1/imports?file_name=a.csv", &key, &[("content-type", kind)], file()).await;
        assert_eq!((answer.status, answer.problem().as_str()), (415, "wrong-content-type"), "{kind}");
    }
    assert_eq!(world.get("/v1/imports", &key).await.json()["waiting"], json!([]));
    // Refused rows alone: it waits, and there is nothing to take.
    let id = id_of(&bring(&world, &key, [HEADS, &row("7003", "0", "XM-05", "待发货")].concat()).await);
    let nothing = take(&world, &key, &id).await;
    assert_eq!((nothing.status, first_fault(&nothing).as_str()), (422, "file no-orders"), "{}", nothing.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_seen_by_keys_of_its_own_shop_that_may_write_orders() {
    let (world, key) = world();
    let id = id_of(&bring(&world, &key, file()).await);
    let other_coop = world.granary.create_cooperative("Other", crate::environment::now()).unwrap();
    let (_, other_tenant) = world.key_of(other_coop, "east", ALL);
    let (_, other_shop) = world.key("west", ALL);
    let (_, other_platform) = world.key_for(world.coop, "kuaishou", "east", ALL);
    let paths =
        |id: &str| [(Method::GET, format!("/v1/imports/{id}")), (Method::POST, format!("/v1/imports/{id}/take"))];
    let nothing = "0".repeat(32);
    for key in [&other_tenant, &other_shop, &other_platform] {
        for id in [id.as_str(), &nothing, "x", &id.to_uppercase()] {
            for (method, path) in paths(id) {
                let answer = world.ask(method, &path, key, &[], Body::empty()).await;
                assert_eq!((answer.status, answer.problem().as_str()), (404, "not-found"), "{path}");
                let unknown = world.get(&format!("/v1/imports/{nothing}"), key).await;
                assert_eq!(answer.text, unknown.text, "one text, whether it is there or not");
            }
        }
        assert_eq!(world.get("/v1/imports", key).await.json(), json!({ "waiting": [], "taken": [] }));
    }
    let (_, reader) = world.key("east", &[Scope::OrdersRead, Scope::StockRead, Scope::ShipRead, Scope::PoolsWrite]);
    let (revoked_id, revoked) = world.key("east", ALL);
    world.granary.revoke_api_key(Principal::Operator, world.coop, revoked_id, crate::environment::now()).unwrap();
    for (key, status, kind) in [(&reader, 403, "may-not"), (&revoked, 401, "no-key"), (&String::new(), 401, "no-key")] {
        let answers = [
            bring(&world, key, file()).await,
            bring(&world, key, "nothing").await,
            world.get("/v1/imports", key).await,
            world.get(&format!("/v1/imports/{id}"), key).await,
            take(&world, key, &id).await,
            take(&world, key, &nothing).await,
        ];
        for answer in answers {
            assert_eq!((answer.status, answer.problem().as_str()), (status, kind), "{}", answer.text);
        }
    }
    // Another key of the same shop may go on with it; another shop's taking of the same file is its own.
    let (_, second) = world.key("east", &[Scope::OrdersWrite]);
    assert_eq!(take(&world, &second, &id).await.status, 200);
    let of_west = id_of(&bring(&world, &other_shop, file()).await);
    assert_eq!(take(&world, &other_shop, &of_west).await.json()["outcome"]["accepted"], json!(2));
    assert_eq!(world.get("/v1/orders/douyin/7001", &other_shop).await.json()["shop"], json!("west"));
    // What was taken is as hidden as what waits.
    assert_eq!(world.get(&format!("/v1/imports/{id}"), &other_shop).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_pair_says_what_it_needs_and_both_are_taken_as_one() {
    let (world, _) = world();
    let (_, key) = world.key_for(world.coop, "taobao", "", ALL);
    let list = bring(&world, &key, sample("taobao-list.csv")).await;
    let (list_id, needs) = (id_of(&list), list.json()["preview"]["needs"].clone());
    assert!(needs.as_str().is_some_and(|needs| needs.starts_with("taobao")), "{}", list.text);
    let alone = take(&world, &key, &list_id).await;
    assert_eq!((alone.status, first_fault(&alone).as_str()), (422, "file other-file-missing"), "{}", alone.text);
    let details = bring(&world, &key, sample("taobao-details.csv")).await;
    let shown = details.json();
    assert_eq!((&shown["preview"]["needs"], &shown["preview"]["orders"]), (&Value::Null, &json!(15)), "{shown}");
    assert_eq!(take(&world, &key, &id_of(&details)).await.json()["outcome"]["accepted"], json!(15));
    let other = world.get(&format!("/v1/imports/{list_id}"), &key).await.json();
    assert_eq!((&other["state"], &other["outcome"]["accepted"]), (&json!("taken"), &json!(15)), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_being_taken_says_how_far_it_is() {
    let (world, key) = world();
    let id = id_of(&bring(&world, &key, file()).await);
    let by = crate::access::By::Principal(Principal::Operator);
    world.granary.set_being_taken(&by, world.coop, &id, true);
    let going_on = json!({ "done": 0, "of": 7 });
    let shown = world.get(&format!("/v1/imports/{id}"), &key).await.json();
    assert_eq!((&shown["state"], &shown["progress"]), (&json!("being-taken"), &going_on), "{shown}");
    let again = take(&world, &key, &id).await;
    assert_eq!((again.status, &again.json()["progress"]), (202, &going_on), "{}", again.text);
    assert_eq!(bring(&world, &key, file()).await.json()["state"], json!("being-taken"));
    assert_eq!(world.get("/v1/imports", &key).await.json()["waiting"][0]["progress"], going_on);
    world.granary.set_being_taken(&by, world.coop, &id, false);
    assert_eq!(take(&world, &key, &id).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_what_waits_and_keeps_what_was_taken() {
    let (world, key) = world();
    let taken = id_of(&bring(&world, &key, file()).await);
    assert_eq!(take(&world, &key, &taken).await.status, 200);
    let other = [HEADS, &row("7009", "1", "XM-05", "待发货")].concat();
    let waits = id_of(&bring(&world, &key, other.clone()).await);
    let world = world.restarted();
    for path in [format!("/v1/imports/{waits}"), format!("/v1/imports/{waits}/take")] {
        let method = if path.ends_with("take") { Method::POST } else { Method::GET };
        let gone = world.ask(method, &path, &key, &[], Body::empty()).await;
        assert_eq!((gone.status, gone.problem().as_str()), (404, "not-found"), "{}", gone.text);
        let detail = gone.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("Bring it again") && detail.contains("restart"), "{detail}");
    }
    assert_eq!(take(&world, &key, &taken).await.json()["outcome"]["accepted"], json!(2), "a retry after a restart");
    assert_eq!(id_of(&bring(&world, &key, other).await), waits);
    assert_eq!(take(&world, &key, &waits).await.json()["outcome"]["accepted"], json!(1));
}
