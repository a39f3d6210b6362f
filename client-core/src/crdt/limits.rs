//! Limits of one change. Every size from outside is checked against one of them before anything is allocated.

/// Operations in one change.
pub const CHANGE_OPERATIONS_MAX: usize = 20_000;
/// Bytes of one change chunk.
pub const CHANGE_BYTES_MAX: usize = 1024 * 1024;
/// Dependencies of one change.
pub const CHANGE_DEPENDENCIES_MAX: usize = 256;
/// Actors named in one change beside its own.
pub const CHANGE_ACTORS_MAX: usize = 256;
/// Predecessors of one operation.
pub const OPERATION_PREDECESSORS_MAX: usize = 256;
/// Operation counters fit 32 bits, as Automerge requires.
pub const OPERATION_COUNTER_MAX: u64 = u32::MAX as u64;
