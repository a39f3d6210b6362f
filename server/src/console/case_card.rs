//! One case with the ways to settle it: its values side by side, what differs marked, who wrote which and when.

use granary_client_core::conflicts::{CaseId, CaseState, Contender};
use granary_client_core::projection::{CaseRow, LotRow};
use granary_client_core::quantities::{Instant, TextField};
use granary_client_core::schema::LotId;
use granary_client_core::schema::case_book::DecisionKind;
use maud::{Markup, html};

use super::cases::seen;
use super::difference::marked;
use super::i18n::{Locale, money};
use super::inputs::{AMOUNT, Inputs, TEXT};
use super::names::Names;
use super::signed_in::SignedIn;

/// Names a whole receipt among the fields of a lot.
const RECEIPT: &str = "receipt";

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
            @if case.state == CaseState::SettledTwice && matches!(case.case, CaseId::Field(..) | CaseId::Receipt(_)) {
                ul { @for (place, value) in case.contenders.iter().enumerate() {
                    li { (contender(names, case, value)) " · " (names.author(value.author().as_ref())) " · " (locale.moment(value.at))
                        @if place.saturating_add(1) == case.contenders.len() { " " strong { (locale.t("this-one-won")) } } } } }
            }
            form method="post" action=(action) {
                (hidden)
                @match &case.case {
                    CaseId::Field(_, field) if is_open => (field_form(signed, names, case, field, &form)),
                    CaseId::Twice(first, second) if is_open => (twice_form(signed, names, case, [(first, row(first)), (second, row(second))], &form)),
                    CaseId::Receipt(_) if is_open => (field_form(signed, names, case, RECEIPT, &form)),
                    CaseId::Weight(_) if is_open => (weight_form(signed, names, case, lot, &form)),
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
        CaseId::Receipt(_) => names.value(RECEIPT, &value.value),
        CaseId::Twice(..) | CaseId::Weight(_) => names.value("grams", &value.value),
    }
}

fn title(signed: &SignedIn, case: &CaseRow) -> String {
    let locale = signed.locale;
    match &case.case {
        CaseId::Field(_, field) => locale.with("case-field", &[("field", locale.of("field", field))]),
        CaseId::Receipt(_) => locale.t("case-receipt"),
        CaseId::Twice(..) => locale.t("case-twice"),
        // What is settled is no difference any more.
        CaseId::Weight(_) if case.worth_grams <= 0 => locale.t("case-weight-before"),
        CaseId::Weight(_) => locale.with("case-weight", &[("weight", locale.kilograms(case.worth_grams))]),
    }
}

/// The note and the buttons. `settle` says what the first does; `says` is the family of words for a value that is chosen or typed,
/// which a script puts on it.
fn note_and_buttons(signed: &SignedIn, settle: &str, says: &str, form: &Inputs<'_>) -> Markup {
    let locale = signed.locale;
    html! {
        label { (locale.t("note")) (form.empty("note", TEXT.at_most(TextField::Note.most()))) }
        div.buttons {
            button name="how" value="settle" data-do data-says=(locale.with(says, &[("value", "{}".to_owned())])) { (form.doing(settle)) }
            button.quiet name="how" value="leave" formnovalidate data-leave { (locale.t("leave-with-note")) }
        }
    }
}

fn field_form(signed: &SignedIn, names: &Names, case: &CaseRow, field: &str, form: &Inputs<'_>) -> Markup {
    let locale = signed.locale;
    let none = case.contenders.is_empty();
    let shown = marked(&case.contenders.iter().map(|value| names.value(field, &value.value)).collect::<Vec<_>>());
    html! {
        fieldset.choices {
            legend { (locale.t("choose-value")) }
            @for (place, (value, shown)) in case.contenders.iter().zip(shown).enumerate() {
                label.choice {
                    input type="radio" name="value" value=(value.value) required
                        checked[form.is_chosen("value", &value.value, place.saturating_add(1) == case.contenders.len())];
                    strong { (shown) }
                    span.small { (names.author(value.author().as_ref())) " · " (locale.moment(value.at)) }
                }
            }
            label.choice {
                input type="radio" name="value" value="" required[none] checked[form.is_chosen("value", "", none)];
                span { (locale.t("another-value")) @if !placeholder(locale, field).is_empty() { " (" (placeholder(locale, field)) ")" } }
                (form.empty("other", TEXT))
            }
            @if field == RECEIPT { label { (locale.t("another-grade")) (form.empty("grade", TEXT)) } }
            (form.fault("value"))
        }
        (note_and_buttons(signed, "settle-chosen", "settle-with", form))
    }
}

fn placeholder(locale: Locale, field: &str) -> String {
    match field {
        "grams" | RECEIPT => locale.t("unit-kg"),
        "moisture" => "%".to_owned(),
        "day" => "2026-10-03".to_owned(),
        _ => String::new(),
    }
}

fn twice_form(
    signed: &SignedIn,
    names: &Names,
    case: &CaseRow,
    lots: [(&LotId, Option<&LotRow>); 2],
    form: &Inputs<'_>,
) -> Markup {
    let locale = signed.locale;
    let rows = lots.map(|(_, row)| row);
    let both = |value: &dyn Fn(&LotRow) -> String| marked(&rows.map(|row| row.map(value).unwrap_or_default()));
    let weights = both(&|row| row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.weight(grams)));
    let values =
        ["grade", "moisture", "place", "note"].map(|field| (field, both(&|row| shown_field(names, row, field))));
    html! {
        fieldset.choices {
            legend { (locale.t("choose-lot")) }
            @for (place, ((lot, row), weight)) in lots.into_iter().zip(weights).enumerate() {
                label.choice {
                    input type="radio" name="keep" value=(lot.in_full()) required checked[form.is_chosen("keep", &lot.in_full(), place == 0)];
                    strong { @if row.is_some() { (weight) } @else { (lot) } }
                    span.small { (author(names, lot, case.written_at.get(place).copied().flatten())) }
                    @for (field, shown) in &values {
                        @if let Some(shown) = shown.get(place).filter(|_| rows.iter().flatten().any(|row| !shown_field(names, row, field).is_empty())) {
                            span.small { (locale.of("field", field)) " " @if shown.0.is_empty() { "—" } @else { (shown) } }
                        }
                    }
                    @if let Some(row) = row { span.small { (locale.of("state", row.state.name())) " · " (row.lot) } }
                }
            }
            (form.fault("keep"))
        }
        label { (locale.t("weight-after-merge")) (form.empty("other", AMOUNT)) }
        (note_and_buttons(signed, "merge-chosen", "merge-with", form))
    }
}

/// Who recorded a lot with which phone, and when.
fn author(names: &Names, lot: &LotId, at: Option<Instant>) -> String {
    let who = names.author(lot.key().actor().as_ref());
    at.map_or_else(|| who.clone(), |at| format!("{who} · {}", names.locale().moment(at)))
}

/// A lot's field for people; empty for none.
fn shown_field(names: &Names, row: &LotRow, field: &str) -> String {
    let value = match field {
        "grade" => row.grade.clone(),
        "moisture" => row.moisture.map(|permille| permille.to_string()).unwrap_or_default(),
        "place" => row.place.clone(),
        _ => row.note.clone(),
    };
    if value.is_empty() { value } else { names.value(field, &value) }
}

fn weight_form(signed: &SignedIn, names: &Names, case: &CaseRow, lot: Option<&LotRow>, form: &Inputs<'_>) -> Markup {
    let locale = signed.locale;
    let weight = |grams: Option<i64>| grams.map_or_else(|| locale.t("damaged"), |grams| locale.weight(grams));
    html! {
        @if let Some(lot) = lot {
            @let shown = marked(&[weight(lot.grams), weight(lot.weighed_grams)]);
            dl.pair {
                @for (place, (shown, by)) in shown.iter().zip(&case.weights_by).enumerate() {
                    div {
                        dt { (locale.t(if place == 0 { "recorded" } else { "weighed" }))
                            @if let Some(day) = if place == 0 { lot.day } else { lot.weighed_day } { " · " (day.to_string()) } }
                        dd { (shown) " "
                            span.small { (locale.with("written-last-by", &[("who", names.author(by.as_ref()))]))
                                @if let Some(at) = case.written_at.get(place).copied().flatten() { " · " (locale.moment(at)) } } }
                    }
                }
            }
        }
        label { (locale.t("another-weight")) (form.empty("other", AMOUNT)) }
        (note_and_buttons(signed, "settle-warehouse", "settle-with", form))
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
        CaseId::Receipt(_) => names.value(RECEIPT, &case.chosen),
        CaseId::Twice(..) => case.chosen_shown(),
    }
}
