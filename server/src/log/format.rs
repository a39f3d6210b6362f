//! The store's format has a number. A store of an older one is brought up to date when it is opened, before
//! anything else looks at it; one of a newer one is left as it is.
//!
//! | format | what it has |
//! |---|---|
//! | 0 | no number |
//! | 1 | the last entry of each device (`q`) |

use std::collections::HashMap;

use granary_client_core::ids::DeviceId;
use granary_client_core::protocol::messages::{read_message, write_message};
use granary_client_core::store::{Batch, Store, StoreFault};

use super::keys::{Entry, GLOBAL, key, rest_u64};
use super::rows::{cooperatives, each_row};
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

/// Brings a store up to this program's format.
pub(crate) fn bring_up_to_date(store: &dyn Store) -> Result<(), Error> {
    let found = format_of(store)?;
    if found > FORMAT {
        return Err(Error::FormatTooNew { found, known: FORMAT });
    }
    if found == FORMAT {
        return Ok(());
    }
    let mut batch = Batch::default();
    for number in cooperatives(store)? {
        let mut last: HashMap<DeviceId, u64> = HashMap::new();
        each_row(store, &key(number, b'e', &[]), |row| {
            let entry: Option<Entry> = row.value.as_deref().and_then(|value| read_message(value).ok());
            // A damaged entry is named elsewhere.
            if let (Some(entry), Some(at)) = (entry, rest_u64(&row.key)) {
                last.insert(entry.device, at);
            }
            Ok(())
        })?;
        for (device, entry) in last {
            batch.put(key(number, b'q', device.as_bytes()), write_message(&entry));
        }
    }
    let (key, value) = format_row();
    batch.put(key, value);
    store.apply(&batch)?;
    store.flush()?;
    Ok(())
}
