//! Questions and answers in memory.

use std::cmp::Reverse;

use super::MemoryLists;
use crate::projection::question_rows::{QuestionFilter, QuestionRow};
use crate::schema::LotId;
use crate::schema::question::Question;
use crate::store::StoreFault;

impl MemoryLists {
    /// True for a lot about which a question stands that no coordinator has closed.
    pub(super) fn is_asked(&self, lot: &LotId) -> bool {
        let questions = self.questions.get(&lot.receipt_book());
        questions.is_some_and(|all| all.iter().any(|question| question.lot == *lot && question.closed_by.is_empty()))
    }

    fn shown_question(&self, question: &Question) -> QuestionRow {
        let book = question.lot.book();
        let row = self.lots.get(&book).and_then(|lots| lots.get(question.lot.key()));
        let (household_name, village) = self.named(question.lot.household()).cloned().unwrap_or_default();
        QuestionRow {
            question: question.id,
            household_name,
            village,
            lot: question.lot.clone(),
            product: row.map(|row| row.product.clone()).unwrap_or_default(),
            grams: row.and_then(|row| row.grams),
            day: row.and_then(|row| row.day),
            text: question.text.clone(),
            by: question.by.clone(),
            at: question.at,
            closed_by: question.closed_by.clone(),
            answers: self.answers.get(&book).and_then(|all| all.get(&question.id)).cloned().unwrap_or_default(),
        }
    }

    fn fitting(&self, filter: &QuestionFilter) -> Vec<QuestionRow> {
        let all = self.questions.values().flatten().map(|question| self.shown_question(question));
        let mut rows: Vec<QuestionRow> = all
            .filter(|row| {
                filter.household.is_none_or(|household| household == row.lot.household())
                    && filter.lot.as_ref().is_none_or(|lot| *lot == row.lot)
                    && filter.question.is_none_or(|question| question == row.question)
                    && filter.state.is_none_or(|state| state == row.state())
            })
            .collect();
        rows.sort_by_key(|row| (Reverse(row.at), row.question));
        rows
    }

    /// Questions that pass the filter, the latest first.
    pub fn questions(&self, filter: &QuestionFilter) -> Result<Vec<QuestionRow>, StoreFault> {
        let limit = if filter.limit == 0 { 200 } else { filter.limit };
        let at = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Ok(self.fitting(filter).into_iter().skip(at(filter.offset)).take(at(limit)).collect())
    }

    /// How many questions pass the filter, whatever its limit and offset.
    pub fn count_questions(&self, filter: &QuestionFilter) -> Result<u64, StoreFault> {
        Ok(u64::try_from(self.fitting(filter).len()).unwrap_or(u64::MAX))
    }
}
