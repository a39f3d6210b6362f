//! Questions that coordinators ask about lots, in the receipt book, and what the household answers, in its harvest book: its phones
//! read the one and write the other. Each stands by itself at the root of its document, so that two who ask at once are both kept.
//! A program that knows of no questions leaves them as they are.

use std::fmt;
use std::str::FromStr;

use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc};

use super::key::{Document, DocumentKey};
use super::lot_id::LotId;
use super::view::{Fields, maps_in_map};
use crate::crdt::DocumentFault;
use crate::quantities::{Instant, TextField, checked_text};
use crate::words::{Phrase, Words};

/// What a name did not name.
pub(crate) const QUESTION: Phrase = Phrase::new("question", "question", "问题");

const ASKED: &str = "question/";
const ANSWERED: &str = "answer/";

/// Names a question: 8 random bytes, drawn by whoever asks. As text 16 hexadecimal letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuestionId(u64);

impl QuestionId {
    /// The id of these bytes.
    pub fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

impl fmt::Display for QuestionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// A text names no question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no such question")]
pub struct QuestionFault;

impl Words for QuestionFault {
    fn chinese(&self) -> String {
        "没有这个问题".to_owned()
    }
}

impl FromStr for QuestionId {
    type Err = QuestionFault;

    fn from_str(text: &str) -> Result<Self, QuestionFault> {
        let is_ours = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 16 || !text.bytes().all(is_ours) {
            return Err(QuestionFault);
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| QuestionFault)
    }
}

/// A question about a lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Its id.
    pub id: QuestionId,
    /// The lot that it is about.
    pub lot: LotId,
    /// What is asked.
    pub text: String,
    /// Who asked, by name.
    pub by: String,
    /// When, by the clock of whoever asked.
    pub at: Instant,
    /// Who closed it, by name; empty while it is open.
    pub closed_by: String,
}

/// Asks about a lot, in its receipt book. The same question again changes nothing.
pub fn ask(
    automerge: &mut AutoCommit,
    id: QuestionId,
    lot: &LotId,
    text: &str,
    by: &str,
    at: Instant,
) -> Result<(), DocumentFault> {
    let key = format!("{ASKED}{id}");
    if automerge.get(ROOT, key.as_str())?.is_some() {
        return Ok(());
    }
    let (text, by) = (checked_text(TextField::Note, text)?, checked_text(TextField::PersonName, by)?);
    let question = automerge.put_object(ROOT, key, ObjType::Map)?;
    automerge.put(&question, "lot", lot.season_name())?;
    automerge.put(&question, "text", text)?;
    automerge.put(&question, "by", by)?;
    automerge.put(&question, "at", at.seconds())?;
    Ok(())
}

fn find(automerge: &AutoCommit, id: QuestionId) -> Result<ObjId, DocumentFault> {
    match automerge.get(ROOT, format!("{ASKED}{id}"))? {
        Some((automerge::Value::Object(ObjType::Map), question)) => Ok(question),
        _ => Err(DocumentFault::NotFound { what: QUESTION, name: id.to_string() }),
    }
}

/// Opens a question again that was closed: its answer is waited for, or looked at.
pub fn reopen(automerge: &mut AutoCommit, id: QuestionId) -> Result<(), DocumentFault> {
    let question = find(automerge, id)?;
    if automerge.get(&question, "closed")?.is_some() {
        automerge.delete(&question, "closed")?;
    }
    Ok(())
}

/// Closes a question: nobody waits for an answer any more.
pub fn close(automerge: &mut AutoCommit, id: QuestionId, by: &str) -> Result<(), DocumentFault> {
    let question = find(automerge, id)?;
    if automerge.get(&question, "closed")?.is_none() {
        automerge.put(&question, "closed", checked_text(TextField::PersonName, by)?)?;
    }
    Ok(())
}

/// All questions of a receipt book.
pub fn questions(document: &Document) -> Vec<Question> {
    let automerge = document.automerge();
    let DocumentKey::ReceiptBook(of) = *document.key() else { return Vec::new() };
    maps_in_map(automerge, &ROOT)
        .into_iter()
        .filter_map(|(key, object)| {
            let id = asked_in(&key)?;
            let mut fields = Fields::new(automerge, object);
            Some(Question {
                id,
                lot: LotId::from_season_name(of.household, of.season, &fields.text("lot")?)?,
                text: fields.text("text")?,
                by: fields.text("by").unwrap_or_default(),
                at: Instant::from_seconds(fields.integer("at", Some).unwrap_or(0)),
                closed_by: fields.optional_text("closed").unwrap_or_default(),
            })
        })
        .collect()
}

/// Answers a question, in the harvest book of its lot. An answer that stands there already, alone or beside others, is not written
/// again; any other one takes the place of those that its author saw.
pub fn answer(automerge: &mut AutoCommit, id: QuestionId, text: &str) -> Result<(), DocumentFault> {
    let (key, text) = (format!("{ANSWERED}{id}"), checked_text(TextField::Note, text)?);
    let known = automerge.get_all(ROOT, key.as_str())?;
    if known.iter().any(|(value, _)| value.as_str() == Some(text.as_str())) {
        return Ok(());
    }
    automerge.put(ROOT, key, text)?;
    Ok(())
}

/// The question that the root of a receipt book has under this name.
pub(crate) fn asked_in(name: &str) -> Option<QuestionId> {
    name.strip_prefix(ASKED)?.parse().ok()
}

/// The question that the root of a harvest book has an answer to under this name.
pub(crate) fn answered_in(name: &str) -> Option<QuestionId> {
    name.strip_prefix(ANSWERED)?.parse().ok()
}

/// The questions that a harvest book has answers to, with the names of their fields.
pub(crate) fn answered(automerge: &AutoCommit) -> Vec<(QuestionId, String)> {
    automerge.keys(ROOT).filter_map(|key| Some((answered_in(&key)?, key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conflicts::answers;
    use crate::ids::{ActorId, HouseholdId};
    use crate::schema::{Book, Season};

    fn actors() -> [ActorId; 2] {
        [1u8, 2].map(|number| ActorId::from_bytes(&[number; 12]).unwrap())
    }

    fn books() -> (Document, Document, LotId) {
        let book = Book::first(HouseholdId::from_bytes([1; 16]), Season::new(2026).unwrap());
        let harvest = DocumentKey::HarvestBook(book);
        let lot = LotId::in_book(&harvest, "7@010101010101010101010101".parse().unwrap()).unwrap();
        (Document::new(harvest).unwrap(), Document::new(DocumentKey::ReceiptBook(book)).unwrap(), lot)
    }

    fn id(number: u8) -> QuestionId {
        QuestionId::from_bytes([number; 8])
    }

    #[test]
    fn id_round_trips_and_reads_nothing_else() {
        assert_eq!(id(0xab).to_string().parse(), Ok(id(0xab)));
        for wrong in ["", "abababababababa", "ABABABABABABABAB", "+bababababababab", "abababababababab0"] {
            assert!(wrong.parse::<QuestionId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn question_is_asked_once_and_closed_once() {
        let (_, mut receipts, lot) = books();
        let actor = &actors()[0];
        for text in ["which field?", "which field?", "another text under the same id"] {
            receipts.edit(actor, Instant(0), |doc| ask(doc, id(1), &lot, text, "Wang", Instant(5_000))).unwrap();
        }
        for by in ["Zhao", "Wang"] {
            receipts.edit(actor, Instant(0), |doc| close(doc, id(1), by)).unwrap();
        }
        let (text, by, closed_by) = ("which field?".to_owned(), "Wang".to_owned(), "Zhao".to_owned());
        assert_eq!(questions(&receipts), [Question { id: id(1), lot, text, by, at: Instant(5_000), closed_by }]);
        assert!(receipts.edit(actor, Instant(0), |doc| close(doc, id(2), "Wang")).is_err(), "nobody asked it");
        for _ in 0..2 {
            receipts.edit(actor, Instant(0), |doc| reopen(doc, id(1))).unwrap();
            assert_eq!(questions(&receipts)[0].closed_by, "");
        }
        assert!(receipts.edit(actor, Instant(0), |doc| reopen(doc, id(2))).is_err(), "nobody asked it");
    }

    #[test]
    fn two_who_ask_first_at_once_are_both_kept() {
        let (_, mut one, lot) = books();
        let mut two = one.clone();
        let [first, second] = actors();
        let asks = |number| {
            let lot = lot.clone();
            move |doc: &mut AutoCommit| ask(doc, id(number), &lot, "which?", "Wang", Instant(0))
        };
        one.edit(&first, Instant(0), asks(1)).unwrap();
        let change = two.edit(&second, Instant(0), asks(2)).unwrap().1.unwrap();
        one.apply(&[change]).unwrap();
        assert_eq!(questions(&one).len(), 2);
    }

    #[test]
    fn answers_of_two_people_are_both_shown_and_one_twice_is_one() {
        let (mut one, ..) = books();
        let mut two = one.clone();
        let [first, second] = actors();
        let texts = |document: &mut Document| {
            let found = answers(document).remove(&id(1)).unwrap_or_default();
            let mut texts: Vec<String> = found.into_iter().map(|answer| answer.value).collect();
            texts.sort();
            texts
        };
        one.edit(&first, Instant(0), |doc| answer(doc, id(1), "the east field")).unwrap();
        let change = two.edit(&second, Instant(0), |doc| answer(doc, id(1), "the west field")).unwrap().1.unwrap();
        one.apply(&[change]).unwrap();
        assert_eq!(texts(&mut one), ["the east field", "the west field"]);
        for again in ["the east field", "the west field", " the west field "] {
            let change = one.edit(&first, Instant(0), |doc| answer(doc, id(1), again)).unwrap().1;
            assert!(change.is_none(), "{again} stands there");
        }
        assert_eq!(texts(&mut one).len(), 2);
        one.edit(&first, Instant(0), |doc| answer(doc, id(1), "both")).unwrap();
        assert_eq!(texts(&mut one), ["both"], "whoever saw both and answers anew puts it in their place");
        assert!(one.edit(&first, Instant(0), |doc| answer(doc, id(1), " ")).is_err(), "an answer says something");
    }
}
