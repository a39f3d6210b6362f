//! The mark that a co-operative's log was restored: since then others' changes may come back that this server had and can't
//! prove. A server that never lost anything takes no such change from anybody.

use granary_client_core::protocol::messages::write_message;
use granary_client_core::store::{Batch, Store, StoreFault};

use super::keys::{CooperativeNumber, key};
use super::rows::{cooperatives, parse};

fn row(number: CooperativeNumber) -> Vec<u8> {
    key(number, b'r', &[])
}

/// Marks that every log of this store may have lost its end. Durable when it returns.
pub fn mark_restored(store: &dyn Store, now_millis: i64) -> Result<(), StoreFault> {
    let mut batch = Batch::default();
    for number in cooperatives(store)? {
        batch.put(row(number), write_message(&now_millis));
    }
    store.apply(&batch)?;
    store.flush()
}

/// True once the co-operative's log was restored.
pub(super) fn was_restored(store: &dyn Store, number: CooperativeNumber) -> Result<bool, StoreFault> {
    Ok(restored_at(store, number)?.is_some())
}

/// When the co-operative's log was restored last, in milliseconds since 1970; none where it never was.
pub(crate) fn restored_at(store: &dyn Store, number: CooperativeNumber) -> Result<Option<i64>, StoreFault> {
    let row = row(number);
    store.get(&row)?.map(|bytes| parse(&row, Some(&bytes))).transpose()
}
