//! The store's format has a number. A new store gets it when it is opened first, before anything else looks at it; one
//! of another format is left as it is.

use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::store::{Store, StoreFault};

use super::rebuild::Writes;
use crate::error::Error;
use crate::log::keys::{GLOBAL, key};

/// The format that this program writes.
pub(crate) const FORMAT: u32 = 1;

fn format_key() -> Vec<u8> {
    key(GLOBAL, b'F', &[])
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
        return Err(Error::Usage(format!(
            "this store is of format {found}, and this program knows format {FORMAT}: start the program that wrote it, \
             or a newer one"
        )));
    }
    let mut writes = Writes::new(store);
    note_format(&mut writes)?;
    Ok(writes.finish()?)
}

/// Notes that a store is of this program's format.
pub(super) fn note_format(writes: &mut Writes<'_>) -> Result<(), StoreFault> {
    writes.put(format_key(), write_message(&FORMAT))
}
