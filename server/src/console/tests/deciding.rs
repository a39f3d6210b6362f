//! Deciding: what is typed counts, many at once are shown first, and everything can be undone.

use granary_client_core::crdt::Version;
use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::{Day, Fen, Grams, Permille};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::harvest::{LotDraft, LotEdit, LotKey, correct, lot, lots, record};
use granary_client_core::schema::order::{self, OrderStatus, PlainLine};
use granary_client_core::schema::receipt::{Outcome, receive};
use granary_client_core::schema::{Document, LotId, OrderName, Part};

use super::forms::{Two, book, text_of};
use super::page::PageForm;
use super::*;

const SAVE_ORDER: &str = "/console/orders/status";
const MANY: &str = "/console/cases/many";
const UNDO_MANY: &str = "/console/cases/many/undo";

fn grams(grams: i64) -> Grams {
    Grams::new(grams).unwrap()
}

impl Two {
    /// Records a lot of grade A on this day.
    pub(super) fn lot_of(&self, weight: i64, day: &str) -> LotId {
        let draft = LotDraft { grade: "A".into(), ..LotDraft::new("millet", grams(weight), day.parse().unwrap()) };
        self.world
            .granary
            .edit(self.world.coop, &book(), World::now(), move |doc| record(doc, &draft).map(drop))
            .unwrap();
        let key = lots(&self.document(&book())).pop().unwrap().key;
        self.shown();
        LotId::in_book(&book(), key).unwrap()
    }

    /// Both write a field of a lot without knowing of each other.
    pub(super) fn both_write(&self, lot: &LotKey, edits: [LotEdit; 2]) {
        self.both(book(), |edit| {
            let (lot, edit) = (lot.clone(), edits[edit].clone());
            Box::new(move |doc| correct(doc, &lot, &edit))
        });
    }

    fn both(&self, key: DocumentKey, edit: impl Fn(usize) -> crate::Edit) {
        let seen = Version::of(&mut self.document(&key));
        for (place, login) in ["zhang", "wang"].into_iter().enumerate() {
            let device = self.world.granary.coordinator_device(self.world.coop, login).unwrap();
            let edits = Edits { key: key.clone(), message: None, seen: Some(seen.clone()), edits: vec![edit(place)] };
            self.world.granary.edit_as(self.world.coop, device, World::now(), vec![edits]).unwrap();
        }
        self.shown();
    }

    pub(super) fn weighed(&self, of: &LotId, weight: i64) {
        let lot = of.clone();
        let outcome = Outcome::Received { weighed: grams(weight), grade: String::new() };
        let day: Day = "2026-10-20".parse().unwrap();
        let edit = move |doc: &mut _| receive(doc, &lot, &outcome, day);
        self.world.granary.edit(self.world.coop, &of.receipt_book(), World::now(), edit).unwrap();
        self.shown();
    }

    pub(super) fn weight_of(&self, of: &LotId) -> i64 {
        lot(&self.document(&book()), of.key()).unwrap().quantity.unwrap().get()
    }

    fn catalogue(&self, edit: crate::Edit) {
        self.world.granary.edit(self.world.coop, &DocumentKey::Catalogue(Part::FIRST), World::now(), edit).unwrap();
        self.shown();
    }
}

// A tick box and a button settled a whole page, unseen, one by one, and each was undone by itself.
#[tokio::test(flavor = "multi_thread")]
async fn many_are_shown_before_they_are_settled_and_undone_at_once() {
    let two = Two::new().await;
    let lots = [two.lot_of(10_000, "2026-10-04"), two.lot_of(20_000, "2026-10-05"), two.lot_of(30_000, "2026-10-06")];
    for (place, lot) in lots.iter().enumerate() {
        two.weighed(lot, two.weight_of(lot) + 1_000 * (place as i64 + 1));
    }
    let weights = || lots.iter().map(|lot| two.weight_of(lot)).collect::<Vec<_>>();
    let list = "/console/cases?state=open&kind=weight";
    let shown = two.send(&two.zhang, &PageForm::one(&two.page(list).await, MANY)).await;
    assert_eq!((shown.status, weights()), (200, vec![10_000, 20_000, 30_000]), "nothing is settled by looking");
    let text = text_of(&shown.page);
    for word in ["Nothing is settled yet", "10 kg", "11 kg", "22 kg", "33 kg", "¥7.60", "¥15.20", "¥22.80", "¥45.60"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    let confirm = PageForm::one(&shown.page, MANY);
    assert!(confirm.html.contains("Settle 3 cases so"), "{}", confirm.html);
    let done = two.send(&two.zhang, &confirm).await;
    assert!(done.status == 303 && done.to.contains("kind=weight") && done.to.contains("done="), "{}", done.to);
    assert_eq!(weights(), [11_000, 22_000, 33_000]);
    let page = two.page(&done.to).await;
    let undo = PageForm::one(&page, UNDO_MANY);
    assert!(undo.html.contains("Undo all 3"), "{}", undo.html);
    assert!(two.send(&two.wang, &confirm).await.status == 409, "an older page settles nothing twice");
    // Also later, from the list of what is settled.
    let settled = two.page("/console/cases?state=settled").await;
    assert!(!text_of(&settled).contains(" 0 kg"), "{settled}");
    assert_eq!(PageForm::all(&settled, UNDO_MANY).len(), 1);
    // One of them is undone by itself; the rest at once.
    let one = PageForm::all(&settled, "/console/cases/undo").remove(0);
    assert_eq!(two.send(&two.zhang, &one).await.status, 303);
    assert_eq!(two.send(&two.wang, &undo).await.status, 303);
    assert_eq!(weights(), [10_000, 20_000, 30_000]);
    assert_eq!(two.send(&two.wang, &undo).await.status, 409, "undone once");
    let open = two.page(list).await;
    assert_eq!(PageForm::all(&open, "/console/cases/settle").len(), 3, "{open}");
    assert!(PageForm::all(&two.page("/console/cases?state=settled").await, UNDO_MANY).is_empty());
    let csv = two.world.get("/console/export/cases.csv", &two.zhang).await.page;
    assert_eq!((csv.matches(",settled,").count(), csv.matches(",undone,").count()), (3, 3), "{csv}");
}

// Two pairs with one lot in common: the second is no pair once the first is made one.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_says_what_it_leaves_out() {
    let two = Two::new().await;
    for login in ["zhang", "wang"] {
        let device = two.world.granary.coordinator_device(two.world.coop, login).unwrap();
        let draft = LotDraft::new("millet", grams(12_500), "2026-10-03".parse().unwrap());
        let edit = Edits::one(book(), move |doc| record(doc, &draft).map(drop));
        two.world.granary.edit_as(two.world.coop, device, World::now(), vec![edit]).unwrap();
    }
    two.shown();
    let form = PageForm::one(&two.page("/console/cases?kind=twice").await, MANY);
    assert_eq!(form.fields.iter().filter(|(name, _)| name == "case").count(), 3);
    let shown = two.send(&two.zhang, &form).await;
    assert!(shown.status == 200 && text_of(&shown.page).contains("2 are left as they are"), "{}", shown.page);
    assert!(text_of(&shown.page).contains("two lots: 12.5 kg"), "{}", shown.page);
    assert_eq!(two.send(&two.zhang, &PageForm::one(&shown.page, MANY)).await.status, 303);
    let merged = lots(&two.document(&book())).iter().filter(|lot| lot.merged_into.is_some()).count();
    assert_eq!(merged, 1);
}

// The preselected radio is not what a person means who types another value.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_is_settled_whatever_was_chosen() {
    let two = Two::new().await;
    two.both_write(two.lot.key(), [LotEdit::Quantity(grams(13_000)), LotEdit::Quantity(grams(14_000))]);
    let form = PageForm::one(&two.page("/console/cases").await, "/console/cases/settle");
    assert!(
        form.html.contains("Settle with what is chosen or typed") && form.html.contains("data-do"),
        "{}",
        form.html
    );
    assert!(!form.get("value").is_empty(), "one is preselected");
    assert_eq!(two.send(&two.zhang, &form.typed(&[("other", "13.6")])).await.status, 303);
    assert_eq!(two.weight_of(&two.lot), 13_600);
    // The message on the next page takes it back, unless somebody wrote since.
    let undo = PageForm::undo(&two.page("/console").await);
    let key = two.lot.key().clone();
    let edit = move |doc: &mut _| correct(doc, &key, &LotEdit::Quantity(grams(13_700)));
    two.world.granary.edit(two.world.coop, &book(), World::now(), edit).unwrap();
    two.shown();
    let refused = two.send(&two.zhang, &undo).await;
    assert!(refused.status == 409 && refused.page.contains("Weight stays 13.7 kg"), "{}", refused.page);
    assert_eq!(two.weight_of(&two.lot), 13_700);
}

// After a decision the page began at its top again.
#[tokio::test(flavor = "multi_thread")]
async fn the_next_case_is_shown_after_deciding() {
    let two = Two::new().await;
    let (small, large) = (two.lot_of(10_000, "2026-10-04"), two.lot_of(50_000, "2026-10-05"));
    two.both_write(small.key(), [LotEdit::Quantity(grams(11_000)), LotEdit::Quantity(grams(12_000))]);
    two.both_write(large.key(), [LotEdit::Quantity(grams(51_000)), LotEdit::Quantity(grams(59_000))]);
    let page = two.page("/console/cases?kind=field").await;
    let forms = PageForm::all(&page, "/console/cases/settle");
    assert!(forms[0].get("case").contains(large.key().as_str()), "the dearer one first");
    assert!(text_of(&page).contains("¥60.80 at stake") && text_of(&page).contains("¥7.60 at stake"), "{page}");
    let answer = two.send(&two.zhang, &forms[0]).await;
    let (to, mark) = answer.to.split_once('#').unwrap();
    assert_eq!(to, "/console/cases?kind=field");
    assert!(two.page(to).await.contains(&format!("id=\"{mark}\"")), "{}", answer.to);
    assert!(page.contains("data-item") && page.contains("data-key="), "{page}");
    let last = PageForm::one(&two.page(to).await, "/console/cases/settle");
    assert_eq!(two.send(&two.zhang, &last).await.to, "/console/cases?kind=field#list");
}

// Every gram more was a disagreement, of walnuts as of saffron.
#[tokio::test(flavor = "multi_thread")]
async fn a_surplus_within_the_products_tolerance_is_none() {
    let two = Two::new().await;
    let lot = two.lot_of(10_000, "2026-10-04");
    two.weighed(&lot, 10_150);
    let list = "/console/cases?kind=weight";
    let cases = || async { PageForm::all(&two.page(list).await, "/console/cases/settle").len() };
    assert_eq!(cases().await, 1);
    assert!(text_of(&two.page(list).await).contains("¥1.14 at stake"));
    let tolerate = |permille| -> crate::Edit {
        Box::new(move |doc| catalogue::tolerate_surplus(doc, "millet", Permille::new(permille).unwrap()))
    };
    two.catalogue(tolerate(20));
    assert_eq!(cases().await, 0, "1.5 % is within 2 %");
    two.catalogue(tolerate(10));
    assert_eq!(cases().await, 1);
    // A price that changes later changes what is at stake.
    two.catalogue(Box::new(|doc| {
        catalogue::set_price(doc, "millet", &PriceName::new("A".into(), None).unwrap(), Fen::new(800).unwrap())
    }));
    assert!(text_of(&two.page(list).await).contains("¥1.20 at stake"));
}

// Two lots stood there as two weights and a line of words; which digit was wrong, and who wrote it when, was for the reader to find.
#[tokio::test(flavor = "multi_thread")]
async fn values_stand_side_by_side_with_their_authors_and_what_differs_marked() {
    let two = Two::new().await;
    two.both_write(two.lot.key(), [LotEdit::Quantity(grams(18_500)), LotEdit::Quantity(grams(15_800))]);
    let page = two.page("/console/cases?kind=field").await;
    let marked = ["1<mark>8.5</mark> kg", "1<mark>5.8</mark> kg"];
    assert!(marked.iter().all(|value| page.contains(value)), "{page}");
    assert!(page.contains("data-says=\"Settle with {}\""), "{page}");
    for (login, place) in [("zhang", "东坡地"), ("wang", "西坡地")] {
        let device = two.world.granary.coordinator_device(two.world.coop, login).unwrap();
        let draft =
            LotDraft { place: place.into(), ..LotDraft::new("millet", grams(9_000), "2026-10-09".parse().unwrap()) };
        let edit = Edits::one(book(), move |doc| record(doc, &draft).map(drop));
        two.world.granary.edit_as(two.world.coop, device, World::now(), vec![edit]).unwrap();
    }
    two.shown();
    let page = two.page("/console/cases?kind=twice").await;
    assert!(page.contains("<mark>东</mark>坡地") && page.contains("<mark>西</mark>坡地"), "{page}");
    let today = Day::in_china(World::now()).to_string();
    for login in ["zhang", "wang"] {
        assert!(text_of(&page).contains(&format!("{login} · {today}")), "who, and when: {}", text_of(&page));
    }
    let lot = two.lot_of(10_000, "2026-10-04");
    two.weighed(&lot, 10_500);
    let page = two.page("/console/cases?kind=weight").await;
    assert!(page.contains("10<mark>.5</mark> kg") && text_of(&page).contains("2026-10-20"), "{page}");
    // Of two weights whoever wrote each last, not whoever recorded the lot first.
    assert!(!text_of(&page).contains("wang"), "{page}");
    let device = two.world.granary.coordinator_device(two.world.coop, "wang").unwrap();
    let key = lot.key().clone();
    let edit = Edits::one(book(), move |doc| correct(doc, &key, &LotEdit::Quantity(grams(10_200))));
    two.world.granary.edit_as(two.world.coop, device, World::now(), vec![edit]).unwrap();
    two.shown();
    let page = text_of(&two.page("/console/cases?kind=weight").await);
    // Each with the moment in which it was written, as the values of a field have it.
    for value in ["10.2 kg written last by wang", "10.5 kg written last by the server"] {
        assert!(page.contains(&format!("{value} · {today} ")), "{value}: {page}");
    }
}

fn order_key() -> DocumentKey {
    DocumentKey::Order(OrderName::of("taobao", "77"))
}

fn status(document: &Document) -> Option<OrderStatus> {
    order::read(document, DeviceId::NOBODY).status
}

// An order's state, once settled, could not be opened again.
#[tokio::test(flavor = "multi_thread")]
async fn settling_an_orders_state_is_undone() {
    let two = Two::new().await;
    let line = PlainLine { product: "millet".into(), quantity: grams(5_000), price: Fen::new(9_000).unwrap() };
    two.world.granary.edit(two.world.coop, &order_key(), World::now(), move |doc| order::place(doc, &[line])).unwrap();
    let to = [OrderStatus::Shipped, OrderStatus::Cancelled];
    two.both(order_key(), |place| Box::new(move |doc| order::set_status(doc, to[place])));
    let open = || async { PageForm::with(&two.page("/console/cases").await, "/console/orders/status", "card", "yes") };
    let chosen = open().await;
    assert!(chosen.html.contains("Settle with the chosen state"), "{}", chosen.html);
    let before = status(&two.document(&order_key()));
    assert!(two.page("/console/cases").await.contains("To settle (1)"));
    assert!(two.page("/console/cases?kind=order").await.contains(SAVE_ORDER));
    for elsewhere in ["/console/cases?kind=field", "/console/cases?page=2"] {
        assert!(!two.page(elsewhere).await.contains(SAVE_ORDER), "{elsewhere} has it a second time");
    }
    assert_eq!(two.send(&two.zhang, &chosen.typed(&[("status", "shipped")])).await.status, 303);
    assert_eq!(status(&two.document(&order_key())), Some(OrderStatus::Shipped));
    assert!(!two.page("/console/cases").await.contains("/console/orders/status"));
    let undo = PageForm::one(&two.page("/console/cases?state=settled").await, "/console/orders/undo");
    assert_eq!(two.send(&two.wang, &undo).await.status, 303);
    assert_eq!(status(&two.document(&order_key())), before);
    assert_eq!(two.send(&two.wang, &undo).await.status, 409, "undone once");
    let again = open().await;
    assert!(again.html.contains("value=\"shipped\"") && again.html.contains("value=\"cancelled\""), "{}", again.html);
    assert!(two.page("/console/cases").await.contains("undone"));
    assert_eq!(two.send(&two.zhang, &again.typed(&[("status", "cancelled")])).await.status, 303);
    assert_eq!(status(&two.document(&order_key())), Some(OrderStatus::Cancelled));
    // Once the order moved on, what was settled before is past.
    two.world
        .granary
        .edit(two.world.coop, &order_key(), World::now(), |doc| order::set_status(doc, OrderStatus::Packed))
        .unwrap();
    two.shown();
    assert!(PageForm::all(&two.page("/console/cases?state=settled").await, "/console/orders/undo").is_empty());
}
