//! A look at an invitation before the phone enrols, so that a person sees whom she joins.

use super::{Phone, new_transport};
use crate::error::Error;
use crate::protocol::enrolment::InvitationPreview;
use crate::protocol::frame::read_reply;
use crate::protocol::messages::read_message;
use crate::schema::access::Role;
use crate::transport::{Outgoing, Route, ServerLink, Transport, host_in_address};

/// An invitation, for a person to confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The server's host and port.
    pub server: String,
    /// The co-operative's name.
    pub cooperative_name: String,
    /// What the phone will be.
    pub role: Role,
}

impl Phone {
    /// What the invitation of this link is for. Needs a line, uses nothing up, and leaves nothing on the phone. Fails as
    /// [`Self::enrol`] does for an invitation that is unknown, used or too old.
    pub fn look_at_invitation(&self, link: &str) -> Result<Invitation, Error> {
        let server: ServerLink = link.parse()?;
        let transport = new_transport(&server, &self.clock)?;
        let reply = transport.exchange(Route::Preview, Outgoing::Bytes(server.code.clone().into_bytes()))?;
        let bad = |fault: &dyn std::fmt::Display| Error::BadReply(fault.to_string());
        let content = read_reply(&reply).map_err(|fault| bad(&fault))?;
        let shown: InvitationPreview = read_message(&content).map_err(|fault| bad(&fault))?;
        Ok(Invitation {
            server: format!("{}:{}", host_in_address(&server.host), server.port),
            cooperative_name: shown.cooperative_name,
            role: shown.role,
        })
    }
}
