//! The phone's exchanges as state machines: each step says what to send, and takes what came of it. Nothing here waits,
//! signs or sends, so the thread of a native app and the events of a browser run the same code.

use super::identity::Identity;
use super::opening::owner_of_lists;
use super::{Enrolled, Inner, Phone, SyncState, new_incarnation};
use crate::error::Error;
use crate::protocol::enrolment::{EnrolReply, EnrolRequest};
use crate::protocol::frame::{UnsignedRequest, read_reply};
use crate::protocol::messages::{read_message, write_message};
use crate::protocol::nudge::GREETING;
use crate::protocol::problem::ProblemKind;
use crate::protocol::signing::{ServerKey, Signer};
use crate::quantities::Instant;
use crate::replica::Replica;
use crate::sync::{Session, Step, Summary};
use crate::transport::{Payload, Route, ServerLink, Used};

/// What is to be sent next, and where.
#[derive(Debug)]
pub struct Errand {
    /// Where.
    pub route: Route,
    /// What.
    pub payload: Payload,
}

/// What comes next in a sync.
#[derive(Debug)]
pub enum Turn {
    /// Send this, and give what came of it to [`Phone::take_answer`].
    Send(Errand),
    /// The sync is done.
    Done(Summary),
}

/// A sync under way.
#[derive(Debug)]
pub struct Running {
    stage: Stage,
    has_reinstated: bool,
}

#[derive(Debug)]
enum Stage {
    Exchanging(Box<Session>),
    /// A server that was restored to a time before this phone's enrolment is sent its certificate.
    Reinstating,
}

/// An enrolment under way.
pub struct Joining {
    identity: Identity,
    /// True for a phone that was revoked, and belongs again once its own co-operative invites it.
    is_again: bool,
}

impl Joining {
    /// The server.
    pub fn server(&self) -> &ServerLink {
        &self.identity.server
    }

    /// Signs what is sent. Fails where the platform keeps the key.
    pub fn signer(&self) -> Result<Signer, Error> {
        self.identity.signer()
    }

    /// What to send.
    pub fn send(&self, phone_name: &str) -> Errand {
        let request = EnrolRequest {
            code: self.identity.server.code.clone(),
            public_key: self.identity.public_key(),
            name: phone_name.to_owned(),
        };
        let request = UnsignedRequest::new(self.identity.device(), &write_message(&request));
        Errand { route: Route::Enrol, payload: Payload::Request(request, self.identity.audience()) }
    }
}

fn bad_reply(fault: &dyn std::fmt::Display) -> Error {
    Error::BadReply(fault.to_string())
}

impl Phone {
    /// Begins an enrolment, with a key that the platform keeps, or with one that is made and kept here. Such a key is durable
    /// before it is sent, so that a lost reply can be asked for again.
    pub fn begin_enrol(&self, server: ServerLink, key: Option<[u8; 32]>) -> Result<Joining, Error> {
        // A phone that was revoked may be invited again; what waits on it stays.
        let is_again = {
            let inner = self.inner();
            match &inner.enrolled {
                Some(_) if inner.status.revoked => true,
                Some(_) => return Err(Error::AlreadyEnrolled),
                None if inner.is_lost => return Err(Error::Lost),
                None => false,
            }
        };
        let identity = match key {
            Some(public_key) => Identity::elsewhere(public_key, server),
            None => Identity::prepare(self.store.as_ref(), server)?,
        };
        Ok(Joining { identity, is_again })
    }

    /// Takes the reply to an enrolment. All is durable when this returns.
    pub fn finish_enrol(&self, joining: Joining, reply: &[u8], used: Used) -> Result<(), Error> {
        let Joining { mut identity, is_again } = joining;
        let content = read_reply(reply).map_err(|fault| bad_reply(&fault))?;
        let reply: EnrolReply = read_message(&content).map_err(|fault| bad_reply(&fault))?;
        let was_in = self.inner().enrolled.as_ref().map(|enrolled| enrolled.identity.cooperative);
        if was_in.is_some_and(|cooperative| !is_again || cooperative != reply.cooperative) {
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
            std::sync::Arc::clone(&self.store),
            identity.cooperative,
            identity.device(),
            &identity.grants,
            new_incarnation()?,
        )?;
        if is_again {
            replica.begin_again(&identity.grants)?;
        }
        let mut inner = self.inner();
        inner.status.end_revocation();
        inner.status.used(used);
        let listed = owner_of_lists(self.store.as_ref(), identity.device()).map_err(Error::from);
        let listed = listed.and_then(|owner| inner.lists_belong_to(&owner));
        inner.note_rows(listed);
        inner.enrolled = Some(Enrolled { identity, replica });
        self.keep_status(&inner);
        Ok(())
    }

    /// Begins a sync: what to send first. `used` is the traffic since the phone was opened.
    pub fn begin_sync(&self, used: Used) -> Result<(Running, Errand), Error> {
        let begun = {
            let mut inner = self.inner();
            inner.enrolled()?;
            inner.status.state = SyncState::Syncing;
            inner.begin_session()
        };
        let (session, send) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                self.end_sync(used, &Err(error.clone()))?;
                return Err(error);
            }
        };
        Ok((Running { stage: Stage::Exchanging(Box::new(session)), has_reinstated: false }, send))
    }

    /// Takes what came of the last [`Errand`] of a sync: the reply, which took so many milliseconds, or why there is none.
    /// What a reply brings is kept when this returns. `used` is the traffic since the phone was opened. The sync is over with
    /// [`Turn::Done`] and with an error.
    pub fn take_answer(
        &self,
        running: &mut Running,
        answer: Result<Vec<u8>, Error>,
        took_millis: u64,
        used: Used,
    ) -> Result<Turn, Error> {
        let turn = self.inner().next_turn(running, answer, took_millis, self.clock.now());
        let ended = match turn {
            Ok(Turn::Send(send)) => return Ok(Turn::Send(send)),
            Ok(Turn::Done(summary)) => Ok(summary),
            Err(error) => Err(error),
        };
        self.end_sync(used, &ended)?;
        ended.map(Turn::Done)
    }

    /// The greeting of the nudge socket.
    pub fn greeting(&self) -> Result<Payload, Error> {
        let inner = self.inner();
        let identity = &inner.enrolled()?.identity;
        Ok(Payload::Request(UnsignedRequest::new(identity.device(), GREETING), identity.audience()))
    }
}

impl Inner {
    fn begin_session(&mut self) -> Result<(Session, Errand), Error> {
        // Sent once after each start, for the coordinators' list of phones.
        let version = (!self.has_sent_version).then(|| env!("CARGO_PKG_VERSION").to_owned());
        let absent = self.absent();
        let Enrolled { identity, replica, .. } = self.enrolled.as_mut().ok_or(absent)?;
        let (session, request) = Session::begin(replica, self.pace, self.notices_read, version)?;
        Ok((session, Errand { route: Route::Sync, payload: Payload::Request(request, identity.audience()) }))
    }

    fn next_turn(
        &mut self,
        running: &mut Running,
        answer: Result<Vec<u8>, Error>,
        took_millis: u64,
        clock: Instant,
    ) -> Result<Turn, Error> {
        let reply = match answer {
            Ok(reply) => reply,
            Err(Error::Refused { kind: ProblemKind::UnknownDevice, .. })
                if !running.has_reinstated && matches!(running.stage, Stage::Exchanging(_)) =>
            {
                *running = Running { stage: Stage::Reinstating, has_reinstated: true };
                let certificate = self.enrolled()?.identity.certificate.clone();
                return Ok(Turn::Send(Errand { route: Route::Reinstate, payload: Payload::Bytes(certificate) }));
            }
            Err(error) => {
                if matches!(error, Error::Line(_)) {
                    self.pace.failed();
                }
                return Err(error);
            }
        };
        let Stage::Exchanging(session) = &mut running.stage else {
            let (session, send) = self.begin_session()?;
            running.stage = Stage::Exchanging(Box::new(session));
            return Ok(Turn::Send(send));
        };
        self.pace.succeeded(took_millis);
        self.has_sent_version = true;
        let absent = self.absent();
        let enrolled = self.enrolled.as_mut().ok_or(absent)?;
        let granted = enrolled.replica.grants().version;
        let step = session.take_reply(&mut enrolled.replica, self.pace, &reply)?;
        let audience = enrolled.identity.audience();
        let is_granted_anew = enrolled.replica.grants().version != granted;
        self.notices_read = session.notices_read();
        if let Some(told) = session.told() {
            self.time.take(told, clock);
        }
        self.show_changed(session.take_changed());
        if is_granted_anew {
            self.show_listed();
        }
        Ok(match step {
            Step::Send(request) => {
                Turn::Send(Errand { route: Route::Sync, payload: Payload::Request(request, audience) })
            }
            Step::Done(summary) => Turn::Done(summary),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::SystemClock;
    use super::*;
    use crate::ids::HouseholdId;
    use crate::quantities::Grams;
    use crate::schema::access::{Grants, Role};
    use crate::schema::harvest::LotDraft;
    use crate::store::{Batch, MemoryStore, Row, Store, StoreFault};

    /// A store that can't be read while `is_broken`.
    struct Breaking {
        rows: MemoryStore,
        is_broken: Arc<AtomicBool>,
    }

    impl Breaking {
        fn whole(&self) -> Result<(), StoreFault> {
            match self.is_broken.load(Ordering::Relaxed) {
                true => Err(StoreFault::Failed("the medium is gone".into())),
                false => Ok(()),
            }
        }
    }

    impl Store for Breaking {
        fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreFault> {
            self.whole()?;
            self.rows.get(key)
        }

        fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Row>, StoreFault> {
            self.whole()?;
            self.rows.scan(prefix, after, limit)
        }

        fn apply(&self, batch: &Batch) -> Result<(), StoreFault> {
            self.whole()?;
            self.rows.apply(batch)
        }

        fn flush(&self) -> Result<(), StoreFault> {
            self.whole()
        }
    }

    #[test]
    fn sync_that_can_not_begin_is_over_and_told() {
        let (rows, is_broken) = (MemoryStore::default(), Arc::new(AtomicBool::new(false)));
        let household = HouseholdId::from_bytes([7; 16]);
        let link = format!("granary://localhost:8443/7KQ2-M9XT-4B0F#{}", "0".repeat(64));
        let mut identity = Identity::prepare(&rows, link.parse().unwrap()).unwrap();
        identity.grants = Grants { version: 1, roles: [Role::Household(household)].into() };
        identity.keep(&rows).unwrap();
        let store = Breaking { rows, is_broken: Arc::clone(&is_broken) };
        let phone = Phone::over(Arc::new(store), Arc::new(SystemClock)).unwrap();
        let draft = LotDraft::new("millet", Grams::new(1_000).unwrap(), "2026-10-03".parse().unwrap());
        phone.record_of_day(household, &draft).unwrap();
        is_broken.store(true, Ordering::Relaxed);
        assert!(matches!(phone.begin_sync(Used::default()), Err(Error::Store(_))));
        let status = phone.status();
        assert_eq!((status.state, status.last_error.map(|error| error.code)), (SyncState::Idle, Some("store".into())));
    }
}
