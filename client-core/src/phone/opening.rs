//! Opens phones over a store.

use std::sync::{Arc, Mutex};

use super::identity::{Identity, mark_new};
use super::told_time::ToldTime;
use super::{Clock, Enrolled, Inner, Phone, Status, new_incarnation};
use crate::error::Error;
#[cfg(feature = "sqlite")]
use crate::ids::ActorId;
use crate::ids::DeviceId;
use crate::projection::Lists;
#[cfg(feature = "sqlite")]
use crate::replica::put_meta;
use crate::replica::{Damage, Replica, read_meta};
use crate::store::{Batch, MemoryStore, Store, StoreFault};
use crate::sync::Pace;

impl Phone {
    /// A phone in memory, for tests, whose whole state is in `store`.
    pub fn in_memory(store: MemoryStore, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::over(Arc::new(store), clock)
    }

    /// A phone over a store of the platform's, with its lists in memory.
    pub fn over(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::assemble(store, Lists::in_memory()?, clock, Vec::new())
    }

    pub(super) fn assemble(
        store: Arc<dyn Store>,
        read_model: Lists,
        clock: Arc<dyn Clock>,
        mut damage: Vec<Damage>,
    ) -> Result<Self, Error> {
        let mut inner = Inner {
            enrolled: None,
            #[cfg(feature = "https")]
            transport: None,
            is_lost: false,
            read_model,
            lists_are_behind: false,
            status: Status::default(),
            time: ToldTime::read(store.as_ref(), clock.now())?,
            pace: Pace::default(),
            notices_read: 0,
            has_sent_version: false,
            on_edit: None,
        };
        damage.extend(inner.read_enrolled(&store, !damage.is_empty())?);
        Ok(Self {
            store,
            clock,
            inner: Mutex::new(inner),
            syncing: Mutex::new(()),
            damage,
            #[cfg(feature = "sqlite")]
            folder: None,
        })
    }
}

/// The opening that the lists beside this store were last written by.
const LISTS: &str = "lists";

/// Whose lists fit this store: its device's, of the opening that the store knows last. Two copies of a phone, which went on each
/// by itself, have other documents of the same names at the same revisions.
pub(super) fn owner_of_lists(store: &dyn Store, device: DeviceId) -> Result<Vec<u8>, StoreFault> {
    let opening: serde_bytes::ByteBuf = read_meta(store, LISTS)?.unwrap_or_default();
    Ok([device.as_bytes().as_slice(), &opening].concat())
}

impl Inner {
    /// Reads who this phone is and what it holds, where it is enrolled. `has_lost` is true when the store may have lost
    /// records. Returns what was found damaged.
    pub(super) fn read_enrolled(&mut self, store: &Arc<dyn Store>, has_lost: bool) -> Result<Vec<Damage>, Error> {
        let Some(identity) = Identity::read(store.as_ref())? else {
            self.lists_belong_to(&[])?;
            return Ok(Vec::new());
        };
        let (mut replica, damage) = Replica::open(
            Arc::clone(store),
            identity.cooperative,
            identity.device(),
            &identity.grants,
            new_incarnation()?,
        )?;
        if has_lost {
            replica.recover()?;
        }
        let device = identity.device();
        #[cfg(feature = "sqlite")]
        let opening = replica.actor();
        self.status = read_meta(store.as_ref(), "status")?.unwrap_or_default();
        self.notices_read = read_meta(store.as_ref(), "notices")?.unwrap_or(0);
        self.enrolled = Some(Enrolled { identity, replica });
        self.forget_line();
        self.lists_belong_to(&owner_of_lists(store.as_ref(), device)?)?;
        match self.refresh_rows() {
            // The caller makes new lists.
            Err(fault @ Error::Store(StoreFault::Corrupt(_))) => return Err(fault),
            written => self.note_rows(written),
        }
        #[cfg(feature = "sqlite")]
        if let Err(fault) = self.mark_lists(store.as_ref(), device, &opening) {
            // At worst the next opening writes them anew.
            tracing::warn!(%fault, "the lists keep the mark of an earlier opening");
        }
        Ok(damage)
    }

    /// Marks store and lists with this opening, the store first: where only one of them is marked, the lists are made anew.
    #[cfg(feature = "sqlite")]
    fn mark_lists(&mut self, store: &dyn Store, device: DeviceId, opening: &ActorId) -> Result<(), StoreFault> {
        let mut batch = Batch::default();
        put_meta(&mut batch, LISTS, &serde_bytes::Bytes::new(opening.as_bytes()));
        store.apply(&batch)?;
        store.flush()?;
        self.read_model.hand_over(&owner_of_lists(store, device)?)
    }

    /// The file of the lists may be another phone's, where somebody has put files from elsewhere here. Lists that can't be emptied,
    /// as on a full disk, are made in memory.
    pub(super) fn lists_belong_to(&mut self, owner: &[u8]) -> Result<(), Error> {
        match self.read_model.belong_to(owner) {
            Err(fault @ StoreFault::Corrupt(_)) => Err(fault.into()),
            Err(fault) => {
                tracing::warn!(%fault, "the file of the lists can't be written; they are made in memory");
                self.read_model = Lists::in_memory()?;
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
}

impl Phone {
    /// True when a phone was in this folder before, and its file is gone, or empty, or damaged so that nothing says whose it
    /// was. Every other call fails with [`Error::Lost`] then, until [`Self::recover`] finds it or [`Self::start_anew`] says
    /// that it is given up.
    pub fn is_lost(&self) -> bool {
        self.inner().is_lost
    }

    /// Gives up the phone that was lost: this is a new one from now on. Files that were set aside stay. Changes nothing of a
    /// phone that is not lost.
    pub fn start_anew(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        if inner.is_lost {
            let mut batch = Batch::default();
            mark_new(&mut batch);
            self.store.apply(&batch)?;
            self.store.flush()?;
            inner.is_lost = false;
        }
        Ok(())
    }
}

impl Inner {
    /// Closes the line to the server that this phone had until now.
    pub(super) fn forget_line(&mut self) {
        #[cfg(feature = "https")]
        {
            self.transport = None;
        }
    }

    /// Why there is no co-operative.
    pub(super) fn absent(&self) -> Error {
        if self.is_lost { Error::Lost } else { Error::NotEnrolled }
    }

    pub(super) fn enrolled(&self) -> Result<&Enrolled, Error> {
        self.enrolled.as_ref().ok_or_else(|| self.absent())
    }

    pub(super) fn enrolled_mut(&mut self) -> Result<&mut Enrolled, Error> {
        let absent = self.absent();
        self.enrolled.as_mut().ok_or(absent)
    }
}
