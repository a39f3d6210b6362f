//! Questions to households: asked on a lot's page, answered by its phones, listed, closed.

use granary_client_core::conflicts::answers;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::schema::question;

use super::forms::{HOUSEHOLD, Two, book, text_of};
use super::page::PageForm;
use super::*;
use crate::log::Submitter;

const ASK: &str = "/console/questions/ask";
const CLOSE: &str = "/console/questions/close";
const REOPEN: &str = "/console/questions/reopen";

impl Two {
    fn asked(&self) -> Vec<question::Question> {
        question::questions(&self.document(&self.lot.receipt_book()))
    }

    /// A phone of the household sends an answer, written on what it had seen.
    fn answers_from(&self, phone: u8, text: &str, seen: &mut granary_client_core::schema::Document) {
        let (granary, coop) = (&self.world.granary, self.world.coop);
        let made = granary.invite(coop, Role::Household(HOUSEHOLD), 1, World::now()).unwrap();
        let (device, _) = self.world.enrol(&made.code, phone).unwrap();
        let actor = device.actor(granary_client_core::ids::Incarnation::new(1));
        let id = self.asked()[0].id;
        let (_, change) = seen.edit(&actor, World::now(), |doc| question::answer(doc, id, text)).unwrap();
        let sent = DocumentChanges { key: book(), changes: vec![change.unwrap()] };
        let submitter = Submitter::new(device, granary.cooperative(coop).unwrap().device(device).unwrap().grants_now());
        granary.ingest(&granary.cooperative(coop).unwrap(), submitter, vec![sent], World::now()).unwrap();
        // It is durable; a moment later it is in its document.
        while !answers(&mut self.document(&book())).values().flatten().any(|answer| answer.value == text) {
            std::thread::yield_now();
        }
        // The lists are told of it after its document has it.
        let cooperative = granary.cooperative(coop).unwrap();
        let number = cooperative.document_number(&book()).unwrap();
        let models = granary.read_models(coop).unwrap();
        while models.written_through(number) < cooperative.last_position(number) {
            std::thread::yield_now();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_household_is_asked_answers_and_the_question_is_closed() {
    let two = Two::new().await;
    let lot = two.path();
    let form = PageForm::one(&two.page(&lot).await, ASK);
    let empty = two.send(&two.zhang, &form).await;
    assert!(empty.status == 400 && empty.page.contains("id=\"fault\""), "a question says something: {}", empty.page);
    let question = form.typed(&[("text", "哪块地的？")]);
    for _ in 0..2 {
        let answer = two.send(&two.zhang, &question).await;
        assert_eq!((answer.status, answer.to), (303, format!("{lot}#questions")));
    }
    assert_eq!(two.asked().len(), 1, "sent twice, it is one question");
    let list = |state: &str| format!("/console/questions?state={state}");
    let open = two.page(&list("open")).await;
    assert!(open.contains("哪块地的？") && open.contains("waits for an answer") && open.contains("李家"), "{open}");
    let filtered = two.page("/console/harvests?questions=yes").await;
    assert!(filtered.contains(&two.lot.to_string()), "{filtered}");
    // Two of the household answer without knowing of each other.
    let (mut one, mut other) = (two.document(&book()), two.document(&book()));
    two.answers_from(11, "东坡的", &mut one);
    two.answers_from(12, "河湾的", &mut other);
    let answered = two.page("/console/questions").await;
    assert!(answered.contains("东坡的") && answered.contains("河湾的"), "both are shown: {answered}");
    let page = text_of(&two.page(&lot).await);
    assert!(page.contains("Askedzhang"), "the history tells it: {page}");
    assert!(page.contains("Question: 哪块地的？") && page.contains("Answer: 东坡的"), "{page}");
    let close = PageForm::one(&two.page(&list("answered")).await, CLOSE);
    assert_eq!(two.send(&two.wang, &close).await.status, 303);
    assert_eq!(two.send(&two.zhang, &close).await.status, 303, "closed already");
    assert_eq!(two.asked()[0].closed_by, "wang");
    assert!(two.page(&list("closed")).await.contains("Closed by wang"));
    let filtered = two.page("/console/harvests?questions=yes").await;
    assert!(!filtered.contains(&two.lot.to_string()), "{filtered}");
    // Closed by mistake, it is opened again: from the list, and by the message on the next page.
    let reopen = PageForm::one(&two.page(&list("closed")).await, REOPEN);
    assert_eq!(two.send(&two.zhang, &reopen).await.status, 303);
    assert_eq!(two.asked()[0].closed_by, "");
    let close = PageForm::one(&two.page(&list("answered")).await, CLOSE);
    assert_eq!(two.send(&two.zhang, &close).await.status, 303);
    assert_eq!(two.asked()[0].closed_by, "zhang");
    let undo = PageForm::undo(&two.page("/console/questions").await);
    assert_eq!((undo.action.as_str(), two.send(&two.zhang, &undo).await.status), (REOPEN, 303));
    assert_eq!(two.asked()[0].closed_by, "");
    let page = two.page("/console/questions").await;
    assert!(page.contains("Undone.") && page.contains("东坡的"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_about_what_is_not_there() {
    let two = Two::new().await;
    let form = PageForm::one(&two.page(&two.path()).await, ASK).typed(&[("text", "which?")]);
    let lot = two.lot.in_full().replace("07070707", "08080808");
    assert_eq!(two.send(&two.zhang, &form.typed(&[("lot", &lot)])).await.status, 404);
    let unknown = form.typed(&[("question", "nobody")]);
    assert_eq!(two.send(&two.zhang, &unknown).await.status, 400);
    let action = CLOSE.to_owned();
    let closed = two.send(&two.zhang, &PageForm { action, ..form }).await;
    assert!(closed.status == 404 || closed.status == 409 || closed.status == 400, "{}", closed.status);
    assert!(two.world.granary.document(two.world.coop, &two.lot.receipt_book()).unwrap().is_none());
}
