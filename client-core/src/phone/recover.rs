//! Takes back what was set aside: files such as `phone.db.damaged-1`, which an earlier opening found damaged.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::identity::{Identity, mark_no_longer_new};
use super::outbox_file::{PAGE_BYTES, outbox_file};
use super::{Enrolled, Phone, new_incarnation};
use crate::error::Error;
use crate::protocol::outbox_file::OutboxFile;
use crate::replica::{Replica, TakenBack};
use crate::store::{Batch, MemoryStore, SetAside, Store};
use crate::transport::{Outgoing, Route, Transport};

/// What came of taking back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The files of which everything that can be read was taken, under their new names. They are kept.
    pub files: Vec<PathBuf>,
    /// Files that are left, since nothing of them is of use to this phone now: nothing says whose they were.
    pub left: Vec<PathBuf>,
    /// Files that are left, since nothing of them can be read.
    pub unreadable: Vec<PathBuf>,
    /// Changes that were not here.
    pub changes: u64,
    /// Changes that wait to be sent again.
    pub unsent: u64,
}

impl Phone {
    /// The files that were set aside beside this phone's and not taken back yet, oldest first.
    pub fn set_aside(&self) -> Result<Vec<PathBuf>, Error> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let files = SetAside::beside(&folder.store())?;
        Ok(files.iter().map(|file| file.path().to_owned()).collect())
    }

    /// Takes back what can be read of the files that were set aside. What is here already stays as it is, and unsent changes
    /// go back into the outbox. A phone that is not enrolled becomes the phone that was set aside. Where it was enrolled anew
    /// since, the unsent changes are handed in under their own name, which waits for the network; after [`Error::Line`],
    /// make the same call again. Fails with [`Error::OtherCooperative`] for files of another co-operative.
    pub fn recover(&self) -> Result<Recovered, Error> {
        let mut recovered = Recovered::default();
        let Some(folder) = &self.folder else { return Ok(recovered) };
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut failed = None;
        // The newest first: it knows most, also of who this phone is.
        for file in SetAside::beside(&folder.store())?.into_iter().rev() {
            let rows = file.read(folder.key())?;
            if rows.scan(&[], None, 1)?.is_empty() {
                recovered.unreadable.push(file.path().to_owned());
                continue;
            }
            match self.take_back(rows) {
                Ok(Some(taken)) => {
                    recovered.changes = recovered.changes.saturating_add(taken.changes);
                    recovered.unsent = recovered.unsent.saturating_add(taken.unsent);
                    recovered.files.push(file.mark_taken()?);
                }
                Ok(None) => recovered.left.push(file.path().to_owned()),
                // One that the server refuses keeps none of the others.
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(recovered), Err)
    }

    /// Takes back the rows of a file; none when they are of no use now.
    fn take_back(&self, rows: MemoryStore) -> Result<Option<TakenBack>, Error> {
        let was = Identity::read(&rows)?;
        let mut inner = self.inner();
        let taken = match (inner.enrolled.as_mut(), was) {
            (None, None) => return Ok(None),
            (None, Some(_)) => {
                drop(inner);
                let taken = self.become_what_was_set_aside(&rows)?;
                self.wake();
                return Ok(Some(taken));
            }
            (Some(enrolled), was) => {
                let Enrolled { identity, replica } = enrolled;
                let known = was.as_ref().unwrap_or(identity);
                if known.cooperative != identity.cooperative {
                    return Err(Error::OtherCooperative { name: known.cooperative_name.clone() });
                }
                let incarnation = new_incarnation()?;
                let (mut old, _) =
                    Replica::open(Arc::new(rows), known.cooperative, known.device(), &known.grants, incarnation)?;
                match was.filter(|was| was.device() != identity.device()) {
                    None => replica.take_back(&mut old)?,
                    Some(was) => {
                        let file = outbox_file(&was, &old, old.outbox_bundles(PAGE_BYTES)?)?;
                        let signer = was.signer()?;
                        let signatures: Vec<_> = file.to_sign().iter().map(|bytes| (signer.sign)(bytes)).collect();
                        drop(inner);
                        let file = file.signed_with(&signatures);
                        return hand_in(self.transport()?.as_ref(), file, old.unsent()).map(Some);
                    }
                }
            }
        };
        inner.show_all();
        drop(inner);
        self.wake();
        Ok(Some(taken))
    }

    /// Has the background sync send what came back.
    fn wake(&self) {
        self.inner().wake();
    }

    /// A phone that is not enrolled has nothing of its own, so every row is taken as it is.
    fn become_what_was_set_aside(&self, rows: &MemoryStore) -> Result<TakenBack, Error> {
        let mut batch = Batch::default();
        for row in rows.scan_all(&[])? {
            if let Some(value) = row.value {
                batch.put(row.key, value);
            }
        }
        mark_no_longer_new(&mut batch);
        self.store.apply(&batch)?;
        self.store.flush()?;
        let mut inner = self.inner();
        inner.read_enrolled(&self.store, true)?;
        inner.is_lost = inner.is_lost && inner.enrolled.is_none();
        let replica = inner.enrolled.as_ref().map(|enrolled| &enrolled.replica);
        let unsent = replica.map_or(0, Replica::unsent);
        let revisions = replica.map(Replica::documents).unwrap_or_default();
        let changes = revisions.into_iter().map(|(_, revision)| revision).fold(0, u64::saturating_add);
        Ok(TakenBack { changes, unsent })
    }
}

/// Hands in what another device of this phone could not send any more.
fn hand_in(transport: &dyn Transport, file: OutboxFile, count: u64) -> Result<TakenBack, Error> {
    let OutboxFile { certificate, pages } = file;
    for page in pages {
        let file = OutboxFile { certificate: certificate.clone(), pages: vec![page] };
        transport.exchange(Route::OutboxFile, Outgoing::Bytes(file.to_bytes()?))?;
    }
    Ok(TakenBack { changes: count, unsent: 0 })
}
