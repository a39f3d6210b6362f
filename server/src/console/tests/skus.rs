//! The packs that shops sell, on the pages of the catalogue.

use std::collections::BTreeMap;

use granary_client_core::schema::sku::{Certificate, Sku};
use granary_client_core::schema::{Part, catalogue};

use super::forms::Two;
use super::page::PageForm;
use super::*;

const MILLET: &str = "/console/catalogue/millet";
const SAVE: &str = "/console/skus";

pub(super) fn skus(two: &Two) -> BTreeMap<String, Sku> {
    catalogue::read_parts(&[two.document(&DocumentKey::Catalogue(Part::FIRST))]).skus
}

async fn new_form(two: &Two) -> PageForm {
    PageForm::with(&two.page(MILLET).await, SAVE, "new", "yes")
}

/// Adds one as a person does.
pub(super) async fn add(two: &Two, fields: &[(&str, &str)]) {
    let answer = two.send(&two.zhang, &new_form(two).await.typed(fields)).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, "/console/catalogue/millet#skus"), "{}", answer.page);
}

const FIVE: [(&str, &str); 4] =
    [("code", "XM-05"), ("grams", "5斤"), ("grade", "A"), ("names", "临县小米 5斤装\r\n黄小米5斤")];

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_added_changed_and_the_change_is_taken_back() {
    let two = Two::new().await;
    add(&two, &FIVE).await;
    let sku = skus(&two).remove("XM-05").unwrap();
    assert_eq!((sku.product.as_str(), sku.grams.get(), sku.certificate), ("millet", 2_500, Certificate::No));
    assert_eq!(sku.names, ["临县小米 5斤装", "黄小米5斤"]);
    let page = two.page(MILLET).await;
    assert!(page.contains("XM-05") && page.contains("2.5 kg") && page.contains("黄小米5斤"), "{page}");

    let here = "/console/skus/XM-05";
    let form = PageForm::with(&two.page(here).await, SAVE, "code", "XM-05");
    let answer =
        two.send(&two.zhang, &form.typed(&[("shelf", "365"), ("certificate", "never"), ("codes", "HT-001")])).await;
    assert_eq!((answer.status, answer.to.as_str()), (303, here), "{}", answer.page);
    let sku = skus(&two).remove("XM-05").unwrap();
    assert_eq!((sku.shelf_days, sku.certificate, sku.codes.len()), (Some(365), Certificate::Never, 1));
    let page = two.page(here).await;
    assert!(page.contains("code in shops HT-001"), "the activity tells of it: {page}");
    assert_eq!(two.send(&two.zhang, &PageForm::undo(&page)).await.status, 303);
    let sku = skus(&two).remove("XM-05").unwrap();
    assert_eq!((sku.shelf_days, sku.certificate, sku.codes.len()), (None, Certificate::No, 0));
}

// Two coordinators who each map a name both keep theirs, and a form puts back nothing that another one wrote.
#[tokio::test(flavor = "multi_thread")]
async fn two_people_who_each_add_a_name_keep_both() {
    let two = Two::new().await;
    add(&two, &FIVE).await;
    let here = "/console/skus/XM-05";
    let form = PageForm::with(&two.page(here).await, SAVE, "code", "XM-05");
    let names = form.get("names").to_owned();
    assert_eq!(two.send(&two.wang, &form.typed(&[("names", &format!("{names}\n山西小米"))])).await.status, 303);
    let late = form.typed(&[("names", &format!("{names}\n沁州黄")), ("grams", "3")]);
    assert_eq!(two.send(&two.zhang, &late).await.status, 303);
    let sku = skus(&two).remove("XM-05").unwrap();
    assert_eq!((sku.names.len(), sku.grams.get()), (4, 3_000), "{:?}", sku.names);
    // The same field is refused to who has not seen the other's.
    let refused = two.send(&two.wang, &form.typed(&[("grams", "4")])).await;
    assert!(refused.status == 409 && refused.page.contains("id=\"fault\""), "{}", refused.page);
    assert_eq!(skus(&two)["XM-05"].grams.get(), 3_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_or_name_of_another_pack_is_refused_with_whose_it_is() {
    let two = Two::new().await;
    add(&two, &FIVE).await;
    add(&two, &[("code", "XM-10"), ("grams", "5"), ("codes", "HT-010")]).await;
    let new = new_form(&two).await.typed(&[("code", "XM-20"), ("grams", "10")]);
    for (field, typed, whose) in [
        ("code", "XM-05", "XM-05"),
        ("code", "HT-010", "XM-10"),
        ("names", "黄小米5斤", "XM-05"),
        ("codes", "XM-10", "XM-10"),
    ] {
        let answer = two.send(&two.zhang, &new.typed(&[(field, typed)])).await;
        let beside = answer.page.split("id=\"fault\"").nth(1).unwrap_or_default();
        assert!(answer.status == 409 && beside.split('<').next().unwrap().contains(whose), "{field} {}", answer.page);
        assert!(answer.page.contains("<details open"), "the refused form is in sight");
    }
    for (field, typed) in [("code", "a b"), ("code", "a/b"), ("grams", "0"), ("grams", "heavy"), ("shelf", "soon")] {
        let answer = two.send(&two.zhang, &new.typed(&[(field, typed)])).await;
        assert!(answer.status == 400 && answer.page.contains("id=\"fault\""), "{field}={typed}");
    }
    assert_eq!(skus(&two).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pack_is_ended_and_taken_up_again_and_an_ended_product_is_said() {
    let two = Two::new().await;
    add(&two, &FIVE).await;
    let (here, end) = ("/console/skus/XM-05", "/console/skus/XM-05/end");
    assert_eq!(two.send(&two.zhang, &PageForm::one(&two.page(here).await, end)).await.status, 303);
    assert!(skus(&two)["XM-05"].ended);
    let list = two.page(MILLET).await;
    assert!(list.contains("No longer sold"));
    assert_eq!(two.send(&two.zhang, &PageForm::undo(&list)).await.status, 303);
    assert!(!skus(&two)["XM-05"].ended);
    let product_end = PageForm::one(&two.page(MILLET).await, &format!("{MILLET}/end"));
    assert_eq!(two.send(&two.zhang, &product_end.typed(&[("day", "2026-10-01")])).await.status, 303);
    assert!(two.page(here).await.contains("Not taken since 2026-10-01"));
    assert_eq!(two.world.get("/console/skus/nothing", &two.zhang).await.status, 404);
}
