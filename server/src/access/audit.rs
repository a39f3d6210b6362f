//! The audit log: actions on a co-operative through the server. Changes of documents are not in it; they name their
//! authors themselves. It only grows.

use granary_client_core::quantities::{Instant, one_line};
use serde::{Deserialize, Serialize};
use serde_tuple::{Deserialize_tuple, Serialize_tuple};

/// An action on a co-operative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditAction {
    /// A coordinator signed in.
    SignedIn,
    /// A sign-in failed.
    SignInFailed,
    /// A coordinator signed out, here or everywhere.
    SignedOut,
    /// A coordinator ended another session of the own.
    SessionEnded,
    /// An account was made or its password changed.
    AccountMade,
    /// A coordinator changed the own password.
    PasswordChanged,
    /// A coordinator set up a second factor.
    SecondFactorSet,
    /// A coordinator's second factor was taken away.
    SecondFactorCleared,
    /// A second factor is demanded of every coordinator, or no more.
    SecondFactorDemanded,
    /// A coordinator was removed.
    CoordinatorRemoved,
    /// An invitation was made.
    Invited,
    /// An open invitation was withdrawn.
    InvitationWithdrawn,
    /// A device enrolled.
    Enrolled,
    /// A device came back by its certificate.
    Reinstated,
    /// A device's roles were changed.
    Granted,
    /// A device was revoked.
    Revoked,
    /// Changes that were set aside were taken in.
    TakenIn,
    /// Changes that were set aside were refused for good.
    LeftOut,
    /// Documents were erased for good.
    Erased,
    /// Unusual lots were looked at and are right.
    FoundRight,
    /// What somebody wrote who may not was taken out.
    Reclaimed,
    /// The time of changes that were set aside was over, and their content was dropped.
    Dropped,
    /// Something was exported.
    Exported,
    /// Something was imported.
    Imported,
    /// An API key was made.
    ApiKeyMade,
    /// An API key was revoked.
    ApiKeyRevoked,
    /// A webhook was made or changed.
    WebhookSet,
    /// A webhook was removed.
    WebhookRemoved,
    /// Orders were told as they had been earlier than what is known of them; nothing was changed.
    ToldBackwards,
}

impl AuditAction {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SignedIn => "signed-in",
            Self::SignInFailed => "sign-in-failed",
            Self::SignedOut => "signed-out",
            Self::SessionEnded => "session-ended",
            Self::AccountMade => "account-made",
            Self::PasswordChanged => "password-changed",
            Self::SecondFactorSet => "second-factor-set",
            Self::SecondFactorCleared => "second-factor-cleared",
            Self::SecondFactorDemanded => "second-factor-demanded",
            Self::CoordinatorRemoved => "coordinator-removed",
            Self::Invited => "invited",
            Self::InvitationWithdrawn => "invitation-withdrawn",
            Self::Enrolled => "enrolled",
            Self::Reinstated => "reinstated",
            Self::Granted => "granted",
            Self::Revoked => "revoked",
            Self::TakenIn => "taken-in",
            Self::LeftOut => "left-out",
            Self::Erased => "erased",
            Self::FoundRight => "found-right",
            Self::Reclaimed => "reclaimed",
            Self::Dropped => "dropped",
            Self::Exported => "exported",
            Self::Imported => "imported",
            Self::ApiKeyMade => "api-key-made",
            Self::ApiKeyRevoked => "api-key-revoked",
            Self::WebhookSet => "webhook-set",
            Self::WebhookRemoved => "webhook-removed",
            Self::ToldBackwards => "told-backwards",
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize_tuple, Deserialize_tuple)]
pub struct AuditRecord {
    /// When, in milliseconds since 1970.
    pub at_millis: i64,
    /// Who did it: a device (a person's, in the console), `operator`, or `unknown-login`. Ids, not names: names can be erased.
    pub who: String,
    /// The action.
    pub action: AuditAction,
    /// Details, such as the device: ids too.
    pub detail: String,
}

/// Characters of details that are kept.
const DETAIL_MAX: usize = 300;

impl AuditRecord {
    /// A line, cut and without control characters: typed text must not add lines to any log.
    pub(crate) fn new(now: Instant, who: &str, action: AuditAction, detail: &str) -> Self {
        let cut = |text: &str| one_line(text).take(DETAIL_MAX).collect::<String>();
        Self { at_millis: now.0, who: cut(who), action, detail: cut(detail) }
    }
}
