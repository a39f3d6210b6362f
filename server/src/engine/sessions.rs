//! Coordinators' sessions: their tokens, which are open, since when and where from, and how they end. Whether somebody may act is
//! asked of `access::standing`, at each reading of a token and in the job that issues one.

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::Row;

use super::Granary;
use super::audit::put_line;
use super::grants::put_device;
use crate::access::accounts::{ONCE, SESSION, Session, SessionRecord, new_token, token_key};
use crate::access::standing::{Credential, Deed, may_act};
use crate::access::{AuditAction, Denied};
use crate::error::Error;
use crate::log::Cooperative;
use crate::log::keys::{GLOBAL, key, rest};
use crate::log::writer::GroupCommit;

/// The idle time after which a session ends, in milliseconds.
const IDLE_MILLIS: u64 = 12 * 3_600_000;
/// The time after which a session ends however often it is used, in milliseconds.
const SESSION_MILLIS: u64 = 30 * 24 * 3_600_000;
/// Bytes of a token's hash that name its session: enough that nobody's two are alike.
const ID_BYTES: usize = 8;
/// Letters of where a session is from that are kept.
const FROM_MAX: usize = 120;

/// An open session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionLine {
    /// Names it among its person's; of the hash of its token, which nobody can go back from.
    pub(crate) id: String,
    /// The address and the program that it was begun from; empty where it is not known.
    pub(crate) from: String,
    /// When it was begun.
    pub(crate) since: Instant,
    /// When it was last used, to half an hour.
    pub(crate) last: Instant,
    /// True for the one that asks.
    pub(crate) is_this: bool,
}

fn id_of(stored: &[u8]) -> String {
    rest(stored).iter().take(ID_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

impl Granary {
    /// Removes sessions and links whose time is over.
    pub(super) fn remove_expired(&self, now: Instant) -> Result<(), Error> {
        let mut expired = Vec::new();
        for kind in [SESSION, ONCE] {
            for row in self.store().scan_all(&key(GLOBAL, kind, &[]))? {
                let record: Option<SessionRecord> = row.value.as_deref().and_then(|value| read_message(value).ok());
                if record.is_none_or(|record| record.until_millis.min(record.ends_millis) <= now.0) {
                    expired.push(row.key);
                }
            }
        }
        if expired.is_empty() {
            return Ok(());
        }
        self.write(move |group| {
            expired.into_iter().for_each(|key| group.remove_visible(key));
            Ok(())
        })
    }

    /// The session of a token, if it has not ended; the visit counts.
    pub(crate) fn session(&self, token: &str, now: Instant) -> Result<Option<Session>, Error> {
        let Some((record, session)) = self.open_session(token, now)? else { return Ok(None) };
        // The last visit is written at most every half hour.
        let until = now.plus_millis(IDLE_MILLIS);
        if until.millis_since(Instant(record.until_millis)) > 1_800_000 {
            let stored = token_key(SESSION, token);
            let later = SessionRecord { until_millis: until.0, ..record };
            self.write(move |group| {
                // A session that was signed out meanwhile does not come back.
                if group.get(&stored)?.is_some() {
                    group.put_visible(stored, write_message(&later));
                }
                Ok(())
            })?;
        }
        Ok(Some(session))
    }

    /// True while a token's session has not ended; for pages that stay open, which is no visit.
    pub(crate) fn is_session_open(&self, token: &str, now: Instant) -> bool {
        self.open_session(token, now).is_ok_and(|found| found.is_some())
    }

    fn open_session(&self, token: &str, now: Instant) -> Result<Option<(SessionRecord, Session)>, Error> {
        let Some(bytes) = self.store().get(&token_key(SESSION, token))? else { return Ok(None) };
        let Ok(record) = read_message::<SessionRecord>(&bytes) else { return Ok(None) };
        let Some(account) = self.account(record.cooperative, &record.login)? else { return Ok(None) };
        let cooperative = self.cooperative(record.cooperative)?;
        let credential = Credential::Issued(record.generation);
        let may = may_act(&cooperative, account.device, credential, Deed::Coordinate).is_ok();
        if record.until_millis.min(record.ends_millis) <= now.0 || !may {
            return Ok(None);
        }
        let session = Session {
            cooperative: record.cooperative,
            login: record.login.clone(),
            name: account.name,
            device: account.device,
            generation: record.generation,
            csrf: record.csrf.clone(),
            has_second: account.second.is_some(),
            must_set_up_second: account.second.is_none() && self.demands_second(record.cooperative)?,
        };
        Ok(Some((record, session)))
    }

    /// Ends this session, or whatever was issued to the same coordinator.
    pub(crate) fn sign_out(&self, token: &str, everywhere: bool, now: Instant) -> Result<(), Error> {
        let Some((_, session)) = self.open_session(token, now)? else { return Ok(()) };
        let stored = token_key(SESSION, token);
        let cooperative = self.cooperative(session.cooperative)?;
        let device = session.device;
        self.write(move |group| {
            group.remove_visible(stored);
            if let Some(mut record) = cooperative.device(device).filter(|_| everywhere) {
                record.end_issued();
                put_device(&cooperative, group, device, record);
            }
            let detail = if everywhere { "everywhere" } else { "" };
            put_line(&cooperative, group, now, &device.to_string(), AuditAction::SignedOut, detail);
            Ok(())
        })?;
        self.access_changed(session.cooperative, &[device])
    }

    /// Notes where a new session is from.
    pub(crate) fn note_session(&self, token: &str, from: &str) -> Result<(), Error> {
        let stored = token_key(SESSION, token);
        let from: String = from.chars().filter(|letter| !letter.is_control()).take(FROM_MAX).collect();
        self.write(move |group| {
            let record: Option<SessionRecord> = group.get(&stored)?.and_then(|bytes| read_message(&bytes).ok());
            if let Some(record) = record {
                group.put_visible(stored, write_message(&SessionRecord { from, ..record }));
            }
            Ok(())
        })
    }

    /// The rows of a person's open sessions.
    fn session_rows(&self, session: &Session, now: Instant) -> Result<Vec<(Row, SessionRecord)>, Error> {
        let rows = self.store().scan_all(&key(GLOBAL, SESSION, &[]))?;
        let read = |row: Row| {
            let record: SessionRecord = read_message(row.value.as_deref()?).ok()?;
            let is_own = record.cooperative == session.cooperative
                && record.login == session.login
                && record.generation == session.generation;
            (is_own && record.until_millis.min(record.ends_millis) > now.0).then_some((row, record))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// A person's open sessions, the one that was used last first.
    pub(crate) fn sessions(&self, session: &Session, token: &str, now: Instant) -> Result<Vec<SessionLine>, Error> {
        let this = token_key(SESSION, token);
        let before = |millis: i64, length: u64| Instant(millis.saturating_sub(i64::try_from(length).unwrap_or(0)));
        let line = |(row, record): (Row, SessionRecord)| SessionLine {
            id: id_of(&row.key),
            from: record.from,
            since: before(record.ends_millis, SESSION_MILLIS),
            last: before(record.until_millis, IDLE_MILLIS),
            is_this: row.key == this,
        };
        let mut lines: Vec<SessionLine> = self.session_rows(session, now)?.into_iter().map(line).collect();
        lines.sort_by_key(|line| std::cmp::Reverse((line.is_this, line.last)));
        Ok(lines)
    }

    /// Ends one of a person's sessions. Fails with [`Error::NotFound`] where there is none of this name, or it has ended.
    pub(crate) fn end_session(&self, session: &Session, id: &str, now: Instant) -> Result<(), Error> {
        let found = self.session_rows(session, now)?.into_iter().find(|(row, _)| id_of(&row.key) == id);
        let (row, _) = found.ok_or_else(|| Error::NotFound { what: "session", name: id.chars().take(20).collect() })?;
        let (cooperative, by, device) = (self.cooperative(session.cooperative)?, session.principal(), session.device);
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            group.remove_visible(row.key);
            put_line(&cooperative, group, now, &by.id(), AuditAction::SessionEnded, &device.to_string());
            Ok(Ok(()))
        })??;
        self.access_changed(session.cooperative, &[device])
    }
}

/// The token of a session or a link, to be issued in a job of the writer.
pub(super) struct NewToken {
    kind: u8,
    token: String,
    csrf: String,
    until: Instant,
    ends: Instant,
}

impl NewToken {
    pub(super) fn session(token: String, now: Instant) -> Result<Self, Error> {
        let (until, ends) = (now.plus_millis(IDLE_MILLIS), now.plus_millis(SESSION_MILLIS));
        Ok(Self { kind: SESSION, token, csrf: new_token()?, until, ends })
    }

    /// Of a link, which becomes a session once.
    pub(super) fn link(token: String, until: Instant) -> Result<Self, Error> {
        Ok(Self { kind: ONCE, token, csrf: new_token()?, until, ends: until })
    }

    /// Issues it to a person who may coordinate.
    pub(super) fn issue(
        self,
        cooperative: &Cooperative,
        group: &mut GroupCommit<'_>,
        device: DeviceId,
        credential: Credential,
        login: &str,
    ) -> Result<(), Denied> {
        let generation = may_act(cooperative, device, credential, Deed::Coordinate)?.generation;
        let record = SessionRecord {
            cooperative: cooperative.number(),
            login: login.to_owned(),
            csrf: self.csrf,
            until_millis: self.until.0,
            ends_millis: self.ends.0,
            generation,
            from: String::new(),
        };
        group.put_visible(token_key(self.kind, &self.token), write_message(&record));
        Ok(())
    }
}
