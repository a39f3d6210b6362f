//! Questions to households about their lots: asked on a lot's page, answered on the household's phones, listed until a coordinator
//! closes them.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::automerge::AutoCommit;
use granary_client_core::crdt::DocumentFault;
use granary_client_core::projection::{LotFilter, QuestionFilter, QuestionRow, QuestionState, ReadModel};
use granary_client_core::quantities::TextField;
use granary_client_core::schema::{LotId, QuestionId, question};
use granary_client_core::store::StoreFault;
use maud::{Markup, html};
use serde::Deserialize;

use super::again::page_of;
use super::forms::Form;
use super::i18n::grouped;
use super::inputs::Inputs;
use super::names::Names;
use super::page::{Page, paging};
use super::parts::empty;
use super::refusal::{Refused, refuse, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;

pub(super) const QUESTIONS: &str = "/console/questions";
const ASK: &str = "/console/questions/ask";
pub(super) const CLOSE: &str = "/console/questions/close";
pub(super) const REOPEN: &str = "/console/questions/reopen";
/// Where the questions begin on a lot's page.
const MARK: &str = "questions";
const PER_PAGE: u64 = 40;
const STATES: [QuestionState; 3] = [QuestionState::Open, QuestionState::Answered, QuestionState::Closed];

/// How many questions are in this state.
pub(super) fn count(models: &ReadModel, state: QuestionState) -> Result<u64, StoreFault> {
    models.count_questions(&QuestionFilter { state: Some(state), ..QuestionFilter::default() })
}

/// The questions about a lot, the latest first.
pub(super) fn about(models: &ReadModel, lot: &LotId) -> Result<Vec<QuestionRow>, StoreFault> {
    models.questions(&QuestionFilter { lot: Some(lot.clone()), ..QuestionFilter::default() })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct QuestionsQuery {
    state: String,
    page: String,
}

/// `GET /console/questions`
pub(super) async fn show(signed: SignedIn, Query(query): Query<QuestionsQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let page = query.page.parse::<u64>().unwrap_or(1).clamp(1, 100_000);
    let asked = QuestionState::from_name(&query.state);
    let (state, rows, counts) = signed
        .read(move |models| {
            let counts = [count(models, STATES[0])?, count(models, STATES[1])?, count(models, STATES[2])?];
            // What was answered is what a coordinator comes for; until then, what waits.
            let first = if counts[1] > 0 { QuestionState::Answered } else { QuestionState::Open };
            let state = asked.unwrap_or(first);
            let filter = QuestionFilter {
                state: Some(state),
                limit: u32::try_from(PER_PAGE).unwrap_or(40),
                offset: u32::try_from(page.saturating_sub(1).saturating_mul(PER_PAGE)).unwrap_or(u32::MAX),
                ..QuestionFilter::default()
            };
            Ok((state, models.questions(&filter)?, counts))
        })
        .await?;
    let total = STATES.iter().zip(counts).find(|(one, _)| **one == state).map_or(0, |(_, count)| count);
    let main = html! {
        nav.tabs aria-label=(locale.t("part-questions")) {
            @for (one, count) in STATES.into_iter().zip(counts) {
                a href={ (QUESTIONS) "?state=" (one.name()) } aria-current=[(one == state).then_some("page")] {
                    (locale.of("questions", one.name())) " (" (grouped(count)) ")" }
            }
            a href="/console/harvests?questions=yes" { (locale.t("lots-under-question")) }
        }
        @if rows.is_empty() { (empty(locale.of("no-questions", state.name()), &[("/console/harvests", locale.t("questions-ask-where"))])) }
        @for row in &rows { (card(&signed, &names, row, true)) }
        (paging(locale, &format!("{QUESTIONS}?state={}", state.name()), page, PER_PAGE, total))
    };
    Ok(Page { title: locale.t("part-questions"), part: "questions", main }.show(&signed))
}

/// One question with its answers; `with_lot` where the page is not about its lot.
fn card(signed: &SignedIn, names: &Names, row: &QuestionRow, with_lot: bool) -> Markup {
    let locale = signed.locale;
    let id = row.question.to_string();
    let action = if row.state() == QuestionState::Closed { REOPEN } else { CLOSE };
    let form = Inputs::of(signed, action, &[("question", &id)]);
    let form = |button: Markup| {
        html! {
            form method="post" action=(action) {
                (form.hidden()) input type="hidden" name="lot" value=(row.lot.in_full());
                (button)
            }
        }
    };
    html! {
        article.case id={ "question-" (id) } data-key=(id) data-item tabindex="-1" {
            @if with_lot {
                h3 { a href={ "/console/lots/" (row.lot) "#" (MARK) } {
                    (names.household(&row.household_name, row.lot.household()))
                    @if !row.product.is_empty() { " · " (names.product(&row.product)) }
                    @if let Some(grams) = row.grams { " · " (locale.kilograms(grams)) }
                    @if let Some(day) = row.day { " · " (day.to_string()) }
                } }
            }
            p.note { strong { (row.text) } }
            p.small { (row.by) " · " (locale.moment(row.at)) }
            @for answer in &row.answers {
                p.note { q { (answer.value) } " " span.small { (names.author(answer.author().as_ref())) " · " (locale.moment(answer.at)) } }
            }
            @match row.state() {
                QuestionState::Closed => {
                    p.small { (locale.with("question-closed-by", &[("name", row.closed_by.clone())])) }
                    (form(html! { button.quiet data-undo { (locale.t("question-reopen")) } }))
                },
                state => {
                    @if state == QuestionState::Open { p { span.mark { (locale.t("question-waits")) } } }
                    (form(html! { button.quiet data-do { (locale.t("question-close")) } }))
                },
            }
        }
    }
}

/// The questions about a lot, on its page, with the form for another one.
pub(super) fn section(signed: &SignedIn, names: &Names, lot: &LotId, rows: &[QuestionRow]) -> Result<Markup, Refused> {
    let locale = signed.locale;
    let full = lot.in_full();
    let form = Inputs::of(signed, ASK, &[("lot", &full)]);
    // Drawn with the form: sent twice, it is one question.
    let fresh = crate::environment::random_bytes::<8>().map_err(|error| refuse(locale, &error))?;
    let fresh = QuestionId::from_bytes(fresh).to_string();
    Ok(html! {
        section id=(MARK) tabindex="-1" {
            h2 { (locale.t("lot-questions")) }
            @for row in rows { (card(signed, names, row, false)) }
            form.card method="post" action=(ASK) {
                (form.hidden()) (form.seen("question", &fresh))
                label { (locale.t("question-text")) (form.empty_lines("text", TextField::Note.most())) }
                p.small { (locale.t("question-help")) }
                button { (locale.t("question-ask")) }
            }
        }
    })
}

/// `POST /console/questions/ask`
pub(super) async fn ask(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let missing = || refused(locale, 404, "not-found");
    let lot = LotId::from_full(form.get("lot")).ok_or_else(missing)?;
    let filter = LotFilter { lot: Some(lot.clone()), with_merged: true, limit: 1, ..LotFilter::default() };
    if signed.read(move |models| models.count_lots(&filter)).await? == 0 {
        return Err(missing());
    }
    let id: QuestionId = form.parsed(locale, "question")?;
    let text = form.text(locale, "text", TextField::Note)?;
    let (by, at, about) = (signed.session.name.clone(), crate::environment::now(), lot.clone());
    let edit = Edits::one(lot.receipt_book(), move |doc| question::ask(doc, id, &about, &text, &by, at));
    signed.edit(vec![edit]).await?;
    let page = page_of(&form).unwrap_or_else(|| format!("/console/lots/{}", lot.in_full()));
    Ok(Redirect::to(&format!("{page}#{MARK}")).into_response())
}

/// `POST /console/questions/close`
pub(super) async fn close(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let by = signed.session.name.clone();
    change(signed, &form, move |doc, id| question::close(doc, id, &by)).await
}

/// `POST /console/questions/reopen`
pub(super) async fn reopen(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    change(signed, &form, question::reopen).await
}

async fn change(
    signed: SignedIn,
    form: &Form,
    edit: impl FnOnce(&mut AutoCommit, QuestionId) -> Result<(), DocumentFault> + Send + 'static,
) -> Result<Response, Refused> {
    let lot = LotId::from_full(form.get("lot")).ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let id: QuestionId = form.parsed(signed.locale, "question")?;
    signed.edit(vec![Edits::one(lot.receipt_book(), move |doc| edit(doc, id))]).await?;
    let page = page_of(form).unwrap_or_else(|| QUESTIONS.to_owned());
    Ok(Redirect::to(&page).into_response())
}
