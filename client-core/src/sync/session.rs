//! One sync, from the first request to the last reply. Bytes come in, bytes go out; the caller does
//! the sending. Pages start at what an unknown 2G line carries in some seconds, grow while the line
//! is quick and shrink when it breaks.

use std::collections::BTreeSet;

use crate::error::Error;
use crate::protocol::frame::{read_reply, write_request};
use crate::protocol::limits;
use crate::protocol::messages::{Fetch, SyncReply, SyncRequest, read_message, write_message};
use crate::replica::{OutboxPage, Received, Replica};
use crate::schema::DocumentKey;

/// Pages of one session at most; a session that long ends and the next goes on from there.
const PAGES_MAX: u32 = 10_000;
/// An exchange under this long lets the page grow, in milliseconds.
const QUICK_MILLIS: u64 = 4_000;
/// The first page of a line that is not known, in bytes of bundle: a few thousand records. It takes about
/// a quarter of that on the line, and an exchange that breaks goes on where it was.
const PAGE_BYTES_FIRST: usize = 128 * 1024;

/// How large a page the line carries; kept from session to session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    page_bytes: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { page_bytes: PAGE_BYTES_FIRST }
    }
}

impl Pace {
    /// The size of the next page, in bytes of bundle.
    pub fn page_bytes(self) -> usize {
        self.page_bytes
    }

    /// After an exchange that took this long.
    pub fn succeeded(&mut self, millis: u64) {
        if millis < QUICK_MILLIS {
            self.page_bytes = self.page_bytes.saturating_mul(2).min(limits::PAGE_BYTES_MAX);
        }
    }

    /// After an exchange that broke.
    pub fn failed(&mut self) {
        self.page_bytes = (self.page_bytes / 4).max(limits::PAGE_BYTES_MIN);
    }
}

/// What a session did.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Exchanges that were made.
    pub exchanges: u32,
    /// Everything that the replies changed.
    pub received: Received,
}

/// What to do now.
#[derive(Debug)]
pub enum Step {
    /// Send these bytes and give the reply to [`Session::take_reply`].
    Send(Vec<u8>),
    /// Nothing is left to send or to read.
    Done(Summary),
}

/// A sync under way: it waits for the reply to its last request.
#[derive(Debug)]
pub struct Session {
    page: OutboxPage,
    fetches: Vec<Fetch>,
    notices_read: u64,
    summary: Summary,
    changed: BTreeSet<DocumentKey>,
    version: Option<String>,
}

impl Session {
    /// Begins a sync. `version` is that of the phone's program, when it is to be told; `sign` signs bytes with the device's key.
    pub fn begin(
        replica: &mut Replica,
        pace: Pace,
        notices_read: u64,
        version: Option<String>,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<(Self, Vec<u8>), Error> {
        let mut session = Self {
            page: OutboxPage::default(),
            fetches: Vec::new(),
            notices_read,
            summary: Summary::default(),
            changed: BTreeSet::new(),
            version,
        };
        let request = session.request(replica, pace, sign)?;
        Ok((session, request))
    }

    /// The number of the last notice that was read.
    pub fn notices_read(&self) -> u64 {
        self.notices_read
    }

    fn request(
        &mut self,
        replica: &mut Replica,
        pace: Pace,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Vec<u8>, Error> {
        self.page = match replica.is_reconciling() {
            // It is not known yet what else the server lacks that this may build on.
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
        Ok(write_request(replica.device(), &write_message(&request), sign))
    }

    /// Takes the body of a reply: keeps what it brings, and says what comes next.
    pub fn take_reply(
        &mut self,
        replica: &mut Replica,
        pace: Pace,
        body: &[u8],
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<Step, Error> {
        let content = read_reply(body).map_err(|fault| Error::BadReply(fault.to_string()))?;
        let reply: SyncReply = read_message(&content).map_err(|fault| Error::BadReply(fault.to_string()))?;
        let received = replica.receive(&self.page, &self.fetches, &reply)?;
        self.notices_read =
            reply.notices.iter().map(|notice| notice.number).chain([self.notices_read]).max().unwrap_or(0);
        self.summary.exchanges = self.summary.exchanges.saturating_add(1);
        let more = received.more && self.summary.exchanges < PAGES_MAX;
        self.changed.extend(received.changed.iter().chain(&received.forgotten).cloned());
        let total = &mut self.summary.received;
        total.changed.extend(received.changed);
        total.forgotten.extend(received.forgotten);
        total.quarantined.extend(received.quarantined);
        if more {
            return Ok(Step::Send(self.request(replica, pace, sign)?));
        }
        Ok(Step::Done(std::mem::take(&mut self.summary)))
    }

    /// The documents that replies have changed or taken away since this was last asked.
    pub fn take_changed(&mut self) -> BTreeSet<DocumentKey> {
        std::mem::take(&mut self.changed)
    }

    /// What was done so far, when the line broke.
    pub fn into_summary(self) -> Summary {
        self.summary
    }
}
