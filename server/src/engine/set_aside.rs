//! What was set aside, for coordinators: listed with its lots, taken in or refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use granary_client_core::crdt::change::VerifiedChange;
use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::aside::AsideReason;
use granary_client_core::protocol::bundle::DocumentChanges;
use granary_client_core::protocol::messages::{RefusalReason, read_message};
use granary_client_core::quantities::Instant;
use granary_client_core::schema::harvest::{self, Lot, LotKey, touched};
use granary_client_core::schema::{Document, DocumentKey, LotId};
use granary_client_core::store::StoreFault;
use granary_client_core::words::Words;

use super::Granary;
use super::audit::put_line;
use super::room::refused;
use crate::access::{AuditAction, Principal};
use crate::error::Error;
use crate::log::keys::quarantine_key;
use crate::log::set_aside::{SetAside, Standing};
use crate::log::{Cooperative, CooperativeNumber, Submitter};

/// Lots of one entry that are shown at most.
const LOTS_MAX: usize = 500;

/// Changes that were set aside and that nobody has decided.
#[derive(Debug, Clone)]
pub struct SetAsideChanges {
    /// Who wrote them.
    pub device: DeviceId,
    /// With the device, their name.
    pub entry: u64,
    /// Of which document.
    pub document: DocumentKey,
    /// When they came.
    pub received: Instant,
    /// Why they were set aside.
    pub reason: AsideReason,
    /// Of what was given back unverified: whose changes they say they are, each once. Empty for a device's own.
    pub in_the_name_of: Vec<DeviceId>,
    /// How many changes.
    pub changes: u64,
    /// Until when they are kept; none before the time was first looked at.
    pub until: Option<Instant>,
    /// The lots that they record or edit, as far as they can be read.
    pub lots: Vec<(LotId, Lot)>,
}

/// What became of changes that were set aside: there is nothing to decide any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Decided {
    /// A coordinator took them in.
    #[error("this is taken in already")]
    TakenIn,
    /// A coordinator refused them.
    #[error("this was refused already")]
    Refused,
    /// Nobody decided in time.
    #[error("the time to decide about this is over; its phone still has it")]
    Dropped,
}

impl Decided {
    fn of(standing: Standing) -> Option<Self> {
        match standing {
            Standing::Open => None,
            Standing::TakenIn | Standing::Gone => Some(Self::TakenIn),
            Standing::Refused => Some(Self::Refused),
            Standing::Dropped => Some(Self::Dropped),
        }
    }
}

impl Words for Decided {
    fn chinese(&self) -> String {
        match self {
            Self::TakenIn => "这些已经收下了",
            Self::Refused => "这些已经拒绝了",
            Self::Dropped => "决定的期限已过；那部手机里还有这些内容",
        }
        .to_owned()
    }
}

/// Why there is nothing to decide about what has this name.
fn not_open(standing: Option<Standing>, (device, entry): (DeviceId, u64)) -> Option<Error> {
    match standing {
        None => Some(unknown(device, entry)),
        Some(standing) => Decided::of(standing).map(Error::Decided),
    }
}

impl SetAsideChanges {
    /// Their name in commands and forms: `DEVICE/ENTRY`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.device, self.entry)
    }

    /// Reads [`Self::name`].
    pub fn parse_name(text: &str) -> Option<(DeviceId, u64)> {
        let (device, entry) = text.split_once('/')?;
        Some((device.parse().ok()?, entry.parse().ok()?))
    }
}

/// Whose changes these say they are.
fn authors(cooperative: &Cooperative, changes: &[VerifiedChange]) -> Vec<DeviceId> {
    let authors = changes.iter().filter_map(|change| cooperative.device_of(&change.record().actor));
    authors.collect::<BTreeSet<DeviceId>>().into_iter().collect()
}

fn unknown(device: DeviceId, entry: u64) -> Error {
    Error::NotFound { what: "changes that were set aside", name: format!("{device}/{entry}") }
}

impl Granary {
    /// How many entries were set aside and wait for a decision. Counted in the store, so it outlasts a restart.
    pub fn count_set_aside(&self, number: CooperativeNumber) -> Result<u64, Error> {
        Ok(self.cooperative(number)?.set_aside(self.store())?.len() as u64)
    }

    /// How many entries of each device were set aside and wait for a decision.
    pub fn set_aside_by_device(&self, number: CooperativeNumber) -> Result<BTreeMap<DeviceId, u64>, Error> {
        let mut counts: BTreeMap<DeviceId, u64> = BTreeMap::new();
        for (device, ..) in self.cooperative(number)?.set_aside(self.store())? {
            let count = counts.entry(device).or_default();
            *count = count.saturating_add(1);
        }
        Ok(counts)
    }

    /// All that was set aside and waits for a decision, oldest first.
    pub fn set_aside(&self, number: CooperativeNumber) -> Result<Vec<SetAsideChanges>, Error> {
        let cooperative = self.cooperative(number)?;
        let mut all = Vec::new();
        for (device, entry, aside) in cooperative.set_aside(self.store())? {
            let Some((_, record, documents)) = cooperative.set_aside_entry(self.store(), device, entry)? else {
                continue;
            };
            for DocumentChanges { key, changes } in documents {
                let own = changes.iter().filter(|change| !change.record().actor.is_genesis()).count() as u64;
                all.push(SetAsideChanges {
                    device,
                    entry,
                    lots: self.lots_in(number, &key, &changes)?,
                    document: key,
                    received: Instant(record.received_millis),
                    reason: aside.reason,
                    in_the_name_of: match aside.is_given_back {
                        true => authors(&cooperative, &changes),
                        false => Vec::new(),
                    },
                    until: aside.until_millis(self.set_aside_kept_millis()).map(Instant),
                    changes: own,
                });
            }
        }
        all.sort_by_key(|aside| (aside.received, aside.entry));
        Ok(all)
    }

    /// The lots that changes of a harvest book record or edit, read with what the document holds.
    fn lots_in(
        &self,
        number: CooperativeNumber,
        key: &DocumentKey,
        changes: &[VerifiedChange],
    ) -> Result<Vec<(LotId, Lot)>, Error> {
        let keys: BTreeSet<LotKey> = changes.iter().flat_map(|change| touched(change.record())).collect();
        let mut document = match self.document(number, key)? {
            Some(document) => document,
            None => Document::new(key.clone())?,
        };
        let fresh: Vec<_> = changes.iter().filter(|change| !document.has(change.hash())).cloned().collect();
        // Changes that can't be applied are listed without lots.
        let Ok(shown) = document.trial(&fresh) else { return Ok(Vec::new()) };
        let lots = keys.into_iter().filter_map(|lot| {
            let read = harvest::lot(&shown, &lot)?;
            Some((LotId::in_book(key, lot)?, read))
        });
        Ok(lots.take(LOTS_MAX).collect())
    }

    /// Takes in what was set aside, as its device wrote it or gave it back: other devices get it, and the device is told nothing more of it.
    /// Fails with [`Error::Decided`] when somebody has decided about it, with [`Error::EditQuarantined`] when it does harm there, and with [`Error::EditRefused`] when it can't be taken
    /// in as it is; then it stays listed.
    pub fn take_in(
        &self,
        by: Principal,
        number: CooperativeNumber,
        (device, entry): (DeviceId, u64),
        now: Instant,
    ) -> Result<(), Error> {
        if !self.has_room() {
            return Err(refused(RefusalReason::NoRoom));
        }
        let cooperative = self.cooperative(number)?;
        // What was decided can be empty by now.
        by.must_coordinate(&cooperative)?;
        let standing = cooperative.standing_of(|row| self.store().get(row), device, entry)?;
        if let Some(why) = not_open(standing, (device, entry)) {
            return Err(why);
        }
        let found = cooperative.set_aside_entry(self.store(), device, entry)?;
        let (aside, _, documents) = found.ok_or_else(|| unknown(device, entry))?;
        let target = Arc::clone(&cooperative);
        let entries = self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&target) {
                return Ok(Err(Error::from(denied)));
            }
            if let Some(why) = not_open(target.standing_of(|row| group.get(row), device, entry)?, (device, entry)) {
                return Ok(Err(why));
            }
            let grants = target.device(device).map(|record| record.grants_now()).unwrap_or_default();
            let submitter =
                Submitter { takes_in: Some(entry), is_vouched: aside.is_given_back, ..Submitter::new(device, grants) };
            let ingested = target.ingest(group, &submitter, documents, now.0)?;
            if let Some(refusal) = ingested.refused.first() {
                return Ok(Err(Error::EditRefused { reason: refusal.reason }));
            }
            target.decide_set_aside(group, device, entry, Standing::TakenIn)?;
            put_line(&target, group, now, &by.id(), AuditAction::TakenIn, &format!("{device}/{entry}"));
            Ok(Ok(ingested.entries))
        })??;
        self.admission.enqueue(&cooperative);
        self.settle(&cooperative);
        for new in entries {
            let row = quarantine_key(number, device, new);
            if let Some(bytes) = self.store().get(&row)? {
                let again: SetAside = read_message(&bytes).map_err(|_| StoreFault::Damaged(row))?;
                if again.standing == Standing::Open {
                    return Err(Error::EditQuarantined { reason: again.reason });
                }
            }
        }
        Ok(())
    }

    /// Refuses what was set aside: it stays out for good.
    pub fn refuse_set_aside(
        &self,
        by: Principal,
        number: CooperativeNumber,
        (device, entry): (DeviceId, u64),
        now: Instant,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(Error::from(denied)));
            }
            if let Some(why) = not_open(cooperative.standing_of(|row| group.get(row), device, entry)?, (device, entry))
            {
                return Ok(Err(why));
            }
            cooperative.decide_set_aside(group, device, entry, Standing::Refused)?;
            put_line(&cooperative, group, now, &by.id(), AuditAction::LeftOut, &format!("{device}/{entry}"));
            Ok(Ok(()))
        })?
    }
}
