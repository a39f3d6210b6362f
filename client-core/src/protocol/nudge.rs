//! The messages of the nudge socket: one signed greeting from the phone, then nudges from the server.

/// The content of the signed greeting. No sync request equals it.
pub const GREETING: &[u8] = b"granary live 1";
/// The log has grown.
pub const NUDGE: &[u8] = b"n";
