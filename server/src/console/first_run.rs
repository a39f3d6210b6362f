//! The overview of a new co-operative: what to do first, in its order, with what is done ticked off. It stands in the overview's
//! place until everything is done or the first harvest is there.

use std::collections::BTreeSet;

use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::LotFilter;
use granary_client_core::quantities::Day;
use granary_client_core::schema::access::Role;
use maud::{Markup, html};

use super::household::phones::HouseholdPhones;
use super::names::Names;
use super::refusal::Refused;
use super::signed_in::SignedIn;
use crate::access::InvitationState;

/// A step: the name of its words, whether it is done, and where it is done.
type Step = (&'static str, bool, &'static str);

/// See the module; none for a co-operative that works already.
pub(super) async fn show_if_new(signed: &SignedIn, names: &Names) -> Result<Option<Markup>, Refused> {
    let everyone = HouseholdPhones::of(signed).everyone();
    let one = LotFilter { limit: 1, with_merged: true, ..LotFilter::default() };
    let read = move |models: &granary_client_core::projection::ReadModel| {
        let named = models.household_names()?.into_iter().filter(|(_, name, _)| !name.is_empty()).map(|(id, ..)| id);
        Ok((models.lots(&one)?.is_empty(), models.count_households(&everyone)? > 0, named.collect()))
    };
    let (is_new, has_households, named): (bool, bool, BTreeSet<HouseholdId>) = signed.read(read).await?;
    if !is_new {
        return Ok(None);
    }
    let today = Day::in_china(crate::environment::now());
    let is_priced = |product: &granary_client_core::schema::catalogue::Product| {
        product.is_offered_on(today) && !product.grades_from(today).is_empty()
    };
    let steps: [Step; 4] = [
        ("villages", !names.villages().is_empty(), "/console/cooperative"),
        ("products", names.catalogue.products.iter().any(is_priced), "/console/catalogue"),
        ("households", has_households, "/console/households"),
        (
            "invitations",
            has_household_phone(signed, &named) || is_invited(signed, &named).await?,
            "/console/households",
        ),
    ];
    let Some(next) = steps.iter().position(|(_, is_done, _)| !is_done) else { return Ok(None) };
    let locale = signed.locale;
    Ok(Some(html! {
        p { (locale.t("first-run-help")) }
        ol.steps { @for (place, (name, is_done, address)) in steps.iter().enumerate() {
            li.card aria-current=[(place == next).then_some("step")] {
                h2 { a href=(address) { (locale.of("first-run", name)) } @if *is_done { " ✓ " span.small { (locale.t("first-run-done")) } } }
                p { (locale.of("first-run-says", name)) }
            }
        } }
        p { (locale.t("first-run-then")) " " a href="/console/coordinators" { (locale.t("coordinators")) } " · "
            a href="/console/import" { (locale.t("import")) } }
    }))
}

/// True for the role of one of these households. A phone that enrolled for a new one, which nobody has named yet, is no household of
/// the list that was invited.
fn is_of(named: &BTreeSet<HouseholdId>, role: &Role) -> bool {
    matches!(role, Role::Household(household) if named.contains(household))
}

/// True where a phone of one of these households belongs to the co-operative.
fn has_household_phone(signed: &SignedIn, named: &BTreeSet<HouseholdId>) -> bool {
    let is_of_household = |role: &Role| is_of(named, role);
    signed
        .cooperative
        .devices()
        .iter()
        .any(|(_, record, _)| record.revoked_millis.is_none() && record.last_roles().iter().any(is_of_household))
}

/// True where one of these households is invited.
async fn is_invited(signed: &SignedIn, named: &BTreeSet<HouseholdId>) -> Result<bool, Refused> {
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let lines = signed.work(move || granary.invitations(number, crate::environment::now())).await?;
    Ok(lines.iter().any(|line| line.state == InvitationState::Open && is_of(named, &line.role)))
}
