//! Any interleaving of edits and settlements on several replicas converges, and settled conflicts do not reappear.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;

use granary_client_core::conflicts::{
    CaseId, SETTLING, Settler, duplicate_lots, in_harvest_book, merge, settle_field, undo,
};
use granary_client_core::ids::{ActorId, HouseholdId};
use granary_client_core::projection::{CaseFilter, CaseKind, LotFilter, ReadModel};
use granary_client_core::quantities::{Day, Grams, Instant};
use granary_client_core::schema::case_book::{Restore, decide, decisions};
use granary_client_core::schema::harvest::{self, LotDraft, LotEdit, LotKey};
use granary_client_core::schema::{Book, Document, DocumentKey, LotId, Season};
use proptest::prelude::*;

const REPLICAS: usize = 3;

#[derive(Debug, Clone)]
enum Step {
    Record(i64),
    Correct(usize, i64),
    Settle(usize, i64),
    Merge(usize),
    Undo(usize),
    Exchange(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1_000i64..1_003).prop_map(Step::Record),
        4 => (0usize..4, 1_000i64..1_020).prop_map(|(lot, grams)| Step::Correct(lot, grams)),
        3 => (0usize..4, 1_000i64..1_020).prop_map(|(case, grams)| Step::Settle(case, grams)),
        1 => (0usize..4).prop_map(Step::Merge),
        1 => (0usize..4).prop_map(Step::Undo),
        4 => (0usize..REPLICAS).prop_map(Step::Exchange),
    ]
}

/// One replica's harvest book and case book.
#[derive(Clone)]
struct Replica {
    actor: ActorId,
    book: Document,
    cases: Document,
    clock: i64,
}

impl Replica {
    fn new(number: u8) -> Self {
        let (household, season) = (HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
        Self {
            actor: ActorId::from_bytes(&[number; 9]).unwrap(),
            book: Document::new(DocumentKey::HarvestBook(Book::first(household, season))).unwrap(),
            cases: Document::new(DocumentKey::CaseBook(Book::first(household, season))).unwrap(),
            clock: 0,
        }
    }

    fn now(&mut self) -> Instant {
        self.clock += 1_000;
        Instant(self.clock)
    }

    fn take(&mut self, other: &mut Self) {
        for (own, theirs) in [(&mut self.book, &mut other.book), (&mut self.cases, &mut other.cases)] {
            let missing: Vec<_> =
                theirs.changes_since(&[]).unwrap().into_iter().filter(|change| !own.has(change.hash())).collect();
            own.apply(&missing).unwrap();
        }
    }

    fn run(&mut self, step: &Step) {
        let now = self.now();
        let by = format!("{}", self.actor);
        let settler = Settler { by: &by, at: now, note: "" };
        let lots: Vec<LotKey> = harvest::lots(&self.book).into_iter().map(|lot| lot.key).collect();
        let lot = |index: usize| lots.get(index % lots.len().max(1));
        let settlement = match step {
            Step::Record(grams) => {
                let draft = LotDraft::new("millet", Grams::new(*grams).unwrap(), "2026-10-03".parse().unwrap());
                self.book.edit(&self.actor, now, |doc| harvest::record(doc, &draft)).unwrap();
                return;
            }
            Step::Correct(index, grams) => {
                let Some(lot) = lot(*index) else { return };
                let edit = LotEdit::Quantity(Grams::new(*grams).unwrap());
                self.book.edit(&self.actor, now, |doc| harvest::correct(doc, lot, &edit)).unwrap();
                return;
            }
            Step::Settle(index, grams) => {
                let conflicts = in_harvest_book(&mut self.book);
                let Some(conflict) = conflicts.get(index % conflicts.len().max(1)) else { return };
                let case = CaseId::Field(conflict.lot.clone(), conflict.field.into());
                settle_field(&self.book, &case, "grams", &grams.to_string(), settler).unwrap()
            }
            Step::Merge(index) => {
                let pairs = duplicate_lots(&harvest::lots(&self.book));
                let Some(pair) = pairs.get(index % pairs.len().max(1)) else { return };
                let [keep, other] =
                    [&pair.first, &pair.second].map(|key| LotId::in_book(self.book.key(), key.clone()).unwrap());
                let case = CaseId::Twice(keep.clone(), other.clone());
                match merge(&self.book, &case, &keep, &other, None, settler) {
                    Ok(settlement) => settlement,
                    Err(_) => return,
                }
            }
            Step::Undo(index) => {
                let all = decisions(&self.cases);
                let Some(decision) = all.get(index % all.len().max(1)) else { return };
                let DocumentKey::CaseBook(of) = *self.cases.key() else { return };
                let decision = decision.clone();
                let Ok(case) = CaseId::from_season_name(of.household, of.season, &decision.case) else { return };
                match undo(&mut self.book, &case, &decision, settler) {
                    Ok(undoing) => undoing.settlement,
                    Err(_) => return,
                }
            }
            Step::Exchange(_) => return,
        };
        let actor = self.actor.clone();
        self.book.edit_saying(Some(SETTLING), &actor, now, settlement.edit).unwrap();
        self.cases.edit(&actor, now, |doc| decide(doc, &settlement.decision)).unwrap();
    }

    fn rows(&mut self) -> ReadModel {
        let mut model = ReadModel::in_memory().unwrap();
        model.write(&mut self.book, 1).unwrap();
        model.write(&mut self.cases, 1).unwrap();
        model
    }
}

fn everyone_knows_everything(replicas: &mut [Replica]) {
    for _ in 0..2 {
        for one in 0..replicas.len() {
            for other in 0..replicas.len() {
                let mut theirs = replicas[other].clone();
                replicas[one].take(&mut theirs);
            }
        }
    }
}

/// Replicas that went through these steps, each taken by one of them; everyone knows everything then.
fn after<'a>(steps: impl IntoIterator<Item = &'a (usize, Step)>) -> Vec<Replica> {
    let mut replicas: Vec<Replica> = (1..=REPLICAS as u8).map(Replica::new).collect();
    for (who, step) in steps {
        if let Step::Exchange(other) = step {
            let mut theirs = replicas[*other].clone();
            replicas[*who].take(&mut theirs);
        } else {
            replicas[*who].run(step);
        }
    }
    everyone_knows_everything(&mut replicas);
    replicas
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_interleaving_converges(steps in proptest::collection::vec((0usize..REPLICAS, step()), 1..50)) {
        let mut replicas = after(&steps);
        let heads: BTreeSet<_> = replicas.iter_mut().map(|replica| (replica.book.heads(), replica.cases.heads())).collect();
        prop_assert_eq!(heads.len(), 1);
        let all = LotFilter { with_merged: true, ..LotFilter::default() };
        let seen: Vec<_> = replicas
            .iter_mut()
            .map(|replica| {
                let rows = replica.rows();
                (rows.lots(&all).unwrap(), rows.cases(&CaseFilter::default()).unwrap())
            })
            .collect();
        prop_assert!(seen.windows(2).all(|pair| pair[0] == pair[1]));
    }

    /// Whatever came before: once everyone knows everything and every field conflict was settled, by
    /// one person or by several at once, none stands open on any replica after the next exchange.
    #[test]
    fn settled_conflict_does_not_reappear(
        steps in proptest::collection::vec((0usize..REPLICAS, step()), 1..40),
        settlers in proptest::collection::vec((0usize..REPLICAS, 1_000i64..1_020), 1..4),
    ) {
        let without_undo = steps.iter().filter(|(_, step)| !matches!(step, Step::Undo(_)));
        let mut replicas = after(without_undo);
        // Each of these settles every conflict as it stands now, not knowing of the others.
        for (who, grams) in settlers {
            let open = in_harvest_book(&mut replicas[who].book).len();
            for index in 0..open {
                // A settled one leaves the list, so the first is settled each time.
                let _ = index;
                replicas[who].run(&Step::Settle(0, grams));
            }
        }
        everyone_knows_everything(&mut replicas);
        for replica in &mut replicas {
            let back: Vec<_> =
                in_harvest_book(&mut replica.book).into_iter().filter(|conflict| !conflict.is_settled_twice()).collect();
            prop_assert_eq!(back, vec![]);
        }
    }
}

/// So many harvests that two people have recorded each, and one lot of which both wrote the weight at once.
fn many_cases(harvests: i32) -> ReadModel {
    let [mut one, mut two] = [Replica::new(1), Replica::new(2)];
    for number in 0..harvests {
        let day = "2026-01-01".parse::<Day>().unwrap().plus_days(number * 7);
        for (replica, grams) in [(&mut one, 12_000), (&mut two, 12_100)] {
            let draft = LotDraft::new("millet", Grams::new(grams).unwrap(), day);
            let now = replica.now();
            replica.book.edit(&replica.actor, now, |doc| harvest::record(doc, &draft)).unwrap();
        }
    }
    two.take(&mut one);
    let last = harvest::lots(&one.book).last().unwrap().key.clone();
    for (replica, grams) in [(&mut one, 13_000), (&mut two, 14_000)] {
        let (now, edit) = (replica.now(), LotEdit::Quantity(Grams::new(grams).unwrap()));
        replica.book.edit(&replica.actor, now, |doc| harvest::correct(doc, &last, &edit)).unwrap();
    }
    one.take(&mut two);
    let mut lists = ReadModel::in_memory().unwrap();
    lists.write(&mut one.book, 1).unwrap();
    lists
}

// A kind of cases was paged by the number of all.
#[test]
fn filtered_cases_have_their_own_count_and_pages() {
    let lists = many_cases(42);
    let all = CaseFilter::default();
    let of = |kind| CaseFilter { kind: Some(kind), ..CaseFilter::default() };
    let count = |filter: &CaseFilter| lists.count_cases(filter).unwrap();
    assert_eq!(count(&of(CaseKind::Field)), 1);
    let twice = of(CaseKind::Twice);
    assert!(count(&twice) >= 41, "{}", count(&twice));
    assert_eq!(count(&all), count(&twice) + 1);
    for filter in [all, twice, of(CaseKind::Field), of(CaseKind::Weight)] {
        let mut paged = Vec::new();
        let pages = count(&filter).div_ceil(20) as u32;
        for page in 0..pages {
            let rows = lists.cases(&CaseFilter { limit: 20, offset: page * 20, ..filter.clone() }).unwrap();
            assert!(!rows.is_empty() && rows.len() <= 20, "page {page} of {filter:?}");
            paged.extend(rows.into_iter().map(|row| row.case));
        }
        let beyond = lists.cases(&CaseFilter { limit: 20, offset: pages * 20, ..filter.clone() }).unwrap();
        assert!(beyond.is_empty(), "{filter:?}");
        let whole = lists.cases(&CaseFilter { limit: 1_000, ..filter.clone() }).unwrap();
        assert_eq!(
            paged,
            whole.into_iter().map(|row| row.case).collect::<Vec<_>>(),
            "no case twice and none left out: {filter:?}"
        );
    }
}

// The weight that was typed while two lots were made one was put back over the one that somebody corrected it to since.
#[test]
fn undoing_a_merge_leaves_a_weight_that_was_corrected_since() {
    let [mut one, mut two] = [Replica::new(1), Replica::new(2)];
    for replica in [&mut one, &mut two] {
        replica.run(&Step::Record(1_000));
    }
    one.take(&mut two);
    let pair = duplicate_lots(&harvest::lots(&one.book)).remove(0);
    let [keep, other] = [&pair.first, &pair.second].map(|key| LotId::in_book(one.book.key(), key.clone()).unwrap());
    let case = CaseId::Twice(keep.clone(), other.clone());
    let grams = |grams| Grams::new(grams).unwrap();
    let settler = Settler { by: "Li", at: one.now(), note: "" };
    let before = one.book.clone();
    let merged = merge(&one.book, &case, &keep, &other, Some(grams(1_100)), settler).unwrap();
    let (actor, now) = (one.actor.clone(), one.now());
    one.book.edit_saying(Some(SETTLING), &actor, now, merged.edit).unwrap();
    let weight = |book: &Document| harvest::lot(book, keep.key()).unwrap().quantity.unwrap().get();
    let counts = |book: &Document| harvest::lot(book, other.key()).unwrap().merged_into.is_none();

    // As nobody wrote since, both are put back.
    let mut untouched = one.book.clone();
    let undoing = undo(&mut untouched, &case, &merged.decision, settler).unwrap();
    assert_eq!((undoing.put_back, undoing.left.len()), (2, 0));
    untouched.edit(&actor, now, undoing.settlement.edit).unwrap();
    assert!(weight(&untouched) == 1_000 && counts(&untouched));

    // A phone that had not seen the merge writes the weight: it stands beside the one that was typed.
    let mut beside = one.book.clone();
    let mut phone = before;
    let edit = LotEdit::Quantity(grams(1_300));
    let change = phone.edit(&two.actor, now, |doc| harvest::correct(doc, keep.key(), &edit)).unwrap().1;
    beside.apply(&[change.unwrap()]).unwrap();
    let undoing = undo(&mut beside, &case, &merged.decision, settler).unwrap();
    assert_eq!((undoing.put_back, undoing.left[0].values.len()), (1, 2));

    let later = LotEdit::Quantity(grams(1_250));
    one.book.edit(&actor, now, |doc| harvest::correct(doc, keep.key(), &later)).unwrap();
    let undoing = undo(&mut one.book, &case, &merged.decision, settler).unwrap();
    assert_eq!(undoing.put_back, 1);
    assert_eq!((undoing.left[0].field.as_str(), undoing.left[0].values[0].value.as_str()), ("grams", "1250"));
    one.book.edit(&actor, now, undoing.settlement.edit).unwrap();
    assert!(weight(&one.book) == 1_250 && counts(&one.book));

    // Of a decision that does not say which weight it wrote, the weight is left.
    let mut older = merged.decision.clone();
    older.restore.iter_mut().for_each(|restore| restore.written = None);
    let text = serde_json::to_string(&older.restore).unwrap();
    assert!(!text.contains("written") && serde_json::from_str::<Vec<Restore>>(&text).unwrap() == older.restore);
}
