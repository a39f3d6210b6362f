//! The activity of a co-operative: what people wrote into documents, and the audit's lines, as rows of one list. The read models'
//! writer keeps the former; the latter are added when the list is asked for. All of it can be made again: documents and audit
//! hold it.

use std::collections::HashMap;

use granary_client_core::ids::DeviceId;
use granary_client_core::projection::{ActivityFilter, ActivityRow, ReadModel};
use granary_client_core::protocol::messages::read_message;
use granary_client_core::quantities::Instant;
use granary_client_core::schema::access::Role;
use granary_client_core::store::Row;

use super::Granary;
use crate::access::{AuditAction, AuditRecord};
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::{key, rest_u64};

/// Lines of the audit that are added in one step.
const TOGETHER: usize = 2_000;

/// What stands between the roles before and after a change of them.
pub(super) const ROLES_CHANGED: &str = ">";

/// What a line of the audit is about where its first word is the name of a key or a webhook, which looks like a device's.
fn key_of(record: &AuditRecord) -> Option<String> {
    let kind = match record.action {
        AuditAction::ApiKeyMade | AuditAction::ApiKeyRevoked => "key",
        AuditAction::WebhookSet | AuditAction::WebhookRemoved => "webhook",
        _ => return None,
    };
    Some(format!("{kind}:{}", record.detail.split(' ').next().unwrap_or_default()))
}

/// The row of a line of the audit: its thing is the key, the device or the household that it names first.
fn row_of(record: AuditRecord) -> ActivityRow {
    let words = || record.detail.split([' ', ',']).map(|word| word.trim_end_matches(':'));
    let device = || words().find_map(|word| word.parse::<DeviceId>().ok()).map(|device| format!("device:{device}"));
    let device = key_of(&record).or_else(device);
    let household = words().find_map(|word| match word.parse::<Role>() {
        Ok(Role::Household(household)) => Some(format!("household:{household}")),
        _ => None,
    });
    let (thing, other) = match (device, household) {
        (Some(device), household) => (device, household.unwrap_or_default()),
        (None, household) => (household.unwrap_or_default(), String::new()),
    };
    let (before, after) = match (record.action, record.detail.split_once(": ")) {
        (AuditAction::Granted, Some((_, roles))) => match roles.split_once(ROLES_CHANGED) {
            Some((before, after)) => (before.trim().to_owned(), after.trim().to_owned()),
            None => (String::new(), roles.to_owned()),
        },
        _ => (String::new(), record.detail.clone()),
    };
    let kind = record.action.name().to_owned();
    ActivityRow {
        at: Instant(record.at_millis),
        who: record.who,
        kind,
        thing,
        other,
        field: String::new(),
        before,
        after,
    }
}

impl Granary {
    /// Rows of the activity, newest first, and how many there are in all.
    pub(crate) fn activity(
        &self,
        number: CooperativeNumber,
        filter: &ActivityFilter,
    ) -> Result<(Vec<ActivityRow>, u64), Error> {
        self.add_audit_rows(number)?;
        let models = self.read_models(number)?;
        Ok(models.read(|models| Ok((models.activity(filter)?, models.count_activity(filter)?)))?)
    }

    /// Who did anything.
    pub(crate) fn doers(&self, number: CooperativeNumber) -> Result<Vec<String>, Error> {
        self.add_audit_rows(number)?;
        Ok(self.read_models(number)?.read(ReadModel::doers)?)
    }

    /// When each did something last, by who did it.
    pub(crate) fn last_of(
        &self,
        number: CooperativeNumber,
        action: AuditAction,
    ) -> Result<HashMap<String, Instant>, Error> {
        self.add_audit_rows(number)?;
        let last = self.read_models(number)?.read(|models| models.last_of(action.name()))?;
        Ok(last.into_iter().collect())
    }

    /// Adds the rows of the audit's lines that have none yet.
    fn add_audit_rows(&self, number: CooperativeNumber) -> Result<(), Error> {
        let models = self.read_models(number)?;
        let lines = key(number, b'u', &[]);
        // An older store was put in place: its lines are others.
        if models.read(ReadModel::last_audit_line)? > self.cooperative(number)?.last_audit_line() {
            models.write(|models| models.add_audit_lines(u64::MAX, &[]))?;
        }
        loop {
            let last = models.read(ReadModel::last_audit_line)?;
            let after = (last > 0).then(|| key(number, b'u', &last.to_be_bytes()));
            let new = self.store().scan(&lines, after.as_deref(), TOGETHER)?;
            if new.is_empty() {
                return Ok(());
            }
            let first = self.store().scan(&lines, None, 1)?.first().and_then(|row| rest_u64(&row.key)).unwrap_or(0);
            let is_last = new.len() < TOGETHER;
            let read = |row: Row| Some((rest_u64(&row.key)?, row_of(read_message(&row.value?).ok()?)));
            let rows: Vec<(u64, ActivityRow)> = new.into_iter().filter_map(read).collect();
            if rows.is_empty() {
                return Ok(());
            }
            models.write(|models| models.add_audit_lines(first, &rows))?;
            if is_last {
                return Ok(());
            }
        }
    }
}
