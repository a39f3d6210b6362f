//! Names for codes and ids: products, villages, households, devices.

mod told;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use granary_client_core::ids::{ActorId, DeviceId, HouseholdId};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::catalogue::Catalogue;
use granary_client_core::schema::{DocumentKey, LotId, Part, catalogue, cooperative};

use super::i18n::{Language, Locale};
use super::refusal::Refused;
use super::signed_in::SignedIn;
use crate::log::{Cooperative, DeviceKind, DeviceRecord};

/// Letters of a household's id that stand for an erased name.
const ERASED_LETTERS: usize = 8;

/// Looks up names in one language.
pub(super) struct Names {
    locale: Locale,
    pub(super) catalogue: Catalogue,
    /// Codes and names of the collecting places.
    pub(super) places: Vec<(String, String)>,
    products: BTreeMap<String, String>,
    villages: BTreeMap<String, String>,
    devices: HashMap<DeviceId, String>,
    /// How many devices have a label.
    labels: HashMap<String, usize>,
    /// Names and villages; empty as long as nobody needs them ([`Names::with_households`]).
    households: HashMap<HouseholdId, (String, String)>,
    /// How many households have a name, and a name in a village.
    namesakes: HashMap<String, usize>,
    namesakes_in_village: HashMap<(String, String), usize>,
    cooperative: Arc<Cooperative>,
}

/// Letters of an id that tell two apart that have one name.
const SHORT_ID_LETTERS: usize = 6;

/// The end of an id, where those that were made at one time differ.
fn short_id(id: &str) -> String {
    let from = id.len().saturating_sub(SHORT_ID_LETTERS);
    id.get(from..).unwrap_or(id).to_owned()
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
        let (villages, places) = (cooperative.villages.into_iter().collect(), cooperative.places);
        let named = |kind, name| match kind {
            DeviceKind::Server => signed.locale.t("the-server"),
            DeviceKind::Phone | DeviceKind::Token | DeviceKind::Console => name,
        };
        let devices = signed.cooperative.devices().into_iter();
        let devices: HashMap<DeviceId, String> =
            devices.map(|(id, record, _)| (id, named(record.kind, record.name))).collect();
        let mut labels: HashMap<String, usize> = HashMap::new();
        for label in devices.values() {
            let count = labels.entry(label.clone()).or_default();
            *count = count.saturating_add(1);
        }
        let cooperative = Arc::clone(&signed.cooperative);
        let (namesakes, namesakes_in_village) = (HashMap::new(), HashMap::new());
        let households = HashMap::new();
        let locale = signed.locale;
        Ok(Self {
            locale,
            catalogue,
            places,
            products,
            villages,
            devices,
            labels,
            households,
            namesakes,
            namesakes_in_village,
            cooperative,
        })
    }

    /// The same, with the names of all households.
    pub(super) async fn with_households(mut self, signed: &SignedIn) -> Result<Self, Refused> {
        let rows = signed.read(|models| models.household_names()).await?;
        for (id, name, village) in rows {
            let count = self.namesakes.entry(name.clone()).or_default();
            *count = count.saturating_add(1);
            let count = self.namesakes_in_village.entry((name.clone(), village.clone())).or_default();
            *count = count.saturating_add(1);
            self.households.insert(id, (name, village));
        }
        Ok(self)
    }

    /// A household's name; with its village where two have one name, and with the end of its id where that is the same too.
    pub(super) fn household_of(&self, id: HouseholdId) -> String {
        let Some((name, village)) = self.households.get(&id) else {
            return self.household("", id);
        };
        if name.is_empty() {
            return self.household("", id);
        }
        let alike = |count: Option<&usize>| count.is_some_and(|count| *count > 1);
        let in_village = alike(self.namesakes_in_village.get(&(name.clone(), village.clone())));
        match (alike(self.namesakes.get(name)), in_village) {
            (false, _) => name.clone(),
            (true, false) => format!("{name} · {}", self.village_or_none(village)),
            (true, true) => format!("{name} · {} · {}", self.village_or_none(village), short_id(&id.to_string())),
        }
    }

    /// The code of a household's village; empty where it has none.
    pub(super) fn village_code_of(&self, id: HouseholdId) -> &str {
        self.households.get(&id).map_or("", |(_, village)| village)
    }

    /// The name of a household's village; empty where it has none.
    pub(super) fn village_of_household(&self, id: HouseholdId) -> String {
        self.households.get(&id).map_or_else(String::new, |(_, village)| self.village(village))
    }

    /// All households with their names and villages, by their ids; none before [`Names::with_households`].
    pub(super) fn households(&self) -> Vec<(HouseholdId, String, String)> {
        let each = self.households.iter().map(|(id, (name, village))| (*id, name.clone(), village.clone()));
        let mut all: Vec<_> = each.collect();
        all.sort_by_key(|(id, ..)| *id);
        all
    }

    /// A device's label; with the end of its id where two have one label.
    pub(super) fn device(&self, id: DeviceId) -> String {
        let Some(name) = self.devices.get(&id) else { return self.locale.t("somebody") };
        match self.labels.get(name) {
            None | Some(1) => name.clone(),
            Some(_) => format!("{name} · {}", short_id(&id.to_string())),
        }
    }

    /// Who recorded a lot, and that it was for the household where the phone is not its own.
    pub(super) fn recorded_by(&self, lot: &LotId) -> String {
        let device = lot.key().actor().and_then(|actor| self.cooperative.device_of(&actor));
        let Some(device) = device else { return self.locale.t("somebody") };
        let own = Role::Household(lot.household());
        let is_own = |record: DeviceRecord| record.grants.iter().any(|grants| grants.roles.contains(&own));
        match self.cooperative.device(device).is_some_and(is_own) {
            true => self.device(device),
            false => self.locale.with("recorded-for", &[("name", self.device(device))]),
        }
    }

    /// What a device is: its role, and of which household.
    pub(super) fn role(&self, role: &Role) -> String {
        match role {
            Role::Coordinator => self.locale.t("role-coordinator"),
            Role::Packer => self.locale.t("role-packer"),
            Role::Recorder | Role::RecorderFor(_) => self.locale.t("role-recorder"),
            Role::Household(id) => self.locale.with("role-of-household", &[("name", self.household_of(*id))]),
        }
    }

    /// The language that names are in.
    pub(super) fn locale(&self) -> Locale {
        self.locale
    }

    /// Which document, for people.
    pub(super) fn document(&self, key: &DocumentKey) -> String {
        let kind = self.locale.of("document", key.kind().name());
        match key {
            DocumentKey::Cooperative(_) | DocumentKey::Catalogue(_) => kind,
            DocumentKey::Household(id) => format!("{kind} · {}", self.household_of(*id)),
            DocumentKey::HarvestBook(book) | DocumentKey::ReceiptBook(book) | DocumentKey::CaseBook(book) => {
                format!("{kind} · {} · {}", self.household_of(book.household), book.season.year())
            }
            DocumentKey::Order(name) | DocumentKey::Receiver(name) if name.shop.is_empty() => {
                format!("{kind} · {} {}", name.platform, name.outside_id)
            }
            DocumentKey::Order(name) | DocumentKey::Receiver(name) => {
                format!("{kind} · {} · {} {}", name.platform, name.shop, name.outside_id)
            }
            DocumentKey::StockBook(month) => format!("{kind} · {month}"),
            DocumentKey::Stream(code) => format!("{kind} · {code}"),
        }
    }

    /// The catalogue, once it has products.
    pub(super) fn known_catalogue(&self) -> Option<&Catalogue> {
        Some(&self.catalogue).filter(|catalogue| !catalogue.products.is_empty())
    }

    /// A product's name.
    pub(super) fn product(&self, code: &str) -> String {
        self.products.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// A household's name as a list gives it; of one that was erased, or that nobody has named, what stands in its place.
    pub(super) fn household(&self, name: &str, id: HouseholdId) -> String {
        if !name.is_empty() {
            return name.to_owned();
        }
        if self.cooperative.is_erased(&DocumentKey::Household(id)) {
            let short: String = id.to_string().chars().take(ERASED_LETTERS).collect();
            return self.locale.with("erased-person", &[("id", short)]);
        }
        self.locale.with("household-unknown", &[("id", short_id(&id.to_string()))])
    }

    /// A village's name, or that there is none.
    pub(super) fn village_or_none(&self, code: &str) -> String {
        if code.is_empty() { self.locale.t("no-village") } else { self.village(code) }
    }

    /// A village's name.
    pub(super) fn village(&self, code: &str) -> String {
        self.villages.get(code).cloned().unwrap_or_else(|| code.to_owned())
    }

    /// For which villages a recorder records.
    pub(super) fn records_for<'a>(&self, villages: impl IntoIterator<Item = &'a String>) -> String {
        self.locale.with("records-for", &[("villages", self.villages_of(villages))])
    }

    /// The names of villages, one behind the other.
    pub(super) fn villages_of<'a>(&self, villages: impl IntoIterator<Item = &'a String>) -> String {
        let villages: Vec<String> = villages.into_iter().map(|code| self.village(code)).collect();
        villages.join(&self.locale.t("list-comma"))
    }

    /// The codes and names of all villages, by name.
    pub(super) fn all_villages(&self) -> Vec<(String, String)> {
        let mut all: Vec<_> = self.villages.iter().map(|(code, name)| (code.clone(), name.clone())).collect();
        all.sort_by(|left, right| left.1.cmp(&right.1));
        all
    }

    /// A village as an import reads it: its name, or its code where another one has that name.
    pub(super) fn village_to_read(&self, code: &str) -> String {
        let name = self.village(code);
        if self.villages.values().filter(|other| **other == name).nth(1).is_some() { code.to_owned() } else { name }
    }

    /// Codes and names of all products.
    pub(super) fn products(&self) -> &BTreeMap<String, String> {
        &self.products
    }

    /// As [`Self::products`], for a field to choose from.
    pub(super) fn product_choices(&self) -> impl Iterator<Item = (&str, String)> {
        self.products.iter().map(|(code, name)| (code.as_str(), name.clone()))
    }

    /// As [`Self::villages`], for a field to choose from; the first says `none`.
    pub(super) fn village_choices<'a>(&'a self, none: &'a str) -> impl Iterator<Item = (&'a str, String)> {
        let none = std::iter::once(("", none.to_owned()));
        none.chain(self.villages.iter().map(|(code, name)| (code.as_str(), name.clone())))
    }

    /// Codes and names of all villages.
    pub(super) fn villages(&self) -> &BTreeMap<String, String> {
        &self.villages
    }

    /// The names of products whose codes stand with commas between.
    pub(super) fn products_of(&self, codes: &str) -> String {
        codes.split(", ").map(|code| self.product(code)).collect::<Vec<_>>().join(", ")
    }

    /// The name of an actor's device.
    pub(super) fn author(&self, actor: Option<&ActorId>) -> String {
        let device = actor.and_then(|actor| self.cooperative.device_of(actor));
        let name = device.and_then(|device| self.devices.get(&device).cloned());
        name.unwrap_or_else(|| self.locale.t("somebody"))
    }

    /// A field's value, formatted for people.
    pub(super) fn value(&self, field: &str, value: &str) -> String {
        match field {
            "product" => self.product(value),
            "state" => self.locale.of("state", value),
            "receipt" => super::receipts::words(self.locale, value),
            _ => self.locale.value(field, value),
        }
    }
}
