//! A coordinator's own sessions: which are open, since when and where from, and ending one.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::Row;

use super::Granary;
use super::accounts::{IDLE_MILLIS, SESSION_MILLIS};
use super::audit::put_line;
use crate::access::AuditAction;
use crate::access::accounts::{SESSION, Session, SessionRecord, token_key};
use crate::error::Error;
use crate::log::keys::{GLOBAL, key, rest};

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
