//! Opens phones: the files of a folder, or a phone in memory.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::folder::{Claimed, Folder};
use super::identity::Identity;
use super::told_time::ToldTime;
use super::{Clock, Enrolled, Inner, Phone, Status, SystemClock, new_incarnation, new_transport};
use crate::error::Error;
use crate::projection::ReadModel;
use crate::replica::{Damage, Replica, read_meta};
use crate::store::{MemoryStore, OpenReport, SqliteStore, Store, StoreFault, StoreKey};
use crate::sync::Pace;

/// How a folder is opened.
#[derive(Debug, Clone)]
pub struct Opening<'a> {
    /// The key under which everything is encrypted; none for files without encryption.
    pub key: Option<&'a StoreKey>,
    /// What another process that wants the same folder is told of this one, such as `granary phone sync`.
    pub doing: &'a str,
    /// How long another process that has the folder is waited for.
    pub wait: Duration,
}

/// Long enough for a record or a correction of another process; a sync may take longer.
const WAIT: Duration = Duration::from_secs(5);

impl Default for Opening<'_> {
    fn default() -> Self {
        Self { key: None, doing: "an app", wait: WAIT }
    }
}

impl Phone {
    /// Opens or creates the phone's files in this folder. A folder that is open in this process already gives the same
    /// phone; while another process has it, this waits some seconds and fails with [`Error::InUse`]. Damaged records are
    /// quarantined and reported by [`Self::damage`]; everything else opens. Fails with [`Error::Locked`] for files that were
    /// opened with a key.
    pub fn open(folder: &Path) -> Result<Arc<Self>, Error> {
        Self::open_as(folder, &Opening::default())
    }

    /// As [`Self::open`], with everything encrypted under `key`, which must be the same each time. The read model is then
    /// kept in memory alone, and written from the documents at each opening.
    pub fn open_locked(folder: &Path, key: &StoreKey) -> Result<Arc<Self>, Error> {
        Self::open_as(folder, &Opening { key: Some(key), ..Opening::default() })
    }

    /// As [`Self::open`], in this way.
    pub fn open_as(folder: &Path, opening: &Opening<'_>) -> Result<Arc<Self>, Error> {
        match Folder::claim(folder, opening.key, opening.doing, opening.wait)? {
            Claimed::Open(phone) => Ok(phone),
            Claimed::Free(folder) => {
                let phone = Arc::new(Self::open_claimed(folder)?);
                Folder::show(&phone);
                Ok(phone)
            }
        }
    }

    fn open_claimed(folder: Folder) -> Result<Self, Error> {
        let (store, report) = SqliteStore::open(&folder.store(), folder.key())?;
        let open_lists = || match folder.key() {
            None => ReadModel::open(&folder.lists()),
            Some(_) => {
                ReadModel::remove(&folder.lists())?;
                ReadModel::in_memory()
            }
        };
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = Arc::new(SystemClock);
        let assembled = Self::assemble(Arc::clone(&store), open_lists()?, clock.clone(), told(&report));
        let phone = match assembled {
            Err(Error::Store(StoreFault::Corrupt(reason))) => {
                // The store was just checked, so it is the lists; they are derived.
                tracing::error!(reason, "the lists are damaged; they are written again from the documents");
                ReadModel::remove(&folder.lists())?;
                Self::assemble(store, open_lists()?, clock, told(&report))?
            }
            other => other?,
        };
        Ok(Self { folder: Some(folder), ..phone })
    }

    /// A phone in memory, for tests, whose whole state is in `store`.
    pub fn in_memory(store: MemoryStore, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        Self::assemble(Arc::new(store), ReadModel::in_memory()?, clock, Vec::new())
    }

    fn assemble(
        store: Arc<dyn Store>,
        read_model: ReadModel,
        clock: Arc<dyn Clock>,
        mut damage: Vec<Damage>,
    ) -> Result<Self, Error> {
        let mut inner = Inner {
            enrolled: None,
            read_model,
            lists_are_behind: false,
            status: Status::default(),
            time: ToldTime::read(store.as_ref(), clock.now())?,
            pace: Pace::default(),
            notices_read: 0,
            has_sent_version: false,
            on_edit: None,
        };
        damage.extend(inner.read_enrolled(&store, &clock, !damage.is_empty())?);
        Ok(Self { store, clock, inner: Mutex::new(inner), syncing: Mutex::new(()), damage, folder: None })
    }
}

impl Inner {
    /// Reads who this phone is and what it holds, where it is enrolled. `has_lost` is true when the store may have lost
    /// records. Returns what was found damaged.
    pub(super) fn read_enrolled(
        &mut self,
        store: &Arc<dyn Store>,
        clock: &Arc<dyn Clock>,
        has_lost: bool,
    ) -> Result<Vec<Damage>, Error> {
        let Some(identity) = Identity::read(store.as_ref())? else { return Ok(Vec::new()) };
        let transport = Arc::new(new_transport(&identity.server, clock)?);
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
        self.status = read_meta(store.as_ref(), "status")?.unwrap_or_default();
        self.notices_read = read_meta(store.as_ref(), "notices")?.unwrap_or(0);
        self.enrolled = Some(Enrolled { identity, replica, transport });
        match self.refresh_rows() {
            // The caller makes new lists.
            Err(fault @ Error::Store(StoreFault::Corrupt(_))) => return Err(fault),
            written => self.note_rows(written),
        }
        Ok(damage)
    }
}

/// What was found damaged, for a person.
fn told(report: &OpenReport) -> Vec<Damage> {
    let mut damage = Vec::new();
    let mut tell = |sentence| damage.push(Damage { document: None, sentence });
    if let Some(file) = &report.quarantined_file {
        tell(format!(
            "The phone's file was damaged; it was moved to {}, and what can be read of it was copied.",
            file.display()
        ));
    }
    if !report.damaged_keys.is_empty() {
        let count = report.damaged_keys.len();
        tell(format!("{count} damaged records were moved away; the server will send them again."));
    }
    damage
}
