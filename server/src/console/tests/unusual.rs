//! What is asked back, and what is listed as unusual.

use granary_client_core::quantities::{Fen, Grams};
use granary_client_core::schema::harvest::{LotDraft, lot, lots, record};
use granary_client_core::schema::receipt::receipts;
use granary_client_core::schema::{LotId, Part, catalogue};

use super::forms::{Two, book};
use super::page::PageForm;
use super::*;

/// Sends a form, which comes back with all that was typed and this sentence in it.
async fn question(two: &Two, form: &PageForm, sentence: &str) -> PageForm {
    let asked = two.send(&two.zhang, form).await;
    assert_eq!(asked.status, 200, "{sentence}: {}", asked.page);
    let forms = PageForm::all(&asked.page, &form.action);
    let again = forms.into_iter().find(|form| form.html.contains("class=\"ask\""));
    let again = again.unwrap_or_else(|| panic!("nothing is asked on {}", asked.page));
    assert!(again.html.contains(sentence) && again.html.contains("It is right: "), "{sentence}: {}", again.html);
    for (name, value) in form.fields.iter().filter(|(name, _)| !["token", "confirmed"].contains(&name.as_str())) {
        assert_eq!(again.get(name), value, "{name} of {sentence}");
    }
    again
}

/// Sends a form, which is asked back with this sentence, and then once more as it came.
async fn asked_back(two: &Two, form: &PageForm, sentence: &str) {
    let again = question(two, form, sentence).await;
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
        asked_back(&two, &form, sentence).await;
    }
    let form = PageForm::one(&two.page(&two.path()).await, &receipt);
    let plain = form.typed(&[("state", "received"), ("grams", "12"), ("day", "2026-10-04")]);
    assert_eq!(two.send(&two.zhang, &plain).await.status, 303, "what fits is not asked back");
    assert_eq!(receipts(&two.document(&two.lot.receipt_book())).len(), 1);
}

// The question stood on a page of its own, where nothing could be put right.
#[tokio::test(flavor = "multi_thread")]
async fn question_stands_beside_its_field_until_just_that_figure_is_confirmed() {
    let two = Two::new().await;
    let receipt = format!("{}/receipt", two.path());
    let form = PageForm::one(&two.page(&two.path()).await, &receipt);
    let form = form.typed(&[("state", "received"), ("grams", "125"), ("grade", "A"), ("day", "2026-10-02")]);
    let again = question(&two, &form, "125 kg weighed is far from the 12.5 kg recorded").await;
    for (field, mark, sentence) in [
        ("grams", "fault", "125 kg weighed is far from the 12.5 kg recorded"),
        ("day", "fault-1", "is before the day of the harvest, 2026-10-03"),
    ] {
        let label = again.html.split("<label").find(|label| label.contains(&format!(" name=\"{field}\""))).unwrap();
        let (described, said) = (format!("aria-describedby=\"{mark}\""), format!("class=\"ask\" id=\"{mark}\""));
        assert!([&described, &said, sentence].iter().all(|piece| label.contains(*piece)), "{label}");
    }
    // Another figure is another question; one that fits is none.
    let heavier = again.typed(&[("grams", "1,250"), ("day", "2026-10-04")]);
    question(&two, &heavier, "1,250 kg weighed is far from the 12.5 kg recorded").await;
    assert!(
        two.world.granary.document(two.world.coop, &two.lot.receipt_book()).unwrap().is_none(),
        "nothing was saved"
    );
    let right = again.typed(&[("grams", "12.5"), ("day", "2026-10-04")]);
    assert_eq!(two.send(&two.zhang, &right).await.status, 303);
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
