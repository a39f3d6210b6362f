//! Order files: brought, looked at, mapped, taken once.

use super::forms::Two;
use super::page::PageForm;
use super::*;

const HERE: &str = "/console/orders/files";
const HEADS: &str =
    "主订单编号,子订单编号,选购商品,商品规格,商品数量,商品ID,商家编码,订单应付金额,订单提交时间,订单状态,售后状态\r\n";

fn row(order: &str, line: &str, code: &str, packs: &str, state: &str) -> String {
    format!("{order}\t,{line}\t,临县小米,5斤,{packs},1\t,{code},39.90,2026-11-20 20:00:00,{state},\r\n")
}

/// Sends files as a browser does.
async fn bring(two: &Two, cookie: &str, token: &str, files: &[(&str, &str)]) -> Answer {
    let mut body = format!("--b\r\ncontent-disposition: form-data; name=\"token\"\r\n\r\n{token}\r\n");
    for (name, text) in files {
        body.push_str(&format!(
            "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/csv\r\n\r\n{text}\r\n"
        ));
    }
    body.push_str("--b--\r\n");
    let headers = [("cookie", cookie), ("accept-language", "en"), ("content-type", "multipart/form-data; boundary=b")];
    two.world.ask(Method::POST, &format!("{HERE}/bring"), &headers, body).await
}

async fn brought(two: &Two, text: &str) -> String {
    let answer = bring(two, &two.zhang, &two.token(&two.zhang), &[("抖店.csv", text)]).await;
    assert_eq!(answer.status, 303, "{}", answer.page);
    answer.to
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_at_mapped_once_for_all_and_taken_once() {
    let two = Two::new().await;
    super::skus::add(&two, &[("code", "XM-05"), ("grams", "2.5"), ("grade", "A")]).await;
    let text = format!(
        "\u{feff}{HEADS}{}{}{}{}",
        row("6921000000000000001", "6921000000000000001", "XM-05", "2", "待发货"),
        row("6921000000000000002", "6921000000000000002", "HT-001", "1", "待发货"),
        row("6921000000000000003", "6921000000000000003", "XM-05", "0", "待发货"),
        row("6921000000000000004", "6921000000000000004", "XM-05", "1", "待支付"),
    );
    let path = brought(&two, &text).await;
    let page = two.page(&path).await;
    assert!(page.contains("quantity-bad") && page.contains("1 row refused"), "{page}");
    assert!(page.contains("HT-001</strong> 临县小米"), "what the shop calls it stands beside its code: {page}");
    assert!(page.contains("<a href=\"/console/orders/files\">Order files</a> ›"), "and the way back: {page}");
    assert!(page.contains("1 row passed over") && page.contains("HT-001") && page.contains("Take 2 orders"), "{page}");
    let rows = two.world.get(&format!("{path}/refused.csv"), &two.zhang).await;
    assert!(rows.status == 200 && rows.page.contains("4,quantity-bad,"), "{}", rows.page);

    let map = PageForm::with(&page, &format!("{path}/map"), "shop-code", "HT-001");
    assert_eq!(two.send(&two.zhang, &map).await.status, 400, "a pack must be chosen");
    assert_eq!(two.send(&two.zhang, &map.typed(&[("sku", "XM-05")])).await.status, 303);
    assert_eq!(super::skus::skus(&two)["XM-05"].codes, ["HT-001"]);
    let page = two.page(&path).await;
    assert!(PageForm::all(&page, &format!("{path}/map")).is_empty(), "{page}");

    let take = PageForm::one(&page, &format!("{path}/take"));
    let answer = two.send(&two.zhang, &take).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, HERE), "{}", answer.page);
    let list = two.page(HERE).await;
    assert!(list.contains("2 new, 0 changed, 0 as known, 0 not taken") && list.contains("抖店.csv"), "{list}");
    // Lists follow a moment later, and say so until then.
    two.shown();
    let orders = two.page("/console/orders").await;
    assert!(orders.contains("6921000000000000002") && orders.contains("Millet 2.5 kg × 2"), "{orders}");

    // A file that was taken leads to the list.
    assert_eq!(two.world.get(&path, &two.zhang).await.to, HERE);
    // The same file again says so, and offers nothing.
    let again = two.page(&brought(&two, &text).await).await;
    assert!(again.contains("there is nothing to do") && !again.contains("Take 2 orders"), "{again}");
    assert!(again.contains("Put this file away") && !again.contains("take it"), "{again}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_pair_each_file_has_its_own_name_and_both_are_of_one_platform() {
    let two = Two::new().await;
    let operator = crate::access::By::Principal(crate::access::Principal::Operator);
    let bring = |name: &str, bytes: &[u8]| {
        let (file_name, bytes) = (name.to_owned(), bytes.to_vec());
        let brought = crate::engine::Brought { file_name, bytes, shop: String::new(), profile: None };
        two.world.granary.bring_import(&operator, two.world.coop, brought, crate::environment::now()).unwrap()
    };
    bring("taobao-list.csv", include_bytes!("../../../tests/samples/orders/taobao-list.csv"));
    let details = bring("taobao-details.csv", include_bytes!("../../../tests/samples/orders/taobao-details.csv"));
    let path = format!("{HERE}/{details}");
    let page = two.page(&path).await;
    assert!(page.contains("<h1>taobao-details.csv</h1>") && page.contains("together with taobao-list.csv"), "{page}");
    let take = PageForm::one(&page, &format!("{path}/take"));
    assert_eq!(two.send(&two.zhang, &take).await.to, HERE);
    let taken = two.page(HERE).await;
    assert!(taken.contains(">Taobao</td>") && !taken.contains(">taobao-list</td>"), "{taken}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_order_file_is_refused_in_words_and_others_of_the_form_are_taken_in() {
    let two = Two::new().await;
    let token = two.token(&two.zhang);
    let right = format!("{HEADS}{}", row("6921000000000000001", "6921000000000000001", "X", "2", "待发货"));
    let answer = bring(&two, &two.zhang, &token, &[("a.csv", "one,two\r\n1,2\r\n"), ("b.csv", &right)]).await;
    assert!(answer.status == 200 && answer.page.contains("a.csv：no platform"), "{}", answer.page);
    assert!(answer.page.contains("b.csv: look at it"), "{}", answer.page);
    let nothing = bring(&two, &two.zhang, &token, &[]).await;
    assert!(nothing.status == 400 && nothing.page.contains("Choose a file"), "{}", nothing.page);
    assert_eq!(bring(&two, &two.zhang, "other", &[("b.csv", &right)]).await.status, 403, "no other site's form");
    // What waits can be dropped.
    let list = two.page(HERE).await;
    let path = format!(
        "{HERE}/{}",
        list.split(&format!("{HERE}/"))
            .find(|rest| rest.starts_with(|letter: char| letter.is_ascii_hexdigit()) && !rest.starts_with("bring"))
            .unwrap()
            .split('"')
            .next()
            .unwrap()
    );
    let drop = PageForm::one(&two.page(&path).await, &format!("{path}/drop"));
    assert_eq!(two.send(&two.zhang, &drop).await.to, HERE);
    assert!(!two.page(HERE).await.contains("b.csv"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_to_a_file_that_waits_no_more_is_told_to_bring_it_again() {
    let two = Two::new().await;
    let path =
        brought(&two, &format!("{HEADS}{}", row("6921000000000000001", "6921000000000000001", "X", "2", "待发货")))
            .await;
    let take = PageForm::one(&two.page(&path).await, &format!("{path}/take"));
    // As a restart does: nothing of it is on the disk.
    let operator = crate::access::By::Principal(crate::access::Principal::Operator);
    let id = path.rsplit('/').next().unwrap();
    two.world.granary.drop_import(&operator, two.world.coop, id, crate::environment::now());
    let led = two.world.get(&path, &two.zhang).await;
    assert_eq!((led.status, led.to.as_str()), (303, "/console/orders/files?gone=1"));
    let says = "this file does not wait here";
    assert!(two.page(&led.to).await.contains(says));
    let refused = two.send(&two.zhang, &take).await;
    assert!(refused.status == 404 && refused.page.to_lowercase().contains(says), "{} {}", refused.status, refused.page);
    let headers = [("cookie", two.zhang.as_str()), ("accept-language", "zh")];
    let chinese = two.world.ask(Method::GET, &led.to, &headers, "").await;
    assert!(chinese.page.contains("请再拿来一次"), "{}", chinese.page);
    let rows = two.world.get(&format!("{path}/refused.csv"), &two.zhang).await;
    assert!(rows.status == 404 && rows.page.to_lowercase().contains(says), "{}", rows.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_profile_of_the_operator_is_named_with_its_line_on_the_page() {
    let two = Two::new().await;
    assert!(!two.page(HERE).await.contains("Profiles that are not read"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), "colour = \"red\"\n").unwrap();
    two.world.granary.set_order_profiles(crate::imports::Profiles::with_folder(folder.path()));
    let page = two.page(HERE).await;
    assert!(page.contains("Profiles that are not read") && page.contains("mine.toml"), "{page}");
    assert!(page.contains("line 1: `profile` is missing"), "{page}");
    let headers = [("cookie", two.zhang.as_str()), ("accept-language", "zh")];
    let chinese = two.world.ask(Method::GET, HERE, &headers, "").await.page;
    assert!(chinese.contains("读不了的平台配置") && chinese.contains("第 1 行：缺少"), "{chinese}");
    assert!(page.contains("value=\"douyin\""), "all others are read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_fits_two_profiles_waits_until_somebody_says_which_it_is() {
    let two = Two::new().await;
    let mut profiles = crate::imports::Profiles::own();
    let copy = include_str!("../../../profiles/douyin.toml").replace("profile = \"douyin\"", "profile = \"douyin-2\"");
    profiles.add("copy.toml", &copy);
    two.world.granary.set_order_profiles(profiles);
    let text = format!("{HEADS}{}", row("6921000000000000001", "6921000000000000001", "XM-05", "2", "待发货"));
    let path = brought(&two, &text).await;
    let page = two.page(&path).await;
    let action = format!("{path}/profile");
    assert!(page.contains("抖店.csv"), "which file is asked about: {page}");
    assert!(page.contains("This file fits several profiles") && PageForm::all(&page, &action).len() == 2, "{page}");
    let form = PageForm::with(&page, &action, "profile", "douyin-2");
    assert_eq!(two.send(&two.zhang, &form.typed(&[("profile", "taobao")])).await.status, 400);
    let chosen = two.send(&two.zhang, &form).await;
    assert!(chosen.status == 303 && chosen.to.starts_with(HERE), "{} {}", chosen.status, chosen.page);
    let (path, action) = (chosen.to.clone(), format!("{}/profile", chosen.to));
    let page = two.page(&path).await;
    assert!(page.contains("Take 1 order<") && PageForm::all(&page, &action).is_empty(), "{page}");
    let take = PageForm::one(&page, &format!("{path}/take"));
    assert_eq!(two.send(&two.zhang, &take).await.to, HERE);
    assert!(two.page(HERE).await.contains("1 new"));
}
