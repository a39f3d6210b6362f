//! Who may call.

use super::*;
use granary_client_core::quantities::Instant;

#[tokio::test]
async fn key_says_whose_it_is() {
    let world = World::new();
    let (id, key) = world.key("east", &[Scope::OrdersRead, Scope::StockRead]);
    let shown = world.get("/v1/key", &key).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    let shown = shown.json();
    assert_eq!(shown["id"], id.to_string());
    assert_eq!((shown["platform"].as_str(), shown["shop"].as_str()), (Some("douyin"), Some("east")));
    assert_eq!(shown["scopes"], serde_json::json!(["orders:read", "stock:read"]));
}

#[tokio::test]
async fn none_wrong_and_revoked_keys_get_one_answer() {
    let world = World::new();
    let (id, revoked) = world.key("east", &[Scope::OrdersRead]);
    world.granary.revoke_api_key(Principal::Operator, world.coop, id, Instant(1)).unwrap();
    let unknown = format!("grn_{:016x}_{}", 1, "0".repeat(48));
    let mut texts = std::collections::BTreeSet::new();
    for key in ["", "x", &unknown, &revoked, &revoked[..30]] {
        let answer = world.get("/v1/key", key).await;
        assert_eq!((answer.status, answer.problem().as_str()), (401, "no-key"), "{key}");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        texts.insert(answer.text);
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
    let metrics = world.shared.counts.metrics.text(&world.granary);
    assert!(metrics.contains("granary_refused_total{cause=\"no-key\"} 5"), "{metrics}");
    assert!(metrics.contains("granary_api_requests_total{status=\"401\"} 5"), "{metrics}");
}

#[tokio::test]
async fn guesser_and_busy_key_are_told_to_wait() {
    let world =
        World::with(Limits { api_key_burst: 3, api_key_per_second: 1, wrong_key_burst: 2, ..Limits::default() });
    let (_, key) = world.key("", &[Scope::OrdersRead]);
    let wait = |answer: &Answer| (answer.problem(), answer.headers["retry-after"].to_str().unwrap().to_owned());
    for _ in 0..2 {
        assert_eq!(world.get("/v1/key", "guess").await.status, 401);
    }
    assert_eq!(wait(&world.get("/v1/key", "guess").await), ("too-often".into(), "60".into()));
    for _ in 0..3 {
        assert_eq!(world.get("/v1/key", &key).await.status, 200, "the shop behind the same address goes on");
    }
    assert_eq!(wait(&world.get("/v1/key", &key).await), ("too-often".into(), "1".into()));
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let world = World::new();
    let nothing = world.get("/v1/nothing/here", "").await;
    assert_eq!((nothing.status, nothing.problem().as_str()), (404, "not-found"));
    let wrong = world.ask(Method::DELETE, "/v1/key", "", &[], Body::empty()).await;
    assert_eq!((wrong.status, wrong.problem().as_str()), (405, "wrong-method"));
    assert!(wrong.headers["allow"].to_str().unwrap().contains("GET"));
}

#[tokio::test]
async fn description_is_made_from_the_routes_and_can_be_read() {
    let world = World::new();
    let described = world.get("/openapi.json", "").await.json();
    assert!(described["openapi"].as_str().unwrap().starts_with("3.1"), "{described}");
    // A word with a text beside it would become `allOf` of a text and of an object, which nothing can be.
    assert!(!described.to_string().contains("allOf"), "{described}");
    for path in ["/s", "/enrol", "/health", "/openapi.json", "/v1/key", "/v1/docs"] {
        assert!(described["paths"].get(path).is_some(), "{path}");
    }
    assert_eq!(described["components"]["securitySchemes"]["key"]["scheme"], "bearer");
    let page = world.get("/v1/docs", "").await;
    assert_eq!((page.status, page.headers["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"));
    assert!(page.text.contains("/v1/key") && page.text.contains("id=\"no-key\""));
}
