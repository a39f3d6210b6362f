//! Erasing for good what is about a person: first what would go and what remains, then the erasing. A mark beside the store is
//! durable before anything is erased, so an erasure that a crash cuts off goes on at the next start, and one that is newer
//! than a restored backup is done again.

use std::collections::BTreeSet;
use std::sync::Arc;

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::schema::{DocumentKey, OrderName, household};

use super::Granary;
use super::audit::put_line;
use super::events::Event;
use super::grants::put_device;
use super::invitations::withdraw;
use super::views::forget_in_views;
use crate::access::{AuditAction, Principal};
use crate::error::Error;
use crate::log::{Cooperative, CooperativeNumber, DeviceRecord};

/// Whose documents are erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erasable {
    /// A household's particulars: names, members, how it is paid.
    Household {
        /// The household.
        id: HouseholdId,
        /// Its harvest books and case books too, where notes are; else they stay, with weights and amounts.
        with_books: bool,
    },
    /// Who gets an order, and where it went; the order stays.
    Receiver(OrderName),
}

impl Erasable {
    /// True for a document that goes.
    fn has(&self, key: &DocumentKey) -> bool {
        match (self, key) {
            (Self::Household { id, .. }, DocumentKey::Household(household)) => id == household,
            (
                Self::Household { id, with_books: true },
                DocumentKey::HarvestBook(book) | DocumentKey::CaseBook(book),
            ) => *id == book.household,
            (Self::Receiver(name), DocumentKey::Receiver(other)) => name == other,
            // What the warehouse weighed, and what was ordered, is what was paid for: accounts are kept.
            _ => false,
        }
    }

    /// True for a document that is about the same.
    fn is_about(&self, key: &DocumentKey) -> bool {
        match (self, key) {
            (Self::Household { id, .. }, key) => key.household() == Some(*id),
            (Self::Receiver(name), DocumentKey::Receiver(other) | DocumentKey::Order(other)) => name == other,
            _ => false,
        }
    }

    /// The household whose phones' names go with it.
    fn household(&self) -> BTreeSet<HouseholdId> {
        match self {
            Self::Household { id, .. } => [*id].into(),
            Self::Receiver(_) => BTreeSet::new(),
        }
    }

    /// Its name in the audit: ids alone.
    fn line(&self) -> String {
        match self {
            Self::Household { id, with_books: true } => format!("household:{id} with-books"),
            Self::Household { id, with_books: false } => format!("household:{id}"),
            Self::Receiver(name) => format!("buyer:{name}"),
        }
    }
}

/// What an erasure takes, and what it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasurePlan {
    /// The documents that go, with the number of their changes.
    pub documents: Vec<(DocumentKey, u64)>,
    /// The phones whose names go, with whether they may still act.
    pub phones: Vec<(DeviceId, bool)>,
    /// The documents about the same that stay.
    pub remaining: Vec<DocumentKey>,
    /// Advances that stand in a document that goes: accounts must have them elsewhere.
    pub advances: u64,
}

/// The name of a phone or person whose name was erased: the mark of its id.
pub(super) fn erased_name(device: DeviceId) -> String {
    format!("erased-{}", device.to_string().chars().take(8).collect::<String>())
}

/// True for a phone that was ever this household's.
fn is_phone_of(record: &DeviceRecord, households: &BTreeSet<HouseholdId>) -> bool {
    let of = |role: &Role| matches!(role, Role::Household(household) if households.contains(household));
    !record.is_of_the_server() && record.grants.iter().any(|grants| grants.roles.iter().any(of))
}

/// The phones of these households that have a name of their own.
fn phones_with_names(cooperative: &Cooperative, households: &BTreeSet<HouseholdId>) -> Vec<(DeviceId, DeviceRecord)> {
    let devices = cooperative.devices().into_iter().map(|(device, record, _)| (device, record));
    devices.filter(|(device, it)| is_phone_of(it, households) && it.name != erased_name(*device)).collect()
}

/// The households among documents.
fn households(keys: &[DocumentKey]) -> BTreeSet<HouseholdId> {
    let household = |key: &DocumentKey| match key {
        DocumentKey::Household(household) => Some(*household),
        _ => None,
    };
    keys.iter().filter_map(household).collect()
}

impl Granary {
    /// What an erasure would take, and what it would leave. Fails with [`Error::NotFound`] where there is nothing to erase.
    pub fn plan_erasure(&self, number: CooperativeNumber, what: &Erasable) -> Result<ErasurePlan, Error> {
        let cooperative = self.cooperative(number)?;
        let (mut documents, mut remaining, mut advances) = (Vec::new(), Vec::new(), 0u64);
        for key in cooperative.documents().into_iter().filter(|key| what.is_about(key)) {
            if cooperative.is_erased(&key) {
                continue;
            }
            if !what.has(&key) {
                remaining.push(key);
                continue;
            }
            let changes = self.changes_of(number, &key)?.len() as u64;
            if let (DocumentKey::Household(_), Some(document)) = (&key, self.document(number, &key)?) {
                advances = household::read(&document).advances.len() as u64;
            }
            documents.push((key, changes));
        }
        // A household that nobody named yet has no particulars, but its phones have names.
        let devices = phones_with_names(&cooperative, &what.household()).into_iter();
        let phones: Vec<_> = devices.map(|(device, record)| (device, record.revoked_millis.is_none())).collect();
        if documents.is_empty() && phones.is_empty() {
            return Err(Error::NotFound { what: "document that can be erased", name: what.line() });
        }
        Ok(ErasurePlan { documents, phones, remaining, advances })
    }

    /// Erases for good: every change of these documents goes out of the log, the lists and later backups, and phones forget
    /// them at their next sync. The audit keeps ids.
    pub fn erase(
        &self,
        by: Principal,
        number: CooperativeNumber,
        what: &Erasable,
        now: Instant,
    ) -> Result<ErasurePlan, Error> {
        let cooperative = self.cooperative(number)?;
        by.must_coordinate(&cooperative)?;
        let plan = self.plan_erasure(number, what)?;
        let of = what.household();
        // The household's own mark stands for its phones and invitations too, also where no document of it ever came.
        let own = of.iter().map(|id| DocumentKey::Household(*id)).filter(|key| !cooperative.is_erased(key));
        let keys: BTreeSet<_> = plan.documents.iter().map(|(key, _)| key.clone()).chain(own).collect();
        let keys: Vec<DocumentKey> = keys.into_iter().collect();
        self.erasure_marks.note(cooperative.id(), &keys, now.0)?;
        self.erase_documents(&cooperative, (&keys, of), (&by.id(), what.line()), now)?;
        Ok(plan)
    }

    /// Forgets who got these orders, as the server does by itself when their time is over. The audit says how many.
    pub(crate) fn forget_receivers(
        &self,
        cooperative: &Arc<Cooperative>,
        orders: Vec<OrderName>,
        now: Instant,
    ) -> Result<(), Error> {
        let keys: Vec<DocumentKey> = orders.into_iter().map(DocumentKey::Receiver).collect();
        self.erasure_marks.note(cooperative.id(), &keys, now.0)?;
        let line = format!("receivers:{}", keys.len());
        self.erase_documents(cooperative, (&keys, BTreeSet::new()), ("server", line), now)
    }

    /// Erases what the marks say was erased, where an older store was put in place or an erasure was cut off.
    pub(super) fn erase_to_marks(&self) -> Result<(), Error> {
        let now = crate::environment::now();
        for cooperative in self.cooperatives() {
            let marked = self.erasure_marks.of(cooperative.id());
            let left: Vec<DocumentKey> = marked.iter().filter(|key| !cooperative.is_erased(key)).cloned().collect();
            let of = households(&marked);
            self.erase_names_again(&cooperative)?;
            if left.is_empty() && phones_with_names(&cooperative, &of).is_empty() {
                continue;
            }
            tracing::warn!(
                cooperative = cooperative.number().0,
                documents = left.len(),
                "erased again: an older store has them"
            );
            let operator = Principal::Operator.id();
            let line = (operator.as_str(), "again, by its marks".to_owned());
            self.erase_documents(&cooperative, (&left, of), line, now)?;
        }
        Ok(())
    }

    /// True for a household that was erased for good.
    pub(super) fn is_erased_household(&self, cooperative: &Cooperative, household: HouseholdId) -> bool {
        self.erasure_marks.of(cooperative.id()).contains(&DocumentKey::Household(household))
    }

    /// The name that a phone comes under, or comes back under by its certificate.
    pub(super) fn name_after_erasure(
        &self,
        cooperative: &Cooperative,
        device: DeviceId,
        record: &DeviceRecord,
    ) -> String {
        let is_erased = self.erasure_marks.has_device(cooperative.id(), device)
            || is_phone_of(record, &households(&self.erasure_marks.of(cooperative.id())));
        match is_erased {
            true => erased_name(device),
            false => record.name.clone(),
        }
    }

    fn erase_documents(
        &self,
        cooperative: &Arc<Cooperative>,
        (keys, of): (&[DocumentKey], BTreeSet<HouseholdId>),
        (who, line): (&str, String),
        now: Instant,
    ) -> Result<(), Error> {
        let mut names: Vec<String> = of.iter().map(ToString::to_string).collect();
        for key in keys.iter().filter(|key| matches!(key, DocumentKey::Household(_))) {
            // Of a damaged document the names are not known.
            if let Ok(Some(document)) = self.document(cooperative.number(), key) {
                let read = household::read(&document);
                names.extend(read.name.into_iter().filter(|name| !name.is_empty()));
            }
        }
        let views = self.view_rows(cooperative.number())?;
        let (target, going) = (Arc::clone(cooperative), keys.to_vec());
        let numbers = self.write(move |group| {
            Ok(going.iter().filter_map(|key| target.begin_erasure(group, key)).collect::<Vec<_>>())
        })?;
        let entries = cooperative.entries_of(self.store(), &numbers)?;
        let invitations = self.invitations_of(cooperative.number(), &of)?;
        let (target, erased, who) = (Arc::clone(cooperative), numbers.clone(), who.to_owned());
        let (metas, changed) = self.write(move |group| {
            let metas = target.erase(group, &erased, &entries, now.0)?;
            let mut changed = Vec::new();
            for (device, record) in phones_with_names(&target, &of) {
                let name = erased_name(device);
                put_device(&target, group, device, DeviceRecord { name, ..record });
                changed.push(device);
            }
            for stored in invitations {
                withdraw(&target, group, stored, now)?;
            }
            views.into_iter().try_for_each(|row| forget_in_views(group, row, &names))?;
            put_line(&target, group, now, &who, AuditAction::Erased, &line);
            Ok((metas, changed))
        })?;
        cooperative.finish_erasure(metas);
        for number in numbers {
            self.documents.drop_erased(cooperative, number);
        }
        self.read_models(cooperative.number())?.forget(keys)?;
        for key in keys {
            self.subscriptions().admitted(cooperative.number(), key);
            self.events().publish(Event::Admitted { cooperative: cooperative.number(), key: key.clone() });
        }
        self.events().publish(Event::ReadModelsUpdated { cooperative: cooperative.number() });
        self.access_changed(cooperative.number(), &changed)
    }
}
