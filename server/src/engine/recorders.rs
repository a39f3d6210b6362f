//! Whom phones are told by name that may not read how a household is paid.
//!
//! Packers: whoever weighs in. They are told every household, as its card says it, so that the person at the scale calls people by
//! name; their roles stay as they were given.
//!
//! Recorders: whoever records for the households of some villages. Permission follows from a document's key alone, so the villages
//! that stand in a recorder's record are spelled out as roles, one for each household that is in them now. That is done whenever the
//! recorder's phone speaks, before anything that it sent is taken: nothing has to be caught up with after a start, and a repeat finds
//! nothing to do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use granary_client_core::ids::DeviceId;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::{Grants, ListedHousehold, Role};
use granary_client_core::schema::{DocumentKey, Part, cooperative, household};
use granary_client_core::store::StoreFault;
use granary_client_core::words::Phrase;
use ring::digest::{Context, SHA256};

use super::Granary;
use super::audit::put_line;
use super::grants::{put_device, version_after};
use crate::access::{AuditAction, Invitation, Principal};
use crate::error::Error;
use crate::log::keys::DocumentNumber;
use crate::log::{Cooperative, CooperativeNumber, DeviceRecord};

/// Earlier grants of a recorder that are kept, to tell what its phone could read before. A phone that acts on still earlier ones is
/// sent everything again.
const EARLIER_KEPT: usize = 4;

const WHICH_VILLAGES: Phrase =
    Phrase::new("villages", "a recorder needs a village: give one at least", "记录员要有负责的村：请至少给出一个村");
const NO_SUCH_VILLAGE: Phrase = Phrase::new(
    "village",
    "the co-operative has no village of this name or code; add it first",
    "合作社没有叫这个名称或代码的村；请先添加",
);

/// A household as its document had it at a position of the log.
struct Placed {
    position: u64,
    listed: ListedHousehold,
}

/// In which village each household is, read again where its document has changed.
#[derive(Default)]
pub(super) struct Villages(Mutex<HashMap<CooperativeNumber, BTreeMap<DocumentNumber, Placed>>>);

/// A code over the names that a phone is told.
fn code_of(listed: &[ListedHousehold]) -> u64 {
    let mut context = Context::new(&SHA256);
    for ListedHousehold { household, name, village } in listed {
        context.update(household.as_bytes());
        for text in [name, village] {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
    }
    let digest = context.finish();
    digest.as_ref().iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}

impl Granary {
    /// The households that a device is told by name: a packer all of them, a recorder those of its villages, others none.
    pub(crate) fn listed_for(
        &self,
        cooperative: &Cooperative,
        record: &DeviceRecord,
    ) -> Result<Vec<ListedHousehold>, Error> {
        let roles = record.grants_now().roles;
        if !is_told_names(&roles) {
            return Ok(Vec::new());
        }
        let is_packer = roles.contains(&Role::Packer);
        let mut all = self.villages.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(cooperative.number()).or_default();
        let mut listed = Vec::new();
        let is_theirs = |one: &&ListedHousehold| is_packer || record.recorder.villages.contains(&one.village);
        for (number, key, position) in cooperative.document_positions() {
            let DocumentKey::Household(household) = key else { continue };
            if position == 0 || cooperative.is_erased(&key) {
                known.remove(&number);
                continue;
            }
            if known.get(&number).is_none_or(|placed| placed.position != position) {
                let document = match self.loaded().get(cooperative, number) {
                    Ok(document) => document,
                    // It must not keep the phone from the others; what was last known of it stays true.
                    Err(fault @ StoreFault::Damaged(_)) => {
                        tracing::error!(cooperative = cooperative.number().0, %fault, "a household's village can't be read");
                        listed.extend(known.get(&number).map(|placed| &placed.listed).filter(is_theirs).cloned());
                        continue;
                    }
                    Err(fault) => return Err(fault.into()),
                };
                let read = household::read(&document);
                let (name, village) = (read.name.unwrap_or_default(), read.village.unwrap_or_default());
                known.insert(number, Placed { position, listed: ListedHousehold { household, name, village } });
            }
            listed.extend(known.get(&number).map(|placed| &placed.listed).filter(is_theirs).cloned());
        }
        listed.sort();
        Ok(listed)
    }

    /// For how many households each recorder records now.
    pub(crate) fn recorders(&self, number: CooperativeNumber) -> Result<BTreeMap<DeviceId, usize>, Error> {
        let cooperative = self.cooperative(number)?;
        let recorders = cooperative.devices().into_iter().filter(|(_, record, _)| record.grants_now().is_recorder());
        let theirs = |record: &DeviceRecord| {
            let listed = self.listed_for(&cooperative, record)?;
            Ok::<_, Error>(listed.iter().filter(|one| record.recorder.villages.contains(&one.village)).count())
        };
        recorders.map(|(id, record, _)| Ok((id, theirs(&record)?))).collect()
    }

    /// Grants a recorder the books of the households that are in its villages now, and of no others, and has a packer's or a recorder's
    /// phone told whoever is named otherwise by now. Nothing happens where all that is so already, or for other devices.
    pub(crate) fn renew_listed(
        &self,
        cooperative: &Arc<Cooperative>,
        device: DeviceId,
        now: Instant,
    ) -> Result<(), Error> {
        let Some(record) = cooperative.device(device) else { return Ok(()) };
        let villages = record.recorder.villages.clone();
        let listed = self.listed_for(cooperative, &record)?;
        let names = code_of(&listed);
        let theirs = listed.iter().filter(|one| villages.contains(&one.village));
        let wanted: BTreeSet<Role> = theirs.map(|one| Role::RecorderFor(one.household)).collect();
        if is_current(&record, &wanted, names) {
            return Ok(());
        }
        let target = Arc::clone(cooperative);
        let changed = self.write(move |group| {
            // As it is by now: another request may have done the same, or a coordinator has changed the villages.
            let Some(mut record) = target.device(device) else { return Ok(false) };
            if is_current(&record, &wanted, names) || record.recorder.villages != villages {
                return Ok(false);
            }
            let last = record.grants.last().cloned().unwrap_or_default();
            let before: BTreeSet<Role> = last.roles.iter().copied().filter(|role| role.is_derived()).collect();
            let given = last.roles.iter().copied().filter(|role| !role.is_derived());
            let roles: BTreeSet<Role> = given.chain(wanted.iter().copied()).collect();
            record.grants.push(Grants { version: version_after(last.version, &roles), roles });
            let old = record.grants.len().saturating_sub(EARLIER_KEPT);
            record.grants.drain(..old);
            record.recorder.names = names;
            put_device(&target, group, device, record);
            if before != wanted {
                let (more, fewer) = (wanted.difference(&before).count(), before.difference(&wanted).count());
                let detail = format!("{device}: recorder for {} households, {more} more, {fewer} fewer", wanted.len());
                let who = Cooperative::server_device(target.id()).to_string();
                put_line(&target, group, now, &who, AuditAction::Granted, &detail);
            }
            Ok(true)
        })?;
        if changed { self.access_changed(cooperative.number(), &[device]) } else { Ok(()) }
    }

    /// The codes of villages that are given by name or code, at least one.
    pub fn villages_named(&self, number: CooperativeNumber, names: &[String]) -> Result<BTreeSet<String>, Error> {
        let parts = self.parts(number, &DocumentKey::Cooperative(Part::FIRST))?;
        let known = cooperative::read_parts(&parts).villages;
        let code_of = |name: &String| {
            let found = known.iter().find(|(code, _)| code == name.trim());
            let found = found.or_else(|| known.iter().find(|(_, called)| called == name.trim()));
            found.map(|(code, _)| code.clone()).ok_or_else(|| Error::invalid("village", NO_SUCH_VILLAGE))
        };
        let villages = names.iter().map(code_of).collect::<Result<BTreeSet<_>, _>>()?;
        if villages.is_empty() { Err(Error::invalid("village", WHICH_VILLAGES)) } else { Ok(villages) }
    }

    /// Invites a recorder for these villages, by name or code. See [`Self::invite_as`].
    pub fn invite_recorder(
        &self,
        by: Principal,
        number: CooperativeNumber,
        villages: &[String],
        hours: u32,
        now: Instant,
    ) -> Result<Invitation, Error> {
        let villages = self.villages_named(number, villages)?;
        self.invite_for(by, number, (Role::Recorder, villages), None, hours, now)
    }

    /// Makes a device a recorder for these villages, by name or code, and nothing else. See [`Self::grant`].
    pub fn grant_recorder(
        &self,
        by: Principal,
        number: CooperativeNumber,
        device: DeviceId,
        villages: &[String],
        now: Instant,
    ) -> Result<(), Error> {
        let villages = self.villages_named(number, villages)?;
        self.grant_with(by, number, device, &[Role::Recorder], Some(villages), now)
    }

    /// Changes the villages of a recorder, by name or code; what else it is stays.
    pub fn change_villages(
        &self,
        by: Principal,
        number: CooperativeNumber,
        device: DeviceId,
        villages: &[String],
        now: Instant,
    ) -> Result<(), Error> {
        let villages = self.villages_named(number, villages)?;
        let record = self.cooperative(number)?.device(device);
        let roles = record.map(|record| record.grants_now().roles).unwrap_or_default();
        if !roles.contains(&Role::Recorder) {
            return Err(Error::NotFound { what: "recorder", name: device.to_string() });
        }
        self.grant_with(by, number, device, &Vec::from_iter(roles), Some(villages), now)
    }

    /// The names of villages by their codes, for people; a code where there is no name.
    pub fn village_names(&self, number: CooperativeNumber, villages: &BTreeSet<String>) -> Result<Vec<String>, Error> {
        let parts = self.parts(number, &DocumentKey::Cooperative(Part::FIRST))?;
        let known: BTreeMap<String, String> = cooperative::read_parts(&parts).villages.into_iter().collect();
        Ok(villages.iter().map(|code| known.get(code).unwrap_or(code).clone()).collect())
    }
}

/// True for who must know households by name and may not read their particulars.
fn is_told_names(roles: &BTreeSet<Role>) -> bool {
    !roles.contains(&Role::Coordinator) && (roles.contains(&Role::Recorder) || roles.contains(&Role::Packer))
}

/// True where a recorder has the roles that follow from its villages, and the phone was told these names; also for a device that is
/// told none.
fn is_current(record: &DeviceRecord, wanted: &BTreeSet<Role>, names: u64) -> bool {
    let roles = record.grants_now().roles;
    let is_derived = |role: &&Role| role.is_derived();
    !is_told_names(&roles) || (record.recorder.names == names && roles.iter().filter(is_derived).eq(wanted))
}

/// What stands in an audit line of roles: what was given, with the villages of a recorder.
pub(super) fn words_of(roles: &BTreeSet<Role>, villages: &BTreeSet<String>) -> String {
    let given = roles.iter().filter(|role| !role.is_derived()).map(|role| match role {
        Role::Recorder => format!("recorder of {}", villages.iter().cloned().collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    });
    given.collect::<Vec<_>>().join(" ")
}

/// The error where a role can't be given as it is: a recorder without villages, or what the server derives itself.
pub(super) fn must_be_givable(roles: &BTreeSet<Role>, villages: &BTreeSet<String>) -> Result<(), Error> {
    let has_villages = !roles.contains(&Role::Recorder) || !villages.is_empty();
    if has_villages { Ok(()) } else { Err(Error::invalid("village", WHICH_VILLAGES)) }
}
