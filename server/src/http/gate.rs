//! Rate and memory limits for each device and address, so that no phone delays another.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::problem::ProblemKind;
use granary_client_core::quantities::Instant;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Limits;
use crate::error::Error;

/// Bodies up to this size need no permit: all connections together can't fill the memory with them.
const SMALL_BODY_BYTES: usize = 16 * 1024;
/// Bytes of one permit.
const BODY_UNIT_BYTES: usize = 16 * 1024;

/// A permit for the memory of an incoming body; dropping it gives the permit back.
#[derive(Default)]
pub(crate) struct Held {
    units: usize,
    permit: Option<OwnedSemaphorePermit>,
}

/// Names in a table of buckets; beyond that, full buckets are removed.
const BUCKETS_MAX: usize = 100_000;

/// Token buckets, one for each name.
struct Buckets<N> {
    buckets: HashMap<N, (u64, Instant)>,
    burst_millis: u64,
    cost_millis: u64,
}

impl<N: Hash + Eq> Buckets<N> {
    fn new(burst: u32, cost_millis: u64) -> Self {
        Self { buckets: HashMap::new(), burst_millis: u64::from(burst).saturating_mul(cost_millis), cost_millis }
    }

    /// Takes one token; false when there is none.
    fn take(&mut self, name: N, now: Instant) -> bool {
        if self.buckets.len() >= BUCKETS_MAX {
            let burst = self.burst_millis;
            self.buckets.retain(|_, (left, since)| left.saturating_add(now.millis_since(*since)) < burst);
        }
        let (left, since) = self.buckets.entry(name).or_insert((self.burst_millis, now));
        let filled = left.saturating_add(now.millis_since(*since)).min(self.burst_millis);
        *since = now;
        match filled.checked_sub(self.cost_millis) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => {
                *left = filled;
                false
            }
        }
    }
}

/// Admits requests within the limits, or refuses them as busy.
pub(crate) struct Gate {
    pub(crate) limits: Limits,
    devices: Mutex<Buckets<DeviceId>>,
    outbox_files: Mutex<Buckets<DeviceId>>,
    enrolments: Mutex<Buckets<IpAddr>>,
    /// What holds instead until then, while the operator has opened enrolment.
    open_enrolments: Mutex<Option<(Buckets<IpAddr>, Instant)>>,
    sign_ins: Mutex<Buckets<String>>,
    busy: Mutex<HashMap<DeviceId, ()>>,
    work: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
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

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        let device_cost = 1000 / u64::from(limits.device_per_second.max(1));
        Self {
            limits,
            devices: Mutex::new(Buckets::new(limits.device_burst, device_cost.max(1))),
            outbox_files: Mutex::new(Buckets::new(limits.outbox_file_burst, 1_000)),
            enrolments: Mutex::new(Buckets::new(limits.enrol_burst, 10_000)),
            open_enrolments: Mutex::default(),
            sign_ins: Mutex::new(Buckets::new(limits.sign_in_burst, 20_000)),
            busy: Mutex::default(),
            work: Arc::new(Semaphore::new(limits.at_once)),
            bodies: Arc::new(Semaphore::new(limits.body_bytes / BODY_UNIT_BYTES)),
        }
    }

    /// Admits a device's request: one at a time for each device, within its rate.
    pub(crate) async fn pass(&self, device: DeviceId, now: Instant) -> Result<Pass<'_>, Error> {
        if !self.devices.lock().unwrap_or_else(PoisonError::into_inner).take(device, now) {
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
        match self.outbox_files.lock().unwrap_or_else(PoisonError::into_inner).take(device, now) {
            true => Ok(()),
            false => Err(busy("too many files of this phone came; wait a moment")),
        }
    }

    /// Extends the permit of a body to `length` bytes; refuses when other bodies fill the memory.
    pub(crate) fn hold(&self, held: &mut Held, length: usize) -> Result<(), Error> {
        let units = length.saturating_sub(SMALL_BODY_BYTES).div_ceil(BODY_UNIT_BYTES);
        let more = units.saturating_sub(held.units);
        if more == 0 {
            return Ok(());
        }
        let permits = u32::try_from(more).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.bodies)
            .try_acquire_many_owned(permits)
            .map_err(|_| busy("too much is coming in at once; try again later"))?;
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

    /// Admits an attempt to sign in, within the rates of its account and its address.
    pub(crate) fn sign_in(&self, address: IpAddr, account: &str, now: Instant) -> Result<(), Error> {
        let mut buckets = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        let names = [format!("account {account}"), format!("address {address}")];
        // Takes a token from both, so that neither many accounts nor many addresses evade the rate.
        let free = names.map(|name| buckets.take(name, now));
        if free.iter().all(|free| *free) {
            Ok(())
        } else {
            Err(busy("too many attempts to sign in; wait some minutes"))
        }
    }

    /// Opens enrolment for a day of many phones behind one Wi-Fi: until then each address has so many attempts at once,
    /// and one more every second.
    pub(crate) fn open_enrolment(&self, phones: u32, until: Instant) {
        let open = Some((Buckets::new(phones, 1_000), until));
        *self.open_enrolments.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }

    /// Admits an attempt to enrol.
    pub(crate) fn enrol(&self, address: IpAddr, now: Instant) -> Result<(), Error> {
        let mut open = self.open_enrolments.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|(_, until)| *until <= now) {
            *open = None;
        }
        let is_admitted = match open.as_mut() {
            Some((buckets, _)) => buckets.take(address, now),
            None => self.enrolments.lock().unwrap_or_else(PoisonError::into_inner).take(address, now),
        };
        if is_admitted { Ok(()) } else { Err(busy("too many attempts to enrol from here; wait some minutes")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_share_memory_limit_and_small_ones_bypass_it() {
        let gate = Gate::new(Limits { body_bytes: 1024 * 1024, ..Limits::default() });
        let (mut first, mut second, mut small) = (Held::default(), Held::default(), Held::default());
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
    fn buckets_admit_burst_then_rate() {
        let mut buckets = Buckets::new(3, 100);
        let admitted = (0..5).filter(|_| buckets.take('a', Instant(0))).count();
        assert_eq!(admitted, 3);
        assert!(buckets.take('b', Instant(0)), "another name has its own");
        assert!(!buckets.take('a', Instant(50)));
        assert!(buckets.take('a', Instant(160)));
        assert!(!buckets.take('a', Instant(-900)), "a clock set back gives nothing");
    }
}
