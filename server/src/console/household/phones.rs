//! The phones of households: who has one, and when each was last heard of.

use std::collections::BTreeMap;

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::projection::HouseholdFilter;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::DocumentKey;
use granary_client_core::schema::access::Role;
use maud::{Markup, html};

use crate::console::i18n::{Locale, grouped};
use crate::console::signed_in::SignedIn;
use crate::log::{DeviceRecord, LastSeen};

/// A phone of a household.
#[derive(Debug, Clone)]
pub(in crate::console) struct HouseholdPhone {
    pub(super) id: DeviceId,
    pub(super) record: DeviceRecord,
    pub(super) seen: Option<LastSeen>,
}

impl HouseholdPhone {
    pub(super) fn is_active(&self) -> bool {
        self.record.revoked_millis.is_none()
    }
}

/// The phones of all households, revoked ones too; none of a household that was erased.
pub(in crate::console) struct HouseholdPhones {
    by_household: BTreeMap<HouseholdId, Vec<HouseholdPhone>>,
}

impl HouseholdPhones {
    pub(in crate::console) fn of(signed: &SignedIn) -> Self {
        let mut by_household: BTreeMap<HouseholdId, Vec<HouseholdPhone>> = BTreeMap::new();
        for (id, record, seen) in signed.cooperative.devices() {
            for role in record.last_roles() {
                if let Role::Household(household) = role {
                    let phone = HouseholdPhone { id, record: record.clone(), seen: seen.clone() };
                    by_household.entry(household).or_default().push(phone);
                }
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
        let has_one = |phones: &Vec<HouseholdPhone>| phones.iter().any(HouseholdPhone::is_active);
        self.by_household.iter().filter(|(_, phones)| has_one(phones)).map(|(household, _)| *household).collect()
    }

    /// A household's phones.
    pub(in crate::console) fn of_household(&self, household: HouseholdId) -> &[HouseholdPhone] {
        self.by_household.get(&household).map_or(&[], Vec::as_slice)
    }

    /// A household's phones that were not revoked.
    pub(in crate::console) fn active_of(
        &self,
        household: HouseholdId,
    ) -> impl Iterator<Item = &HouseholdPhone> + Clone {
        self.of_household(household).iter().filter(|phone| phone.is_active())
    }
}

/// When the last of these phones was heard of, and how many there are where it is not one.
pub(in crate::console) fn last_heard<'a>(
    locale: Locale,
    phones: impl Iterator<Item = &'a HouseholdPhone> + Clone,
) -> Markup {
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
