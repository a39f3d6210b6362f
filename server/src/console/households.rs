//! Households: the list, one household, invitations on the screen and on paper.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use granary_client_core::documents::{DocumentKey, household};
use granary_client_core::ids::HouseholdId;
use granary_client_core::protocol::access::Role;
use maud::{Markup, PreEscaped, html};
use serde::Deserialize;

use super::forms::encode;
use super::i18n::grouped;
use super::names::Names;
use super::page::{Page, paging, token};
use super::refusal::{Refused, refused};
use super::signed::{Signed, SignedForm};
use crate::access::InvitationLink;
use crate::engine::own_edits::Edits;

const PER_PAGE: u32 = 60;
/// Invitations on one printed sheet at most.
const SHEET_MAX: u32 = 60;
/// How long an invitation from here works.
const INVITATION_HOURS: u32 = 14 * 24;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    search: String,
    village: String,
    page: String,
}

/// `GET /console/households`
pub(super) async fn show(signed: Signed, Query(asked): Query<Asked>) -> Result<Response, Refused> {
    let words = signed.words;
    let names = Names::of(&signed).await?;
    let page = asked.page.parse::<u32>().unwrap_or(1).clamp(1, 10_000);
    let (search, village) = (asked.search.clone(), asked.village.clone());
    let (rows, total) = signed
        .read(move |lists| {
            let village = (!village.is_empty()).then_some(village);
            let offset = page.saturating_sub(1).saturating_mul(PER_PAGE);
            Ok((lists.households(&search, village.as_deref(), PER_PAGE, offset)?, lists.count_households()?))
        })
        .await?;
    let main = html! {
        form.filters method="get" action="/console/households" role="search" {
            label { (words.t("search")) input name="search" value=(asked.search); }
            label { (words.t("village")) (village_choice(&names, &asked.village, &words.t("all"))) }
            button { (words.t("show")) }
        }
        p { (words.with("households-found", &[("count", grouped(total))])) " " a href="/console/import" { (words.t("import")) } }
        @if rows.is_empty() { p.empty { (words.t("no-households")) } }
        div.scroll tabindex="0" role="region" aria-label=(words.t("part-households")) {
            table {
                thead { tr { th scope="col" { (words.t("household")) } th scope="col" { (words.t("village")) } th scope="col" { (words.t("members")) }
                    th.number scope="col" { (words.t("lots")) } th.number scope="col" { (words.t("recorded")) } th { } } }
                tbody { @for row in &rows { tr {
                    td { a href={ "/console/households/" (row.household) } { (row.name) } }
                    td { (names.village(&row.village)) }
                    td { (row.members) }
                    td.number { a href={ "/console/harvests?household=" (row.household) } { (row.lots) } }
                    td.number { (words.kilograms(row.recorded_grams)) }
                    td { form.inline method="post" action="/console/households/invite" {
                        (token(&signed)) input type="hidden" name="household" value=(row.household);
                        button.quiet { (words.t("invite")) } } }
                } } }
            }
        }
        (paging(words, &format!("/console/households?search={}&village={}", encode(&asked.search), encode(&asked.village)),
            u64::from(page), u64::from(PER_PAGE), total))
        div.columns {
            section { h2 { (words.t("add-household")) }
                form.card method="post" action="/console/households/add" {
                    (token(&signed))
                    label { (words.t("name")) input name="name" required maxlength="64"; }
                    label { (words.t("village")) (village_choice(&names, "", "—")) }
                    button { (words.t("add")) }
                } }
            section { h2 { (words.t("sheet")) }
                form.card method="post" action="/console/households/sheet" {
                    (token(&signed))
                    p { (words.with("sheet-help", &[("most", SHEET_MAX.to_string())])) }
                    label { (words.t("village")) (village_choice(&names, "", &words.t("all"))) }
                    button { (words.t("sheet-make")) }
                } }
        }
    };
    Ok(Page { title: words.t("part-households"), part: "households", main }.show(&signed))
}

fn village_choice(names: &Names, chosen: &str, none: &str) -> Markup {
    html! { select name="village" {
        option value="" { (none) }
        @for (code, name) in names.villages() { option value=(code) selected[code == chosen] { (name) } }
    } }
}

fn id_of(signed: &Signed, text: &str) -> Result<HouseholdId, Refused> {
    text.parse().map_err(|_| refused(signed.words, 404, "not-found"))
}

/// `GET /console/households/{household}`
pub(super) async fn one(signed: Signed, Path(id): Path<String>) -> Result<Response, Refused> {
    let words = signed.words;
    let id = id_of(&signed, &id)?;
    let document = signed.document(DocumentKey::Household(id)).await?;
    let read = household::read(&document.ok_or_else(|| refused(words, 404, "not-found"))?);
    let names = Names::of(&signed).await?;
    let title = read.name.clone().unwrap_or_else(|| words.t("damaged"));
    let main = html! {
        div.columns {
            form.card method="post" action={ "/console/households/" (id) } {
                (token(&signed))
                label { (words.t("name")) input name="name" required value=(read.name.as_deref().unwrap_or_default()); }
                label { (words.t("village")) (village_choice(&names, read.village.as_deref().unwrap_or_default(), "—")) }
                label { (words.t("payment")) input name="payment" value=(read.payment.as_deref().unwrap_or_default()); }
                label { (words.t("add-member")) input name="member"; }
                button { (words.t("save")) }
            }
            section {
                h2 { (words.t("members")) }
                @if read.members.is_empty() { p.empty { (words.t("no-members")) } }
                ul { @for member in &read.members { li { (member) } } }
                p { a href={ "/console/harvests?household=" (id) } { (words.t("lots-of-household")) } }
                form.inline method="post" action="/console/households/invite" {
                    (token(&signed)) input type="hidden" name="household" value=(id); button { (words.t("invite")) } }
            }
        }
    };
    Ok(Page { title, part: "households", main }.show(&signed))
}

/// `POST /console/households/{household}`
pub(super) async fn save(Path(id): Path<String>, SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let id = id_of(&signed, &id)?;
    let key = DocumentKey::Household(id);
    signed.document(key.clone()).await?.ok_or_else(|| refused(signed.words, 404, "not-found"))?;
    let field = |name: &str| form.get(name).to_owned();
    let (name, village, payment, member) = (field("name"), field("village"), field("payment"), field("member"));
    let edit = Edits::one(key, move |doc| {
        household::set_name(doc, &name, &village)?;
        if !payment.is_empty() {
            household::set_payment(doc, &payment)?;
        }
        if !member.is_empty() {
            household::add_member(doc, &member)?;
        }
        Ok(())
    });
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to(&format!("/console/households/{id}")).into_response())
}

/// `POST /console/households/add`
pub(super) async fn add(SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let millis = u64::try_from(crate::environment::now().0).unwrap_or(0);
    let random = crate::environment::random_bytes().map_err(|error| super::refusal::refuse(signed.words, &error))?;
    let id = HouseholdId::generate(millis, random);
    let (name, village) = (form.get("name").to_owned(), form.get("village").to_owned());
    let edit = Edits::one(DocumentKey::Household(id), move |doc| household::set_name(doc, &name, &village));
    signed.edit(vec![edit]).await?;
    Ok(Redirect::to(&format!("/console/households/{id}")).into_response())
}

/// A new invitation, as a link.
pub(super) async fn new_link(signed: &Signed, role: Role) -> Result<String, Refused> {
    let (granary, number, who) = (signed.granary.clone(), signed.cooperative.number(), signed.session.name.clone());
    let made =
        signed.work(move || granary.invite_as(&who, number, role, INVITATION_HOURS, crate::environment::now())).await?;
    let reach = &signed.reach;
    let link =
        InvitationLink { address: reach.address.clone(), code: made.code, fingerprint: reach.fingerprint.clone() };
    Ok(link.to_string())
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
pub(super) async fn invite(SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let words = signed.words;
    let id = id_of(&signed, form.get("household"))?;
    let document = signed.document(DocumentKey::Household(id)).await?;
    let name = household::read(&document.ok_or_else(|| refused(words, 404, "not-found"))?).name.unwrap_or_default();
    let link = new_link(&signed, Role::Household(id)).await?;
    Ok(invitation_page(&signed, "households", &name, &link))
}

/// The page that shows one invitation.
pub(super) fn invitation_page(signed: &Signed, part: &str, name: &str, link: &str) -> Response {
    let words = signed.words;
    let main = html! {
        div.sheet { h2 { (name) } p { (words.t("invitation-help")) } (qr(link)) p.link { code { (link) } } }
    };
    Page { title: words.t("invitation"), part, main }.show(signed)
}

/// `POST /console/households/sheet`: a page of paper for each household of a village.
pub(super) async fn sheet(SignedForm(signed, form): SignedForm) -> Result<Response, Refused> {
    let words = signed.words;
    let names = Names::of(&signed).await?;
    let village = form.get("village").to_owned();
    let rows = signed
        .read(move |lists| lists.households("", (!village.is_empty()).then_some(village.as_str()), SHEET_MAX, 0))
        .await?;
    let mut pages = Vec::with_capacity(rows.len());
    for row in rows {
        let link = new_link(&signed, Role::Household(row.household)).await?;
        pages.push((row, link));
    }
    let main = html! {
        p.screen-only { (words.t("sheet-print")) }
        @for (row, link) in &pages {
            div.sheet {
                h2 { (row.name) " · " (names.village(&row.village)) }
                p { (signed.cooperative.name()) }
                p { (words.t("invitation-help")) }
                (qr(link))
                p.link { code { (link) } }
            }
        }
    };
    Ok(Page { title: words.t("sheet"), part: "households", main }.show(&signed))
}
