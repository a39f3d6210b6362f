//! Signing in: by a link that works once, from this site alone.

use super::*;

#[tokio::test]
async fn looking_at_a_sign_in_link_spends_nothing() {
    let world = World::new();
    world.coordinator("zhang");
    let link = world.once("zhang");
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let looked = world.ask(method, &link, &[], String::new()).await;
        assert!(looked.status == 200 && looked.cookie.is_none());
    }
    let shown = world.get(&link, "").await;
    assert!(shown.page.contains("method=\"post\""), "a button: {}", shown.page);
    assert!(world.ask(Method::POST, &link, &[], String::new()).await.cookie.is_some());
    let again = world.ask(Method::POST, &link, &[], String::new()).await;
    assert!(again.status == 403 && again.cookie.is_none());
}

#[tokio::test]
async fn another_site_signs_nobody_in() {
    let world = World::new();
    world.coordinator("zhang");
    let form = format!("coop={}&login=zhang&password={}", world.coop.0, PASSWORD.replace(' ', "+"));
    let link = world.once("zhang");
    for foreign in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
        let refused = world.ask(Method::POST, "/console/sign-in", &[foreign], form.clone()).await;
        assert!(refused.status == 403 && refused.cookie.is_none(), "{foreign:?}");
        let refused = world.ask(Method::POST, &link, &[foreign], String::new()).await;
        assert!(refused.status == 403 && refused.cookie.is_none(), "{foreign:?}");
    }
    let own = [("origin", "https://g.example"), ("sec-fetch-site", "same-origin")];
    assert!(world.ask(Method::POST, "/console/sign-in", &own, form).await.cookie.is_some());
    assert!(world.ask(Method::POST, &link, &own, String::new()).await.cookie.is_some());
}

#[tokio::test]
async fn login_that_is_shown_again_is_short() {
    let world = World::new();
    let form = format!("coop=1&login={}&password=x", "z".repeat(3_000));
    let answer = world.ask(Method::POST, "/console/sign-in", &[], form).await;
    assert!(answer.page.contains(&"z".repeat(40)) && !answer.page.contains(&"z".repeat(41)));
}
