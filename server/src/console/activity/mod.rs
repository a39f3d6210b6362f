//! The activity: who did what when, with what stood there before and after. One list of all of it, with filters, for a spreadsheet
//! too; and the part of it that is about one thing, for that thing's page.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{ActivityFilter, ActivityRow};
use granary_client_core::quantities::Day;
use granary_client_core::schema::{OrderName, StreamCode};
use maud::{Markup, html};
use serde::Deserialize;

use super::export::{self, Cell};
use super::forms::encode;
use super::i18n::{Locale, grouped};
use super::names::Names;
use super::page::{Page, paging};
use super::parts::{Column, Row, Table, empty};
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;

mod kinds;
mod words;

use words::Told;

const HERE: &str = "/console/activity";
const PER_PAGE: u32 = 60;
/// Rows on the page of a thing.
const OF_THING: u32 = 30;
/// Names in the list from which a person is chosen, at most.
const DOERS_MAX: usize = 200;

/// What the list is filtered by, as it was typed.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub(super) struct ActivityQuery {
    kind: String,
    who: String,
    thing: String,
    from: String,
    to: String,
    page: String,
}

impl ActivityQuery {
    fn address(&self, page: &str) -> String {
        let fields =
            [("kind", &self.kind), ("who", &self.who), ("thing", &self.thing), ("from", &self.from), ("to", &self.to)];
        let fields: Vec<String> = fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        if fields.is_empty() { page.to_owned() } else { format!("{page}?{}", fields.join("&")) }
    }

    /// The filter that was meant: a person and a thing are named as people name them, or by their ids.
    async fn filter(&self, signed: &SignedIn, names: &Names) -> Result<ActivityFilter, Refused> {
        let who = match self.who.trim() {
            "" => Vec::new(),
            typed => {
                let found: Vec<String> = doers(signed)
                    .await?
                    .into_iter()
                    .filter(|who| *who == typed || named(&names.doer(who), typed))
                    .collect();
                // Nobody of that name did anything: the list is empty, not whole.
                if found.is_empty() { vec![typed.to_owned()] } else { found }
            }
        };
        let things = match self.thing.trim() {
            "" => None,
            typed => Some(names.things_named(typed)),
        };
        let until = self.to.parse::<Day>().ok().map(|day| day.plus_days(1).begins_in_china());
        Ok(ActivityFilter {
            kinds: kinds::within(&self.kind),
            who,
            things,
            from: self.from.parse::<Day>().ok().map(Day::begins_in_china),
            until,
            ..ActivityFilter::default()
        })
    }
}

fn named(name: &str, typed: &str) -> bool {
    name.to_lowercase().contains(&typed.to_lowercase())
}

async fn doers(signed: &SignedIn) -> Result<Vec<String>, Refused> {
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    signed.work(move || granary.doers(number)).await
}

async fn rows(signed: &SignedIn, filter: ActivityFilter) -> Result<(Vec<ActivityRow>, u64), Refused> {
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    signed.work(move || granary.activity(number, &filter)).await
}

/// `GET /console/activity`
pub(super) async fn show(signed: SignedIn, Query(query): Query<ActivityQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let page = query.page.parse::<u32>().unwrap_or(1).clamp(1, 10_000);
    let filter = query.filter(&signed, &names).await?;
    let offset = page.saturating_sub(1).saturating_mul(PER_PAGE);
    let (rows, total) = rows(&signed, ActivityFilter { limit: PER_PAGE, offset, ..filter }).await?;
    let mut people: Vec<String> = doers(&signed).await?.iter().map(|who| names.doer_name(who)).collect();
    people.sort();
    people.dedup();
    people.truncate(DOERS_MAX);
    let main = html! {
        form.filters method="get" action=(HERE) aria-label=(locale.t("filter")) {
            label { (locale.t("activity-kind")) select name="kind" {
                option value="" { (locale.t("all")) }
                @for kind in kinds::ALL { option value=(kind) selected[kind == query.kind] { (locale.of("activity", kind)) } }
            } }
            label { (locale.t("who")) input name="who" value=(query.who) list="doers"; }
            datalist #doers { @for name in &people { option value=(name) {} } }
            label { (locale.t("activity-thing")) input name="thing" value=(query.thing); }
            label { (locale.t("from-day")) input type="date" name="from" value=(query.from); }
            label { (locale.t("to-day")) input type="date" name="to" value=(query.to); }
            button { (locale.t("show")) }
        }
        p { (locale.with("activity-found", &[("count", grouped(total))])) " "
            a href=(query.address(&format!("{HERE}/activity.csv"))) { "CSV" } " · "
            a href=(query.address(&format!("{HERE}/activity.xlsx"))) { "XLSX" } }
        @if rows.is_empty() { (empty(locale.t("no-activity"), &[(HERE, locale.t("show-all"))])) } @else { (table(locale, &names, &rows, true)) }
        (paging(locale, &query.address(HERE), u64::from(page), u64::from(PER_PAGE), total))
    };
    Ok(Page { title: locale.t("part-activity"), part: "activity", main }.show(&signed))
}

fn table(locale: Locale, names: &Names, rows: &[ActivityRow], with_thing: bool) -> Markup {
    let mut heads = vec!["when", "who", "what"];
    if with_thing {
        heads.push("activity-thing");
    }
    heads.extend(["before", "after"]);
    let columns = heads.into_iter().map(|head| Column::text(locale.t(head))).collect();
    let row = |row: &ActivityRow| {
        let told = Told::of(locale, names, row);
        let mut cells =
            vec![html! { (locale.moment(row.at)) }, html! { (names.doer_name(&row.who)) }, html! { (told.what) }];
        if with_thing {
            cells.push(html! { @match told.address {
                Some(address) => a href=(address) { (told.thing) },
                None => (told.thing),
            } });
        }
        cells.extend([html! { (told.before) }, html! { (told.after) }]);
        Row::of(cells)
    };
    Table::of(locale.t("part-activity"), columns).show(rows.iter().map(row).collect())
}

/// `GET /console/activity/{file}`: the rows of the filter, as CSV or XLSX.
pub(super) async fn download(
    signed: SignedIn,
    Path(file): Path<String>,
    Query(query): Query<ActivityQuery>,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let Some(("activity", form)) = file.split_once('.') else { return Err(refused(locale, 404, "not-found")) };
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let filter = query.filter(&signed, &names).await?;
    let (rows, _) = rows(&signed, ActivityFilter { limit: export::ROWS_MAX, ..filter }).await?;
    let cells = rows.iter().map(|row| {
        let told = Told::of(locale, &names, row);
        vec![
            Cell::Moment(row.at),
            Cell::Text(names.doer(&row.who)),
            Cell::Text(told.what),
            Cell::Text(told.thing),
            Cell::Id(row.thing.clone()),
            Cell::Text(told.before),
            Cell::Text(told.after),
        ]
    });
    let columns = ["when", "who", "what", "thing", "thing-id", "before", "after"];
    let sheet = export::sheet(locale, &columns, cells.collect());
    export::give(&signed, "activity", form, sheet).await.map(IntoResponse::into_response)
}

/// The latest that was done to one thing, with the way to all of it.
async fn of_thing(signed: &SignedIn, thing: String) -> Markup {
    let locale = signed.locale;
    let filter = ActivityFilter { things: Some(vec![thing.clone()]), limit: OF_THING, ..ActivityFilter::default() };
    let found = async {
        let names = Names::of(signed).await?.with_households(signed).await?;
        Ok::<_, Refused>((rows(signed, filter).await?, names))
    };
    // What a page is about stays readable without its history.
    let Ok(((rows, total), names)) = found.await else { return html! { p.empty { (locale.t("no-activity")) } } };
    html! {
        @if rows.is_empty() { p.empty { (locale.t("no-activity")) } } @else { (table(locale, &names, &rows, false)) }
        @if total > rows.len() as u64 {
            p { a href={ (HERE) "?thing=" (encode(&thing)) } { (locale.with("activity-all", &[("count", grouped(total))])) } }
        }
    }
}

/// What was done to a product.
pub(super) async fn of_product(signed: &SignedIn, code: &str) -> Markup {
    of_thing(signed, format!("product:{code}")).await
}

/// What was done to a pack that shops sell.
pub(super) async fn of_sku(signed: &SignedIn, code: &str) -> Markup {
    of_thing(signed, format!("sku:{code}")).await
}

/// What was done to an order.
pub(super) async fn of_order(signed: &SignedIn, name: &OrderName) -> Markup {
    of_thing(signed, format!("order:{name}")).await
}

/// What was done to a live-stream.
pub(super) async fn of_stream(signed: &SignedIn, code: &StreamCode) -> Markup {
    of_thing(signed, format!("stream:{code}")).await
}

/// What was done to a promotion.
pub(super) async fn of_promotion(signed: &SignedIn, code: &str) -> Markup {
    of_thing(signed, format!("promotion:{code}")).await
}

/// What was done to a household: its particulars, its phones, its disagreements.
pub(super) async fn of_household(signed: &SignedIn, id: HouseholdId) -> Markup {
    of_thing(signed, format!("household:{id}")).await
}

/// What was done to the co-operative's own document.
pub(super) async fn of_cooperative(signed: &SignedIn) -> Markup {
    of_thing(signed, "cooperative".to_owned()).await
}
