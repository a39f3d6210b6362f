//! What was set aside: changes that did harm, or that a phone sent without a grant or after it was revoked. A coordinator takes
//! them in or refuses them.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::DeviceId;
use granary_client_core::words::Words;
use maud::{Markup, html};

use super::i18n::grouped;
use super::inputs::sure;
use super::names::Names;
use super::page::{Page, token};
use super::parts::empty;
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::set_aside::SetAsideChanges;

/// Lots of one entry on the page at most.
const LOTS_SHOWN: usize = 20;

/// `GET /console/set-aside`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let all = signed.work(move || granary.set_aside(number)).await?;
    let main = html! {
        p { (locale.t("set-aside-what")) }
        @if all.is_empty() { (empty(locale.t("set-aside-none"), &[("/console/phones", locale.t("part-phones"))])) }
        div.cards { @for aside in &all { (card(&signed, &names, aside)) } }
    };
    Ok(Page { title: locale.t("part-set-aside"), part: "phones", main }.show(&signed))
}

fn card(signed: &SignedIn, names: &Names, aside: &SetAsideChanges) -> Markup {
    let locale = signed.locale;
    html! {
        section.case {
            h3 { (names.device(aside.device)) }
            p { (locale.moment(aside.received)) " · " (names.document(&aside.document)) " · "
                (locale.with("set-aside-changes", &[("count", grouped(aside.changes))])) }
            p { (locale.t("set-aside-why")) " " (aside.reason.words(locale.language)) }
            @if !aside.in_the_name_of.is_empty() { p.warning { (locale.with("set-aside-in-the-name-of", &[
                ("device", names.device(aside.device)), ("authors", names_of(names, &aside.in_the_name_of))])) } }
            @if let Some(until) = aside.until { p.small { (locale.with("set-aside-until", &[("until", locale.moment(until))])) } }
            ul { @for (id, lot) in aside.lots.iter().take(LOTS_SHOWN) {
                li { (lot.day.map_or_else(|| locale.t("damaged"), |day| day.to_string())) " · "
                    (names.product(lot.product.as_deref().unwrap_or_default())) " · "
                    (lot.quantity.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams.get())))
                    " · " (id) }
            } }
            @if aside.lots.len() > LOTS_SHOWN { p { (locale.with("set-aside-more", &[("count", grouped(aside.lots.len().saturating_sub(LOTS_SHOWN) as u64))])) } }
            form.inline method="post" action="/console/set-aside/take-in" {
                (token(signed)) input type="hidden" name="name" value=(aside.name());
                button { (locale.t("set-aside-take-in")) }
            }
            form.inline method="post" action="/console/set-aside/refuse" {
                (token(signed)) input type="hidden" name="name" value=(aside.name());
                (sure(locale))
                button.danger { (locale.t("set-aside-refuse")) }
            }
        }
    }
}

/// The names of devices, each with its id: a name alone may be chosen by anybody.
fn names_of(names: &Names, devices: &[DeviceId]) -> String {
    devices.iter().map(|device| names.device(*device)).collect::<Vec<_>>().join(", ")
}

/// `POST /console/set-aside/take-in`
pub(super) async fn take_in(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let place = SetAsideChanges::parse_name(form.get("name")).ok_or_else(missing)?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.take_in(by, number, place, crate::environment::now())).await?;
    Ok(Redirect::to("/console/set-aside").into_response())
}

/// `POST /console/set-aside/refuse`
pub(super) async fn refuse(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let missing = || refused(signed.locale, 404, "not-found");
    let place = SetAsideChanges::parse_name(form.get("name")).ok_or_else(missing)?;
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.refuse_set_aside(by, number, place, crate::environment::now())).await?;
    Ok(Redirect::to("/console/set-aside").into_response())
}
