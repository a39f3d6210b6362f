//! The overview: amounts received and recorded, open work, silent phones.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::conflicts::CaseState;
use granary_client_core::projection::{CaseFilter, CaseRow, LotFilter, LotRow, Total};
use granary_client_core::schema::order::OrderStatus;
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::charts::{self, Bar};
use super::household::phones::HouseholdPhones;
use super::i18n::grouped;
use super::names::Names;
use super::page::Page;
use super::refusal::Refused;
use super::signed_in::SignedIn;
use crate::engine::read_models::Totals;

/// Days without a sync after which a phone is listed, unless the query gives another number.
const SILENT_DAYS: u32 = 7;
/// Days in the chart, up to the latest.
const DAYS: usize = 45;

#[derive(Deserialize)]
pub(super) struct OverviewQuery {
    #[serde(default)]
    silent: Option<u32>,
}

/// `GET /console`
pub(super) async fn show(signed: SignedIn, Query(query): Query<OverviewQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let models = signed.read_models()?;
    let totals = signed.work(move || Ok(models.totals()?)).await?;
    let Totals { by_product, by_village, by_day } = totals.as_ref();
    let everyone = HouseholdPhones::of(&signed).everyone();
    let (open, to_pack, households, latest, lost) = signed
        .read(move |models| {
            let latest = models.lots(&LotFilter { limit: 8, ..LotFilter::default() })?;
            let twice = CaseFilter { state: Some(CaseState::SettledTwice), ..CaseFilter::default() };
            let orders = models.orders(None, true, 100, 0)?.len() as u64;
            Ok((
                models.case_counts()?.open.saturating_add(orders),
                models.count_orders(Some(OrderStatus::Placed))?,
                models.count_households(&everyone)?,
                latest,
                models.cases(&twice)?,
            ))
        })
        .await?;
    let silent_days = query.silent.unwrap_or(SILENT_DAYS);
    let limit = crate::environment::now().0.saturating_sub(i64::from(silent_days).saturating_mul(86_400_000));
    let silent: Vec<(String, Option<i64>)> = signed
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
    let bars = |totals: &[Total], name: &dyn Fn(&str) -> String| -> Vec<Bar> {
        totals
            .iter()
            .map(|total| Bar {
                name: name(&total.name),
                recorded: total.recorded_grams,
                received: total.received_grams,
            })
            .collect()
    };
    let sum: i64 = by_product.iter().map(|total| total.recorded_grams).fold(0, i64::saturating_add);
    let received: i64 = by_product.iter().map(|total| total.received_grams).fold(0, i64::saturating_add);
    let lots: i64 = by_product.iter().map(|total| total.lots).fold(0, i64::saturating_add);
    let days: Vec<Total> = by_day.iter().filter(|total| !total.name.is_empty()).cloned().collect();
    let days = days.get(days.len().saturating_sub(DAYS)..).unwrap_or_default();
    let figure = |grams: i64| locale.kilograms(grams);
    let main = html! {
        (told_of_losses(&signed, &lost))
        div.figures {
            (tile(&locale.t("overview-recorded"), &locale.weight(sum), "/console/harvests"))
            (tile(&locale.t("overview-received"), &locale.weight(received), "/console/harvests?state=received"))
            (tile(&locale.t("overview-lots"), &grouped(lots.unsigned_abs()), "/console/harvests"))
            (tile(&locale.t("overview-open-cases"), &grouped(open), "/console/cases"))
            (tile(&locale.t("overview-to-pack"), &grouped(to_pack), "/console/orders?status=placed"))
            (tile(&locale.t("overview-households"), &grouped(households), "/console/households"))
        }
        p.small { (locale.t("chart-legend")) }
        div.columns {
            section {
                h2 { (locale.t("overview-by-product")) }
                div.chart role="img" aria-label=(locale.t("overview-by-product")) {
                    (PreEscaped(charts::rows(&bars(by_product, &|code| names.product(code)), figure)))
                }
            }
            section {
                h2 { (locale.t("overview-by-village")) }
                div.chart role="img" aria-label=(locale.t("overview-by-village")) {
                    (PreEscaped(charts::rows(&bars(by_village, &|code| names.village(code)), figure)))
                }
            }
        }
        section {
            h2 { (locale.t("overview-by-day")) }
            div.chart role="img" aria-label=(locale.t("overview-by-day")) {
                (PreEscaped(charts::by_day(&bars(days, &str::to_owned), figure)))
            }
        }
        div.columns {
            section {
                h2 { (locale.t("overview-latest")) }
                (latest_lots(&signed, &names, &latest))
            }
            section {
                h2 { (locale.with("overview-silent", &[("days", silent_days.to_string())])) }
                @if silent.is_empty() { p { (locale.t("overview-none-silent")) } }
                ul {
                    @for (name, at) in silent.iter().take(12) {
                        li { (name) " · "
                            @match at {
                                Some(at) => { (locale.moment(granary_client_core::quantities::Instant(*at))) }
                                None => { (locale.t("never-heard")) }
                            }
                        }
                    }
                }
                @if silent.len() > 12 { p { a href="/console/phones" { (locale.t("overview-all-phones")) } } }
            }
        }
    };
    Ok(Page { title: locale.t("part-overview"), part: "overview", main }.show(&signed))
}

fn tile(name: &str, figure: &str, address: &str) -> Markup {
    html! { a.tile href=(address) { span.name { (name) } span.figure { (figure) } } }
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
        ul.plain {
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
