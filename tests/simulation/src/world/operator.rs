//! The operator's actions: backups and restorations, grants and revocations, which are repeated after a restoration.

use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_server::Error;
use granary_server::access::Principal;

use super::World;

impl World {
    pub(crate) fn was_restored(&self) -> bool {
        self.restorations > 0
    }

    /// How often the server was restored.
    pub(crate) fn restorations(&self) -> u32 {
        self.restorations
    }

    pub(crate) fn back_up(&mut self) {
        self.backups.push(self.disk.backup());
    }

    /// Replaces the server's store by an older one. The operator repeats revocations and grants.
    pub(crate) fn restore(&mut self) -> Result<(), String> {
        if self.backups.is_empty() {
            return Ok(());
        }
        let which = usize::try_from(self.dice.roll(self.backups.len() as u64)).unwrap();
        self.server = None;
        self.disk = self.backups[which].backup();
        self.trade_was_restored();
        granary_server::log::mark_restored(&self.disk, self.now).map_err(|fault| fault.to_string())?;
        self.restorations += 1;
        self.count("server restored from a backup");
        let (revoked, granted, now) = (self.revoked.clone(), self.granted.clone(), Instant(self.now));
        let server = self.server()?;
        for (number, device) in revoked {
            // This fails for a device that the older store does not know. Such a device is refused until it is reinstated.
            let _ = server.revoke(Principal::Operator, number, device, now);
        }
        for (device, (number, role)) in granted {
            let _ = server.grant(Principal::Operator, number, device, &[role], now);
        }
        self.find_holders_of_console_edits()
    }

    /// A coordinator takes in what phones gave back after a restoration without a proof: nobody forges in these worlds.
    pub(crate) fn take_in_what_was_given_back(&mut self) -> Result<(), String> {
        let now = Instant(self.now);
        for number in self.coops.clone() {
            let server = self.server()?;
            let all = server.set_aside(number).map_err(|error| error.to_string())?;
            let given_back = all.into_iter().filter(|aside| !aside.in_the_name_of.is_empty());
            let mut count = 0u32;
            for aside in given_back {
                match server.take_in(Principal::Operator, number, (aside.device, aside.entry), now) {
                    Ok(()) => count += 1,
                    // What does harm stays set aside.
                    Err(Error::EditRefused { .. } | Error::EditQuarantined { .. }) => {}
                    Err(error) => return Err(error.to_string()),
                }
            }
            (0..count).for_each(|_| self.count("unproven change given back and taken in"));
        }
        Ok(())
    }

    /// Changes a device's grant.
    pub(crate) fn change_grant(&mut self, phone: usize, role: Role) -> Result<(), String> {
        let (number, device, now) = (self.coops[self.phones[phone].coop], self.phones[phone].device, Instant(self.now));
        match self.server()?.grant(Principal::Operator, number, device, &[role], now) {
            Ok(()) => {
                self.granted.insert(device, (number, role));
                self.count("device's grant changed");
                for other in self.phones.iter_mut().filter(|other| other.device == device) {
                    other.role = role;
                    other.grant_was_changed = true;
                }
                Ok(())
            }
            Err(Error::NotFound { .. } | Error::Stopping) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn revoke(&mut self, phone: usize) -> Result<(), String> {
        let (number, device, now) = (self.coops[self.phones[phone].coop], self.phones[phone].device, Instant(self.now));
        match self.server()?.revoke(Principal::Operator, number, device, now) {
            Ok(()) => {
                self.revoked.push((number, device));
                self.count("device revoked");
                // Copies of the phone are the same device.
                for other in &mut self.phones {
                    other.is_revoked |= other.device == device;
                }
                Ok(())
            }
            Err(Error::NotFound { .. } | Error::Stopping) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Grants again what a restoration lost. A fault may interrupt it; recovery repeats it.
    pub(crate) fn grant_again(&mut self) -> Result<(), String> {
        let (granted, now) = (self.granted.clone(), Instant(self.now));
        let server = self.server()?;
        for (device, (number, role)) in granted {
            let is_lost =
                server.cooperative(number).ok().and_then(|cooperative| cooperative.device(device)).is_some_and(
                    |record| record.revoked_millis.is_none() && !record.grants_now().roles.contains(&role),
                );
            if is_lost {
                let _ = server.grant(Principal::Operator, number, device, &[role], now);
            }
        }
        Ok(())
    }

    pub(crate) fn revoke_again(&mut self) -> Result<(), String> {
        let (revoked, now) = (self.revoked.clone(), Instant(self.now));
        let server = self.server()?;
        for (number, device) in revoked {
            let active = server
                .cooperative(number)
                .ok()
                .and_then(|cooperative| cooperative.device(device))
                .is_some_and(|record| record.revoked_millis.is_none());
            if active {
                let _ = server.revoke(Principal::Operator, number, device, now);
            }
        }
        Ok(())
    }
}
