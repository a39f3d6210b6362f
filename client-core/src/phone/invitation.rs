//! A look at an invitation before the phone enrols, so that a person sees whom she joins.

use super::{Phone, new_transport};
use crate::error::Error;
use crate::protocol::enrolment::InvitationPreview;
use crate::protocol::frame::read_reply;
use crate::protocol::messages::read_message;
use crate::schema::access::Role;
use crate::transport::{CUT_OFF, LineFault, Outgoing, Route, ServerLink, Transport, host_in_address};

/// An invitation, for a person to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The server's host and port.
    pub server: String,
    /// The co-operative's name.
    pub cooperative_name: String,
    /// What the phone will be.
    pub role: Role,
    /// Whose phone: the household's or the person's name; empty where it is nobody's, or has no name yet.
    pub whose: String,
}

/// The error of a phone that joins by this link. A link without a fingerprint is one to a server with a public certificate, or
/// one that was cut off.
pub(super) fn while_joining(server: &ServerLink, error: Error) -> Error {
    match error {
        Error::Line(LineFault::Intercepted { .. }) if server.fingerprint.is_none() => Error::BadInvitation(CUT_OFF),
        Error::Line(fault) => Error::NotJoined(fault),
        other => other,
    }
}

impl Phone {
    /// What the invitation of this link is for. Needs a line, uses nothing up, and leaves nothing on the phone. Fails as
    /// [`Self::enrol`] does for an invitation that is unknown, used or too old.
    pub fn look_at_invitation(&self, link: &str) -> Result<Invitation, Error> {
        let server: ServerLink = link.parse()?;
        let transport = new_transport(&server, &self.clock)?;
        let asked = transport.exchange(Route::Preview, Outgoing::Bytes(server.code.clone().into_bytes()));
        let reply = asked.map_err(|error| while_joining(&server, error))?;
        let bad = |fault: &dyn std::fmt::Display| Error::BadReply(fault.to_string());
        let content = read_reply(&reply).map_err(|fault| bad(&fault))?;
        let shown: InvitationPreview = read_message(&content).map_err(|fault| bad(&fault))?;
        Ok(Invitation {
            server: format!("{}:{}", host_in_address(&server.host), server.port),
            cooperative_name: shown.cooperative_name,
            role: shown.role,
            whose: shown.whose,
        })
    }
}
