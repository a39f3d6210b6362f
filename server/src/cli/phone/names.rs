//! Names for what a phone keeps as codes and ids, in the reader's language.

use std::collections::BTreeMap;

use granary_client_core::ids::HouseholdId;
use granary_client_core::phone::Phone;
use granary_client_core::schema::CardNumber;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::catalogue::Product;
use granary_client_core::words::{Language, Words};

use crate::error::Error;

/// The names of the catalogue's products.
pub(super) struct Products(BTreeMap<String, String>);

impl Products {
    /// As this phone has them; none before the first sync.
    pub(super) fn of(phone: &Phone, language: Language) -> Result<Self, Error> {
        // A phone that belongs to nobody has no catalogue.
        let catalogue = if phone.device().is_some() { phone.catalogue()? } else { None };
        let name = |product: Product| {
            let (first, second) = match language {
                Language::Chinese => (product.name_zh, product.name_en),
                Language::English => (product.name_en, product.name_zh),
            };
            Some((product.code, first.or(second)?))
        };
        Ok(Self(catalogue.unwrap_or_default().products.into_iter().filter_map(name).collect()))
    }

    /// A product's name; its code where the catalogue has none.
    pub(super) fn name<'a>(&'a self, code: &'a str) -> &'a str {
        self.0.get(code).map_or(code, String::as_str)
    }
}

/// A household that the phone records for: by its name, as far as that is here, and the number of its card.
pub(super) fn of_listed(phone: &Phone, household: HouseholdId) -> Result<String, Error> {
    let number = CardNumber::of(household);
    let known = phone.people(&number.to_string())?.into_iter().find(|one| one.household == household);
    let name = known.map(|one| one.name).filter(|name| !name.is_empty());
    Ok(name.map_or_else(|| number.to_string(), |name| format!("{name} ({number})")))
}

/// What a phone is; a household is named by its name, as far as that is here.
pub(super) fn role(phone: &Phone, role: &Role, language: Language) -> Result<String, Error> {
    let Role::Household(household) = role else { return Ok(role.words(language)) };
    let name = phone.household_particulars(*household)?.and_then(|particulars| particulars.name);
    Ok(name.map_or_else(|| role.words(language), |name| household_named(&name, language)))
}

/// A household by its name.
pub(super) fn household_named(name: &str, language: Language) -> String {
    match language {
        Language::Chinese => format!("农户 {name}"),
        Language::English => format!("household {name}"),
    }
}
