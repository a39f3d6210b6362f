//! The page of keys and webhooks.

use super::forms::Two;
use super::page::PageForm;

const PAGE: &str = "/console/api";

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_shown_once_and_revoked() {
    let two = Two::new().await;
    let form = PageForm::one(&two.page(PAGE).await, "/console/api/keys");
    let wrong = two
        .send(&two.zhang, &form.typed(&[("name", "bridge"), ("platform", "dou yin"), ("scope", "orders:read")]))
        .await;
    assert!(wrong.status == 400 && wrong.page.contains("id=\"fault\""), "{}", wrong.page);
    let none = two.send(&two.zhang, &form.typed(&[("name", "bridge"), ("platform", "douyin")])).await;
    assert_eq!(none.status, 400, "a key needs a scope");
    let right = form.typed(&[("name", "bridge"), ("platform", "douyin"), ("shop", "east"), ("scope", "orders:read")]);
    let made = two.send(&two.zhang, &right).await;
    let key = made.page.split("class=\"code\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let now = crate::environment::now();
    assert!(two.world.granary.api_key(&key, now).is_some(), "{}", made.page);
    let page = two.page(PAGE).await;
    assert!(page.contains("bridge") && page.contains("douyin / east") && !page.contains(&key), "shown once");
    let revoke = PageForm::one(&page, "/console/api/keys/revoke");
    assert_eq!(two.send(&two.zhang, &revoke).await.status, 400, "somebody must be sure");
    assert_eq!(two.send(&two.zhang, &revoke.typed(&[("sure", "yes")])).await.status, 303);
    assert!(two.world.granary.api_key(&key, now).is_none());
    assert!(two.page("/console/activity?kind=api").await.contains("revoked an API key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_rotated_tried_and_removed() {
    let two = Two::new().await;
    let form = PageForm::one(&two.page(PAGE).await, "/console/api/webhooks");
    let wrong = two.send(&two.zhang, &form.typed(&[("url", "nowhere"), ("platform", "douyin")])).await;
    assert!(wrong.status == 400 && wrong.page.contains("id=\"fault\""), "{}", wrong.page);
    let made =
        two.send(&two.zhang, &form.typed(&[("url", "https://shop.example/granary"), ("platform", "douyin")])).await;
    assert!(made.status == 200 && made.page.contains("whsec_"), "{}", made.page);
    let page = two.page(PAGE).await;
    assert!(page.contains("https://shop.example/granary") && !page.contains("whsec_"), "{page}");
    let rotated = two.send(&two.zhang, &PageForm::one(&page, "/console/api/webhooks/rotate")).await;
    assert!(rotated.page.contains("whsec_"), "{}", rotated.page);
    assert_eq!(two.send(&two.zhang, &PageForm::one(&page, "/console/api/webhooks/test")).await.status, 303);
    assert_eq!(two.world.granary.waiting_deliveries(two.world.coop).unwrap().len(), 1);
    let remove = PageForm::one(&page, "/console/api/webhooks/remove").typed(&[("sure", "yes")]);
    assert_eq!(two.send(&two.zhang, &remove).await.status, 303);
    assert!(two.page(PAGE).await.contains("No webhook"));
}
