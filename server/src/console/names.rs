//! Names for codes and ids: products, villages, households, devices.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use granary_client_core::ids::{ActorId, DeviceId, HouseholdId};
use granary_client_core::schema::catalogue::Catalogue;
use granary_client_core::schema::{DocumentKey, Part, catalogue, cooperative};

use super::i18n::{Language, Locale};
use super::refusal::Refused;
use super::signed_in::SignedIn;
use crate::log::{Cooperative, DeviceKind};

/// Letters of a household's id that stand for an erased name.
const ERASED_LETTERS: usize = 8;

/// Looks up names in one language.
pub(super) struct Names {
    locale: Locale,
    pub(super) catalogue: Catalogue,
    products: BTreeMap<String, String>,
    villages: BTreeMap<String, String>,
    devices: HashMap<DeviceId, String>,
    cooperative: Arc<Cooperative>,
}

impl Names {
    pub(super) async fn of(signed: &SignedIn) -> Result<Self, Refused> {
        let catalogue = catalogue::read_parts(&signed.parts(DocumentKey::Catalogue(Part::FIRST)).await?);
        let cooperative = cooperative::read_parts(&signed.parts(DocumentKey::Cooperative(Part::FIRST)).await?);
        let products = catalogue
            .products
            .iter()
            .map(|product| {
                let (first, second) = match signed.locale.language {
                    Language::Chinese => (&product.name_zh, &product.name_en),
                    Language::English => (&product.name_en, &product.name_zh),
                };
                let name = first.clone().or_else(|| second.clone()).unwrap_or_else(|| product.code.clone());
                (product.code.clone(), name)
            })
            .collect();
        let villages = cooperative.villages.iter().cloned().collect();
        let named = |kind, name| match kind {
            DeviceKind::Server => signed.locale.t("the-server"),
            DeviceKind::Phone | DeviceKind::Token | DeviceKind::Console => name,
        };
        let devices = signed.cooperative.devices().into_iter();
        let devices = devices.map(|(id, record, _)| (id, named(record.kind, record.name))).collect();
        let cooperative = Arc::clone(&signed.cooperative);
        Ok(Self { locale: signed.locale, catalogue, products, villages, devices, cooperative })
    }

    /// The catalogue, once it has products.
    pub(super) fn known_catalogue(&self) -> Option<&Catalogue> {
        Some(&self.catalogue).filter(|catalogue| !catalogue.products.is_empty())
    }

    /// A product's name.
    pub(super) fn product(&self, code: &str) -> String {
        self.products.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// A household's name as a list gives it; of one that was erased, what stands in its place.
    pub(super) fn household(&self, name: &str, id: HouseholdId) -> String {
        if name.is_empty() && self.cooperative.is_erased(&DocumentKey::Household(id)) {
            let short: String = id.to_string().chars().take(ERASED_LETTERS).collect();
            return self.locale.with("erased-person", &[("id", short)]);
        }
        name.to_owned()
    }

    /// A village's name.
    pub(super) fn village(&self, code: &str) -> String {
        self.villages.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// Codes and names of all products.
    pub(super) fn products(&self) -> &BTreeMap<String, String> {
        &self.products
    }

    /// Codes and names of all villages.
    pub(super) fn villages(&self) -> &BTreeMap<String, String> {
        &self.villages
    }

    /// The name of an actor's device.
    pub(super) fn author(&self, actor: Option<&ActorId>) -> String {
        let device = actor.and_then(|actor| self.cooperative.device_of(actor));
        let name = device.and_then(|device| self.devices.get(&device).cloned());
        name.unwrap_or_else(|| self.locale.t("somebody"))
    }

    /// Who the audit says did something: with the name as it is now, where there is one.
    pub(super) fn doer(&self, who: &str) -> String {
        match who.parse::<DeviceId>() {
            Ok(device) => match self.devices.get(&device) {
                Some(name) => format!("{name} ({who})"),
                None => who.to_owned(),
            },
            Err(_) => self.locale.of("doer", who),
        }
    }

    /// A field's value, formatted for people.
    pub(super) fn value(&self, field: &str, value: &str) -> String {
        match field {
            "product" => self.product(value),
            "state" => self.locale.of("state", value),
            _ => self.locale.value(field, value),
        }
    }
}
