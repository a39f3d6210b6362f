//! Cards for households: who has no phone shows one to whoever records for her, who scans its QR or types its number. Eight on a sheet
//! of A4. A card is no key: it says which household, and opens nothing.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{HouseholdFilter, HouseholdRow};
use granary_client_core::schema::CardNumber;
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::query_string;
use super::household::phones::HouseholdPhones;
use super::households::{village_choice, village_chosen};
use super::i18n::grouped;
use super::names::Names;
use super::page::{Page, paging};
use super::parts::{empty, qr};
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;

/// Cards on one sheet of A4: each is an A7.
const PER_SHEET: usize = 8;
/// Cards on one page of the console: ten sheets.
const PER_PAGE: u32 = 80;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct CardsQuery {
    /// One household's card.
    household: String,
    village: String,
    /// `without`: only for those that have no phone.
    phone: String,
    page: String,
}

impl CardsQuery {
    fn filter(&self, phones: &HouseholdPhones) -> Option<HouseholdFilter> {
        let all = HouseholdFilter { village: village_chosen(&self.village), ..phones.everyone() };
        Some(match (self.household.as_str(), self.phone.as_str()) {
            ("", "without") => HouseholdFilter { without: phones.with_phone(), ..all },
            ("", _) => all,
            (one, _) => HouseholdFilter { village: None, only: Some(vec![one.parse::<HouseholdId>().ok()?]), ..all },
        })
    }
}

/// `GET /console/households/cards`
pub(super) async fn show(signed: SignedIn, Query(query): Query<CardsQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let phones = HouseholdPhones::of(&signed);
    let page = query.page.parse::<u32>().unwrap_or(1).clamp(1, 10_000);
    let filter = query.filter(&phones).ok_or_else(|| refused(locale, 404, "not-found"))?;
    let filter = HouseholdFilter { limit: PER_PAGE, offset: page.saturating_sub(1).saturating_mul(PER_PAGE), ..filter };
    let (rows, total) =
        signed.read(move |models| Ok((models.households(&filter)?, models.count_households(&filter)?))).await?;
    let fields = [("household", query.household.as_str()), ("village", &query.village), ("phone", &query.phone)];
    let address = format!("/console/households/cards?{}", query_string(&fields));
    let main = html! {
        p.screen-only { (locale.with("cards-print", &[("count", grouped(total))])) }
        @if rows.is_empty() { (empty(locale.t("no-households"), &[("/console/households", locale.t("part-households"))])) }
        (paging(locale, &address, u64::from(page), u64::from(PER_PAGE), total))
        @for sheet in rows.chunks(PER_SHEET) {
            div.papers { @for row in sheet { (card(&signed, &names, row)) } }
        }
    };
    Ok(Page { title: locale.t("cards"), part: "households", main }.show(&signed))
}

/// The form for a sheet of cards, on the page of households.
pub(super) fn form(signed: &SignedIn, names: &Names) -> Markup {
    let locale = signed.locale;
    html! {
        section { h2 { (locale.t("cards")) }
            form.card method="get" action="/console/households/cards" {
                p { (locale.t("cards-help")) }
                label { (locale.t("village")) (village_choice(signed, names, "", false)) }
                label { (locale.t("cards-for")) select name="phone" {
                    option value="without" { (locale.t("cards-without-phone")) }
                    option value="" { (locale.t("all")) } } }
                button { (locale.t("cards-make")) }
            } }
    }
}

fn card(signed: &SignedIn, names: &Names, row: &HouseholdRow) -> Markup {
    let locale = signed.locale;
    let number = CardNumber::of(row.household);
    html! {
        article.paper {
            div {
                p.small { (signed.cooperative.name()) }
                h2 { (names.household(&row.name, row.household)) }
                @if !row.village.is_empty() { p { (names.village(&row.village)) } }
                p.digits { (number) }
                p.small { (locale.t("card-help")) }
            }
            (qr(&signed.public_address.card(number)))
        }
    }
}
