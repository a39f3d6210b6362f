//! The co-operative's own document: its name, villages, collecting places and announcements. A new co-operative begins here.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::quantities::{Day, TextField};
use granary_client_core::schema::cooperative::{self, Cooperative};
use granary_client_core::schema::{DocumentKey, Part};
use maud::{Markup, html};

use super::forms::{Form, is_code};
use super::inputs::{CODE, Inputs, REQUIRED};
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::{Edit, Edits};

const HERE: &str = "/console/cooperative";
/// Announcements on the page at most.
const ANNOUNCEMENTS_SHOWN: usize = 20;

async fn present(signed: &SignedIn) -> Result<Cooperative, Refused> {
    Ok(cooperative::read_parts(&signed.parts(DocumentKey::Cooperative(Part::FIRST)).await?))
}

/// `GET /console/cooperative`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let present = present(&signed).await?;
    let name = Inputs::of(&signed, "/console/cooperative/name", &[]);
    let announce = Inputs::of(&signed, "/console/cooperative/announce", &[]);
    let shown_name = present.name.clone().unwrap_or_else(|| signed.cooperative.name().to_owned());
    let main = html! {
        div.columns {
            section { h2 { (locale.t("villages")) }
                p.small { (locale.t("villages-help")) }
                (named(&signed, "/console/cooperative/village", &present.villages)) }
            section { h2 { (locale.t("places")) }
                p.small { (locale.t("places-help")) }
                (named(&signed, "/console/cooperative/place", &present.places)) }
            section { h2 { (locale.t("name")) }
                form.card method="post" action="/console/cooperative/name" {
                    (name.hidden())
                    label { (locale.t("name")) (name.field("name", &shown_name, REQUIRED)) }
                    button { (locale.t("save")) }
                } }
            section { h2 { (locale.t("announcements")) }
                form.card method="post" action="/console/cooperative/announce" {
                    (announce.hidden())
                    label { (locale.t("announcement")) (announce.lines("text", "")) }
                    button { (locale.t("announce")) }
                }
                ul { @for (day, text) in present.announcements.iter().rev().take(ANNOUNCEMENTS_SHOWN) {
                    li.note { (day.map(|day| day.to_string()).unwrap_or_default()) " " (text) } } } }
        }
    };
    Ok(Page { title: locale.t("cooperative"), part: "households", main }.show(&signed))
}

/// Codes with names, each to be renamed, and a form for a new one.
fn named(signed: &SignedIn, action: &str, all: &[(String, String)]) -> Markup {
    let locale = signed.locale;
    let new = Inputs::of(signed, action, &[("new", "yes")]);
    html! {
        @for (code, name) in all {
            @let form = Inputs::of(signed, action, &[("code", code), ("new", "")]);
            form.card.line method="post" action=(action) {
                (form.hidden())
                label { span.small { (code) } (form.field("name", name, REQUIRED)) }
                button.quiet { (locale.t("save")) }
            }
        }
        form.card method="post" action=(action) {
            (new.hidden())
            label { (locale.t("code")) (new.empty("code", CODE)) }
            label { (locale.t("name")) (new.empty("name", REQUIRED)) }
            button { (locale.t("add")) }
        }
    }
}

async fn write(signed: &SignedIn, edit: Edit) -> Result<Response, Refused> {
    let key = DocumentKey::Cooperative(Part::FIRST);
    signed.edit(vec![Edits { key, message: None, seen: None, edits: vec![edit] }]).await?;
    Ok(Redirect::to(HERE).into_response())
}

/// `POST /console/cooperative/name`
pub(super) async fn save_name(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let shown = present(&signed).await?.name.unwrap_or_else(|| signed.cooperative.name().to_owned());
    form.must_be_as_seen(signed.locale, &[("name", shown)])?;
    if form.changed("name").is_none() {
        return Ok(Redirect::to(HERE).into_response());
    }
    let name = form.text(signed.locale, "name", TextField::CooperativeName)?;
    write(&signed, Box::new(move |doc| cooperative::set_name(doc, &name))).await
}

/// The code and the name in a form of a village or a place; none where nothing was changed.
fn code_and_name(
    signed: &SignedIn,
    form: &Form,
    all: &[(String, String)],
) -> Result<Option<(String, String)>, Refused> {
    let (locale, code) = (signed.locale, form.get("code"));
    let known = all.iter().find(|(known, _)| known == code);
    if !is_code(code) && known.is_none() {
        return Err(refused(locale, 400, "code-wrong").at("code"));
    }
    match known {
        Some(_) if form.get("new") == "yes" => return Err(refused(locale, 409, "code-taken").at("code")),
        Some((_, name)) => form.must_be_as_seen(locale, &[("name", name.clone())])?,
        None => {}
    }
    if form.changed("name").is_none() {
        return Ok(None);
    }
    Ok(Some((code.to_owned(), form.text(locale, "name", TextField::PlaceName)?)))
}

/// `POST /console/cooperative/village`
pub(super) async fn save_village(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    match code_and_name(&signed, &form, &present(&signed).await?.villages)? {
        Some((code, name)) => write(&signed, Box::new(move |doc| cooperative::set_village(doc, &code, &name))).await,
        None => Ok(Redirect::to(HERE).into_response()),
    }
}

/// `POST /console/cooperative/place`
pub(super) async fn save_place(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    match code_and_name(&signed, &form, &present(&signed).await?.places)? {
        Some((code, name)) => write(&signed, Box::new(move |doc| cooperative::set_place(doc, &code, &name))).await,
        None => Ok(Redirect::to(HERE).into_response()),
    }
}

/// `POST /console/cooperative/announce`
pub(super) async fn announce(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let text = form.text(signed.locale, "text", TextField::Announcement)?;
    let day = Day::in_china(crate::environment::now());
    write(&signed, Box::new(move |doc| cooperative::announce(doc, day, &text))).await
}
