//! The catalogue's and the co-operative's pages: what is made, ended and taken up again.

use granary_client_core::quantities::Day;
use granary_client_core::schema::{Part, catalogue, cooperative};

use super::forms::Two;
use super::page::PageForm;
use super::*;

const MILLET: &str = "/console/catalogue/millet";

fn products(two: &Two) -> Vec<catalogue::Product> {
    catalogue::read_parts(&[two.document(&DocumentKey::Catalogue(Part::FIRST))]).products
}

fn promotion(two: &Two) -> catalogue::Promotion {
    catalogue::read_parts(&[two.document(&DocumentKey::Catalogue(Part::FIRST))]).promotions.remove(0)
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

async fn saved(two: &Two, form: &PageForm, to: &str) {
    let answer = two.send(&two.zhang, form).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, to), "{}", answer.page);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_is_ended_and_taken_up_again() {
    let two = Two::new().await;
    let action = format!("{MILLET}/end");
    let form = PageForm::one(&two.page(MILLET).await, &action);
    let late = form.clone();
    saved(&two, &form.typed(&[("day", "2026-10-01")]), MILLET).await;
    assert_eq!(products(&two)[0].ended, Some(day("2026-10-01")));
    let list = two.page("/console/catalogue").await;
    assert!(list.contains("Not taken since 2026-10-01"), "{list}");
    let offers = PageForm::with(&list, "/console/promotions", "new", "yes");
    assert!(!offers.html.contains("value=\"millet\""), "nothing that is ended is offered anew");
    assert!(two.page(&two.path()).await.contains("Millet"), "an old lot keeps its name");
    let refused = two.send(&two.wang, &late.typed(&[("day", "2026-09-01")])).await;
    assert!(refused.status == 409 && refused.page.contains("2026-10-01"), "who had not seen the end is told");
    saved(&two, &PageForm::one(&two.page(MILLET).await, &action), MILLET).await;
    assert_eq!(products(&two)[0].ended, None);
    assert_eq!(two.world.get("/console/catalogue/nothing", &two.zhang).await.status, 404);
}

// A price that was raised paid anew, and more, for what had been received long before.
#[tokio::test(flavor = "multi_thread")]
async fn a_changed_price_holds_from_today_and_leaves_the_past_alone() {
    let two = Two::new().await;
    let today = Day::in_china(World::now());
    let form = PageForm::with(&two.page(MILLET).await, "/console/catalogue", "code", "millet");
    saved(&two, &form.typed(&[("price:A", "8.00")]), MILLET).await;
    let on = |day: Day| products(&two)[0].price_on("A", day).map(|fen| fen.get());
    assert_eq!([on(today.plus_days(-1)), on(today), on(today.plus_days(9))], [Some(760), Some(800), Some(800)]);
    // The same day again changes today's price itself.
    let form = PageForm::with(&two.page(MILLET).await, "/console/catalogue", "code", "millet");
    saved(&two, &form.typed(&[(&format!("price:A@{today}"), "8.20")]), MILLET).await;
    assert_eq!([on(today.plus_days(-1)), on(today)], [Some(760), Some(820)]);
    // One that was replaced is put right only on purpose.
    let form = PageForm::with(&two.page(MILLET).await, "/console/catalogue", "code", "millet");
    let late = form.typed(&[("price:A", "7.50")]);
    let refused = two.send(&two.zhang, &late).await;
    assert!(refused.status == 400 && refused.page.contains("replaced by a later one"), "{}", refused.page);
    saved(&two, &late.typed(&[("since", "beginning")]), MILLET).await;
    assert_eq!([on(today.plus_days(-1)), on(today)], [Some(750), Some(820)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_ended_and_the_page_draws_it() {
    let two = Two::new().await;
    let action = format!("{MILLET}/price-end");
    let page = two.page(MILLET).await;
    assert!(page.contains("<svg") && page.contains("role=\"img\"") && page.contains("figcaption"), "{page}");
    saved(&two, &PageForm::one(&page, &action).typed(&[("day", "2026-11-10")]), MILLET).await;
    let on = |text: &str| products(&two)[0].price_on("A", day(text)).map(|fen| fen.get());
    assert_eq!([on("2026-11-10"), on("2026-11-11")], [Some(760), None]);
    let page = two.page(MILLET).await;
    assert!(page.contains("until 2026-11-10"), "{page}");
    let form = PageForm::one(&page, &action);
    assert_eq!(two.send(&two.zhang, &form.typed(&[("day", "soon")])).await.status, 400);
    assert_eq!(two.send(&two.zhang, &form.typed(&[("price", "Z")])).await.status, 404);
    saved(&two, &form, MILLET).await;
    assert_eq!(on("2026-11-11"), Some(760));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_and_its_offers_are_called_off_and_come_back() {
    let two = Two::new().await;
    let eleven = "/console/promotions/eleven";
    let offer = format!("{eleven}/offer-end");
    saved(&two, &PageForm::one(&two.page(eleven).await, &offer).typed(&[("day", "2026-10-01")]), eleven).await;
    assert_eq!(promotion(&two).offers_ended["millet"], day("2026-10-01"));
    // Offering the product anew makes the offer again.
    let form = PageForm::with(&two.page(eleven).await, "/console/promotions", "code", "eleven");
    saved(&two, &form.typed(&[("new-product", "millet"), ("new-price", "11")]), eleven).await;
    assert_eq!((promotion(&two).offers["millet"].get(), promotion(&two).offers_ended.len()), (1_100, 0));
    let form = PageForm::with(&two.page(eleven).await, "/console/promotions", "code", "eleven");
    let taken = two.send(&two.zhang, &form.typed(&[("new-product", "millet"), ("new-price", "12")])).await;
    assert_eq!(taken.status, 409, "an offer that stands is changed, not made twice");
    let end = format!("{eleven}/end");
    saved(&two, &PageForm::one(&two.page(eleven).await, &end).typed(&[("day", "2026-10-02")]), eleven).await;
    assert!(two.page("/console/catalogue").await.contains("Called off since 2026-10-02"));
    saved(&two, &PageForm::one(&two.page(eleven).await, &end), eleven).await;
    assert_eq!(promotion(&two).ended, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn promotions_to_come_stand_first_and_past_ones_apart() {
    let two = Two::new().await;
    let list = two.page("/console/catalogue").await;
    let new = PageForm::with(&list, "/console/promotions", "new", "yes");
    for (code, title, day) in
        [("old", "Spring", "2020-03-01"), ("far", "Later", "2990-01-01"), ("near", "Soon", "2980-01-01")]
    {
        let form = new.typed(&[("code", code), ("title", title), ("day", day)]);
        saved(&two, &form, &format!("/console/promotions/{code}")).await;
    }
    let list = two.page("/console/catalogue").await;
    let at = |text: &str| list.find(text).unwrap_or_else(|| panic!("{text}: {list}"));
    assert!(at(">Soon<") < at(">Later<") && at(">Later<") < at("Past promotions"), "{list}");
    assert!(at("Past promotions") < at(">Spring<"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cooperative_says_how_it_is_reached_and_which_season_is_present() {
    let two = Two::new().await;
    let (page, details) = ("/console/cooperative", "/console/cooperative/details");
    let form = PageForm::one(&two.page(page).await, details);
    let filled =
        form.typed(&[("phone", "0358 4400000"), ("address", "Linxian, Sanjiao"), ("about", "Open from 8\nto 18")]);
    saved(&two, &filled, page).await;
    // Somebody who saw the page before changes another field alone.
    assert_eq!(two.send(&two.wang, &form.typed(&[("name", "Linxian Growers")])).await.status, 303);
    let read = || cooperative::read_parts(&[two.document(&DocumentKey::Cooperative(Part::FIRST))]);
    let shown = read();
    assert_eq!((shown.name.as_deref(), shown.phone.as_deref()), (Some("Linxian Growers"), Some("0358 4400000")));
    assert_eq!(shown.about.as_deref(), Some("Open from 8\nto 18"));

    let season = "/console/cooperative/season";
    let new = PageForm::with(&two.page(page).await, season, "new", "yes");
    saved(&two, &new.typed(&[("year", "2026"), ("from", "2026-03-01"), ("name", "Autumn")]), page).await;
    let present = read().present_season(day("2027-01-10")).map(|season| season.year());
    assert_eq!(present, Some(2026), "until the next one begins");
    assert!(two.page(page).await.contains("Autumn"));
    for (year, from) in [("2026", "2026-04-01"), ("x", "2026-04-01"), ("2029", "2026-04-01"), ("2027", "soon")] {
        let answer = two.send(&two.zhang, &new.typed(&[("year", year), ("from", from)])).await;
        assert!(answer.status >= 400 && answer.page.contains("id=\"fault\""), "{year} {from}");
    }
}

/// What a pattern may not have in a class without a backslash, by the rules that browsers compile it with (the flag `v`).
#[tokio::test(flavor = "multi_thread")]
async fn browsers_take_every_pattern() {
    let two = Two::new().await;
    let mut found = 0;
    for page in ["/console/catalogue", MILLET, "/console/cooperative", "/console/households", "/console/phones"] {
        let page = two.page(page).await;
        for rest in page.split(" pattern=\"").skip(1) {
            let pattern = rest.split('"').next().unwrap();
            // Else a browser says no more than that what was typed does not fit.
            let says = rest.split('>').next().unwrap().split(" title=\"").nth(1).unwrap_or_default();
            assert!(says.starts_with("Small letters, digits and hyphens, 1 to "), "{pattern}: {rest:.200}");
            found += 1;
            let (mut in_class, mut letters) = (false, pattern.chars().peekable());
            let mut before = ' ';
            while let Some(letter) = letters.next() {
                match letter {
                    '\\' => before = letters.next().unwrap(),
                    '[' => in_class = true,
                    ']' => in_class = false,
                    '-' if in_class => {
                        let after = *letters.peek().unwrap();
                        assert!(before.is_ascii_alphanumeric() && after.is_ascii_alphanumeric(), "{pattern}");
                    }
                    '(' | ')' | '{' | '}' | '/' | '|' if in_class => panic!("{pattern}: {letter}"),
                    other => before = other,
                }
            }
        }
    }
    assert!(found >= 4, "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tolerance_is_set_and_taken_back() {
    let two = Two::new().await;
    let form = |page: &str| PageForm::with(page, "/console/catalogue", "code", "millet");
    saved(&two, &form(&two.page(MILLET).await).typed(&[("tolerance", "2.5")]), MILLET).await;
    assert_eq!(products(&two)[0].surplus_tolerated.map(|share| share.get()), Some(25));
    saved(&two, &form(&two.page(MILLET).await).typed(&[("tolerance", "")]), MILLET).await;
    assert!(products(&two)[0].surplus_tolerated.is_none() && products(&two)[0].damaged.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_says_what_to_do_first() {
    let world = World::new();
    world.coordinator("zhang");
    let cookie = world.sign_in("zhang", PASSWORD).await.unwrap();
    for (page, words) in [
        ("/console/harvests", "add and invite them first"),
        ("/console/households", "Add the first one below"),
        ("/console/catalogue", "Add the first one"),
        ("/console/orders", "Import the order files"),
        ("/console/phones", "Invite a household from its page"),
        ("/console/invitations", "Invite a household from its page"),
    ] {
        let shown = world.get(page, &cookie).await.page;
        assert!(shown.contains(words), "{page}: {shown}");
    }
    assert!(world.get("/console/harvests?product=x", &cookie).await.page.contains("No lots fit this filter"));
}
