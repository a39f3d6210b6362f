//! One household's page: money, people, phones.

use granary_client_core::schema::catalogue::PriceName;
use granary_client_core::schema::receipt::{Outcome, receive};

use super::forms::{HOUSEHOLD, Two, book, text_of};
use super::page::PageForm;
use super::*;
use granary_client_core::quantities::{Day, Fen, Grams};
use granary_client_core::schema::harvest::{LotDraft, record};
use granary_client_core::schema::{LotId, Part, catalogue, harvest};

fn path() -> String {
    format!("/console/households/{HOUSEHOLD}")
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A lot of the household that the warehouse received.
fn received(two: &Two, recorded: &str, (grams, grade, on): (i64, &str, &str)) {
    let world = &two.world;
    let draft = LotDraft { grade: "A".into(), ..LotDraft::new("millet", Grams::new(20_000).unwrap(), day(recorded)) };
    world.granary.edit(world.coop, &book(), World::now(), move |doc| record(doc, &draft).map(drop)).unwrap();
    let document = two.document(&book());
    let lots = harvest::lots(&document);
    let lot = lots.iter().find(|lot| lot.day == Some(day(recorded))).unwrap();
    let lot = LotId::in_book(&book(), lot.key.clone()).unwrap();
    let outcome = Outcome::Received { weighed: Grams::new(grams).unwrap(), grade: grade.into() };
    let (key, on) = (lot.receipt_book(), day(on));
    world.granary.edit(world.coop, &key, World::now(), move |doc| receive(doc, &lot, &outcome, on)).unwrap();
    two.shown();
}

// The amount stood nowhere, though all that it is made of was here.
#[tokio::test(flavor = "multi_thread")]
async fn page_says_what_is_owed_by_the_warehouses_grade_and_day() {
    let two = Two::new().await;
    let price = |grade: &'static str, from: Option<&str>, fen: i64| {
        let (name, fen) = (PriceName::new(grade.into(), from.map(day)).unwrap(), Fen::new(fen).unwrap());
        let edit = move |doc: &mut _| catalogue::set_price(doc, "millet", &name, fen);
        let key = DocumentKey::Catalogue(Part::FIRST);
        two.world.granary.edit(two.world.coop, &key, World::now(), edit).unwrap();
    };
    price("A", Some("2026-11-01"), 800);
    price("B", None, 500);
    // 19 kg of the household's grade A at 7.60, 19 kg at the later price of 8.00, 18 kg that the warehouse called B at 5.00.
    received(&two, "2026-10-04", (19_000, "", "2026-10-05"));
    received(&two, "2026-10-06", (19_000, "A", "2026-11-02"));
    received(&two, "2026-10-07", (18_000, "B", "2026-11-02"));
    received(&two, "2026-10-08", (18_000, "C", "2026-11-02"));
    let advance = |doc: &mut _| household::add_advance(doc, day("2026-09-01"), Fen::new(10_000).unwrap());
    two.world.granary.edit(two.world.coop, &DocumentKey::Household(HOUSEHOLD), World::now(), advance).unwrap();
    two.shown();
    let text = text_of(&two.page(&path()).await);
    for figure in ["¥7.60", "¥144.40", "¥8.00", "¥152.00", "¥5.00", "¥90.00", "¥386.40", "A → B"] {
        assert!(text.contains(figure), "{figure}: {text}");
    }
    assert!(text.contains("Owed so far¥286.40"), "{text}");
    assert!(text.contains("Lots ¥386.40, less ¥100.00 paid in advance."), "{text}");
    assert!(text.contains("Not weighed yet: 1."), "{text}");
    assert!(text.contains("which are not in the sum: 1."), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_leave_and_come_back_and_a_cleared_account_is_put_back() {
    let two = Two::new().await;
    let form = PageForm::one(&two.page(&path()).await, &path());
    let typed = form.typed(&[("member", "樊秀英"), ("payment", "农行 6222")]);
    let saved = two.send(&two.zhang, &typed).await;
    assert_eq!((saved.status, saved.to), (303, format!("{}#particulars", path())));
    let member = format!("{}/member", path());
    let out = PageForm::one(&two.page(&path()).await, &member).typed(&[("what", "out")]);
    assert_eq!(two.send(&two.zhang, &out).await.to, format!("{}#people", path()));
    // Tapped twice, it is done once.
    assert_eq!(two.send(&two.zhang, &out).await.status, 303);
    let page = two.page(&path()).await;
    assert!(text_of(&page).contains("No members are noted") && page.contains("Former members"), "{page}");
    let back = PageForm::one(&page, &member).typed(&[("what", "in")]);
    assert_eq!(two.send(&two.wang, &back).await.status, 303);
    assert!(!two.page(&path()).await.contains("Former members"));
    let form = PageForm::one(&two.page(&path()).await, &path());
    assert_eq!(two.send(&two.zhang, &form.typed(&[("payment", "")])).await.status, 303);
    let page = two.page(&path()).await;
    assert!(text_of(&page).contains("Before that was cleared: 农行 6222"), "{page}");
    let put_back = PageForm::one(&page, &format!("{}/payment", path()));
    assert_eq!(two.send(&two.zhang, &put_back).await.status, 303);
    assert_eq!(PageForm::one(&two.page(&path()).await, &path()).get("payment"), "农行 6222");
}

#[tokio::test(flavor = "multi_thread")]
async fn phone_is_revoked_and_taken_back_on_its_households_page() {
    let two = Two::new().await;
    let code = two.world.granary.invite(two.world.coop, Role::Household(HOUSEHOLD), 1, World::now()).unwrap().code;
    let (phone, _) = two.world.enrol(&code, 3).unwrap();
    let page = two.page(&path()).await;
    assert!(page.contains(&format!("id=\"p-{phone}\"")) && text_of(&page).contains("never"), "{page}");
    let revoke = PageForm::one(&page, "/console/phones/revoke").typed(&[("sure", "yes")]);
    assert_eq!(two.send(&two.zhang, &revoke).await.to, format!("{}#p-{phone}", path()));
    assert!(!two.world.is_active(phone));
    let back = PageForm::one(&two.page(&path()).await, "/console/phones/take-back").typed(&[("sure", "yes")]);
    assert_eq!(two.send(&two.zhang, &back).await.to, format!("{}#p-{phone}", path()));
    assert!(two.world.is_active(phone));
}
