//! Rate and memory limits for each device and address, so that no phone delays another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::limiter::{Limiter, Origin};
use super::places::{Place, Places};
use crate::config::Limits;
use crate::error::Error;

/// Bodies up to this size count to their address alone: all connections together can't fill the memory with them.
const SMALL_BODY_BYTES: usize = 16 * 1024;
/// Bytes of one permit for a large body.
const BODY_UNIT_BYTES: usize = 16 * 1024;
/// Bytes of one place in an address's share.
const SHARE_UNIT_BYTES: usize = 4 * 1024;

/// Permits for the memory of an incoming body of this address; dropping it gives them back.
pub(crate) struct Held {
    origin: Origin,
    share: Option<Place<Origin>>,
    units: usize,
    permit: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// Nothing yet.
    pub(crate) fn by(origin: Origin) -> Self {
        Self { origin, share: None, units: 0, permit: None }
    }
}

/// Admits requests within the limits, or refuses them as busy.
pub(crate) struct Gate {
    pub(crate) limits: Limits,
    devices: Mutex<Limiter>,
    outbox_files: Mutex<Limiter>,
    enrolments: Mutex<Limiter>,
    /// What holds instead until then, while the operator has opened enrolment.
    open_enrolments: Mutex<Option<(Limiter, Instant)>>,
    sign_ins: Mutex<Limiter>,
    busy: Mutex<HashMap<DeviceId, ()>>,
    work: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    body_shares: Arc<Places<Origin>>,
    sockets: Arc<Places<DeviceId>>,
    /// As many passwords are checked at once as there are cores.
    passwords: Arc<Semaphore>,
    passwords_waiting: Arc<Semaphore>,
}

/// A permit to check a password.
pub(crate) struct PasswordPass {
    _waiting: OwnedSemaphorePermit,
    _works: OwnedSemaphorePermit,
}

/// A permit for a device's request while it is processed.
pub(crate) struct Pass<'a> {
    gate: &'a Gate,
    device: DeviceId,
    _work: OwnedSemaphorePermit,
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.gate.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.device);
    }
}

fn busy(detail: &str) -> Error {
    Error::refused(ProblemKind::Busy, detail)
}

fn too_much() -> Error {
    busy("too much is coming in at once; try again later")
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        let device_cost = 1000 / u64::from(limits.device_per_second.max(1));
        Self {
            limits,
            devices: Mutex::new(Limiter::new(limits.device_burst, device_cost.max(1))),
            outbox_files: Mutex::new(Limiter::new(limits.outbox_file_burst, 1_000)),
            enrolments: Mutex::new(Limiter::new(limits.enrol_burst, 10_000)),
            open_enrolments: Mutex::default(),
            sign_ins: Mutex::new(Limiter::new(limits.sign_in_burst, 20_000)),
            busy: Mutex::default(),
            work: Arc::new(Semaphore::new(limits.at_once)),
            bodies: Arc::new(Semaphore::new(limits.body_bytes / BODY_UNIT_BYTES)),
            body_shares: Places::new(limits.body_bytes_per_address / SHARE_UNIT_BYTES, usize::MAX),
            sockets: Places::new(limits.sockets_per_device, limits.connections),
            passwords: Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from))),
            passwords_waiting: Arc::new(Semaphore::new(limits.passwords_waiting)),
        }
    }

    /// Admits a device's request: one at a time for each device, within its rate.
    pub(crate) async fn pass(&self, device: DeviceId, now: Instant) -> Result<Pass<'_>, Error> {
        if !self.devices.lock().unwrap_or_else(PoisonError::into_inner).take(&device, now) {
            return Err(busy("this phone asks too often; wait a moment"));
        }
        if self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(device, ()).is_some() {
            return Err(busy("this phone's last request is still being worked on; wait a moment"));
        }
        match self.room().await {
            Ok(work) => Ok(Pass { gate: self, device, _work: work }),
            Err(error) => {
                self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&device);
                Err(error)
            }
        }
    }

    /// Admits a page of an outbox file. It has a rate of its own, since anyone who has a file can import it again and
    /// again.
    pub(crate) fn outbox_file(&self, device: DeviceId, now: Instant) -> Result<(), Error> {
        match self.outbox_files.lock().unwrap_or_else(PoisonError::into_inner).take(&device, now) {
            true => Ok(()),
            false => Err(busy("too many files of this phone came; wait a moment")),
        }
    }

    /// Extends the permit of a body to `length` bytes; refuses when other bodies fill the memory.
    pub(crate) fn hold(&self, held: &mut Held, length: usize) -> Result<(), Error> {
        let share = match &mut held.share {
            Some(share) => share,
            none => none.insert(self.body_shares.take(held.origin).ok_or_else(too_much)?),
        };
        if !share.grow_to(length.div_ceil(SHARE_UNIT_BYTES)) {
            return Err(too_much());
        }
        let units = length.saturating_sub(SMALL_BODY_BYTES).div_ceil(BODY_UNIT_BYTES);
        let more = units.saturating_sub(held.units);
        if more == 0 {
            return Ok(());
        }
        let permits = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.bodies).try_acquire_many_owned(permits).map_err(|_| too_much())?;
        match &mut held.permit {
            Some(all) => all.merge(permit),
            none => *none = Some(permit),
        }
        held.units = units;
        Ok(())
    }

    /// Waits for a permit to process one more request.
    pub(crate) async fn room(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.work).acquire_owned().await.map_err(|_| Error::Stopping)
    }

    /// A place for one more live socket of a device.
    pub(crate) fn socket(&self, device: DeviceId) -> Result<Place<DeviceId>, Error> {
        self.sockets.take(device).ok_or_else(|| busy("this phone holds too many lines open; close some"))
    }

    /// Waits for a permit to check a password. Each check takes 19 MiB and a core, so few run at once, and the syncs' own
    /// pool is left alone.
    pub(crate) async fn password(&self) -> Result<PasswordPass, Error> {
        let waiting = Arc::clone(&self.passwords_waiting)
            .try_acquire_owned()
            .map_err(|_| busy("too many people sign in at once; try again in a minute"))?;
        let works = Arc::clone(&self.passwords).acquire_owned().await.map_err(|_| Error::Stopping)?;
        Ok(PasswordPass { _waiting: waiting, _works: works })
    }

    /// Admits an attempt to sign in, within the rates of its address and its account. An address that is refused takes
    /// nothing from the account, so a stranger locks nobody out.
    pub(crate) fn sign_in(&self, address: IpAddr, account: &str, now: Instant) -> Result<(), Error> {
        let mut limiter = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        if limiter.take(&("address", Origin::from(address)), now) && limiter.take(&("account", account), now) {
            Ok(())
        } else {
            Err(busy("too many attempts to sign in; wait some minutes"))
        }
    }

    /// Admits an attempt to sign in by a link, within the rate of its address.
    pub(crate) fn link(&self, address: IpAddr, now: Instant) -> Result<(), Error> {
        let mut limiter = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        match limiter.take(&("address", Origin::from(address)), now) {
            true => Ok(()),
            false => Err(busy("too many attempts to sign in; wait some minutes")),
        }
    }

    /// Opens enrolment for a day of many phones behind one Wi-Fi: until then each address has so many attempts at once,
    /// and one more every second.
    pub(crate) fn open_enrolment(&self, phones: u32, until: Instant) {
        let open = Some((Limiter::new(phones, 1_000), until));
        *self.open_enrolments.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }

    /// Admits an attempt to enrol.
    pub(crate) fn enrol(&self, address: IpAddr, now: Instant) -> Result<(), Error> {
        let mut open = self.open_enrolments.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|(_, until)| *until <= now) {
            *open = None;
        }
        let is_admitted = match open.as_mut() {
            Some((limiter, _)) => limiter.take(&Origin::from(address), now),
            None => self.enrolments.lock().unwrap_or_else(PoisonError::into_inner).take(&Origin::from(address), now),
        };
        if is_admitted { Ok(()) } else { Err(busy("too many attempts to enrol from here; wait some minutes")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(last: u8) -> Held {
        Held::by(Origin::Four([192, 0, 2, last]))
    }

    #[test]
    fn large_bodies_share_memory_limit_and_small_ones_bypass_it() {
        let gate = Gate::new(Limits { body_bytes: 1024 * 1024, ..Limits::default() });
        let (mut first, mut second, mut small) = (held(1), held(2), held(3));
        for length in (0..=900 * 1024).step_by(10_000) {
            gate.hold(&mut first, length).unwrap();
        }
        assert!(gate.hold(&mut second, 300 * 1024).is_err());
        gate.hold(&mut small, SMALL_BODY_BYTES).unwrap();
        drop(first);
        gate.hold(&mut second, 300 * 1024).unwrap();
    }

    // On a day of enrolments 40 of 60 phones behind one Wi-Fi came in, and the others one in ten seconds.
    #[test]
    fn opened_enrolment_admits_sixty_phones_behind_one_address() {
        let gate = Gate::new(Limits::default());
        let wifi = IpAddr::from([203, 0, 113, 7]);
        let admitted = |gate: &Gate, now| (0..60).filter(|_| gate.enrol(wifi, Instant(now)).is_ok()).count();
        assert_eq!(admitted(&gate, 0), 40, "as it is without opening");
        gate.open_enrolment(100, Instant(1_000_000));
        assert_eq!(admitted(&gate, 1), 60);
        assert_eq!(admitted(&gate, 2), 40, "an address that goes on and on is held back");
        assert_eq!(admitted(&Gate::new(Limits { enrol_burst: 60, ..Limits::default() }), 0), 60, "by the setting");
        let at_the_end = admitted(&gate, 1_000_001);
        assert!(at_the_end <= 40, "closed again: {at_the_end}");
    }

    #[test]
    fn one_address_fills_its_share_alone() {
        let gate = Gate::new(Limits { body_bytes_per_address: 64 * 1024, ..Limits::default() });
        let mut small: Vec<Held> = (0..16).map(|_| held(1)).collect();
        small.iter_mut().for_each(|held| gate.hold(held, SHARE_UNIT_BYTES).unwrap());
        assert!(gate.hold(&mut held(1), 1).is_err());
        gate.hold(&mut held(2), 60 * 1024).unwrap();
        small.pop();
        gate.hold(&mut held(1), 1).unwrap();
    }

    #[test]
    fn refused_address_takes_nothing_from_the_account() {
        let gate = Gate::new(Limits { sign_in_burst: 3, ..Limits::default() });
        let stranger: IpAddr = "2001:db8:1:2::1".parse().unwrap();
        for last in 0..100u16 {
            // The addresses of one network count as one.
            let address = IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, last]);
            let _ = gate.sign_in(address, "1/wang", Instant(0));
        }
        assert!(gate.sign_in(stranger, "1/another", Instant(0)).is_err());
        for _ in 0..3 {
            let _ = gate.sign_in(stranger, "1/zhang", Instant(0));
        }
        assert!(gate.sign_in("192.0.2.1".parse().unwrap(), "1/zhang", Instant(0)).is_ok());
    }

    #[tokio::test]
    async fn passwords_wait_for_each_other_and_not_without_end() {
        let gate = Arc::new(Gate::new(Limits { passwords_waiting: 3, ..Limits::default() }));
        let cores = gate.passwords.available_permits();
        let all = Arc::clone(&gate.passwords).acquire_many_owned(u32::try_from(cores).unwrap()).await.unwrap();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let gate = Arc::clone(&gate);
                tokio::spawn(async move { gate.password().await.map(drop) })
            })
            .collect();
        while gate.passwords_waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(gate.password().await.is_err(), "no more wait");
        drop(all);
        for waits in waiting {
            waits.await.unwrap().unwrap();
        }
        assert!(gate.password().await.is_ok());
    }
}
