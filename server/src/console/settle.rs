//! Settling, leaving and undoing: each is one edit of the case's book and one line in the case book, both or neither.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::conflicts::{self, CaseId, CaseState, SETTLING, Settlement, Settler, UNDOING, Undoing};
use granary_client_core::plausibility::{Correction, Unusual};
use granary_client_core::projection::{CaseFilter, CaseRow, LotRow, LotState, facts_of};
use granary_client_core::quantities::{Day, TextField};
use granary_client_core::schema::case_book::{Decision, DecisionKind, decide};
use granary_client_core::schema::harvest::LotEdit;
use granary_client_core::schema::receipt::{Outcome, Weighing};
use granary_client_core::schema::{Document, LotId};

use super::again::page_of;
use super::asked_back::must_be_confirmed;
use super::cases::{self, CASES, CASES_PAGE};
use super::forms::{Form, moisture, was, weight};
use super::left_since;
use super::names::Names;
use super::parts::toast::Told;
use super::refusal::{Refused, refuse, refused};
use super::signed_in::{SignedIn, SignedInForm};
use super::{receipts, unusual};
use crate::engine::own_edits::Edits;

/// A case in its present state.
pub(super) struct Case {
    pub(super) row: CaseRow,
    pub(super) lots: Vec<LotRow>,
    pub(super) book: Document,
}

impl Case {
    pub(super) async fn find(signed: &SignedIn, reference: &str) -> Result<Self, Refused> {
        let missing = || refused(signed.locale, 404, "not-found");
        let case: CaseId = reference.parse().map_err(|_| missing())?;
        let book = case.book();
        let filter = CaseFilter { case: Some(case), limit: 1, ..CaseFilter::default() };
        let (row, lots) = signed
            .read(move |models| {
                let rows = models.cases(&filter)?;
                let lots = cases::lots_of(models, &rows)?;
                Ok((rows.into_iter().next(), lots))
            })
            .await?;
        let book = signed.document(book).await?.ok_or_else(missing)?;
        Ok(Self { row: row.ok_or_else(missing)?, lots, book })
    }

    /// Refuses when the case was decided meanwhile, or is another one than its author saw.
    pub(super) fn must_be_as_seen(&self, signed: &SignedIn, seen: Option<&str>) -> Result<(), Refused> {
        if matches!(self.row.state, CaseState::Left | CaseState::Settled) {
            return Err(refused(signed.locale, 409, "case-decided"));
        }
        self.must_be_the_same(signed, seen)
    }

    fn must_be_the_same(&self, signed: &SignedIn, seen: Option<&str>) -> Result<(), Refused> {
        match seen.is_none_or(|seen| seen == cases::seen(&self.row, &self.lots)) {
            true => Ok(()),
            false => Err(refused(signed.locale, 409, "case-changed").seen_anew()),
        }
    }

    async fn keep(&self, signed: &SignedIn, message: &'static str, settlement: Settlement) -> Result<(), Refused> {
        let Settlement { edit, decision } = self.with_values(settlement);
        let book = Edits { key: self.row.case.book(), message: Some(message), seen: None, edits: vec![edit] };
        signed.edit(vec![book, self.line(decision)]).await
    }

    /// The settlement with the values that were decided about.
    pub(super) fn with_values(&self, mut settlement: Settlement) -> Settlement {
        if settlement.decision.values.is_empty() {
            settlement.decision.values.clone_from(&self.row.contenders);
        }
        settlement
    }

    pub(super) async fn last_decision(&self, signed: &SignedIn) -> Result<Option<Decision>, Refused> {
        let case = self.row.case.clone();
        signed.read(move |models| models.last_decision(&case)).await
    }

    fn line(&self, decision: Decision) -> Edits {
        Edits::one(self.row.case.lot().case_book(), move |doc| decide(doc, &decision))
    }

    /// True for a lot of the case that the warehouse has received.
    pub(super) fn is_received(&self, lot: &LotId) -> bool {
        self.lots.iter().any(|row| row.lot == *lot && row.state == LotState::Received)
    }

    /// The weight at the warehouse of the case's lot.
    pub(super) fn weighed(&self, signed: &SignedIn) -> Result<String, Refused> {
        let row = self.lots.iter().find(|row| row.lot == *self.row.case.lot());
        let grams = row.and_then(|row| row.weighed_grams).ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
        Ok(grams.to_string())
    }
}

/// Back to the page that the form was on, at the next case: whoever decides many goes on where she was.
fn back(form: &Form) -> Response {
    let page = page_of(form).unwrap_or_else(|| CASES_PAGE.to_owned());
    // A fragment is of a case on that page, or of all of them.
    let next = form.get("next");
    let is_case = next.starts_with("case-") && next.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let at = if is_case { next } else { CASES };
    Redirect::to(&format!("{page}#{at}")).into_response()
}

/// What the form's author saw of its case; none in a form that does not say it.
pub(super) fn seen_in<'a>(form: &'a Form, field: &str) -> Option<&'a str> {
    form.has(field).then(|| form.get(field))
}

/// `POST /console/cases/settle`
pub(super) async fn settle(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let case = Case::find(&signed, form.get("case")).await?;
    case.must_be_as_seen(&signed, seen_in(&form, &was("case")))?;
    let note = form.optional_text(signed.locale, "note", TextField::Note)?;
    let settler = Settler { by: &signed.session.name, at: crate::environment::now(), note: &note };
    if form.get("how") == "leave" {
        let mut decision = conflicts::leave(&case.row.case, settler);
        let last = case.last_decision(&signed).await?;
        // After an undo the lot has one value; those that stood in it are known by the decisions alone.
        if let Some(undone) = last.filter(|last| last.kind == Some(DecisionKind::Undone)) {
            decision.values = undone.values;
        }
        signed.edit(vec![case.line(decision)]).await?;
    } else {
        let settlement = chosen(&signed, &form, &case, settler)?;
        must_be_confirmed(signed.locale, &form, &odd_in(&signed, &form, &case).await?)?;
        case.keep(&signed, SETTLING, settlement).await?;
    }
    Ok(back(&form))
}

fn chosen(signed: &SignedIn, form: &Form, case: &Case, settler: Settler<'_>) -> Result<Settlement, Refused> {
    let locale = signed.locale;
    let typed = form.get("other");
    let made = match &case.row.case {
        CaseId::Field(_, field) => {
            // What was typed counts, whatever was chosen before it.
            let value = match (form.get("value"), typed) {
                ("", "") => return Err(refused(locale, 400, "value-missing").at("value")),
                (chosen, "") => chosen.to_owned(),
                (_, typed) => as_document_value(signed, field, typed)?,
            };
            conflicts::settle_field(&case.book, &case.row.case, field, &value, settler)
        }
        CaseId::Weight(_) => {
            let value =
                if typed.is_empty() { case.weighed(signed)? } else { as_document_value(signed, "grams", typed)? };
            conflicts::settle_field(&case.book, &case.row.case, "grams", &value, settler)
        }
        CaseId::Receipt(lot) => {
            let weighing = match (form.get("value"), typed) {
                ("", "") => return Err(refused(locale, 400, "value-missing").at("value")),
                (chosen, "") if form.get("grade").is_empty() => Weighing::parse(chosen),
                // A grade alone says of no weight which it is.
                _ => Ok(typed_weighing(signed, form, case)?),
            };
            let weighing = weighing.map_err(|fault| refuse(locale, &fault.into()).at("value"))?;
            conflicts::settle_receipt(&case.book, lot, &weighing, settler)
        }
        CaseId::Twice(first, second) => {
            let grams = (!typed.is_empty()).then(|| form.weight(locale, "other")).transpose()?;
            let (keep, other) = match form.get("keep") {
                kept if kept == second.in_full() => (second, first),
                kept if kept == first.in_full() => (first, second),
                _ => return Err(refused(locale, 400, "value-missing").at("keep")),
            };
            // A lot that counts no more is paid no more.
            if case.is_received(other) {
                return Err(refused(locale, 409, "merged-lot-received").at("keep"));
            }
            conflicts::merge(&case.book, &case.row.case, keep, other, grams, settler)
        }
    };
    made.map_err(|fault| refuse(locale, &fault.into()).at("other"))
}

/// A weight and a grade that were typed, as received on the day of the receipt that is shown.
fn typed_weighing(signed: &SignedIn, form: &Form, case: &Case) -> Result<Weighing, Refused> {
    let weighed = form.weight(signed.locale, "other")?;
    let grade = form.optional_text(signed.locale, "grade", TextField::Grade)?;
    let day = receipts::shown(&case.row.contenders).and_then(|shown| shown.day);
    Ok(Weighing { outcome: Outcome::Received { weighed, grade }, day })
}

/// What is unusual about a value that was typed, and stands in no lot yet.
async fn odd_in(signed: &SignedIn, form: &Form, case: &Case) -> Result<Vec<(String, Unusual)>, Refused> {
    let typed = form.get("other");
    let lot = case.row.case.lot();
    let Some(row) = case.lots.iter().find(|row| row.lot == *lot).filter(|_| !typed.is_empty()) else {
        return Ok(Vec::new());
    };
    if let CaseId::Receipt(_) = case.row.case {
        let Weighing { outcome, day } = typed_weighing(signed, form, case)?;
        let day = day.unwrap_or_else(|| Day::in_china(crate::environment::now()));
        let odd = unusual::of_receipt(signed, row, &outcome, day).await?;
        return Ok(odd.into_iter().map(|(field, odd)| (in_card(&field).to_owned(), odd)).collect());
    }
    let field = if let CaseId::Field(_, field) = &case.row.case { field.as_str() } else { "grams" };
    let value = as_document_value(signed, field, typed)?;
    let edit = LotEdit::parse(field, &value).map_err(|fault| refuse(signed.locale, &fault.into()).at("other"))?;
    let odd = unusual::of_correction(signed, lot, &Correction::of(facts_of(row), &[edit])).await?;
    // Whatever it is of the lot, in the form it was typed as the other value.
    Ok(odd.into_iter().map(|(_, odd)| ("other".to_owned(), odd)).collect())
}

/// Where a case's card has a field of a receipt.
fn in_card(field: &str) -> &str {
    if field == "grade" { field } else { "other" }
}

/// A typed value as a document value.
fn as_document_value(signed: &SignedIn, field: &str, typed: &str) -> Result<String, Refused> {
    let value = match field {
        "grams" => weight(signed.locale, typed).map(|grams| grams.get().to_string()),
        "moisture" => moisture(signed.locale, typed).map(|moisture| moisture.get().to_string()),
        "day" => typed.parse::<Day>().map(|day| day.to_string()).map_err(|_| refused(signed.locale, 400, "day-wrong")),
        _ => Ok(typed.to_owned()),
    };
    value.map_err(|refused| refused.at("other"))
}

/// `POST /console/cases/undo`: reverts the last decision and opens the case again. What somebody wrote since stays, and is told.
pub(super) async fn undo(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let mut case = Case::find(&signed, form.get("case")).await?;
    case.must_be_the_same(&signed, seen_in(&form, &was("case")))?;
    let last = case.last_decision(&signed).await?;
    let last = last.ok_or_else(|| refused(locale, 404, "not-found"))?;
    // A message takes back the decision that it told of, and no later one.
    let is_hers = |until: i64| last.by == signed.session.name && last.at.seconds() <= until;
    if form.has("until") && !form.get("until").parse().is_ok_and(is_hers) {
        return Err(refused(locale, 409, "case-changed").seen_anew());
    }
    let settler = Settler { by: &signed.session.name, at: crate::environment::now(), note: "" };
    let undoing = conflicts::undo(&mut case.book, &case.row.case, &last, settler);
    let Undoing { settlement, put_back, left } = undoing.map_err(|fault| refuse(locale, &fault.into()))?;
    let left = match left.as_slice() {
        [] => Vec::new(),
        left => left_since::words(&Names::of(&signed).await?, &case.row, left),
    };
    if put_back == 0 && !left.is_empty() {
        return Err(refused(locale, 409, "undone-nothing").with_links(left).seen_anew());
    }
    case.keep(&signed, UNDOING, settlement).await?;
    Ok(Told { sentence: (!left.is_empty()).then(|| locale.t("undone-but")), left }.with(back(&form)))
}
