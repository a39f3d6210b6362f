//! Files that go out and come in again.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::Part;
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::harvest::{LotDraft, record};

use super::forms::{HOUSEHOLD, Two, book, text_of};
use super::page::PageForm;
use super::*;

/// Posts a file to the preview of an import.
async fn previewed(two: &Two, file: &str) -> String {
    let token = two.token(&two.zhang);
    let part = |name: &str, more: &str, text: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{text}\r\n")
    };
    let body = part("token", "", &token) + &part("file", "; filename=\"x.csv\"", file) + "--b--\r\n";
    let kind = ("content-type", "multipart/form-data; boundary=b");
    let headers = [("cookie", two.zhang.as_str()), ("accept-language", "en"), kind];
    let answer = two.world.ask(Method::POST, "/console/import/preview", &headers, body).await;
    assert_eq!(answer.status, 200, "{}", answer.page);
    answer.page
}

// What we wrote ourselves, we read again as what it is: nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_exported_is_imported_without_a_change() {
    let two = Two::new().await;
    let world = &two.world;
    let edit = |id: u8, name: &'static str, village: &'static str| {
        let key = DocumentKey::Household(HouseholdId::from_bytes([id; 16]));
        world.granary.edit(world.coop, &key, World::now(), move |doc| household::set_name(doc, name, village)).unwrap();
    };
    // Namesakes, names that look like formulas or numbers, and names with all that CSV quotes.
    edit(1, "李家", "dongpo");
    edit(2, "=SUM(A1)", "xihe");
    edit(3, "'=SUM(A1)", "xihe");
    edit(4, "007", "xihe");
    edit(5, "Li, \"the\" elder; 一", "xihe");
    let product = |doc: &mut _| {
        catalogue::name_product(doc, "jujube", "红枣", "Jujube")?;
        let from = PriceName::new("B".into(), "2026-11-01".parse().ok()).unwrap();
        catalogue::set_price(doc, "jujube", &from, Fen::new(1_005).unwrap())
    };
    world.granary.edit(world.coop, &DocumentKey::Catalogue(Part::FIRST), World::now(), product).unwrap();
    let noted = LotDraft {
        grade: "A".into(),
        note: "三袋,\n\"湿\" -1".into(),
        ..LotDraft::new("millet", Grams::new(1_250_500).unwrap(), "2026-10-04".parse().unwrap())
    };
    world.granary.edit(world.coop, &book(), World::now(), move |doc| record(doc, &noted).map(drop)).unwrap();
    two.shown();
    let lot = two.path();
    let receipt = PageForm::one(&two.page(&lot).await, &format!("{lot}/receipt"));
    two.send(&two.zhang, &receipt.typed(&[("state", "received"), ("grams", "12.4")])).await;
    for (what, rows) in [("households", 6), ("catalogue", 2), ("lots", 2)] {
        for language in ["en", "zh"] {
            let headers = [("cookie", two.zhang.as_str()), ("accept-language", language)];
            let file = world.ask(Method::GET, &format!("/console/export/{what}.csv"), &headers, String::new()).await;
            let page = previewed(&two, &file.page).await;
            let text = text_of(&page);
            assert!(text.contains("Changes: 0. Errors: 0."), "{what} {language}: {text}");
            assert!(text.contains(&format!("what is here already: {rows}.")), "{what} {language}: {text}");
            assert!(PageForm::all(&page, "/console/import/confirm").is_empty());
        }
    }
    // A copy that differs is shown so, and changes nothing.
    let file = world.get("/console/export/lots.csv", &two.zhang).await.page.replace("12.5", "13.5");
    assert!(text_of(&previewed(&two, &file).await).contains("is another one here: Weight (kg)"));
}

// Somebody moved a household between the look at a file and its confirmation: it was moved back, unseen.
#[tokio::test(flavor = "multi_thread")]
async fn import_takes_only_what_was_shown() {
    let two = Two::new().await;
    let file = format!("id,name,village\n{HOUSEHOLD},李家,dongpo\n,新户,xihe\n");
    let confirm = PageForm::one(&previewed(&two, &file).await, "/console/import/confirm");
    let household = format!("/console/households/{HOUSEHOLD}");
    let moved = PageForm::one(&two.page(&household).await, &household).typed(&[("village", "xihe")]);
    assert_eq!(two.send(&two.wang, &moved).await.status, 303);
    let refused = two.send(&two.zhang, &confirm).await;
    assert!(refused.page.contains("changed since the file was looked at"), "{}", refused.page);
    assert_eq!(PageForm::one(&two.page(&household).await, &household).get("village"), "xihe");
    // Seen as it is now, it may be confirmed.
    let confirm = PageForm::one(&refused.page, "/console/import/confirm");
    assert_eq!(two.send(&two.zhang, &confirm).await.status, 303);
    assert_eq!(PageForm::one(&two.page(&household).await, &household).get("village"), "dongpo");
}
