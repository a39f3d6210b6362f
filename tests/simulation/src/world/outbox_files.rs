//! Outbox files: exported by phones, imported by the server later.

use std::collections::BTreeMap;

use granary_client_core::ids::HouseholdId;
use granary_client_core::protocol::outbox_file::OutboxFile;
use granary_client_core::quantities::Instant;
use granary_server::Error;
use granary_server::access::Denied;

use super::{World, settle};
use crate::dice::Dice;

/// A phone's outbox file, and the lots in it that the server must get.
pub(super) struct ExportedFile {
    phone: usize,
    file: OutboxFile,
    lots: BTreeMap<String, HouseholdId>,
}

impl World {
    /// Exports a phone's outbox.
    pub(crate) fn export_outbox(&mut self, phone: usize) -> Result<(), String> {
        let key = self.server()?.outbox_file_key().clone();
        let dice = Dice::new(self.dice.roll(u64::MAX));
        let one = &self.phones[phone];
        let Some(file) = one.export_outbox(&key, dice)? else { return Ok(()) };
        let is_sure = !one.grant_was_changed && !one.was_ever_damaged;
        let lots = if is_sure { one.recorded.clone() } else { BTreeMap::new() };
        self.outbox_files.push(ExportedFile { phone, file, lots });
        self.count("outbox exported as a file");
        Ok(())
    }

    /// Imports the files, latest first. Some are imported once more later.
    pub(crate) fn import_outbox_files(&mut self) -> Result<(), String> {
        for exported in std::mem::take(&mut self.outbox_files).into_iter().rev() {
            let (now, coops) = (Instant(self.now), self.coops.clone());
            let server = self.server()?;
            let imported = server.import_outbox_file(&exported.file, |_| Ok(()), now);
            settle(server, &coops);
            let one = &self.phones[exported.phone];
            match imported {
                Ok(()) => {
                    // What a revoked phone wrote is set aside until a coordinator decides.
                    let is_sure = !one.grant_was_changed && !one.is_revoked && !self.was_restored();
                    let lots = exported.lots.iter().filter(|_| is_sure);
                    self.imported.extend(lots.map(|(note, household)| (one.coop, note.clone(), *household)));
                    self.count("outbox file imported");
                }
                Err(Error::Denied(Denied::Revoked)) => {}
                Err(_) if self.disk.has_stopped() || self.disk.was_full() => {
                    self.crash_server();
                    self.outbox_files.push(exported);
                    continue;
                }
                Err(error) => return Err(format!("an outbox file was refused: {error}")),
            }
            self.revoke_again()?;
            self.grant_again()?;
            if self.dice.percent(30) {
                self.outbox_files.push(exported);
            }
        }
        Ok(())
    }
}
