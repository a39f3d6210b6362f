//! Who may come in: invitations by which a phone becomes a device, coordinators' accounts and sessions, the
//! certificates that the server signs, and the lines of the audit log. Rules and records; what is done with
//! them is in `engine`.

pub(crate) mod accounts;
mod audit;
pub(crate) mod identity;
mod invitation;

pub(crate) use accounts::Session;
pub use audit::{AuditAction, AuditRecord};
pub use invitation::{Invitation, InvitationLink};
pub(crate) use invitation::{InvitationRecord, new_code, normal_code};
