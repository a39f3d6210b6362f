//! An atomic group of writes.

/// One write of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a key.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key.
    Remove(Vec<u8>),
}

impl Write {
    /// The key that it sets or removes.
    pub fn key(&self) -> &[u8] {
        match self {
            Self::Put(key, _) | Self::Remove(key) => key,
        }
    }
}

/// Writes in order. A later write of a key wins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    writes: Vec<Write>,
}

impl Batch {
    /// Adds a write that sets a key.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.writes.push(Write::Put(key.into(), value.into()));
    }

    /// Adds a write that removes a key.
    pub fn remove(&mut self, key: impl Into<Vec<u8>>) {
        self.writes.push(Write::Remove(key.into()));
    }

    /// Adds all writes of another batch.
    pub fn extend(&mut self, other: Self) {
        self.writes.extend(other.writes);
    }

    /// The writes, in order.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// True when there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}
