//! Maintenance of stores: back up, restore, verify, repair, export. It uses the store's trait, never sled's files.

mod audit_retention;
pub(crate) mod backup;
mod export;
pub(crate) mod rebuild;
pub(crate) mod repair;
pub(crate) mod restore;
mod retention;
mod running;
#[cfg(test)]
mod tests;
pub(crate) mod verify;
