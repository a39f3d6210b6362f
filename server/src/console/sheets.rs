//! Invitations on the screen and on paper.

use axum::response::Response;
use granary_client_core::ids::DeviceId;
use granary_client_core::projection::HouseholdFilter;
use granary_client_core::schema::access::Role;
use maud::{Markup, PreEscaped, html};

use super::household::phones::HouseholdPhones;
use super::household::{household_of, id_of};
use super::households::village_chosen;
use super::i18n::Locale;
use super::names::Names;
use super::page::Page;
use super::refusal::Refused;
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::Invitation;
use crate::http::BrowserLink;

/// Invitations on one printed sheet at most.
pub(super) const SHEET_MAX: u32 = 60;
/// Hours for which an invitation from the console works.
const INVITATION_HOURS: u32 = 14 * 24;

/// A new invitation, as a link. `person` is the device of the coordinator whose phone it is for.
pub(super) async fn new_link(signed: &SignedIn, role: Role, person: Option<DeviceId>) -> Result<Links, Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let now = crate::environment::now();
    let made = signed.work(move || granary.invite_as(by, number, role, person, INVITATION_HOURS, now)).await?;
    Ok(links_of(signed, &made))
}

/// An invitation for a recorder of these villages, by their codes.
pub(super) async fn recorder_link(signed: &SignedIn, villages: Vec<String>) -> Result<Links, Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let now = crate::environment::now();
    let made = signed.work(move || granary.invite_recorder(by, number, &villages, INVITATION_HOURS, now)).await?;
    Ok(links_of(signed, &made))
}

fn links_of(signed: &SignedIn, made: &Invitation) -> Links {
    let address = &signed.public_address;
    Links { phone: address.invitation(&made.code), browser: address.browser_invitation(&made.code) }
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
    let id = id_of(&signed, form.get("household"))?;
    let (_, household) = household_of(&signed, id).await?;
    let name = Names::of(&signed).await?.household(household.name.as_deref().unwrap_or_default(), id);
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
    let phones = HouseholdPhones::of(&signed);
    let village = village_chosen(form.get("village"));
    let filter = HouseholdFilter { village, limit: SHEET_MAX, ..phones.everyone() };
    let rows = signed.read(move |models| models.households(&filter)).await?;
    let mut pages = Vec::with_capacity(rows.len());
    for row in rows {
        let link = new_link(&signed, Role::Household(row.household), None).await?;
        pages.push((row, link));
    }
    let main = html! {
        p.screen-only { (locale.t("sheet-print")) }
        @for (row, links) in &pages {
            div.sheet {
                h2 { (names.household(&row.name, row.household)) @if !row.village.is_empty() { " · " (names.village(&row.village)) } }
                p { (signed.cooperative.name()) }
                p { (locale.t("invitation-help")) }
                (links.show(locale))
            }
        }
    };
    Ok(Page { title: locale.t("sheet"), part: "households", main }.show(&signed))
}
