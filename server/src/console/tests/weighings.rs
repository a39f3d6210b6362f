//! A receipt that a packer's phone and the console write at once: nothing decides it but a person.

use granary_client_core::ids::Incarnation;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::quantities::{Day, Fen, Grams};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::receipt::{Outcome, receipts, receive};
use granary_client_core::schema::{Document, Part};

use super::forms::{Two, text_of};
use super::page::PageForm;
use super::*;
use crate::log::Submitter;

const OPEN: &str = "/console/cases";
const SETTLE: &str = "/console/cases/settle";
const UNDO: &str = "/console/cases/undo";
const MANY: &str = "/console/cases/many";

/// A packer's phone with a receipt book of its own.
struct Packer {
    device: DeviceId,
    book: Document,
}

impl Packer {
    fn new(two: &Two) -> Self {
        let code = two.world.granary.invite(two.world.coop, Role::Packer, 1, World::now()).unwrap().code;
        let (device, _) = two.world.enrol(&code, 21).unwrap();
        Self { device, book: Document::new(two.lot.receipt_book()).unwrap() }
    }

    /// Weighs the lot; the co-operative does not hear of it before the phone syncs.
    fn weighs(&mut self, two: &Two, grams: i64, grade: &str) {
        let outcome = received(grams, grade);
        let actor = self.device.actor(Incarnation::new(1));
        let edit = |doc: &mut _| receive(doc, &two.lot, &outcome, "2026-10-05".parse().unwrap());
        self.book.edit(&actor, World::now(), edit).unwrap();
    }

    fn syncs(&mut self, two: &Two) {
        let granary = &two.world.granary;
        let cooperative = granary.cooperative(two.world.coop).unwrap();
        let grants = cooperative.device(self.device).unwrap().grants.last().unwrap().clone();
        let mut changes = self.book.changes_since(&[]).unwrap();
        changes.retain(|change| {
            let author = &change.record().actor;
            author.is_genesis() || author.device() == Some(self.device)
        });
        let sent = DocumentChanges { key: two.lot.receipt_book(), changes };
        let submitter = Submitter::new(self.device, grants);
        let ingested = granary.ingest(&cooperative, submitter, vec![sent], World::now()).unwrap();
        assert!(ingested.refused.is_empty(), "{:?}", ingested.refused);
        two.shown();
        let theirs = two.document(&two.lot.receipt_book()).changes_since(&[]).unwrap();
        let missing: Vec<_> = theirs.into_iter().filter(|change| !self.book.has(change.hash())).collect();
        self.book.apply(&missing).unwrap();
    }

    fn outcome(&self) -> Option<Outcome> {
        receipts(&self.book).remove(0).outcome
    }
}

fn received(grams: i64, grade: &str) -> Outcome {
    Outcome::Received { weighed: Grams::new(grams).unwrap(), grade: grade.into() }
}

/// Millet has a price of grade B too.
async fn with_two_grades() -> Two {
    let two = Two::new().await;
    let grade = PriceName::new("B".into(), None).unwrap();
    let edit = move |doc: &mut _| catalogue::set_price(doc, "millet", &grade, Fen::new(500).unwrap());
    two.world.granary.edit(two.world.coop, &DocumentKey::Catalogue(Part::FIRST), World::now(), edit).unwrap();
    two.shown();
    two
}

/// Zhang saves a receipt on the lot's page.
async fn zhang_weighs(two: &Two, kilograms: &str, grade: &str) {
    let path = two.path();
    let form = PageForm::one(&two.page(&path).await, &format!("{path}/receipt"));
    let typed = [("state", "received"), ("grams", kilograms), ("grade", grade), ("day", "2026-10-05")];
    let saved = two.send(&two.zhang, &form.typed(&typed)).await;
    assert_eq!(saved.status, 303, "{}", saved.page);
}

fn outcome(two: &Two) -> Option<Outcome> {
    receipts(&two.document(&two.lot.receipt_book())).remove(0).outcome
}

async fn cases(two: &Two) -> usize {
    PageForm::all(&two.page(OPEN).await, SETTLE).len()
}

// One of two weighings won, with its price, and no page told of the other.
#[tokio::test(flavor = "multi_thread")]
async fn weighings_of_phone_and_console_at_once_are_a_case() {
    let two = with_two_grades().await;
    let mut packer = Packer::new(&two);
    packer.weighs(&two, 11_800, "A");
    zhang_weighs(&two, "11", "B").await;
    assert_eq!(cases(&two).await, 0, "nobody else weighed it, as far as anybody knows");
    packer.syncs(&two);
    let shown = outcome(&two);
    for page in [OPEN.to_owned(), format!("{OPEN}?kind=receipt"), two.path()] {
        let page = two.page(&page).await;
        let form = PageForm::one(&page, SETTLE);
        let text = text_of(&form.html);
        for said in ["Received · 11.8 kg · Grade A · 2026-10-05", "Received · 11 kg · Grade B · 2026-10-05", "zhang"]
        {
            assert!(text.contains(said), "{said}: {text}");
        }
        // 11.8 kg at ¥7.60 less 11 kg at ¥5.00.
        assert!(text_of(&page).contains("¥34.68 at stake"), "{page}");
        assert!(text.matches(&Day::in_china(World::now()).to_string()).count() >= 2, "when each was written: {text}");
    }
    assert!(text_of(&two.page("/console/harvests?conflicts=yes").await).contains("edited at once"));
    let household = text_of(&two.page(&format!("/console/households/{}", super::forms::HOUSEHOLD)).await);
    assert!(household.contains("weighed this lot at once") && household.contains("11 kg · Grade B"), "{household}");
    assert_eq!(packer.outcome(), shown, "what is shown counts until somebody decides, the same everywhere");

    // Settled by choosing, for all; undone, it is open again.
    let form = PageForm::one(&two.page(OPEN).await, SETTLE);
    let settled =
        two.send(&two.wang, &form.typed(&[("value", "received 2026-10-05 11000 B"), ("how", "settle")])).await;
    assert_eq!(settled.status, 303, "{}", settled.page);
    assert_eq!((cases(&two).await, outcome(&two)), (0, Some(received(11_000, "B"))));
    packer.syncs(&two);
    assert_eq!(packer.outcome(), Some(received(11_000, "B")));
    assert_eq!(two.send(&two.zhang, &form).await.status, 409, "a page from before decides nothing");
    let page = two.page("/console/cases?state=settled").await;
    assert!(text_of(&page).contains("Received · 11 kg · Grade B"), "{page}");
    assert!(text_of(&two.page(&two.path()).await).contains("Settled"));
    assert_eq!(two.send(&two.wang, &PageForm::one(&page, UNDO)).await.status, 303);
    assert_eq!((cases(&two).await, outcome(&two)), (1, shown));
    // Another weight and grade than both.
    let form = PageForm::one(&two.page(OPEN).await, SETTLE);
    let typed = form.typed(&[("value", ""), ("other", "11.4"), ("grade", "A"), ("how", "settle")]);
    let settled = two.send(&two.wang, &typed).await;
    assert_eq!(settled.status, 303, "{}", settled.page);
    assert_eq!((cases(&two).await, outcome(&two)), (0, Some(received(11_400, "A"))));
    let activity = text_of(&two.page("/console/activity").await);
    assert!(activity.contains("Received · 11.4 kg · Grade A · 2026-10-05"), "{activity}");
    let exported = two.world.get("/console/export/cases.csv", &two.zhang).await.page;
    assert!(exported.contains("Received · 11.4 kg · Grade A"), "{exported}");
}

#[tokio::test(flavor = "multi_thread")]
async fn weighing_anew_at_once_is_a_case_and_one_after_another_is_none() {
    let two = with_two_grades().await;
    let mut packer = Packer::new(&two);
    zhang_weighs(&two, "11", "A").await;
    packer.syncs(&two);
    packer.weighs(&two, 11_100, "A");
    packer.syncs(&two);
    zhang_weighs(&two, "11.2", "A").await;
    packer.syncs(&two);
    assert_eq!((cases(&two).await, outcome(&two)), (0, Some(received(11_200, "A"))));
    packer.weighs(&two, 11_300, "A");
    zhang_weighs(&two, "11.3", "A").await;
    packer.syncs(&two);
    assert_eq!(cases(&two).await, 0, "both say the same");
    // A page that shows one of both must not put a third in the place of one that its reader never saw.
    let path = two.path();
    let before = PageForm::one(&two.page(&path).await, &format!("{path}/receipt"));
    packer.weighs(&two, 11_300, "B");
    zhang_weighs(&two, "11.9", "A").await;
    packer.syncs(&two);
    assert_eq!(cases(&two).await, 1);
    assert_eq!(two.send(&two.zhang, &before.typed(&[("reason", "wet"), ("state", "rejected")])).await.status, 409);
    // Many at once, by the rule of the fields: the latest.
    let shown = two.send(&two.zhang, &PageForm::one(&two.page("/console/cases?kind=receipt").await, MANY)).await;
    // Of two that were written within one second it is the one that is shown.
    assert!(["11.9 kg", "11.3 kg"].iter().any(|latest| text_of(&shown.page).contains(latest)), "{}", shown.page);
    assert_eq!(two.send(&two.zhang, &PageForm::one(&shown.page, MANY)).await.status, 303);
    assert_eq!(cases(&two).await, 0);
}
