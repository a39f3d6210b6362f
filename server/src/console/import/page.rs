//! The pages of an import: choosing a file, and what it would do.

use std::collections::BTreeMap;

use axum::response::Response;
use granary_client_core::projection::HouseholdRow;
use maud::{Markup, html};

use super::households::{Fate, Plan};
use super::{Import, PREVIEW, ROWS_SHOWN_WHOLE, Row};
use crate::console::i18n::{Locale, grouped, money};
use crate::console::inputs::Inputs;
use crate::console::names::Names;
use crate::console::page::{Page, token};
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedIn;

/// A list of so many villages is open.
const VILLAGES_OPEN: usize = 30;

/// `GET /console/import`
pub(in crate::console) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let form = Inputs::of(&signed, PREVIEW, &[]);
    let names = Names::of(&signed).await?;
    let main = html! {
        p { (locale.t("import-help")) }
        ul { li { code { (locale.t("import-heads-households")) } " — " (locale.t("import-households")) }
            li { code { (locale.t("import-heads-by-id")) } " — " (locale.t("import-households-by-id")) }
            li { code { (locale.t("import-heads-products")) } " — " (locale.t("import-products")) } }
        form.card method="post" action=(PREVIEW) enctype="multipart/form-data" {
            (form.hidden())
            label { (locale.t("file")) input type="file" name="file" accept=".csv,.txt,.xlsx,.xls,text/csv,text/plain" required; }
            button { (locale.t("preview")) }
        }
        (known_villages(locale, &names))
    };
    Ok(Page { title: locale.t("import"), part: "export", main }.show(&signed))
}

/// The preview. `is_anew` says that it is another one than was confirmed.
pub(super) async fn shown(signed: &SignedIn, import: &Import, is_anew: bool) -> Result<Response, Refused> {
    let locale = signed.locale;
    let Import { rows, ignored, taken } = import;
    let count = |wanted: fn(&Row) -> bool| rows.iter().filter(|(_, row)| wanted(row)).count();
    let errors = count(|row| matches!(row, Row::NoVillage(_) | Row::Wrong(_)));
    let (changes, questions) = (count(Row::changes_something), count(Row::is_question));
    let names = Names::of(signed).await?;
    let main = html! {
        @let same = count(Row::is_here);
        @if is_anew { p.error role="alert" { (locale.t("import-another")) } }
        p role="status" { (locale.with("import-summary", &[("changes", grouped(changes as u64)), ("errors", grouped(errors as u64))])) }
        @if same > 0 { p { (locale.with("import-same-rows", &[("count", grouped(same as u64))])) } }
        @if !ignored.is_empty() { p.notice { (locale.with("import-ignored", &[("heads", ignored.join(", "))])) } }
        @if questions > 0 { p.notice { (locale.with("import-questions", &[("count", grouped(questions as u64))])) } }
        @if errors > 0 { p.error role="alert" { (locale.t("import-nothing-yet")) } }
        (unknown_villages(locale, rows)) @if errors > 0 { (known_villages(locale, &names)) }
        @if errors > 0 || (changes == 0 && questions == 0) { (table(locale, &names, rows)) } @else {
            form method="post" action="/console/import/confirm" {
                (token(signed))
                input type="hidden" name="text" value=(taken);
                input type="hidden" name="seen" value=(import.effect());
                (table(locale, &names, rows))
                button { (locale.with("import-confirm", &[("changes", grouped(changes as u64))])) }
            }
        }
        p { a href="/console/import" { (locale.t("another-file")) } }
    };
    Ok(Page { title: locale.t("preview"), part: "export", main }.show(signed))
}

/// The villages that the file names and nobody knows, each with its rows.
fn unknown_villages(locale: Locale, rows: &[(u64, Row)]) -> Markup {
    let mut unknown: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (line, row) in rows {
        if let Row::NoVillage(village) = row {
            unknown.entry(village).or_default().push(line.to_string());
        }
    }
    html! {
        @if !unknown.is_empty() {
            div.notice { p { (locale.t("import-unknown-villages")) }
                ul { @for (village, rows) in &unknown { li {
                    (locale.with("import-unknown-village", &[("village", (*village).to_owned()), ("rows", rows.join(", "))])) } } }
                p { a href="/console/cooperative" { (locale.t("villages")) } } }
        }
    }
}

/// The villages that a file can name, with their codes.
fn known_villages(locale: Locale, names: &Names) -> Markup {
    html! {
        details open[names.villages().len() <= VILLAGES_OPEN] { summary { (locale.with("import-villages", &[("count", grouped(names.villages().len() as u64))])) }
            @if names.villages().is_empty() { p.empty { (locale.t("import-no-villages")) " " a href="/console/cooperative" { (locale.t("villages-first")) } } }
            @else { ul { @for (code, name) in names.villages() { li { (name) " · " code { (code) } } } } }
        }
    }
}

fn table(locale: Locale, names: &Names, rows: &[(u64, Row)]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(locale.t("preview")) { table {
            thead { tr { th scope="col" { (locale.t("row")) } th scope="col" { (locale.t("import-what")) } th scope="col" { (locale.t("history-changes")) } } }
            tbody { @for (line, row) in rows.iter().filter(|(_, row)| rows.len() <= ROWS_SHOWN_WHOLE || !row.is_here()) { tr {
                td.number { (line) }
                @match row {
                    Row::Household { name, village, plan, namesakes } => {
                        td { (fate(locale, plan.fate)) }
                        td { (household(names, plan, (name, village), namesakes)) (choices(locale, names, *line, plan, namesakes)) } },
                    Row::Product { code, names, prices, is_change } => { td { (kind(locale, *is_change)) }
                        td { (code) @for (before, after) in names {
                                " · " @if !before.is_empty() && before != after { (before) " → " } (after) }
                            @for (name, fen) in prices { " · " (name) " " (money(fen.get())) } } },
                    Row::Same(what) => { td { (locale.t("import-same")) } td { (what) } },
                    Row::NoVillage(village) => { td { span.mark { (locale.t("import-wrong")) } }
                        td.error { (locale.with("import-no-village", &[("village", village.clone())])) } },
                    Row::Wrong(why) => { td { span.mark { (locale.t("import-wrong")) } } td.error { (why) } },
                }
            } } }
        } }
    }
}

/// The household that a row is about: as the row says, and where that says nothing, as it is here.
fn household(
    names: &Names,
    plan: &Plan,
    (name, village): (&Option<String>, &Option<String>),
    namesakes: &[HouseholdRow],
) -> Markup {
    let here = match plan.fate {
        Fate::Same(id) | Fate::Change(id) => namesakes.iter().find(|row| row.household == id),
        Fate::New | Fate::Skip => None,
    };
    let village = village.as_deref().or(here.map(|row| row.village.as_str())).unwrap_or_default();
    html! {
        @match (name, here) {
            (Some(name), _) => (name),
            (None, Some(row)) => (names.household(&row.name, row.household)),
            (None, None) => {}
        }
        " · " (names.village_or_none(village))
    }
}

/// What a row may mean, for the person to choose. Without a question, only who gets another name or village.
fn choices(locale: Locale, names: &Names, line: u64, plan: &Plan, namesakes: &[HouseholdRow]) -> Markup {
    let word = |fate: Fate| match fate {
        Fate::New => locale.t("import-choice-new"),
        Fate::Skip => locale.t("import-choice-skip"),
        Fate::Same(id) | Fate::Change(id) => {
            let here = namesakes.iter().find(|row| row.household == id);
            let values = [
                ("name", here.map_or_else(String::new, |row| row.name.clone())),
                ("village", here.map_or_else(String::new, |row| names.village_or_none(&row.village))),
                ("lots", here.map_or_else(String::new, |row| grouped(row.lots.unsigned_abs()))),
            ];
            let word = if matches!(fate, Fate::Same(_)) { "import-choice-same" } else { "import-choice-move" };
            locale.with(word, &values)
        }
    };
    html! {
        @if plan.choices.len() > 1 {
            fieldset.choices { @for choice in &plan.choices {
                label.check { input type="radio" name={ "choice:" (line) } value=(choice.name()) checked[*choice == plan.fate]; (word(*choice)) }
            } }
        } @else if matches!(plan.fate, Fate::Change(_)) { " — " (word(plan.fate)) }
    }
}

fn fate(locale: Locale, fate: Fate) -> String {
    match fate {
        Fate::Same(_) | Fate::Skip => locale.t("import-same"),
        Fate::New => kind(locale, false),
        Fate::Change(_) => kind(locale, true),
    }
}

fn kind(locale: Locale, is_change: bool) -> String {
    if is_change { locale.t("import-change") } else { locale.t("import-new") }
}
