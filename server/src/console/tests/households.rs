//! Households: with and without a village, a name, a phone.

use super::forms::{HOUSEHOLD, Two, text_of};
use super::page::PageForm;
use super::*;

/// The ids of the households that a page lists, in its order.
fn listed(page: &str) -> Vec<String> {
    let rows = page.split("<tr id=\"h-").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

fn found(page: &str) -> String {
    text_of(page).split("Households: ").nth(1).unwrap().split('.').next().unwrap().to_owned()
}

/// A household that enrols as after `granary invite --role household:new`.
fn enrolled(two: &Two, number: u8) -> HouseholdId {
    let id = HouseholdId::from_bytes([number; 16]);
    let code = two.world.granary.invite(two.world.coop, Role::Household(id), 1, World::now()).unwrap().code;
    two.world.enrol(&code, number).unwrap();
    id
}

// Only the demo had villages, so nobody could add a household.
#[tokio::test(flavor = "multi_thread")]
async fn household_without_a_village_is_added_listed_and_gets_one() {
    let two = Two::new().await;
    let add = PageForm::one(&two.page("/console/households").await, "/console/households/add");
    let added = two.send(&two.zhang, &add.typed(&[("name", "赵家")])).await;
    assert_eq!(added.status, 303, "{}", added.page);
    let page = two.page(&added.to).await;
    let form = PageForm::one(&page, &added.to);
    assert_eq!((form.get("name"), form.get("village")), ("赵家", ""));
    let list = two.page("/console/households?village=:none").await;
    assert_eq!(listed(&list), [added.to.rsplit('/').next().unwrap()]);
    assert_eq!(found(&list), "1");
    assert!(text_of(&list).contains("no village yet"));
    assert_eq!(two.send(&two.zhang, &form.typed(&[("village", "xihe")])).await.status, 303);
    assert_eq!(listed(&two.page("/console/households?village=:none").await), [] as [&str; 0]);
    assert_eq!(listed(&two.page("/console/households?village=xihe").await).len(), 1);
    // And it can be taken away again.
    let form = PageForm::one(&two.page(&added.to).await, &added.to);
    assert_eq!(two.send(&two.zhang, &form.typed(&[("village", "")])).await.status, 303);
    assert_eq!(listed(&two.page("/console/households?village=:none").await).len(), 1);
}

// Such a household has no document: it was in no list, and its page was not found.
#[tokio::test(flavor = "multi_thread")]
async fn household_that_enrolled_is_listed_opened_and_named() {
    let two = Two::new().await;
    let id = enrolled(&two, 9);
    for list in ["/console/households", "/console/households?phone=with", "/console/households?village=:none"] {
        let page = two.page(list).await;
        assert!(listed(&page).contains(&id.to_string()), "{list}: {page}");
    }
    assert!(!listed(&two.page("/console/households?phone=without").await).contains(&id.to_string()));
    let path = format!("/console/households/{id}");
    let page = two.page(&path).await;
    assert!(text_of(&page).contains("Nobody has named this household yet"), "{page}");
    let form = PageForm::one(&page, &path);
    let named = two.send(&two.zhang, &form.typed(&[("name", "新来的"), ("village", "xihe")])).await;
    assert_eq!(named.status, 303, "{}", named.page);
    let list = two.page("/console/households?village=xihe").await;
    assert!(listed(&list) == [id.to_string()] && list.contains("新来的"), "{list}");
    // Nobody's page is made up.
    let other = HouseholdId::from_bytes([8; 16]);
    assert_eq!(two.world.get(&format!("/console/households/{other}"), &two.zhang).await.status, 404);
    let erase = format!("typed={id}&books=yes");
    assert_eq!(two.world.post(&format!("{path}/erase"), &two.zhang, &erase).await.status, 303);
    two.shown();
    assert!(!listed(&two.page("/console/households").await).contains(&id.to_string()));
    assert_eq!(two.world.get(&path, &two.zhang).await.status, 404);
}

// The list counted all households, whatever was filtered.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_filtered_list_hold_what_it_counts() {
    let two = Two::new().await;
    for number in 20..90u8 {
        let key = DocumentKey::Household(HouseholdId::from_bytes([number; 16]));
        let edit = move |doc: &mut _| household::set_name(doc, &format!("赵{number}"), "xihe");
        two.world.granary.edit(two.world.coop, &key, World::now(), edit).unwrap();
    }
    two.shown();
    let path = "/console/households?search=%E8%B5%B5&village=xihe&sort=name";
    let first = two.page(path).await;
    assert_eq!((listed(&first).len(), found(&first).as_str()), (60, "70"));
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let second = two.page(&next).await;
    assert_eq!((listed(&second).len(), found(&second).as_str()), (10, "70"));
    assert!(!second.contains("rel=\"next\"") && !listed(&second).contains(&HOUSEHOLD.to_string()));
    let nobody = two.page("/console/households?search=nobody").await;
    assert_eq!((listed(&nobody).len(), found(&nobody).as_str()), (0, "0"));
}
