//! What is kept for a time only: the content of what was set aside. It is dropped once a coordinator has refused it and its
//! device has read so, or when its time is over. The device still has it, as not delivered.

use std::sync::Arc;

use granary_client_core::quantities::Instant;

use crate::access::AuditAction;
use crate::engine::Granary;
use crate::engine::audit::put_line;
use crate::error::Error;

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Entries that one job of the writer goes through.
const TOGETHER: usize = 64;

impl Granary {
    /// How long the content of what was set aside is kept, in milliseconds.
    pub(crate) fn set_aside_kept_millis(&self) -> i64 {
        i64::from(self.bounds().set_aside_days).saturating_mul(DAY_MILLIS)
    }

    /// Drops what is due at `now` of what was set aside; gives how many entries. Each is a line of the audit log.
    pub fn drop_what_is_due(&self, now: Instant) -> Result<u64, Error> {
        let kept = self.set_aside_kept_millis();
        let mut dropped = 0u64;
        for cooperative in self.cooperatives() {
            let due = cooperative.set_aside_due(self.store(), now.0, kept)?;
            for some in due.chunks(TOGETHER) {
                let (target, some) = (Arc::clone(&cooperative), some.to_vec());
                let count = self.write(move |group| {
                    let mut count = 0u64;
                    for (device, entry, _) in some {
                        if target.drop_if_due(group, (device, entry), now.0, kept)? {
                            count = count.saturating_add(1);
                            let what = format!("{device}/{entry}");
                            put_line(&target, group, now, "server", AuditAction::Dropped, &what);
                        }
                    }
                    Ok(count)
                })?;
                dropped = dropped.saturating_add(count);
            }
        }
        Ok(dropped)
    }
}
