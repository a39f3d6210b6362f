//! Tells subscribers that something new can be had: connected clients when a log grew, consoles when read models
//! were written. A slow subscriber misses events, never content: it asks again.

use granary_client_core::ids::DeviceId;
use granary_client_core::schema::DocumentKey;
use tokio::sync::broadcast;

use crate::log::CooperativeNumber;

/// Events that are buffered for a slow subscriber at most.
const BUFFERED_MAX: usize = 256;

/// What happened.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// The log has something new about this document.
    Admitted { cooperative: CooperativeNumber, key: DocumentKey },
    /// What a device may do has changed.
    AccessChanged { device: DeviceId },
    /// A co-operative's read models were written.
    ReadModelsUpdated { cooperative: CooperativeNumber },
}

/// See the module.
#[derive(Debug)]
pub(crate) struct EventBus {
    sender: broadcast::Sender<Event>,
}

impl Default for EventBus {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BUFFERED_MAX) }
    }
}

impl EventBus {
    pub(crate) fn publish(&self, event: Event) {
        // Having no subscriber is no fault.
        let _ = self.sender.send(event);
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }
}
