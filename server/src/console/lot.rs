//! One lot: its fields, its receipt, its open cases and its history.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::plausibility::Facts;
use granary_client_core::projection::{CaseFilter, LotRow, LotState};
use granary_client_core::quantities::{Day, with_plain_lines};
use granary_client_core::schema::harvest::{self, LotEdit};
use granary_client_core::schema::receipt::{self, Outcome};
use granary_client_core::schema::{LotId, LotName};
use maud::{Markup, html};

use super::history::{self, HistoryEvent};
use super::i18n::decimal;
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use super::{cases, forms::Form, forms::moisture, unusual};
use crate::engine::own_edits::Edits;

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

fn title(signed: &SignedIn, names: &Names, row: &LotRow) -> String {
    let locale = signed.locale;
    let weight = row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams));
    format!(
        "{} · {} · {weight}",
        names.household(&row.household_name, row.lot.household()),
        names.product(&row.product)
    )
}

/// `GET /console/lots/{lot}`
pub(super) async fn show(signed: SignedIn, Path(name): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let address = Address::find(&signed, &name).await?;
    let row = &address.row;
    let names = Names::of(&signed).await?;
    let filter = CaseFilter { lot: Some(row.lot.clone()), ..CaseFilter::default() };
    let open = signed.read(move |models| models.cases(&filter)).await?;
    let events = {
        let (granary, number) = (std::sync::Arc::clone(&signed.granary), signed.cooperative.number());
        let lot = row.lot.clone();
        signed.work(move || history::of_lot(&granary, number, &lot)).await?
    };
    let title = title(&signed, &names, row);
    let main = html! {
        p { (locale.t("lot-number")) " " strong.code { (row.lot) } " · " (row.season) }
        @if let Some(into) = &row.merged_into {
            p.notice { (locale.t("lot-merged")) " " a href=(path(into)) { (locale.t("lot-merged-into")) " " (into) } }
        }
        @if !open.is_empty() {
            section { h2 { (locale.t("part-cases")) } @for case in &open { (cases::card(&signed, &names, case, &[])) } }
        }
        div.columns {
            section { h2 { (locale.t("lot-recorded")) } (correct_form(&signed, &names, &address)) }
            section { h2 { (locale.t("lot-receipt")) } (receipt_form(&signed, &address)) }
        }
        section { h2 { (locale.t("lot-history")) } (history_table(&signed, &names, &events)) }
    };
    Ok(Page { title, part: "harvests", main }.show(&signed))
}

fn correct_form(signed: &SignedIn, names: &Names, address: &Address) -> Markup {
    let (locale, row) = (signed.locale, &address.row);
    let day = row.day.map(|day| day.to_string()).unwrap_or_default();
    html! {
        form.card method="post" action={ (address.path()) "/correct" } {
            (token(signed))
            @for (field, value) in shown_fields(row) { input type="hidden" name={ "was:" (field) } value=(value); }
            label { (locale.t("product"))
                select name="product" {
                    @if !names.products().contains_key(&row.product) { option value=(row.product) selected { (row.product) } }
                    @for (code, name) in names.products() { option value=(code) selected[*code == row.product] { (name) } }
                }
            }
            label { (locale.t("weight-kg")) input name="grams" inputmode="decimal" value=(row.grams.map(|grams| decimal(grams, 1000)).unwrap_or_default()); }
            label { (locale.t("grade")) input name="grade" value=(row.grade); }
            label { (locale.t("moisture-percent")) input name="moisture" inputmode="decimal" value=(row.moisture.map(|permille| decimal(permille, 10)).unwrap_or_default()); }
            label { (locale.t("day")) input type="date" name="day" value=(day); }
            label { (locale.t("place")) input name="place" value=(row.place); }
            label { (locale.t("note")) textarea name="note" rows="2" { (row.note) } }
            button { (locale.t("save")) }
        }
    }
}

/// The fields as the form shows them.
fn shown_fields(row: &LotRow) -> [(&'static str, String); 7] {
    [
        ("product", row.product.clone()),
        ("grams", row.grams.map(|grams| decimal(grams, 1000)).unwrap_or_default()),
        ("grade", row.grade.clone()),
        ("moisture", row.moisture.map(|permille| decimal(permille, 10)).unwrap_or_default()),
        ("day", row.day.map(|day| day.to_string()).unwrap_or_default()),
        ("place", row.place.clone()),
        ("note", row.note.clone()),
    ]
}

fn receipt_form(signed: &SignedIn, address: &Address) -> Markup {
    let (locale, row) = (signed.locale, &address.row);
    let today = Day::in_china(crate::environment::now()).to_string();
    html! {
        p { (locale.of("state", row.state.name()))
            @if let Some(grams) = row.weighed_grams { " · " (locale.weight(grams)) }
            @if !row.reason.is_empty() { " · " (row.reason) } }
        form.card method="post" action={ (address.path()) "/receipt" } {
            (token(signed))
            fieldset {
                legend { (locale.t("receipt-outcome")) }
                label.check { input type="radio" name="state" value="received" checked[row.state != LotState::Rejected]; (locale.of("state", "received")) }
                label.check { input type="radio" name="state" value="rejected" checked[row.state == LotState::Rejected]; (locale.of("state", "rejected")) }
            }
            label { (locale.t("weighed-kg")) input name="grams" inputmode="decimal" value=(row.weighed_grams.or(row.grams).map(|grams| decimal(grams, 1000)).unwrap_or_default()); }
            label { (locale.t("grade")) input name="grade" value=(row.grade); }
            label { (locale.t("reject-reason")) input name="reason" value=(row.reason); }
            label { (locale.t("day")) input type="date" name="day" value=(today); }
            button { (locale.t("save-receipt")) }
        }
        p.small { (locale.t("receipt-help")) }
    }
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
                            td { (locale.of("history", event.kind.name())) }
                            td { (names.author(Some(&event.actor))) }
                            td { (locale.moment(event.recorded)) }
                            td { (locale.moment(event.received)) }
                            td.note { @for (field, value) in &event.fields {
                                span.change { (locale.of("field", field)) ": " (names.value(field, value)) } " " } }
                        }
                    }
                }
            }
        }
    }
}

/// `POST /console/lots/{lot}/correct`: writes the fields that differ.
pub(super) async fn correct(
    Path(name): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let address = Address::find(&signed, &name).await?;
    let book = address.lot().book();
    let document = signed.document(book.clone()).await?.ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let lot = harvest::lot(&document, address.lot().key()).ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let mut edits = Vec::new();
    for (field, text) in typed(&signed, &form)? {
        // What the person left as it was shown is not theirs: it must not overwrite what came meanwhile. A page gives a text with
        // line breaks back in another spelling; that is no edit either.
        let was = format!("was:{field}");
        if form.has(&was) && with_plain_lines(form.get(&was)) == with_plain_lines(form.get(field)) {
            continue;
        }
        if with_plain_lines(&text) != with_plain_lines(&lot.field(field))
            && !(text.is_empty() && matches!(field, "grams" | "day" | "moisture" | "product"))
        {
            edits.push(
                LotEdit::parse(field, &text).map_err(|fault| super::refusal::refuse(signed.locale, &fault.into()))?,
            );
        }
    }
    if form.get("confirmed") != "yes" && touches_what_can_be_unusual(&edits) {
        let mut after = (lot.field("product"), lot.quantity, lot.field("grade"), lot.day);
        for edit in &edits {
            match edit {
                LotEdit::Product(product) => after.0.clone_from(product),
                LotEdit::Quantity(grams) => after.1 = Some(*grams),
                LotEdit::Grade(grade) => after.2.clone_from(grade),
                LotEdit::Day(day) => after.3 = Some(*day),
                _ => {}
            }
        }
        let facts = Facts { product: &after.0, quantity: after.1, grade: &after.2, day: after.3 };
        let odd = unusual::of(&signed, address.row.household, Some(address.lot().season()), &facts).await?;
        if !odd.is_empty() {
            return Ok(unusual::ask_back(&signed, &format!("{}/correct", address.path()), &form, &odd));
        }
    }
    if !edits.is_empty() {
        let key = address.lot().key().clone();
        let edit = Edits::one(book, move |doc| edits.iter().try_for_each(|edit| harvest::correct(doc, &key, edit)));
        signed.edit(vec![edit]).await?;
    }
    Ok(Redirect::to(&address.path()).into_response())
}

fn touches_what_can_be_unusual(edits: &[LotEdit]) -> bool {
    let can = |edit: &LotEdit| {
        matches!(edit, LotEdit::Product(_) | LotEdit::Quantity(_) | LotEdit::Grade(_) | LotEdit::Day(_))
    };
    edits.iter().any(can)
}

/// The form's fields as document values.
fn typed(signed: &SignedIn, form: &Form) -> Result<Vec<(&'static str, String)>, Refused> {
    let mut fields = Vec::new();
    for field in harvest::FIELDS {
        let text = match field {
            "grams" if !form.get("grams").is_empty() => form.weight(signed.locale, "grams")?.get().to_string(),
            "moisture" if !form.get("moisture").is_empty() => {
                moisture(signed.locale, form.get("moisture"))?.get().to_string()
            }
            other => form.get(other).to_owned(),
        };
        fields.push((field, text));
    }
    Ok(fields)
}

/// `POST /console/lots/{lot}/receipt`
pub(super) async fn receive(
    Path(name): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let address = Address::find(&signed, &name).await?;
    let day: Day = form.parsed(signed.locale, "day")?;
    let outcome = match form.get("state") {
        "received" => {
            Outcome::Received { weighed: form.weight(signed.locale, "grams")?, grade: form.get("grade").to_owned() }
        }
        "rejected" if !form.get("reason").is_empty() => Outcome::Rejected { reason: form.get("reason").to_owned() },
        _ => return Err(refused(signed.locale, 400, "reason-missing")),
    };
    if let (Outcome::Received { grade, weighed }, "") = (&outcome, form.get("confirmed")) {
        // Of any season: what was harvested late comes in after the new year.
        let facts = Facts { product: &address.row.product, quantity: Some(*weighed), grade, day: Some(day) };
        let odd = unusual::of(&signed, address.row.household, None, &facts).await?;
        if !odd.is_empty() {
            return Ok(unusual::ask_back(&signed, &format!("{}/receipt", address.path()), &form, &odd));
        }
    }
    let lot = address.lot().clone();
    signed.edit(vec![Edits::one(lot.receipt_book(), move |doc| receipt::receive(doc, &lot, &outcome, day))]).await?;
    Ok(Redirect::to(&address.path()).into_response())
}
