//! Settling many cases by one rule: first a page that says what will become of each, then all of them or none, under one name by
//! which they are undone at once.

use std::collections::{BTreeMap, BTreeSet};

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::conflicts::{self, CaseId, SETTLING, Settlement, Settler, UNDOING};
use granary_client_core::projection::{CaseFilter, CaseGroup, CaseRow};
use granary_client_core::schema::case_book::{DecisionKind, decide};
use granary_client_core::schema::receipt::Weighing;
use granary_client_core::schema::{DocumentKey, LotId};
use maud::{Markup, html};

use super::again::page_of;
use super::cases::{CASES_PAGE, DONE};
use super::forms::{Form, encode};
use super::i18n::{Locale, grouped, money};
use super::inputs::Inputs;
use super::left_since;
use super::names::Names;
use super::page::{Page, token};
use super::parts::toast::Told;
use super::refusal::{Refused, refuse, refused};
use super::settle::{Case, seen_in};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::{Edit, Edits};
use crate::error::Error;

pub(super) const MANY: &str = "/console/cases/many";
const UNDO_MANY: &str = "/console/cases/many/undo";
/// Cases that one rule settles at once at most.
const MANY_MAX: usize = 100;

/// What a rule makes of one case.
struct Planned {
    reference: String,
    case: Case,
    before: String,
    after: String,
    settlement: Settlement,
}

/// `POST /console/cases/many`: says what one rule will do to the cases of a list, and does it once that was seen. Those that are
/// not as the person saw them are left as they are.
pub(super) async fn settle_many(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let (locale, rule) = (signed.locale, form.get("rule").to_owned());
    let names = Names::of(&signed).await?;
    // The rule's name, which each reader reads in the own language.
    let note = format!("rule-{rule}");
    let settler = Settler { by: &signed.session.name, at: crate::environment::now(), note: &note };
    let mut planned: Vec<Planned> = Vec::new();
    let mut touched: BTreeSet<LotId> = BTreeSet::new();
    for reference in form.all("case").take(MANY_MAX) {
        let Ok(case) = Case::find(&signed, reference).await else { continue };
        if case.must_be_as_seen(&signed, seen_in(&form, &format!("seen:{reference}"))).is_err() {
            continue;
        }
        // Two cases can share a lot: after the first is settled, the other may no longer be one.
        let lots: Vec<LotId> = case.row.case.lots().into_iter().cloned().collect();
        if rule != "latest" && lots.iter().any(|lot| touched.contains(lot)) {
            continue;
        }
        if let Some((before, after, settlement)) = by_rule(&signed, &rule, &case, settler) {
            touched.extend(lots);
            planned.push(Planned { reference: reference.to_owned(), case, before, after, settlement });
        }
    }
    if planned.is_empty() {
        return Err(refused(locale, 409, "rule-fits-none"));
    }
    if form.get("confirmed") != "yes" {
        return Ok(preview(&signed, &names, &form, &rule, &planned));
    }
    let group = new_group(locale)?;
    let settled = planned
        .into_iter()
        .map(|planned| (planned.case.row.case.clone(), planned.case.with_values(planned.settlement)));
    let settled = settled.map(|(case, mut settlement)| {
        settlement.decision.group.clone_from(&group);
        (case, settlement)
    });
    signed.edit(together(settled, SETTLING)).await?;
    Ok(Redirect::to(&with_done(&form, &group)).into_response())
}

/// A name for decisions that are made at once.
fn new_group(locale: Locale) -> Result<String, Refused> {
    let bytes = crate::environment::random_bytes::<8>().map_err(|error| refuse(locale, &error))?;
    Ok(crate::environment::hex(&bytes))
}

/// What a rule makes of a case: the value before, the one after, and the edit; none where the rule is for other cases.
fn by_rule(signed: &SignedIn, rule: &str, case: &Case, settler: Settler<'_>) -> Option<(String, String, Settlement)> {
    let shown = |lot: &LotId| case.lots.iter().find(|row| row.lot == *lot).and_then(|row| row.grams);
    let id = &case.row.case;
    Some(match (rule, id) {
        ("warehouse", CaseId::Weight(lot)) => {
            let weighed = case.weighed(signed).ok()?;
            let before = shown(lot).map(|grams| grams.to_string()).unwrap_or_default();
            let made = conflicts::settle_field(&case.book, id, "grams", &weighed, settler).ok()?;
            (before, weighed, made)
        }
        ("latest", CaseId::Field(_, field)) => {
            let latest = case.row.contenders.iter().max_by_key(|value| value.at)?.value.clone();
            let before = case.row.contenders.last()?.value.clone();
            let made = conflicts::settle_field(&case.book, id, field, &latest, settler).ok()?;
            (before, latest, made)
        }
        ("latest", CaseId::Receipt(lot)) => {
            let latest = case.row.contenders.iter().max_by_key(|value| value.at)?.value.clone();
            let before = case.row.contenders.last()?.value.clone();
            let weighing = Weighing::parse(&latest).ok()?;
            let made = conflicts::settle_receipt(&case.book, lot, &weighing, settler).ok()?;
            (before, latest, made)
        }
        ("older", CaseId::Twice(first, second)) => {
            // A lot that was received is paid; it is merged away by nobody's rule.
            if case.is_received(second) {
                return None;
            }
            let (kept, other) = (shown(first)?, shown(second)?);
            let made = conflicts::merge(&case.book, id, first, second, None, settler).ok()?;
            (format!("{kept}+{other}"), kept.to_string(), made)
        }
        _ => return None,
    })
}

/// A planned value for people: of two lots their weights.
fn value(locale: Locale, names: &Names, case: &CaseRow, value: &str) -> String {
    match &case.case {
        CaseId::Field(_, field) => names.value(field, value),
        CaseId::Weight(_) => names.value("grams", value),
        CaseId::Receipt(_) => names.value("receipt", value),
        CaseId::Twice(..) => {
            let lots: Vec<String> = value.split('+').map(|grams| names.value("grams", grams)).collect();
            match lots.as_slice() {
                [one] => one.clone(),
                lots => locale.with("two-lots", &[("weights", lots.join(" + "))]),
            }
        }
    }
}

/// The page that says what will become of each case.
fn preview(signed: &SignedIn, names: &Names, form: &Form, rule: &str, planned: &[Planned]) -> Response {
    let locale = signed.locale;
    let count = planned.len() as u64;
    let total = planned.iter().filter_map(|planned| planned.case.row.stake_fen).fold(0, i64::saturating_add);
    let left_out = (form.all("case").count() as u64).saturating_sub(count);
    let main = html! {
        p { (locale.with("rule-will", &[("count", grouped(count)), ("rule", locale.of("rule", rule))])) }
        @if left_out > 0 { p.notice { (locale.with("rule-leaves-out", &[("count", grouped(left_out))])) } }
        div.scroll tabindex="0" role="region" aria-label=(locale.t("rule-title")) { table.stack {
            thead { tr {
                th scope="col" { (locale.t("household")) } th scope="col" { (locale.t("kind")) }
                th scope="col" { (locale.t("value-now")) } th scope="col" { (locale.t("value-then")) }
                th.number scope="col" { (locale.t("at-stake")) }
            } }
            tbody { @for planned in planned { (line(signed, names, planned)) } }
            tfoot { tr {
                th scope="row" colspan="4" { (locale.t("at-stake-sum")) }
                td.number data-label=(locale.t("at-stake-sum")) { strong { (money(total)) } }
            } }
        } }
        form.card method="post" action=(MANY) {
            (token(signed))
            input type="hidden" name="rule" value=(rule);
            input type="hidden" name="confirmed" value="yes";
            @for planned in planned {
                input type="hidden" name="case" value=(planned.reference);
                input type="hidden" name={ "seen:" (planned.reference) } value=(form.get(&format!("seen:{}", planned.reference)));
            }
            div.buttons { button data-do { (locale.with("settle-many", &[("count", grouped(count))])) } }
            p.small { (locale.t("settle-many-help")) }
        }
        p { a href=(signed.page) { (locale.t("unusual-back")) } }
    };
    Page { title: locale.t("rule-title"), part: "cases", main }.show(signed)
}

fn line(signed: &SignedIn, names: &Names, planned: &Planned) -> Markup {
    let (locale, row) = (signed.locale, &planned.case.row);
    let lot = planned.case.lots.iter().find(|lot| lot.lot == *row.case.lot());
    let kind = match &row.case {
        CaseId::Field(_, field) => locale.of("field", field),
        CaseId::Twice(..) => locale.of("kind", "twice"),
        CaseId::Weight(_) => locale.of("kind", "weight"),
        CaseId::Receipt(_) => locale.of("kind", "receipt"),
    };
    html! { tr {
        td { a href={ "/console/lots/" (row.case.lot()) } {
            (names.household(&row.household_name, row.case.lot().household()))
            @if let Some(lot) = lot { " · " (names.product(&lot.product)) @if let Some(day) = lot.day { " · " (day.to_string()) } } } }
        td data-label=(locale.t("kind")) { (kind) }
        td data-label=(locale.t("value-now")) { (value(locale, names, row, &planned.before)) }
        td data-label=(locale.t("value-then")) { strong { (value(locale, names, row, &planned.after)) } }
        td.number data-label=(locale.t("at-stake")) { (row.stake_fen.map_or_else(|| "—".to_owned(), money)) }
    } }
}

/// Settlements as edits of their books, all of them or none: one of each book for all that are of it.
fn together(settled: impl IntoIterator<Item = (CaseId, Settlement)>, message: &'static str) -> Vec<Edits> {
    let mut books: BTreeMap<DocumentKey, (Option<&'static str>, Vec<Edit>)> = BTreeMap::new();
    for (case, Settlement { edit, decision }) in settled {
        books.entry(case.book()).or_insert_with(|| (Some(message), Vec::new())).1.push(edit);
        let line: Edit = Box::new(move |doc| decide(doc, &decision));
        books.entry(case.lot().case_book()).or_default().1.push(line);
    }
    books.into_iter().map(|(key, (message, edits))| Edits { key, message, seen: None, edits }).collect()
}

/// The page that the form was on, which says what was done.
fn with_done(form: &Form, group: &str) -> String {
    let page = page_of(form).unwrap_or_else(|| CASES_PAGE.to_owned());
    let (path, query) = page.split_once('?').unwrap_or((page.as_str(), ""));
    let others = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(&format!("{DONE}=")));
    let query: Vec<String> = others.map(str::to_owned).chain([format!("{DONE}={}", encode(group))]).collect();
    format!("{path}?{}", query.join("&"))
}

/// What was decided at once, with the button that undoes all of it.
pub(super) fn group_notice(signed: &SignedIn, group: &CaseGroup) -> Markup {
    let locale = signed.locale;
    let count = [("count", grouped(group.cases))];
    let form = Inputs::of(signed, UNDO_MANY, &[("group", &group.group)]);
    html! {
        form.notice method="post" action=(UNDO_MANY) {
            (form.hidden())
            (locale.with("settled-many", &count)) " " span.small { (group.by) " · " (locale.moment(group.at)) " · " (locale.note(&group.note)) } " "
            button.quiet data-undo { (locale.with("undo-many", &count)) }
        }
    }
}

/// `POST /console/cases/many/undo`: undoes all that was decided at once and still stands, and says what it left.
pub(super) async fn undo_many(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let group = form.get("group").to_owned();
    if group.is_empty() {
        return Err(refused(locale, 400, "form-field-wrong"));
    }
    let filter = CaseFilter {
        group: Some(group.clone()),
        limit: u32::try_from(MANY_MAX).unwrap_or(100),
        ..CaseFilter::default()
    };
    let rows = signed.read(move |models| models.cases(&filter)).await?;
    let names = Names::of(&signed).await?;
    let settler = Settler { by: &signed.session.name, at: crate::environment::now(), note: "" };
    let mut undone: Vec<(CaseId, Settlement)> = Vec::new();
    let (mut left, mut left_whole) = (Vec::new(), 0u64);
    for row in rows {
        let mut case = Case::find(&signed, &row.case.to_string()).await?;
        let last = case.last_decision(&signed).await?;
        let Some(last) = last.filter(|last| last.group == group && last.kind == Some(DecisionKind::Settled)) else {
            continue;
        };
        let undoing = conflicts::undo(&mut case.book, &row.case, &last, settler)
            .map_err(|fault| refuse(locale, &Error::from(fault)))?;
        left.extend(left_since::words(&names, &row, &undoing.left));
        // What somebody wrote since stays.
        if undoing.put_back == 0 && !undoing.left.is_empty() {
            left_whole = left_whole.saturating_add(1);
            continue;
        }
        undone.push((row.case.clone(), case.with_values(undoing.settlement)));
    }
    if undone.is_empty() {
        return Err(
            refused(locale, 409, if left.is_empty() { "undone-already" } else { "undone-nothing" }).with_links(left)
        );
    }
    let count = undone.len() as u64;
    signed.edit(together(undone, UNDOING)).await?;
    let told = match left_whole {
        0 => locale.with("undone-many", &[("count", grouped(count))]),
        some => locale.with("undone-many-left", &[("count", grouped(count)), ("left", grouped(some))]),
    };
    let page = page_of(&form).unwrap_or_else(|| CASES_PAGE.to_owned());
    Ok(Told { sentence: Some(told), left }.with(Redirect::to(&page).into_response()))
}
