//! Opens the files of a phone's folder.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::folder::{Claimed, Folder};
use super::identity::{Identity, is_new, mark_new};
use super::{Phone, SystemClock};
use crate::error::{AN_APP, Error};
use crate::projection::ReadModel;
use crate::replica::Damage;
use crate::store::{Batch, OpenReport, SqliteStore, Store, StoreFault, StoreKey};

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
        Self { key: None, doing: AN_APP.english, wait: WAIT }
    }
}

impl Phone {
    /// Opens or creates the phone's files in this folder. A folder that is open in this process already gives the same
    /// phone; while another process has it, this waits some seconds and fails with [`Error::InUse`]. Damaged records are
    /// quarantined and reported by [`Self::damage`]; everything else opens. Where a phone was and its file is gone, it opens
    /// as lost, see [`Self::is_lost`]. Fails with [`Error::Locked`] for files that were
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
        // Before anything is made here: files of a phone that was here before.
        let was_here = folder.has_traces()?;
        let (store, report) = SqliteStore::open(&folder.store(), folder.key())?;
        let is_lost = is_lost(&store, was_here || report.quarantined_file.is_some())?;
        let open_lists = || match folder.key() {
            None => ReadModel::open(&folder.lists()).or_else(|fault| match fault {
                // What is here can be read on a full disk too.
                StoreFault::Full => ReadModel::in_memory(),
                other => Err(other),
            }),
            Some(_) => {
                ReadModel::remove(&folder.lists())?;
                ReadModel::in_memory()
            }
        };
        let store: Arc<dyn Store> = Arc::new(store);
        let clock = Arc::new(SystemClock);
        let assembled = Self::assemble(Arc::clone(&store), open_lists()?, clock.clone(), told(&report, is_lost));
        let phone = match assembled {
            Err(Error::Store(StoreFault::Corrupt(reason))) => {
                // The store was just checked, so it is the lists; they are derived.
                tracing::error!(reason, "the lists are damaged; they are written again from the documents");
                ReadModel::remove(&folder.lists())?;
                Self::assemble(store, open_lists()?, clock, told(&report, is_lost))?
            }
            other => other?,
        };
        phone.inner().is_lost = is_lost;
        Ok(Self { folder: Some(folder), ..phone })
    }
}

/// True for a store that says nothing of whose it is, in a folder where a phone was before. One that begins is marked.
fn is_lost(store: &dyn Store, was_here: bool) -> Result<bool, Error> {
    if Identity::read(store)?.is_some() || is_new(store)? {
        return Ok(false);
    }
    if !was_here {
        let mut batch = Batch::default();
        mark_new(&mut batch);
        store.apply(&batch)?;
        store.flush()?;
    }
    Ok(was_here)
}

/// What was found damaged, for a person. Of a file of which nothing could be read [`Error::Lost`] tells, with the way out.
fn told(report: &OpenReport, is_lost: bool) -> Vec<Damage> {
    let mut damage = Vec::new();
    if is_lost {
        return damage;
    }
    if let Some(file) = &report.quarantined_file {
        let file = file.display();
        damage.push(Damage {
            document: None,
            sentence: format!(
                "The phone's file was damaged; it was moved to {file}, and what can be read of it was copied. At the next \
                 sync this phone and the server compare what each has."
            ),
            in_chinese: format!(
                "这部手机的文件坏了；坏文件移到了 {file}，能读出来的都已抄下来。下次同步时，手机会和服务器核对各自有什么。"
            ),
        });
    }
    if !report.damaged_keys.is_empty() {
        let count = report.damaged_keys.len();
        damage.push(Damage {
            document: None,
            sentence: format!("{count} damaged records were moved away; the server will send them again."),
            in_chinese: format!("{count} 条坏了的记录已移开；服务器会再发一次。"),
        });
    }
    damage
}
