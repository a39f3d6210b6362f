//! The wire format, for phone and server: messages, their codec, and the limits of bytes from outside. No IO.

pub mod aside;
pub mod attestation;
pub mod bundle;
mod cursor;
pub mod enrolment;
pub mod frame;
pub mod limits;
pub mod messages;
pub mod nudge;
pub mod outbox_file;
pub mod problem;
mod refusal;
pub mod signing;
pub mod transfer;
