//! Creating co-operatives, inviting, enrolling, granting and revoking. Each is one job of the writer, so it is durable
//! when it is acknowledged, and ordered with all other writes.

use std::collections::BTreeSet;
use std::sync::Arc;

use granary_client_core::ids::{CooperativeId, DeviceId};
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest, InvitationPreview};
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::{Instant, checked_text};
use granary_client_core::schema::access::{Grants, Role};
use granary_client_core::schema::{DocumentKey, Part, cooperative};
use ring::digest::{SHA256, digest};

use super::Granary;
use super::events::Event;
use crate::access::{AuditAction, Invitation, InvitationRecord, new_code, normal_code};
use crate::error::{Error, unknown_device};
use crate::log::keys::{GLOBAL, LogEvent, device_key, key};
use crate::log::{Cooperative, CooperativeNumber, CooperativeRecord, DeviceKind, DeviceRecord};

fn invitation_key(code: &str) -> Vec<u8> {
    key(GLOBAL, b'I', digest(&SHA256, normal_code(code).as_bytes()).as_ref())
}

fn bad_invitation(detail: &str) -> Error {
    Error::refused(ProblemKind::BadInvitation, detail)
}

impl Granary {
    /// Creates a co-operative with its own document.
    pub fn create_cooperative(&self, name: &str, now: Instant) -> Result<CooperativeNumber, Error> {
        let name = checked_text("a co-operative's name", name, 120)?;
        let millis = u64::try_from(now.0).unwrap_or(0);
        let id = CooperativeId::generate(millis, self.random()?);
        let number = CooperativeNumber(
            self.cooperatives().iter().map(|cooperative| cooperative.number().0).max().unwrap_or(0).saturating_add(1),
        );
        let record = CooperativeRecord { id, name: name.clone(), created_millis: now.0 };
        let server_device = Cooperative::server_device(id);
        let device = DeviceRecord {
            public_key: self.random()?,
            kind: DeviceKind::Server,
            name: "server".into(),
            grants: vec![Grants { version: 1, roles: [Role::Coordinator].into() }],
            enrolled_millis: now.0,
            revoked_millis: None,
        };
        let record_bytes = write_message(&record);
        let device_bytes = write_message(&device);
        self.write(move |group| {
            group.put(key(GLOBAL, b'C', &number.0.to_be_bytes()), record_bytes);
            group.put(device_key(number, server_device), device_bytes);
            Ok(())
        })?;
        self.open_cooperative(number, record)?;
        self.edit(number, &DocumentKey::Cooperative(Part::FIRST), now, move |document| {
            cooperative::set_name(document, &name)
        })?;
        Ok(number)
    }

    /// Creates an invitation that works once, for `hours`.
    pub fn invite(&self, number: CooperativeNumber, role: Role, hours: u32, now: Instant) -> Result<Invitation, Error> {
        self.invite_as("operator", number, role, hours, now)
    }

    /// As [`Self::invite`], with the inviting person for the audit log.
    pub fn invite_as(
        &self,
        who: &str,
        number: CooperativeNumber,
        role: Role,
        hours: u32,
        now: Instant,
    ) -> Result<Invitation, Error> {
        self.cooperative(number)?;
        let code = new_code(self.random()?);
        let expires_millis = now.plus_millis(u64::from(hours).saturating_mul(3_600_000)).0;
        let record = InvitationRecord { cooperative: number, role, expires_millis, used_by: None };
        let stored = invitation_key(&code);
        self.write(move |group| {
            group.put(stored, write_message(&record));
            Ok(())
        })?;
        self.audit(number, now, who, AuditAction::Invited, &role.to_string())?;
        Ok(Invitation { code, expires_millis })
    }

    fn invitation(&self, code: &str) -> Result<(Vec<u8>, InvitationRecord), Error> {
        let stored = invitation_key(code);
        let record = self.store().get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
        let unknown = || bad_invitation("this invitation is not known; ask your co-operative for a new one");
        Ok((stored, record.ok_or_else(unknown)?))
    }

    /// What an invitation is for, while it can be used.
    pub fn preview(&self, code: &str, now: Instant) -> Result<InvitationPreview, Error> {
        let (_, record) = self.invitation(code)?;
        if record.used_by.is_some() {
            return Err(bad_invitation("this invitation was used already; ask your co-operative for a new one"));
        }
        if record.expires_millis < now.0 {
            return Err(bad_invitation("this invitation is too old; ask your co-operative for a new one"));
        }
        let cooperative_name = self.cooperative(record.cooperative)?.name().to_owned();
        Ok(InvitationPreview { cooperative_name, role: record.role })
    }

    /// Enrols a phone by an invitation. The same phone may repeat the request when the reply was lost.
    pub fn enrol(&self, request: &EnrolRequest, now: Instant) -> Result<EnrolReply, Error> {
        self.enrol_as(DeviceKind::Phone, request, now)
    }

    /// As [`Self::enrol`], for any kind of device.
    pub(crate) fn enrol_as(&self, kind: DeviceKind, request: &EnrolRequest, now: Instant) -> Result<EnrolReply, Error> {
        let refuse = bad_invitation;
        let name = checked_text("a phone's name", &request.name, 64).map_err(Error::malformed)?;
        let (stored, record) = self.invitation(&request.code)?;
        let device = DeviceId::of_public_key(&request.public_key);
        let cooperative = self.cooperative(record.cooperative)?;
        // A device is looked up by its id alone, so a key is of one co-operative, and an id of one key.
        let elsewhere = self.cooperative_of(device).filter(|other| {
            let same_key = other.device(device).is_some_and(|known| known.public_key == request.public_key);
            other.number() != record.cooperative || !same_key
        });
        if elsewhere.is_some() {
            return Err(refuse(
                "this phone's key belongs to another co-operative of this server; leave that one first",
            ));
        }
        match &record.used_by {
            Some(key) if key.as_slice() == request.public_key => return self.enrolled(&cooperative, device, now),
            Some(_) => return Err(refuse("this invitation was used already; ask your co-operative for a new one")),
            None if record.expires_millis < now.0 => {
                return Err(refuse("this invitation is too old; ask your co-operative for a new one"));
            }
            None => {}
        }
        let grants = Grants { version: 1, roles: [record.role].into() };
        let new = DeviceRecord {
            public_key: request.public_key,
            kind,
            name,
            grants: vec![grants],
            enrolled_millis: now.0,
            revoked_millis: None,
        };
        let used =
            InvitationRecord { used_by: Some(serde_bytes::ByteBuf::from(request.public_key.to_vec())), ..record };
        let target = Arc::clone(&cooperative);
        let is_enrolled = self.write(move |group| {
            // Checked again in the writer's job: of two phones with one code, only one enrols.
            let still_free = group
                .get(&stored)?
                .and_then(|bytes| read_message::<InvitationRecord>(&bytes).ok())
                .is_some_and(|record| record.used_by.is_none());
            if !still_free || target.device(device).is_some() {
                return Ok(false);
            }
            group.put_visible(stored, write_message(&used));
            group.put(key(GLOBAL, b'D', device.as_bytes()), target.number().0.to_be_bytes().to_vec());
            group.put(device_key(target.number(), device), write_message(&new));
            target.append_event(group, LogEvent::Access { device, grants_version: 1 });
            target.set_device(device, new);
            Ok(true)
        })?;
        if !is_enrolled {
            return Err(refuse("this invitation was used already; ask your co-operative for a new one"));
        }
        self.remember_device(device, record.cooperative);
        self.audit(record.cooperative, now, &device.to_string(), AuditAction::Enrolled, &record.role.to_string())?;
        self.enrolled(&cooperative, device, now)
    }

    fn enrolled(&self, cooperative: &Cooperative, device: DeviceId, now: Instant) -> Result<EnrolReply, Error> {
        let record = cooperative.device(device).ok_or_else(unknown_device)?;
        record.must_be_active()?;
        Ok(EnrolReply {
            cooperative: cooperative.id(),
            cooperative_name: cooperative.name().to_owned(),
            grants: record.grants_now(),
            certificate: self.identity().certify(cooperative.id(), &record),
            server_key: self.identity().server_key().0,
            told_seconds: now.seconds(),
        })
    }

    /// Reinstates a device that this store has lost, as after a restoration, by its enrolment certificate.
    pub fn reinstate(&self, certificate: &[u8], now: Instant) -> Result<(), Error> {
        let (cooperative_id, mut record) = self
            .identity()
            .read_certificate(certificate)
            .ok_or_else(|| Error::refused(ProblemKind::BadSignature, "this certificate is not of this server"))?;
        let cooperative = self
            .cooperatives()
            .into_iter()
            .find(|cooperative| cooperative.id() == cooperative_id)
            .ok_or_else(unknown_device)?;
        let device = DeviceId::of_public_key(&record.public_key);
        if cooperative.device(device).is_some() {
            return Ok(());
        }
        record.enrolled_millis = now.0;
        let version = record.grants_now().version;
        let target = Arc::clone(&cooperative);
        self.write(move |group| {
            group.put(key(GLOBAL, b'D', device.as_bytes()), target.number().0.to_be_bytes().to_vec());
            group.put(device_key(target.number(), device), write_message(&record));
            target.append_event(group, LogEvent::Access { device, grants_version: version });
            target.set_device(device, record);
            Ok(())
        })?;
        self.remember_device(device, cooperative.number());
        self.audit(cooperative.number(), now, &device.to_string(), AuditAction::Reinstated, "by its certificate")
    }

    /// Changes the grants of a device. At its next sync the phone gets the documents that it may read now and drops
    /// those that it may not.
    pub fn grant(
        &self,
        who: &str,
        number: CooperativeNumber,
        device: DeviceId,
        roles: &[Role],
        now: Instant,
    ) -> Result<(), Error> {
        self.not_the_servers_own(number, device)?;
        let words: Vec<String> = roles.iter().map(Role::to_string).collect();
        self.audit(number, now, who, AuditAction::Granted, &format!("{device}: {}", words.join(" ")))?;
        let roles = roles.iter().copied().collect();
        self.change_device(number, device, move |record| {
            let version = version_after(record.grants.last().map_or(0, |grants| grants.version), &roles);
            record.grants.push(Grants { version, roles });
        })
    }

    /// Revokes a device at once. Its earlier changes stay, attributed to it.
    pub fn revoke(&self, who: &str, number: CooperativeNumber, device: DeviceId, now: Instant) -> Result<(), Error> {
        self.not_the_servers_own(number, device)?;
        self.audit(number, now, who, AuditAction::Revoked, &device.to_string())?;
        self.change_device(number, device, move |record| {
            record.revoked_millis.get_or_insert(now.0);
        })
    }

    fn not_the_servers_own(&self, number: CooperativeNumber, device: DeviceId) -> Result<(), Error> {
        let own = device == Cooperative::server_device(self.cooperative(number)?.id());
        if own { Err(Error::Protected { what: "the server's own replica" }) } else { Ok(()) }
    }

    fn change_device(
        &self,
        number: CooperativeNumber,
        device: DeviceId,
        change: impl FnOnce(&mut DeviceRecord) + Send + 'static,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let found = self.write(move |group| {
            let Some(mut record) = cooperative.device(device) else { return Ok(false) };
            change(&mut record);
            group.put(device_key(number, device), write_message(&record));
            let grants_version = record.grants.last().map_or(0, |grants| grants.version);
            cooperative.append_event(group, LogEvent::Access { device, grants_version });
            cooperative.set_device(device, record);
            Ok(true)
        })?;
        if let Some(grants) = self.cooperative(number)?.device(device).map(|record| record.grants_now()) {
            self.subscriptions().granted(number, device, &grants);
        }
        self.events().publish(Event::AccessChanged { device });
        if found { Ok(()) } else { Err(Error::NotFound { what: "device", name: device.to_string() }) }
    }
}

/// The version of new grants: above the last one, with twelve bits of the roles' checksum at its end. A restored store
/// can give out a number again that phones know with other roles; the checksum makes the versions differ.
fn version_after(last: u32, roles: &BTreeSet<Role>) -> u32 {
    const BITS: u32 = 0xfff;
    let words: Vec<String> = roles.iter().map(Role::to_string).collect();
    let checksum = digest(&SHA256, words.join(" ").as_bytes());
    let end = checksum.as_ref().iter().take(2).fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte)) & BITS;
    let least = last.saturating_add(1);
    let version = (least & !BITS) | end;
    if version < least { version.saturating_add(BITS.saturating_add(1)) } else { version }
}
