//! Who did what when, with what stood there before and after.

use granary_client_core::schema::access::Role;

use super::forms::{HOUSEHOLD, Two};
use super::page::PageForm;
use super::*;
use crate::engine::erasure::Erasable;

const ACTIVITY: &str = "/console/activity";

/// The rows of the list: the texts of their cells.
fn rows(page: &str) -> Vec<Vec<String>> {
    let Some(body) = page.split("<tbody>").nth(1) else { return Vec::new() };
    let body = body.split("</tbody>").next().unwrap();
    let text = |cell: &str| {
        let html = cell.split_once('>').map_or("", |(_, rest)| rest).split("</td>").next().unwrap();
        let pieces = html.split('<').map(|piece| piece.rsplit('>').next().unwrap());
        pieces.collect::<String>().trim().to_owned()
    };
    body.split("<tr").skip(1).map(|row| row.split("<td").skip(1).map(text).collect()).collect()
}

async fn listed(two: &Two, query: &str) -> Vec<Vec<String>> {
    rows(&two.page(&format!("{ACTIVITY}{query}")).await)
}

async fn set(two: &Two, page: &str, action: &str, key: Option<(&str, &str)>, typed: &[(&str, &str)]) {
    let shown = two.page(page).await;
    let form = match key {
        Some((name, value)) => PageForm::with(&shown, action, name, value),
        None => PageForm::one(&shown, action),
    };
    assert_eq!(two.send(&two.zhang, &form.typed(typed)).await.status, 303, "{action}");
}

async fn furnished() -> Two {
    let two = Two::new().await;
    let millet = ("/console/catalogue/millet", "/console/catalogue", Some(("code", "millet")));
    set(&two, millet.0, millet.1, millet.2, &[("price:A", "8.10"), ("since", "beginning")]).await;
    let household = format!("/console/households/{HOUSEHOLD}");
    set(&two, &household, &household, None, &[("payment", "ICBC 6222 0000 1111")]).await;
    two
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_listed_with_before_and_after() {
    let two = furnished().await;
    let prices = listed(&two, "?kind=price").await;
    assert_eq!(prices[0][1..], ["zhang", "Price · Grade A", "Millet", "¥7.60", "¥8.10"], "{prices:?}");
    let payments = listed(&two, "?kind=payment").await;
    assert_eq!(payments[0][4..], ["—", "…1111"], "{payments:?}");
    for page in [two.page(ACTIVITY).await, two.page(&format!("/console/households/{HOUSEHOLD}")).await] {
        let history = page.split("id=\"history\"").last().unwrap();
        assert!(
            history.contains("…1111") && !history.split("</section>").next().unwrap().contains("6222"),
            "{history}"
        );
    }
    assert!(two.page("/console/catalogue/millet").await.contains("¥8.10"), "on the thing itself");
}

// What a lot was corrected to, and what the warehouse wrote, was in no activity.
#[tokio::test(flavor = "multi_thread")]
async fn corrections_and_receipts_are_listed() {
    let two = Two::new().await;
    let (lot, correct) = (two.path(), format!("{}/correct", two.path()));
    set(&two, &lot, &correct, None, &[("grams", "12.8")]).await;
    let receipt = format!("{lot}/receipt");
    let typed = [("state", "received"), ("grams", "12.6"), ("grade", "B"), ("day", "2026-10-20"), ("confirmed", "yes")];
    set(&two, &lot, &receipt, None, &typed).await;
    set(&two, &lot, &receipt, None, &[("state", "rejected"), ("reason", "wet")]).await;
    let about = two.lot.to_string();
    let corrected = listed(&two, "?kind=lot").await;
    let what = format!("Lot corrected · Weight · {about}");
    assert_eq!(corrected[0][1..], ["zhang", &what, "李家", "12.5 kg", "12.8 kg"], "{corrected:?}");
    assert_eq!(corrected.len(), 1, "what was recorded is no correction");
    let received = listed(&two, "?kind=receipt&thing=李家").await;
    let (what, first) = (format!("Receipt · {about}"), "Received · 12.6 kg · Grade B · 2026-10-20");
    assert_eq!(received[0][2..], [&what, "李家", first, "Rejected · wet · 2026-10-20"], "{received:?}");
    assert_eq!(received[1][4..], ["—", first]);
    assert!(two.page(&format!("/console/households/{HOUSEHOLD}")).await.contains(first), "and on the household's page");
    // In Chinese too.
    let headers = [("cookie", two.zhang.as_str()), ("accept-language", "zh")];
    let page = two.world.ask(Method::GET, ACTIVITY, &headers, String::new()).await.page;
    assert!(page.contains("更正批次 · 重量") && page.contains("已入库 · 12.6 公斤"), "{page}");
}

// A price from today on was told as if there had been none.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_from_today_says_what_held_before() {
    let two = Two::new().await;
    let millet = ("/console/catalogue/millet", "/console/catalogue", Some(("code", "millet")));
    set(&two, millet.0, millet.1, millet.2, &[("price:A", "8.10")]).await;
    let prices = listed(&two, "?kind=price").await;
    assert!(prices[0][2].starts_with("Price · Grade A, "), "{prices:?}");
    assert_eq!(prices[0][4..], ["¥7.60", "¥8.10"]);
    let history =
        rows(&format!("<tbody>{}", two.page("/console/catalogue/millet").await.rsplit("<tbody>").next().unwrap()));
    assert_eq!(history[0][3..], ["¥7.60", "¥8.10"], "{history:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_have_a_before_and_an_after() {
    let two = Two::new().await;
    let code = two.world.granary.invite(two.world.coop, Role::Packer, 1, World::now()).unwrap().code;
    let (phone, _) = two.world.enrol(&code, 5).unwrap();
    let roles = [Role::Packer, Role::Household(HOUSEHOLD)];
    two.world.granary.grant(Principal::Operator, two.world.coop, phone, &roles, World::now()).unwrap();
    let granted = listed(&two, &format!("?thing={phone}&kind=phones")).await;
    assert_eq!(granted[0][1], "operator");
    assert_eq!(granted[0][4], "Packer");
    assert!(granted[0][5].contains("Packer ") && granted[0][5].contains("李家"), "{granted:?}");
    assert!(
        two.page(&format!("/console/households/{HOUSEHOLD}")).await.contains("roles changed"),
        "of the household too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_filtered_by_person_thing_and_day_and_given_out() {
    let two = furnished().await;
    let count = |rows: Vec<Vec<String>>| rows.len();
    assert!(count(listed(&two, "").await) > 6);
    assert_eq!(count(listed(&two, "?who=nobody").await), 0, "not all of it");
    let by_zhang = listed(&two, "?who=zhang&kind=price").await;
    assert_eq!(by_zhang.len(), 1, "the other one is by the server: {by_zhang:?}");
    for thing in ["小米", "millet", "product:millet"] {
        let about = listed(&two, &format!("?thing={thing}&kind=price")).await;
        assert_eq!(about.len(), 2, "{thing}");
    }
    assert_eq!(count(listed(&two, "?thing=李家&kind=payment").await), 1);
    let today = granary_client_core::quantities::Day::in_china(World::now());
    let (yesterday, tomorrow) = (today.plus_days(-1), today.plus_days(1));
    assert_eq!(count(listed(&two, &format!("?to={yesterday}")).await), 0);
    assert_eq!(count(listed(&two, &format!("?from={tomorrow}")).await), 0);
    let whole = count(listed(&two, "").await);
    assert_eq!(count(listed(&two, &format!("?from={today}&to={today}")).await), whole);
    let file = two.world.get(&format!("{ACTIVITY}/activity.csv?kind=payment"), &two.zhang).await;
    assert!(file.status == 200 && file.page.contains("…1111") && !file.page.contains("¥"), "{}", file.page);
    let sheet = two.world.get(&format!("{ACTIVITY}/activity.xlsx"), &two.zhang).await;
    assert_eq!(sheet.status, 200);
    assert!(listed(&two, "?kind=files").await.len() == 2, "what was given out is told too");
    assert_eq!(two.world.get(&format!("{ACTIVITY}/other.csv"), &two.zhang).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_erased_is_in_no_list() {
    let two = furnished().await;
    assert!(two.page(ACTIVITY).await.contains("…1111"));
    let what = Erasable::Household { id: HOUSEHOLD, with_books: true };
    two.world.granary.erase(Principal::Operator, two.world.coop, &what, World::now()).unwrap();
    two.shown();
    let page = two.page(ACTIVITY).await;
    assert!(!page.contains("…1111") && !page.contains("李家"), "{page}");
    assert!(listed(&two, "?kind=erased").await.len() == 1, "that it was erased stays");
}
