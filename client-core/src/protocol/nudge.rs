//! What is said on the live socket: a phone greets once, signed; the server nudges.

/// The content of the signed frame with which a phone greets. No sync request can be it.
pub const GREETING: &[u8] = b"granary live 1";
/// There is something new to read.
pub const NUDGE: &[u8] = b"n";
