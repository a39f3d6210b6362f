//! A look at an invitation before the phone enrols, so that a person sees whom she joins.

use super::steps::Errand;
use crate::error::Error;
use crate::protocol::enrolment::InvitationPreview;
use crate::protocol::frame::read_reply;
use crate::protocol::messages::read_message;
use crate::schema::access::Role;
use crate::transport::{CUT_OFF, LineFault, Payload, Route, ServerLink, host_in_address};

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
pub fn while_joining(server: &ServerLink, error: Error) -> Error {
    match error {
        Error::Line(LineFault::Intercepted { .. }) if server.fingerprint.is_none() => Error::BadInvitation(CUT_OFF),
        Error::Line(fault) => Error::NotJoined(fault),
        other => other,
    }
}

impl Invitation {
    /// What to send for a look at it.
    pub fn ask(server: &ServerLink) -> Errand {
        Errand { route: Route::Preview, payload: Payload::Bytes(server.code.clone().into_bytes()) }
    }

    /// Reads the answer.
    pub fn read(server: &ServerLink, reply: &[u8]) -> Result<Self, Error> {
        let bad = |fault: &dyn std::fmt::Display| Error::BadReply(fault.to_string());
        let content = read_reply(reply).map_err(|fault| bad(&fault))?;
        let shown: InvitationPreview = read_message(&content).map_err(|fault| bad(&fault))?;
        Ok(Self {
            server: format!("{}:{}", host_in_address(&server.host), server.port),
            cooperative_name: shown.cooperative_name,
            role: shown.role,
            whose: shown.whose,
        })
    }
}
