//! One sync, from the first request to the last reply, without IO: the caller sends the bytes that it gives and brings
//! back the replies. Its states are the two of [`Step`].

use std::collections::BTreeSet;

use super::Pace;
use crate::error::Error;
use crate::protocol::frame::{UnsignedRequest, read_reply};
use crate::protocol::messages::{Fetch, SyncReply, SyncRequest, read_message, write_message};
use crate::quantities::Instant;
use crate::replica::{OutboxPage, Received, Replica};
use crate::schema::DocumentKey;

/// Exchanges in one session at most. A longer one ends as done, and the next session continues.
const EXCHANGES_MAX: u32 = 10_000;

/// Rounds in a row that may change nothing. One or two can: the server may be busy with what it was sent.
const FRUITLESS_MAX: u32 = 6;

/// The outcome of a session.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Exchanges that were made.
    pub exchanges: u32,
    /// All that the replies changed.
    pub received: Received,
}

/// What the caller does next.
#[derive(Debug)]
pub enum Step {
    /// Sign and send this request, and give the reply to [`Session::take_reply`].
    Send(UnsignedRequest),
    /// Nothing is left to send or to read.
    Done(Summary),
}

/// A sync in progress, whose last request has no reply yet.
#[derive(Debug)]
pub struct Session {
    page: OutboxPage,
    fetches: Vec<Fetch>,
    notices_read: u64,
    summary: Summary,
    changed: BTreeSet<DocumentKey>,
    version: Option<String>,
    /// Rounds in a row that changed nothing.
    fruitless: u32,
    told: Option<Instant>,
}

impl Session {
    /// Begins a sync and returns its first request. `version` is the program's, where this session reports it.
    pub fn begin(
        replica: &mut Replica,
        pace: Pace,
        notices_read: u64,
        version: Option<String>,
    ) -> Result<(Self, UnsignedRequest), Error> {
        let mut session = Self {
            page: OutboxPage::default(),
            fetches: Vec::new(),
            notices_read,
            summary: Summary::default(),
            changed: BTreeSet::new(),
            version,
            fruitless: 0,
            told: None,
        };
        let request = session.request(replica, pace)?;
        Ok((session, request))
    }

    /// The time by the server's clock, as its last reply tells it.
    pub fn told(&self) -> Option<Instant> {
        self.told
    }

    /// The highest number of a notice that was received.
    pub fn notices_read(&self) -> u64 {
        self.notices_read
    }

    fn request(&mut self, replica: &mut Replica, pace: Pace) -> Result<UnsignedRequest, Error> {
        self.page = match replica.is_reconciling() {
            // Unsent changes may depend on others that the server lacks too, and reconciliation finds those first.
            true => OutboxPage { unsent_after: replica.unsent(), ..OutboxPage::default() },
            false => replica.outbox_page(pace.page_bytes())?,
        };
        self.fetches = replica.fetches()?;
        let request = SyncRequest {
            cursor: replica.cursor(),
            page_kilobytes: u16::try_from(pace.page_bytes() / 1024).unwrap_or(u16::MAX),
            unsent_after: u32::try_from(self.page.unsent_after).unwrap_or(u32::MAX),
            notices_read: self.notices_read,
            bundle: std::mem::take(&mut self.page.bundle),
            fetch: self.fetches.clone(),
            attestations: std::mem::take(&mut self.page.attestations),
            version: self.version.take(),
        };
        Ok(UnsignedRequest::new(replica.device(), &write_message(&request)))
    }

    /// Applies the body of a reply and returns the next step. Fails with [`Error::BadReply`] for a body that can't be
    /// read, with a store's fault otherwise; then the replica is as before and the session is over. Fails with
    /// [`Error::NoProgress`] when the last replies have changed nothing, though there is more to do.
    pub fn take_reply(&mut self, replica: &mut Replica, pace: Pace, body: &[u8]) -> Result<Step, Error> {
        let content = read_reply(body).map_err(|fault| Error::BadReply(fault.to_string()))?;
        let reply: SyncReply = read_message(&content).map_err(|fault| Error::BadReply(fault.to_string()))?;
        // Edits come between rounds, not within this call, so they do not count as the sync's own progress.
        let before = replica.progress()?;
        self.told = Some(Instant::from_seconds(reply.told_seconds));
        let received = replica.receive(&self.page, &self.fetches, &reply)?;
        let is_fruitless = received.changed.is_empty() && replica.progress()? == before;
        self.fruitless = if is_fruitless { self.fruitless.saturating_add(1) } else { 0 };
        self.notices_read =
            reply.notices.iter().map(|notice| notice.number).chain([self.notices_read]).max().unwrap_or(0);
        self.summary.exchanges = self.summary.exchanges.saturating_add(1);
        let more = received.more && self.summary.exchanges < EXCHANGES_MAX;
        self.changed.extend(received.changed.iter().chain(&received.forgotten).cloned());
        let total = &mut self.summary.received;
        total.changed.extend(received.changed);
        total.forgotten.extend(received.forgotten);
        total.erased.extend(received.erased);
        total.quarantined.extend(received.quarantined);
        total.held_back = received.held_back.or(total.held_back);
        if more {
            if self.fruitless >= FRUITLESS_MAX {
                return Err(Error::NoProgress);
            }
            return Ok(Step::Send(self.request(replica, pace)?));
        }
        Ok(Step::Done(std::mem::take(&mut self.summary)))
    }

    /// The documents that replies have changed or removed since the last call.
    pub fn take_changed(&mut self) -> BTreeSet<DocumentKey> {
        std::mem::take(&mut self.changed)
    }

    /// The outcome so far, for a session that the line broke.
    pub fn into_summary(self) -> Summary {
        self.summary
    }
}
