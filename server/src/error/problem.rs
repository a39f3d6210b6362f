//! What a caller is told of an error: its kind and status, with no detail that the caller did not cause.

use granary_client_core::protocol::frame::FrameFault;
use granary_client_core::protocol::problem::{Problem, ProblemKind};

use super::Error;
use crate::access::Denied;

impl Error {
    /// The answer for the caller. It hides details of errors that the caller did not cause.
    pub fn problem(&self) -> Problem {
        let (kind, detail) = match self {
            Self::Refused { kind, detail } => (*kind, detail.clone()),
            Self::NotFound { .. } => (ProblemKind::NotFound, self.to_string()),
            Self::Stopping => (ProblemKind::Busy, self.to_string()),
            Self::Denied(Denied::Unknown) => (ProblemKind::UnknownDevice, self.to_string()),
            Self::Denied(_) => (ProblemKind::DeviceRevoked, self.to_string()),
            _ => (ProblemKind::Internal, "the server failed; nothing was acknowledged, try again later".into()),
        };
        let status = match kind {
            ProblemKind::Malformed | ProblemKind::UnknownVersion => 400,
            ProblemKind::BadSignature | ProblemKind::UnknownDevice => 401,
            ProblemKind::DeviceRevoked | ProblemKind::BadInvitation => 403,
            ProblemKind::NotFound => 404,
            ProblemKind::Timeout => 408,
            ProblemKind::TooLarge => 413,
            ProblemKind::Busy | ProblemKind::ShareUsed => 429,
            ProblemKind::Internal => 500,
            ProblemKind::NoRoom => 503,
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

/// The refusal of a device that belongs to no co-operative.
pub(crate) fn unknown_device() -> Error {
    Error::Denied(Denied::Unknown)
}
