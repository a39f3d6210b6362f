//! Stock: entered, counted, moved, taken back.

use super::forms::Two;
use super::page::PageForm;

const HERE: &str = "/console/stock";
const MILLET: &str = "/console/stock/millet?grade=A";

async fn bought(two: &Two) -> String {
    let form = PageForm::one(&two.page(HERE).await, "/console/stock/goods-in");
    let typed = [("product", "millet"), ("grade", "A"), ("grams", "200"), ("from", "晋中粮库"), ("bin", "A-1")];
    let answer = two.send(&two.zhang, &form.typed(&typed)).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, MILLET), "{}", answer.page);
    let page = two.page(MILLET).await;
    assert!(page.contains("Bought from 晋中粮库") && page.contains("200 kg") && page.contains("A-1"), "{page}");
    let link = page.split("/console/holdings/").nth(1).unwrap().split('"').next().unwrap();
    format!("/console/holdings/{link}")
}

async fn sent(two: &Two, form: &PageForm, to: &str) {
    let answer = two.send(&two.zhang, form).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, to), "{}", answer.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_bought_in_are_counted_lost_moved_and_what_was_a_mistake_is_taken_back() {
    let two = Two::new().await;
    assert!(two.page(HERE).await.contains("Nothing is in stock yet"));
    let holding = bought(&two).await;
    let one = |page: &str, what: &str| PageForm::one(page, &format!("{holding}/{what}"));
    let page = two.page(&holding).await;
    let late = one(&page, "count");
    sent(&two, &one(&page, "loss").typed(&[("grams", "5"), ("reason", "老鼠")]), &holding).await;
    sent(&two, &one(&two.page(&holding).await, "move").typed(&[("grams", "50"), ("to", "B-2")]), &holding).await;
    let page = two.page(&holding).await;
    assert!(page.contains("195 kg") && page.contains("老鼠") && page.contains("B-2 50 kg"), "{page}");
    sent(&two, &one(&page, "count").typed(&[("counted", "194")]), &holding).await;
    let page = two.page(&holding).await;
    assert!(page.contains("194 kg") && page.contains("-1 kg"), "{page}");
    // Who had not seen that count is told, and no second one is written.
    let refused = two.send(&two.wang, &late.typed(&[("counted", "190")])).await;
    assert!(refused.status == 409 && refused.page.contains("194 kg"), "{}", refused.page);
    // A count that is far off is asked back.
    let far = two.send(&two.zhang, &one(&page, "count").typed(&[("counted", "20")])).await;
    let asked = one(&far.page, "count");
    assert!(
        far.status == 200 && asked.html.contains("20 kg were counted, and 194 kg should lie there"),
        "{}",
        far.page
    );
    assert_eq!(asked.get("counted"), "20");
    for (what, typed) in [
        ("loss", vec![("grams", "0"), ("reason", "x")]),
        ("loss", vec![("grams", "1"), ("reason", "")]),
        ("move", vec![("grams", "1"), ("to", "")]),
        ("count", vec![("counted", "some")]),
    ] {
        let answer = two.send(&two.zhang, &one(&two.page(&holding).await, what).typed(&typed)).await;
        assert!(answer.status == 400 && answer.page.contains("id=\"fault\""), "{what} {typed:?}: {}", answer.page);
    }
    // The loss was a mistake: it stays to be read, and does not count.
    let rows: Vec<&str> = page.split("<tr").filter(|row| row.contains("老鼠")).collect();
    let entry = rows[0].split("name=\"entry\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let back = PageForm::with(&page, &format!("{holding}/take-back"), "entry", entry);
    sent(&two, &back, &holding).await;
    let page = two.page(&holding).await;
    assert!(page.contains("老鼠") && page.contains("does not count") && page.contains("199 kg"), "{page}");
    assert_eq!(two.world.get("/console/holdings/nothing", &two.zhang).await.status, 404);
    // All of it is in the activity, by whom and when, with the way to the holding, where it is taken back.
    let activity = two.page("/console/activity?kind=stock").await;
    for told in ["200 kg", "5 kg · 老鼠", "50 kg · B-2", "194 kg", "taken back", &holding] {
        assert!(activity.contains(told), "{told}: {activity}");
    }
}

// A red figure said nothing of what to do.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_promised_above_what_is_there_says_what_to_do() {
    let two = Two::new().await;
    let holding = bought(&two).await;
    for path in [HERE, MILLET] {
        assert!(!two.page(path).await.contains("more went out"), "{path}");
    }
    let loss = format!("{holding}/loss");
    let form = PageForm::one(&two.page(&holding).await, &loss).typed(&[("grams", "230"), ("reason", "老鼠")]);
    let asked = two.send(&two.zhang, &form).await;
    sent(&two, &PageForm::one(&asked.page, &loss), &holding).await;
    let page = two.page(MILLET).await;
    assert!(page.contains("30 kg more went out or is promised than is here to sell. Count what lies here"), "{page}");
    let page = two.page(HERE).await;
    assert!(page.contains("more went out or is promised than is there to sell. Count what lies there"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recalled_holding_is_not_free_any_more() {
    let two = Two::new().await;
    let holding = bought(&two).await;
    let free = |page: &str| page.split("<strong>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(free(&two.page(HERE).await), "200 kg");
    let form = PageForm::one(&two.page(&holding).await, &format!("{holding}/recall"));
    assert_eq!(two.send(&two.zhang, &form.typed(&[("reason", "农残")])).await.status, 400, "nobody recalls by a slip");
    sent(&two, &form.typed(&[("reason", "农残"), ("sure", "yes")]), &holding).await;
    assert_eq!(free(&two.page(HERE).await), "0 kg");
    let page = two.page(&holding).await;
    assert!(page.contains("recalled") && page.contains("农残"), "{page}");
    assert!(PageForm::all(&page, &format!("{holding}/recall")).is_empty());
}
