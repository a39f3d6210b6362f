//! One lot: its fields, its receipt, its open cases and its history.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::conflicts::{self, Contender};
use granary_client_core::crdt::Version;
use granary_client_core::plausibility::{Correction, Facts};
use granary_client_core::projection::{CaseFilter, LotRow, LotState, worth};
use granary_client_core::quantities::{Day, TextField, with_plain_lines};
use granary_client_core::schema::harvest::{self, LotEdit};
use granary_client_core::schema::receipt::{self, Outcome, Receipt};
use granary_client_core::schema::{LotId, LotName};
use maud::{Markup, html};
use serde::Deserialize;

use super::asked_back::must_be_confirmed;
use super::forms::{Form, moisture, was};
use super::history::{self, HistoryEvent};
use super::i18n::{Locale, decimal, money};
use super::inputs::{AMOUNT, DAY, Inputs, TEXT};
use super::names::Names;
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use super::{cases, questions, unusual};
use crate::engine::own_edits::Edits;
use crate::environment::{digest_begins, hex};

/// A lot in addresses: by its number, or in full where that fits several.
struct Address {
    name: LotName,
    row: LotRow,
}

impl Address {
    /// Finds the lot of an address. Asks which, where the number fits several.
    async fn find(signed: &SignedIn, name: &str) -> Result<Self, Refused> {
        let missing = || refused(signed.locale, 404, "not-found");
        let name: LotName = name.parse().map_err(|_| missing())?;
        let asked = name.clone();
        let mut rows = signed.read(move |models| models.lots_named(&asked)).await?;
        match rows.len() {
            0 | 1 => rows.pop().map(|row| Self { name, row }).ok_or_else(missing),
            _ => {
                let names = Names::of(signed).await?;
                let links = rows.iter().map(|row| (path(row.lot.in_full()), title(signed, &names, row)));
                Err(refused(signed.locale, 409, "lot-ambiguous").with_links(links.collect()))
            }
        }
    }

    fn lot(&self) -> &LotId {
        &self.row.lot
    }

    fn path(&self) -> String {
        path(&self.name)
    }
}

fn path(name: impl std::fmt::Display) -> String {
    format!("/console/lots/{name}")
}

/// The lot that somebody names by the number on its page.
pub(super) async fn named(signed: &SignedIn, name: &str) -> Result<LotId, Refused> {
    Ok(Address::find(signed, name).await?.lot().clone())
}

fn title(signed: &SignedIn, names: &Names, row: &LotRow) -> String {
    let locale = signed.locale;
    let weight = row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams));
    format!(
        "{} · {} · {weight}",
        names.household(&row.household_name, row.lot.household()),
        names.product(&row.product)
    )
}

/// A lot and its receipt as their documents have them, with the version of the lot's book: what a form on its page shows.
struct Present {
    lot: harvest::Lot,
    receipt: Option<Receipt>,
    /// A digest of the receipts that disagree, to tell whether the author of a form saw them; empty where none do.
    disagreeing: String,
    /// Of the harvest book.
    version: Version,
}

impl Present {
    async fn of(signed: &SignedIn, lot: &LotId) -> Result<Self, Refused> {
        let missing = || refused(signed.locale, 404, "not-found");
        let mut book = signed.document(lot.book()).await?.ok_or_else(missing)?;
        let mut receipts = signed.document(lot.receipt_book()).await?;
        let receipt = receipts.as_ref().map(receipt::receipts).unwrap_or_default();
        let receipt = receipt.into_iter().find(|receipt| receipt.lot == *lot);
        let found = receipts.as_mut().map(conflicts::in_receipt_book).unwrap_or_default();
        let found = found.into_iter().find(|conflict| conflict.lot == *lot);
        let seen = |values: &[Contender]| hex(&digest_begins::<8>(cases::seen_values(values).as_bytes()));
        let disagreeing = found.map(|conflict| seen(&conflict.values)).unwrap_or_default();
        let version = Version::of(&mut book);
        Ok(Self { lot: harvest::lot(&book, lot.key()).ok_or_else(missing)?, receipt, disagreeing, version })
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LotQuery {
    /// `both` where a save has kept two values of one field.
    kept: String,
}

/// `GET /console/lots/{lot}`
pub(super) async fn show(
    signed: SignedIn,
    Path(name): Path<String>,
    Query(query): Query<LotQuery>,
) -> Result<Response, Refused> {
    let locale = signed.locale;
    let address = Address::find(&signed, &name).await?;
    let row = &address.row;
    let names = Names::of(&signed).await?;
    let present = Present::of(&signed, &row.lot).await?;
    let filter = CaseFilter { lot: Some(row.lot.clone()), ..CaseFilter::default() };
    let lot = row.lot.clone();
    let (open, lots, asked) = signed
        .read(move |models| {
            let open = models.cases(&filter)?;
            let lots = cases::lots_of(models, &open)?;
            Ok((open, lots, questions::about(models, &lot)?))
        })
        .await?;
    let events = {
        let (granary, number) = (std::sync::Arc::clone(&signed.granary), signed.cooperative.number());
        let lot = row.lot.clone();
        signed.work(move || history::of_lot(&granary, number, &lot)).await?
    };
    let title = title(&signed, &names, row);
    let main = html! {
        p { (locale.t("lot-number")) " " strong.code { (row.lot) } " · " (row.season) }
        p { (locale.t("recorded-by")) " " (names.recorded_by(&row.lot)) }
        @if let Some(into) = &row.merged_into {
            p.notice { (locale.t("lot-merged")) " " a href=(path(into)) { (locale.t("lot-merged-into")) " " (into) } }
        }
        @if query.kept == "both" && !open.is_empty() { p.notice role="alert" { (locale.t("lot-kept-both")) } }
        @if !open.is_empty() {
            section id=(cases::CASES) tabindex="-1" { h2 { (locale.t("part-cases")) } (cases::cards(&signed, &names, &open, &lots)) }
        }
        div.columns {
            section { h2 { (locale.t("lot-recorded")) } (correct_form(&signed, &names, &address, &present)) }
            section { h2 { (locale.t("lot-receipt")) } (receipt_form(&signed, &names, &address, &present)) }
        }
        (questions::section(&signed, &names, &row.lot, &asked)?)
        section { h2 { (locale.t("lot-history")) } (history_table(&signed, &names, &events)) }
    };
    Ok(Page { title, part: "harvests", main }.show(&signed))
}

fn correct_form(signed: &SignedIn, names: &Names, address: &Address, present: &Present) -> Markup {
    let locale = signed.locale;
    let shown = |field: &str| shown_field(&present.lot, field);
    let action = format!("{}/correct", address.path());
    let form = Inputs::of(signed, &action, &[]);
    html! {
        form.card method="post" action=(action) {
            (form.hidden()) (form.seen("seen", &present.version.to_string()))
            label { (locale.t("product")) (form.choice("product", &shown("product"), names.product_choices())) }
            label { (locale.t("weight-kg")) (form.field("grams", &shown("grams"), AMOUNT)) }
            label { (locale.t("grade")) (form.field("grade", &shown("grade"), TEXT)) }
            label { (locale.t("moisture-percent")) (form.field("moisture", &shown("moisture"), AMOUNT)) }
            label { (locale.t("day")) (form.field("day", &shown("day"), DAY)) }
            label { (locale.t("place")) (form.field("place", &shown("place"), TEXT)) }
            label { (locale.t("note")) (form.lines("note", &shown("note"))) }
            button { (form.doing("save")) }
        }
    }
}

/// A field as the form shows it.
fn shown_field(lot: &harvest::Lot, field: &str) -> String {
    match field {
        "grams" => lot.quantity.map(|grams| decimal(grams.get(), 1000)).unwrap_or_default(),
        "moisture" => lot.moisture.map(|permille| decimal(permille.get(), 10)).unwrap_or_default(),
        other => lot.field(other),
    }
}

/// A receipt's fields as the form shows them: empty as long as nobody has weighed.
fn shown_receipt(receipt: Option<&Receipt>) -> [(&'static str, String); 5] {
    let outcome = receipt.and_then(|receipt| receipt.outcome.clone());
    let (state, grams, grade, reason) = match outcome {
        Some(Outcome::Received { weighed, grade }) => ("received", decimal(weighed.get(), 1000), grade, String::new()),
        Some(Outcome::Rejected { reason }) => ("rejected", String::new(), String::new(), reason),
        None => ("", String::new(), String::new(), String::new()),
    };
    let day = receipt.and_then(|receipt| receipt.day).map(|day| day.to_string()).unwrap_or_default();
    [("state", state.to_owned()), ("grams", grams), ("grade", grade), ("reason", reason), ("day", day)]
}

fn receipt_form(signed: &SignedIn, names: &Names, address: &Address, present: &Present) -> Markup {
    let (locale, row) = (signed.locale, &address.row);
    let action = format!("{}/receipt", address.path());
    let form = Inputs::of(signed, &action, &[]);
    let [(_, state), (_, grams), (_, grade), (_, reason), (_, day)] = shown_receipt(present.receipt.as_ref());
    html! {
        p { @if row.state == LotState::Recorded { (locale.t("not-weighed-yet")) } @else { (locale.of("state", row.state.name())) }
            @if let Some(grams) = row.weighed_grams { " · " (locale.weight(grams)) }
            // The warehouse's grade decides the price; where it gave none, the household's does.
            @if !row.weighed_grade.is_empty() { " · " (locale.t("grade")) " " (row.weighed_grade) }
            @if let Some(fen) = worth(row, &names.catalogue) { " · " strong { (money(fen)) } }
            @if !row.reason.is_empty() { " · " (row.reason) }
            @if !present.disagreeing.is_empty() { " " span.mark { (locale.t("edited-at-once")) } } }
        form.card method="post" action=(action) {
            (form.hidden()) (form.seen("disagreeing", &present.disagreeing))
            fieldset {
                legend { (locale.t("receipt-outcome")) }
                @for one in ["received", "rejected"] {
                    label.check { input type="radio" name="state" value=(one) required checked[form.is_chosen("state", one, state == one)]; (locale.of("state", one)) }
                }
                (form.was("state", &state)) (form.fault("state"))
            }
            label { (locale.t("weighed-kg")) (form.field("grams", &grams, AMOUNT)) }
            label { (locale.t("grade")) (form.field("grade", &grade, TEXT)) }
            label { (locale.t("reject-reason")) (form.field("reason", &reason, TEXT)) }
            label { (locale.t("receipt-day")) (form.field("day", &day, DAY)) }
            button { (form.doing("save-receipt")) }
        }
        p.small { (locale.t("receipt-help")) }
    }
}

/// Nobody writes these empty: the value was there already, and was chosen among several.
fn is_choice(field: &str, value: &str) -> bool {
    value.is_empty() && ["grams", "product", "day"].contains(&field)
}

fn history_table(signed: &SignedIn, names: &Names, events: &[HistoryEvent]) -> Markup {
    let locale = signed.locale;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(locale.t("lot-history")) {
            table {
                thead { tr {
                    th scope="col" { (locale.t("history-what")) } th scope="col" { (locale.t("history-who")) }
                    th scope="col" { (locale.t("history-written")) } th scope="col" { (locale.t("history-came")) }
                    th scope="col" { (locale.t("history-changes")) }
                } }
                tbody {
                    @for event in events {
                        tr {
                            td { (locale.of("history", event.event.kind.name())) }
                            td { (names.author(Some(&event.event.actor))) }
                            td { (locale.moment(event.event.recorded)) }
                            td { (locale.moment(event.received)) }
                            td.note { @for (field, value) in &event.event.fields {
                                span.change { (locale.of("field", field)) ": "
                                    @if is_choice(field, value) { (locale.t("history-chosen")) } @else { (names.value(field, value)) } } " " } }
                        }
                    }
                }
            }
        }
    }
}

/// `POST /console/lots/{lot}/correct`: writes the fields that its author changed, on the version that she saw. Where somebody else
/// wrote the same field since, both values are kept, and the page shows the disagreement.
pub(super) async fn correct(
    Path(name): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let address = Address::find(&signed, &name).await?;
    let Present { lot, .. } = Present::of(&signed, address.lot()).await?;
    // What takes back puts nothing over what somebody else wrote since.
    if form.get("undoes") == "yes" {
        let now: Vec<(&str, String)> = harvest::FIELDS.iter().map(|field| (*field, shown_field(&lot, field))).collect();
        form.must_be_as_seen(signed.locale, &now)?;
    }
    let (mut edits, mut is_in_conflict) = (Vec::new(), false);
    for field in harvest::FIELDS {
        let Some(changed) = form.changed(field) else { continue };
        let (seen, now) = (form.get(&was(field)).to_owned(), shown_field(&lot, field));
        is_in_conflict |= form.has("seen")
            && with_plain_lines(&seen) != with_plain_lines(&now)
            && with_plain_lines(changed) != with_plain_lines(&now);
        let text = typed(signed.locale, &form, field)?;
        if text != lot.field(field) && !(text.is_empty() && matches!(field, "grams" | "day" | "moisture" | "product")) {
            let edit = LotEdit::parse(field, &text);
            edits.push(edit.map_err(|fault| super::refusal::refuse(signed.locale, &fault.into()).at(field))?);
        }
    }
    let (product, grade, place) = (lot.field("product"), lot.field("grade"), lot.field("place"));
    let before = Facts { product: &product, quantity: lot.quantity, grade: &grade, day: lot.day, place: &place };
    let odd = unusual::of_correction(&signed, address.lot(), &Correction::of(before, &edits)).await?;
    must_be_confirmed(signed.locale, &form, &odd)?;
    if !edits.is_empty() {
        let key = address.lot().key().clone();
        let edit = Edits {
            seen: form.get("seen").parse().ok(),
            ..Edits::one(address.lot().book(), move |doc| {
                edits.iter().try_for_each(|edit| harvest::correct(doc, &key, edit))
            })
        };
        signed.edit(vec![edit]).await?;
    }
    let told = if is_in_conflict { "?kept=both" } else { "" };
    Ok(Redirect::to(&format!("{}{told}", address.path())).into_response())
}

/// A field of the form as a document's value.
fn typed(locale: Locale, form: &Form, field: &str) -> Result<String, Refused> {
    match field {
        "grams" | "moisture" if form.get(field).is_empty() => Ok(String::new()),
        "grams" => Ok(form.weight(locale, field)?.get().to_string()),
        "moisture" => {
            moisture(locale, form.get(field)).map(|moisture| moisture.get().to_string()).map_err(|no| no.at(field))
        }
        "product" => form.optional_text(locale, field, TextField::ProductCode),
        "grade" => form.optional_text(locale, field, TextField::Grade),
        "place" => form.optional_text(locale, field, TextField::Place),
        "note" => form.optional_text(locale, field, TextField::Note),
        "day" if form.get(field).is_empty() => Ok(String::new()),
        "day" => Ok(form.day(locale, field)?.to_string()),
        other => Ok(form.get(other).to_owned()),
    }
}

/// `POST /console/lots/{lot}/receipt`: what its author left as it was shown stays as it is now.
pub(super) async fn receive(
    Path(name): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, address) = (signed.locale, Address::find(&signed, &name).await?);
    let Present { receipt, disagreeing, .. } = Present::of(&signed, address.lot()).await?;
    // A receipt takes the place of all that are there: whoever saves it must have seen them.
    if form.has("disagreeing") && form.get("disagreeing") != disagreeing {
        return Err(refused(locale, 409, "case-changed").seen_anew());
    }
    let present = shown_receipt(receipt.as_ref());
    form.must_be_as_seen(locale, &present)?;
    let changed = |field: &&str| form.changed(field).is_some();
    if receipt.is_some() && !present.iter().any(|(field, _)| changed(field)) {
        return Ok(Redirect::to(&address.path()).into_response());
    }
    let kept: Vec<(&str, &str)> =
        present.iter().map(|(field, now)| (*field, form.changed(field).unwrap_or(now))).collect();
    let whole = Form::of(&kept);
    let day = match whole.get("day") {
        "" => Day::in_china(crate::environment::now()),
        _ => whole.day(locale, "day")?,
    };
    let outcome = match whole.get("state") {
        "received" => Outcome::Received {
            weighed: whole.weight(locale, "grams")?,
            grade: whole.optional_text(locale, "grade", TextField::Grade)?,
        },
        "rejected" if whole.get("reason").is_empty() => {
            return Err(refused(locale, 400, "reason-missing").at("reason"));
        }
        "rejected" => Outcome::Rejected { reason: whole.text(locale, "reason", TextField::Reason)? },
        _ => return Err(refused(locale, 400, "outcome-missing").at("state")),
    };
    must_be_confirmed(locale, &form, &unusual::of_receipt(&signed, &address.row, &outcome, day).await?)?;
    let lot = address.lot().clone();
    signed.edit(vec![Edits::one(lot.receipt_book(), move |doc| receipt::receive(doc, &lot, &outcome, day))]).await?;
    Ok(Redirect::to(&address.path()).into_response())
}
