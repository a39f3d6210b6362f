//! The conflict cases, most valuable first: the values side by side, each case with the ways to settle it.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::conflicts::{CaseId, CaseState};
use granary_client_core::projection::{CaseFilter, CaseKind, CaseRow, LotFilter, LotRow};
use granary_client_core::schema::LotId;
use maud::{Markup, html};
use serde::Deserialize;

use super::i18n::{Locale, decimal, grouped};
use super::names::Names;
use super::page::{Page, paging, token};
use super::refusal::Refused;
use super::signed_in::SignedIn;

const PER_PAGE: u64 = 40;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CasesQuery {
    state: String,
    kind: String,
    page: String,
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
    let (cases, lots, counts, orders) = signed
        .read(move |models| {
            let cases = models.cases(&filter)?;
            let mut lots = Vec::new();
            for lot in cases.iter().flat_map(|case| case.case.lots()) {
                let one = LotFilter { lot: Some(lot.clone()), with_merged: true, limit: 1, ..LotFilter::default() };
                lots.extend(models.lots(&one)?);
            }
            Ok((cases, lots, models.case_counts()?, models.orders(None, true, 50, 0)?))
        })
        .await?;
    let total = match state {
        CaseState::Open => counts.open,
        CaseState::SettledTwice => counts.settled_twice,
        CaseState::Left => counts.left,
        CaseState::Settled => counts.settled,
    };
    let tab = |this: CaseState, count: u64| {
        html! { a href={ "/console/cases?state=" (this.name()) } aria-current=[(this == state).then_some("page")] {
        (locale.of("cases", this.name())) " (" (grouped(count)) ")" } }
    };
    let main = html! {
        nav.tabs aria-label=(locale.t("part-cases")) {
            (tab(CaseState::Open, counts.open.saturating_add(orders.len() as u64))) (tab(CaseState::SettledTwice, counts.settled_twice))
            (tab(CaseState::Left, counts.left)) (tab(CaseState::Settled, counts.settled))
            a href="/console/unusual" { (locale.t("unusual-lots")) }
        }
        @if state == CaseState::Open {
            form.filters method="get" action="/console/cases" {
                label { (locale.t("kind"))
                    select name="kind" {
                        option value="" { (locale.t("all")) }
                        @for kind in [CaseKind::Field, CaseKind::Twice, CaseKind::Weight] {
                            option value=(kind.name()) selected[kind.name() == query.kind] { (locale.of("kind", kind.name())) }
                        }
                    }
                }
                button { (locale.t("show")) }
            }
            @if let Some(kind) = kind.filter(|_| !cases.is_empty()) { (rule_form(&signed, kind, &cases)) }
            @for order in orders.iter().take(20) { (super::orders::conflict_card(&signed, &names, order)) }
        }
        @if cases.is_empty() && (state != CaseState::Open || orders.is_empty()) {
            p.empty { (locale.of("no-cases", state.name())) }
        }
        @for case in &cases { (card(&signed, &names, case, &lots)) }
        (paging(locale, &format!("/console/cases?state={}&kind={}", state.name(), kind.map_or("", CaseKind::name)), page, PER_PAGE, total))
    };
    Ok(Page { title: locale.t("part-cases"), part: "cases", main }.show(&signed))
}

/// The form that settles all cases of a kind on this page by one rule.
fn rule_form(signed: &SignedIn, kind: CaseKind, cases: &[CaseRow]) -> Markup {
    let locale = signed.locale;
    let rule = match kind {
        CaseKind::Field => "latest",
        CaseKind::Twice => "older",
        CaseKind::Weight => "warehouse",
    };
    html! {
        form.card method="post" action="/console/cases/many" {
            (token(signed))
            input type="hidden" name="rule" value=(rule);
            @for case in cases { input type="hidden" name="case" value=(case.case); }
            p { (locale.with("rule-for-all", &[("count", cases.len().to_string())])) }
            button { (locale.of("rule", rule)) }
        }
    }
}

/// One case with the ways to settle it. `lots` holds the rows of its lots, as far as they were loaded.
pub(super) fn card(signed: &SignedIn, names: &Names, case: &CaseRow, lots: &[LotRow]) -> Markup {
    let locale = signed.locale;
    let row = |lot: &LotId| lots.iter().find(|row| row.lot == *lot);
    let lot = row(case.case.lot());
    html! {
        article.case id=(format!("case-{}", case.case.to_string().replace(['/', '@'], "-"))) {
            h3 {
                a href={ "/console/lots/" (case.case.lot()) } {
                    (names.household(&case.household_name, case.case.lot().household()))
                    @if let Some(lot) = lot { " · " (names.product(&lot.product)) @if let Some(day) = lot.day { " · " (day.to_string()) } }
                }
            }
            p { (title(signed, case)) }
            @match (case.state, &case.case) {
                (CaseState::Open, CaseId::Field(_, field)) => (field_form(signed, names, case, field)),
                (CaseState::Open, CaseId::Twice(first, second)) => (twice_form(signed, names, case, [(first, row(first)), (second, row(second))])),
                (CaseState::Open, CaseId::Weight(_)) => (weight_form(signed, case, lot)),
                (CaseState::SettledTwice, CaseId::Field(_, field)) => {
                    ul { @for (place, value) in case.contenders.iter().enumerate() {
                        li { (names.value(field, &value.value)) " · " (names.author(value.author().as_ref())) " · " (locale.moment(value.at))
                            @if place.saturating_add(1) == case.contenders.len() { " " strong { (locale.t("this-one-won")) } } } } }
                    (field_form(signed, names, case, field))
                },
                _ => (decided(signed, names, case)),
            }
        }
    }
}

fn title(signed: &SignedIn, case: &CaseRow) -> String {
    let locale = signed.locale;
    match &case.case {
        CaseId::Field(_, field) => locale.with("case-field", &[("field", locale.of("field", field))]),
        CaseId::Twice(..) => locale.t("case-twice"),
        CaseId::Weight(_) => locale.with("case-weight", &[("weight", locale.kilograms(case.worth_grams))]),
    }
}

fn hidden(signed: &SignedIn, case: &CaseRow) -> Markup {
    html! { (token(signed)) input type="hidden" name="case" value=(case.case); }
}

fn note_and_buttons(signed: &SignedIn, settle: &str) -> Markup {
    let locale = signed.locale;
    html! {
        label { (locale.t("note")) input name="note" maxlength="500"; }
        div.buttons {
            button name="how" value="settle" { (settle) }
            button.quiet name="how" value="leave" { (locale.t("leave-with-note")) }
        }
    }
}

fn field_form(signed: &SignedIn, names: &Names, case: &CaseRow, field: &str) -> Markup {
    let locale = signed.locale;
    html! {
        form method="post" action="/console/cases/settle" {
            (hidden(signed, case))
            fieldset.choices {
                legend { (locale.t("choose-value")) }
                @for (place, value) in case.contenders.iter().enumerate() {
                    label.choice {
                        input type="radio" name="value" value=(value.value) required checked[place.saturating_add(1) == case.contenders.len()];
                        strong { (names.value(field, &value.value)) }
                        span.small { (names.author(value.author().as_ref())) " · " (locale.moment(value.at)) }
                    }
                }
                label.choice {
                    input type="radio" name="value" value="" required[case.contenders.is_empty()] checked[case.contenders.is_empty()];
                    span { (locale.t("another-value")) }
                    input name="other" aria-label=(locale.t("another-value")) placeholder=(placeholder(locale, field));
                }
            }
            (note_and_buttons(signed, &locale.t("settle")))
        }
    }
}

fn placeholder(locale: Locale, field: &str) -> String {
    match field {
        "grams" => locale.t("unit-kg"),
        "moisture" => "%".to_owned(),
        "day" => "2026-10-03".to_owned(),
        _ => String::new(),
    }
}

fn twice_form(signed: &SignedIn, names: &Names, case: &CaseRow, lots: [(&LotId, Option<&LotRow>); 2]) -> Markup {
    let locale = signed.locale;
    html! {
        form method="post" action="/console/cases/settle" {
            (hidden(signed, case))
            fieldset.choices {
                legend { (locale.t("choose-lot")) }
                @for (place, (lot, row)) in lots.into_iter().enumerate() {
                    label.choice {
                        input type="radio" name="keep" value=(lot.in_full()) required checked[place == 0];
                        @if let Some(row) = row {
                            strong { (row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.weight(grams))) }
                            span.small { (particulars(signed, names, lot, row)) }
                        } @else { strong { (lot) } }
                    }
                }
            }
            label { (locale.t("weight-after-merge")) input name="other" inputmode="decimal"; }
            (note_and_buttons(signed, &locale.t("merge-lots")))
        }
    }
}

/// A lot's other fields, in one line.
fn particulars(signed: &SignedIn, names: &Names, lot: &LotId, row: &LotRow) -> String {
    let author = names.author(lot.key().actor().as_ref());
    let state = signed.locale.of("state", row.state.name());
    let fields = [author.as_str(), &row.grade, &row.place, &row.note, &state];
    fields.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn weight_form(signed: &SignedIn, case: &CaseRow, lot: Option<&LotRow>) -> Markup {
    let locale = signed.locale;
    html! {
        form method="post" action="/console/cases/settle" {
            (hidden(signed, case))
            @if let Some(lot) = lot {
                dl.pair {
                    div { dt { (locale.t("recorded")) } dd { (lot.grams.map_or_else(|| locale.t("damaged"), |grams| locale.weight(grams))) } }
                    div { dt { (locale.t("weighed")) } dd { (lot.weighed_grams.map_or_else(|| "—".to_owned(), |grams| locale.weight(grams))) } }
                }
                input type="hidden" name="weighed" value=(lot.weighed_grams.map(|grams| decimal(grams, 1000)).unwrap_or_default());
            }
            label { (locale.t("another-weight")) input name="other" inputmode="decimal" placeholder=(locale.t("unit-kg")); }
            (note_and_buttons(signed, &locale.t("rule-warehouse")))
        }
    }
}

fn decided(signed: &SignedIn, names: &Names, case: &CaseRow) -> Markup {
    let locale = signed.locale;
    let chosen = match &case.case {
        CaseId::Field(_, field) => names.value(field, &case.chosen),
        CaseId::Weight(_) => locale.value("grams", &case.chosen),
        CaseId::Twice(..) => case.chosen_shown(),
    };
    html! {
        p { (case.by) " · " (locale.moment(case.at))
            @if !case.chosen.is_empty() { " · " strong { (chosen) } }
            @if !case.note.is_empty() { " · " q { (case.note) } } }
        form.inline method="post" action="/console/cases/undo" {
            (hidden(signed, case))
            button.quiet { (locale.t("undo")) }
        }
    }
}
