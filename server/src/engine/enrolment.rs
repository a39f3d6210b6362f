//! Creating co-operatives, enrolling and reinstating. Each is one job of the writer, so it is durable when it is
//! acknowledged, and ordered with all other writes.

use std::collections::BTreeSet;
use std::sync::Arc;

use granary_client_core::ids::{CooperativeId, DeviceId};
use granary_client_core::protocol::enrolment::{EnrolReply, EnrolRequest, InvitationPreview};
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::{Instant, TextField, checked_text};
use granary_client_core::schema::access::{Grants, Role};
use granary_client_core::schema::{DocumentKey, Part, cooperative, household};

use super::Granary;
use super::audit::put_line;
use super::grants::version_after;
use super::invitations::invitation_key;
use super::recorders::words_of;
use crate::access::standing::{Credential, Deed, may_act};
use crate::access::{AuditAction, Denied, InvitationRecord, InvitationState, InvitationUse};
use crate::error::{Error, unknown_device};
use crate::log::keys::{GLOBAL, LogEvent, device_key, key};
use crate::log::{Cooperative, CooperativeNumber, CooperativeRecord, DeviceKind, DeviceRecord, RecorderRecord};

fn bad_invitation(detail: &str) -> Error {
    Error::refused(ProblemKind::BadInvitation, detail)
}

/// The refusal of an invitation that is not open, if it is not.
fn must_be_open(state: InvitationState) -> Result<(), Error> {
    let what = match state {
        InvitationState::Open => return Ok(()),
        InvitationState::Withdrawn | InvitationState::Void => "was withdrawn",
        InvitationState::Expired => "is too old",
        InvitationState::Used => "was used already",
    };
    Err(bad_invitation(&format!("this invitation {what}; ask your co-operative for a new one")))
}

impl Granary {
    /// Creates a co-operative with its own document.
    pub fn create_cooperative(&self, name: &str, now: Instant) -> Result<CooperativeNumber, Error> {
        let name = checked_text(TextField::CooperativeName, name)?;
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
            generation: 0,
            person: None,
            recorder: RecorderRecord::default(),
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

    fn invitation(&self, code: &str) -> Result<(Vec<u8>, InvitationRecord), Error> {
        let stored = invitation_key(code);
        let record = self.store().get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
        let unknown = || bad_invitation("this invitation is not known; ask your co-operative for a new one");
        Ok((stored, record.ok_or_else(unknown)?))
    }

    /// What an invitation is for, while it can be used.
    pub fn preview(&self, code: &str, now: Instant) -> Result<InvitationPreview, Error> {
        let (_, record) = self.invitation(code)?;
        let cooperative = self.cooperative(record.cooperative)?;
        must_be_open(record.state(&cooperative, now))?;
        let cooperative_name = cooperative.name().to_owned();
        let whose = match record.role {
            Role::Household(id) => {
                let document = self.document(cooperative.number(), &DocumentKey::Household(id))?;
                document.and_then(|document| household::read(&document).name)
            }
            Role::Recorder => Some(self.village_names(cooperative.number(), &record.villages)?.join("、")),
            Role::Packer | Role::Coordinator | Role::RecorderFor(_) => {
                record.person.and_then(|person| cooperative.device(person)).map(|record| record.name)
            }
        };
        Ok(InvitationPreview { cooperative_name, role: record.role, whose: whose.unwrap_or_default() })
    }

    /// Enrols a phone by an invitation. The same phone may repeat the request when the reply was lost.
    pub fn enrol(&self, request: &EnrolRequest, now: Instant) -> Result<EnrolReply, Error> {
        self.enrol_as(DeviceKind::Phone, request, now)
    }

    /// As [`Self::enrol`], for any kind of device.
    pub(crate) fn enrol_as(&self, kind: DeviceKind, request: &EnrolRequest, now: Instant) -> Result<EnrolReply, Error> {
        let name = checked_text(TextField::PhoneName, &request.name).map_err(Error::malformed)?;
        let (stored, record) = self.invitation(&request.code)?;
        let device = DeviceId::of_public_key(&request.public_key);
        let cooperative = self.cooperative(record.cooperative)?;
        // A device is looked up by its id alone, so a key is of one co-operative, and an id of one key.
        let elsewhere = self.cooperative_of(device).filter(|other| {
            let same_key = other.device(device).is_some_and(|known| known.public_key == request.public_key);
            other.number() != record.cooperative || !same_key
        });
        if elsewhere.is_some() {
            return Err(bad_invitation(
                "this phone's key belongs to another co-operative of this server; leave that one first",
            ));
        }
        if let Some(used) = &record.used
            && used.public_key.as_slice() == request.public_key
        {
            return self.enrolled(&cooperative, device, now);
        }
        // A revoked phone that is invited again belongs again, under its old id.
        let before = cooperative.device(device);
        if before.as_ref().is_some_and(|before| before.revoked_millis.is_none()) {
            return Err(bad_invitation("this phone belongs to the co-operative already"));
        }
        let mut new = DeviceRecord {
            public_key: request.public_key,
            kind,
            name,
            grants: before.as_ref().map(|before| before.grants.clone()).unwrap_or_default(),
            enrolled_millis: now.0,
            revoked_millis: None,
            generation: before.map_or(0, |before| before.generation),
            person: record.person,
            recorder: RecorderRecord::of(record.villages.clone()),
        };
        new.name = self.name_after_erasure(&cooperative, device, &new);
        // What it is now stands above what it was, also above a mark that is newer than the store.
        if let Some(mark) = self.access_marks().of(cooperative.id(), device) {
            mark.raise(&mut new);
            new.revoked_millis = None;
        }
        let roles: BTreeSet<Role> = [record.role].into();
        let roles_given = roles.clone();
        let version = new.grants.last().map_or(1, |last| version_after(last.version, &roles));
        new.grants.push(Grants { version, roles });
        let line = words_of(&roles_given, &record.villages);
        let public_key = serde_bytes::ByteBuf::from(request.public_key.to_vec());
        let target = Arc::clone(&cooperative);
        // Decided in the writer's job: of two phones with one code only one enrols, and none after its maker was ended.
        let state = self.write(move |group| {
            let bytes = group.get(&stored)?;
            let found = bytes.and_then(|bytes| read_message::<InvitationRecord>(&bytes).ok());
            // Read above, so it is there; a fault of one row must not stop the writer.
            let Some(mut record) = found else { return Ok(InvitationState::Void) };
            match record.state(&target, now) {
                // A revoked phone that is invited again belongs again.
                InvitationState::Open if target.device(device).is_none_or(|record| record.revoked_millis.is_some()) => {
                }
                // The phone is there already: this invitation does not enrol it again.
                InvitationState::Open => return Ok(InvitationState::Used),
                state => return Ok(state),
            }
            record.used = Some(InvitationUse { public_key, at_millis: now.0 });
            group.put_visible(stored, write_message(&record));
            group.put(key(GLOBAL, b'D', device.as_bytes()), target.number().0.to_be_bytes().to_vec());
            group.put(device_key(target.number(), device), write_message(&new));
            target.append_event(group, LogEvent::Access { device, grants_version: version });
            target.set_device(device, new);
            put_line(&target, group, now, &device.to_string(), AuditAction::Enrolled, &line);
            Ok(InvitationState::Open)
        })?;
        must_be_open(state)?;
        self.remember_device(device, record.cooperative);
        self.access_changed(record.cooperative, &[device])?;
        self.enrolled(&cooperative, device, now)
    }

    fn enrolled(&self, cooperative: &Cooperative, device: DeviceId, now: Instant) -> Result<EnrolReply, Error> {
        let record = may_act(cooperative, device, Credential::Own, Deed::Sync)?;
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
        match may_act(&cooperative, device, Credential::Own, Deed::Sync) {
            // What the store knows of a device stands above what its certificate once said.
            Ok(_) => return Ok(()),
            Err(Denied::Unknown) => {}
            Err(denied) => return Err(denied.into()),
        }
        // A coordinator's phone comes back only while its person stands.
        if let Some(person) = record.person {
            may_act(&cooperative, person, Credential::Own, Deed::Coordinate)?;
        }
        // A certificate says what the device was once granted; its mark says what became of that.
        if let Some(mark) = self.access_marks().of(cooperative_id, device) {
            mark.raise(&mut record);
        }
        if record.revoked_millis.is_some() {
            return Err(Denied::Revoked.into());
        }
        record.enrolled_millis = now.0;
        record.name = self.name_after_erasure(&cooperative, device, &record);
        let version = record.grants.last().map_or(0, |grants| grants.version);
        let target = Arc::clone(&cooperative);
        self.write(move |group| {
            // Of two requests with one certificate, the second finds the device as it is by now.
            if target.device(device).is_some() {
                return Ok(());
            }
            group.put(key(GLOBAL, b'D', device.as_bytes()), target.number().0.to_be_bytes().to_vec());
            group.put(device_key(target.number(), device), write_message(&record));
            target.append_event(group, LogEvent::Access { device, grants_version: version });
            target.set_device(device, record);
            let who = device.to_string();
            put_line(&target, group, now, &who, AuditAction::Reinstated, "by-certificate");
            Ok(())
        })?;
        self.remember_device(device, cooperative.number());
        Ok(())
    }
}
