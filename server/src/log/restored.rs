//! The mark that a co-operative's log was restored: since then others' changes may come back that this server had and can't
//! prove. A server that never lost anything takes no such change from anybody.

use granary_client_core::protocol::messages::write_message;
use granary_client_core::store::{Batch, Store, StoreFault};

use super::keys::{CooperativeNumber, key};
use super::rows::cooperatives;

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
    Ok(store.get(&row(number))?.is_some())
}
