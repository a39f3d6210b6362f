//! A phone: what an app calls. It records, corrects and lists offline, and syncs over a line. This is the edge: it reads
//! the clock, draws random numbers, and owns the transport.

mod app;
mod driver;
mod folder;
mod identity;
mod invitation;
mod leaving;
mod nudges;
mod opening;
mod outbox_file;
mod recover;
mod refresh;
mod status;
mod steady;
mod told_time;

#[cfg(test)]
mod lost_files;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use driver::{Driver, Observer};
pub use invitation::Invitation;
pub use leaving::ExportForm;
pub use opening::Opening;
pub use recover::Recovered;
pub use status::{LastError, Status, SyncState};

use crate::crdt::DocumentFault;
use crate::error::Error;
use crate::ids::{DeviceId, HouseholdId, Incarnation};
use crate::projection::ReadModel;
use crate::protocol::enrolment::{EnrolReply, EnrolRequest};
use crate::protocol::frame::{UnsignedRequest, read_reply};
use crate::protocol::messages::{read_message, write_message};
use crate::protocol::problem::ProblemKind;
use crate::protocol::signing::ServerKey;
use crate::quantities::{Day, Instant};
use crate::replica::{Damage, DocumentEdit, Replica, put_meta};
use crate::schema::DocumentKey;
use crate::schema::access::{Grants, Role};
use crate::store::{Batch, Store};
use crate::sync::{Pace, Session, Step, Summary};
use crate::transport::{HttpsTransport, Outgoing, Route, ServerLink, Transport};
use folder::Folder;
use identity::Identity;
use invitation::while_joining;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::sync::watch;
use told_time::ToldTime;

/// A source of the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Instant;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Instant(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Draws the incarnation of one opening.
fn new_incarnation() -> Result<Incarnation, Error> {
    let mut bytes = [0; 4];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Error::System("there are no random numbers".into()))?;
    Ok(Incarnation::new(u32::from_be_bytes(bytes)))
}

/// A random number for jitter. Without a source of randomness it is 0, which means no wait.
fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    let _ = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

fn new_transport(server: &ServerLink, clock: &Arc<dyn Clock>) -> Result<HttpsTransport, Error> {
    let clock = Arc::clone(clock);
    HttpsTransport::with_clock(server, Arc::new(move || clock.now()))
}

struct Enrolled {
    identity: Identity,
    replica: Replica,
    transport: Arc<HttpsTransport>,
}

struct Inner {
    enrolled: Option<Enrolled>,
    /// See [`Phone::is_lost`].
    is_lost: bool,
    read_model: ReadModel,
    /// True while rows may differ from their documents, since they could not be written.
    lists_are_behind: bool,
    status: Status,
    time: ToldTime,
    pace: Pace,
    notices_read: u64,
    has_sent_version: bool,
    /// Wakes the background driver, where one runs.
    on_edit: Option<Box<dyn Fn() + Send>>,
}

/// See the module. Every method may be called from any thread.
pub struct Phone {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
    /// Locked while a sync, an enrolment or a recovery runs, so that there is one at most.
    syncing: Mutex<()>,
    damage: Vec<Damage>,
    /// None for a phone in memory. The last field, so that the store is closed before others may open it.
    folder: Option<Folder>,
}

impl Phone {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_on_edit(&self, wake: Box<dyn Fn() + Send>) {
        self.inner().on_edit = Some(wake);
    }

    /// What was found damaged when the phone was opened.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
    }

    /// Enrols this phone with a co-operative by an invitation's link. Needs a line. After [`Error::NotJoined`], call it again
    /// with the same link.
    pub fn enrol(&self, link: &str, phone_name: &str) -> Result<(), Error> {
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        // A phone that was revoked may be invited again; what waits on it stays.
        let revoked_from = {
            let inner = self.inner();
            match &inner.enrolled {
                Some(enrolled) if inner.status.revoked => Some(enrolled.identity.cooperative),
                Some(_) => return Err(Error::AlreadyEnrolled),
                None if inner.is_lost => return Err(Error::Lost),
                None => None,
            }
        };
        let server: ServerLink = link.parse()?;
        let transport = Arc::new(new_transport(&server, &self.clock)?);
        // The key is durable before it is sent, so that a lost reply can be asked for again.
        let mut identity = Identity::prepare(self.store.as_ref(), server)?;
        let request = EnrolRequest {
            code: identity.server.code.clone(),
            public_key: identity.public_key(),
            name: phone_name.to_owned(),
        };
        let request = UnsignedRequest::new(identity.device(), &write_message(&request));
        let outgoing = Outgoing::Request(request, identity.signer());
        let bad = |fault: &dyn std::fmt::Display| Error::BadReply(fault.to_string());
        let reply =
            transport.exchange(Route::Enrol, outgoing).map_err(|error| while_joining(&identity.server, error))?;
        let content = read_reply(&reply).map_err(|fault| bad(&fault))?;
        let reply: EnrolReply = read_message(&content).map_err(|fault| bad(&fault))?;
        if revoked_from.is_some_and(|cooperative| cooperative != reply.cooperative) {
            return Err(Error::AlreadyEnrolled);
        }
        identity.cooperative = reply.cooperative;
        identity.cooperative_name = reply.cooperative_name;
        identity.grants = reply.grants;
        identity.certificate = reply.certificate;
        identity.server_key = ServerKey(reply.server_key);
        identity.keep(self.store.as_ref())?;
        self.take_time(Instant::from_seconds(reply.told_seconds))?;
        let (mut replica, _) = Replica::open(
            Arc::clone(&self.store),
            identity.cooperative,
            identity.device(),
            &identity.grants,
            new_incarnation()?,
        )?;
        if revoked_from.is_some() {
            replica.begin_again(&identity.grants)?;
        }
        let mut inner = self.inner();
        inner.status.end_revocation();
        inner.status.used(transport.used());
        inner.enrolled = Some(Enrolled { identity, replica, transport });
        self.keep_status(&inner);
        Ok(())
    }

    /// The co-operative's name, once enrolled.
    pub fn cooperative_name(&self) -> Option<String> {
        self.inner().enrolled.as_ref().map(|enrolled| enrolled.identity.cooperative_name.clone())
    }

    /// This device, once enrolled.
    pub fn device(&self) -> Option<DeviceId> {
        self.inner().enrolled.as_ref().map(|enrolled| enrolled.replica.device())
    }

    /// What this device may do, as the server last said.
    pub fn grants(&self) -> Grants {
        self.inner().enrolled.as_ref().map(|enrolled| enrolled.replica.grants().clone()).unwrap_or_default()
    }

    /// The household that this phone belongs to, if it belongs to one.
    pub fn household(&self) -> Option<HouseholdId> {
        self.grants().roles.into_iter().find_map(|role| match role {
            Role::Household(household) => Some(household),
            _ => None,
        })
    }

    fn edit<R>(
        &self,
        key: &DocumentKey,
        edit: impl FnOnce(&mut automerge::AutoCommit) -> Result<R, DocumentFault>,
    ) -> Result<R, Error> {
        let mut inner = self.inner();
        let now = inner.time.now(self.clock.now());
        let enrolled = inner.enrolled_mut()?;
        let edited = enrolled.replica.edit(key, now, edit)?;
        inner.show_edit(key, edited.before, &edited.touched);
        inner.wake();
        Ok(edited.value)
    }

    /// Edits several documents in one action, of which all is kept or nothing.
    fn edit_together(&self, edits: Vec<DocumentEdit<'_>>) -> Result<(), Error> {
        let mut inner = self.inner();
        let now = inner.time.now(self.clock.now());
        let enrolled = inner.enrolled_mut()?;
        for (key, edited) in enrolled.replica.edit_together(now, edits)? {
            inner.show_edit(&key, edited.before, &edited.touched);
        }
        inner.wake();
        Ok(())
    }

    /// The status of the sync.
    pub fn status(&self) -> Status {
        let inner = self.inner();
        let replica = inner.enrolled.as_ref().map(|enrolled| &enrolled.replica);
        let (unsent, undelivered) = replica.map_or((0, 0), |replica| (replica.unsent(), replica.undelivered()));
        let held_back = inner.status.held_back.filter(|_| unsent > 0);
        Status { unsent, undelivered, held_back, ..inner.status.clone() }
    }

    fn observer_failed(&self, sentence: String) {
        self.inner().status.observer_error = Some(sentence);
    }

    /// The time now, as well as this phone can tell it: its clock, put right by what the server last told.
    pub fn now(&self) -> Instant {
        self.inner().time.now(self.clock.now())
    }

    /// The day that it is in China, by [`Self::now`].
    pub fn today(&self) -> Day {
        Day::in_china(self.now())
    }

    /// The date that this phone's own clock shows, when that is another day than the server told; a person should set it.
    pub fn wrong_date(&self) -> Option<Day> {
        self.inner().time.wrong_date(self.clock.now())
    }

    /// Keeps the time that the server told just now.
    fn take_time(&self, told: Instant) -> Result<(), Error> {
        let mut inner = self.inner();
        inner.time.take(told, self.clock.now());
        let mut batch = Batch::default();
        inner.time.put(&mut batch);
        self.store.apply(&batch)?;
        Ok(self.store.flush()?)
    }

    /// The traffic since the phone was opened.
    pub fn used(&self) -> crate::transport::Used {
        self.inner().enrolled.as_ref().map(|enrolled| enrolled.transport.used()).unwrap_or_default()
    }

    /// Syncs, and returns at its end or when the line broke. Edits are possible meanwhile.
    pub fn sync_now(&self) -> Result<Summary, Error> {
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let transport = {
            let mut inner = self.inner();
            inner.status.state = SyncState::Syncing;
            let enrolled = inner.enrolled()?;
            Arc::clone(&enrolled.transport)
        };
        let mut result = self.run_session(transport.as_ref());
        if let Err(Error::Refused { kind: ProblemKind::UnknownDevice, .. }) = &result {
            result = self.reinstate(transport.as_ref()).and_then(|()| self.run_session(transport.as_ref()));
        }
        self.end_sync(transport.as_ref(), &result)?;
        result
    }

    /// Listens on the nudge socket until it breaks or is stopped. Fails at once before the phone is enrolled.
    pub(crate) fn listen(&self, stop: &mut watch::Receiver<bool>, on_nudge: &dyn Fn()) -> Result<(), Error> {
        let (transport, signer) = {
            let inner = self.inner();
            let enrolled = inner.enrolled()?;
            (Arc::clone(&enrolled.transport), enrolled.identity.signer())
        };
        transport.listen(&signer, stop, on_nudge)
    }

    /// Sends the certificate to a server that was restored to a time before this phone's enrolment.
    fn reinstate(&self, transport: &dyn Transport) -> Result<(), Error> {
        let certificate = {
            let inner = self.inner();
            inner.enrolled()?.identity.certificate.clone()
        };
        transport.exchange(Route::Reinstate, Outgoing::Bytes(certificate)).map(drop)
    }

    fn run_session(&self, transport: &dyn Transport) -> Result<Summary, Error> {
        let (mut session, mut request, signer) = {
            let mut inner = self.inner();
            // Sent once after each start, for the coordinators' list of phones.
            let version = (!inner.has_sent_version).then(|| env!("CARGO_PKG_VERSION").to_owned());
            let absent = inner.absent();
            let Inner { enrolled, pace, notices_read, .. } = &mut *inner;
            let Enrolled { identity, replica, .. } = enrolled.as_mut().ok_or(absent)?;
            let (session, request) = Session::begin(replica, *pace, *notices_read, version)?;
            (session, request, identity.signer())
        };
        loop {
            let began = std::time::Instant::now();
            let reply = transport.exchange(Route::Sync, Outgoing::Request(request, signer.clone()));
            let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let mut inner = self.inner();
            let reply = match reply {
                Ok(reply) => reply,
                Err(error) => {
                    if matches!(error, Error::Line(_)) {
                        inner.pace.failed();
                    }
                    return Err(error);
                }
            };
            inner.pace.succeeded(took);
            inner.has_sent_version = true;
            let absent = inner.absent();
            let Inner { enrolled, pace, .. } = &mut *inner;
            let enrolled = enrolled.as_mut().ok_or(absent)?;
            let step = session.take_reply(&mut enrolled.replica, *pace, &reply)?;
            inner.notices_read = session.notices_read();
            if let Some(told) = session.told() {
                inner.time.take(told, self.clock.now());
            }
            inner.show_changed(session.take_changed());
            match step {
                Step::Send(next) => request = next,
                Step::Done(summary) => return Ok(summary),
            }
        }
    }

    fn end_sync(&self, transport: &dyn Transport, result: &Result<Summary, Error>) -> Result<(), Error> {
        let mut inner = self.inner();
        let now = inner.time.now(self.clock.now());
        let used = transport.used();
        inner.status.ended(now, used, result);
        let undelivered = inner.enrolled.as_ref().map_or(0, |enrolled| enrolled.replica.undelivered());
        inner.status.count_undelivered(undelivered);
        if let Err(Error::Refused { kind: ProblemKind::DeviceRevoked, .. }) = result {
            if let Some(enrolled) = inner.enrolled.as_mut() {
                enrolled.replica.forget_all_sent()?;
            }
            inner.show_all();
        }
        self.keep_status(&inner);
        Ok(())
    }

    fn keep_status(&self, inner: &Inner) {
        let mut batch = Batch::default();
        // A failure of the app's is of this start alone.
        put_meta(&mut batch, "status", &Status { observer_error: None, ..inner.status.clone() });
        put_meta(&mut batch, "notices", &inner.notices_read);
        inner.time.put(&mut batch);
        if let Err(fault) = self.store.apply(&batch) {
            // What came is applied already. The next sync reads the notices again.
            tracing::warn!(%fault, "the status of the sync could not be kept");
        }
    }
}
