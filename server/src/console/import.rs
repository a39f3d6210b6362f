//! Imports households and products from CSV: first a preview with an error for each invalid row, then all rows or
//! none.

use std::collections::BTreeMap;

use axum::extract::Multipart;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::HouseholdRow;
use granary_client_core::quantities::{Fen, checked_text};
use granary_client_core::schema::catalogue::{self, PriceName};
use granary_client_core::schema::{DocumentKey, Part, household};
use maud::{Markup, html};

use super::forms::{is_code, scaled};
use super::i18n::{Locale, money};
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refuse, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::AuditAction;
use crate::engine::own_edits::{Edit, Edits};

/// The largest file, in bytes; it must fit into the form that confirms it.
const FILE_BYTES_MAX: usize = 80 * 1024;
/// Rows of one file at most.
const ROWS_MAX: usize = 1_000;

/// The effect of one row.
enum Row {
    Household { id: Option<HouseholdId>, name: String, village: String, is_change: bool },
    Product { code: String, zh: String, en: String, prices: Vec<(PriceName, Fen)>, is_change: bool },
    Same(String),
    Wrong(String),
}

/// `GET /console/import`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let main = html! {
        p { (locale.t("import-help")) }
        ul { li { code { "name,village" } " — " (locale.t("import-households")) }
            li { code { "code,zh,en,A,B,C" } " — " (locale.t("import-products")) } }
        form.card method="post" action="/console/import/preview" enctype="multipart/form-data" {
            (token(&signed))
            label { (locale.t("file")) input type="file" name="file" accept=".csv,text/csv" required; }
            button { (locale.t("preview")) }
        }
    };
    Ok(Page { title: locale.t("import"), part: "export", main }.show(&signed))
}

/// `POST /console/import/preview`
pub(super) async fn preview(signed: SignedIn, mut parts: Multipart) -> Result<Response, Refused> {
    let locale = signed.locale;
    let (mut given, mut file) = (String::new(), None);
    let wrong = |_| refused(locale, 400, "form-field-wrong");
    while let Some(field) = parts.next_field().await.map_err(wrong)? {
        match field.name() {
            Some("token") => given = field.text().await.map_err(wrong)?,
            Some("file") => file = Some(field.bytes().await.map_err(wrong)?),
            _ => {}
        }
    }
    signed.must_own_token(&given)?;
    let file = file.ok_or_else(|| refused(locale, 400, "form-field-wrong"))?;
    if file.len() > FILE_BYTES_MAX {
        return Err(refused(locale, 413, "file-too-large"));
    }
    let text = String::from_utf8(file.to_vec()).map_err(|_| refused(locale, 400, "file-not-utf8"))?;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    let rows = read(&signed, &text).await?;
    let errors = rows.iter().filter(|row| matches!(row, Row::Wrong(_))).count();
    let changes = rows.iter().filter(|row| !matches!(row, Row::Wrong(_) | Row::Same(_))).count();
    let main = html! {
        p role="status" { (locale.with("import-summary", &[("changes", changes.to_string()), ("errors", errors.to_string())])) }
        @if errors > 0 { p.error role="alert" { (locale.t("import-nothing-yet")) } }
        (table(locale, &rows))
        @if errors == 0 && changes > 0 {
            form method="post" action="/console/import/confirm" {
                (token(&signed))
                input type="hidden" name="text" value=(text);
                button { (locale.with("import-confirm", &[("changes", changes.to_string())])) }
            }
        }
        p { a href="/console/import" { (locale.t("another-file")) } }
    };
    Ok(Page { title: locale.t("preview"), part: "export", main }.show(&signed))
}

fn table(locale: Locale, rows: &[Row]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(locale.t("preview")) { table {
            thead { tr { th scope="col" { (locale.t("row")) } th scope="col" { (locale.t("import-what")) } th scope="col" { (locale.t("history-changes")) } } }
            // The first row of the file is the header.
            tbody { @for (line, row) in (2usize..).zip(rows) { tr {
                td.number { (line) }
                @match row {
                    Row::Household { name, village, is_change, .. } => { td { (kind(locale, *is_change)) } td { (name) " · " (village) } },
                    Row::Product { code, zh, en, prices, is_change } => { td { (kind(locale, *is_change)) }
                        td { (code) " · " (zh) " · " (en) @for (name, fen) in prices { " · " (name) " " (money(fen.get())) } } },
                    Row::Same(what) => { td { (locale.t("import-same")) } td { (what) } },
                    Row::Wrong(why) => { td { span.mark { (locale.t("import-wrong")) } } td.error { (why) } },
                }
            } } }
        } }
    }
}

fn kind(locale: Locale, is_change: bool) -> String {
    if is_change { locale.t("import-change") } else { locale.t("import-new") }
}

/// Compares the file with the present documents.
async fn read(signed: &SignedIn, text: &str) -> Result<Vec<Row>, Refused> {
    let locale = signed.locale;
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let unreadable = |_| refused(locale, 400, "file-unreadable");
    let heads: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
    let mut records = Vec::new();
    for record in reader.records() {
        records.push(record.map_err(unreadable)?.iter().map(str::to_owned).collect::<Vec<_>>());
        if records.len() > ROWS_MAX {
            return Err(refused(locale, 413, "file-too-large"));
        }
    }
    let names = Names::of(signed).await?;
    let first_two: Vec<&str> = heads.iter().take(3).map(String::as_str).collect();
    match first_two.as_slice() {
        ["name", "village", ..] => {
            let known = signed.read(|models| models.households("", None, u32::MAX, 0)).await?;
            Ok(households(locale, &names, &known, &records))
        }
        ["code", "zh", "en"] => {
            let grades: Vec<PriceName> = heads
                .iter()
                .skip(3)
                .map(|head| head.parse().map_err(|_| refused(locale, 400, "grade-wrong")))
                .collect::<Result<_, _>>()?;
            Ok(records.iter().map(|record| product(locale, &names, &grades, record)).collect())
        }
        _ => Err(refused(locale, 400, "file-heads-wrong")),
    }
}

fn households(locale: Locale, names: &Names, known: &[HouseholdRow], records: &[Vec<String>]) -> Vec<Row> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Vec::with_capacity(records.len());
    for (line, record) in (2usize..).zip(records) {
        let field = |place: usize| record.get(place).cloned().unwrap_or_default();
        let (name, village) = (field(0), field(1));
        let by_name: Vec<&HouseholdRow> = known.iter().filter(|row| row.name == name).collect();
        let row = match checked_text("a household's name", &name, 64) {
            Err(fault) => Row::Wrong(fault.to_string()),
            Ok(_) if record.len() < 2 => Row::Wrong(locale.t("import-too-few")),
            Ok(_) if !names.villages().contains_key(&village) => {
                Row::Wrong(locale.with("import-no-village", &[("village", village.clone())]))
            }
            Ok(_) if seen.contains_key(&name) => {
                let first = seen.get(&name).copied().unwrap_or(0);
                Row::Wrong(locale.with("import-twice", &[("row", first.to_string())]))
            }
            Ok(_) if by_name.iter().any(|row| row.village == village) => Row::Same(name.clone()),
            Ok(name) => match by_name.as_slice() {
                [] => Row::Household { id: None, name, village, is_change: false },
                [only] => Row::Household { id: Some(only.household), name, village, is_change: true },
                _ => Row::Wrong(locale.t("import-ambiguous")),
            },
        };
        seen.entry(name).or_insert(line);
        rows.push(row);
    }
    rows
}

fn product(locale: Locale, names: &Names, grades: &[PriceName], record: &[String]) -> Row {
    let field = |place: usize| record.get(place).cloned().unwrap_or_default();
    let (code, zh, en) = (field(0), field(1), field(2));
    if !is_code(&code) {
        return Row::Wrong(locale.t("code-wrong"));
    }
    for name in [&zh, &en] {
        if let Err(fault) = checked_text("a product's name", name, 64) {
            return Row::Wrong(fault.to_string());
        }
    }
    let known = names.catalogue.products.iter().find(|product| product.code == code);
    let mut prices = Vec::new();
    for (place, grade) in (3usize..).zip(grades) {
        let text = field(place);
        if text.is_empty() {
            continue;
        }
        let Some(fen) = scaled(&text, 2).and_then(|fen| Fen::new(fen).ok()) else {
            return Row::Wrong(locale.with("import-price-wrong", &[("grade", grade.to_string()), ("text", text)]));
        };
        if known.and_then(|product| product.price_by_grade.get(grade)) != Some(&fen) {
            prices.push((grade.clone(), fen));
        }
    }
    let same_names = known.is_some_and(|product| {
        product.name_zh.as_deref() == Some(zh.as_str()) && product.name_en.as_deref() == Some(en.as_str())
    });
    match known {
        Some(_) if same_names && prices.is_empty() => Row::Same(code),
        known => Row::Product { code, zh, en, prices, is_change: known.is_some() },
    }
}

/// `POST /console/import/confirm`: reads the same text again and imports all rows or none.
pub(super) async fn confirm(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let rows = read(&signed, form.get("text")).await?;
    let mut documents = Vec::new();
    let mut catalogue: Vec<Edit> = Vec::new();
    let mut count = 0usize;
    for row in rows {
        count = count.saturating_add(1);
        match row {
            Row::Wrong(_) => return Err(refused(signed.locale, 400, "import-nothing-yet")),
            Row::Same(_) => count = count.saturating_sub(1),
            Row::Household { id, name, village, .. } => {
                let millis = u64::try_from(crate::environment::now().0).unwrap_or(0);
                let random = crate::environment::random_bytes().map_err(|error| refuse(signed.locale, &error))?;
                let id = id.unwrap_or_else(|| HouseholdId::generate(millis, random));
                let edit = move |doc: &mut _| household::set_name(doc, &name, &village);
                documents.push(Edits::one(DocumentKey::Household(id), edit));
            }
            Row::Product { code, zh, en, prices, .. } => catalogue.push(Box::new(move |doc| {
                catalogue::name_product(doc, &code, &zh, &en)?;
                prices.iter().try_for_each(|(name, fen)| catalogue::set_price(doc, &code, name, *fen))
            })),
        }
    }
    let to = if catalogue.is_empty() { "/console/households" } else { "/console/catalogue" };
    if !catalogue.is_empty() {
        documents.push(Edits { key: DocumentKey::Catalogue(Part::FIRST), message: None, seen: None, edits: catalogue });
    }
    signed.edit(documents).await?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed
        .work(move || {
            granary.audit(number, crate::environment::now(), by, AuditAction::Imported, &format!("{count} rows"))
        })
        .await?;
    Ok(Redirect::to(to).into_response())
}
