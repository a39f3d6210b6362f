//! Changing who may do what: granting, revoking. Each is one job of the writer, with its line of
//! the audit log. Ending a person ends their phones and voids what was issued on their behalf.

use std::collections::BTreeSet;

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::write_message;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::{Grants, Role};
use ring::digest::{SHA256, digest};

use super::Granary;
use super::activity::ROLES_CHANGED;
use super::audit::put_line;
use super::erasure::erased_name;
use super::events::Event;
use super::leaving::Names;
use super::recorders::{must_be_givable, words_of};
use crate::access::{AuditAction, Principal};
use crate::error::Error;
use crate::log::keys::{LogEvent, device_key};
use crate::log::writer::GroupCommit;
use crate::log::{Cooperative, CooperativeNumber, DeviceKind, DeviceRecord, RecorderRecord};

impl Granary {
    /// Changes the grants of a device. At its next sync the phone gets the documents that it may read now and drops
    /// those that it may not. With roles, a revoked device belongs again, but no phone of its person. A person who is no coordinator any more is ended, with their coordinators' phones.
    pub fn grant(
        &self,
        by: Principal,
        number: CooperativeNumber,
        device: DeviceId,
        roles: &[Role],
        now: Instant,
    ) -> Result<(), Error> {
        self.grant_with(by, number, device, roles, None, now)
    }

    /// As [`Self::grant`], with the villages of a recorder; it keeps those that it had where none are given.
    pub(super) fn grant_with(
        &self,
        by: Principal,
        number: CooperativeNumber,
        device: DeviceId,
        roles: &[Role],
        villages: Option<BTreeSet<String>>,
        now: Instant,
    ) -> Result<(), Error> {
        self.not_the_servers_own(number, device)?;
        let record = self.cooperative(number)?.device(device);
        let roles: BTreeSet<Role> = roles.iter().copied().filter(|role| !role.is_derived()).collect();
        let villages = match (roles.contains(&Role::Recorder), villages) {
            (false, _) => BTreeSet::new(),
            (true, Some(villages)) => villages,
            (true, None) => record.as_ref().map(|record| record.recorder.villages.clone()).unwrap_or_default(),
        };
        // Its households are found when its phone syncs; a client of another protocol never would.
        if roles.contains(&Role::Recorder) && record.is_some_and(|record| record.kind != DeviceKind::Phone) {
            return Err(Error::invalid("role", ("only a phone can be a recorder's", "只有手机可以给记录员用")));
        }
        must_be_givable(&roles, &villages)?;
        let words = words_of(&roles, &villages);
        let line = (AuditAction::Granted, move |before: Option<&DeviceRecord>| {
            let given = |record: &DeviceRecord| -> BTreeSet<Role> {
                record.grants_now().roles.into_iter().filter(|role| !role.is_derived()).collect()
            };
            let before = before.map(|record| words_of(&given(record), &record.recorder.villages)).unwrap_or_default();
            format!("{device}: {before} {ROLES_CHANGED} {words}")
        });
        self.change_access(by, number, device, now, line, move |record| {
            let last = record.grants.last().cloned().unwrap_or_default();
            let new = Grants { version: version_after(last.version, &roles), roles: roles.clone() };
            if last.is_coordinator() && !new.is_coordinator() {
                record.end_issued();
            }
            // Phones of a person change with their person; one that was revoked for itself stays so.
            if !roles.is_empty() && DeviceId::of_public_key(&record.public_key) == device {
                record.revoked_millis = None;
            }
            record.grants.push(new);
            record.recorder = RecorderRecord::of(villages.clone());
        })
    }

    /// Revokes a device at once; of a person, all their phones too. Earlier changes stay, attributed to their authors.
    pub fn revoke(
        &self,
        by: Principal,
        number: CooperativeNumber,
        device: DeviceId,
        now: Instant,
    ) -> Result<(), Error> {
        self.revoke_with(by, number, device, Names::Kept, now)
    }

    /// As [`Self::revoke`]; with [`Names::Erased`] the mark of its id stands for its name from now on.
    pub fn revoke_with(
        &self,
        by: Principal,
        number: CooperativeNumber,
        device: DeviceId,
        names: Names,
        now: Instant,
    ) -> Result<(), Error> {
        self.not_the_servers_own(number, device)?;
        if names == Names::Erased {
            let cooperative = self.cooperative(number)?;
            by.must_coordinate(&cooperative)?;
            let record = cooperative.device(device);
            let record = record.ok_or_else(|| Error::NotFound { what: "device", name: device.to_string() })?;
            if record.kind == DeviceKind::Console {
                return Err(Error::invalid(
                    "device",
                    (
                        "this is a coordinator: `granary coordinator remove LOGIN --erase`",
                        "这是协调员：请用 `granary coordinator remove LOGIN --erase`",
                    ),
                ));
            }
            self.mark_names_erased(&cooperative, device, now)?;
        }
        let detail = format!("{device}{}", names.in_the_audit());
        let line = (AuditAction::Revoked, move |_: Option<&DeviceRecord>| detail);
        self.change_access(by, number, device, now, line, move |record| end(record, names, now))
    }

    /// Brings the store's devices up to their marks, where an older store was put in place, and marks those that have none.
    pub(super) fn raise_to_marks(&self) -> Result<(), Error> {
        for cooperative in self.cooperatives() {
            let devices = cooperative.devices();
            let id = cooperative.id();
            self.access_marks().note(id, devices.iter().map(|(device, record, _)| (*device, record)))?;
            let raised = devices.into_iter().filter_map(|(device, mut record, _)| {
                let mark = self.access_marks().of(id, device)?;
                mark.raise(&mut record).then_some((device, record))
            });
            let raised: Vec<_> = raised.collect();
            if !raised.is_empty() {
                tracing::warn!(
                    cooperative = cooperative.number().0,
                    devices = raised.len(),
                    "grants and revocations hold that are newer than the store"
                );
                self.write(move |group| {
                    raised.into_iter().for_each(|(device, record)| put_device(&cooperative, group, device, record));
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn not_the_servers_own(&self, number: CooperativeNumber, device: DeviceId) -> Result<(), Error> {
        let own = device == Cooperative::server_device(self.cooperative(number)?.id());
        if own { Err(Error::Protected { what: "the server's own replica" }) } else { Ok(()) }
    }

    fn change_access(
        &self,
        by: Principal,
        number: CooperativeNumber,
        device: DeviceId,
        now: Instant,
        (action, detail): (AuditAction, impl FnOnce(Option<&DeviceRecord>) -> String + Send + 'static),
        change: impl Fn(&mut DeviceRecord) + Send + 'static,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let changed = self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(Error::from(denied)));
            }
            let before = cooperative.device(device);
            let changed = change_with_phones(&cooperative, group, device, change);
            if changed.is_empty() {
                return Ok(Err(Error::NotFound { what: "device", name: device.to_string() }));
            }
            put_line(&cooperative, group, now, &by.id(), action, &detail(before.as_ref()));
            Ok(Ok(changed))
        })??;
        self.access_changed(number, &changed)
    }

    /// Marks what these devices may do now, and tells their live sockets and open pages.
    pub(super) fn access_changed(&self, number: CooperativeNumber, devices: &[DeviceId]) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let records = devices.iter().filter_map(|id| Some((*id, cooperative.device(*id)?))).collect::<Vec<_>>();
        self.access_marks().note(cooperative.id(), records.iter().map(|(id, record)| (*id, record)))?;
        for device in devices {
            match cooperative.device(*device) {
                Some(record) if record.revoked_millis.is_none() => {
                    self.subscriptions().granted(number, *device, &record.grants_now());
                }
                _ => self.subscriptions().ended(number, *device),
            }
            self.events().publish(Event::AccessChanged { device: *device });
        }
        Ok(())
    }
}

/// Ends a device, and its name where that is erased.
pub(super) fn end(record: &mut DeviceRecord, names: Names, now: Instant) {
    record.revoked_millis.get_or_insert(now.0);
    record.end_issued();
    if names == Names::Erased {
        record.name = erased_name(DeviceId::of_public_key(&record.public_key));
    }
}

/// Changes a device and, where it is a person's, the phones of that person that are coordinators. Gives all that were
/// changed; none when there is no such device.
pub(super) fn change_with_phones(
    cooperative: &Cooperative,
    group: &mut GroupCommit<'_>,
    device: DeviceId,
    change: impl Fn(&mut DeviceRecord),
) -> Vec<DeviceId> {
    let is_theirs = |record: &DeviceRecord| record.person == Some(device);
    let all = cooperative.devices().into_iter();
    let concerned = all.filter(|(id, record, _)| *id == device || is_theirs(record));
    let mut changed = Vec::new();
    for (id, mut record, _) in concerned {
        change(&mut record);
        put_device(cooperative, group, id, record);
        changed.push(id);
    }
    changed
}

/// Writes a device's record, with an event in the log by which phones learn of it.
pub(super) fn put_device(
    cooperative: &Cooperative,
    group: &mut GroupCommit<'_>,
    device: DeviceId,
    record: DeviceRecord,
) {
    group.put(device_key(cooperative.number(), device), write_message(&record));
    let grants_version = record.grants.last().map_or(0, |grants| grants.version);
    cooperative.append_event(group, LogEvent::Access { device, grants_version });
    cooperative.set_device(device, record);
}

/// The version of new grants: above the last one, with twelve bits of the roles' checksum at its end. A restored store
/// can give out a number again that phones know with other roles; the checksum makes the versions differ.
pub(super) fn version_after(last: u32, roles: &BTreeSet<Role>) -> u32 {
    const BITS: u32 = 0xfff;
    let words: Vec<String> = roles.iter().map(Role::to_string).collect();
    let checksum = digest(&SHA256, words.join(" ").as_bytes());
    let end = checksum.as_ref().iter().take(2).fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte)) & BITS;
    let least = last.saturating_add(1);
    let version = (least & !BITS) | end;
    if version < least { version.saturating_add(BITS.saturating_add(1)) } else { version }
}
