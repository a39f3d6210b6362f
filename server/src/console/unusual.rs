//! Lots that are unusual: an unknown product or grade, a day elsewhere, a weight far from what is usual. Somebody confirmed each
//! of them, or a program recorded it without asking.

use axum::response::Response;
use granary_client_core::ids::HouseholdId;
use granary_client_core::plausibility::{Facts, Unusual, Usual, unusual};
use granary_client_core::quantities::Day;
use granary_client_core::schema::Season;
use granary_client_core::words::Words;
use maud::html;

use super::forms::Form;
use super::i18n::grouped;
use super::names::Names;
use super::page::Page;
use super::refusal::Refused;
use super::signed_in::SignedIn;

/// Lots on the page at most.
const LOTS_MAX: usize = 200;

/// `GET /console/unusual`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let catalogue = names.known_catalogue().cloned();
    let today = Day::in_china(crate::environment::now());
    let lots = signed.read(move |models| models.unusual_lots(catalogue.as_ref(), today, LOTS_MAX)).await?;
    let main = html! {
        p { (locale.t("unusual-help")) }
        p role="status" { (locale.with("lots-found", &[("count", grouped(lots.len() as u64))])) }
        @if lots.is_empty() { p.empty { (locale.t("no-unusual")) } } @else {
            div.scroll tabindex="0" role="region" aria-label=(locale.t("unusual-lots")) { table {
                thead { tr {
                    th scope="col" { (locale.t("day")) } th scope="col" { (locale.t("household")) }
                    th scope="col" { (locale.t("product")) } th.number scope="col" { (locale.t("recorded")) }
                    th scope="col" { (locale.t("unusual-what")) }
                } }
                tbody { @for (row, odd) in &lots { tr {
                    td { a href={ "/console/lots/" (row.lot) } {
                        (row.day.map_or_else(|| locale.t("damaged"), |day| day.to_string())) } }
                    td { (names.household(&row.household_name, row.lot.household())) @if !row.village.is_empty() { span.small { " · " (names.village(&row.village)) } } }
                    td { (names.product(&row.product)) }
                    td.number { (row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams))) }
                    td.note { @for odd in odd { span.change { (odd.words(locale.language)) } " " } }
                } } }
            } }
        }
    };
    Ok(Page { title: locale.t("unusual-lots"), part: "cases", main }.show(&signed))
}

/// What is unusual about a lot of a household with these facts.
pub(super) async fn of(
    signed: &SignedIn,
    household: HouseholdId,
    season: Option<Season>,
    facts: &Facts<'_>,
) -> Result<Vec<Unusual>, Refused> {
    let names = Names::of(signed).await?;
    let product = facts.product.to_owned();
    let weights = signed.read(move |models| models.usual_weights(household, &product)).await?;
    let today = Some(Day::in_china(crate::environment::now()));
    Ok(unusual(facts, &Usual { catalogue: names.known_catalogue(), today, season, weights }))
}

/// Asks about what is unusual; the answer sends the same form again, confirmed.
pub(super) fn ask_back(signed: &SignedIn, action: &str, form: &Form, odd: &[Unusual]) -> Response {
    let locale = signed.locale;
    let main = html! {
        ul { @for odd in odd { li.mark { (odd.words(locale.language)) } } }
        p { (locale.t("unusual-ask")) }
        form.card method="post" action=(action) {
            @for (name, value) in form.everything() { input type="hidden" name=(name) value=(value); }
            label.check { input type="checkbox" name="confirmed" value="yes" required; (locale.t("unusual-confirm")) }
            div.buttons { button { (locale.t("save")) } }
        }
        p { a href=(action.trim_end_matches("/correct").trim_end_matches("/receipt")) { (locale.t("unusual-back")) } }
    };
    Page { title: locale.t("unusual-title"), part: "harvests", main }.show(signed)
}
