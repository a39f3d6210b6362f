//! A person's own views of a list, above it: opened by a click, kept under a name, dropped again.

use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::console::again::own_page;
use crate::console::inputs::{Inputs, REQUIRED};
use crate::console::page::token;
use crate::console::refusal::{Refused, refused};
use crate::console::signed_in::{SignedIn, SignedInForm};
use crate::engine::views::{NAME_MAX, SavedView};

const KEEP: &str = "/console/views/keep";
const DROP: &str = "/console/views/drop";

/// The views of the list at `list`, which is shown at `address` now.
pub(in crate::console) async fn show(signed: &SignedIn, list: &str, address: &str) -> Result<Markup, Refused> {
    let (granary, number, person) = (signed.granary.clone(), signed.cooperative.number(), signed.session.device);
    let views = signed.work(move || granary.views(number, person)).await?;
    let locale = signed.locale;
    let of_list = |view: &&SavedView| {
        view.address.strip_prefix(list).is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
    };
    let views: Vec<&SavedView> = views.iter().filter(of_list).collect();
    let form = Inputs::of(signed, KEEP, &[("address", address)]);
    let is_new = !views.iter().any(|view| view.address == address) && address.contains('=');
    Ok(html! {
        @if !views.is_empty() || is_new {
            div.views role="group" aria-label=(locale.t("views")) {
                @for view in &views {
                    span.view {
                        a href=(view.address) aria-current=[(view.address == address).then_some("true")] { (view.name) }
                        form.inline method="post" action=(DROP) {
                            (token(signed)) input type="hidden" name="name" value=(view.name);
                            button.quiet aria-label=(locale.with("view-drop", &[("name", view.name.clone())])) { "×" }
                        }
                    }
                }
                @if is_new {
                    details { summary.small { (locale.t("view-keep")) }
                        form.inline method="post" action=(KEEP) {
                            (form.hidden())
                            label { (locale.t("name")) (form.empty("name", REQUIRED.at_most(NAME_MAX))) }
                            button { (locale.t("save")) }
                        }
                    }
                }
            }
        }
    })
}

/// `POST /console/views/keep`
pub(in crate::console) async fn keep(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let name = form.get("name").to_owned();
    if name.is_empty() || name.chars().count() > NAME_MAX {
        return Err(refused(locale, 400, "view-name-wrong").at("name"));
    }
    let address = own_page(form.get("address")).ok_or_else(|| refused(locale, 400, "form-field-wrong"))?;
    let (granary, number, person) = (signed.granary.clone(), signed.cooperative.number(), signed.session.device);
    let (by, view) = (signed.session.principal(), SavedView { name, address: address.clone() });
    signed.note_written();
    signed.work(move || granary.keep_view(by, number, person, view)).await?;
    Ok(Redirect::to(&address).into_response())
}

/// `POST /console/views/drop`
pub(in crate::console) async fn drop(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let (granary, number, person) = (signed.granary.clone(), signed.cooperative.number(), signed.session.device);
    let (by, name) = (signed.session.principal(), form.get("name").to_owned());
    signed.work(move || granary.drop_view(by, number, person, name)).await?;
    Ok(Redirect::to(&signed.page).into_response())
}
