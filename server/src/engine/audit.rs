//! The audit log in the store.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::Row;

use super::Granary;
use crate::access::{AuditAction, AuditRecord, Principal};
use crate::error::Error;
use crate::log::keys::key;
use crate::log::writer::GroupCommit;
use crate::log::{Cooperative, CooperativeNumber};

/// Adds a line to the audit log, in the job of the deed that it tells of: both are durable, or neither.
pub(crate) fn put_line(
    cooperative: &Cooperative,
    group: &mut GroupCommit<'_>,
    now: Instant,
    who: &str,
    action: AuditAction,
    detail: &str,
) {
    let number = cooperative.number();
    let record = AuditRecord::new(now, who, action, detail);
    tracing::info!(cooperative = number.0, who = record.who, action = action.name(), detail = record.detail, "audit");
    let line = cooperative.next_audit_line();
    group.put(key(number, b'u', &line.to_be_bytes()), write_message(&record));
}

impl Granary {
    /// Adds a line on a deed that changes nothing in the store, before its outcome is given out; durable when it returns.
    /// An error when whoever does it may not any more.
    pub fn audit(
        &self,
        number: CooperativeNumber,
        now: Instant,
        by: Principal,
        action: AuditAction,
        detail: &str,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let detail = detail.to_owned();
        self.write(move |group| {
            if let Err(denied) = by.must_coordinate(&cooperative) {
                return Ok(Err(denied));
            }
            put_line(&cooperative, group, now, &by.id(), action, &detail);
            Ok(Ok(()))
        })??;
        Ok(())
    }

    /// The audit log, newest first, at most `most` lines.
    pub fn audit_log(&self, number: CooperativeNumber, most: usize) -> Result<Vec<AuditRecord>, Error> {
        let rows = self.store().scan_all(&key(number, b'u', &[]))?;
        let read = |row: Row| read_message(&row.value?).ok();
        Ok(rows.into_iter().rev().filter_map(read).take(most).collect())
    }
}
