//! The store's format number. A new store gets it at its first opening, before anything else is read; a store of
//! another format is refused and not changed.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::store::{Batch, Store, StoreFault};

use super::keys::{GLOBAL, key};
use crate::error::Error;

/// The format that this program writes.
pub(crate) const FORMAT: u32 = 1;

fn format_key() -> Vec<u8> {
    key(GLOBAL, b'F', &[])
}

/// The row with this program's format number.
pub(crate) fn format_row() -> (Vec<u8>, Vec<u8>) {
    (format_key(), write_message(&FORMAT))
}

/// A store's format number; 0 when it has none.
pub(crate) fn format_of(store: &dyn Store) -> Result<u32, StoreFault> {
    match store.get(&format_key())? {
        Some(bytes) => read_message(&bytes).map_err(|_| StoreFault::Damaged(format_key())),
        None => Ok(0),
    }
}

/// Refuses a store of another format; gives a new store its format number.
pub(crate) fn check_format(store: &dyn Store) -> Result<(), Error> {
    let found = format_of(store)?;
    if found == FORMAT {
        return Ok(());
    }
    if found > 0 || !store.scan(&[], None, 1)?.is_empty() {
        return Err(Error::OtherFormat { found, known: FORMAT });
    }
    let mut batch = Batch::default();
    let (key, value) = format_row();
    batch.put(key, value);
    store.apply(&batch)?;
    Ok(store.flush()?)
}
