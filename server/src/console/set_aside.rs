//! What was set aside: changes that did harm, or that a phone sent without a grant or after it was revoked. A coordinator takes
//! them in or refuses them.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::DeviceId;
use maud::{Markup, html};

use super::names::Names;
use super::page::{Page, token};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::set_aside::SetAsideChanges;

/// Lots of one entry on the page at most.
const LOTS_SHOWN: usize = 20;

/// `GET /console/set-aside`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let all = signed.work(move || granary.set_aside(number)).await?;
    let main = html! {
        p { (locale.t("set-aside-what")) }
        @if all.is_empty() { p.empty { (locale.t("set-aside-none")) } }
        div.cards { @for aside in &all { (card(&signed, &names, aside)) } }
    };
    Ok(Page { title: locale.t("part-set-aside"), part: "phones", main }.show(&signed))
}

fn card(signed: &SignedIn, names: &Names, aside: &SetAsideChanges) -> Markup {
    let locale = signed.locale;
    let device = signed.cooperative.device(aside.device).map(|record| record.name).unwrap_or_default();
    html! {
        section.card {
            h3 { (device) " " span.small { (aside.device) } }
            p { (locale.moment(aside.received)) " · " (aside.document) " · "
                (locale.with("set-aside-changes", &[("count", aside.changes.to_string())])) }
            p { (locale.t("set-aside-why")) " " (aside.reason) }
            @if !aside.in_the_name_of.is_empty() { p.warning { (locale.with("set-aside-in-the-name-of", &[
                ("device", device.clone()), ("authors", names_of(signed, &aside.in_the_name_of))])) } }
            ul { @for (id, lot) in aside.lots.iter().take(LOTS_SHOWN) {
                li { (lot.day.map_or_else(|| locale.t("damaged"), |day| day.to_string())) " · "
                    (names.product(lot.product.as_deref().unwrap_or_default())) " · "
                    (lot.quantity.map_or_else(|| locale.t("damaged"), |grams| locale.kilograms(grams.get())))
                    " " span.small { (id) } }
            } }
            @if aside.lots.len() > LOTS_SHOWN { p { "… " (aside.lots.len()) } }
            form.inline method="post" action="/console/set-aside/take-in" {
                (token(signed)) input type="hidden" name="name" value=(aside.name());
                button { (locale.t("set-aside-take-in")) }
            }
            form.inline method="post" action="/console/set-aside/refuse" {
                (token(signed)) input type="hidden" name="name" value=(aside.name());
                label.check { input type="checkbox" name="sure" value="yes" required; (locale.t("sure")) }
                button.danger { (locale.t("set-aside-refuse")) }
            }
        }
    }
}

/// The names of devices, each with its id: a name alone may be chosen by anybody.
fn names_of(signed: &SignedIn, devices: &[DeviceId]) -> String {
    let name = |device: &DeviceId| match signed.cooperative.device(*device) {
        Some(record) => format!("{} ({device})", record.name),
        None => device.to_string(),
    };
    devices.iter().map(name).collect::<Vec<_>>().join(", ")
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
