//! One household's page: what it is owed, its cases and lots, its people and phones.

mod edit;
mod lots;
mod people;
pub(super) mod phones;

use axum::extract::{Path, Query};
use axum::response::Response;
use granary_client_core::conflicts::{CaseId, CaseState};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{CaseFilter, CaseRow, LotFilter};
use granary_client_core::schema::household::{self, Household};
use granary_client_core::schema::{Document, DocumentKey};
use maud::{Markup, html};
use serde::Deserialize;

pub(super) use self::edit::{move_member, put_back_payment, save};
use self::lots::SeasonOf;
use self::phones::HouseholdPhones;
use super::activity;
use super::i18n::{grouped, money};
use super::names::Names;
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;

/// Open cases on the page at most; the list of disagreements has all.
const CASES_SHOWN: u32 = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HouseholdQuery {
    season: String,
}

/// The id of an address or a form.
pub(super) fn id_of(signed: &SignedIn, text: &str) -> Result<HouseholdId, Refused> {
    text.parse().map_err(|_| refused(signed.locale, 404, "not-found"))
}

/// A household in its present state: also one that nobody has named yet, once a phone of it has enrolled or it has lots; it has
/// no document then.
pub(super) async fn household_of(signed: &SignedIn, id: HouseholdId) -> Result<(Option<Document>, Household), Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let key = DocumentKey::Household(id);
    if signed.cooperative.is_erased(&key) {
        return Err(missing());
    }
    if let Some(document) = signed.document(key).await? {
        let read = household::read(&document);
        return Ok((Some(document), read));
    }
    let has_phone = !HouseholdPhones::of(signed).of_household(id).is_empty();
    let lots = LotFilter { household: Some(id), with_merged: true, ..LotFilter::default() };
    match has_phone || signed.read(move |models| models.count_lots(&lots)).await? > 0 {
        true => Ok((None, Household::default())),
        false => Err(missing()),
    }
}

/// `GET /console/households/{household}`
pub(super) async fn one(
    signed: SignedIn,
    Path(id): Path<String>,
    Query(query): Query<HouseholdQuery>,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let id = id_of(&signed, &id)?;
    let (mut document, read) = household_of(&signed, id).await?;
    let (names, phones) = (Names::of(&signed).await?, HouseholdPhones::of(&signed));
    let season = SeasonOf::read(&signed, &names, id, &read.advances, &query.season).await?;
    let open =
        CaseFilter { state: Some(CaseState::Open), household: Some(id), limit: CASES_SHOWN, ..CaseFilter::default() };
    let (cases, open) = signed.read(move |models| Ok((models.cases(&open)?, models.count_cases(&open)?))).await?;
    let main = html! {
        @if read.name.is_none() { p.notice { (locale.t("household-name-it")) } }
        p { (names.village_or_none(read.village.as_deref().unwrap_or_default())) " · " span.small { (locale.t("column-id")) " " code { (id) } } }
        (season.figures(&signed, open))
        (cases_section(&signed, &names, &cases, open))
        (season.section(&signed, &names, id))
        (phones::section(&signed, &names, id, phones.of_household(id)).await?)
        div.columns {
            section { h2 { (locale.t("particulars")) } (people::form(&signed, &names, id, &read)) }
            (people::section(&signed, id, &read, document.as_mut()))
        }
        section #history { h2 { (locale.t("history")) } (activity::of_household(&signed, id).await) }
        p { a href={ "/console/households/" (id) "/erase" } { (locale.t("erase-household")) } }
    };
    let title = names.household(read.name.as_deref().unwrap_or_default(), id);
    Ok(Page { title, part: "households", main }.show(&signed))
}

/// The household's open cases; nothing where there are none.
fn cases_section(signed: &SignedIn, names: &Names, cases: &[CaseRow], total: u64) -> Markup {
    let locale = signed.locale;
    html! {
        @if !cases.is_empty() { section #cases {
            h2 { (locale.t("overview-open-cases")) }
            ul { @for case in cases { li {
                a href={ "/console/lots/" (case.case.lot()) } { (case.case.lot()) } " · " (case_words(signed, names, case))
                @if let Some(fen) = case.stake_fen { " · " (money(fen)) }
            } } }
            @if total > cases.len() as u64 { p { (locale.with("cases-first", &[("shown", grouped(cases.len() as u64)), ("count", grouped(total))])) } }
            p { a href="/console/cases" { (locale.t("part-cases")) } }
        } }
    }
}

fn case_words(signed: &SignedIn, names: &Names, case: &CaseRow) -> String {
    let locale = signed.locale;
    match &case.case {
        CaseId::Field(_, field) => {
            let values: Vec<String> = case.contenders.iter().map(|value| names.value(field, &value.value)).collect();
            let said = locale.with("case-field", &[("field", locale.of("field", field))]);
            format!("{said} {}", values.join(" / "))
        }
        CaseId::Receipt(_) => {
            let values: Vec<String> =
                case.contenders.iter().map(|value| names.value("receipt", &value.value)).collect();
            format!("{} {}", locale.t("case-receipt"), values.join(" / "))
        }
        CaseId::Twice(..) => locale.t("case-twice"),
        CaseId::Weight(_) => locale.with("case-weight", &[("weight", locale.weight(case.worth_grams))]),
    }
}

/// A household's fields as the form shows them.
fn shown(household: &Household) -> [(&'static str, String); 3] {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    [("name", text(&household.name)), ("village", text(&household.village)), ("payment", text(&household.payment))]
}
