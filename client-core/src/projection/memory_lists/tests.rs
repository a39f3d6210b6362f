//! The lists in memory answer as those of SQLite do.

use proptest::prelude::*;

use super::MemoryLists;
use crate::ids::{ActorId, HouseholdId};
use crate::plausibility::EarlierLot;
use crate::projection::{LotFilter, LotRow, LotSort, LotState, QuestionFilter, QuestionState, ReadModel};
use crate::quantities::{Grams, Instant};
use crate::schema::access::ListedHousehold;
use crate::schema::harvest::{LotDraft, LotEdit, LotKey, correct, record, set_merged, touched, withdraw};
use crate::schema::question::{answer, ask, close};
use crate::schema::receipt::{Outcome, receive};
use crate::schema::{Book, Document, DocumentKey, LotId, LotName, QuestionId, Season, harvest, household};

const PRODUCTS: [&str; 2] = ["millet", "ginger"];
const PLACES: [&str; 3] = ["", "东坡", "west"];

#[derive(Debug, Clone)]
enum Step {
    Record(usize, i64, usize, u8),
    Correct(usize, i64),
    /// Both write the same lot's weight without knowing of each other.
    Disagree(usize),
    Merge(usize, usize),
    Withdraw(usize),
    Receive(usize, i64),
    SendBack(usize),
    /// Two packers weigh one lot without knowing of each other.
    WeighAtOnce(usize),
    Name(usize),
    /// Asks a question about a lot, or closes it.
    Ask(u8, usize),
    Close(u8),
    /// One answers a question, or two at once.
    Answer(u8, bool),
    /// The server lists the household by this name; under 0 it does not.
    List(usize),
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0usize..2, 1_000i64..9_000, 0usize..3, 1u8..4)
            .prop_map(|(product, grams, place, day)| Step::Record(product, grams, place, day)),
        2 => (0usize..8, 1_000i64..9_000).prop_map(|(lot, grams)| Step::Correct(lot, grams)),
        1 => (0usize..8).prop_map(Step::Disagree),
        1 => (0usize..8, 0usize..8).prop_map(|(lot, into)| Step::Merge(lot, into)),
        1 => (0usize..8).prop_map(Step::Withdraw),
        2 => (0usize..8, 1_000i64..9_000).prop_map(|(lot, grams)| Step::Receive(lot, grams)),
        1 => (0usize..8).prop_map(Step::SendBack),
        1 => (0usize..8).prop_map(Step::WeighAtOnce),
        1 => (0usize..3).prop_map(Step::Name),
        2 => (0u8..4, 0usize..8).prop_map(|(question, lot)| Step::Ask(question, lot)),
        1 => (0u8..4).prop_map(Step::Close),
        2 => (0u8..4, any::<bool>()).prop_map(|(question, both)| Step::Answer(question, both)),
        1 => (0usize..3).prop_map(Step::List),
        1 => Just(Step::Forget),
    ]
}

/// One household's documents, written into both kinds of lists.
struct Both {
    household: HouseholdId,
    book: Document,
    receipts: Document,
    particulars: Document,
    sqlite: ReadModel,
    memory: MemoryLists,
    revision: u64,
}

impl Both {
    fn new(number: u8) -> Self {
        let household = HouseholdId::from_bytes([number; 16]);
        let book = Book::first(household, Season::new(2026).unwrap());
        let new = |key| Document::new(key).unwrap();
        Self {
            household,
            book: new(DocumentKey::HarvestBook(book)),
            receipts: new(DocumentKey::ReceiptBook(book)),
            particulars: new(DocumentKey::Household(household)),
            sqlite: ReadModel::in_memory().unwrap(),
            memory: MemoryLists::in_memory().unwrap(),
            revision: 0,
        }
    }

    fn take(&mut self, step: Step) {
        let keys: Vec<LotKey> = harvest::lots(&self.book).into_iter().map(|lot| lot.key).collect();
        let key = |index: usize| keys.get(index % keys.len().max(1)).cloned();
        let lot = |index: usize| key(index).and_then(|key| LotId::in_book(self.book.key(), key));
        let actors = [1u8, 2].map(|number| ActorId::from_bytes(&[number; 12]).unwrap());
        let grams = |grams| Grams::new(grams).unwrap();
        let day = |day: u8| format!("2026-10-0{day}").parse().unwrap();
        self.revision += 1;
        let revision = self.revision;
        let edited = match step {
            Step::Record(product, weight, place, on) => self.book.edit(&actors[0], Instant(0), |doc| {
                let draft = LotDraft::new(PRODUCTS[product], grams(weight), day(on));
                record(doc, &LotDraft { place: PLACES[place].into(), ..draft }).map(drop)
            }),
            Step::Correct(index, weight) => self.book.edit(&actors[0], Instant(0), |doc| {
                key(index).map_or(Ok(()), |lot| correct(doc, &lot, &LotEdit::Quantity(grams(weight))))
            }),
            Step::Disagree(index) => {
                let Some(lot) = key(index) else { return };
                let mut other = self.book.clone();
                let write = |weight| {
                    let (lot, edit) = (lot.clone(), LotEdit::Quantity(grams(weight)));
                    move |doc: &mut automerge::AutoCommit| correct(doc, &lot, &edit)
                };
                let change = other.edit(&actors[1], Instant(0), write(4_321)).unwrap().1;
                self.book.edit(&actors[0], Instant(0), write(1_234)).unwrap();
                self.book.apply(&Vec::from_iter(change)).unwrap();
                return self.write_book(revision);
            }
            Step::Merge(index, into) => self.book.edit(&actors[0], Instant(0), |doc| {
                key(index).zip(key(into)).map_or(Ok(()), |(lot, into)| set_merged(doc, &lot, Some(&into)))
            }),
            Step::Withdraw(index) => {
                self.book.edit(&actors[0], Instant(0), |doc| key(index).map_or(Ok(()), |lot| withdraw(doc, &lot)))
            }
            Step::Receive(index, weight) => {
                let Some(lot) = lot(index) else { return };
                let outcome = Outcome::Received { weighed: grams(weight), grade: "B".into() };
                self.receipts.edit(&actors[0], Instant(0), |doc| receive(doc, &lot, &outcome, day(4))).unwrap();
                return self.write_receipts(revision);
            }
            Step::SendBack(index) => {
                let Some(lot) = lot(index) else { return };
                let outcome = Outcome::Rejected { reason: "wet".into() };
                self.receipts.edit(&actors[0], Instant(0), |doc| receive(doc, &lot, &outcome, day(4))).unwrap();
                return self.write_receipts(revision);
            }
            Step::WeighAtOnce(index) => {
                let Some(lot) = lot(index) else { return };
                let mut other = self.receipts.clone();
                let write = |outcome: Outcome| {
                    let lot = lot.clone();
                    move |doc: &mut automerge::AutoCommit| receive(doc, &lot, &outcome, day(4))
                };
                let sent_back = write(Outcome::Rejected { reason: "wet".into() });
                let change = other.edit(&actors[1], Instant(0), sent_back).unwrap().1;
                let taken_in = write(Outcome::Received { weighed: grams(2_000), grade: "A".into() });
                self.receipts.edit(&actors[0], Instant(0), taken_in).unwrap();
                self.receipts.apply(&Vec::from_iter(change)).unwrap();
                return self.write_receipts(revision);
            }
            Step::Name(name) => {
                let set = |doc: &mut automerge::AutoCommit| household::set_name(doc, &format!("Li {name}"), "east");
                self.particulars.edit(&actors[0], Instant(0), set).unwrap();
                self.sqlite.write(&mut self.particulars, revision).unwrap();
                return self.memory.write(&mut self.particulars, revision).unwrap();
            }
            Step::List(name) => {
                let one = |name| ListedHousehold { household: self.household, name, village: "west".into() };
                let listed: Vec<_> = (name > 0).then(|| one(format!("Li Zhao {name}"))).into_iter().collect();
                self.sqlite.write_listed(&listed).unwrap();
                return self.memory.write_listed(&listed).unwrap();
            }
            Step::Ask(number, index) => {
                let Some(lot) = lot(index) else { return };
                let at = Instant::from_seconds(i64::from(number));
                self.receipts.edit(&actors[0], at, |doc| ask(doc, asked(number), &lot, "which?", "Wang", at)).unwrap();
                return self.write_receipts(revision);
            }
            Step::Close(number) => {
                // One that was never asked can't be closed.
                let _ = self.receipts.edit(&actors[0], Instant(0), |doc| close(doc, asked(number), "Wang"));
                return self.write_receipts(revision);
            }
            Step::Answer(number, true) => {
                let mut other = self.book.clone();
                let change = other.edit(&actors[1], Instant(0), |doc| answer(doc, asked(number), "east")).unwrap().1;
                self.book.edit(&actors[0], Instant(0), |doc| answer(doc, asked(number), "west")).unwrap();
                self.book.apply(&Vec::from_iter(change)).unwrap();
                return self.write_book(revision);
            }
            Step::Answer(number, false) => {
                self.book.edit(&actors[0], Instant(0), |doc| answer(doc, asked(number), &format!("east {number}")))
            }
            Step::Forget => {
                let key = self.receipts.key().clone();
                self.sqlite.forget(&key).unwrap();
                return self.memory.forget(&key).unwrap();
            }
        };
        if let Some(change) = edited.unwrap().1 {
            let touched = touched(change.record());
            self.sqlite.update(&mut self.book, revision, &touched).unwrap();
            self.memory.update(&mut self.book, revision, &touched).unwrap();
        }
    }

    fn write_book(&mut self, revision: u64) {
        self.sqlite.write(&mut self.book, revision).unwrap();
        self.memory.write(&mut self.book, revision).unwrap();
    }

    fn write_receipts(&mut self, revision: u64) {
        self.sqlite.write(&mut self.receipts, revision).unwrap();
        self.memory.write(&mut self.receipts, revision).unwrap();
    }
}

fn asked(number: u8) -> QuestionId {
    QuestionId::from_bytes([number; 8])
}

fn question_filters(household: HouseholdId) -> Vec<QuestionFilter> {
    let states = [QuestionState::Open, QuestionState::Answered, QuestionState::Closed];
    let by_state = states.map(|state| QuestionFilter { state: Some(state), ..QuestionFilter::default() });
    let mut all = vec![
        QuestionFilter::default(),
        QuestionFilter { household: Some(household), limit: 1, offset: 1, ..QuestionFilter::default() },
        QuestionFilter { household: Some(HouseholdId::from_bytes([9; 16])), ..QuestionFilter::default() },
        QuestionFilter { question: Some(asked(1)), ..QuestionFilter::default() },
    ];
    all.extend(by_state);
    all
}

fn filters(household: HouseholdId) -> Vec<LotFilter> {
    let all = || LotFilter { limit: 1_000, ..LotFilter::default() };
    let day = |day: &str| Some(day.parse().unwrap());
    vec![
        all(),
        LotFilter { with_merged: true, ..all() },
        LotFilter { household: Some(household), product: Some("millet".into()), ..all() },
        LotFilter { household: Some(HouseholdId::from_bytes([9; 16])), ..all() },
        LotFilter { village: Some("east".into()), ..all() },
        LotFilter { from: day("2026-10-02"), to: day("2026-10-02"), ..all() },
        LotFilter { state: Some(LotState::Received), ..all() },
        LotFilter { state: Some(LotState::Recorded), only_conflicts: true, ..all() },
        LotFilter { only_conflicts: true, ..all() },
        LotFilter { only_field_conflicts: true, ..all() },
        LotFilter { search: Some("东".into()), sort: LotSort::Weight, ..all() },
        LotFilter { search: Some("Li".into()), ..all() },
        LotFilter { only_questions: true, ..all() },
        LotFilter { sort: LotSort::Product, offset: 1, limit: 2, ..all() },
        LotFilter { sort: LotSort::Product, is_reversed: true, ..all() },
        LotFilter { sort: LotSort::Grade, ..all() },
        LotFilter { sort: LotSort::Weighed, is_reversed: true, ..all() },
        LotFilter { sort: LotSort::State, is_reversed: true, ..all() },
    ]
}

proptest! {
    #[test]
    fn lists_in_memory_answer_as_those_of_sqlite(steps in proptest::collection::vec(step(), 1..25)) {
        let mut both = Both::new(1);
        for step in steps {
            both.take(step);
        }
        let numbered = both.memory.lots(&LotFilter::default()).unwrap().into_iter().next().map(|row| {
            let number = row.lot.code().to_string().chars().take(6).collect::<String>().to_lowercase();
            (row.lot, LotFilter { search: Some(number), with_merged: true, limit: 1_000, ..LotFilter::default() })
        });
        if let Some((lot, filter)) = &numbered {
            let found = both.memory.lots(filter).unwrap();
            prop_assert!(found.iter().any(|row| row.lot == *lot), "a lot is found by how its number begins");
        }
        for filter in filters(both.household).into_iter().chain(numbered.map(|(_, filter)| filter)) {
            let (sqlite, memory) = (both.sqlite.lots(&filter).unwrap(), both.memory.lots(&filter).unwrap());
            // Where a sort leaves open which comes first, a page of it may be of others.
            if filter.offset == 0 {
                let by_name = |mut rows: Vec<LotRow>| {
                    rows.sort_by(|a, b| a.lot.cmp(&b.lot));
                    rows
                };
                prop_assert_eq!(by_name(memory.clone()), by_name(sqlite.clone()), "{:?}", filter);
            }
            // What the sort says of each row; rows that are alike in it stand as they come.
            let order = |rows: &[LotRow]| {
                let said = |row: &LotRow| match filter.sort {
                    LotSort::Weight => (row.grams.unwrap_or(-1).to_string(), None),
                    LotSort::Weighed => (row.weighed_grams.unwrap_or(-1).to_string(), None),
                    LotSort::Grade => (row.grade.clone(), row.day),
                    LotSort::State => (row.state.name().to_owned(), row.day),
                    LotSort::Day | LotSort::Household | LotSort::Product => (row.product.clone(), row.day),
                };
                rows.iter().map(said).collect::<Vec<_>>()
            };
            prop_assert_eq!(order(&memory), order(&sqlite), "{:?}", filter);
            prop_assert_eq!(both.memory.count_lots(&filter).unwrap(), both.sqlite.count_lots(&filter).unwrap());
            prop_assert_eq!(both.memory.totals(&filter).unwrap(), both.sqlite.totals(&filter).unwrap());
            for row in sqlite {
                for name in [LotName::Code(row.lot.code()), LotName::Full(row.lot.clone())] {
                    prop_assert_eq!(both.memory.lots_named(&name).unwrap(), both.sqlite.lots_named(&name).unwrap());
                }
            }
        }
        for filter in question_filters(both.household) {
            let (memory, sqlite) = (both.memory.questions(&filter), both.sqlite.questions(&filter));
            let memory = memory.unwrap();
            prop_assert_eq!(&memory, &sqlite.unwrap(), "{:?}", filter);
            for row in &memory {
                let of_lot = QuestionFilter { lot: Some(row.lot.clone()), ..QuestionFilter::default() };
                prop_assert_eq!(both.memory.questions(&of_lot).unwrap(), both.sqlite.questions(&of_lot).unwrap());
            }
            prop_assert_eq!(both.memory.count_questions(&filter).unwrap(), both.sqlite.count_questions(&filter).unwrap());
        }
        prop_assert_eq!(both.memory.household_names().unwrap(), both.sqlite.household_names().unwrap());
        for household in [1, 9].map(|number| HouseholdId::from_bytes([number; 16])) {
            let sorted = |mut lots: Vec<EarlierLot>| {
                lots.sort_by(|one, other| one.lot.cmp(&other.lot));
                lots
            };
            let (memory, sqlite) = (both.memory.earlier_lots(household), both.sqlite.earlier_lots(household));
            prop_assert_eq!(sorted(memory.unwrap()), sorted(sqlite.unwrap()));
        }
    }
}
