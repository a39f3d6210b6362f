//! Questions about lots, as lists show them, as plain values.

use crate::conflicts::Contender;
use crate::ids::HouseholdId;
use crate::quantities::{Day, Instant};
use crate::schema::{LotId, QuestionId};

/// The state of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuestionState {
    /// Nobody of the household has answered.
    Open,
    /// It has an answer, and a coordinator has not closed it.
    Answered,
    /// A coordinator closed it.
    Closed,
}

impl QuestionState {
    /// Its name in addresses and words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Answered => "answered",
            Self::Closed => "closed",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Open, Self::Answered, Self::Closed].into_iter().find(|state| state.name() == name)
    }
}

/// Which questions to list. A field that is none does not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QuestionFilter {
    /// To this household.
    pub household: Option<HouseholdId>,
    /// About this lot.
    pub lot: Option<LotId>,
    /// Only this one.
    pub question: Option<QuestionId>,
    /// In this state.
    pub state: Option<QuestionState>,
    /// At most this many; 0 for 200.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

/// A question in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionRow {
    /// Its id.
    pub question: QuestionId,
    /// The household's name; empty where its document is not here.
    pub household_name: String,
    /// The code of the household's village; empty where its document is not here.
    pub village: String,
    /// The lot that it is about.
    pub lot: LotId,
    /// The lot's product; empty where the lot is not here.
    pub product: String,
    /// The lot's recorded weight in grams; none where the lot is not here.
    pub grams: Option<i64>,
    /// The lot's day; none where the lot is not here.
    pub day: Option<Day>,
    /// What is asked.
    pub text: String,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: Instant,
    /// Who closed it; empty while nobody has.
    pub closed_by: String,
    /// What was answered: more than one where people of the household answered at once.
    pub answers: Vec<Contender>,
}

impl QuestionRow {
    /// The state that it is in.
    pub fn state(&self) -> QuestionState {
        match () {
            () if !self.closed_by.is_empty() => QuestionState::Closed,
            () if self.answers.is_empty() => QuestionState::Open,
            () => QuestionState::Answered,
        }
    }
}
