//! The list of phones.

use super::forms::{HOUSEHOLD, Two, text_of};
use super::page::PageForm;
use super::*;

/// The ids of the phones that a page lists, in its order.
fn listed(page: &str) -> Vec<String> {
    let rows = page.split("<tr id=\"p-").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

fn enrolled(two: &Two, role: Role, seed: u8) -> DeviceId {
    let code = two.world.granary.invite(two.world.coop, role, 1, World::now()).unwrap().code;
    two.world.enrol(&code, seed).unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_are_found_by_whose_they_are() {
    let two = Two::new().await;
    let of_li = enrolled(&two, Role::Household(HOUSEHOLD), 1).to_string();
    let unnamed = enrolled(&two, Role::Household(HouseholdId::from_bytes([9; 16])), 2).to_string();
    let packer = enrolled(&two, Role::Packer, 3).to_string();
    let all = two.page("/console/phones").await;
    assert_eq!(listed(&all).len(), 3);
    assert!(all.contains(&format!("href=\"/console/households/{HOUSEHOLD}\"")) && text_of(&all).contains("Phones: 3."));
    // By the household, by its village, by the phone's id, by role; not by what nobody is called.
    for (query, found) in [
        ("search=%E6%9D%8E%E5%AE%B6", vec![&of_li]),
        ("search=%E4%B8%9C%E5%9D%A1", vec![&of_li]),
        (&format!("search={packer}"), vec![&packer]),
        ("search=09090909", vec![&unnamed]),
        ("role=packer", vec![&packer]),
        ("search=nobody", vec![]),
        ("state=revoked", vec![]),
        // None was ever heard of.
        ("silent=7&role=packer", vec![&packer]),
    ] {
        let page = two.page(&format!("/console/phones?{query}")).await;
        assert_eq!(listed(&page).iter().collect::<Vec<_>>(), found, "{query}");
    }
    // A saved form leads back to the same filter and place.
    let path = "/console/phones?role=packer&sort=silent";
    let revoke = PageForm::one(&two.page(path).await, "/console/phones/revoke").typed(&[("sure", "yes")]);
    assert_eq!(two.send(&two.zhang, &revoke).await.to, format!("{path}#p-{packer}"));
    assert_eq!(listed(&two.page("/console/phones?state=revoked").await), [packer]);
    assert_eq!(listed(&two.page("/console/phones").await).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_list_of_phones_has_pages() {
    let two = Two::new().await;
    for seed in 1..=62 {
        enrolled(&two, Role::Packer, seed);
    }
    let first = two.page("/console/phones?role=packer").await;
    let next = first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let second = two.page(&next).await;
    assert_eq!((listed(&first).len(), listed(&second).len()), (60, 2));
    assert!(text_of(&first).contains("Phones: 62."));
}
