//! What is around every page: the message that takes back what was just done, the search, the sorted list, the overview.

use granary_client_core::quantities::Grams;
use granary_client_core::schema::harvest::{LotDraft, lot, record};

use super::forms::{HOUSEHOLD, Two, book};
use super::page::PageForm;
use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_saved_is_said_once_and_taken_back_in_one_click() {
    let two = Two::new().await;
    let correct = format!("{}/correct", two.path());
    let form = PageForm::one(&two.page(&two.path()).await, &correct);
    assert_eq!(two.send(&two.zhang, &form.typed(&[("note", "wet"), ("place", "mill")])).await.status, 303);
    // An open page that loads its content again does not take the message from the next one.
    let refresh = [("cookie", two.zhang.as_str()), ("accept-language", "en"), ("x-refresh", "1")];
    let fresh = two.world.ask(Method::GET, &two.path(), &refresh, String::new()).await;
    assert!(!fresh.page.contains("Saved."));
    let others = two.world.get(&two.path(), &two.wang).await;
    assert!(!others.page.contains("Saved."), "it is for who saved it");
    let page = two.page(&two.path()).await;
    assert!(page.contains("Saved."));
    assert!(!two.page(&two.path()).await.contains("Saved."), "it is said once");
    assert_eq!(two.send(&two.zhang, &PageForm::undo(&page)).await.status, 303);
    let lot = lot(&two.document(&book()), two.lot.key()).unwrap();
    assert_eq!((lot.field("note").as_str(), lot.field("place").as_str()), ("", ""));
    assert!(two.page(&two.path()).await.contains("Undone."));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deep_link_survives_the_sign_in() {
    let two = Two::new().await;
    let deep = "/console/harvests?product=millet&sort=weight";
    let to = two.world.get(deep, "").await.to;
    let page = two.world.get(&to, "").await.page;
    let form = PageForm::one(&page, "/console/sign-in");
    let coop = two.world.coop.0.to_string();
    let typed = [("coop", coop.as_str()), ("login", "zhang"), ("password", "wrong")];
    let wrong = two.world.ask(Method::POST, "/console/sign-in", &[], form.typed(&typed).body()).await;
    let again = PageForm::one(&wrong.page, "/console/sign-in").typed(&[("password", PASSWORD)]);
    let signed = two.world.ask(Method::POST, "/console/sign-in", &[], again.body()).await;
    assert_eq!((signed.status, signed.to.as_str()), (303, deep));
    let elsewhere = form.typed(&typed).typed(&[("password", PASSWORD), ("to", "https://evil.example/")]);
    assert_eq!(two.world.ask(Method::POST, "/console/sign-in", &[], elsewhere.body()).await.to, "/console");
}

// A second click made a second household.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_sent_twice_acts_once() {
    let two = Two::new().await;
    let form = PageForm::one(&two.page("/console/households").await, "/console/households/add");
    let body = form.typed(&[("name", "双击户")]).body();
    let headers = [("cookie", two.zhang.as_str())];
    let send = || two.world.ask(Method::POST, "/console/households/add", &headers, body.clone());
    let (first, second) = tokio::join!(send(), send());
    assert_eq!((first.status, second.status, first.to.as_str()), (303, 303, second.to.as_str()));
    two.shown();
    assert!(two.page("/console/households?search=双击户").await.contains("Households: 1."));
}

// What was held against the lot before somebody else's form was done overwrote it.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_receipts_sent_at_one_moment_one_is_told_of_the_other() {
    let two = Two::new().await;
    let receipt = format!("{}/receipt", two.path());
    let form = PageForm::one(&two.page(&two.path()).await, &receipt);
    let typed = |grams: &str, cookie: &str| {
        form.typed(&[("state", "received"), ("grams", grams), ("confirmed", "yes"), ("token", &two.token(cookie))])
            .body()
    };
    let (zhang, wang) = ([("cookie", two.zhang.as_str())], [("cookie", two.wang.as_str())]);
    let (one, other) = tokio::join!(
        two.world.ask(Method::POST, &receipt, &zhang, typed("10.1", &two.zhang)),
        two.world.ask(Method::POST, &receipt, &wang, typed("20.2", &two.wang)),
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lot_that_somebody_corrected_since_is_not_taken_back() {
    let two = Two::new().await;
    let correct = format!("{}/correct", two.path());
    let of = |page: &str| PageForm::one(page, &correct);
    let form = of(&two.page(&two.path()).await).typed(&[("note", "wet")]);
    assert_eq!(two.send(&two.zhang, &form).await.status, 303);
    let page = two.page(&two.path()).await;
    let theirs = two.world.get(&two.path(), &two.wang).await.page;
    assert_eq!(two.send(&two.wang, &of(&theirs).typed(&[("note", "dry")])).await.status, 303);
    assert_eq!(two.send(&two.zhang, &PageForm::undo(&page)).await.status, 409);
    assert_eq!(lot(&two.document(&book()), two.lot.key()).unwrap().field("note"), "dry");
    // A form of which nothing was changed saved nothing, and nobody says that it did.
    let same = of(&two.page(&two.path()).await);
    assert_eq!(two.send(&two.zhang, &same).await.status, 303);
    assert!(!two.page(&two.path()).await.contains("Saved."));
}

// Taking back must not overwrite what a third person wrote since.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_else_changed_since_is_not_taken_back() {
    let two = Two::new().await;
    let address = format!("/console/households/{HOUSEHOLD}");
    let form = PageForm::one(&two.page(&address).await, &address);
    assert_eq!(two.send(&two.zhang, &form.typed(&[("name", "李家大院")])).await.status, 303);
    let page = two.page(&address).await;
    let others = two.world.get(&address, &two.wang).await.page;
    let theirs = PageForm::one(&others, &address).typed(&[("name", "李家老院")]);
    assert_eq!(two.send(&two.wang, &theirs).await.status, 303);
    assert_eq!(two.send(&two.zhang, &PageForm::undo(&page)).await.status, 409);
    let name = household::read(&two.document(&DocumentKey::Household(HOUSEHOLD))).name;
    assert_eq!(name.as_deref(), Some("李家老院"));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_found_as_people_type_it() {
    let two = Two::new().await;
    let to = |q: &str| format!("/console/search?q={}", super::super::forms::encode(q));
    for q in ["李家", "lijia", "lj", "LJ", "李家 东坡村", "lijia dongpo"] {
        assert_eq!(two.world.get(&to(q), &two.zhang).await.to, format!("/console/households/{HOUSEHOLD}"), "{q}");
    }
    let lot = format!("/console/lots/{}", two.lot.in_full());
    assert_eq!(two.world.get(&to(&two.lot.to_string()), &two.zhang).await.to, lot);
    for q in ["李家 小米", "xiaomi lj", "millet 李家"] {
        assert!(two.page(&to(q)).await.contains(&format!("/console/lots/{}", two.lot)), "{q}");
    }
    assert!(two.page(&to("小米")).await.contains("/console/harvests?product=millet"));
    for q in ["王家", "<b>", "李家 玉米", &"x".repeat(3_000)] {
        assert!(two.page(&to(q)).await.contains("Nothing fits"), "{q}");
    }
    assert!(!two.page(&to("<b>")).await.contains("<b>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_is_kept_under_a_name_for_its_owner_alone() {
    let two = Two::new().await;
    let list = "/console/harvests?product=millet&sort=weight";
    let form = PageForm::one(&two.page(list).await, "/console/views/keep");
    assert_eq!(two.send(&two.zhang, &form.typed(&[("name", "")])).await.status, 400);
    let kept = two.send(&two.zhang, &form.typed(&[("name", "小米，重的在前")])).await;
    assert_eq!((kept.status, kept.to.as_str()), (303, list));
    let page = two.page("/console/harvests").await;
    assert!(page.contains("小米，重的在前") && page.contains("/console/harvests?product=millet&amp;sort=weight"));
    assert!(!two.world.get("/console/harvests", &two.wang).await.page.contains("小米，重的在前"));
    let elsewhere = form.typed(&[("name", "x"), ("address", "https://evil.example/")]);
    assert_eq!(two.send(&two.zhang, &elsewhere).await.status, 400);
    let dropped = PageForm::one(&page, "/console/views/drop");
    assert_eq!(two.send(&two.zhang, &dropped).await.status, 303);
    assert!(!two.page("/console/harvests").await.contains("小米，重的在前"));
}

#[tokio::test(flavor = "multi_thread")]
async fn list_is_sorted_by_every_column_both_ways() {
    let two = Two::new().await;
    let draft = LotDraft::new("millet", Grams::new(3_000).unwrap(), "2026-10-01".parse().unwrap());
    let edit: crate::Edit = Box::new(move |doc| record(doc, &draft).map(drop));
    two.world.granary.edit(two.world.coop, &book(), World::now(), edit).unwrap();
    two.shown();
    let first = |page: &str| {
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} on {page}"));
        if at(">2026-10-03<") < at(">2026-10-01<") { "late" } else { "early" }
    };
    for (address, expected) in [
        ("/console/harvests", "late"),
        ("/console/harvests?sort=day&way=back", "early"),
        ("/console/harvests?sort=weight", "late"),
        ("/console/harvests?product=millet&sort=weight&way=back", "early"),
    ] {
        assert_eq!(first(&two.page(address).await), expected, "{address}");
    }
    for sort in ["household", "product", "grade", "weighed", "state", "nonsense"] {
        two.page(&format!("/console/harvests?sort={sort}&way=back")).await;
    }
    let page = two.page("/console/harvests?product=millet&sort=weight").await;
    assert!(page.contains("aria-sort=\"descending\""));
    assert!(page.contains("/console/harvests?product=millet&amp;sort=weight&amp;way=back"), "the other way round");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_households_of_many_ticked_lots_are_asked_at_once() {
    let two = Two::new().await;
    let draft = LotDraft::new("millet", Grams::new(3_000).unwrap(), "2026-10-01".parse().unwrap());
    let edit: crate::Edit = Box::new(move |doc| record(doc, &draft).map(drop));
    two.world.granary.edit(two.world.coop, &book(), World::now(), edit).unwrap();
    two.shown();
    let ask = "/console/questions/ask-many";
    let page = two.page("/console/harvests?product=millet").await;
    let lots: Vec<&str> =
        page.split("name=\"lot\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(lots.len(), 2);
    let mut form = PageForm::one(&page, ask).typed(&[("text", "哪块地收的？")]);
    assert_eq!(two.send(&two.zhang, &form).await.status, 400, "nothing is ticked");
    form.fields.extend(lots.iter().map(|lot| ("lot".to_owned(), (*lot).to_owned())));
    // Sent twice, by a double click, each is asked once.
    for _ in 0..2 {
        let sent = two.send(&two.zhang, &form).await;
        assert_eq!((sent.status, sent.to.as_str()), (303, "/console/harvests?product=millet"));
    }
    assert_eq!(two.page("/console/questions?state=open").await.matches("哪块地收的？").count(), 2);
    form.fields.push(("lot".to_owned(), "nonsense".to_owned()));
    assert_eq!(two.send(&two.zhang, &form).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn overview_says_what_came_whenever_it_was_harvested() {
    let two = Two::new().await;
    // Harvested weeks ago, but new here today.
    let page = two.page("/console").await;
    assert!(page.contains("New lots since yesterday</span><span class=\"figure\">1</span>"), "{page}");
    let draft = LotDraft::new("millet", Grams::new(3_000).unwrap(), "2026-10-01".parse().unwrap());
    let edit: crate::Edit = Box::new(move |doc| record(doc, &draft).map(drop));
    two.world.granary.edit(two.world.coop, &book(), World::now(), edit).unwrap();
    two.shown();
    let page = two.page("/console").await;
    assert!(page.contains("New lots since yesterday</span><span class=\"figure\">2</span>"), "{page}");
    assert!(page.contains("15.5 kg of 1 household<"), "{page}");
}
