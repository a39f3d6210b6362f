//! One lot: its fields, its receipt, its open cases and its history.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::{CaseFilter, LotFilter, LotRow, LotState};
use granary_client_core::quantities::{Day, Permille};
use granary_client_core::schema::harvest::{self, LotEdit, LotId};
use granary_client_core::schema::receipt::{self, Outcome};
use granary_client_core::schema::{DocumentKey, Season};
use maud::{Markup, html};

use super::forms::scaled;
use super::history::{self, HistoryEvent};
use super::i18n::decimal;
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use super::{cases, forms::Form};
use crate::engine::own_edits::Edits;

/// A lot's name in addresses.
pub(super) struct Address {
    pub(super) household: HouseholdId,
    pub(super) season: Season,
    pub(super) lot: LotId,
}

impl Address {
    fn read(signed: &SignedIn, (household, season, lot): &(String, u16, String)) -> Result<Self, Refused> {
        let missing = || refused(signed.locale, 404, "not-found");
        Ok(Self {
            household: household.parse().map_err(|_| missing())?,
            season: Season::new(*season).ok_or_else(missing)?,
            lot: lot.parse().map_err(|_| missing())?,
        })
    }

    fn path(&self) -> String {
        format!("/console/lots/{}/{}/{}", self.household, self.season.year(), self.lot)
    }

    async fn row(&self, signed: &SignedIn) -> Result<LotRow, Refused> {
        let filter = LotFilter {
            household: Some(self.household),
            lot: Some(self.lot.clone()),
            with_merged: true,
            limit: 1,
            ..LotFilter::default()
        };
        let row = signed.read(move |models| models.lots(&filter)).await?.into_iter().next();
        row.ok_or_else(|| refused(signed.locale, 404, "not-found"))
    }
}

type Parts = Path<(String, u16, String)>;

/// `GET /console/lots/{household}/{season}/{lot}`
pub(super) async fn show(signed: SignedIn, Path(parts): Parts) -> Result<Response, Refused> {
    let locale = signed.locale;
    let address = Address::read(&signed, &parts)?;
    let row = address.row(&signed).await?;
    let names = Names::of(&signed).await?;
    let filter = CaseFilter {
        household: Some(address.household),
        season: Some(address.season),
        lot: Some(address.lot.clone()),
        ..CaseFilter::default()
    };
    let open = signed.read(move |models| models.cases(&filter)).await?;
    let events = {
        let (granary, number) = (std::sync::Arc::clone(&signed.granary), signed.cooperative.number());
        let (household, season, lot) = (address.household, address.season, address.lot.clone());
        signed.work(move || history::of_lot(&granary, number, household, season, &lot)).await?
    };
    let title = format!(
        "{} · {} · {}",
        row.household_name,
        names.product(&row.product),
        row.grams.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams))
    );
    let main = html! {
        @if let Some(into) = &row.merged_into {
            p.notice { (locale.t("lot-merged")) " "
                a href={ "/console/lots/" (row.household) "/" (row.season) "/" (into) } { (locale.t("lot-merged-into")) } }
        }
        @if !open.is_empty() {
            section { h2 { (locale.t("part-cases")) } @for case in &open { (cases::card(&signed, &names, case, &[])) } }
        }
        div.columns {
            section { h2 { (locale.t("lot-recorded")) } (correct_form(&signed, &names, &address, &row)) }
            section { h2 { (locale.t("lot-receipt")) } (receipt_form(&signed, &address, &row)) }
        }
        section { h2 { (locale.t("lot-history")) } (history_table(&signed, &names, &events)) }
    };
    Ok(Page { title, part: "harvests", main }.show(&signed))
}

fn correct_form(signed: &SignedIn, names: &Names, address: &Address, row: &LotRow) -> Markup {
    let locale = signed.locale;
    let day = row.day.map(|day| day.to_string()).unwrap_or_default();
    html! {
        form.card method="post" action={ (address.path()) "/correct" } {
            (token(signed))
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

fn receipt_form(signed: &SignedIn, address: &Address, row: &LotRow) -> Markup {
    let locale = signed.locale;
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

/// `POST /console/lots/{household}/{season}/{lot}/correct`: writes the fields that differ.
pub(super) async fn correct(Path(parts): Parts, SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let address = Address::read(&signed, &parts)?;
    let book = DocumentKey::HarvestBook(address.household, address.season);
    let document = signed.document(book.clone()).await?.ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let lot = harvest::lot(&document, &address.lot).ok_or_else(|| refused(signed.locale, 404, "not-found"))?;
    let mut edits = Vec::new();
    for (field, text) in typed(&signed, &form)? {
        if text != lot.field(field) && !(text.is_empty() && matches!(field, "grams" | "day" | "moisture" | "product")) {
            edits.push(
                LotEdit::parse(field, &text).map_err(|fault| super::refusal::refuse(signed.locale, &fault.into()))?,
            );
        }
    }
    if !edits.is_empty() {
        let name = address.lot.clone();
        let edit = Edits::one(book, move |doc| edits.iter().try_for_each(|edit| harvest::correct(doc, &name, edit)));
        signed.edit(vec![edit]).await?;
    }
    Ok(Redirect::to(&address.path()).into_response())
}

/// The form's fields as document values.
fn typed(signed: &SignedIn, form: &Form) -> Result<Vec<(&'static str, String)>, Refused> {
    let mut fields = Vec::new();
    for field in harvest::FIELDS {
        let text = match field {
            "grams" if !form.get("grams").is_empty() => form.kilograms(signed.locale, "grams")?.get().to_string(),
            "moisture" if !form.get("moisture").is_empty() => scaled(form.get("moisture"), 1)
                .and_then(|permille| Permille::new(permille).ok())
                .ok_or_else(|| refused(signed.locale, 400, "moisture-wrong"))?
                .get()
                .to_string(),
            other => form.get(other).to_owned(),
        };
        fields.push((field, text));
    }
    Ok(fields)
}

/// `POST /console/lots/{household}/{season}/{lot}/receipt`
pub(super) async fn receive(Path(parts): Parts, SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let address = Address::read(&signed, &parts)?;
    address.row(&signed).await?;
    let day: Day = form.parsed(signed.locale, "day")?;
    let outcome = match form.get("state") {
        "received" => {
            Outcome::Received { weighed: form.kilograms(signed.locale, "grams")?, grade: form.get("grade").to_owned() }
        }
        "rejected" if !form.get("reason").is_empty() => Outcome::Rejected { reason: form.get("reason").to_owned() },
        _ => return Err(refused(signed.locale, 400, "reason-missing")),
    };
    let lot = address.lot.clone();
    let key = DocumentKey::ReceiptBook(address.household, address.season);
    signed.edit(vec![Edits::one(key, move |doc| receipt::receive(doc, &lot, &outcome, day))]).await?;
    Ok(Redirect::to(&address.path()).into_response())
}
