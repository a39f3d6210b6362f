//! How long lines of the audit are kept. They are dropped from the oldest on; the newest always stays, so that numbers go on.

use granary_client_core::protocol::messages::read_message;
use granary_client_core::quantities::Instant;
use granary_client_core::store::Row;

use crate::access::AuditRecord;
use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::key;

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1000;
/// Lines that one job of the writer drops.
const TOGETHER: usize = 256;

fn at(row: &Row) -> Option<i64> {
    row.value.as_deref().and_then(|value| read_message::<AuditRecord>(value).ok()).map(|record| record.at_millis)
}

impl Granary {
    /// Drops the audit's lines that are older than so many days; gives how many. Where none is, it reads one line.
    pub fn drop_old_audit_lines(&self, now: Instant, days: u32) -> Result<u64, Error> {
        let before = now.0.saturating_sub(i64::from(days).saturating_mul(DAY_MILLIS));
        let mut dropped = 0u64;
        for cooperative in self.cooperatives() {
            let number = cooperative.number();
            while let Some(old) = self.old_lines(number, before)? {
                dropped = dropped.saturating_add(old.len() as u64);
                self.write(move |group| {
                    old.into_iter().for_each(|line| group.remove_visible(line));
                    Ok(())
                })?;
            }
        }
        if dropped > 0 {
            tracing::info!(dropped, days, "old lines of the audit were dropped");
        }
        Ok(dropped)
    }

    /// The first lines that are older, without the newest of all; none when there are none.
    fn old_lines(&self, number: CooperativeNumber, before: i64) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let lines = key(number, b'u', &[]);
        let is_old = |row: &Row| at(row).is_none_or(|at| at < before);
        if !self.store().scan(&lines, None, 1)?.iter().any(is_old) {
            return Ok(None);
        }
        let mut rows = self.store().scan(&lines, None, TOGETHER)?;
        if rows.len() < TOGETHER {
            rows.pop();
        }
        let old: Vec<Vec<u8>> = rows.into_iter().take_while(is_old).map(|row| row.key).collect();
        Ok((!old.is_empty()).then_some(old))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use granary_client_core::schema::access::Role;
    use granary_client_core::store::MemoryStore;

    use super::*;

    #[test]
    fn old_lines_go_from_the_oldest_on_and_numbers_go_on() {
        let keys = tempfile::tempdir().unwrap();
        let store = MemoryStore::default();
        let open = || Granary::open(Arc::new(store.clone()), keys.path(), None, |fault| panic!("{fault}")).unwrap();
        let granary = open();
        let day = |day: i64| Instant(1_790_000_000_000 + day * DAY_MILLIS);
        let number = granary.create_cooperative("Linxian", day(0)).unwrap();
        for at in 0..600 {
            granary.invite(number, Role::Packer, 1, day(at)).unwrap();
        }
        let count = |granary: &Granary| granary.audit_log(number, usize::MAX).unwrap().len();
        assert_eq!((count(&granary), granary.drop_old_audit_lines(day(600), 700).unwrap()), (600, 0));
        assert_eq!(granary.drop_old_audit_lines(day(600), 100).unwrap(), 500);
        assert!(granary.audit_log(number, usize::MAX).unwrap().iter().all(|line| line.at_millis >= day(500).0));
        assert_eq!(granary.drop_old_audit_lines(day(9_000), 100).unwrap(), 99, "the newest stays");
        drop(granary);
        let granary = open();
        granary.invite(number, Role::Packer, 1, day(9_000)).unwrap();
        assert_eq!(count(&granary), 2, "its number is not used again");
        assert!(crate::maintenance::verify::verify(granary.store(), granary.loaded()).unwrap().is_clean());
    }
}
