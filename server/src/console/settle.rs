//! Settling, leaving and undoing: each is one edit of the harvest book and one line in the case book, both or neither.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::conflicts::{self, CaseId, CaseState, SETTLING, Settlement, Settler};
use granary_client_core::projection::{CaseFilter, CaseRow, LotFilter};
use granary_client_core::schema::Document;
use granary_client_core::schema::case_book::{Decision, decide};

use super::forms::{Form, moisture, weight};
use super::refusal::{Refused, refuse, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;

/// Cases that one rule settles at once at most.
const MANY_MAX: usize = 100;

/// A case in its present state.
struct Case {
    row: CaseRow,
    book: Document,
}

impl Case {
    async fn find(signed: &SignedIn, reference: &str) -> Result<Self, Refused> {
        let missing = || refused(signed.locale, 404, "not-found");
        let case: CaseId = reference.parse().map_err(|_| missing())?;
        let book = case.lot().book();
        let filter = CaseFilter { case: Some(case), limit: 1, ..CaseFilter::default() };
        let row = signed.read(move |models| models.cases(&filter)).await?.into_iter().next().ok_or_else(missing)?;
        let book = signed.document(book).await?.ok_or_else(missing)?;
        Ok(Self { row, book })
    }

    /// Refuses when the case was decided meanwhile.
    fn must_be_undecided(&self, signed: &SignedIn) -> Result<(), Refused> {
        match self.row.state {
            CaseState::Open | CaseState::SettledTwice => Ok(()),
            CaseState::Left | CaseState::Settled => Err(refused(signed.locale, 409, "case-decided")),
        }
    }

    async fn keep(&self, signed: &SignedIn, settlement: Settlement) -> Result<(), Refused> {
        let Settlement { edit, decision } = settlement;
        let harvest = Edits { key: self.row.case.lot().book(), message: Some(SETTLING), seen: None, edits: vec![edit] };
        signed.edit(vec![harvest, self.line(decision)]).await
    }

    fn line(&self, decision: Decision) -> Edits {
        Edits::one(self.row.case.lot().case_book(), move |doc| decide(doc, &decision))
    }

    /// The weight at the warehouse of the case's lot.
    async fn weighed(&self, signed: &SignedIn) -> Result<String, Refused> {
        let lot = Some(self.row.case.lot().clone());
        let filter = LotFilter { lot, limit: 1, ..LotFilter::default() };
        let row = signed.read(move |models| models.lots(&filter)).await?.into_iter().next();
        let grams = row.and_then(|row| row.weighed_grams).ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
        Ok(grams.to_string())
    }
}

/// `POST /console/cases/settle`
pub(super) async fn settle(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let case = Case::find(&signed, form.get("case")).await?;
    case.must_be_undecided(&signed)?;
    let settler = Settler { by: &signed.session.name, at: crate::environment::now(), note: form.get("note") };
    if form.get("how") == "leave" {
        let decision = conflicts::leave(&case.row.case, settler);
        signed.edit(vec![case.line(decision)]).await?;
    } else {
        let settlement = chosen(&signed, &form, &case, settler).await?;
        case.keep(&signed, settlement).await?;
    }
    Ok(Redirect::to("/console/cases").into_response())
}

async fn chosen(signed: &SignedIn, form: &Form, case: &Case, settler: Settler<'_>) -> Result<Settlement, Refused> {
    let locale = signed.locale;
    let typed = form.get("other");
    let made = match &case.row.case {
        CaseId::Field(_, field) => {
            // What was typed counts, whatever was chosen before it.
            let value = match (form.get("value"), typed) {
                ("", "") => return Err(refused(locale, 400, "value-missing")),
                (chosen, "") => chosen.to_owned(),
                (_, typed) => as_document_value(signed, field, typed)?,
            };
            conflicts::settle_field(&case.book, &case.row.case, field, &value, settler)
        }
        CaseId::Weight(_) => {
            let value =
                if typed.is_empty() { case.weighed(signed).await? } else { as_document_value(signed, "grams", typed)? };
            conflicts::settle_field(&case.book, &case.row.case, "grams", &value, settler)
        }
        CaseId::Twice(first, second) => {
            let grams = (!typed.is_empty()).then(|| form.weight(locale, "other")).transpose()?;
            let (keep, other) = match form.get("keep") {
                kept if kept == second.in_full() => (second, first),
                kept if kept == first.in_full() => (first, second),
                _ => return Err(refused(locale, 400, "value-missing")),
            };
            conflicts::merge(&case.book, &case.row.case, keep, other, grams, settler)
        }
    };
    made.map_err(|fault| refuse(locale, &fault.into()))
}

/// A typed value as a document value.
fn as_document_value(signed: &SignedIn, field: &str, typed: &str) -> Result<String, Refused> {
    match field {
        "grams" => Ok(weight(signed.locale, typed)?.get().to_string()),
        "moisture" => Ok(moisture(signed.locale, typed)?.get().to_string()),
        _ => Ok(typed.to_owned()),
    }
}

/// `POST /console/cases/many`: settles many cases by one rule. Cases that were decided meanwhile are skipped.
pub(super) async fn settle_many(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let rule = form.get("rule").to_owned();
    for reference in form.all("case").take(MANY_MAX) {
        let Ok(case) = Case::find(&signed, reference).await else { continue };
        if case.must_be_undecided(&signed).is_err() {
            continue;
        }
        let note = signed.locale.of("rule", &rule);
        let settler = Settler { by: &signed.session.name, at: crate::environment::now(), note: &note };
        let made = match (rule.as_str(), &case.row.case) {
            ("warehouse", CaseId::Weight(_)) => {
                let weighed = case.weighed(&signed).await?;
                conflicts::settle_field(&case.book, &case.row.case, "grams", &weighed, settler)
            }
            ("latest", CaseId::Field(_, field)) => {
                let Some(latest) = case.row.contenders.iter().max_by_key(|value| value.at) else { continue };
                conflicts::settle_field(&case.book, &case.row.case, field, &latest.value, settler)
            }
            ("older", CaseId::Twice(first, second)) => {
                conflicts::merge(&case.book, &case.row.case, first, second, None, settler)
            }
            _ => continue,
        };
        // Two cases can share a lot: after the first is settled, the other no longer applies.
        if let Ok(settlement) = made {
            case.keep(&signed, settlement).await?;
        }
    }
    Ok(Redirect::to("/console/cases").into_response())
}

/// `POST /console/cases/undo`: reverts the last decision and opens the case again.
pub(super) async fn undo(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let case = Case::find(&signed, form.get("case")).await?;
    let name = case.row.case.clone();
    let last = signed.read(move |models| models.last_decision(&name)).await?;
    let last = last.ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let settler = Settler { by: &signed.session.name, at: crate::environment::now(), note: "" };
    let undone = conflicts::undo(&case.book, &last, settler).map_err(|fault| refuse(signed.locale, &fault.into()))?;
    case.keep(&signed, undone).await?;
    Ok(Redirect::to("/console/cases").into_response())
}
