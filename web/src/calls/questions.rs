//! What coordinators ask about lots, and the answers.

use granary_client_core::projection::{QuestionFilter, QuestionRow, QuestionState};
use granary_client_core::schema::question::QuestionFault;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Arguments, author_name, household_if_any};
use crate::answer::Failure;
use crate::phone::WebPhone;

#[derive(Deserialize)]
struct Asked {
    state: Option<String>,
}

/// `questions`: those to this phone's household, the latest first; with how many wait for an answer.
pub(super) fn questions(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let asked: Asked = arguments.read()?;
    let household = household_if_any(phone, None)?;
    let of = |state| QuestionFilter { household, state, ..QuestionFilter::default() };
    let rows = phone.phone.questions(&of(asked.state.as_deref().and_then(QuestionState::from_name)))?;
    let open = phone.phone.count_questions(&of(Some(QuestionState::Open)))?;
    let shown = |row: &QuestionRow| {
        let answers: Vec<Value> = row
            .answers
            .iter()
            .map(|answer| {
                let who = author_name(phone, answer.author().and_then(|actor| actor.device()));
                json!({"text": answer.value, "who": who, "at": answer.at.0})
            })
            .collect();
        json!({
            "id": row.question.to_string(),
            "lot": row.lot.to_string(),
            "householdName": row.household_name,
            "product": row.product,
            "grams": row.grams,
            "day": row.day.map(|day| day.to_string()),
            "text": row.text,
            "by": row.by,
            "at": row.at.0,
            "state": row.state().name(),
            "answers": answers,
        })
    };
    Ok(json!({"rows": rows.iter().map(shown).collect::<Vec<_>>(), "open": open}))
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    text: String,
}

/// `answer`: answers a question.
pub(super) fn answer(phone: &WebPhone, arguments: Arguments) -> Result<Value, Failure> {
    let Answer { id, text } = arguments.read()?;
    let question = id.parse().map_err(|fault: QuestionFault| Failure::call(fault.to_string()))?;
    phone.phone.answer(question, &text)?;
    Ok(Value::Null)
}
