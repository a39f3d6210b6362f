//! The server's error answers: problem+json (RFC 9457) with a type for programs and a sentence for people.

use serde::{Deserialize, Serialize};

/// The type of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemKind {
    /// The body does not have the shape of the message.
    Malformed,
    /// The body is too large, as sent or once decompressed.
    TooLarge,
    /// The message is of a version that the server does not speak.
    UnknownVersion,
    /// The signature does not verify.
    BadSignature,
    /// No device with this id is enrolled.
    UnknownDevice,
    /// The device was revoked.
    DeviceRevoked,
    /// The invitation's code is unknown, used or expired.
    BadInvitation,
    /// The device asks too often or too much at once. Try again later.
    Busy,
    /// The request took too long.
    Timeout,
    /// There is nothing at this address.
    NotFound,
    /// The server failed. Nothing was acknowledged.
    Internal,
}

impl ProblemKind {
    /// Its name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too-large",
            Self::UnknownVersion => "unknown-version",
            Self::BadSignature => "bad-signature",
            Self::UnknownDevice => "unknown-device",
            Self::DeviceRevoked => "device-revoked",
            Self::BadInvitation => "bad-invitation",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::NotFound => "not-found",
            Self::Internal => "internal",
        }
    }
}

/// The body of an error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What went wrong, for programs.
    #[serde(rename = "type")]
    pub kind: ProblemKind,
    /// The HTTP status, again.
    pub status: u16,
    /// What happened and what to do, for people.
    pub detail: String,
}
