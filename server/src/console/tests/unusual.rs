//! What is asked back, and what is listed as unusual.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::harvest::{LotDraft, lot, lots, record};
use granary_client_core::schema::receipt::receipts;
use granary_client_core::schema::{LotId, Part, catalogue};

use super::forms::{Two, book};
use super::page::PageForm;
use super::*;

/// Sends a form, which is asked back with this sentence, and then the form of the question, confirmed.
async fn asked_back(two: &Two, form: &PageForm, sentence: &str) {
    let asked = two.send(&two.zhang, form).await;
    assert!(asked.status == 200 && asked.page.contains(sentence), "{sentence}: {} {}", asked.status, asked.page);
    let again = PageForm::one(&asked.page, &form.action).typed(&[("confirmed", "yes")]);
    assert_eq!(two.send(&two.zhang, &again).await.status, 303, "{sentence}");
}

// Only the weight of a receipt was looked at, and only against other lots.
#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_do_not_fit_their_lot_are_asked_back() {
    let two = Two::new().await;
    let receipt = format!("{}/receipt", two.path());
    for (typed, sentence) in [
        (
            [("state", "received"), ("grams", "12"), ("day", "2026-10-02")],
            "is before the day of the harvest, 2026-10-03",
        ),
        ([("state", "received"), ("grams", "12"), ("day", "2027-10-02")], "is long after the day of the harvest"),
        (
            [("state", "received"), ("grams", "125"), ("day", "2026-10-04")],
            "125 kg weighed is far from the 12.5 kg recorded",
        ),
        ([("state", "rejected"), ("reason", "wet"), ("day", "2026-10-01")], "is before the day of the harvest"),
    ] {
        let form = PageForm::one(&two.page(&two.path()).await, &receipt).typed(&typed);
        // Whose lot it is stands there, with what was typed.
        let asked = two.send(&two.zhang, &form).await;
        let head = asked.page.split("<main").nth(1).unwrap().split("<form").next().unwrap();
        for word in ["李家 · Millet · 12.5 kg", &two.lot.to_string(), &two.path(), typed[1].1] {
            assert!(head.contains(word), "{word}: {head}");
        }
        asked_back(&two, &form, sentence).await;
    }
    let form = PageForm::one(&two.page(&two.path()).await, &receipt);
    let plain = form.typed(&[("state", "received"), ("grams", "12"), ("day", "2026-10-04")]);
    assert_eq!(two.send(&two.zhang, &plain).await.status, 303, "what fits is not asked back");
    assert_eq!(receipts(&two.document(&two.lot.receipt_book())).len(), 1);
}

// A lot with a wrong weight made its own correction unusual.
#[tokio::test(flavor = "multi_thread")]
async fn corrections_are_held_against_other_lots() {
    let two = Two::new().await;
    let correct = format!("{}/correct", two.path());
    let form = |page: &str| PageForm::one(page, &correct);
    asked_back(&two, &form(&two.page(&two.path()).await).typed(&[("grams", "9,000")]), "far from what is usual").await;
    let right = form(&two.page(&two.path()).await).typed(&[("grams", "9")]);
    assert_eq!(two.send(&two.zhang, &right).await.status, 303, "the wrong weight itself is not among the usual ones");
    assert_eq!(lot(&two.document(&book()), two.lot.key()).unwrap().quantity, Grams::new(9_000).ok());
    let place = form(&two.page(&two.path()).await).typed(&[("place", "mil")]);
    asked_back(&two, &place, "did you mean mill?").await;
}

// A slip in a price was paid out.
#[tokio::test(flavor = "multi_thread")]
async fn a_price_that_jumps_is_asked_back() {
    let two = Two::new().await;
    let form = || async {
        PageForm::with(&two.page("/console/catalogue/millet").await, "/console/catalogue", "code", "millet")
    };
    let price = || {
        let products = catalogue::read_parts(&[two.document(&DocumentKey::Catalogue(Part::FIRST))]).products;
        products[0].price_by_grade[&"A".parse().unwrap()]
    };
    asked_back(
        &two,
        &form().await.typed(&[("price:A", "76"), ("since", "beginning")]),
        "is far from the last price, ¥7.60",
    )
    .await;
    assert_eq!(price(), Fen::new(7_600).unwrap());
    let later = form().await.typed(&[("new-grade", "A"), ("new-day", "2027-01-01"), ("new-price", "7.60")]);
    asked_back(&two, &later, "is far from the last price, ¥76.00").await;
    assert_eq!(
        two.send(&two.zhang, &form().await.typed(&[("price:A", "80"), ("since", "beginning")])).await.status,
        303
    );
    assert_eq!(price(), Fen::new(8_000).unwrap());
}

// Looking changed nothing: an unusual lot stayed on the list for ever.
#[tokio::test(flavor = "multi_thread")]
async fn unusual_lot_is_ticked_off_until_its_figure_changes() {
    let two = Two::new().await;
    let heavy = LotDraft::new("millet", Grams::new(25_000_000).unwrap(), "2026-10-04".parse().unwrap());
    two.world.granary.edit(two.world.coop, &book(), World::now(), move |doc| record(doc, &heavy).map(drop)).unwrap();
    two.shown();
    let page = two.page("/console/unusual").await;
    assert!(page.contains("25,000 kg is far from what is usual here"), "{page}");
    let form = PageForm::one(&page, "/console/unusual/right");
    assert_eq!(two.send(&two.zhang, &form).await.status, 400, "nothing was ticked");
    let key = lots(&two.document(&book()))
        .iter()
        .find(|lot| lot.quantity == Grams::new(25_000_000).ok())
        .unwrap()
        .key
        .clone();
    let lot = LotId::in_book(&book(), key).unwrap();
    assert_eq!(two.send(&two.zhang, &form.typed(&[("lot", &lot.in_full())])).await.status, 303);
    assert!(two.page("/console/unusual").await.contains("No lot is unusual"));
    let path = format!("/console/lots/{lot}");
    let history = two.page(&path).await;
    assert!(history.contains("Looked at, and right") && history.contains("zhang"), "{history}");
    let audit = two.world.granary.audit_log(two.world.coop, 10).unwrap();
    assert!(audit.iter().any(|line| line.action.name() == "found-right" && line.detail.contains(&lot.to_string())));
    let correct =
        PageForm::one(&history, &format!("{path}/correct")).typed(&[("grams", "26,000"), ("confirmed", "yes")]);
    assert_eq!(two.send(&two.zhang, &correct).await.status, 303);
    assert!(two.page("/console/unusual").await.contains("26,000 kg"));
}
