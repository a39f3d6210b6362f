//! Access rules and records: invitations, coordinators' accounts and sessions, the server's certificates, the lines of
//! the audit log. `engine` uses them.

pub(crate) mod accounts;
mod audit;
pub(crate) mod identity;
mod invitation;

pub(crate) use accounts::Session;
pub use audit::{AuditAction, AuditRecord};
pub use invitation::{Invitation, InvitationLink};
pub(crate) use invitation::{InvitationRecord, new_code, normal_code};
