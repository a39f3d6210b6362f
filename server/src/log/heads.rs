//! The end of a co-operative's log, as written and as durable.

use granary_client_core::protocol::messages::write_message;
use granary_client_core::store::{Store, StoreFault};

use super::entry::chain_entry;
use super::keys::{CooperativeNumber, DocumentNumber, Heads, LogEvent, LogRecord, chain, key, log_key};
use super::rows::heads_of;
use super::writer::GroupCommit;

/// Two copies of the log's counters and running checksums. `visible` is never ahead of what the store has flushed;
/// `written` is never behind `visible`, and only the writer's jobs advance it.
#[derive(Default)]
pub(super) struct LogHeads {
    written: Heads,
    visible: Heads,
}

impl LogHeads {
    pub(super) fn load(store: &dyn Store, own: CooperativeNumber) -> Result<Self, StoreFault> {
        let heads = heads_of(store, own)?;
        Ok(Self { written: heads, visible: heads })
    }

    /// The log's end as the writer has it; it may not be durable yet.
    pub(super) fn written(&self) -> &Heads {
        &self.written
    }

    /// The log's durable end, up to which readers may read.
    pub(super) fn visible(&self) -> Heads {
        self.visible
    }

    /// Makes the written end visible; for completions, which run after a successful flush.
    pub(super) fn publish(&mut self) {
        self.visible = self.written;
    }

    /// Counts one more document; the next entry's commit writes the count.
    pub(super) fn add_document(&mut self, number: DocumentNumber) {
        self.written.documents = number.0.saturating_add(1);
    }

    /// Advances to a new entry with this content; gives its number and running checksum.
    pub(super) fn append_entry(
        &mut self,
        own: CooperativeNumber,
        group: &mut GroupCommit<'_>,
        content: u64,
    ) -> (u64, u64) {
        self.written.entry = self.written.entry.saturating_add(1);
        self.written.entry_tag = chain_entry(self.written.entry_tag, content);
        self.write(own, group);
        (self.written.entry, self.written.entry_tag)
    }

    /// Adds an event to the log; gives its position.
    pub(super) fn append_event(&mut self, own: CooperativeNumber, group: &mut GroupCommit<'_>, event: LogEvent) -> u64 {
        self.written.position = self.written.position.saturating_add(1);
        self.written.position_tag = chain(self.written.position_tag, &write_message(&event));
        let record = LogRecord { tag: self.written.position_tag, event };
        group.put(log_key(own, self.written.position), write_message(&record));
        self.write(own, group);
        self.written.position
    }

    fn write(&self, own: CooperativeNumber, group: &mut GroupCommit<'_>) {
        group.put(key(own, b'h', &[]), write_message(&self.written));
    }
}
