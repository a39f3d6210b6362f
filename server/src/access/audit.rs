//! The audit log: who did what to a co-operative through the server, apart from documents, whose
//! changes name their authors themselves. It only grows.

use granary_client_core::protocol::messages::write_message;
use granary_client_core::quantities::Instant;
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

use crate::engine::Granary;
use crate::error::Error;
use crate::log::CooperativeNumber;
use crate::log::keys::key;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// A coordinator signed in.
    SignedIn,
    /// A sign-in failed.
    SignInFailed,
    /// A coordinator signed out, here or everywhere.
    SignedOut,
    /// An account was made or its password changed.
    AccountMade,
    /// An invitation was made.
    Invited,
    /// A device enrolled.
    Enrolled,
    /// A device came back by its certificate.
    Reinstated,
    /// A device's roles were changed.
    Granted,
    /// A device was revoked.
    Revoked,
    /// Something was exported.
    Exported,
    /// Something was imported.
    Imported,
}

impl Deed {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInFailed => "sign-in-failed",
            Self::SignedOut => "signed-out",
            Self::AccountMade => "account-made",
            Self::Invited => "invited",
            Self::Enrolled => "enrolled",
            Self::Reinstated => "reinstated",
            Self::Granted => "granted",
            Self::Revoked => "revoked",
            Self::Exported => "exported",
            Self::Imported => "imported",
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AuditRecord {
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// Who: a coordinator's name, `operator`, or a device.
    pub who: String,
    /// What.
    pub deed: Deed,
    /// Of what.
    pub detail: String,
}

/// Longer details are cut, in characters.
const DETAIL_MAX: usize = 300;

impl Granary {
    /// Adds a line to a co-operative's audit log; durable when it returns.
    pub fn audit(
        &self,
        number: CooperativeNumber,
        now: Instant,
        who: &str,
        deed: Deed,
        detail: &str,
    ) -> Result<(), Error> {
        let cooperative = self.cooperative(number)?;
        // What people typed must not make lines of its own in any log.
        let one_line = |text: &str| {
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(DETAIL_MAX).collect::<String>()
        };
        let record = AuditRecord { at_millis: now.0, who: one_line(who), deed, detail: one_line(detail) };
        tracing::info!(cooperative = number.0, who = record.who, deed = deed.name(), detail = record.detail, "audit");
        self.write(move |gather| {
            let line = cooperative.next_audit_line();
            gather.put(key(number, b'u', &line.to_be_bytes()), write_message(&record));
            Ok(())
        })
    }

    /// The audit log, newest first, at most so many lines.
    pub fn audit_log(&self, number: CooperativeNumber, most: usize) -> Result<Vec<AuditRecord>, Error> {
        let rows = self.store().scan_all(&key(number, b'u', &[]))?;
        let read = |row: granary_client_core::store::Row| {
            granary_client_core::protocol::messages::read_message(&row.value?).ok()
        };
        Ok(rows.into_iter().rev().filter_map(read).take(most).collect())
    }
}
