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
use super::rooms::Rooms;
use crate::access::api_keys::KeyId;
use crate::access::hashing;
use crate::config::Limits;
use crate::error::Error;

/// Bytes of one place among bodies and replies.
const UNIT_BYTES: usize = 4 * 1024;
/// Bytes of a message of automerge-repo for one token of its device's rate: a large one costs as much time as many small ones.
const TOKEN_BYTES: usize = 64 * 1024;

/// Admits requests within the limits, or refuses them as busy.
pub(crate) struct Gate {
    devices: Mutex<Limiter>,
    outbox_files: Mutex<Limiter>,
    enrolments: Mutex<Limiter>,
    /// What holds instead until then, while the operator has opened enrolment.
    open_enrolments: Mutex<Option<(Limiter, Instant)>>,
    /// Requests of each API key.
    api_keys: Mutex<Limiter>,
    /// Requests of each address without a key that works.
    wrong_keys: Mutex<Limiter>,
    sign_ins: Mutex<Limiter>,
    /// Wider than that of an address, so that one address can't use up anybody's.
    accounts: Mutex<Limiter>,
    busy: Mutex<HashMap<DeviceId, ()>>,
    work: Arc<Semaphore>,
    pub(crate) rooms: Rooms,
    replies: Arc<Places<DeviceId>>,
    sockets: Arc<Places<DeviceId>>,
    automerge_sockets: Arc<Places<DeviceId>>,
    automerge_kept: Arc<Places<DeviceId>>,
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

pub(super) fn busy(detail: &str) -> Error {
    Error::refused(ProblemKind::Busy, detail)
}

/// Room for what the open documents of a socket keep, from its device's share.
pub(crate) struct Kept(Place<DeviceId>);

impl Kept {
    /// Room for so many bytes in place of before; false when the device's share is full.
    pub(crate) fn bytes(&self, bytes: usize) -> bool {
        self.0.resize(bytes.div_ceil(UNIT_BYTES).max(1))
    }
}

impl Gate {
    pub(crate) fn new(limits: Limits) -> Self {
        let device_cost = 1000 / u64::from(limits.device_per_second.max(1));
        Self {
            devices: Mutex::new(Limiter::new(limits.device_burst, device_cost.max(1))),
            outbox_files: Mutex::new(Limiter::new(limits.outbox_file_burst, 1_000)),
            enrolments: Mutex::new(Limiter::new(limits.enrol_burst, 10_000)),
            open_enrolments: Mutex::default(),
            api_keys: Mutex::new(Limiter::new(
                limits.api_key_burst,
                (1000 / u64::from(limits.api_key_per_second.max(1))).max(1),
            )),
            wrong_keys: Mutex::new(Limiter::new(limits.wrong_key_burst, 1_000)),
            sign_ins: Mutex::new(Limiter::new(limits.sign_in_burst, 20_000)),
            accounts: Mutex::new(Limiter::new(limits.sign_in_burst.saturating_mul(5), 4_000)),
            busy: Mutex::default(),
            work: Arc::new(Semaphore::new(limits.at_once)),
            rooms: Rooms::new(&limits),
            replies: Places::new(limits.reply_bytes_per_device / UNIT_BYTES, usize::MAX),
            sockets: Places::new(limits.sockets_per_device, limits.connections),
            automerge_sockets: Places::new(limits.automerge_sockets_per_device, limits.connections),
            automerge_kept: Places::new(limits.automerge_bytes_per_device / UNIT_BYTES, usize::MAX),
            passwords: Arc::new(Semaphore::new(hashing::threads_at_most())),
            passwords_waiting: Arc::new(Semaphore::new(limits.passwords_waiting)),
        }
    }

    /// Admits a device's request: one at a time for each device, within its rate.
    pub(crate) async fn pass(&self, device: DeviceId, now: Instant) -> Result<Pass<'_>, Error> {
        self.pass_for(device, 0, now).await
    }

    async fn pass_for(&self, device: DeviceId, more: usize, now: Instant) -> Result<Pass<'_>, Error> {
        let tokens = u32::try_from(more).unwrap_or(u32::MAX).saturating_add(1);
        if !self.devices.lock().unwrap_or_else(PoisonError::into_inner).take_some(&device, tokens, now) {
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

    /// Room for a reply on its way to a device; a device that reads none of its replies gets no more.
    pub(crate) fn reply(&self, device: DeviceId, bytes: usize) -> Result<Place<DeviceId>, Error> {
        let place = self.replies.take(device).filter(|place| place.grow_to(bytes.div_ceil(UNIT_BYTES)));
        place.ok_or_else(|| busy("this phone has not read its last replies yet; wait a moment"))
    }

    /// Waits for a permit to process one more request.
    pub(crate) async fn room(&self) -> Result<OwnedSemaphorePermit, Error> {
        Arc::clone(&self.work).acquire_owned().await.map_err(|_| Error::Stopping)
    }

    /// A place for one more live socket of a device.
    pub(crate) fn socket(&self, device: DeviceId) -> Result<Place<DeviceId>, Error> {
        self.sockets.take(device).ok_or_else(|| busy("this phone holds too many lines open; close some"))
    }

    /// A place for one more socket of automerge-repo, and one for what its open documents keep.
    pub(crate) fn automerge(&self, device: DeviceId) -> Result<(Place<DeviceId>, Kept), Error> {
        let socket = self.automerge_sockets.take(device);
        let places = socket.zip(self.automerge_kept.take(device).map(Kept));
        places.ok_or_else(|| busy("this device holds too many lines or documents open; close some"))
    }

    /// Admits a message of automerge-repo as [`Self::pass`] does a request, by its length.
    pub(crate) async fn pass_of(&self, device: DeviceId, length: usize, now: Instant) -> Result<Pass<'_>, Error> {
        self.pass_for(device, length / TOKEN_BYTES, now).await
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
    /// nothing from the account, and what it may take is a fifth of what the account gets back, so it locks nobody out.
    pub(crate) fn sign_in(&self, address: IpAddr, account: &str, now: Instant) -> Result<(), Error> {
        let mut addresses = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if addresses.take(&Origin::from(address), now) && accounts.take(&account, now) {
            Ok(())
        } else {
            Err(busy("too many attempts to sign in; wait some minutes"))
        }
    }

    /// Admits an attempt to sign in by a link, within the rate of its address.
    pub(crate) fn link(&self, address: IpAddr, now: Instant) -> Result<(), Error> {
        let mut limiter = self.sign_ins.lock().unwrap_or_else(PoisonError::into_inner);
        match limiter.take(&Origin::from(address), now) {
            true => Ok(()),
            false => Err(busy("too many attempts to sign in; wait some minutes")),
        }
    }

    /// Admits a request by an API key, within its rate.
    pub(crate) fn api_key(&self, key: KeyId, now: Instant) -> Result<(), Error> {
        match self.api_keys.lock().unwrap_or_else(PoisonError::into_inner).take(&key, now) {
            true => Ok(()),
            false => Err(busy("this key asks too often; wait a moment")),
        }
    }

    /// Counts a request without a key that works; an error once there are too many of its address.
    pub(crate) fn wrong_key(&self, origin: Origin, now: Instant) -> Result<(), Error> {
        match self.wrong_keys.lock().unwrap_or_else(PoisonError::into_inner).take(&origin, now) {
            true => Ok(()),
            false => Err(busy("too many requests without a key that works; wait a minute")),
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
    fn replies_that_a_device_does_not_read_are_bounded() {
        let gate = Gate::new(Limits { reply_bytes_per_device: 1024 * 1024, ..Limits::default() });
        let (lazy, other) = (DeviceId::from_bytes([1; 8]), DeviceId::from_bytes([2; 8]));
        let unread: Vec<_> = (0..4).map(|_| gate.reply(lazy, 256 * 1024).unwrap()).collect();
        assert!(gate.reply(lazy, 10).is_err());
        assert!(gate.reply(other, 256 * 1024).is_ok());
        drop(unread);
        assert!(gate.reply(lazy, 1024 * 1024).is_ok());
    }

    #[test]
    fn sockets_of_one_token_share_what_their_documents_keep() {
        let gate = Gate::new(Limits::default());
        let (token, other) = (DeviceId::from_bytes([1; 8]), DeviceId::from_bytes([2; 8]));
        let sockets: Vec<_> = (0..4).map(|_| gate.automerge(token).unwrap()).collect();
        assert!(gate.automerge(token).is_err());
        let each = Limits::default().automerge_bytes_per_device / 2;
        assert!(sockets[0].1.bytes(each) && !sockets[1].1.bytes(each), "less what the others have");
        assert!(sockets[0].1.bytes(0) && sockets[1].1.bytes(each));
        assert!(gate.automerge(other).unwrap().1.bytes(each));
    }

    #[tokio::test]
    async fn large_messages_cost_as_much_as_many_small_ones() {
        let gate = Gate::new(Limits::default());
        let device = DeviceId::from_bytes([1; 8]);
        let mut passed = 0;
        while gate.pass_of(device, 2 << 20, Instant(0)).await.is_ok() {
            passed += 1;
        }
        assert_eq!(passed, 3);
        assert!(gate.pass_of(device, 2 << 20, Instant(60_000)).await.is_ok());
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

    #[test]
    fn stranger_who_never_stops_locks_nobody_out() {
        let gate = Gate::new(Limits::default());
        for second in 0..3_600i64 {
            let now = Instant(second * 1_000);
            let _ = gate.sign_in("198.51.100.1".parse().unwrap(), "1/zhang", now);
            if second % 60 == 59 {
                assert!(gate.sign_in("192.0.2.1".parse().unwrap(), "1/zhang", now).is_ok(), "{second}");
            }
        }
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
