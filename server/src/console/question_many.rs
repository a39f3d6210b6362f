//! One question about many lots, which are ticked in the list of harvests: each household is asked about its own.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::projection::LotFilter;
use granary_client_core::quantities::TextField;
use granary_client_core::schema::{DocumentKey, LotId, QuestionId, question};
use maud::{Markup, html};

use super::again::page_of;
use super::inputs::Inputs;
use super::refusal::{Refused, refuse, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::{Edit, Edits};
use crate::environment::digest_begins;

pub(super) const ASK_MANY: &str = "/console/questions/ask-many";
/// The form to which the boxes of the list belong.
pub(super) const TICKED: &str = "ticked";
/// Lots of one question at most: a page of the list.
const LOTS_MAX: usize = 50;

/// The form below a list whose lots are ticked.
pub(super) fn form(signed: &SignedIn) -> Result<Markup, Refused> {
    let locale = signed.locale;
    let form = Inputs::of(signed, ASK_MANY, &[]);
    // Drawn with the form: sent twice, each lot has one question.
    let fresh = crate::environment::random_bytes::<8>().map_err(|error| refuse(locale, &error))?;
    Ok(html! {
        details.ticked open[form.was_refused()] {
            summary { (locale.t("ticked-ask")) }
            form.card id=(TICKED) method="post" action=(ASK_MANY) {
                (form.hidden()) (form.seen("question", &QuestionId::from_bytes(fresh).to_string()))
                label.check { input type="checkbox" data-tick-all; (locale.t("tick-all")) }
                label { (locale.t("question-text")) (form.empty_lines("text", TextField::Note.most())) }
                p.small { (locale.t("question-help")) }
                button { (locale.t("question-ask")) " (" span data-ticked { (locale.t("ticked-ones")) } ")" }
            }
        }
    })
}

/// The box of a lot.
pub(super) fn tick(signed: &SignedIn, lot: &LotId) -> Markup {
    let full = lot.in_full();
    let is_ticked = signed.again.as_ref().is_some_and(|again| again.form.all("lot").any(|ticked| ticked == full));
    html! {
        input type="checkbox" name="lot" value=(full) form=(TICKED) data-tick checked[is_ticked]
            aria-label=(signed.locale.with("tick-lot", &[("lot", lot.to_string())]));
        " "
    }
}

/// `POST /console/questions/ask-many`: all of them are asked, or none.
pub(super) async fn ask(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let missing = || refused(locale, 404, "not-found");
    let lots: Vec<LotId> = form.all("lot").map(LotId::from_full).collect::<Option<Vec<_>>>().ok_or_else(missing)?;
    if lots.is_empty() || lots.len() > LOTS_MAX {
        return Err(refused(locale, 400, "unusual-none-ticked"));
    }
    let asked = lots.clone();
    let are_here = signed
        .read(move |models| {
            let here = |lot: &LotId| {
                let filter = LotFilter { lot: Some(lot.clone()), with_merged: true, limit: 1, ..LotFilter::default() };
                models.count_lots(&filter).map(|count| count > 0)
            };
            asked.iter().map(here).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    if are_here.contains(&false) {
        return Err(missing());
    }
    let question: QuestionId = form.parsed(locale, "question")?;
    let text = form.text(locale, "text", TextField::Note)?;
    let now = crate::environment::now();
    let mut books: BTreeMap<DocumentKey, Vec<Edit>> = BTreeMap::new();
    for lot in lots {
        let (text, by, id) = (text.clone(), signed.session.name.clone(), own_question(question, &lot));
        let book = lot.receipt_book();
        let edit: Edit = Box::new(move |doc| question::ask(doc, id, &lot, &text, &by, now));
        books.entry(book).or_default().push(edit);
    }
    let edits = books.into_iter().map(|(key, edits)| Edits { key, message: None, seen: None, edits });
    signed.edit(edits.collect()).await?;
    Ok(Redirect::to(&page_of(&form).unwrap_or_else(|| "/console/questions".to_owned())).into_response())
}

/// The question about one of the lots.
fn own_question(of_all: QuestionId, lot: &LotId) -> QuestionId {
    QuestionId::from_bytes(digest_begins(format!("{of_all} {}", lot.in_full()).as_bytes()))
}
