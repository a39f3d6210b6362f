//! Undoing puts back what nobody changed since, and says what it left.

use granary_client_core::quantities::Grams;
use granary_client_core::schema::LotId;
use granary_client_core::schema::harvest::{LotDraft, LotEdit, LotKey, correct, lot, lots, record};

use super::forms::{Two, book, text_of};
use super::page::PageForm;
use super::*;

const MANY: &str = "/console/cases/many";
const UNDO_MANY: &str = "/console/cases/many/undo";
const UNDO: &str = "/console/cases/undo";

impl Two {
    /// Wang writes the weight of a lot.
    fn wang_writes(&self, key: &LotKey, grams: i64) {
        let device = self.world.granary.coordinator_device(self.world.coop, "wang").unwrap();
        let (key, grams) = (key.clone(), Grams::new(grams).unwrap());
        let edit = Edits::one(book(), move |doc| correct(doc, &key, &LotEdit::Quantity(grams)));
        self.world.granary.edit_as(self.world.coop, device, World::now(), vec![edit]).unwrap();
        self.shown();
    }
}

// Undoing many put a value back over the one that somebody had written since; then it left it and said nothing.
#[tokio::test(flavor = "multi_thread")]
async fn undoing_many_says_what_it_left() {
    let two = Two::new().await;
    let lots = [two.lot_of(10_000, "2026-10-04"), two.lot_of(20_000, "2026-10-05")];
    for lot in &lots {
        two.weighed(lot, two.weight_of(lot) + 1_000);
    }
    let shown = two.send(&two.zhang, &PageForm::one(&two.page("/console/cases?kind=weight").await, MANY)).await;
    let done = two.send(&two.zhang, &PageForm::one(&shown.page, MANY)).await;
    two.wang_writes(lots[1].key(), 21_300);
    let undo = PageForm::one(&two.page(&done.to).await, UNDO_MANY);
    let undone = two.send(&two.zhang, &undo).await;
    assert_eq!(undone.status, 303);
    assert_eq!(lots.each_ref().map(|lot| two.weight_of(lot)), [10_000, 21_300]);
    let page = two.page(&undone.to).await;
    let message = text_of(page.split("class=\"toast\"").nth(1).unwrap());
    for word in ["1 undone, 1 left", "Weight stays 21.3 kg", "written since by wang"] {
        assert!(message.contains(word), "{word}: {message}");
    }
    assert!(page.contains(&format!("/console/lots/{}", lots[1].in_full())), "{page}");
    let again = two.send(&two.zhang, &undo).await;
    assert!(again.status == 303 || again.page.contains("Weight stays 21.3 kg"), "{}", again.page);
}

// The weight that was typed while two lots were made one came back over a later correction.
#[tokio::test(flavor = "multi_thread")]
async fn undoing_a_merge_leaves_a_weight_that_was_corrected_since() {
    let two = Two::new().await;
    let device = two.world.granary.coordinator_device(two.world.coop, "wang").unwrap();
    let draft = LotDraft::new("millet", Grams::new(12_400).unwrap(), "2026-10-03".parse().unwrap());
    let edit = Edits::one(book(), move |doc| record(doc, &draft).map(drop));
    two.world.granary.edit_as(two.world.coop, device, World::now(), vec![edit]).unwrap();
    two.shown();
    let form = PageForm::one(&two.page("/console/cases?kind=twice").await, "/console/cases/settle");
    let kept = LotId::from_full(form.get("keep")).unwrap();
    assert_eq!(two.send(&two.zhang, &form.typed(&[("other", "12.6")])).await.status, 303);
    assert_eq!(two.weight_of(&kept), 12_600);
    two.wang_writes(kept.key(), 12_900);
    let undo = PageForm::one(&two.page("/console/cases?state=settled").await, UNDO);
    let undone = two.send(&two.zhang, &undo).await;
    assert_eq!(undone.status, 303, "{}", undone.page);
    assert_eq!(two.weight_of(&kept), 12_900, "what wang wrote since stays");
    assert!(lots(&two.document(&book())).iter().all(|lot| lot.merged_into.is_none()), "both count again");
    let message = text_of(two.page("/console/cases").await.split("class=\"toast\"").nth(1).unwrap());
    assert!(message.contains("Undone, but for") && message.contains("12.9 kg, written since by wang"), "{message}");
}

// From the page of what is settled, a value was put back over a later one, which that page does not show.
#[tokio::test(flavor = "multi_thread")]
async fn a_settled_field_that_was_written_since_stays() {
    let two = Two::new().await;
    let grams = |grams| LotEdit::Quantity(Grams::new(grams).unwrap());
    two.both_write(two.lot.key(), [grams(13_000), grams(14_000)]);
    let form = PageForm::one(&two.page("/console/cases").await, "/console/cases/settle");
    assert_eq!(two.send(&two.zhang, &form.typed(&[("other", "13.6")])).await.status, 303);
    two.wang_writes(two.lot.key(), 13_700);
    let refused = two.send(&two.zhang, &PageForm::one(&two.page("/console/cases?state=settled").await, UNDO)).await;
    assert!(refused.status == 409 && refused.page.contains("13.7 kg, written since by wang"), "{}", refused.page);
    assert_eq!(lot(&two.document(&book()), two.lot.key()).unwrap().quantity, Grams::new(13_700).ok());
}
