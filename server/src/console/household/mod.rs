//! One household's page.

mod edit;
pub(super) mod phones;

use axum::extract::Path;
use axum::response::Response;
use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::LotFilter;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::household::{self, Household};
use maud::html;

pub(super) use self::edit::save;
use self::phones::{HouseholdPhones, last_heard};
use super::inputs::{Inputs, REQUIRED, TEXT};
use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed_in::SignedIn;

/// The id of an address or a form.
pub(super) fn id_of(signed: &SignedIn, text: &str) -> Result<HouseholdId, Refused> {
    text.parse().map_err(|_| refused(signed.locale, 404, "not-found"))
}

/// A household in its present state: also one that nobody has named yet, once a phone of it has enrolled or it has lots.
pub(super) async fn household_of(signed: &SignedIn, id: HouseholdId) -> Result<Household, Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let key = DocumentKey::Household(id);
    if signed.cooperative.is_erased(&key) {
        return Err(missing());
    }
    if let Some(document) = signed.document(key).await? {
        return Ok(household::read(&document));
    }
    let has_phone = !HouseholdPhones::of(signed).of_household(id).is_empty();
    let lots = LotFilter { household: Some(id), with_merged: true, ..LotFilter::default() };
    match has_phone || signed.read(move |models| models.count_lots(&lots)).await? > 0 {
        true => Ok(Household::default()),
        false => Err(missing()),
    }
}

/// `GET /console/households/{household}`
pub(super) async fn one(signed: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let id = id_of(&signed, &id)?;
    let read = household_of(&signed, id).await?;
    let (names, phones) = (Names::of(&signed).await?, HouseholdPhones::of(&signed));
    let title = names.household(read.name.as_deref().unwrap_or_default(), id);
    let action = format!("/console/households/{id}");
    let form = Inputs::of(&signed, &action, &[]);
    let [(_, name), (_, village), (_, payment)] = shown(&read);
    let none = locale.t("no-village");
    let main = html! {
        @if read.name.is_none() { p.notice { (locale.t("household-name-it")) } }
        div.columns {
            form.card method="post" action=(action) {
                (form.hidden())
                label { (locale.t("name")) (form.field("name", &name, REQUIRED)) }
                label { (locale.t("village")) (form.choice("village", &village, names.village_choices(&none))) }
                label { (locale.t("payment")) (form.field("payment", &payment, TEXT)) }
                label { (locale.t("add-member")) (form.empty("member", TEXT)) }
                button { (locale.t("save")) }
            }
            section {
                h2 { (locale.t("members")) }
                @if read.members.is_empty() { p.empty { (locale.t("no-members")) } }
                ul { @for member in &read.members { li { (member) } } }
                h2 { (locale.t("part-phones")) }
                ul { @for phone in phones.of_household(id) { li { (names.device(phone.id)) " · " (last_heard(locale, std::iter::once(phone))) } } }
                p { a href={ "/console/harvests?household=" (id) } { (locale.t("lots-of-household")) } }
                form.inline method="post" action="/console/households/invite" {
                    (token(&signed)) input type="hidden" name="household" value=(id); button { (locale.t("invite")) } }
                p { a href={ "/console/households/" (id) "/erase" } { (locale.t("erase-household")) } }
            }
        }
    };
    Ok(Page { title, part: "households", main }.show(&signed))
}

/// A household's fields as the form shows them.
fn shown(household: &Household) -> [(&'static str, String); 3] {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    [("name", text(&household.name)), ("village", text(&household.village)), ("payment", text(&household.payment))]
}
