//! Reads and writes many rows in chunks.

use granary_client_core::protocol::messages::read_message;
use granary_client_core::store::{Batch, Row, Store, StoreFault};

use super::keys::{CooperativeNumber, GLOBAL, Heads, LogRecord, key, log_key, rest};

/// Rows that are read at once.
const CHUNK: usize = 512;

/// Calls `each` for all rows whose keys begin with `prefix`.
pub(crate) fn each_row(
    store: &dyn Store,
    prefix: &[u8],
    mut each: impl FnMut(Row) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    each_row_after(store, prefix, None, &mut each)
}

/// As [`each_row`], from the first key after `after`.
pub(crate) fn each_row_after(
    store: &dyn Store,
    prefix: &[u8],
    after: Option<Vec<u8>>,
    each: &mut impl FnMut(Row) -> Result<(), StoreFault>,
) -> Result<(), StoreFault> {
    let mut after = after;
    loop {
        let rows = store.scan(prefix, after.as_deref(), CHUNK)?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = Some(last.key.clone());
        rows.into_iter().try_for_each(&mut *each)?;
    }
}

/// The numbers of all co-operatives of a store.
pub(crate) fn cooperatives(store: &dyn Store) -> Result<Vec<CooperativeNumber>, StoreFault> {
    let rows = store.scan_all(&key(GLOBAL, b'C', &[]))?;
    let number = |row: &Row| rest(&row.key).try_into().ok().map(u32::from_be_bytes).map(CooperativeNumber);
    Ok(rows.iter().filter_map(number).collect())
}

pub(crate) fn heads_of(store: &dyn Store, number: CooperativeNumber) -> Result<Heads, StoreFault> {
    let heads_key = key(number, b'h', &[]);
    match store.get(&heads_key)? {
        Some(bytes) => read_message(&bytes).map_err(|_| StoreFault::Damaged(heads_key)),
        None => Ok(Heads::default()),
    }
}

/// Reads a record; a missing or unreadable one counts as damaged.
pub(crate) fn parse<M: serde::de::DeserializeOwned>(key: &[u8], value: Option<&[u8]>) -> Result<M, StoreFault> {
    value.and_then(|value| read_message(value).ok()).ok_or_else(|| StoreFault::Damaged(key.to_vec()))
}

/// Writes that are applied at once.
const WRITES: usize = 2_000;

/// Applies writes in batches; none is durable before [`Writes::finish`].
pub(crate) struct Writes<'a> {
    store: &'a dyn Store,
    batch: Batch,
    count: usize,
}

impl<'a> Writes<'a> {
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        Self { store, batch: Batch::default(), count: 0 }
    }

    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), StoreFault> {
        self.batch.put(key, value);
        self.one_more()
    }

    pub(crate) fn remove(&mut self, key: Vec<u8>) -> Result<(), StoreFault> {
        self.batch.remove(key);
        self.one_more()
    }

    fn one_more(&mut self) -> Result<(), StoreFault> {
        self.count = self.count.saturating_add(1);
        if self.count >= WRITES { self.apply() } else { Ok(()) }
    }

    pub(crate) fn apply(&mut self) -> Result<(), StoreFault> {
        self.count = 0;
        self.store.apply(&std::mem::take(&mut self.batch))
    }

    pub(crate) fn finish(mut self) -> Result<(), StoreFault> {
        self.apply()?;
        self.store.flush()
    }
}

/// The record at a position of the log.
pub(super) fn read_record(
    store: &dyn Store,
    cooperative: CooperativeNumber,
    position: u64,
) -> Result<LogRecord, StoreFault> {
    let key = log_key(cooperative, position);
    parse(&key, store.get(&key)?.as_deref())
}
