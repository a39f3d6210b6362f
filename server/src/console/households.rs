//! The list of households: filtered, sorted, searched, paged; adding one.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{HouseholdFilter, HouseholdRow, HouseholdSort};
use granary_client_core::quantities::TextField;
use granary_client_core::schema::{DocumentKey, household};
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::query_string;
use super::household::phones::{HouseholdPhones, last_heard};
use super::i18n::grouped;
use super::inputs::{Inputs, REQUIRED};
use super::names::Names;
use super::page::{Page, paging, token};
use super::parts::{Column, Row, Sorted, Table, empty};
use super::refusal::Refused;
use super::signed_in::{SignedIn, SignedInForm};
use super::spelled::{Sounding, households_of_members, sound};
use super::{cards, sheets};
use crate::engine::own_edits::Edits;

const PER_PAGE: u32 = 60;
/// What the choice of a village says for those that have none; no code has a colon.
pub(super) const NO_VILLAGE: &str = ":none";

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct HouseholdsQuery {
    search: String,
    village: String,
    phone: String,
    sort: String,
    way: String,
    page: String,
}

/// The village that a query chooses; an empty code for those without one.
pub(super) fn village_chosen(text: &str) -> Option<String> {
    match text {
        "" => None,
        NO_VILLAGE => Some(String::new()),
        code => Some(code.to_owned()),
    }
}

impl HouseholdsQuery {
    /// The query as a filter of the read model.
    fn filter(&self, phones: &HouseholdPhones) -> HouseholdFilter {
        let all = HouseholdFilter {
            search: self.search.trim().chars().take(80).collect(),
            village: village_chosen(&self.village),
            sort: HouseholdSort::from_name(&self.sort).unwrap_or_default(),
            is_reversed: self.way == "back",
            ..phones.everyone()
        };
        match self.phone.as_str() {
            "with" => HouseholdFilter { only: Some(phones.with_phone()), ..all },
            "without" => HouseholdFilter { without: phones.with_phone(), ..all },
            _ => all,
        }
    }

    /// The list's address with its filters, and with its order where that is asked for.
    fn address(&self, with_order: bool) -> String {
        let mut fields = vec![("search", &self.search), ("village", &self.village), ("phone", &self.phone)];
        if with_order {
            fields.extend([("sort", &self.sort), ("way", &self.way)]);
        }
        let fields: Vec<(&str, &str)> = fields.into_iter().map(|(name, value)| (name, value.as_str())).collect();
        format!("/console/households?{}", query_string(&fields))
    }
}

/// `GET /console/households`
pub(super) async fn show(signed: SignedIn, Query(query): Query<HouseholdsQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let phones = HouseholdPhones::of(&signed);
    let page = query.page.parse::<u32>().unwrap_or(1).clamp(1, 10_000);
    let mut also = match sound(&query.search) {
        Some(_) => Sounding::of(&Names::of(&signed).await?.with_households(&signed).await?, &query.search).households,
        None => Vec::new(),
    };
    also.extend(households_of_members(&signed, &query.search).await?);
    let filter = HouseholdFilter {
        also,
        limit: PER_PAGE,
        offset: page.saturating_sub(1).saturating_mul(PER_PAGE),
        ..query.filter(&phones)
    };
    let (rows, total) =
        signed.read(move |models| Ok((models.households(&filter)?, models.count_households(&filter)?))).await?;
    let is_whole = [&query.search, &query.village, &query.phone].into_iter().all(String::is_empty);
    let main = html! {
        (filters(&signed, &names, &query))
        p { (locale.with("households-found", &[("count", grouped(total))])) " " a href="/console/import" { (locale.t("import")) } " · " a href="/console/cooperative" { (locale.t("cooperative")) } }
        @if rows.is_empty() {
            @if is_whole { (empty(locale.t("no-households-yet"), &[("#add", locale.t("add-household")), ("/console/import", locale.t("import"))])) }
            @else { (empty(locale.t("no-households"), &[("/console/households", locale.t("show-all"))])) }
        } @else { (table(&signed, &names, &phones, &rows, &query)) }
        (paging(locale, &query.address(true), u64::from(page), u64::from(PER_PAGE), total))
        div.columns { (add_form(&signed, &names)) (sheets::form(&signed, &names)) (cards::form(&signed, &names)) }
    };
    Ok(Page { title: locale.t("part-households"), part: "households", main }.show(&signed))
}

fn filters(signed: &SignedIn, names: &Names, query: &HouseholdsQuery) -> Markup {
    let locale = signed.locale;
    let sorts = [HouseholdSort::Village, HouseholdSort::Name, HouseholdSort::Lots, HouseholdSort::Weight];
    html! {
        form.filters method="get" action="/console/households" aria-label=(locale.t("filter")) {
            label { (locale.t("search")) input name="search" value=(query.search) placeholder=(locale.t("search-households-hint")); }
            label { (locale.t("village")) (village_choice(signed, names, &query.village, true)) }
            label { (locale.t("phone")) select name="phone" {
                option value="" { (locale.t("all")) }
                @for one in ["with", "without"] { option value=(one) selected[one == query.phone] { (locale.of("household-phone", one)) } }
            } }
            label { (locale.t("sort")) select name="sort" {
                @for sort in sorts { option value=(sort.name()) selected[sort.name() == query.sort] { (locale.of("households-sort", sort.name())) } }
            } }
            button { (locale.t("show")) }
        }
    }
}

fn table(
    signed: &SignedIn,
    names: &Names,
    phones: &HouseholdPhones,
    rows: &[HouseholdRow],
    query: &HouseholdsQuery,
) -> Markup {
    let locale = signed.locale;
    let columns = vec![
        Column::text(locale.t("household")).sorts("name", false),
        Column::text(locale.t("village")).sorts("village", false),
        Column::text(locale.t("members")),
        Column::text(locale.t("phone")),
        Column::number(locale.t("lots")).sorts("lots", true),
        Column::number(locale.t("recorded")).sorts("weight", true),
        Column::actions(locale.t("actions")),
    ];
    let sorted = Sorted {
        by: HouseholdSort::from_name(&query.sort).unwrap_or_default().name(),
        is_reversed: query.way == "back",
        address: query.address(false),
    };
    let cells = |row: &HouseholdRow| {
        vec![
            html! { a href={ "/console/households/" (row.household) } { (names.household(&row.name, row.household)) } },
            html! { (names.village_or_none(&row.village)) },
            html! { (row.members) },
            last_heard(locale, phones.active_of(row.household)),
            html! { a href={ "/console/harvests?household=" (row.household) } { (grouped(row.lots.unsigned_abs())) } },
            html! { (locale.kilograms(row.recorded_grams)) },
            html! { form.inline method="post" action="/console/households/invite" {
            (token(signed)) input type="hidden" name="household" value=(row.household);
            button.quiet { (locale.t("invite")) } } },
        ]
    };
    let rows = rows.iter().map(|row| Row::of(cells(row)).with_id(format!("h-{}", row.household)));
    Table::of(locale.t("part-households"), columns).sorted(sorted).show(rows.collect())
}

fn add_form(signed: &SignedIn, names: &Names) -> Markup {
    let locale = signed.locale;
    let new = Inputs::of(signed, "/console/households/add", &[]);
    let none = locale.t("no-village");
    html! {
        section #add { h2 { (locale.t("add-household")) }
            form.card method="post" action="/console/households/add" {
                (new.hidden())
                label { (locale.t("name")) (new.empty("name", REQUIRED)) }
                label { (locale.t("village")) (new.select("village", "", names.village_choices(&none))) }
                p.small { (locale.t("village-later")) @if names.villages().is_empty() { " " a href="/console/cooperative" { (locale.t("villages-first")) } } }
                button { (locale.t("add")) }
            } }
    }
}

/// A choice among villages, with all of them and, where `with_none`, those that have no village.
pub(super) fn village_choice(signed: &SignedIn, names: &Names, chosen: &str, with_none: bool) -> Markup {
    let locale = signed.locale;
    html! { select name="village" {
        option value="" { (locale.t("all")) }
        @if with_none { option value=(NO_VILLAGE) selected[chosen == NO_VILLAGE] { (locale.t("without-village")) } }
        @for (code, name) in names.villages() { option value=(code) selected[code == chosen] { (name) } }
    } }
}

/// `POST /console/households/add`
pub(super) async fn add(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let name = form.text(signed.locale, "name", TextField::HouseholdName)?;
    let village = form.optional_text(signed.locale, "village", TextField::VillageCode)?;
    let millis = u64::try_from(crate::environment::now().0).unwrap_or(0);
    let random = crate::environment::random_bytes().map_err(|error| super::refusal::refuse(signed.locale, &error))?;
    let id = HouseholdId::generate(millis, random);
    let edit = Edits::one(DocumentKey::Household(id), move |doc| household::set_name(doc, &name, &village));
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to(&format!("/console/households/{id}")).into_response())
}
