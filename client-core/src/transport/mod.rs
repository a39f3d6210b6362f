//! How a phone reaches its server: one exchange sends a body and returns one. The implementation is HTTPS.

#[cfg(feature = "https")]
mod counted;
#[cfg(feature = "https")]
mod dial;
mod fault;
#[cfg(feature = "https")]
mod https;
mod link;
#[cfg(feature = "https")]
mod nudge_socket;
#[cfg(feature = "https")]
mod pin;
#[cfg(feature = "https")]
mod portal;
mod resume;
#[cfg(feature = "https")]
mod runtime;
#[cfg(feature = "https")]
mod tls_fault;

pub use fault::LineFault;
#[cfg(feature = "https")]
pub use https::HttpsTransport;
pub(crate) use link::CUT_OFF;
pub use link::{ServerLink, host_in_address};
#[cfg(feature = "https")]
pub use nudge_socket::{Stop, new_stop};
pub use resume::{Ask, Exchange, HttpRequest, Outcome};
#[cfg(feature = "https")]
pub use runtime::build_runtime;

use crate::error::Error;
use crate::protocol::frame::UnsignedRequest;
use crate::protocol::problem::{Problem, ProblemKind};
use crate::protocol::signing::{Audience, Purpose, Signer};

/// The purpose of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// One exchange of a sync.
    Sync,
    /// A look at an invitation.
    Preview,
    /// Enrolment.
    Enrol,
    /// Reinstatement of a device by its certificate.
    Reinstate,
    /// Import of an outbox file.
    OutboxFile,
}

impl Route {
    /// The path of the route. That of a sync is short, since it is sent with every exchange.
    pub fn path(self) -> &'static str {
        match self {
            Self::Sync => "/s",
            Self::Preview => "/invitation",
            Self::Enrol => "/enrol",
            Self::Reinstate => "/reinstate",
            Self::OutboxFile => "/carried",
        }
    }

    /// What its requests are signed for.
    pub fn purpose(self) -> Purpose {
        if self == Self::Enrol { Purpose::Enrol } else { Purpose::Sync }
    }
}

/// What an exchange sends.
#[derive(Clone)]
pub enum Outgoing {
    /// Bytes that this phone does not sign.
    Bytes(Vec<u8>),
    /// A request that is signed for the connection it goes over.
    Request(UnsignedRequest, Signer),
}

/// What an exchange sends, with nothing that signs it: whoever carries it asks the device for the signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Bytes that this phone does not sign.
    Bytes(Vec<u8>),
    /// A request that is signed for this audience, and for the connection it goes over.
    Request(UnsignedRequest, Audience),
}

impl Payload {
    /// With the signer of this phone, where it is to be signed.
    pub fn signed_by(self, signer: impl FnOnce() -> Result<Signer, Error>) -> Result<Outgoing, Error> {
        Ok(match self {
            Self::Bytes(bytes) => Outgoing::Bytes(bytes),
            Self::Request(request, audience) => Outgoing::Request(request, Signer { audience, ..signer()? }),
        })
    }
}

impl Outgoing {
    /// What is sent, and what signs it.
    pub fn split(self) -> (Payload, Option<Signer>) {
        match self {
            Self::Bytes(bytes) => (Payload::Bytes(bytes), None),
            Self::Request(request, signer) => (Payload::Request(request, signer.audience), Some(signer)),
        }
    }
}

/// Makes exchanges with one server.
pub trait Transport: Send + Sync {
    /// Sends a body and returns the body of the answer. Fails with [`Error::Line`] when the line broke (the server may
    /// have acted on the body), and with [`Error::Refused`] when the server refused.
    fn exchange(&self, route: Route, outgoing: Outgoing) -> Result<Vec<u8>, Error>;

    /// The traffic so far.
    fn used(&self) -> Used;
}

/// The traffic of a transport so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Bytes up, TLS included.
    pub up: u64,
    /// Bytes down, TLS included.
    pub down: u64,
    /// Bytes up above TLS, HTTP included.
    pub content_up: u64,
    /// Bytes down above TLS, HTTP included.
    pub content_down: u64,
    /// Exchanges that were begun.
    pub exchanges: u64,
}

/// The error that an answer with a status other than 200 means.
pub fn refusal(status: u16, body: &[u8]) -> Error {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Error::Refused { kind: problem.kind, detail: problem.detail.chars().take(500).collect() },
        Err(_) => Error::Refused { kind: ProblemKind::Internal, detail: format!("the server answered {status}") },
    }
}
