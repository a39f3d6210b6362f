//! Outboxes that leave a phone as a file, and reach the server some day.

use std::collections::BTreeMap;

use granary_client_core::ids::HouseholdId;
use granary_client_core::protocol::outbox_file::OutboxFile;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use granary_server::Error;

use super::{World, settle};
use crate::dice::Dice;

/// A phone's outbox as a file, and the lots in it.
pub(super) struct Carried {
    phone: usize,
    file: OutboxFile,
    lots: BTreeMap<String, HouseholdId>,
}

impl World {
    /// Somebody takes along what a phone has to send.
    pub(crate) fn carries_out(&mut self, phone: usize) -> Result<(), String> {
        let key = self.server()?.outbox_file_key().clone();
        let dice = Dice::new(self.dice.roll(u64::MAX));
        let one = &self.phones[phone];
        let Some(file) = one.carries_out(&key, dice)? else { return Ok(()) };
        let is_sure = !one.was_granted_otherwise && !one.was_ever_damaged;
        let lots = if is_sure { one.recorded.clone() } else { BTreeMap::new() };
        self.carried.push(Carried { phone, file, lots });
        self.count("outbox carried as a file");
        Ok(())
    }

    /// Files are handed in, latest first; some of them will be once more.
    pub(crate) fn files_are_handed_in(&mut self) -> Result<(), String> {
        for carried in std::mem::take(&mut self.carried).into_iter().rev() {
            let (now, coops) = (Instant(self.now), self.coops.clone());
            let server = self.server()?;
            let taken = server.import_outbox_file(&carried.file, |_| Ok(()), now);
            settle(server, &coops);
            let one = &self.phones[carried.phone];
            match taken {
                Ok(()) => {
                    let is_sure = !one.was_granted_otherwise && !self.was_restored();
                    let lots = carried.lots.iter().filter(|_| is_sure);
                    self.handed_in.extend(lots.map(|(note, household)| (one.coop, note.clone(), *household)));
                    self.count("file handed in");
                }
                Err(Error::Refused { kind: ProblemKind::DeviceRevoked, .. }) => {}
                Err(_) if self.disk.has_stopped() || self.disk.was_full() => {
                    self.server_crashes();
                    self.carried.push(carried);
                    continue;
                }
                Err(error) => return Err(format!("a file was refused: {error}")),
            }
            self.say_again_who_is_revoked()?;
            self.say_again_what_is_granted()?;
            if self.dice.percent(30) {
                self.carried.push(carried);
            }
        }
        Ok(())
    }
}
