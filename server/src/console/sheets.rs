//! Invitations on the screen and on paper.

use std::collections::BTreeSet;

use axum::response::Response;
use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::projection::{HouseholdFilter, HouseholdRow};
use granary_client_core::schema::access::Role;
use maud::{Markup, html};

use super::household::phones::HouseholdPhones;
use super::household::{household_of, id_of};
use super::households::{village_choice, village_chosen};
use super::i18n::{Locale, grouped};
use super::names::Names;
use super::page::{Page, token};
use super::parts::{empty, qr};
use super::refusal::Refused;
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::Invitation;
use crate::http::{BrowserLink, PublicAddress};

/// Invitations on one printed sheet at most.
pub(super) const SHEET_MAX: usize = 60;
/// Hours for which an invitation from the console works.
const INVITATION_HOURS: u32 = 14 * 24;

/// New invitations, one for each role. `person` is the device of the coordinator whose phones they are for.
async fn new_links(signed: &SignedIn, roles: Vec<Role>, person: Option<DeviceId>) -> Result<Vec<Links>, Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let now = crate::environment::now();
    let roles = roles.into_iter().map(|role| (role, BTreeSet::new())).collect();
    let made = signed.work(move || granary.invite_each(by, number, roles, person, INVITATION_HOURS, now)).await?;
    Ok(made.into_iter().map(|made| Links::of(&signed.public_address, made)).collect())
}

/// An invitation for a recorder of these villages, by their codes.
pub(super) async fn recorder_link(signed: &SignedIn, villages: Vec<String>) -> Result<Links, Refused> {
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    let now = crate::environment::now();
    let made = signed.work(move || granary.invite_recorder(by, number, &villages, INVITATION_HOURS, now)).await?;
    Ok(Links::of(&signed.public_address, made))
}

/// A new invitation, as a link.
pub(super) async fn new_link(signed: &SignedIn, role: Role, person: Option<DeviceId>) -> Result<Links, Refused> {
    let links = new_links(signed, vec![role], person).await?.into_iter().next();
    links.ok_or_else(|| super::refusal::refused(signed.locale, 500, "server-failed"))
}

/// The ways in of one invitation.
pub(super) struct Links {
    code: String,
    phone: String,
    browser: Option<BrowserLink>,
}

impl Links {
    fn of(address: &PublicAddress, made: Invitation) -> Self {
        let (phone, browser) = (address.invitation(&made.code), address.browser_invitation(&made.code));
        Self { code: made.code, phone, browser }
    }

    /// What to type and what to scan. Where browsers trust the server, an address and twelve letters are enough; the app pins the
    /// server's certificate and takes a link that nobody types.
    fn show(&self, locale: Locale) -> Markup {
        html! {
            @match &self.browser {
                Some(link) if !link.is_of_this_machine => {
                    ol.steps {
                        li { (locale.t("invite-open")) " " strong.typed { (link.address()) } }
                        li { (locale.t("invite-type")) " " strong.typed { (self.code) } }
                    }
                    p { (locale.t("invite-scan")) } (qr(&link.link))
                    p.link.screen-only { a href=(link.link) { (link.link) } }
                    h3 { (locale.t("invite-app")) } (qr(&self.phone))
                    p.link.screen-only { code { (self.phone) } }
                }
                other => {
                    p { (locale.t("invitation-help")) } (qr(&self.phone)) p.link { code { (self.phone) } }
                    @if let Some(link) = other {
                        p { (locale.t("invitation-this-machine")) } p.link { a href=(link.link) { (link.link) } }
                    } @else {
                        p.small.screen-only { (locale.t("invitation-no-browser")) }
                    }
                }
            }
        }
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
    let main = html! { div.sheet { h2 { (name) } (links.show(locale)) p.small { (locale.t("invite-once")) } } };
    Page { title: locale.t("invitation"), part, main }.show(signed)
}

/// The form that makes sheets, on the list of households.
pub(super) fn form(signed: &SignedIn, names: &Names) -> Markup {
    let locale = signed.locale;
    html! {
        section #sheet { h2 { (locale.t("sheet")) }
            form.card method="post" action="/console/households/sheet" {
                (token(signed))
                p { (locale.with("sheet-help", &[("most", SHEET_MAX.to_string())])) }
                label { (locale.t("village")) (village_choice(signed, names, "", true)) }
                label { (locale.t("sheet-who")) select name="who" {
                    @for who in ["without", "all"] { option value=(who) { (locale.of("sheet-who", who)) } }
                } }
                label.check { input type="checkbox" name="end" value="yes" checked; (locale.t("sheet-end")) }
                button { (locale.t("sheet-make")) }
            } }
    }
}

/// `POST /console/households/sheet`: a page of paper for each household that was chosen, as many at once as a sheet holds. `after` is
/// the last household of the sheet before.
pub(super) async fn sheet(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let locale = signed.locale;
    let names = Names::of(&signed).await?;
    let phones = HouseholdPhones::of(&signed);
    let with_all = form.get("who") == "all";
    let filter = HouseholdFilter { village: village_chosen(form.get("village")), ..phones.everyone() };
    let everyone = signed.read(move |models| models.households(&filter)).await?;
    let with_phone: BTreeSet<HouseholdId> =
        if with_all { BTreeSet::new() } else { phones.with_phone().into_iter().collect() };
    let is_wanted = |row: &&HouseholdRow| !with_phone.contains(&row.household);
    let after: Option<HouseholdId> = form.get("after").parse().ok();
    let begin = after.and_then(|after| everyone.iter().position(|row| row.household == after));
    // By its place among all: one that has enrolled meanwhile moves nobody else.
    let begin = begin.map_or(0, |place| place.saturating_add(1));
    let (before, rest) = everyone.split_at_checked(begin).unwrap_or((&everyone, &[]));
    let (done, left) = (before.iter().filter(is_wanted).count(), rest.iter().filter(is_wanted).count());
    let rows: Vec<&HouseholdRow> = rest.iter().filter(is_wanted).take(SHEET_MAX).collect();
    let roles: Vec<Role> = rows.iter().map(|row| Role::Household(row.household)).collect();
    if form.get("end") == "yes" {
        let ended: BTreeSet<HouseholdId> = rows.iter().map(|row| row.household).collect();
        let is_theirs = move |role: &Role| matches!(role, Role::Household(household) if ended.contains(household));
        let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
        signed
            .work(move || granary.withdraw_open(by, number, |line| is_theirs(&line.role), crate::environment::now()))
            .await?;
    }
    let links = new_links(&signed, roles, None).await?;
    let has_more = left > rows.len();
    let main = html! {
        div.screen-only {
            @if rows.is_empty() { (empty(locale.t("sheet-nobody"), &[("/console/households", locale.t("part-households"))])) } @else {
                p { (locale.with("sheet-shown", &[
                    ("from", grouped(done.saturating_add(1) as u64)),
                    ("to", grouped(done.saturating_add(rows.len()) as u64)),
                    ("all", grouped(done.saturating_add(left) as u64))])) }
                p { (locale.t("sheet-print")) }
            }
            @if let Some(last) = rows.last().filter(|_| has_more) {
                form.inline method="post" action="/console/households/sheet" {
                    (token(&signed))
                    @for name in ["village", "who", "end"] { input type="hidden" name=(name) value=(form.get(name)); }
                    input type="hidden" name="after" value=(last.household);
                    button { (locale.t("sheet-next")) }
                }
            }
            p { a href="/console/invitations" { (locale.t("invitations")) } }
        }
        @for (row, links) in rows.iter().zip(&links) {
            div.sheet {
                h2 { (names.household(&row.name, row.household)) @if !row.village.is_empty() { " · " (names.village(&row.village)) } }
                p { (signed.cooperative.name()) }
                (links.show(locale))
                p.small { (locale.t("invite-once")) }
            }
        }
    };
    Ok(Page { title: locale.t("sheet"), part: "households", main }.show(&signed))
}
