//! Access rules and records: who may act (`standing`), invitations, coordinators' accounts and sessions, the server's
//! certificates, the lines of the audit log. `engine` uses them.

pub(crate) mod accounts;
pub mod api_keys;
mod audit;
mod by;
pub(crate) mod erasures;
pub(crate) mod hashing;
pub(crate) mod identity;
mod invitation;
pub(crate) mod key_marks;
pub(crate) mod marks;
pub(crate) mod passwords;
pub(crate) mod second_factor;
pub(crate) mod standing;
pub(crate) mod webhooks;

pub(crate) use accounts::Session;
pub use accounts::{CoordinatorLine, NamedDevice};
pub use audit::{AuditAction, AuditRecord};
pub(crate) use by::By;
pub use invitation::{Invitation, InvitationLine, InvitationLink, InvitationState};
pub(crate) use invitation::{InvitationRecord, InvitationUse, end_all_issued, new_code, normal_code};
pub use passwords::PasswordFault;
pub use standing::{Denied, Principal};
