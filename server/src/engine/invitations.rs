//! Making, listing and withdrawing invitations. The store has a hash of each code, never the code.

use std::collections::BTreeSet;

use granary_client_core::ids::{DeviceId, HouseholdId};
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::store::{Row, StoreFault};
use ring::digest::{SHA256, digest};

use super::Granary;
use super::audit::put_line;
use super::recorders::{must_be_givable, words_of};
use granary_client_core::words::Phrase;

use crate::access::{
    AuditAction, Invitation, InvitationLine, InvitationRecord, InvitationState, Principal, new_code, normal_code,
};
use crate::error::Error;
use crate::log::keys::{GLOBAL, key, rest};
use crate::log::writer::GroupCommit;
use crate::log::{Cooperative, CooperativeNumber};

/// Bytes of a code's hash that name an invitation in lists.
const ID_BYTES: usize = 4;

pub(super) fn invitation_key(code: &str) -> Vec<u8> {
    key(GLOBAL, b'I', digest(&SHA256, normal_code(code).as_bytes()).as_ref())
}

fn id_of(key: &[u8]) -> String {
    crate::environment::hex(rest(key).get(..ID_BYTES).unwrap_or_default())
}

fn line(cooperative: &Cooperative, id: String, record: &InvitationRecord, now: Instant) -> InvitationLine {
    let person = record.person.and_then(|device| cooperative.device(device));
    let device = |key: &[u8]| <[u8; 32]>::try_from(key).ok().map(|key| DeviceId::of_public_key(&key));
    InvitationLine {
        id,
        role: record.role,
        by: record.by.name(cooperative),
        person: person.map(|record| record.name),
        made_millis: record.made_millis,
        expires_millis: record.expires_millis,
        state: record.state(cooperative, now),
        villages: record.villages.iter().cloned().collect(),
        used: record.used.as_ref().and_then(|used| Some((device(&used.public_key)?, used.at_millis))),
    }
}

/// Withdraws an invitation that nobody used or withdrew, as it is now; for jobs of the writer. Gives the state that it was in, and
/// its role; none where it is not there.
pub(super) fn withdraw(
    cooperative: &Cooperative,
    group: &mut GroupCommit<'_>,
    stored: Vec<u8>,
    now: Instant,
) -> Result<Option<(InvitationState, Role)>, StoreFault> {
    let record = group.get(&stored)?.and_then(|bytes| read_message::<InvitationRecord>(&bytes).ok());
    let Some(record) = record else { return Ok(None) };
    let (state, role) = (record.state(cooperative, now), record.role);
    if state != InvitationState::Used && state != InvitationState::Withdrawn {
        group.put_visible(stored, write_message(&InvitationRecord { withdrawn_millis: Some(now.0), ..record }));
    }
    Ok(Some((state, role)))
}

/// How long an invitation may work: one hour to a year.
const HOURS: std::ops::RangeInclusive<u32> = 1..=8_760;

const HOURS_WRONG: Phrase = Phrase::new(
    "hours",
    "an invitation works for 1 to 8760 hours, which is a year",
    "邀请的有效期是 1 到 8760 小时，也就是最多一年",
);
const ERASED: Phrase = Phrase::new(
    "erased",
    "this household was erased for good; begin another with household:new",
    "这一户已永久抹去；请用 household:new 另建一户",
);
const TWO: Phrase =
    Phrase::new("two", "two invitations have this name; give the code", "有两个邀请叫这个名字；请给出邀请码");
const USED: Phrase =
    Phrase::new("used", "it was used already; revoke the phone instead", "它已经用过了；请停用那部手机");

impl Granary {
    /// Creates an invitation by the operator that works once, for `hours`: 1 to 8,760.
    pub fn invite(&self, number: CooperativeNumber, role: Role, hours: u32, now: Instant) -> Result<Invitation, Error> {
        self.invite_as(Principal::Operator, number, role, None, hours, now)
    }

    /// As [`Self::invite`], by whom it says. `person` is the device of the coordinator whose phone it is for, with whom
    /// the phone ends.
    pub fn invite_as(
        &self,
        by: Principal,
        number: CooperativeNumber,
        role: Role,
        person: Option<DeviceId>,
        hours: u32,
        now: Instant,
    ) -> Result<Invitation, Error> {
        self.invite_for(by, number, (role, BTreeSet::new()), person, hours, now)
    }

    /// As [`Self::invite_as`], with the villages of a recorder.
    pub(super) fn invite_for(
        &self,
        by: Principal,
        number: CooperativeNumber,
        role: (Role, BTreeSet<String>),
        person: Option<DeviceId>,
        hours: u32,
        now: Instant,
    ) -> Result<Invitation, Error> {
        let made = self.invite_each(by, number, vec![role], person, hours, now)?;
        made.into_iter().next().ok_or_else(|| Error::invalid("role", ERASED))
    }

    /// As [`Self::invite_as`], an invitation for each of these roles, with the villages of a recorder, in their order: all of them or
    /// none.
    pub(crate) fn invite_each(
        &self,
        by: Principal,
        number: CooperativeNumber,
        roles: Vec<(Role, BTreeSet<String>)>,
        person: Option<DeviceId>,
        hours: u32,
        now: Instant,
    ) -> Result<Vec<Invitation>, Error> {
        if !HOURS.contains(&hours) {
            return Err(Error::invalid("hours", HOURS_WRONG));
        }
        let cooperative = self.cooperative(number)?;
        let expires_millis = now.plus_millis(u64::from(hours).saturating_mul(3_600_000)).0;
        let (mut made, mut rows) = (Vec::with_capacity(roles.len()), Vec::with_capacity(roles.len()));
        for (role, villages) in roles {
            must_be_givable(&[role].into(), &villages)?;
            if let Role::Household(household) = role
                && self.is_erased_household(&cooperative, household)
            {
                return Err(Error::invalid("role", ERASED));
            }
            let line = words_of(&[role].into(), &villages);
            let code = new_code(self.random()?);
            let record = InvitationRecord {
                cooperative: number,
                role,
                expires_millis,
                by,
                person,
                made_millis: now.0,
                used: None,
                withdrawn_millis: None,
                villages,
            };
            rows.push((invitation_key(&code), record, line));
            made.push(Invitation { code, expires_millis });
        }
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            for (stored, record, line) in rows {
                group.put_visible(stored, write_message(&record));
                put_line(&cooperative, group, now, &by.id(), AuditAction::Invited, &line);
            }
            Ok(Ok(()))
        })??;
        Ok(made)
    }

    fn invitation_rows(&self, number: CooperativeNumber) -> Result<Vec<(Vec<u8>, InvitationRecord)>, Error> {
        let read = |row: Row| -> Result<(Vec<u8>, InvitationRecord), StoreFault> {
            let record = row.value.as_deref().and_then(|value| read_message(value).ok());
            record.map(|record| (row.key.clone(), record)).ok_or(StoreFault::Damaged(row.key))
        };
        let rows = self.store().scan_all(&key(GLOBAL, b'I', &[]))?;
        let rows = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().filter(|(_, record)| record.cooperative == number).collect())
    }

    /// The keys of these households' invitations.
    pub(super) fn invitations_of(
        &self,
        number: CooperativeNumber,
        households: &BTreeSet<HouseholdId>,
    ) -> Result<Vec<Vec<u8>>, Error> {
        let is_theirs = |role: &Role| matches!(role, Role::Household(household) if households.contains(household));
        let rows = self.invitation_rows(number)?.into_iter();
        Ok(rows.filter(|(_, record)| is_theirs(&record.role)).map(|(key, _)| key).collect())
    }

    /// All invitations of a co-operative, newest first.
    pub fn invitations(&self, number: CooperativeNumber, now: Instant) -> Result<Vec<InvitationLine>, Error> {
        let cooperative = self.cooperative(number)?;
        let rows = self.invitation_rows(number)?;
        let mut lines: Vec<_> = rows.iter().map(|(key, record)| line(&cooperative, id_of(key), record, now)).collect();
        lines.sort_by(|left, right| (right.made_millis, &right.id).cmp(&(left.made_millis, &left.id)));
        Ok(lines)
    }

    /// Withdraws all open invitations that are chosen; gives how many.
    pub fn withdraw_open(
        &self,
        by: Principal,
        number: CooperativeNumber,
        is_chosen: impl Fn(&InvitationLine) -> bool,
        now: Instant,
    ) -> Result<u64, Error> {
        let cooperative = self.cooperative(number)?;
        let rows = self.invitation_rows(number)?.into_iter();
        let chosen = rows.filter(|(key, record)| {
            let line = line(&cooperative, id_of(key), record, now);
            line.state == InvitationState::Open && is_chosen(&line)
        });
        let chosen: Vec<Vec<u8>> = chosen.map(|(key, _)| key).collect();
        let ended = self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            let mut ended = 0u64;
            for stored in chosen {
                let id = id_of(&stored);
                // One that was used since stays used.
                if let Some((InvitationState::Open, role)) = withdraw(&cooperative, group, stored, now)? {
                    let detail = format!("{id} {role}");
                    put_line(&cooperative, group, now, &by.id(), AuditAction::InvitationWithdrawn, &detail);
                    ended = ended.saturating_add(1);
                }
            }
            Ok(Ok(ended))
        })??;
        Ok(ended)
    }

    /// Withdraws an open invitation: by its id in the list, or by its code.
    pub fn withdraw_invitation(
        &self,
        by: Principal,
        number: CooperativeNumber,
        name: &str,
        now: Instant,
    ) -> Result<(), Error> {
        let missing = || Error::NotFound { what: "invitation", name: name.to_owned() };
        let by_code = invitation_key(name);
        let name = name.trim().to_ascii_lowercase();
        let rows = self.invitation_rows(number)?;
        let mut found = rows.into_iter().map(|(key, _)| key).filter(|key| *key == by_code || id_of(key) == name);
        let stored = found.next().ok_or_else(missing)?;
        if found.next().is_some() {
            return Err(Error::invalid("invitation", TWO));
        }
        let cooperative = self.cooperative(number)?;
        let missing = missing();
        let state = self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(Error::from(denied)));
            }
            let detail = id_of(&stored);
            let found = withdraw(&cooperative, group, stored, now)?;
            let Some((state, role)) = found else { return Ok(Err(missing)) };
            if state != InvitationState::Used && state != InvitationState::Withdrawn {
                let detail = format!("{detail} {role}");
                put_line(&cooperative, group, now, &by.id(), AuditAction::InvitationWithdrawn, &detail);
            }
            Ok(Ok(state))
        })??;
        match state {
            InvitationState::Used => Err(Error::invalid("invitation", USED)),
            _ => Ok(()),
        }
    }
}
