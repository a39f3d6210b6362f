//! The overview: amounts received and recorded, open work, silent phones.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::conflicts::CaseState;
use granary_client_core::projection::{
    CaseFilter, CaseRow, LotFilter, LotRow, OrderCounts, QuestionState, Total, TotalBy,
};
use granary_client_core::quantities::{Day, Instant};
use granary_client_core::schema::order::OrderState;
use granary_client_core::store::StoreFault;
use maud::{Markup, html};
use serde::Deserialize;

use super::charts::{self, Bar};
use super::first_run;
use super::household::phones::HouseholdPhones;
use super::i18n::grouped;
use super::names::Names;
use super::page::Page;
use super::parts::empty;
use super::questions;
use super::refusal::Refused;
use super::signed_in::SignedIn;
use crate::engine::read_models::Totals;

/// Days without a sync after which a phone is listed, unless the query gives another number.
const SILENT_DAYS: u32 = 7;
/// Days in the chart, up to the latest.
const DAYS: i32 = 45;
/// Silent phones and latest lots on the page.
const LISTED: usize = 8;

#[derive(Deserialize)]
pub(super) struct OverviewQuery {
    #[serde(default)]
    silent: Option<u32>,
}

/// What the page reads from the lists.
struct Lists {
    open: u64,
    orders: OrderCounts,
    /// Questions to households that were answered and not closed.
    answered: u64,
    households: u64,
    latest: Vec<LotRow>,
    lost: Vec<CaseRow>,
    /// Weights of the last seven days, and of the seven before.
    weeks: [Total; 2],
}

async fn lists(signed: &SignedIn, today: Day, now: Instant) -> Result<Lists, Refused> {
    let everyone = HouseholdPhones::of(signed).everyone();
    let latest = LotFilter { limit: u32::try_from(LISTED).unwrap_or(8), ..LotFilter::default() };
    let twice = CaseFilter { state: Some(CaseState::SettledTwice), ..CaseFilter::default() };
    let week = move |from: i32, to: i32| LotFilter {
        from: Some(today.plus_days(from)),
        to: Some(today.plus_days(to)),
        ..LotFilter::default()
    };
    signed
        .read(move |models| {
            let sum = |filter: &LotFilter| Ok::<_, StoreFault>(sum_of(&models.totals_by(filter, TotalBy::Product)?));
            let counts = models.order_counts(now)?;
            let orders = models.count_disagreeing_orders()?.saturating_add(counts.trespassed);
            Ok(Lists {
                open: models.case_counts()?.open.saturating_add(orders),
                answered: questions::count(models, QuestionState::Answered)?,
                orders: counts,
                households: models.count_households(&everyone)?,
                latest: models.lots(&latest)?,
                lost: models.cases(&twice)?,
                weeks: [sum(&week(-6, 0))?, sum(&week(-13, -7))?],
            })
        })
        .await
}

fn sum_of(totals: &[Total]) -> Total {
    let nothing = Total { name: String::new(), lots: 0, recorded_grams: 0, received_grams: 0 };
    totals.iter().fold(nothing, |sum, total| Total {
        name: String::new(),
        lots: sum.lots.saturating_add(total.lots),
        recorded_grams: sum.recorded_grams.saturating_add(total.recorded_grams),
        received_grams: sum.received_grams.saturating_add(total.received_grams),
    })
}

/// Phones that were not heard from since `limit`: what they are, and when they were heard from last; the longest silent first.
fn silent_phones(signed: &SignedIn, names: &Names, limit: i64) -> Vec<(String, Option<i64>)> {
    let mut silent: Vec<(String, Option<i64>)> = signed
        .cooperative
        .devices()
        .into_iter()
        .filter(|(_, record, _)| record.revoked_millis.is_none() && !record.is_of_the_server())
        .map(|(id, record, seen)| {
            let roles: Vec<String> = record.last_roles().iter().map(|role| names.role(role)).collect();
            (format!("{} · {}", names.device(id), roles.join(", ")), seen.map(|seen| seen.at_millis))
        })
        .filter(|(_, at)| at.is_none_or(|at| at < limit))
        .collect();
    silent.sort_by(|one, other| (one.1, &one.0).cmp(&(other.1, &other.0)));
    silent
}

/// `GET /console`
pub(super) async fn show(signed: SignedIn, Query(query): Query<OverviewQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let now = crate::environment::now();
    let today = Day::in_china(now);
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    if let Some(main) = first_run::show_if_new(&signed, &names).await? {
        return Ok(Page { title: locale.t("first-run"), part: "overview", main }.show(&signed));
    }
    let models = signed.read_models()?;
    let totals = signed.work(move || Ok(models.totals()?)).await?;
    let Totals { by_product, by_village, by_day } = totals.as_ref();
    let lists = lists(&signed, today, now).await?;
    let to_pack = lists.orders.by_state.get(&OrderState::ToPack).copied().unwrap_or(0);
    let yesterday = today.plus_days(-1);
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let arrived = signed.work(move || granary.arrived_since(number, yesterday.begins_in_china())).await?;
    let (granary, cooperative) = (signed.granary.clone(), signed.cooperative.clone());
    let lacks_orders = signed.work(move || granary.lacks_orders(&cooperative)).await?;
    let silent_days = query.silent.unwrap_or(SILENT_DAYS);
    let limit = now.0.saturating_sub(i64::from(silent_days).saturating_mul(86_400_000));
    let silent = silent_phones(&signed, &names, limit);
    let all = sum_of(by_product);
    let bars = |totals: &[Total], name: &dyn Fn(&str) -> String| -> Vec<Bar> {
        let bar = |total: &Total| Bar {
            name: name(&total.name),
            recorded: total.recorded_grams,
            received: total.received_grams,
        };
        totals.iter().map(bar).collect()
    };
    let first = today.plus_days(-DAYS);
    let days: Vec<(Day, i64, i64)> = by_day
        .iter()
        .filter_map(|total| Some((total.name.parse::<Day>().ok()?, total.recorded_grams, total.received_grams)))
        .collect();
    let days = match days.last() {
        // The chart ends with the latest lot, where the season is over.
        Some((latest, ..)) if *latest < first => {
            days.iter().filter(|(day, ..)| *day >= latest.plus_days(-DAYS)).copied().collect()
        }
        _ => days.into_iter().filter(|(day, ..)| (first..=today).contains(day)).collect::<Vec<_>>(),
    };
    let figure = |grams: i64| locale.kilograms(grams);
    let words = |title: &str, name: &str| charts::Words {
        title: locale.t(title),
        recorded: locale.t("overview-recorded"),
        received: locale.t("overview-received"),
        name: locale.t(name),
        as_table: locale.t("chart-table"),
        figure: &figure,
    };
    let [week, before] = &lists.weeks;
    let households = arrived.households.len() as u64;
    let since = format!("/console/harvests?from={yesterday}");
    let main = html! {
        @if lacks_orders { p.notice role="status" { (locale.t("orders-incomplete")) } }
        (told_of_losses(&signed, &lists.lost))
        h2 { (locale.t("overview-needs-me")) }
        div.figures {
            (tile(&locale.t("overview-open-cases"), &grouped(lists.open), "/console/cases", None))
            (tile(&locale.t("overview-to-pack"), &grouped(to_pack), "/console/orders?state=to-pack", None))
            @for (wrong, count) in [("over", lists.orders.over), ("unmapped", lists.orders.unmapped), ("late", lists.orders.late)] {
                @if count > 0 { (tile(&locale.of("orders", wrong), &grouped(count), &format!("/console/orders?only={wrong}"), None)) }
            }
            (tile(&locale.t("overview-answered"), &grouped(lists.answered), "/console/questions", None))
            (tile(&locale.with("overview-silent", &[("days", silent_days.to_string())]), &grouped(silent.len() as u64), "#silent", None))
        }
        h2 { (locale.t("overview-since-yesterday")) }
        div.figures {
            (tile(&locale.t("overview-arrived"), &grouped(arrived.lots), &since,
                Some(locale.with("overview-arrived-of", &[("weight", figure(arrived.grams)), ("households", grouped(households))]))))
            (tile(&locale.t("overview-week"), &figure(week.recorded_grams), &format!("/console/harvests?from={}", today.plus_days(-6)),
                Some(locale.with("overview-week-before", &[("weight", figure(before.recorded_grams))]))))
            (tile(&locale.t("overview-week-received"), &figure(week.received_grams), &format!("/console/harvests?from={}&state=received", today.plus_days(-6)),
                Some(locale.with("overview-week-before", &[("weight", figure(before.received_grams))]))))
        }
        h2 { (locale.t("overview-all")) }
        div.figures {
            (tile(&locale.t("overview-recorded"), &figure(all.recorded_grams), "/console/harvests", None))
            (tile(&locale.t("overview-received"), &figure(all.received_grams), "/console/harvests?state=received", None))
            (tile(&locale.t("overview-lots"), &grouped(all.lots.unsigned_abs()), "/console/harvests", None))
            (tile(&locale.t("overview-households"), &grouped(lists.households), "/console/households", None))
        }
        p.small { (locale.t("chart-legend")) }
        div.columns {
            section { h2 { (locale.t("overview-by-day")) }
                @if days.is_empty() { (empty(locale.t("overview-no-days"), &[("/console/households", locale.t("part-households"))])) } @else { (charts::by_day(&days, &words("overview-by-day", "day"))) } }
            @if !by_product.is_empty() { section { h2 { (locale.t("overview-by-product")) }
                (charts::rows(&bars(by_product, &|code| names.product(code)), &words("overview-by-product", "product"))) } }
            @if !by_village.is_empty() { section { h2 { (locale.t("overview-by-village")) }
                (charts::rows(&bars(by_village, &|code| names.village(code)), &words("overview-by-village", "village"))) } }
            @if !lists.latest.is_empty() { section { h2 { (locale.t("overview-latest")) } (latest_lots(&signed, &names, &lists.latest)) } }
            section #silent { h2 { (locale.with("overview-silent", &[("days", silent_days.to_string())])) } (silent_list(&signed, &silent)) }
        }
    };
    Ok(Page { title: locale.t("part-overview"), part: "overview", main }.show(&signed))
}

fn silent_list(signed: &SignedIn, silent: &[(String, Option<i64>)]) -> Markup {
    let locale = signed.locale;
    html! {
        @if silent.is_empty() { p { (locale.t("overview-none-silent")) } }
        ul.plain {
            @for (name, at) in silent.iter().take(LISTED) {
                li { (name) " · " span.small {
                    @match at { Some(at) => (locale.moment(Instant(*at))), None => (locale.t("never-heard")) } } }
            }
        }
        @if silent.len() > LISTED { p { a href="/console/phones" { (locale.t("overview-all-phones")) } } }
    }
}

/// A figure that leads to what it counts, with what it is to be held against.
fn tile(name: &str, figure: &str, address: &str, beside: Option<String>) -> Markup {
    html! { a.tile href=(address) { span.name { (name) } span.figure { (figure) } @if let Some(beside) = beside { span.small { (beside) } } } }
}

/// Lists this person's settlements that lost to a concurrent one.
fn told_of_losses(signed: &SignedIn, twice: &[CaseRow]) -> Markup {
    let own = |case: &&CaseRow| {
        let lost = case.contenders.split_last().map(|(_, lost)| lost).unwrap_or_default();
        lost.iter().any(|value| value.author().is_some_and(|author| signed.session.device.owns(&author)))
    };
    let lost = twice.iter().filter(own).count();
    html! {
        @if lost > 0 {
            p.notice role="status" {
                (signed.locale.with("settlements-lost", &[("count", grouped(lost as u64))])) " "
                a href="/console/cases?state=twice" { (signed.locale.t("look-at-them")) }
            }
        }
    }
}

fn latest_lots(signed: &SignedIn, names: &Names, latest: &[LotRow]) -> Markup {
    let locale = signed.locale;
    html! {
        ul.plain #latest {
            @for row in latest {
                li {
                    a href={ "/console/lots/" (row.lot) } {
                        (names.household(&row.household_name, row.lot.household())) " · " (names.product(&row.product)) " · "
                        (row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams)))
                    }
                    " " span.small { (row.day.map(|day| day.to_string()).unwrap_or_default()) }
                }
            }
        }
    }
}
