//! The list of lots: filtered, sorted, searched, paged.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::projection::{LotFilter, LotRow, LotSort, LotState};
use granary_client_core::schema::LotName;
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::encode;
use super::i18n::{Locale, grouped};
use super::names::Names;
use super::page::{Page, paging};
use super::parts::{Column, Row, Sorted, Table, empty, views};
use super::question_many;
use super::refusal::Refused;
use super::signed_in::SignedIn;
use super::spelled::{Sounding, sound};

const PER_PAGE: u64 = 50;

/// The address's query; a field that can't be parsed does not filter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct HarvestsQuery {
    pub(super) product: String,
    pub(super) village: String,
    pub(super) state: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) search: String,
    pub(super) household: String,
    pub(super) conflicts: String,
    pub(super) questions: String,
    pub(super) sort: String,
    pub(super) way: String,
    pub(super) page: String,
}

fn some(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(80).collect())
}

impl HarvestsQuery {
    /// The query as a filter of the read model.
    pub(super) fn filter(&self) -> LotFilter {
        // A lot's number, as somebody reads it out, finds that lot, also one that no longer counts.
        if let Ok(LotName::Code(code)) = self.search.parse() {
            return LotFilter { code: Some(code), with_merged: true, ..LotFilter::default() };
        }
        LotFilter {
            household: self.household.parse().ok(),
            village: some(&self.village),
            product: some(&self.product),
            from: self.from.parse().ok(),
            to: self.to.parse().ok(),
            state: LotState::from_name(&self.state),
            search: some(&self.search),
            only_conflicts: self.conflicts == "yes",
            only_questions: self.questions == "yes",
            sort: LotSort::from_name(&self.sort).unwrap_or_default(),
            is_reversed: self.way == "back",
            ..LotFilter::default()
        }
    }

    /// As [`Self::filter`]; what sounds as the search says is found too.
    pub(super) async fn filter_by_sound(&self, signed: &SignedIn) -> Result<LotFilter, Refused> {
        let filter = self.filter();
        if filter.search.as_deref().and_then(sound).is_none() {
            return Ok(filter);
        }
        let names = Names::of(signed).await?.with_households(signed).await?;
        let Sounding { households, products } = Sounding::of(&names, filter.search.as_deref().unwrap_or_default());
        Ok(LotFilter { search_households: households, search_products: products, ..filter })
    }

    /// The query as text, without its page.
    pub(super) fn to_query_string(&self) -> String {
        let order = [("sort", &self.sort), ("way", &self.way)].into_iter().filter(|(_, value)| !value.is_empty());
        let order = order.map(|(name, value)| format!("{name}={}", encode(value)));
        let filters = Some(self.filters()).filter(|filters| !filters.is_empty());
        filters.into_iter().chain(order).collect::<Vec<_>>().join("&")
    }

    /// The query as text, without its page and its order.
    fn filters(&self) -> String {
        let fields = [
            ("product", &self.product),
            ("village", &self.village),
            ("state", &self.state),
            ("from", &self.from),
            ("to", &self.to),
            ("search", &self.search),
            ("household", &self.household),
            ("conflicts", &self.conflicts),
            ("questions", &self.questions),
        ];
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
    }
}

/// `GET /console/harvests`
pub(super) async fn show(signed: SignedIn, Query(query): Query<HarvestsQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let page = query.page.parse::<u64>().unwrap_or(1).clamp(1, 100_000);
    let filter = LotFilter {
        limit: u32::try_from(PER_PAGE).unwrap_or(50),
        offset: u32::try_from(page.saturating_sub(1).saturating_mul(PER_PAGE)).unwrap_or(u32::MAX),
        ..query.filter_by_sound(&signed).await?
    };
    let (rows, total) = signed.read(move |models| Ok((models.lots(&filter)?, models.count_lots(&filter)?))).await?;
    let address = format!("/console/harvests?{}", query.to_query_string());
    let ask = question_many::form(&signed)?;
    let views = views::show(&signed, "/console/harvests", &address).await?;
    let sorted = Sorted {
        by: LotSort::from_name(&query.sort).unwrap_or_default().name(),
        is_reversed: query.way == "back",
        address: format!("/console/harvests?{}", query.filters()),
    };
    let main = html! {
        (views)
        (filters(&signed, &names, &query))
        p { (locale.with("lots-found", &[("count", grouped(total))])) " "
            a href={ "/console/export/lots.csv?" (query.to_query_string()) } { "CSV" } " "
            a href={ "/console/export/lots.xlsx?" (query.to_query_string()) } { "XLSX" }
        }
        @if rows.is_empty() {
            @if query.filters().is_empty() { (empty(locale.t("no-lots-yet"), &[("/console/households", locale.t("part-households"))])) }
            @else { (empty(locale.t("no-lots"), &[("/console/harvests", locale.t("show-all"))])) }
        } @else { (table(&signed, &names, &rows, Some(sorted))) (ask) }
        (paging(locale, &address, page, PER_PAGE, total))
    };
    Ok(Page { title: locale.t("part-harvests"), part: "harvests", main }.show(&signed))
}

fn filters(signed: &SignedIn, names: &Names, query: &HarvestsQuery) -> Markup {
    let locale = signed.locale;
    html! {
        form.filters method="get" action="/console/harvests" aria-label=(locale.t("filter")) {
            label { (locale.t("search")) input name="search" value=(query.search) placeholder=(locale.t("search-hint")); }
            label { (locale.t("product"))
                select name="product" {
                    option value="" { (locale.t("all")) }
                    @for (code, name) in names.products() { option value=(code) selected[*code == query.product] { (name) } }
                }
            }
            label { (locale.t("village"))
                select name="village" {
                    option value="" { (locale.t("all")) }
                    @for (code, name) in names.villages() { option value=(code) selected[*code == query.village] { (name) } }
                }
            }
            label { (locale.t("state"))
                select name="state" {
                    option value="" { (locale.t("all")) }
                    @for state in [LotState::Recorded, LotState::Received, LotState::Rejected] {
                        option value=(state.name()) selected[state.name() == query.state] { (locale.of("state", state.name())) }
                    }
                }
            }
            label { (locale.t("from-day")) input type="date" name="from" value=(query.from); }
            label { (locale.t("to-day")) input type="date" name="to" value=(query.to); }
            label { (locale.t("sort"))
                select name="sort" {
                    @for sort in [LotSort::Day, LotSort::Weight, LotSort::Household, LotSort::Product] {
                        option value=(sort.name()) selected[sort.name() == query.sort] { (locale.of("sort", sort.name())) }
                    }
                }
            }
            @if !query.household.is_empty() { input type="hidden" name="household" value=(query.household); }
            label.check { input type="checkbox" name="conflicts" value="yes" checked[query.conflicts == "yes"]; (locale.t("only-conflicts")) }
            label.check { input type="checkbox" name="questions" value="yes" checked[query.questions == "yes"]; (locale.t("only-questions")) }
            button { (locale.t("show")) }
        }
    }
}

/// The lots of a list; without its order, where it can't be sorted.
pub(super) fn table(signed: &SignedIn, names: &Names, rows: &[LotRow], sorted: Option<Sorted<'_>>) -> Markup {
    let locale = signed.locale;
    let columns = vec![
        Column::text(locale.t("day")).sorts("day", true),
        Column::text(locale.t("household")).sorts("household", false),
        Column::text(locale.t("product")).sorts("product", false),
        Column::text(locale.t("grade")).sorts("grade", false),
        Column::number(locale.t("recorded")).sorts("weight", true),
        Column::number(locale.t("weighed")).sorts("weighed", true),
        Column::text(locale.t("state")).sorts("state", false),
        Column::text(locale.t("note")),
    ];
    let table = Table::of(locale.t("part-harvests"), columns);
    let table = match sorted {
        Some(sorted) => table.sorted(sorted),
        None => table,
    };
    let can_tick = table.is_sorted();
    table.show(rows.iter().map(|row| Row::of(cells(signed, names, row, can_tick))).collect())
}

/// A lot that has no receipt is not weighed yet.
fn state_word(locale: Locale, state: LotState) -> String {
    match state {
        LotState::Recorded => locale.t("not-weighed-yet"),
        LotState::Received | LotState::Rejected => locale.of("state", state.name()),
    }
}

fn cells(signed: &SignedIn, names: &Names, row: &LotRow, can_tick: bool) -> Vec<Markup> {
    let locale = signed.locale;
    let grade = match row.weighed_grade.as_str() {
        "" => html! { (row.grade) },
        // The warehouse's grade decides the price.
        weighed if weighed == row.grade => html! { (weighed) },
        weighed => html! { strong { (weighed) } @if !row.grade.is_empty() { " " s.small { (row.grade) } } },
    };
    vec![
        html! { @if can_tick { (question_many::tick(signed, &row.lot)) } a href={ "/console/lots/" (row.lot) } { (row.day.map_or_else(|| locale.t("damaged"), |day| day.to_string()))
        span.narrow { " · " (names.household(&row.household_name, row.lot.household())) " · " (names.product(&row.product)) } } },
        html! { (names.household(&row.household_name, row.lot.household()))
        @if !row.village.is_empty() { span.small { " · " (names.village(&row.village)) } } },
        html! { (names.product(&row.product)) },
        grade,
        html! { (row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams))) },
        html! { @if let Some(grams) = row.weighed_grams { (locale.kilograms(grams)) } },
        html! { (state_word(locale, row.state))
        @if row.in_conflict || row.receipt_in_conflict { " " span.mark { (locale.t("edited-at-once")) } }
        @if row.is_damaged { " " span.mark { (locale.t("damaged")) } } },
        html! { @if !row.note.is_empty() || !row.reason.is_empty() { span.note { (row.note) @if !row.reason.is_empty() { " " (row.reason) } } } },
    ]
}
