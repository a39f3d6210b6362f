//! What the audit and the activity tell: who did something, to which thing, and in which detail.

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, OrderName};

use super::Names;
use crate::access::AuditAction;

impl Names {
    /// The detail of an audit line: names for roles, devices and documents, words for codes.
    pub(in crate::console) fn detail(&self, action: AuditAction, detail: &str) -> String {
        self.detail_of(action.name(), detail)
    }

    /// As [`Self::detail`], with the action's name.
    pub(in crate::console) fn detail_of(&self, action: &str, detail: &str) -> String {
        match (action, detail.strip_prefix("buyer:").and_then(|order| order.parse::<OrderName>().ok())) {
            ("erased", Some(name)) => self.document(&DocumentKey::Receiver(name)),
            _ => detail.split(' ').map(|word| self.detail_word(word)).collect::<Vec<_>>().join(" "),
        }
    }

    fn detail_word(&self, word: &str) -> String {
        let (bare, colon) = word.strip_suffix(':').map_or((word, ""), |bare| (bare, ":"));
        let said = match (bare.parse::<Role>(), bare.parse::<DeviceId>(), bare.split_once(['/', '.'])) {
            (Ok(role), ..) => self.role(&role),
            (_, Ok(device), _) if self.devices.contains_key(&device) => self.device(device),
            // An entry that was set aside, and a file that was exported.
            (.., Some((device, entry))) if device.parse().is_ok_and(|device| self.devices.contains_key(&device)) => {
                format!("{} · {entry}", device.parse().map(|device| self.device(device)).unwrap_or_default())
            }
            (.., Some((what, form @ ("csv" | "xlsx")))) => {
                format!("{} ({})", self.locale.of("export", what), form.to_uppercase())
            }
            _ => self.locale.of("detail", bare),
        };
        format!("{said}{colon}")
    }

    /// Who the audit says did something: with the name as it is now, where there is one.
    pub(in crate::console) fn doer(&self, who: &str) -> String {
        match who.parse::<DeviceId>() {
            Ok(device) => match self.devices.get(&device) {
                Some(name) => format!("{name} ({who})"),
                None => who.to_owned(),
            },
            Err(_) => self.locale.of("doer", who),
        }
    }

    /// As [`Self::doer`], by the name alone where there is one.
    pub(in crate::console) fn doer_name(&self, who: &str) -> String {
        match who.parse::<DeviceId>() {
            Ok(device) => self.device(device),
            Err(_) => self.locale.of("doer", who),
        }
    }

    /// What the activity names as a thing, with its page where it has one.
    pub(in crate::console) fn thing(&self, thing: &str) -> (String, Option<String>) {
        let (kind, id) = thing.split_once(':').unwrap_or((thing, ""));
        match kind {
            "product" => (self.product(id), Some(format!("/console/catalogue/{id}"))),
            "sku" => (id.to_owned(), Some(crate::console::catalogue::skus::address(id))),
            "stream" => (id.to_owned(), Some(format!("/console/streams/{id}"))),
            "promotion" => {
                let found = self.catalogue.promotions.iter().find(|promotion| promotion.code == id);
                let title = found.and_then(|promotion| promotion.title.clone());
                (title.unwrap_or_else(|| id.to_owned()), Some(format!("/console/promotions/{id}")))
            }
            "household" => match id.parse::<HouseholdId>() {
                Ok(household) => (self.household_of(household), Some(format!("/console/households/{household}"))),
                Err(_) => (id.to_owned(), None),
            },
            "device" => match id.parse::<DeviceId>() {
                Ok(device) => (self.device(device), Some(format!("/console/activity?thing={id}"))),
                Err(_) => (id.to_owned(), None),
            },
            "order" => (id.replacen('/', " ", 1), id.parse().ok().map(|name| crate::console::orders::address(&name))),
            "holding" => match id.parse::<granary_client_core::schema::HoldingId>() {
                Ok(holding) => (holding.code().to_string(), Some(crate::console::stock::holding_address(&holding))),
                Err(_) => (id.to_owned(), None),
            },
            "key" | "webhook" => (id.to_owned(), Some("/console/api".to_owned())),
            "cooperative" => (self.cooperative.name().to_owned(), Some("/console/cooperative".to_owned())),
            _ => (thing.to_owned(), None),
        }
    }

    /// The things of the activity that are called so, or have this id.
    pub(in crate::console) fn things_named(&self, typed: &str) -> Vec<String> {
        let lower = typed.to_lowercase();
        let is_called = |name: &str| name.to_lowercase().contains(&lower);
        let mut things = vec![typed.to_owned()];
        for product in &self.catalogue.products {
            let names = [Some(&product.code), product.name_zh.as_ref(), product.name_en.as_ref()];
            if names.into_iter().flatten().any(|name| is_called(name)) {
                things.push(format!("product:{}", product.code));
            }
        }
        for promotion in &self.catalogue.promotions {
            if is_called(&promotion.code) || promotion.title.as_deref().is_some_and(is_called) {
                things.push(format!("promotion:{}", promotion.code));
            }
        }
        let called = self.households.iter().filter(|(id, (name, _))| is_called(name) || id.to_string() == lower);
        things.extend(called.map(|(id, _)| format!("household:{id}")));
        let called = self.devices.iter().filter(|(id, name)| is_called(name) || id.to_string() == lower);
        things.extend(called.map(|(id, _)| format!("device:{id}")));
        if let Some((platform, outside)) = typed.split_once(['/', ' ']) {
            things.push(format!("order:{platform}/{outside}"));
        }
        if is_called(self.cooperative.name()) {
            things.push("cooperative".to_owned());
        }
        things
    }
}
