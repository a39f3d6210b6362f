//! What the operator does: backups and restorations, grants and revocations, and what is said again after them.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_server::Error;

use super::World;

impl World {
    pub(crate) fn was_restored(&self) -> bool {
        self.restorations > 0
    }

    /// How often the server was restored.
    pub(crate) fn restorations(&self) -> u32 {
        self.restorations
    }

    pub(crate) fn backs_up(&mut self) {
        self.backups.push(self.disk.backup());
    }

    /// The server's store is replaced by an older one. The operator says again who was revoked.
    pub(crate) fn is_restored(&mut self) -> Result<(), String> {
        if self.backups.is_empty() {
            return Ok(());
        }
        let which = usize::try_from(self.dice.roll(self.backups.len() as u64)).unwrap();
        self.server = None;
        self.disk = self.backups[which].backup();
        self.restorations += 1;
        self.count("server set back to a backup");
        let (revoked, granted, now) = (self.revoked.clone(), self.granted.clone(), Instant(self.now));
        let server = self.server()?;
        for (number, device) in revoked {
            // A device that this store never knew is refused anyway, until it shows its certificate.
            let _ = server.revoke("operator", number, device, now);
        }
        for (device, (number, role)) in granted {
            let _ = server.grant("operator", number, device, &[role], now);
        }
        self.finds_holders_of_console_edits()
    }

    /// What a phone may do is changed.
    pub(crate) fn grants_otherwise(&mut self, phone: usize, role: Role) -> Result<(), String> {
        let (number, device, now) = (self.coops[self.phones[phone].coop], self.phones[phone].device, Instant(self.now));
        match self.server()?.grant("operator", number, device, &[role], now) {
            Ok(()) => {
                self.granted.insert(device, (number, role));
                self.count("device granted otherwise");
                for other in self.phones.iter_mut().filter(|other| other.device == device) {
                    other.role = role;
                    other.was_granted_otherwise = true;
                }
                Ok(())
            }
            Err(Error::NotFound { .. } | Error::Stopping) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn revokes(&mut self, phone: usize) -> Result<(), String> {
        let (number, device, now) = (self.coops[self.phones[phone].coop], self.phones[phone].device, Instant(self.now));
        match self.server()?.revoke("operator", number, device, now) {
            Ok(()) => {
                self.revoked.push((number, device));
                self.count("device revoked");
                // A copy of it is the same device.
                for other in &mut self.phones {
                    other.is_revoked |= other.device == device;
                }
                Ok(())
            }
            Err(Error::NotFound { .. } | Error::Stopping) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The operator grants again what the server has lost of it. It may stop over that; then it is said once more
    /// when everything heals.
    pub(crate) fn say_again_what_is_granted(&mut self) -> Result<(), String> {
        let (granted, now) = (self.granted.clone(), Instant(self.now));
        let server = self.server()?;
        for (device, (number, role)) in granted {
            let is_lost =
                server.cooperative(number).ok().and_then(|cooperative| cooperative.device(device)).is_some_and(
                    |record| record.revoked_millis.is_none() && !record.grants_now().roles.contains(&role),
                );
            if is_lost {
                let _ = server.grant("operator", number, device, &[role], now);
            }
        }
        Ok(())
    }

    pub(crate) fn say_again_who_is_revoked(&mut self) -> Result<(), String> {
        let (revoked, now) = (self.revoked.clone(), Instant(self.now));
        let server = self.server()?;
        for (number, device) in revoked {
            let active = server
                .cooperative(number)
                .ok()
                .and_then(|cooperative| cooperative.device(device))
                .is_some_and(|record| record.revoked_millis.is_none());
            if active {
                let _ = server.revoke("operator", number, device, now);
            }
        }
        Ok(())
    }
}
