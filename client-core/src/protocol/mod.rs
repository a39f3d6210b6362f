//! The wire format: messages, their codec, and the limits that bytes from outside are held to. Used
//! by the phone and by the server; it opens no socket and reads no clock.

pub mod attestation;
pub mod bundle;
pub mod enrolment;
pub mod frame;
pub mod limits;
pub mod messages;
pub mod nudge;
pub mod outbox_file;
pub mod problem;
pub mod transfer;
