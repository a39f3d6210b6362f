//! The phone's exchanges over this process's own HTTPS: drives [`super::steps`] on the calling thread.

use std::sync::{Arc, PoisonError};

use tokio::sync::watch;

use super::invitation::while_joining;
use super::steps::{Errand, Turn};
use super::{Clock, Invitation, Phone};
use crate::error::Error;
use crate::sync::Summary;
use crate::transport::{HttpsTransport, ServerLink, Transport};

pub(super) fn new_transport(server: &ServerLink, clock: &Arc<dyn Clock>) -> Result<HttpsTransport, Error> {
    let clock = Arc::clone(clock);
    HttpsTransport::with_clock(server, Arc::new(move || clock.now()))
}

impl Phone {
    /// The transport of this phone, opened at its first use.
    pub(super) fn transport(&self) -> Result<Arc<HttpsTransport>, Error> {
        let mut inner = self.inner();
        if let Some(transport) = &inner.transport {
            return Ok(Arc::clone(transport));
        }
        let transport = Arc::new(new_transport(&inner.enrolled()?.identity.server, &self.clock)?);
        inner.transport = Some(Arc::clone(&transport));
        Ok(transport)
    }

    /// Makes one exchange of this phone.
    pub(super) fn exchange(&self, transport: &dyn Transport, send: Errand) -> Result<Vec<u8>, Error> {
        let signer = || self.inner().enrolled()?.identity.signer();
        transport.exchange(send.route, send.payload.signed_by(signer)?)
    }

    /// Enrols this phone with a co-operative by an invitation's link. Needs a line. After [`Error::NotJoined`], call it again
    /// with the same link.
    pub fn enrol(&self, link: &str, phone_name: &str) -> Result<(), Error> {
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let joining = self.begin_enrol(link.parse()?, None)?;
        let transport = Arc::new(new_transport(joining.server(), &self.clock)?);
        let Errand { route, payload } = joining.send(phone_name);
        let outgoing = payload.signed_by(|| joining.signer())?;
        let reply = transport.exchange(route, outgoing).map_err(|error| while_joining(joining.server(), error))?;
        self.finish_enrol(joining, &reply, transport.used())?;
        self.inner().transport = Some(transport);
        Ok(())
    }

    /// What the invitation of this link is for. Needs a line, uses nothing up, and leaves nothing on the phone. Fails as
    /// [`Self::enrol`] does for an invitation that is unknown, used or too old.
    pub fn look_at_invitation(&self, link: &str) -> Result<Invitation, Error> {
        let server: ServerLink = link.parse()?;
        let transport = new_transport(&server, &self.clock)?;
        let Errand { route, payload } = Invitation::ask(&server);
        let asked = transport.exchange(route, payload.signed_by(|| Err(Error::NotEnrolled))?);
        Invitation::read(&server, &asked.map_err(|error| while_joining(&server, error))?)
    }

    /// The traffic since the phone was opened.
    pub fn used(&self) -> crate::transport::Used {
        self.inner().transport.as_ref().map(|transport| transport.used()).unwrap_or_default()
    }

    /// Syncs, and returns at its end or when the line broke. Edits are possible meanwhile.
    pub fn sync_now(&self) -> Result<Summary, Error> {
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let transport = self.transport()?;
        let (mut running, mut send) = self.begin_sync(transport.used())?;
        loop {
            let began = std::time::Instant::now();
            let answer = self.exchange(transport.as_ref(), send);
            let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            match self.take_answer(&mut running, answer, took, transport.used())? {
                Turn::Send(next) => send = next,
                Turn::Done(summary) => return Ok(summary),
            }
        }
    }

    /// Listens on the nudge socket until it breaks or is stopped. Fails at once before the phone is enrolled.
    pub(crate) fn listen(&self, stop: &mut watch::Receiver<bool>, on_nudge: &dyn Fn()) -> Result<(), Error> {
        let transport = self.transport()?;
        let signer = self.inner().enrolled()?.identity.signer()?;
        transport.listen(&signer, stop, on_nudge)
    }

    /// Imports the file of another phone to the same server. All of it is durable there when this returns. A repeat is
    /// idempotent, also after an error. The server tells only the phone that wrote the changes what became of them.
    pub fn import_outbox_file(&self, file: &[u8]) -> Result<(), Error> {
        let requests = Self::requests_of_outbox_file(file)?;
        let _one_at_a_time = self.syncing.lock().unwrap_or_else(PoisonError::into_inner);
        let transport = self.transport()?;
        let done = requests.into_iter().try_for_each(|send| self.exchange(transport.as_ref(), send).map(drop));
        self.inner().status.used(transport.used());
        done
    }
}
