//! Keeping what was acknowledged: backups in a format of our own, restoring them, looking at a whole store,
//! and repairing one. All of it works on the store's trait, never on sled's files.

pub(crate) mod backup;
mod export;
pub(crate) mod rebuild;
pub(crate) mod repair;
pub(crate) mod restore;
mod running;
#[cfg(test)]
mod tests;
pub(crate) mod verify;
