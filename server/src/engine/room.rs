//! The bounds of what the server takes, and the floor of free disk. Below the floor it takes no changes and goes on with
//! everything else: phones read, coordinators sign in and revoke, exports are made.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::messages::{Refusal, RefusalReason};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;

use super::Granary;
use crate::config::Bounds;
use crate::error::Error;
use crate::log::ingest::Ingested;
use crate::log::{Cooperative, Holder, Used, day_of};
use crate::store::free_disk::{DiskFloor, DiskProbe, DiskRoom};

/// Bytes short of a share at which people are told: a page may be larger than what is left.
const NEARLY: u64 = 1024 * 1024;

impl Granary {
    /// The same under these bounds, with this look at the disk of its store.
    pub fn bounded(self, bounds: Bounds, disk: DiskProbe) -> Self {
        Self { bounds, disk: DiskFloor::new(disk, bounds.disk_floor_bytes), ..self }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// True unless the disk is known to have less room than its floor.
    pub fn has_room(&self) -> bool {
        self.disk.is_above()
    }

    /// The disk's room; none when it is not known.
    pub(crate) fn disk_room(&self) -> Option<DiskRoom> {
        self.disk.room()
    }

    /// What a device has used of its share of the disk: bytes today, and in all.
    pub fn used_by_device(&self, cooperative: &Cooperative, device: DeviceId, now: Instant) -> (u64, u64) {
        let used = cooperative.used_by(Holder::Device(device));
        (used.on(day_of(now.0)), used.bytes)
    }

    /// True when a holder is within [`NEARLY`] of its share, of this day or in all.
    fn has_nearly_used(&self, holder: Holder, used: Used, now: Instant) -> bool {
        let share = match holder {
            Holder::Device(_) => self.bounds.device,
            Holder::Household(_) => self.bounds.household,
        };
        used.bytes.saturating_add(NEARLY) > share.bytes
            || used.on(day_of(now.0)).saturating_add(NEARLY) > share.day_bytes
    }

    /// True when a device, or a household that it belongs to, has used its share of the disk but for [`NEARLY`].
    pub fn has_used_share(&self, cooperative: &Cooperative, device: DeviceId, now: Instant) -> bool {
        let roles = cooperative.device(device).map(|record| record.grants_now().roles).unwrap_or_default();
        let households = roles.into_iter().filter_map(|role| match role {
            Role::Household(household) => Some(Holder::Household(household)),
            _ => None,
        });
        let mut holders = households.chain([Holder::Device(device)]);
        holders.any(|holder| self.has_nearly_used(holder, cooperative.used_by(holder), now))
    }

    /// How many devices and households have used their share of the disk but for [`NEARLY`].
    pub(crate) fn count_used_shares(&self, cooperative: &Cooperative, now: Instant) -> u64 {
        let used = cooperative.used_shares();
        used.into_iter().filter(|(holder, used)| self.has_nearly_used(*holder, *used, now)).count() as u64
    }

    /// What becomes of changes that come while there is no room: they wait where they are.
    pub(super) fn without_room(documents: &[DocumentChanges]) -> Ingested {
        tracing::warn!("the disk has less room than its floor: no changes are taken");
        let places = (0u32..).zip(documents).map(|(document, _)| document);
        let refused = places.map(|document| Refusal { document, reason: RefusalReason::NoRoom }).collect();
        Ingested { refused, ..Ingested::default() }
    }
}

/// The refusal of a whole file, or of one deed, for what would refuse its changes.
pub(super) fn refused(reason: RefusalReason) -> Error {
    let kind = match reason {
        RefusalReason::NoRoom => ProblemKind::NoRoom,
        RefusalReason::DayShareUsed | RefusalReason::ShareUsed => ProblemKind::ShareUsed,
        _ => ProblemKind::Busy,
    };
    Error::refused(kind, format!("not everything was taken: {reason}"))
}
