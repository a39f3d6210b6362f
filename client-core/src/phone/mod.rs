//! A phone: what an app calls. It records, corrects and lists offline, and syncs over a line. This is the edge: it reads
//! the clock, draws random numbers, and owns the transport.

mod app;
#[cfg(feature = "https")]
mod driver;
#[cfg(feature = "sqlite")]
mod files;
#[cfg(feature = "sqlite")]
mod folder;
mod identity;
mod invitation;
mod leaving;
#[cfg(feature = "https")]
mod nudges;
mod opening;
mod orders;
mod outbox_file;
#[cfg(feature = "https")]
mod over_the_line;
mod owed;
#[cfg(feature = "https")]
mod recover;
mod refresh;
mod status;
#[cfg(feature = "https")]
mod steady;
mod steps;
mod stock;
mod told_time;

#[cfg(test)]
mod lost_files;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "https")]
pub use driver::{Driver, Observer};
#[cfg(feature = "sqlite")]
pub use files::Opening;
pub use invitation::{Invitation, while_joining};
pub use leaving::ExportForm;
pub use outbox_file::UnsignedOutboxFile;
#[cfg(feature = "https")]
pub use recover::Recovered;
pub use status::{LastError, NotTaken, Status, SyncState};
pub use steps::{Errand, Joining, Running, Turn};
pub use stock::{PacksLeft, StockNow, StreamLeft};

use crate::crdt::DocumentFault;
use crate::error::Error;
use crate::ids::{DeviceId, HouseholdId, Incarnation};
use crate::projection::Lists;
use crate::protocol::problem::ProblemKind;
use crate::quantities::{Day, Instant};
use crate::replica::{Damage, DocumentEdit, Replica, put_meta};
use crate::schema::DocumentKey;
use crate::schema::access::{Grants, Role};
use crate::store::{Batch, Store};
use crate::sync::{Pace, Summary};
#[cfg(feature = "https")]
use crate::transport::HttpsTransport;
use crate::transport::Used;
#[cfg(feature = "sqlite")]
use folder::Folder;
use identity::Identity;
use ring::rand::{SecureRandom, SystemRandom};
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
#[cfg(feature = "https")]
fn random_u64() -> u64 {
    let mut bytes = [0; 8];
    let _ = SystemRandom::new().fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

struct Enrolled {
    identity: Identity,
    replica: Replica,
}

struct Inner {
    enrolled: Option<Enrolled>,
    /// None until its first use.
    #[cfg(feature = "https")]
    transport: Option<Arc<HttpsTransport>>,
    /// See [`Phone::is_lost`].
    is_lost: bool,
    read_model: Lists,
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
    #[cfg(feature = "sqlite")]
    folder: Option<Folder>,
}

impl Phone {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(feature = "https")]
    fn wake_on_edit(&self, wake: Box<dyn Fn() + Send>) {
        self.inner().on_edit = Some(wake);
    }

    /// What was found damaged when the phone was opened.
    pub fn damage(&self) -> &[Damage] {
        &self.damage
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
        let (unsent, undelivered) = replica.map_or((0, 0), |replica| (replica.unsent_deeds(), replica.undelivered()));
        let held_back = inner.status.held_back.filter(|_| unsent > 0);
        Status { unsent, undelivered, held_back, ..inner.status.clone() }
    }

    #[cfg(feature = "https")]
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

    fn end_sync(&self, used: Used, result: &Result<Summary, Error>) -> Result<(), Error> {
        let mut inner = self.inner();
        let now = inner.time.now(self.clock.now());
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
