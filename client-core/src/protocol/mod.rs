//! The wire format: messages, their codec, and the limits that bytes from outside are held to. Used
//! by the phone and by the server; it opens no socket and reads no clock.

pub mod access;
pub mod attestation;
pub mod bundle;
pub mod carried;
pub mod change;
pub mod frame;
pub mod leb128;
pub mod limits;
pub mod live;
pub mod messages;
pub mod parts;
pub mod problem;
