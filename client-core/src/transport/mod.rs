//! How a phone reaches its server: bytes out, bytes in, one exchange. HTTPS today; anything that
//! carries an exchange can take its place.

#[cfg(feature = "https")]
mod counted;
#[cfg(feature = "https")]
mod https;
mod link;
#[cfg(feature = "https")]
mod live;
#[cfg(feature = "https")]
mod pin;
#[cfg(feature = "https")]
mod resume;

#[cfg(feature = "https")]
pub use https::HttpsTransport;
pub use link::ServerLink;
#[cfg(feature = "https")]
pub use live::{Stop, new_stop};

use crate::error::Error;
use crate::protocol::problem::{Problem, ProblemKind};

/// What an exchange is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// One exchange of a sync.
    Sync,
    /// Enrolment.
    Enrol,
    /// Coming back by a certificate.
    Reinstate,
    /// An outbox that was carried here.
    OutboxFile,
    /// Asking for the key under which outboxes are carried.
    OutboxFileKey,
}

impl Route {
    /// The path of the route; the common one is short, since it is sent each time.
    pub fn path(self) -> &'static str {
        match self {
            Self::Sync => "/s",
            Self::Enrol => "/enrol",
            Self::Reinstate => "/reinstate",
            Self::OutboxFile | Self::OutboxFileKey => "/carried",
        }
    }
}

/// Carries exchanges.
pub trait Transport: Send + Sync {
    /// Sends a body and gives the body of the answer. An answer that refuses is an error.
    fn exchange(&self, route: Route, body: Vec<u8>) -> Result<Vec<u8>, Error>;

    /// What went over the line so far.
    fn used(&self) -> Used;
}

/// What a transport has sent and received so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Used {
    /// Bytes up, all included.
    pub up: u64,
    /// Bytes down, all included.
    pub down: u64,
    /// Bytes up above TLS, HTTP included.
    pub content_up: u64,
    /// Bytes down above TLS, HTTP included.
    pub content_down: u64,
    /// Exchanges that were begun.
    pub exchanges: u64,
}

/// The error that an answer with a status other than 200 stands for.
pub fn refusal(status: u16, body: &[u8]) -> Error {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Error::Refused { kind: problem.kind, detail: problem.detail.chars().take(500).collect() },
        Err(_) => Error::Refused { kind: ProblemKind::Internal, detail: format!("the server answered {status}") },
    }
}
