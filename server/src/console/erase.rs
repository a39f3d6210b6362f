//! Erasing for good a household, or who bought an order: what goes and what stays, then the erasing, confirmed by typing the id.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::HouseholdId;
use granary_client_core::schema::{DocumentKey, DocumentKind, OrderName};
use maud::{Markup, html};
use serde::Deserialize;

use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::erasure::{Erasable, ErasurePlan};

fn id_of(signed: &SignedIn, text: &str) -> Result<HouseholdId, Refused> {
    text.parse().map_err(|_| refused(signed.locale, 404, "not-found"))
}

async fn plan(signed: &SignedIn, what: Erasable) -> Result<ErasurePlan, Refused> {
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    signed.work(move || granary.plan_erasure(number, &what)).await
}

async fn erase(signed: &SignedIn, what: Erasable) -> Result<(), Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.erase(by, number, &what, crate::environment::now())).await.map(drop)
}

/// What goes, what stays, and the form that erases. `fields` are hidden ones of the form.
fn page(
    signed: &SignedIn,
    names: &Names,
    plan: &ErasurePlan,
    action: &str,
    id: &str,
    fields: &[(&str, &str)],
) -> Markup {
    let locale = signed.locale;
    let (books, kept): (Vec<_>, Vec<_>) = plan.remaining.iter().partition(|key| goes_with_books(key));
    html! {
        p.notice { (locale.t("erase-what")) }
        h2 { (locale.t("erase-goes")) }
        ul {
            @for (key, changes) in &plan.documents {
                li { (names.document(key)) " · " (locale.with("set-aside-changes", &[("count", changes.to_string())])) } }
            @for (device, _) in &plan.phones { li { (locale.t("erase-phone-name")) " " span.small { (device) } } }
        }
        @if plan.advances > 0 { p.notice { (locale.with("erase-advances", &[("count", plan.advances.to_string())])) } }
        @if !kept.is_empty() { h2 { (locale.t("erase-stays")) } (list(names, &kept)) }
        form.card method="post" action=(action) {
            (token(signed))
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            @if !books.is_empty() {
                label.check { input type="checkbox" name="books" value="yes"; (locale.t("erase-books")) }
                (list(names, &books))
            }
            label { (locale.t("erase-type-id")) " " code { (id) } input name="typed" required autocomplete="off"; }
            button.danger { (locale.t("erase")) }
        }
        p.small { (locale.t("erase-backups")) }
    }
}

/// True for what goes with the books, where that is asked for.
fn goes_with_books(key: &DocumentKey) -> bool {
    matches!(key.kind(), DocumentKind::HarvestBook | DocumentKind::CaseBook)
}

fn list(names: &Names, keys: &[&DocumentKey]) -> Markup {
    html! { ul { @for key in keys { li { (names.document(key)) } } } }
}

/// `GET /console/households/{household}/erase`
pub(super) async fn household(signed: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let id = id_of(&signed, &id)?;
    let plan = plan(&signed, Erasable::Household { id, with_books: false }).await?;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let main = page(&signed, &names, &plan, &format!("/console/households/{id}/erase"), &id.to_string(), &[]);
    Ok(Page { title: signed.locale.t("erase-household"), part: "households", main }.show(&signed))
}

/// `POST /console/households/{household}/erase`
pub(super) async fn erase_household(
    Path(id): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let id = id_of(&signed, &id)?;
    if form.get("typed").trim().parse() != Ok(id) {
        return Err(refused(signed.locale, 400, "erase-other-id"));
    }
    erase(&signed, Erasable::Household { id, with_books: form.get("books") == "yes" }).await?;
    Ok(Redirect::to("/console/households").into_response())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct OrderQuery {
    platform: String,
    shop: String,
    outside: String,
}

/// `GET /console/orders/erase-buyer`
pub(super) async fn buyer(signed: SignedIn, Query(query): Query<OrderQuery>) -> Result<Response, Refused> {
    let OrderQuery { platform, shop, outside } = query;
    let name = OrderName { platform: platform.clone(), shop: shop.clone(), outside_id: outside.clone() };
    let plan = plan(&signed, Erasable::Receiver(name)).await?;
    let fields = [("platform", platform.as_str()), ("shop", shop.as_str()), ("outside", outside.as_str())];
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let main = page(&signed, &names, &plan, "/console/orders/erase-buyer", &outside, &fields);
    Ok(Page { title: signed.locale.t("erase-buyer"), part: "orders", main }.show(&signed))
}

/// `POST /console/orders/erase-buyer`
pub(super) async fn erase_buyer(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let outside_id = form.get("outside").to_owned();
    if form.get("typed").trim() != outside_id {
        return Err(refused(signed.locale, 400, "erase-other-id"));
    }
    let (platform, shop) = (form.get("platform").to_owned(), form.get("shop").to_owned());
    erase(&signed, Erasable::Receiver(OrderName { platform, shop, outside_id })).await?;
    Ok(Redirect::to("/console/orders").into_response())
}
