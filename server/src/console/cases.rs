//! The conflict cases, most valuable first: the values side by side, each case with the ways to settle it.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::conflicts::{CaseId, CaseState, Contender};
use granary_client_core::projection::{CaseFilter, CaseKind, CaseRow, LotFilter, LotRow, ReadModel};
use granary_client_core::quantities::TextField;
use granary_client_core::schema::LotId;
use granary_client_core::schema::case_book::DecisionKind;
use granary_client_core::store::StoreFault;
use maud::{Markup, html};
use serde::Deserialize;

use super::i18n::{Locale, grouped, money};
use super::inputs::{AMOUNT, Inputs, TEXT};
use super::names::Names;
use super::page::{Page, paging};
use super::refusal::Refused;
use super::settle_many::{MANY, group_notice};
use super::signed_in::SignedIn;

const PER_PAGE: u64 = 40;
/// Where the cases begin on a page.
pub(super) const CASES: &str = "list";
pub(super) const CASES_PAGE: &str = "/console/cases";
/// The field of the page's address with the name of what was just decided at once.
pub(super) const DONE: &str = "done";
/// Deeds of many cases that the list of settled ones offers to undo.
const GROUPS_MAX: u32 = 20;

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
    let (cases, lots, counts, total, orders, settled_orders, groups) = signed
        .read(move |models| {
            let cases = models.cases(&filter)?;
            let lots = lots_of(models, &cases)?;
            let total = models.count_cases(&filter)?;
            let is_settled = state == CaseState::Settled;
            let settled_orders = if is_settled { models.settled_orders(20)? } else { Vec::new() };
            let (orders, groups) = (models.orders(None, true, 50, 0)?, models.case_groups(GROUPS_MAX)?);
            Ok((cases, lots, models.case_counts()?, total, orders, settled_orders, groups))
        })
        .await?;
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
        @for group in groups.iter().filter(|group| state == CaseState::Settled || group.group == query.done) {
            (group_notice(&signed, group))
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
            @if let Some(kind) = kind.filter(|_| !cases.is_empty()) { (rule_form(&signed, kind, &cases, &lots)) }
            @for order in orders.iter().take(20) { (super::orders::conflict_card(&signed, &names, order)) }
        }
        @for order in &settled_orders { (super::orders::settled_card(&signed, &names, order)) }
        @if cases.is_empty() && settled_orders.is_empty() && (state != CaseState::Open || orders.is_empty()) {
            p.empty { (locale.of("no-cases", state.name())) }
        }
        div id=(CASES) tabindex="-1" { (cards(&signed, &names, &cases, &lots)) }
        (paging(locale, &format!("/console/cases?state={}&kind={}", state.name(), kind.map_or("", CaseKind::name)), page, PER_PAGE, total))
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
    crate::environment::hex(
        &ring::digest::digest(&ring::digest::SHA256, seen.as_bytes())
            .as_ref()
            .iter()
            .copied()
            .take(8)
            .collect::<Vec<u8>>(),
    )
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
        CaseKind::Field => "latest",
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

/// The mark of a case on a page, the same on every one.
fn mark_of(case: &CaseRow) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    format!("case-{}", case.case.to_string().chars().map(plain).collect::<String>())
}

/// Cases in their order, each with the way to the next one.
pub(super) fn cards(signed: &SignedIn, names: &Names, cases: &[CaseRow], lots: &[LotRow]) -> Markup {
    let next = cases.iter().skip(1).map(Some).chain([None]);
    html! { @for (case, next) in cases.iter().zip(next) { (card(signed, names, case, next, lots)) } }
}

/// One case with the ways to settle it. `lots` holds the rows of its lots, `next` is the case that is shown after deciding.
fn card(signed: &SignedIn, names: &Names, case: &CaseRow, next: Option<&CaseRow>, lots: &[LotRow]) -> Markup {
    let locale = signed.locale;
    let row = |lot: &LotId| lots.iter().find(|row| row.lot == *lot);
    let lot = row(case.case.lot());
    let name = case.case.to_string();
    let is_open = matches!(case.state, CaseState::Open | CaseState::SettledTwice);
    let action = if is_open { "/console/cases/settle" } else { "/console/cases/undo" };
    let form = Inputs::of(signed, action, &[("case", &name)]);
    let hidden = html! {
        (form.hidden()) (form.was("case", &seen(case, lots)))
        @if let Some(next) = next { input type="hidden" name="next" value=(mark_of(next)); }
    };
    html! {
        article.case id=(mark_of(case)) data-key=(name) data-item tabindex="-1" {
            h3 {
                a href={ "/console/lots/" (case.case.lot()) } {
                    (names.household(&case.household_name, case.case.lot().household()))
                    @if let Some(lot) = lot { " · " (names.product(&lot.product)) @if let Some(day) = lot.day { " · " (day.to_string()) } }
                }
            }
            p { (title(signed, case)) @if let Some(fen) = case.stake_fen.filter(|_| case.state != CaseState::Settled) { " "
                span.mark { (locale.with("stake", &[("money", money(fen))])) } } }
            @if case.state == CaseState::Open && !case.by.is_empty() { p.small { (decision(signed, names, case)) } }
            @if case.state == CaseState::SettledTwice && matches!(case.case, CaseId::Field(..)) {
                ul { @for (place, value) in case.contenders.iter().enumerate() {
                    li { (contender(names, case, value)) " · " (names.author(value.author().as_ref())) " · " (locale.moment(value.at))
                        @if place.saturating_add(1) == case.contenders.len() { " " strong { (locale.t("this-one-won")) } } } } }
            }
            form method="post" action=(action) {
                (hidden)
                @match &case.case {
                    CaseId::Field(_, field) if is_open => (field_form(signed, names, case, field, &form)),
                    CaseId::Twice(first, second) if is_open => (twice_form(signed, names, [(first, row(first)), (second, row(second))], &form)),
                    CaseId::Weight(_) if is_open => (weight_form(signed, lot, &form)),
                    _ => {
                        p { (decision(signed, names, case)) }
                        button.quiet data-undo { (locale.t("undo")) }
                    },
                }
            }
        }
    }
}

fn contender(names: &Names, case: &CaseRow, value: &Contender) -> String {
    match &case.case {
        CaseId::Field(_, field) => names.value(field, &value.value),
        CaseId::Twice(..) | CaseId::Weight(_) => names.value("grams", &value.value),
    }
}

fn title(signed: &SignedIn, case: &CaseRow) -> String {
    let locale = signed.locale;
    match &case.case {
        CaseId::Field(_, field) => locale.with("case-field", &[("field", locale.of("field", field))]),
        CaseId::Twice(..) => locale.t("case-twice"),
        // What is settled is no difference any more.
        CaseId::Weight(_) if case.worth_grams <= 0 => locale.t("case-weight-before"),
        CaseId::Weight(_) => locale.with("case-weight", &[("weight", locale.kilograms(case.worth_grams))]),
    }
}

fn note_and_buttons(signed: &SignedIn, settle: &str, form: &Inputs<'_>) -> Markup {
    let locale = signed.locale;
    html! {
        label { (locale.t("note")) (form.empty("note", TEXT.at_most(TextField::Note.most()))) }
        div.buttons {
            button name="how" value="settle" data-do { (settle) }
            button.quiet name="how" value="leave" formnovalidate data-leave { (locale.t("leave-with-note")) }
        }
    }
}

fn field_form(signed: &SignedIn, names: &Names, case: &CaseRow, field: &str, form: &Inputs<'_>) -> Markup {
    let locale = signed.locale;
    let none = case.contenders.is_empty();
    html! {
        fieldset.choices {
            legend { (locale.t("choose-value")) }
            @for (place, value) in case.contenders.iter().enumerate() {
                label.choice {
                    input type="radio" name="value" value=(value.value) required
                        checked[form.is_chosen("value", &value.value, place.saturating_add(1) == case.contenders.len())];
                    strong { (names.value(field, &value.value)) }
                    span.small { (names.author(value.author().as_ref())) " · " (locale.moment(value.at)) }
                }
            }
            label.choice {
                input type="radio" name="value" value="" required[none] checked[form.is_chosen("value", "", none)];
                span { (locale.t("another-value")) @if !placeholder(locale, field).is_empty() { " (" (placeholder(locale, field)) ")" } }
                (form.empty("other", TEXT))
            }
            (form.fault("value"))
        }
        (note_and_buttons(signed, &locale.t("settle-chosen"), form))
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

fn twice_form(signed: &SignedIn, names: &Names, lots: [(&LotId, Option<&LotRow>); 2], form: &Inputs<'_>) -> Markup {
    let locale = signed.locale;
    html! {
        fieldset.choices {
            legend { (locale.t("choose-lot")) }
            @for (place, (lot, row)) in lots.into_iter().enumerate() {
                label.choice {
                    input type="radio" name="keep" value=(lot.in_full()) required checked[form.is_chosen("keep", &lot.in_full(), place == 0)];
                    @if let Some(row) = row {
                        strong { (row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.weight(grams))) }
                        span.small { (particulars(signed, names, lot, row)) }
                    } @else { strong { (lot) } }
                }
            }
            (form.fault("keep"))
        }
        label { (locale.t("weight-after-merge")) (form.empty("other", AMOUNT)) }
        (note_and_buttons(signed, &locale.t("merge-chosen"), form))
    }
}

/// A lot's other fields, in one line.
fn particulars(signed: &SignedIn, names: &Names, lot: &LotId, row: &LotRow) -> String {
    let author = names.author(lot.key().actor().as_ref());
    let state = signed.locale.of("state", row.state.name());
    let fields = [author.as_str(), &row.grade, &row.place, &row.note, &state];
    fields.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn weight_form(signed: &SignedIn, lot: Option<&LotRow>, form: &Inputs<'_>) -> Markup {
    let locale = signed.locale;
    html! {
        @if let Some(lot) = lot {
            dl.pair {
                div { dt { (locale.t("recorded")) } dd { (lot.grams.map_or_else(|| locale.t("damaged"), |grams| locale.weight(grams))) } }
                div { dt { (locale.t("weighed")) } dd { (lot.weighed_grams.map_or_else(|| "—".to_owned(), |grams| locale.weight(grams))) } }
            }
        }
        label { (locale.t("another-weight")) (form.empty("other", AMOUNT)) }
        (note_and_buttons(signed, &locale.t("settle-warehouse"), form))
    }
}

/// The last decision about a case: who, when, what was chosen.
fn decision(signed: &SignedIn, names: &Names, case: &CaseRow) -> Markup {
    let locale = signed.locale;
    let chosen = chosen_words(names, case);
    html! {
        @if case.decided == Some(DecisionKind::Undone) { (locale.t("decision-undone")) " · " }
        (case.by) " · " (locale.moment(case.at))
        @if !case.chosen.is_empty() { " · " strong { (chosen) } }
        @if !case.note.is_empty() { " · " q { (locale.note(&case.note)) } }
    }
}

/// What was chosen in a case, for people.
pub(super) fn chosen_words(names: &Names, case: &CaseRow) -> String {
    match &case.case {
        _ if case.chosen.is_empty() => String::new(),
        CaseId::Field(_, field) => names.value(field, &case.chosen),
        CaseId::Weight(_) => names.value("grams", &case.chosen),
        CaseId::Twice(..) => case.chosen_shown(),
    }
}
