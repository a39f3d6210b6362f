//! What can go wrong on the server, with variants that a caller can act on.

use granary_client_core::documents::DocumentFault;
use granary_client_core::protocol::frame::FrameFault;
use granary_client_core::protocol::problem::{Problem, ProblemKind};
use granary_client_core::store::StoreFault;

/// Everything that a call into the server's domain can fail with.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// A document can't be read or edited.
    #[error(transparent)]
    Document(#[from] DocumentFault),
    /// The request was refused.
    #[error("{detail}")]
    Refused {
        /// What went wrong, for programs.
        kind: ProblemKind,
        /// What happened and what to do, for people.
        detail: String,
    },
    /// What an operator or coordinator named does not exist.
    #[error("there is no {what} {name}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// A file of the server's folder can't be read or written.
    #[error("{path}: {cause}")]
    File {
        /// Which file.
        path: String,
        /// What the system says.
        cause: String,
    },
    /// The server's certificate or key can't be used.
    #[error("the server's certificate can't be used: {0}")]
    Certificate(String),
    /// The server is stopping.
    #[error("the server is stopping; nothing was taken")]
    Stopping,
    /// Something an operator gave does not make sense.
    #[error("{0}")]
    Usage(String),
}

impl Error {
    /// A refusal with this kind and sentence.
    pub fn refused(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self::Refused { kind, detail: detail.into() }
    }

    /// A refusal of bytes that do not have the shape of what was asked for.
    pub(crate) fn malformed(fault: impl std::fmt::Display) -> Self {
        Self::refused(ProblemKind::Malformed, fault.to_string())
    }

    /// The answer for whoever asked. What is not their doing is not told to them.
    pub fn problem(&self) -> Problem {
        let (kind, detail) = match self {
            Self::Refused { kind, detail } => (*kind, detail.clone()),
            Self::NotFound { .. } => (ProblemKind::NotFound, self.to_string()),
            Self::Stopping => (ProblemKind::Busy, self.to_string()),
            _ => (ProblemKind::Internal, "the server failed; nothing was acknowledged, try again later".into()),
        };
        let status = match kind {
            ProblemKind::Malformed | ProblemKind::UnknownVersion => 400,
            ProblemKind::BadSignature | ProblemKind::UnknownDevice => 401,
            ProblemKind::DeviceRevoked | ProblemKind::BadInvitation => 403,
            ProblemKind::NotFound => 404,
            ProblemKind::Timeout => 408,
            ProblemKind::TooLarge => 413,
            ProblemKind::Busy => 429,
            ProblemKind::Internal => 500,
        };
        Problem { kind, status, detail }
    }
}

/// The refusal of a frame that can't be read.
pub(crate) fn frame_refusal(fault: FrameFault) -> Error {
    let kind = match fault {
        FrameFault::UnknownVersion(_) => ProblemKind::UnknownVersion,
        FrameFault::TooLarge => ProblemKind::TooLarge,
        FrameFault::Truncated | FrameFault::Compression => ProblemKind::Malformed,
    };
    Error::refused(kind, fault.to_string())
}

/// The refusal of a device that no co-operative has.
pub(crate) fn unknown_device() -> Error {
    Error::refused(ProblemKind::UnknownDevice, "this phone is not known here; enrol it with an invitation")
}
