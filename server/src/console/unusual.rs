//! Lots that are unusual: an unknown product or grade, a day elsewhere, a weight far from what is usual. Somebody confirmed each
//! of them, or a program recorded it without asking.

use std::collections::BTreeMap;

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::conflicts::{self, Settler};
use granary_client_core::plausibility::{Arrival, Correction, Earlier, Facts, Unusual, Usual, unusual_arrival};
use granary_client_core::projection::{LotRow, UNUSUAL_WINDOW, facts_of};
use granary_client_core::quantities::Day;
use granary_client_core::schema::case_book::decide;
use granary_client_core::schema::receipt::Outcome;
use granary_client_core::schema::{DocumentKey, LotId};
use granary_client_core::words::Words;
use maud::{Markup, html};
use serde::Deserialize;

use super::again::PAGE;
use super::i18n::grouped;
use super::inputs::Inputs;
use super::names::Names;
use super::page::Page;
use super::parts::empty;
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::AuditAction;
use crate::engine::own_edits::{Edit, Edits};

const RIGHT: &str = "/console/unusual/right";
/// Lots in one form at most.
const LOTS_MAX: usize = 200;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct UnusualQuery {
    page: String,
}

/// `GET /console/unusual`
pub(super) async fn show(signed: SignedIn, Query(query): Query<UnusualQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let (catalogue, places) = (names.known_catalogue().cloned(), names.places.clone());
    let today = Day::in_china(crate::environment::now());
    let page = query.page.parse::<u32>().unwrap_or(1).clamp(1, 10_000);
    let before = page.saturating_sub(1);
    let found = signed.read(move |models| models.unusual_lots(catalogue.as_ref(), &places, today, before)).await?;
    let first = u64::from(before).saturating_mul(u64::from(UNUSUAL_WINDOW));
    let window =
        [("from", grouped(first.saturating_add(1))), ("to", grouped(first.saturating_add(found.looked_through)))];
    let form = Inputs::of(&signed, RIGHT, &[]);
    let address = |page: u32| format!("/console/unusual?page={page}");
    let main = html! {
        p { (locale.t("unusual-help")) }
        p role="status" { (locale.with("lots-found", &[("count", grouped(found.lots.len() as u64))])) " "
            @if found.looked_through > 0 { (locale.with("unusual-window", &window)) } }
        @if found.lots.len() > LOTS_MAX { p.notice { (locale.with("unusual-first", &[("count", grouped(LOTS_MAX as u64))])) } }
        @if found.lots.is_empty() { (empty(locale.t("no-unusual"), &[("/console/cases", locale.t("part-cases"))])) } @else {
            form method="post" action=(RIGHT) {
                (form.hidden())
                div.scroll tabindex="0" role="region" aria-label=(locale.t("unusual-lots")) { table.stack {
                    thead { tr {
                        th scope="col" { (locale.t("unusual-right")) }
                        th scope="col" { (locale.t("day")) } th scope="col" { (locale.t("household")) }
                        th scope="col" { (locale.t("product")) } th.number scope="col" { (locale.t("recorded")) }
                        th scope="col" { (locale.t("unusual-what")) }
                    } }
                    tbody { @for (row, odd) in found.lots.iter().take(LOTS_MAX) { (line(&signed, &names, row, odd)) } }
                } }
                div.buttons { button { (locale.t("unusual-tick")) } }
            }
        }
        nav.paging aria-label=(locale.t("pages")) {
            @if page > 1 { a rel="prev" href=(address(before)) { (locale.t("unusual-later")) } }
            @if found.has_more { a rel="next" href=(address(page.saturating_add(1))) { (locale.t("unusual-earlier")) } }
        }
    };
    Ok(Page { title: locale.t("unusual-lots"), part: "cases", main }.show(&signed))
}

fn line(signed: &SignedIn, names: &Names, row: &LotRow, odd: &[Unusual]) -> Markup {
    let locale = signed.locale;
    let full = row.lot.in_full();
    html! { tr {
        td { input type="checkbox" name="lot" value=(full) aria-label={ (locale.t("unusual-right")) " " (row.lot) };
            input type="hidden" name={ "seen:" (full) } value=(facts_of(row).figures()); }
        td { a href={ "/console/lots/" (row.lot) } {
            (row.day.map_or_else(|| locale.t("damaged"), |day| day.to_string())) } }
        td data-label=(locale.t("household")) { (names.household(&row.household_name, row.lot.household())) @if !row.village.is_empty() { span.small { " · " (names.village(&row.village)) } } }
        td data-label=(locale.t("product")) { (names.product(&row.product)) }
        td.number data-label=(locale.t("recorded")) { (row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams))) }
        td.note { @for odd in odd { span.change { (odd.words(locale.language)) } " " } }
    } }
}

/// `POST /console/unusual/right`: the ticked lots were looked at and are right, with the figures that were seen. A lot whose figure
/// changed since comes back.
pub(super) async fn found_right(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let mut lots = Vec::new();
    for full in form.all("lot").take(LOTS_MAX) {
        let lot = LotId::from_full(full).ok_or_else(|| refused(locale, 400, "form-field-wrong"))?;
        lots.push((lot, form.get(&format!("seen:{full}")).to_owned()));
    }
    if lots.is_empty() {
        return Err(refused(locale, 400, "unusual-none-ticked"));
    }
    let at = crate::environment::now();
    let mut books: BTreeMap<DocumentKey, Vec<Edit>> = BTreeMap::new();
    for (lot, figures) in &lots {
        // The lot must be there: a form can't begin a case book of any household.
        signed.document(lot.book()).await?.ok_or_else(|| refused(locale, 404, "not-found"))?;
        let settler = Settler { by: &signed.session.name, at, note: "" };
        let decision = conflicts::found_right(lot, figures.clone(), settler);
        books.entry(lot.case_book()).or_default().push(Box::new(move |doc| decide(doc, &decision)));
    }
    let edits = books.into_iter().map(|(key, edits)| Edits { key, message: None, seen: None, edits });
    signed.edit(edits.collect()).await?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let detail = lots.iter().take(20).map(|(lot, _)| lot.to_string()).collect::<Vec<_>>().join(" ");
    signed.work(move || granary.audit(number, at, by, AuditAction::FoundRight, &detail)).await?;
    let to = if form.get(PAGE).starts_with("/console/unusual") { form.get(PAGE) } else { "/console/unusual" };
    Ok(Redirect::to(to).into_response())
}

/// What is unusual about a lot in the fields that a correction of it changes, each with its field.
pub(super) async fn of_correction(
    signed: &SignedIn,
    lot: &LotId,
    correction: &Correction<'_>,
) -> Result<Vec<(String, Unusual)>, Refused> {
    let odd =
        with_usual(signed, lot, correction.facts(), |usual| correction.unusual(Some(lot.season()), usual)).await?;
    Ok(with_fields(odd))
}

/// What is unusual about the receipt of a lot with this outcome on this day, each with its field.
pub(super) async fn of_receipt(
    signed: &SignedIn,
    row: &LotRow,
    outcome: &Outcome,
    day: Day,
) -> Result<Vec<(String, Unusual)>, Refused> {
    let (weighed, grade) = match outcome {
        Outcome::Received { weighed, grade } => (Some(*weighed), grade.as_str()),
        Outcome::Rejected { .. } => (None, ""),
    };
    let facts = facts_of(row);
    let (product, recorded, harvested) = (facts.product, facts.quantity, facts.day);
    let arrival = Arrival { product, weighed, grade, day, recorded, harvested };
    Ok(with_fields(with_usual(signed, &row.lot, &facts, |usual| unusual_arrival(&arrival, usual)).await?))
}

fn with_fields(odd: Vec<Unusual>) -> Vec<(String, Unusual)> {
    odd.into_iter().map(|odd| (odd.field().to_owned(), odd)).collect()
}

async fn with_usual<R>(
    signed: &SignedIn,
    lot: &LotId,
    facts: &Facts<'_>,
    ask: impl FnOnce(&Usual<'_>) -> R,
) -> Result<R, Refused> {
    let names = Names::of(signed).await?;
    let household = lot.household();
    let lots = signed.read(move |models| models.earlier_lots(household)).await?;
    let earlier = Earlier::of(&lots, facts.product, facts.place, Some(lot));
    let today = Some(Day::in_china(crate::environment::now()));
    Ok(ask(&Usual { catalogue: names.known_catalogue(), places: &names.places, today, season: None, earlier }))
}
