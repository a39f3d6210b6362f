//! Receipts of one lot that were written at once are a case; those that were written one after another, or say the same, are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use granary_client_core::conflicts::{
    CaseId, CaseState, SETTLING, Settler, UNDOING, in_receipt_book, settle_receipt, undo,
};
use granary_client_core::ids::{ActorId, HouseholdId};
use granary_client_core::projection::{CaseFilter, CaseKind, CaseRow, LotFilter, LotRow, MemoryLists, ReadModel};
use granary_client_core::quantities::{Day, Fen, Grams, Instant};
use granary_client_core::schema::case_book::{Decision, decide, decisions};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::harvest::{self, LotDraft, record};
use granary_client_core::schema::receipt::{Outcome, Weighing, receipts, receive};
use granary_client_core::schema::{Book, Document, DocumentKey, LotId, Part, Season};

/// A household's books as one replica has them.
#[derive(Clone)]
struct Replica {
    actor: ActorId,
    harvest: Document,
    receipts: Document,
    cases: Document,
    lot: LotId,
    clock: i64,
}

fn day() -> Day {
    "2026-10-05".parse().unwrap()
}

fn received(grams: i64, grade: &str) -> Outcome {
    Outcome::Received { weighed: Grams::new(grams).unwrap(), grade: grade.into() }
}

fn rejected(reason: &str) -> Outcome {
    Outcome::Rejected { reason: reason.into() }
}

/// Two replicas that know of one lot of 12 kg, which nobody has weighed.
fn two() -> [Replica; 2] {
    let book = Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
    let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 12]).unwrap());
    let new = |key| Document::new(key).unwrap();
    let mut harvest = new(DocumentKey::HarvestBook(book));
    let draft = LotDraft { grade: "A".into(), ..LotDraft::new("millet", Grams::new(12_000).unwrap(), day()) };
    let lot = harvest.edit(&actors[0], Instant(0), |doc| record(doc, &draft)).unwrap().0;
    let lot = LotId::in_book(harvest.key(), lot).unwrap();
    let (receipts, cases) = (new(DocumentKey::ReceiptBook(book)), new(DocumentKey::CaseBook(book)));
    let [actor, other] = actors;
    let one = Replica { actor, harvest, receipts, cases, lot, clock: 1_000 };
    [one.clone(), Replica { actor: other, ..one }]
}

impl Replica {
    fn weighs(&mut self, outcome: &Outcome) {
        self.clock += 1_000;
        let lot = self.lot.clone();
        self.receipts.edit(&self.actor, Instant(self.clock), |doc| receive(doc, &lot, outcome, day())).unwrap();
    }

    fn settles(&mut self, outcome: &Outcome) -> Decision {
        self.clock += 1_000;
        let settler = Settler { by: "Zhang", at: Instant(self.clock), note: "" };
        let values = in_receipt_book(&mut self.receipts).pop().map(|conflict| conflict.values).unwrap_or_default();
        let weighing = Weighing { outcome: outcome.clone(), day: Some(day()) };
        let made = settle_receipt(&self.receipts, &self.lot, &weighing, settler).unwrap();
        self.receipts.edit_saying(Some(SETTLING), &self.actor, Instant(self.clock), made.edit).unwrap();
        let decision = Decision { values, ..made.decision };
        self.cases.edit(&self.actor, Instant(self.clock), |doc| decide(doc, &decision)).unwrap();
        decision
    }

    /// Undoes the last decision; gives how many values were put back, and how many left.
    fn undoes(&mut self) -> (usize, usize) {
        self.clock += 1_000;
        let settler = Settler { by: "Wang", at: Instant(self.clock), note: "" };
        let last = decisions(&self.cases).pop().unwrap();
        let undoing = undo(&mut self.receipts, &CaseId::Receipt(self.lot.clone()), &last, settler).unwrap();
        let (edit, decision) = (undoing.settlement.edit, undoing.settlement.decision);
        self.receipts.edit_saying(Some(UNDOING), &self.actor, Instant(self.clock), edit).unwrap();
        if undoing.put_back > 0 {
            self.cases.edit(&self.actor, Instant(self.clock), |doc| decide(doc, &decision)).unwrap();
        }
        (undoing.put_back, undoing.left.len())
    }

    fn case(&self) -> CaseId {
        CaseId::Receipt(self.lot.clone())
    }

    fn outcome(&self) -> Outcome {
        receipts(&self.receipts).remove(0).outcome.unwrap()
    }

    fn lists(&mut self) -> ReadModel {
        let mut model = ReadModel::in_memory().unwrap();
        let mut catalogue = Document::new(DocumentKey::Catalogue(Part::FIRST)).unwrap();
        for (grade, fen) in [("A", 800), ("B", 500)] {
            let price = PriceName::new(grade.into(), None).unwrap();
            let set = |doc: &mut _| catalogue::set_price(doc, "millet", &price, Fen::new(fen).unwrap());
            catalogue.edit(&self.actor, Instant(0), set).unwrap();
        }
        for document in [&mut catalogue, &mut self.harvest, &mut self.receipts, &mut self.cases] {
            model.write(document, 1).unwrap();
        }
        model
    }

    fn cases(&mut self) -> Vec<CaseRow> {
        self.lists().cases(&CaseFilter::default()).unwrap()
    }

    fn row(&mut self) -> LotRow {
        let row = self.lists().lots(&LotFilter::default()).unwrap().remove(0);
        let mut memory = MemoryLists::in_memory().unwrap();
        memory.write(&mut self.harvest, 1).unwrap();
        memory.write(&mut self.receipts, 1).unwrap();
        assert_eq!(
            memory.lots(&LotFilter::default()).unwrap(),
            std::slice::from_ref(&row),
            "a phone without SQLite shows the same"
        );
        row
    }
}

fn exchange([one, other]: &mut [Replica; 2]) {
    let (ones, others) = (one.clone(), other.clone());
    for (from, to) in [(ones, other), (others, one)] {
        for (mut from, to) in [(from.receipts, &mut to.receipts), (from.cases, &mut to.cases)] {
            let changes = from.changes_since(&[]).unwrap();
            let missing: Vec<_> = changes.into_iter().filter(|change| !to.has(change.hash())).collect();
            to.apply(&missing).unwrap();
        }
    }
}

/// Both weigh without knowing of each other, and then know.
fn at_once(outcomes: [&Outcome; 2]) -> [Replica; 2] {
    let mut both = two();
    both.iter_mut().zip(outcomes).for_each(|(replica, outcome)| replica.weighs(outcome));
    exchange(&mut both);
    both
}

// One of both counted, with its price, and nobody was told of the other.
#[test]
fn weighings_at_once_are_a_case_until_one_is_chosen() {
    let mut both = at_once([&received(11_800, "A"), &received(11_000, "B")]);
    assert_eq!(in_receipt_book(&mut both[0].receipts), in_receipt_book(&mut both[1].receipts));
    let [mut one, other] = both;
    let case = one.cases().remove(0);
    assert_eq!((&case.case, case.state, CaseKind::of(&case.case)), (&one.case(), CaseState::Open, CaseKind::Receipt));
    assert_eq!(case.stake_fen, Some(9_440 - 5_500));
    let shown = one.outcome();
    assert_eq!(Weighing::parse(&case.contenders[1].value).unwrap().outcome, shown, "the last one counts until then");
    let mut values: Vec<_> =
        case.contenders.iter().map(|value| (value.value.as_str(), value.author(), value.at)).collect();
    values.sort();
    let of = |replica: &Replica| (Some(replica.actor.clone()), Instant(2_000));
    let [(first, at), (second, _)] = [of(&one), of(&other)];
    assert_eq!(values, [("received 2026-10-05 11000 B", second, at), ("received 2026-10-05 11800 A", first, at)]);
    let row = one.row();
    assert!(row.receipt_in_conflict && !row.in_conflict);
    let count = |replica: &mut Replica, filter: LotFilter| replica.lists().count_lots(&filter).unwrap();
    assert_eq!(count(&mut one, LotFilter { only_conflicts: true, ..LotFilter::default() }), 1);
    assert_eq!(count(&mut one, LotFilter { only_field_conflicts: true, ..LotFilter::default() }), 0);

    one.settles(&received(11_000, "B"));
    let mut both = [one, other];
    exchange(&mut both);
    let [_, mut other] = both;
    assert_eq!(other.outcome(), received(11_000, "B"));
    assert!(!other.row().receipt_in_conflict);
    let case = other.cases().remove(0);
    assert_eq!((case.state, case.chosen.as_str()), (CaseState::Settled, "received 2026-10-05 11000 B"));
    // Undone, it is open again with both, and counts as it did.
    assert_eq!(other.undoes(), (1, 0));
    assert_eq!(other.outcome(), shown);
    let case = other.cases().remove(0);
    assert_eq!((case.state, case.contenders.len(), case.stake_fen), (CaseState::Open, 2, Some(3_940)));
    other.settles(&received(11_400, "A"));
    assert_eq!((other.cases()[0].state, other.outcome()), (CaseState::Settled, received(11_400, "A")));
    // What was weighed since stays.
    other.weighs(&received(11_500, "A"));
    assert_eq!((other.undoes(), other.outcome()), ((0, 1), received(11_500, "A")));
}

#[test]
fn weighing_anew_at_once_is_a_case_and_one_after_another_is_none() {
    let mut both = two();
    both[0].weighs(&received(11_000, "A"));
    exchange(&mut both);
    both[1].weighs(&received(11_200, "A"));
    exchange(&mut both);
    assert_eq!((both[0].cases().len(), both[0].row().receipt_in_conflict), (0, false));
    both[0].weighs(&received(11_300, "B"));
    both[1].weighs(&rejected("wet"));
    exchange(&mut both);
    let case = both[0].cases().remove(0);
    assert_eq!((case.contenders.len(), case.stake_fen), (2, Some(5_650)), "without the one that both replaced");
    assert!(both[1].row().receipt_in_conflict);
    // Whoever has seen both and weighs again has decided.
    both[0].weighs(&received(11_300, "B"));
    exchange(&mut both);
    assert_eq!((both[1].cases().len(), both[1].row().receipt_in_conflict), (0, false));
}

#[test]
fn equal_weighings_at_once_are_no_case() {
    for [one, other] in [
        [received(11_800, "A"), received(11_800, "A")],
        [received(11_800, ""), received(11_800, "")],
        [rejected("wet"), rejected("too wet")],
    ] {
        let mut both = at_once([&one, &other]);
        assert_eq!((both[0].cases().len(), both[0].row().receipt_in_conflict), (0, false), "{one:?}");
    }
    for [one, other] in [
        [received(11_800, "A"), received(11_801, "A")],
        [received(11_800, "A"), received(11_800, "")],
        [received(11_800, "A"), rejected("wet")],
    ] {
        let mut both = at_once([&one, &other]);
        assert_eq!((both[0].cases().len(), both[0].row().receipt_in_conflict), (1, true), "{one:?} {other:?}");
    }
}

#[test]
fn two_settlements_at_once_stay_closed_and_are_told() {
    let mut both = at_once([&received(11_800, "A"), &received(11_000, "B")]);
    both[0].settles(&received(11_800, "A"));
    both[1].settles(&received(11_000, "B"));
    exchange(&mut both);
    assert_eq!(both[0].outcome(), both[1].outcome());
    assert_eq!(both[0].cases()[0].state, CaseState::SettledTwice);
    // Whoever did not know of the settlement and weighed meanwhile opens it again.
    let mut both = at_once([&received(11_800, "A"), &received(11_000, "B")]);
    both[0].settles(&received(11_800, "A"));
    both[1].weighs(&received(11_100, "B"));
    exchange(&mut both);
    assert_eq!(both[1].cases()[0].state, CaseState::Open);
}

#[test]
fn lot_that_counts_no_more_has_no_case() {
    let [mut one, _] = at_once([&received(11_800, "A"), &received(11_000, "B")]);
    let draft = LotDraft { grade: "A".into(), ..LotDraft::new("millet", Grams::new(12_000).unwrap(), day()) };
    let (actor, lot) = (one.actor.clone(), one.lot.clone());
    let into = one.harvest.edit(&actor, Instant(0), |doc| record(doc, &draft)).unwrap().0;
    one.harvest.edit(&actor, Instant(0), |doc| harvest::set_merged(doc, lot.key(), Some(&into))).unwrap();
    assert!(one.cases().iter().all(|case| CaseKind::of(&case.case) != CaseKind::Receipt));
}
