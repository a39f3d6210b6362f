//! The conflict cases, most valuable first: the values side by side, each case with the ways to settle it.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::conflicts::{CaseState, Contender};
use granary_client_core::projection::{CaseFilter, CaseKind, CaseRow, LotFilter, LotRow, OrderFilter, ReadModel};
use granary_client_core::store::StoreFault;
use maud::{Markup, html};
use serde::Deserialize;

pub(super) use super::case_card::{cards, chosen_words};
use super::i18n::grouped;
use super::inputs::Inputs;
use super::names::Names;
use super::page::{Page, paging};
use super::parts::empty;
use super::refusal::Refused;
use super::settle_many::{MANY, group_notice};
use super::signed_in::SignedIn;
use crate::environment::{digest_begins, hex};

const PER_PAGE: u64 = 40;
/// Where the cases begin on a page.
pub(super) const CASES: &str = "list";
pub(super) const CASES_PAGE: &str = "/console/cases";
/// The field of the page's address with the name of what was just decided at once.
pub(super) const DONE: &str = "done";
/// Deeds of many cases that the list of settled ones offers to undo.
const GROUPS_MAX: u32 = 20;
/// Orders on the first page at most.
const ORDERS_MAX: u32 = 200;
/// The kind of cases that are no lot's.
const ORDER: &str = "order";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CasesQuery {
    state: String,
    kind: String,
    page: String,
    done: String,
}

/// `GET /console/cases`
pub(super) async fn show(signed: SignedIn, Query(query): Query<CasesQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let state = CaseState::from_name(&query.state).unwrap_or(CaseState::Open);
    let kind = CaseKind::from_name(&query.kind);
    let page = query.page.parse::<u64>().unwrap_or(1).clamp(1, 100_000);
    let filter = CaseFilter {
        state: Some(state),
        kind,
        limit: u32::try_from(PER_PAGE).unwrap_or(40),
        offset: u32::try_from(page.saturating_sub(1).saturating_mul(PER_PAGE)).unwrap_or(u32::MAX),
        ..CaseFilter::default()
    };
    let only_orders = query.kind == ORDER;
    // They stand before all others, once.
    let with_orders = page == 1 && kind.is_none();
    let (cases, lots, mut counts, total, orders, groups) = signed
        .read(move |models| {
            let (cases, total) = match only_orders {
                true => (Vec::new(), 0),
                false => (models.cases(&filter)?, models.count_cases(&filter)?),
            };
            let lots = lots_of(models, &cases)?;
            let orders = match state {
                CaseState::Open if with_orders => models.orders(None, true, ORDERS_MAX, 0)?,
                CaseState::Settled if with_orders => models.settled_orders(ORDERS_MAX)?,
                _ => Vec::new(),
            };
            let mut counts = models.case_counts()?;
            let trespassed = OrderFilter { only_trespassed: true, ..OrderFilter::default() };
            for more in [models.count_disagreeing_orders()?, models.count_order_page(&trespassed)?] {
                counts.open = counts.open.saturating_add(more);
            }
            Ok((cases, lots, counts, total, orders, models.case_groups(GROUPS_MAX)?))
        })
        .await?;
    let trespasses = match state {
        CaseState::Open if with_orders => super::trespasses::found(&signed).await?,
        _ => Vec::new(),
    };
    if state == CaseState::Settled {
        counts.settled = counts.settled.saturating_add(orders.len() as u64);
    }
    let are_all = orders.len() < usize::try_from(ORDERS_MAX).unwrap_or(usize::MAX);
    let tab = |this: CaseState, count: u64| {
        html! { a href={ "/console/cases?state=" (this.name()) } aria-current=[(this == state).then_some("page")] {
        (locale.of("cases", this.name())) " (" (grouped(count)) ")" } }
    };
    let main = html! {
        nav.tabs aria-label=(locale.t("part-cases")) {
            (tab(CaseState::Open, counts.open)) (tab(CaseState::SettledTwice, counts.settled_twice))
            (tab(CaseState::Left, counts.left)) (tab(CaseState::Settled, counts.settled))
            a href="/console/unusual" { (locale.t("unusual-lots")) }
        }
        @for group in groups.iter().filter(|group| state == CaseState::Settled || group.group == query.done) {
            (group_notice(&signed, group))
        }
        @if state == CaseState::Open {
            form.filters method="get" action="/console/cases" {
                label { (locale.t("kind"))
                    select name="kind" {
                        option value="" { (locale.t("all")) }
                        @for kind in CaseKind::ALL {
                            option value=(kind.name()) selected[kind.name() == query.kind] { (locale.of("kind", kind.name())) }
                        }
                        option value=(ORDER) selected[only_orders] { (locale.of("kind", ORDER)) }
                    }
                }
                button { (locale.t("show")) }
            }
            @if let Some(kind) = kind.filter(|_| !cases.is_empty()) { (rule_form(&signed, kind, &cases, &lots)) }
        }
        @if !are_all { p.notice { (locale.with("unusual-first", &[("count", grouped(orders.len() as u64))])) } }
        @for found in &trespasses { (super::trespasses::card(&signed, &names, found)) }
        @for order in &orders {
            @if state == CaseState::Open { (super::orders::conflict_card(&signed, &names, order)) }
            @else { (super::orders::settled_card(&signed, &names, order)) }
        }
        @if cases.is_empty() && orders.is_empty() && trespasses.is_empty() {
            (empty(locale.of("no-cases", state.name()), &if state == CaseState::Open && kind.is_none() && !only_orders {
                [("/console/unusual", locale.t("part-unusual"))]
            } else {
                [(CASES_PAGE, locale.t("part-cases"))]
            }))
        }
        h2.unseen { (locale.of("cases", state.name())) }
        div id=(CASES) tabindex="-1" { (cards(&signed, &names, &cases, &lots)) }
        (paging(locale, &format!("/console/cases?state={}&kind={}", state.name(), if only_orders { ORDER } else { kind.map_or("", CaseKind::name) }), page, PER_PAGE, total))
    };
    Ok(Page { title: locale.t("part-cases"), part: "cases", main }.show(&signed))
}

/// Concurrent values as a form carries them, to tell whether its author saw those that are here now.
pub(super) fn seen_values(values: &[Contender]) -> String {
    let values: Vec<String> =
        values.iter().map(|value| format!("{}@{}={}", value.actor, value.at.seconds(), value.value)).collect();
    values.join("|")
}

/// What the author of a form sees of a case: its state, its values, and the weights of its lots.
pub(super) fn seen(case: &CaseRow, lots: &[LotRow]) -> String {
    let mut seen = format!("{} {} {} {}", case.state.name(), case.by, case.at.seconds(), seen_values(&case.contenders));
    for row in case.case.lots().into_iter().filter_map(|lot| lots.iter().find(|row| row.lot == *lot)) {
        let number = |grams: Option<i64>| grams.map_or_else(String::new, |grams| grams.to_string());
        seen.push_str(&format!(" {}:{}", number(row.grams), number(row.weighed_grams)));
    }
    // Values can be long notes; a form only tells same from other.
    hex(&digest_begins::<8>(seen.as_bytes()))
}

/// The rows of the lots of cases, also of such as were merged.
pub(super) fn lots_of(models: &ReadModel, cases: &[CaseRow]) -> Result<Vec<LotRow>, StoreFault> {
    let mut lots = Vec::new();
    for lot in cases.iter().flat_map(|case| case.case.lots()) {
        let one = LotFilter { lot: Some(lot.clone()), with_merged: true, limit: 1, ..LotFilter::default() };
        lots.extend(models.lots(&one)?);
    }
    Ok(lots)
}

/// The form that settles all cases of a kind on this page by one rule.
fn rule_form(signed: &SignedIn, kind: CaseKind, cases: &[CaseRow], lots: &[LotRow]) -> Markup {
    let locale = signed.locale;
    let rule = match kind {
        CaseKind::Field | CaseKind::Receipt => "latest",
        CaseKind::Twice => "older",
        CaseKind::Weight => "warehouse",
    };
    let form = Inputs::of(signed, MANY, &[("rule", rule)]);
    html! {
        form.card method="post" action=(MANY) {
            (form.hidden())
            @for case in cases {
                input type="hidden" name="case" value=(case.case);
                input type="hidden" name={ "seen:" (case.case) } value=(seen(case, lots));
            }
            p { (locale.with("rule-for-all", &[("count", grouped(cases.len() as u64))])) }
            button { (locale.of("rule", rule)) " …" }
        }
    }
}
