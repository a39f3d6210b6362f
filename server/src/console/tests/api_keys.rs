//! The page of keys and webhooks.

use super::forms::Two;
use super::page::PageForm;
use super::*;
use crate::config::Networks;
use crate::engine::webhooks::Tidings;

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
    assert!(none.status == 400 && none.page.contains("Tick what the program may do"), "{}", none.page);
    let own = form.typed(&[("name", "till"), ("own", "抖音"), ("scope", "orders:read")]);
    assert_eq!(two.send(&two.zhang, &own).await.status, 400, "a platform's code is no name of it");
    let right = form.typed(&[("name", "bridge"), ("platform", "douyin"), ("shop", "east"), ("scope", "orders:read")]);
    let made = two.send(&two.zhang, &right).await;
    let key = made.page.split("class=\"code\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let now = crate::environment::now();
    assert!(two.world.granary.api_key(&key, now).is_some(), "{}", made.page);
    let page = two.page(PAGE).await;
    assert!(page.contains("bridge") && page.contains("Douyin · east") && !page.contains(&key), "shown once");
    assert!(
        page.contains("read orders") && !page.contains("<td>orders:read"),
        "what it may do stands in words: {page}"
    );
    let revoke = PageForm::one(&page, "/console/api/keys/revoke");
    assert_eq!(two.send(&two.zhang, &revoke).await.status, 400, "somebody must be sure");
    assert_eq!(two.send(&two.zhang, &revoke.typed(&[("sure", "yes")])).await.status, 303);
    assert!(two.world.granary.api_key(&key, now).is_none());
    let activity = two.page("/console/activity?kind=api").await;
    assert!(activity.contains("revoked an API key") && !activity.contains("somebody who is not known"), "{activity}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_is_chosen_among_those_of_order_files_or_has_a_code_of_its_own() {
    let two = Two::new().await;
    let mut profiles = crate::imports::Profiles::own();
    let mine = include_str!("../../../profiles/youzan.toml")
        .replace("profile = \"youzan\"", "profile = \"mine\"")
        .replace("platform = \"youzan\"", "platform = \"village-shop\"");
    profiles.add("mine.toml", &mine);
    two.world.granary.set_order_profiles(profiles);
    let page = two.page(PAGE).await;
    assert!(page.contains("<option value=\"village-shop\"") && page.contains("<option value=\"kuaishou\""), "{page}");
    let form = PageForm::one(&page, "/console/api/keys");
    let own = form.typed(&[("name", "till"), ("own", "till"), ("scope", "orders:read")]);
    let made = two.send(&two.zhang, &own).await;
    let key = made.page.split("class=\"code\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let key = two.world.granary.api_key(&key, crate::environment::now()).unwrap();
    assert_eq!(key.platform, "till");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_is_made_rotated_tried_and_removed() {
    let two = Two::new().await;
    let form = PageForm::one(&two.page(PAGE).await, "/console/api/webhooks");
    let wrong = two.send(&two.zhang, &form.typed(&[("url", "nowhere"), ("platform", "douyin")])).await;
    assert!(wrong.status == 400 && wrong.page.contains("id=\"fault\""), "{}", wrong.page);
    assert!(wrong.page.contains("It is no address"), "{}", wrong.page);
    // Where nothing may be sent is told when it is saved, with what was typed.
    for (url, why) in [
        ("http://1.1.1.1/granary", "Without https only networks that the operator allows"),
        ("https://192.168.1.7/granary", "a private address, which the operator does not allow"),
    ] {
        let refused =
            two.send(&two.zhang, &form.typed(&[("url", url), ("platform", "douyin"), ("shop", "east")])).await;
        assert!(refused.status == 400 && refused.page.contains(why), "{url}: {}", refused.page);
        let again = PageForm::one(&refused.page, "/console/api/webhooks");
        assert_eq!((again.get("url"), again.get("shop")), (url, "east"));
    }
    let network = "192.168.1.0/24".to_owned();
    two.world.granary.set_webhook_networks(Networks::of("webhook-networks", &[network]).unwrap());
    let typed = [("url", "http://192.168.1.7/granary"), ("platform", "douyin")];
    let allowed = two.send(&two.zhang, &form.typed(&typed)).await;
    assert!(allowed.status == 200 && allowed.page.contains("whsec_"), "{}", allowed.page);
    let remove = PageForm::one(&two.page(PAGE).await, "/console/api/webhooks/remove").typed(&[("sure", "yes")]);
    assert_eq!(two.send(&two.zhang, &remove).await.status, 303);
    let made =
        two.send(&two.zhang, &form.typed(&[("url", "https://shop.example/granary"), ("platform", "douyin")])).await;
    assert!(made.status == 200 && made.page.contains("whsec_"), "{}", made.page);
    let page = two.page(PAGE).await;
    assert!(page.contains("https://shop.example/granary") && !page.contains("whsec_"), "{page}");
    let rotated = two.send(&two.zhang, &PageForm::one(&page, "/console/api/webhooks/rotate")).await;
    assert!(rotated.page.contains("whsec_"), "{}", rotated.page);
    assert_eq!(two.send(&two.zhang, &PageForm::one(&page, "/console/api/webhooks/test")).await.status, 303);
    let waiting = two.world.granary.waiting_deliveries(two.world.coop).unwrap();
    assert_eq!(waiting.len(), 1);
    let says = two.page(PAGE).await;
    assert!(says.contains("On its way") && says.contains("not tried yet"), "{says}");
    // Why it did not arrive stands there at once, not only once it is given up.
    let at = crate::environment::now().plus_millis(60_000);
    let fault = Some(crate::hooks::Failed::NoAddress);
    let again = crate::engine::webhooks::Ended::Again { at, attempts: 1, fault };
    two.world.granary.note_deliveries(two.world.coop, vec![(waiting[0].0, again)]).unwrap();
    assert!(two.page(PAGE).await.contains("the name leads nowhere"));
    let headers = [("cookie", two.zhang.as_str()), ("accept-language", "zh")];
    let chinese = two.world.ask(Method::GET, PAGE, &headers, "").await.page;
    assert!(chinese.contains("找不到这个域名") && chinese.contains("订单有变化、余量有变化"), "{chinese}");
    // What it is about is told in the reader's language.
    let (hook, number) = (waiting[0].0.webhook, two.world.coop);
    let tidings = |subject: &str, kind| Tidings { subject: subject.into(), kind, data: serde_json::Value::Null };
    let told = vec![tidings("order 692", "order.changed"), tidings("pool eleven/XM-05", "pool.changed")];
    two.world.granary.tell_webhook(number, hook, told, crate::environment::now()).unwrap();
    let chinese = two.world.ask(Method::GET, PAGE, &headers, "").await.page;
    assert!(chinese.contains("订单 692 ") && chinese.contains("渠道 eleven/XM-05 "), "{chinese}");
    let english = two.page(PAGE).await;
    assert!(english.contains("order 692 ") && english.contains("channel eleven/XM-05 "), "{english}");
    let remove = PageForm::one(&page, "/console/api/webhooks/remove").typed(&[("sure", "yes")]);
    assert_eq!(two.send(&two.zhang, &remove).await.status, 303);
    assert!(two.page(PAGE).await.contains("No webhook"));
}
