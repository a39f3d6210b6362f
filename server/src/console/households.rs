//! Households: the list, one household, invitations on the screen and on paper.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::quantities::TextField;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::household::Household;
use granary_client_core::schema::{DocumentKey, household};
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::forms::encode;
use super::i18n::{Locale, grouped};
use super::inputs::{Inputs, REQUIRED, TEXT};
use super::names::Names;
use super::page::{Page, paging, token};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::engine::own_edits::Edits;
use crate::http::BrowserLink;

const PER_PAGE: u32 = 60;
/// Invitations on one printed sheet at most.
const SHEET_MAX: u32 = 60;
/// Hours for which an invitation from the console works.
const INVITATION_HOURS: u32 = 14 * 24;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct HouseholdsQuery {
    search: String,
    village: String,
    page: String,
}

/// `GET /console/households`
pub(super) async fn show(signed: SignedIn, Query(query): Query<HouseholdsQuery>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let page = query.page.parse::<u32>().unwrap_or(1).clamp(1, 10_000);
    let (search, village) = (query.search.clone(), query.village.clone());
    let (rows, total) = signed
        .read(move |models| {
            let village = (!village.is_empty()).then_some(village);
            let offset = page.saturating_sub(1).saturating_mul(PER_PAGE);
            Ok((models.households(&search, village.as_deref(), PER_PAGE, offset)?, models.count_households()?))
        })
        .await?;
    let new = Inputs::of(&signed, "/console/households/add", &[]);
    let main = html! {
        form.filters method="get" action="/console/households" role="search" {
            label { (locale.t("search")) input name="search" value=(query.search); }
            label { (locale.t("village")) (village_choice(&names, &query.village, &locale.t("all"))) }
            button { (locale.t("show")) }
        }
        p { (locale.with("households-found", &[("count", grouped(total))])) " " a href="/console/import" { (locale.t("import")) } " · " a href="/console/cooperative" { (locale.t("cooperative")) } }
        @if rows.is_empty() { p.empty { (locale.t("no-households")) } }
        div.scroll tabindex="0" role="region" aria-label=(locale.t("part-households")) {
            table.stack {
                thead { tr { th scope="col" { (locale.t("household")) } th scope="col" { (locale.t("village")) } th scope="col" { (locale.t("members")) }
                    th.number scope="col" { (locale.t("lots")) } th.number scope="col" { (locale.t("recorded")) } th { } } }
                tbody { @for row in &rows { tr {
                    td { a href={ "/console/households/" (row.household) } { (row.name) } }
                    td data-label=(locale.t("village")) { (names.village(&row.village)) }
                    td data-label=(locale.t("members")) { (row.members) }
                    td.number data-label=(locale.t("lots")) { a href={ "/console/harvests?household=" (row.household) } { (grouped(row.lots.unsigned_abs())) } }
                    td.number data-label=(locale.t("recorded")) { (locale.kilograms(row.recorded_grams)) }
                    td { form.inline method="post" action="/console/households/invite" {
                        (token(&signed)) input type="hidden" name="household" value=(row.household);
                        button.quiet { (locale.t("invite")) } } }
                } } }
            }
        }
        (paging(locale, &format!("/console/households?search={}&village={}", encode(&query.search), encode(&query.village)),
            u64::from(page), u64::from(PER_PAGE), total))
        div.columns {
            section { h2 { (locale.t("add-household")) }
                form.card method="post" action="/console/households/add" {
                    (new.hidden())
                    label { (locale.t("name")) (new.empty("name", REQUIRED)) }
                    label { (locale.t("village")) (new.select("village", "", names.village_choices("—"))) }
                    @if names.villages().is_empty() { p.small { a href="/console/cooperative" { (locale.t("villages-first")) } } }
                    button { (locale.t("add")) }
                } }
            section { h2 { (locale.t("sheet")) }
                form.card method="post" action="/console/households/sheet" {
                    (token(&signed))
                    p { (locale.with("sheet-help", &[("most", SHEET_MAX.to_string())])) }
                    label { (locale.t("village")) (village_choice(&names, "", &locale.t("all"))) }
                    button { (locale.t("sheet-make")) }
                } }
        }
    };
    Ok(Page { title: locale.t("part-households"), part: "households", main }.show(&signed))
}

fn village_choice(names: &Names, chosen: &str, none: &str) -> Markup {
    html! { select name="village" {
        option value="" { (none) }
        @for (code, name) in names.villages() { option value=(code) selected[code == chosen] { (name) } }
    } }
}

fn id_of(signed: &SignedIn, text: &str) -> Result<HouseholdId, Refused> {
    text.parse().map_err(|_| refused(signed.locale, 404, "not-found"))
}

/// `GET /console/households/{household}`
pub(super) async fn one(signed: SignedIn, Path(id): Path<String>) -> Result<Response, Refused> {
    let locale = signed.locale;
    let id = id_of(&signed, &id)?;
    let document = signed.document(DocumentKey::Household(id)).await?;
    let read = household::read(&document.ok_or_else(|| refused(locale, 404, "not-found"))?);
    let names = Names::of(&signed).await?;
    let title = read.name.clone().unwrap_or_else(|| locale.t("damaged"));
    let action = format!("/console/households/{id}");
    let form = Inputs::of(&signed, &action, &[]);
    let [(_, name), (_, village), (_, payment)] = shown(&read);
    let main = html! {
        div.columns {
            form.card method="post" action=(action) {
                (form.hidden())
                label { (locale.t("name")) (form.field("name", &name, REQUIRED)) }
                label { (locale.t("village")) (form.choice("village", &village, names.village_choices("—"))) }
                label { (locale.t("payment")) (form.field("payment", &payment, TEXT)) }
                label { (locale.t("add-member")) (form.empty("member", TEXT)) }
                button { (locale.t("save")) }
            }
            section {
                h2 { (locale.t("members")) }
                @if read.members.is_empty() { p.empty { (locale.t("no-members")) } }
                ul { @for member in &read.members { li { (member) } } }
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

/// `POST /console/households/{household}`: writes the fields that its author changed.
pub(super) async fn save(
    Path(id): Path<String>,
    SignedInForm(signed, form): SignedInForm,
) -> Result<Response, Refused> {
    let (locale, id) = (signed.locale, id_of(&signed, &id)?);
    let key = DocumentKey::Household(id);
    let document = signed.document(key.clone()).await?.ok_or_else(|| refused(locale, 404, "not-found"))?;
    form.must_be_as_seen(locale, &shown(&household::read(&document)))?;
    let changed = |field: &str| form.changed(field).is_some();
    let name = changed("name").then(|| form.text(locale, "name", TextField::HouseholdName)).transpose()?;
    let village = changed("village").then(|| form.text(locale, "village", TextField::VillageCode)).transpose()?;
    let payment = changed("payment").then(|| form.optional_text(locale, "payment", TextField::Payment)).transpose()?;
    let member = changed("member").then(|| form.text(locale, "member", TextField::MemberName)).transpose()?;
    if [&name, &village, &payment, &member].into_iter().any(Option::is_some) {
        let edit = Edits::one(key, move |doc| {
            household::rename(doc, name.as_deref(), village.as_deref())?;
            payment.iter().try_for_each(|payment| household::set_payment(doc, payment))?;
            member.iter().try_for_each(|member| household::add_member(doc, member))
        });
        signed.edit(vec![edit]).await?;
    }
    Ok(Redirect::to(&format!("/console/households/{id}")).into_response())
}

/// `POST /console/households/add`
pub(super) async fn add(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let name = form.text(signed.locale, "name", TextField::HouseholdName)?;
    let village = form.text(signed.locale, "village", TextField::VillageCode)?;
    let millis = u64::try_from(crate::environment::now().0).unwrap_or(0);
    let random = crate::environment::random_bytes().map_err(|error| super::refusal::refuse(signed.locale, &error))?;
    let id = HouseholdId::generate(millis, random);
    let edit = Edits::one(DocumentKey::Household(id), move |doc| household::set_name(doc, &name, &village));
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to(&format!("/console/households/{id}")).into_response())
}

/// A new invitation, as a link. `person` is the device of the coordinator whose phone it is for.
pub(super) async fn new_link(signed: &SignedIn, role: Role, person: Option<DeviceId>) -> Result<Links, Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let now = crate::environment::now();
    let made = signed.work(move || granary.invite_as(by, number, role, person, INVITATION_HOURS, now)).await?;
    let address = &signed.public_address;
    Ok(Links { phone: address.invitation(&made.code), browser: address.browser_invitation(&made.code) })
}

/// The links of one invitation.
pub(super) struct Links {
    phone: String,
    browser: Option<BrowserLink>,
}

impl Links {
    /// The links with their QR codes. The browser's is a line only where it works on the server's own machine alone.
    fn show(&self, locale: Locale) -> Markup {
        html! {
            (qr(&self.phone)) p.link { code { (self.phone) } }
            @match &self.browser {
                Some(BrowserLink { link, is_of_this_machine: false }) => {
                    p { (locale.t("invitation-browser")) } (qr(link)) p.link { a href=(link) { (link) } }
                }
                Some(BrowserLink { link, .. }) => {
                    p { (locale.t("invitation-this-machine")) } p.link { a href=(link) { (link) } }
                }
                None => { p.small.screen-only { (locale.t("invitation-no-browser")) } }
            }
        }
    }
}

/// A QR code as SVG.
pub(super) fn qr(link: &str) -> Markup {
    match qrcode::QrCode::new(link.as_bytes()) {
        Ok(code) => html! {
            div.qr role="img" aria-label="QR" { (PreEscaped(code.render::<qrcode::render::svg::Color<'_>>().min_dimensions(220, 220).build())) }
        },
        Err(_) => html! {},
    }
}

/// `POST /console/households/invite`
pub(super) async fn invite(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let id = id_of(&signed, form.get("household"))?;
    let document = signed.document(DocumentKey::Household(id)).await?;
    let name = household::read(&document.ok_or_else(|| refused(locale, 404, "not-found"))?).name.unwrap_or_default();
    let link = new_link(&signed, Role::Household(id), None).await?;
    Ok(invitation_page(&signed, "households", &name, &link))
}

/// The page that shows one invitation.
pub(super) fn invitation_page(signed: &SignedIn, part: &str, name: &str, links: &Links) -> Response {
    let locale = signed.locale;
    let main = html! {
        div.sheet { h2 { (name) } p { (locale.t("invitation-help")) } (links.show(locale)) }
    };
    Page { title: locale.t("invitation"), part, main }.show(signed)
}

/// `POST /console/households/sheet`: a page of paper for each household of a village.
pub(super) async fn sheet(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let village = form.get("village").to_owned();
    let rows = signed
        .read(move |models| models.households("", (!village.is_empty()).then_some(village.as_str()), SHEET_MAX, 0))
        .await?;
    let mut pages = Vec::with_capacity(rows.len());
    for row in rows {
        let link = new_link(&signed, Role::Household(row.household), None).await?;
        pages.push((row, link));
    }
    let main = html! {
        p.screen-only { (locale.t("sheet-print")) }
        @for (row, links) in &pages {
            div.sheet {
                h2 { (row.name) " · " (names.village(&row.village)) }
                p { (signed.cooperative.name()) }
                p { (locale.t("invitation-help")) }
                (links.show(locale))
            }
        }
    };
    Ok(Page { title: locale.t("sheet"), part: "households", main }.show(&signed))
}
