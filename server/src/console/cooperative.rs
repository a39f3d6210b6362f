//! The co-operative's own document: its name and how it is reached, villages, collecting places, seasons and announcements. A new
//! co-operative begins here.

use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::automerge::AutoCommit;
use granary_client_core::quantities::{Day, TextField};
use granary_client_core::schema::cooperative::{self, Cooperative, Detail};
use granary_client_core::schema::{DocumentKey, Part, Season};
use maud::{Markup, html};

use super::activity;
use super::forms::{Form, is_code};
use super::i18n::Locale;
use super::inputs::{AMOUNT, CODE, DAY, Inputs, REQUIRED, TEXT};
use super::page::Page;
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::{Edit, Edits};

const HERE: &str = "/console/cooperative";
const DETAILS: &str = "/console/cooperative/details";
const SEASON: &str = "/console/cooperative/season";
/// Announcements on the page at most.
const ANNOUNCEMENTS_SHOWN: usize = 20;

async fn present(signed: &SignedIn) -> Result<Cooperative, Refused> {
    Ok(cooperative::read_parts(&signed.parts(DocumentKey::Cooperative(Part::FIRST)).await?))
}

/// `GET /console/cooperative`
pub(super) async fn show(signed: SignedIn) -> Result<Response, Refused> {
    let locale = signed.locale;
    let present = present(&signed).await?;
    let announce = Inputs::of(&signed, "/console/cooperative/announce", &[]);
    let main = html! {
        div.columns {
            section { h2 { (locale.t("villages")) }
                p.small { (locale.t("villages-help")) }
                (named(&signed, "/console/cooperative/village", &present.villages)) }
            section { h2 { (locale.t("places")) }
                p.small { (locale.t("places-help")) }
                (named(&signed, "/console/cooperative/place", &present.places)) }
            section { h2 { (locale.t("cooperative-details")) } (details(&signed, &present)) }
            section { h2 { (locale.t("seasons")) } (seasons(&signed, &present)) }
            section { h2 { (locale.t("announcements")) }
                form.card method="post" action="/console/cooperative/announce" {
                    (announce.hidden())
                    label { (locale.t("announcement")) (announce.lines("text", "")) }
                    button { (locale.t("announce")) }
                }
                ul { @for (day, text) in present.announcements.iter().rev().take(ANNOUNCEMENTS_SHOWN) {
                    li.note { (day.map(|day| day.to_string()).unwrap_or_default()) " " (text) } } } }
        }
        section { h2 { (locale.t("history")) } (activity::of_cooperative(&signed).await) }
    };
    Ok(Page { title: locale.t("cooperative"), part: "cooperative", main }.show(&signed))
}

/// The fields of the co-operative's own details, as the form shows them.
fn shown_details(signed: &SignedIn, present: &Cooperative) -> [(&'static str, String); 4] {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let name = present.name.clone().unwrap_or_else(|| signed.cooperative.name().to_owned());
    let of = |detail: Detail| match detail {
        Detail::Phone => (detail.name(), text(&present.phone)),
        Detail::Address => (detail.name(), text(&present.address)),
        Detail::About => (detail.name(), text(&present.about)),
    };
    let [phone, address, about] = Detail::ALL.map(of);
    [("name", name), phone, address, about]
}

fn details(signed: &SignedIn, present: &Cooperative) -> Markup {
    let locale = signed.locale;
    let form = Inputs::of(signed, DETAILS, &[]);
    let [(_, name), (_, phone), (_, address), (_, about)] = shown_details(signed, present);
    html! {
        form.card method="post" action=(DETAILS) {
            (form.hidden())
            label { (locale.t("name")) (form.field("name", &name, REQUIRED)) }
            label { (locale.t("cooperative-phone")) (form.field("phone", &phone, TEXT)) }
            label { (locale.t("cooperative-address")) (form.field("address", &address, TEXT)) }
            label { (locale.t("cooperative-about")) (form.lines("about", &about)) }
            p.small { (locale.t("cooperative-details-help")) }
            button { (locale.t("save")) }
        }
    }
}

/// The seasons, each to be called something and to begin on a day, and a form for a new one.
fn seasons(signed: &SignedIn, present: &Cooperative) -> Markup {
    let locale = signed.locale;
    let today = Day::in_china(crate::environment::now());
    let now = present.present_season(today);
    let new = Inputs::of(signed, SEASON, &[("new", "yes")]);
    let next = present
        .seasons
        .last()
        .map_or_else(|| Season::of(today), |last| Season::new(last.season.year().saturating_add(1)));
    html! {
        p.small { (locale.t("seasons-help")) }
        p { (locale.t("season-present")) " " strong { (now.map(|season| season_name(locale, present, season)).unwrap_or_default()) } }
        @for plan in &present.seasons {
            @let year = plan.season.year().to_string();
            @let form = Inputs::of(signed, SEASON, &[("year", &year), ("new", "")]);
            form.card.line method="post" action=(SEASON) {
                (form.hidden())
                label { (year) " · " (locale.t("season-from")) (form.field("from", &plan.from.to_string(), DAY.required())) }
                label { (locale.t("season-name")) (form.field("name", plan.name.as_deref().unwrap_or_default(), TEXT)) }
                button.quiet { (locale.t("save")) }
            }
        }
        form.card method="post" action=(SEASON) {
            (new.hidden())
            label { (locale.t("season-year")) (new.proposed("year", &next.map(|next| next.year().to_string()).unwrap_or_default(), AMOUNT.required())) }
            label { (locale.t("season-from")) (new.empty("from", DAY.required())) }
            label { (locale.t("season-name")) (new.empty("name", TEXT)) }
            button { (locale.t("add")) }
        }
    }
}

/// What a season is called.
fn season_name(locale: Locale, present: &Cooperative, season: Season) -> String {
    let plan = present.seasons.iter().find(|plan| plan.season == season);
    plan.and_then(|plan| plan.name.clone())
        .unwrap_or_else(|| locale.with("season-of", &[("year", season.year().to_string())]))
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
                label { code.small { (code) } (form.field("name", name, REQUIRED)) }
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

/// `POST /console/cooperative/details`: writes the fields that its author changed.
pub(super) async fn save_details(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    form.must_be_as_seen(locale, &shown_details(&signed, &present(&signed).await?))?;
    let changed = |field: &str| form.changed(field).is_some();
    let name = changed("name").then(|| form.text(locale, "name", TextField::CooperativeName)).transpose()?;
    let mut details = Vec::new();
    for detail in Detail::ALL.into_iter().filter(|detail| changed(detail.name())) {
        details.push((detail, form.optional_text(locale, detail.name(), detail.field())?));
    }
    if name.is_none() && details.is_empty() {
        return Ok(Redirect::to(HERE).into_response());
    }
    let edit = move |doc: &mut AutoCommit| {
        name.iter().try_for_each(|name| cooperative::set_name(doc, name))?;
        details.iter().try_for_each(|(detail, text)| cooperative::set_detail(doc, *detail, text))
    };
    write(&signed, Box::new(edit)).await
}

/// `POST /console/cooperative/season`: begins a season, or changes when it begins and what it is called.
pub(super) async fn save_season(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let season = form.get("year").parse().ok().and_then(Season::new);
    let season = season.ok_or_else(|| refused(locale, 400, "season-wrong").at("year"))?;
    let present = present(&signed).await?;
    match present.seasons.iter().find(|plan| plan.season == season) {
        Some(_) if form.get("new") == "yes" => return Err(refused(locale, 409, "season-taken").at("year")),
        Some(plan) => {
            let name = plan.name.clone().unwrap_or_default();
            form.must_be_as_seen(locale, &[("from", plan.from.to_string()), ("name", name)])?;
        }
        None => {}
    }
    let from = form.changed("from").map(|_| form.day(locale, "from")).transpose()?;
    let name = form.changed("name").map(|_| form.optional_text(locale, "name", TextField::PlaceName)).transpose()?;
    // A season is the year in which it ends: it can begin in the year before.
    let is_near = |from: &Day| (-1..=0).contains(&i32::from(from.year()).saturating_sub(i32::from(season.year())));
    if from.as_ref().is_some_and(|from| !is_near(from)) {
        return Err(refused(locale, 400, "season-far").at("from"));
    }
    let edit = move |doc: &mut AutoCommit| {
        from.iter().try_for_each(|from| cooperative::begin_season(doc, season, *from))?;
        name.iter().try_for_each(|name| cooperative::name_season(doc, season, name))
    };
    write(&signed, Box::new(edit)).await
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
