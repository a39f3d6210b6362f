//! The store's format has a number. A new store gets it when it is opened first, before anything else looks at it; one
//! of another format is left as it is.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::store::{Batch, Store, StoreFault};

use super::keys::{GLOBAL, key};
use crate::error::Error;

/// The format that this program writes.
pub(crate) const FORMAT: u32 = 1;

fn format_key() -> Vec<u8> {
    key(GLOBAL, b'F', &[])
}

/// The row that says that a store is of this program's format.
pub(crate) fn format_row() -> (Vec<u8>, Vec<u8>) {
    (format_key(), write_message(&FORMAT))
}

/// The number of a store's format.
pub(crate) fn format_of(store: &dyn Store) -> Result<u32, StoreFault> {
    match store.get(&format_key())? {
        Some(bytes) => read_message(&bytes).map_err(|_| StoreFault::Damaged(format_key())),
        None => Ok(0),
    }
}

/// Makes sure that a store is of this program's format, and numbers a new one.
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
