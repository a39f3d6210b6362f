//! A coordinator asks about a lot; the household's phones see it at their next sync, answer without a line, and the answers come back.

use std::path::Path;

use granary_client_core::phone::Phone;
use granary_client_core::projection::{LotFilter, QuestionFilter, QuestionRow, QuestionState};
use granary_client_core::schema::{LotId, QuestionId};

use crate::terminal::done;
use crate::world::{World, converge, household_role, record, sync_until};

fn questions(phone: &Phone, state: Option<QuestionState>) -> Vec<QuestionRow> {
    phone.questions(&QuestionFilter { state, ..QuestionFilter::default() }).unwrap()
}

fn answers(phone: &Phone) -> Vec<String> {
    let found = questions(phone, None).into_iter().flat_map(|row| row.answers);
    let mut texts: Vec<String> = found.map(|answer| answer.value).collect();
    texts.sort();
    texts
}

fn under_question(phone: &Phone) -> Vec<LotId> {
    let filter = LotFilter { only_questions: true, ..LotFilter::default() };
    phone.lots(&filter).unwrap().into_iter().map(|row| row.lot).collect()
}

#[test]
fn question_comes_to_the_household_and_its_answers_come_back() {
    let mut world = World::new();
    let (li, wang) = (world.phone(1, &household_role()), world.phone(1, &household_role()));
    let coordinator = world.phone(1, "coordinator");
    let lot = record(&li, 12_000);
    record(&li, 13_000);
    converge(&[&li, &wang, &coordinator]);
    let id = QuestionId::from_bytes([7; 8]);
    for _ in 0..2 {
        coordinator.ask(id, &lot, "which field?", "Zhang").unwrap();
    }
    assert!(li.ask(QuestionId::from_bytes([8; 8]), &lot, "mine?", "Li").is_err(), "households ask nothing");
    sync_until(&[&coordinator, &li, &wang], || !questions(&wang, None).is_empty() && !questions(&li, None).is_empty());
    assert_eq!((questions(&li, Some(QuestionState::Open)).len(), under_question(&li)), (1, vec![lot.clone()]));
    // Both answer without knowing of each other, and one of them twice.
    li.answer(id, "the east field").unwrap();
    li.answer(id, "the east field").unwrap();
    wang.answer(id, "the west field").unwrap();
    assert!(li.answer(QuestionId::from_bytes([9; 8]), "what?").is_err(), "nobody asked that");
    converge(&[&li, &wang, &coordinator]);
    for phone in [&li, &wang, &coordinator] {
        assert_eq!(answers(phone), ["the east field", "the west field"]);
        assert_eq!(questions(phone, Some(QuestionState::Answered)).len(), 1);
        assert_eq!(under_question(phone), std::slice::from_ref(&lot));
    }
}

#[test]
fn terminal_phone_lists_questions_and_answers_them() {
    let mut world = World::new();
    let coordinator = world.phone(1, "coordinator");
    let folder = world.phone_folder();
    done(&folder, &["enrol", "--yes", &world.invitation(1, &household_role())]);
    done(&folder, &["record", "millet", "12.5kg", "--day", "2026-10-03", "--yes"]);
    done(&folder, &["sync"]);
    sync_until(&[&coordinator], || coordinator.count_lots(&LotFilter::default()).unwrap() == 1);
    let lot = coordinator.lots(&LotFilter::default()).unwrap().remove(0).lot;
    let id = QuestionId::from_bytes([0xab; 8]);
    coordinator.ask(id, &lot, "which field?", "Zhang").unwrap();
    coordinator.sync_now().unwrap();
    assert!(done(&folder, &["questions"]).contains("nothing is asked"));
    let said = done(&folder, &["sync"]);
    assert!(said.contains("the co-operative asks about one lot: `granary phone questions`"), "{said}");
    let listed = done(&folder, &["questions"]);
    for part in ["abababababababab", "which field?", "Zhang", "12.5 kg", &lot.to_string()] {
        assert!(listed.contains(part), "{part}: {listed}");
    }
    let said = done(&folder, &["answer", "abababababababab", "the", "east", "field"]);
    assert!(said.contains("answered"), "{said}");
    assert!(done(&folder, &["questions"]).contains("nothing is asked"));
    assert!(done(&folder, &["questions", "--all"]).contains("→ the east field"));
    refused_answer(&folder);
    done(&folder, &["sync"]);
    sync_until(&[&coordinator], || !answers(&coordinator).is_empty());
    assert_eq!(answers(&coordinator), ["the east field"]);
}

fn refused_answer(folder: &Path) {
    let said = crate::terminal::refused(folder, &["answer", "cdcdcdcdcdcdcdcd", "what?"]);
    assert!(said.contains("cdcdcdcdcdcdcdcd"), "{said}");
}
