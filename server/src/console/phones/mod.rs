//! Phones: whose each is, when it last synced, what waits on it; inviting and revoking.

mod actions;
mod line;
mod list;

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::schema::access::Role;

pub(super) use self::actions::{VILLAGES, change_villages, in_one_word, invite, revoke, take_back};
pub(super) use self::line::table;
pub(super) use self::list::show;
use crate::log::{DeviceRecord, LastSeen};

/// A phone, as the co-operative knows it.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    pub(super) id: DeviceId,
    pub(super) record: DeviceRecord,
    /// Its last request; none before the first.
    pub(super) seen: Option<LastSeen>,
}

impl Phone {
    pub(super) fn is_active(&self) -> bool {
        self.record.revoked_millis.is_none()
    }

    /// The household that it is, or was, a phone of.
    pub(super) fn household(&self) -> Option<HouseholdId> {
        self.record.last_roles().into_iter().find_map(|role| match role {
            Role::Household(household) => Some(household),
            _ => None,
        })
    }
}
