//! The audit log in the store.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::quantities::Instant;
use granary_client_core::store::Row;

use super::Granary;
use crate::access::{AuditAction, AuditRecord};
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::key;

impl Granary {
    /// Adds a line to a co-operative's audit log; durable when it returns.
    pub fn audit(
        &self,
        number: CooperativeNumber,
        now: Instant,
        who: &str,
        action: AuditAction,
        detail: &str,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        let record = AuditRecord::new(now, who, action, detail);
        tracing::info!(
            cooperative = number.0,
            who = record.who,
            action = action.name(),
            detail = record.detail,
            "audit"
        );
        self.write(move |group| {
            let line = cooperative.next_audit_line();
            group.put(key(number, b'u', &line.to_be_bytes()), write_message(&record));
            Ok(())
        })
    }

    /// The audit log, newest first, at most `most` lines.
    pub fn audit_log(&self, number: CooperativeNumber, most: usize) -> Result<Vec<AuditRecord>, Error> {
        let rows = self.store().scan_all(&key(number, b'u', &[]))?;
        let read = |row: Row| read_message(&row.value?).ok();
        Ok(rows.into_iter().rev().filter_map(read).take(most).collect())
    }
}
