//! The phones of households: who has one, and when each was last heard of.

use std::collections::BTreeMap;

use granary_client_core::ids::HouseholdId;
use granary_client_core::projection::HouseholdFilter;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use maud::{Markup, html};

use crate::console::i18n::{Locale, grouped};
use crate::console::names::Names;
use crate::console::page::token;
use crate::console::parts::empty;
use crate::console::phones::{Phone, table};
use crate::console::refusal::Refused;
use crate::console::signed_in::SignedIn;

/// The phones of all households, revoked ones too; none of a household that was erased.
pub(in crate::console) struct HouseholdPhones {
    by_household: BTreeMap<HouseholdId, Vec<Phone>>,
}

impl HouseholdPhones {
    pub(in crate::console) fn of(signed: &SignedIn) -> Self {
        let mut by_household: BTreeMap<HouseholdId, Vec<Phone>> = BTreeMap::new();
        for (id, record, seen) in signed.cooperative.devices() {
            let phone = Phone { id, record, seen };
            if let Some(household) = phone.household() {
                by_household.entry(household).or_default().push(phone);
            }
        }
        by_household.retain(|household, _| !signed.cooperative.is_erased(&DocumentKey::Household(*household)));
        Self { by_household }
    }

    /// A filter that every household passes, also one that enrolled and that nobody has named yet.
    pub(in crate::console) fn everyone(&self) -> HouseholdFilter {
        HouseholdFilter { known: self.by_household.keys().copied().collect(), ..HouseholdFilter::all() }
    }

    /// The households that have a phone now.
    pub(in crate::console) fn with_phone(&self) -> Vec<HouseholdId> {
        let has_one = |phones: &Vec<Phone>| phones.iter().any(Phone::is_active);
        self.by_household.iter().filter(|(_, phones)| has_one(phones)).map(|(household, _)| *household).collect()
    }

    /// A household's phones.
    pub(in crate::console) fn of_household(&self, household: HouseholdId) -> &[Phone] {
        self.by_household.get(&household).map_or(&[], Vec::as_slice)
    }

    /// A household's phones that were not revoked.
    pub(in crate::console) fn active_of(&self, household: HouseholdId) -> impl Iterator<Item = &Phone> + Clone {
        self.of_household(household).iter().filter(|phone| phone.is_active())
    }
}

/// When the last of these phones was heard of, and how many there are where it is not one.
pub(in crate::console) fn last_heard<'a>(locale: Locale, phones: impl Iterator<Item = &'a Phone> + Clone) -> Markup {
    let count = phones.clone().count();
    let last = phones.filter_map(|phone| phone.seen.as_ref()).map(|seen| seen.at_millis).max();
    html! {
        @match (count, last) {
            (0, _) => "—",
            (_, None) => { (locale.t("never-heard")) }
            (_, Some(at)) => { (locale.moment(Instant(at))) }
        }
        @if count > 1 { " " span.small { (locale.with("phones-of-household", &[("count", grouped(count as u64))])) } }
    }
}

/// A household's phones, with revoking and inviting.
pub(super) async fn section(
    signed: &SignedIn,
    names: &Names,
    id: HouseholdId,
    phones: &[Phone],
) -> Result<Markup, Refused> {
    let locale = signed.locale;
    let (granary, number) = (signed.granary.clone(), signed.cooperative.number());
    let set_aside = match phones {
        [] => BTreeMap::new(),
        _ => signed.work(move || granary.set_aside_by_device(number)).await?,
    };
    Ok(html! {
        section #phones {
            h2 { (locale.t("part-phones")) }
            @if phones.is_empty() { (empty(locale.t("household-no-phone"), &[("/console/invitations", locale.t("part-invitations"))])) } @else {
                (table(signed, names, phones, &set_aside, None))
            }
            form.inline method="post" action="/console/households/invite" {
                (token(signed)) input type="hidden" name="household" value=(id); button.quiet { (locale.t("invite")) } }
            " " a href={ "/console/invitations?household=" (id) } { (locale.t("invitations")) }
            " · " a href={ "/console/households/cards?household=" (id) } { (locale.t("card-of-household")) }
        }
    })
}
