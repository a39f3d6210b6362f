//! Invitations: whose each is, who made it, until when, whether it was used; ending one, or all of a village.

use axum::extract::Query;
use axum::response::Response;
use granary_client_core::ids::HouseholdId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use maud::{Markup, html};
use serde::Deserialize;

use super::forms::{Form, query_string};
use super::households::{NO_VILLAGE, village_choice};
use super::i18n::grouped;
use super::inputs::sure;
use super::names::Names;
use super::page::{Page, paging, token};
use super::parts::{Column, Row, Table, empty};
use super::refusal::{Refused, refused};
use super::signed_in::{SignedIn, SignedInForm};
use crate::access::{InvitationLine, InvitationState};

const PER_PAGE: usize = 60;
const STATES: [InvitationState; 5] = [
    InvitationState::Open,
    InvitationState::Used,
    InvitationState::Withdrawn,
    InvitationState::Expired,
    InvitationState::Void,
];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct InvitationsQuery {
    search: String,
    village: String,
    household: String,
    /// One of [`STATES`]; `all`; open ones where it says nothing.
    state: String,
    page: String,
}

/// What invitations are found by.
struct Found<'a> {
    search: String,
    village: &'a str,
    household: Option<HouseholdId>,
    names: &'a Names,
}

impl<'a> Found<'a> {
    fn of(names: &'a Names, search: &str, village: &'a str, household: &str) -> Self {
        Self { search: search.trim().to_lowercase(), village, household: household.parse().ok(), names }
    }

    fn has(&self, line: &InvitationLine) -> bool {
        let household = match line.role {
            Role::Household(household) => Some(household),
            _ => None,
        };
        let village = household.map(|household| self.names.village_code_of(household));
        let in_village = match self.village {
            "" => true,
            NO_VILLAGE => village == Some(""),
            code => village == Some(code),
        };
        let words = || {
            let whose = format!("{} {}", self.names.role(&line.role), line.person.as_deref().unwrap_or_default());
            format!("{whose} {} {}", line.id, household.map(|household| household.to_string()).unwrap_or_default())
        };
        in_village
            && self.household.is_none_or(|wanted| household == Some(wanted))
            && (self.search.is_empty() || words().to_lowercase().contains(&self.search))
    }
}

/// `GET /console/invitations`
pub(super) async fn show(signed: SignedIn, Query(query): Query<InvitationsQuery>) -> Result<Response, Refused> {
    let (locale, now) = (signed.locale, crate::environment::now());
    let page = query.page.parse::<usize>().unwrap_or(1).clamp(1, 100_000);
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let mut lines = signed.work(move || granary.invitations(number, now)).await?;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let is_empty = lines.is_empty();
    let found = Found::of(&names, &query.search, &query.village, &query.household);
    let state = match query.state.as_str() {
        "" => "open",
        state => state,
    };
    lines.retain(|line| (state == "all" || line.state.name() == state) && found.has(line));
    let shown = || lines.iter().skip(page.saturating_sub(1).saturating_mul(PER_PAGE)).take(PER_PAGE);
    let address = query_string(&[
        ("search", &query.search),
        ("village", &query.village),
        ("household", &query.household),
        ("state", &query.state),
    ]);
    let main = html! {
        (filters(&signed, &names, &query, state))
        p { (locale.with("invitations-found", &[("count", grouped(lines.len() as u64))])) " "
            a href="/console/households#sheet" { (locale.t("sheet")) } }
        @if is_empty { (empty(locale.t("no-invitations"), &[("/console/households", locale.t("part-households")), ("/console/phones", locale.t("part-phones"))])) }
        @else if lines.is_empty() { (empty(locale.t("no-invitation-fits"), &[("/console/invitations", locale.t("show-all"))])) }
        @else { (table(&signed, &names, shown())) }
        (paging(locale, &format!("/console/invitations?{address}"), page as u64, PER_PAGE as u64, lines.len() as u64))
        @if state == "open" && lines.len() > 1 { (end_all(&signed, &query, lines.len(), now)) }
    };
    Ok(Page { title: locale.t("invitations"), part: "invitations", main }.show(&signed))
}

fn filters(signed: &SignedIn, names: &Names, query: &InvitationsQuery, state: &str) -> Markup {
    let locale = signed.locale;
    html! {
        form.filters method="get" action="/console/invitations" aria-label=(locale.t("filter")) {
            label { (locale.t("search")) input name="search" value=(query.search) placeholder=(locale.t("search-invitations-hint")); }
            label { (locale.t("village")) (village_choice(signed, names, &query.village, true)) }
            label { (locale.t("state")) select name="state" {
                @for one in STATES { option value=(one.name()) selected[one.name() == state] { (locale.of("invitation-state", one.name())) } }
                option value="all" selected[state == "all"] { (locale.t("all")) }
            } }
            @if !query.household.is_empty() { input type="hidden" name="household" value=(query.household); }
            button { (locale.t("show")) }
        }
    }
}

fn table<'a>(signed: &SignedIn, names: &Names, lines: impl Iterator<Item = &'a InvitationLine>) -> Markup {
    let locale = signed.locale;
    let columns = ["invited-whom", "village", "invited-by", "invited-when", "invited-until", "invited-state"];
    let columns = columns.map(|name| Column::text(locale.t(name))).into_iter();
    let cells = |line: &InvitationLine| {
        let household = match line.role {
            Role::Household(household) => Some(household),
            _ => None,
        };
        vec![
            html! {
                @if let Some(household) = household { a href={ "/console/households/" (household) } { (names.household_of(household)) } }
                @else { (names.role(&line.role)) @if !line.villages.is_empty() { " · " (names.records_for(&line.villages)) } }
                @if let Some(person) = &line.person { " · " (person) }
            },
            html! { (household.map(|household| names.village_of_household(household)).unwrap_or_default()) },
            html! { (if line.by == "operator" { locale.t("operator") } else { line.by.clone() }) },
            html! { (locale.moment(Instant(line.made_millis))) },
            html! { (locale.moment(Instant(line.expires_millis))) },
            html! {
                (locale.of("invitation-state", line.state.name()))
                @if let Some((device, at)) = &line.used { " " span.small { (names.device(*device)) " · " (locale.moment(Instant(*at))) } }
            },
            html! { @if line.state == InvitationState::Open {
                form.inline method="post" action="/console/invitations/withdraw" {
                    (token(signed)) input type="hidden" name="invitation" value=(line.id);
                    button.quiet { (locale.t("withdraw-invitation")) }
                }
            } },
        ]
    };
    let rows = lines
        .map(|line| Row::of(cells(line)).with_id(format!("i-{}", line.id)).ended(line.state != InvitationState::Open));
    let columns = columns.chain([Column::actions(locale.t("actions"))]).collect();
    Table::of(locale.t("invitations"), columns).show(rows.collect())
}

/// The form that ends all that are listed; it says how many, and ends none that was made after the page.
fn end_all(signed: &SignedIn, query: &InvitationsQuery, count: usize, now: Instant) -> Markup {
    let locale = signed.locale;
    html! {
        details { summary { (locale.with("end-invitations", &[("count", grouped(count as u64))])) }
            form.inline method="post" action="/console/invitations/withdraw-all" {
                (token(signed))
                input type="hidden" name="search" value=(query.search);
                input type="hidden" name="village" value=(query.village);
                input type="hidden" name="household" value=(query.household);
                input type="hidden" name="until" value=(now.0);
                (sure(locale))
                button.danger { (locale.t("end-invitations-now")) }
            }
        }
    }
}

/// `POST /console/invitations/withdraw`
pub(super) async fn withdraw(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    let name = form.get("invitation").to_owned();
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed.work(move || granary.withdraw_invitation(by, number, &name, crate::environment::now())).await?;
    Ok(signed.back_to(""))
}

/// `POST /console/invitations/withdraw-all`: all open ones that the page found.
pub(super) async fn withdraw_all(SignedInForm(signed, form): SignedInForm) -> Result<Response, Refused> {
    if form.get("sure") != "yes" {
        return Err(refused(signed.locale, 400, "form-field-wrong").at("sure"));
    }
    let until: i64 =
        form.get("until").parse().map_err(|_| refused(signed.locale, 400, "form-field-wrong").at("until"))?;
    let names = Names::of(&signed).await?.with_households(&signed).await?;
    let chosen = move |form: &Form, line: &InvitationLine| {
        let found = Found::of(&names, form.get("search"), form.get("village"), form.get("household"));
        line.made_millis <= until && found.has(line)
    };
    let (granary, number, by) = (signed.granary.clone(), signed.cooperative.number(), signed.session.principal());
    signed
        .work(move || granary.withdraw_open(by, number, |line| chosen(&form, line), crate::environment::now()))
        .await?;
    Ok(signed.back_to(""))
}
